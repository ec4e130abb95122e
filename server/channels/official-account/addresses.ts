import { textsOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { PlatformAddresses } from './ports.ts'

/** @see https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip.html */
export function createPlatformAddresses(client: OfficialAccountClient): PlatformAddresses {
  return {
    callbackAddresses: async () =>
      textsOf(await client.call({ path: '/cgi-bin/getcallbackip', isSafe: true }), 'ip_list'),
  }
}
