import { numberOf, partOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { Quotas } from './ports.ts'

/** @see https://developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota.html */
export function createQuotas(client: OfficialAccountClient): Quotas {
  return {
    async readQuota(path) {
      const answer = await client.call({
        path: '/cgi-bin/openapi/quota/get',
        body: { cgi_path: path },
        isSafe: true,
      })
      const quota = partOf(answer, 'quota')
      return { limit: numberOf(quota, 'daily_limit'), used: numberOf(quota, 'used') }
    },
  }
}
