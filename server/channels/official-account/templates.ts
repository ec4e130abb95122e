import type { TemplateMessages } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { characters, partsOf, refuseUnless, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import { keywordData, shortened } from './keyword-fields.ts'
import type { NoticeTarget, TemplateMessage, Templates } from './ports.ts'

const MAX_CLIENT_ID_CHARACTERS = 64
const MAX_THING_CHARACTERS = 20

/** What a notice's template says; `clientMessageId` as in `TemplateMessage`. */
type Notice = Parameters<TemplateMessages['sendTemplate']>[1]

/** 模板消息. @see https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage.html */
export function createTemplates(client: OfficialAccountClient): Templates & TemplateMessages {
  async function sendTemplateMessage(message: TemplateMessage) {
    client.require('template')
    const { address, templateId, data, clientMessageId } = message
    if (clientMessageId !== undefined)
      refuseUnless(
        characters(clientMessageId) <= MAX_CLIENT_ID_CHARACTERS,
        `client_msg_id 超过 ${MAX_CLIENT_ID_CHARACTERS} 个字符`,
      )
    const answer = await client.call({
      path: '/cgi-bin/message/template/send',
      body: {
        touser: address,
        template_id: templateId,
        ...targetOf(message),
        ...(clientMessageId === undefined ? {} : { client_msg_id: clientMessageId }),
        data: keywordData(data),
      },
      isSafe: clientMessageId !== undefined,
    })
    return { platformId: textOf(answer, 'msgid') }
  }

  return {
    sendTemplateMessage,

    /** @see https://developers.weixin.qq.com/doc/service/api/notify/template/api_getalltemplates.html */
    async templates() {
      client.require('template')
      const answer = await client.call({ path: '/cgi-bin/template/get_all_private_template', isSafe: true })
      return partsOf(answer, 'template_list').map(template => ({
        templateId: textOf(template, 'template_id'),
        title: textOf(template, 'title'),
        fields: [...textOf(template, 'content').matchAll(/\{\{\s*(\w+)\.DATA\s*\}\}/g)].map(
          ([, name]) => name ?? '',
        ),
      }))
    },

    async sendTemplate(address, message: Notice, url) {
      const { title, time, note, clientMessageId } = message
      const { noticeTemplate } = client.config
      client.require('template')
      if (!noticeTemplate)
        throw new ChannelError('config', '公众号没有设置通知模板（OFFICIAL_ACCOUNT_NOTICE_TEMPLATE）')
      return sendTemplateMessage({
        address,
        templateId: noticeTemplate,
        ...(url ? { url } : {}),
        ...(clientMessageId === undefined ? {} : { clientMessageId }),
        data: {
          thing1: shortened(title, MAX_THING_CHARACTERS),
          time2: withYear(time, client.services.now()),
          thing3: shortened(note, MAX_THING_CHARACTERS),
        },
      })
    },
  }
}

function targetOf({ url, miniProgram }: NoticeTarget): Record<string, unknown> {
  return {
    ...(url === undefined ? {} : { url }),
    ...(miniProgram === undefined
      ? {}
      : { miniprogram: { appid: miniProgram.appId, pagepath: miniProgram.path } }),
  }
}

const HALF_A_YEAR_MS = 183 * 24 * 3_600_000
const SHANGHAI_OFFSET_MS = 8 * 3_600_000

/** People are told 9月7日 09:00; a field of the kind `time` needs the year, which is the one that brings it nearest. */
function withYear(time: string, now: Date): string {
  const [, month, day] = /^(\d{1,2})月(\d{1,2})日/.exec(time) ?? []
  if (month === undefined || day === undefined) return time
  const thisYear = new Date(now.getTime() + SHANGHAI_OFFSET_MS).getUTCFullYear()
  const distance = Date.UTC(thisYear, Number(month) - 1, Number(day)) - now.getTime()
  const year = distance > HALF_A_YEAR_MS ? thisYear - 1 : distance < -HALF_A_YEAR_MS ? thisYear + 1 : thisYear
  return `${year}年${time}`
}
