import { refuse } from '../api-error.ts'
import type { Core, OfficialAccount } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { deliver } from '../delivery.ts'
import type { Card } from '../types.ts'
import type { PersonRecord } from '../world.ts'
import { readContent } from './contents.ts'
import { type Body, isRecord, optionalText, record, text } from './fields.ts'
import { takeDaily } from './official-base.ts'
import { type ApiCall, type ApiTable, bareNumber, post } from './platform.ts'
import { cardText } from './template-card.ts'

const CUSTOM_TYPES = ['text', 'image', 'voice', 'video', 'news', 'mpnews', 'msgmenu', 'miniprogrampage']
const JOB_FINISH_MS = 20

function openIdOf(core: Core, body: Body): PersonRecord {
  const person = core.world.byOpenId(text(body, 'touser', { code: 40003 }))
  if (!person) refuse(40003, 'invalid openid')
  return person
}

/** 客服消息. @see developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage */
function sendCustom(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  takeDaily(call, 'custom/send', 500_000)
  const person = openIdOf(core, body)
  const content = readContent(core, body, {
    types: CUSTOM_TYPES,
    textBytes: 2048,
    overlong: 'refuse',
    markdownBytes: 0,
    cards: 'notices',
    mediaOwner: subject.appId,
    where: 'custom/send',
  })
  // who left has no window either: the platform answers the same
  if (!person.follows && core.limits.has('serviceWindow'))
    refuse(45015, 'response out of time limit or subscription is canceled')
  core.windows.use(person.openId ?? '')
  deliver(core, person, 'officialAccount', content, 'custom/send')
  return {}
}

/** Idempotency numbers of template messages → the msgid answered then. */
const sentBefore = new WeakMap<OfficialAccount, Map<string, string>>()

function readTemplateData(subject: OfficialAccount, templateId: string, body: Body): Card {
  const fields = subject.templates?.[templateId]
  if (!fields) refuse(40037, 'invalid template_id')
  const data = record(body, 'data')
  const rows = fields.map(name => {
    const entry = data[name]
    const value = isRecord(entry) ? entry.value : undefined
    if (typeof value !== 'string' || value === '')
      refuse(47003, `argument invalid! data.${name}.value is empty`)
    return { name, value }
  })
  const url = optionalText(body, 'url')
  return {
    cardType: 'template',
    title: '模板消息',
    rows,
    buttons: [],
    questions: [],
    ...(url ? { url } : {}),
  }
}

/** 模板消息, service accounts only; the result comes later as an event. @see developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage */
function sendTemplate(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  if (subject.kind !== 'service') refuse(48001, 'api unauthorized')
  if (core.limits.has('templateQuota') && !core.limits.takeToday(`template|${subject.appId}`, 100_000)) {
    refuse(45009, 'reach max api daily quota limit')
  }
  const person = openIdOf(core, body)
  const card = readTemplateData(subject, text(body, 'template_id', { code: 40037 }), body)
  if (body.miniprogram !== undefined) text(record(body, 'miniprogram'), 'appid')
  if (!person.follows) refuse(43004, 'require subscribe')
  const numbers = sentBefore.get(subject) ?? new Map<string, string>()
  sentBefore.set(subject, numbers)
  const clientId = optionalText(body, 'client_msg_id', { max: 64 })
  const before = clientId === undefined ? undefined : numbers.get(clientId)
  if (before !== undefined) return { msgid: bareNumber(before) }
  const msgId = core.ids.bigNumber()
  if (clientId !== undefined) numbers.set(clientId, msgId)
  deliver(core, person, 'officialAccount', { kind: 'template', text: cardText(card), card }, 'template/send')
  core.callbacks.later(JOB_FINISH_MS, () =>
    core.callbacks.send({
      channel: subject.channel,
      fields: {
        ToUserName: subject.originalId,
        FromUserName: person.openId,
        CreateTime: unixSeconds(core.clock.now()),
        MsgType: 'event',
        Event: 'TEMPLATESENDJOBFINISH',
        MsgID: BigInt(msgId),
        Status: 'success',
      },
    }),
  )
  return { msgid: bareNumber(msgId) }
}

export const officialMessages: ApiTable<OfficialAccount> = {
  '/cgi-bin/message/custom/send': post(sendCustom),
  '/cgi-bin/message/template/send': post(sendTemplate),
}
