import { numberOf, partsOf, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import { keywordData } from './keyword-fields.ts'
import type { SubscriptionNotices } from './ports.ts'

const LONG_TERM = 3

/** 订阅通知. @see https://developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg.html */
export function createSubscriptions(client: OfficialAccountClient): SubscriptionNotices {
  return {
    async sendSubscriptionNotice({ address, templateId, data, url, miniProgram }) {
      client.require('subscription')
      await client.call({
        path: '/cgi-bin/message/subscribe/bizsend',
        body: {
          touser: address,
          template_id: templateId,
          ...(url === undefined ? {} : { page: url }),
          ...(miniProgram === undefined
            ? {}
            : { miniprogram: { appid: miniProgram.appId, pagepath: miniProgram.path } }),
          data: keywordData(data),
        },
      })
      return { platformId: '' }
    },

    async subscriptionTemplates() {
      client.require('subscription')
      const answer = await client.call({ path: '/wxaapi/newtmpl/gettemplate' })
      return partsOf(answer, 'data').map(template => ({
        templateId: textOf(template, 'priTmplId'),
        title: textOf(template, 'title'),
        isLongTerm: numberOf(template, 'type') === LONG_TERM,
      }))
    },
  }
}
