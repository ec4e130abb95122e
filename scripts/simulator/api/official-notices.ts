import { refuse } from '../api-error.ts'
import type { Core, OfficialAccount } from '../core.ts'
import { deliver } from '../delivery.ts'
import { tellLater } from '../official-events.ts'
import type { Card } from '../types.ts'
import type { PersonRecord } from '../world.ts'
import { type Body, optionalText, record, text } from './fields.ts'
import { readKeywords } from './official-keywords.ts'
import { stateOf } from './official-state.ts'
import { type ApiCall, type ApiTable, bareNumber, get, post } from './platform.ts'
import { cardText } from './template-card.ts'

type Call = ApiCall<OfficialAccount>

const TEMPLATES_A_DAY = 100_000
const ONE_OFF = 2
const LONG_TERM = 3

function personOf(core: Core, body: Body): PersonRecord & { openId: string } {
  const person = core.world.byOpenId(text(body, 'touser', { code: 40003 }))
  if (!person?.openId) refuse(40003, 'invalid openid')
  return { ...person, openId: person.openId }
}

function noticeCard(title: string, rows: Card['rows'], url: string | undefined): Card {
  return {
    cardType: 'template',
    title,
    rows,
    buttons: [],
    questions: [],
    ...(url === undefined ? {} : { url }),
  }
}

function checkMiniProgram(body: Body): void {
  if (body.miniprogram !== undefined) text(record(body, 'miniprogram'), 'appid')
}

/** 模板消息; the result comes later as an event. @see developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage */
function sendTemplate({ core, subject, body }: Call) {
  const cap = subject.templateDailyCap ?? TEMPLATES_A_DAY
  if (core.limits.has('templateQuota') && !core.limits.takeToday(`template|${subject.appId}`, cap))
    refuse(45009, 'reach max api daily quota limit')
  const person = personOf(core, body)
  const fields = subject.templates?.[text(body, 'template_id', { code: 40037 })]
  if (!fields) refuse(40037, 'invalid template_id')
  const rows = readKeywords(fields, record(body, 'data'))
  checkMiniProgram(body)
  if (!person.follows) refuse(43004, 'require subscribe')
  const { templateNumbers, templateOutcomes } = stateOf(subject)
  const clientId = optionalText(body, 'client_msg_id', { max: 64 })
  const before = clientId === undefined ? undefined : templateNumbers.get(clientId)
  if (before !== undefined) return { msgid: bareNumber(before) }
  const msgId = core.ids.bigNumber()
  if (clientId !== undefined) templateNumbers.set(clientId, msgId)
  const outcome = templateOutcomes.get(person.openId) ?? 'success'
  if (outcome === 'success') {
    const card = noticeCard('模板消息', rows, optionalText(body, 'url'))
    const content = { kind: 'template', text: cardText(card), card }
    deliver(core, core.world.person(person.id), 'officialAccount', content, 'template/send')
  } else core.log.add('dropped', { what: 'template', personId: person.id, reason: outcome })
  tellLater(core, subject, person.openId, () => ({
    Event: 'TEMPLATESENDJOBFINISH',
    MsgID: BigInt(msgId),
    Status: outcome,
  }))
  return { msgid: bareNumber(msgId) }
}

/** 订阅通知: one consent lets one notice through, a long-term one any number. @see developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg */
function sendSubscription({ core, subject, body }: Call) {
  const templateId = text(body, 'template_id', { code: 40037 })
  const template = subject.subscriptionTemplates?.[templateId]
  if (!template) refuse(40037, 'invalid template_id')
  const person = personOf(core, body)
  const rows = readKeywords(template.fields, record(body, 'data'))
  checkMiniProgram(body)
  const { consents } = stateOf(subject)
  const key = `${person.openId} ${templateId}`
  const left = consents.get(key) ?? 0
  if (left <= 0) refuse(43101, 'user refuse to accept the msg')
  consents.set(key, left - 1)
  const card = noticeCard(template.title, rows, optionalText(body, 'page'))
  const content = { kind: 'subscription', text: cardText(card), card }
  deliver(core, core.world.person(person.id), 'officialAccount', content, 'subscribe/bizsend')
  const msgId = core.ids.bigNumber()
  tellLater(core, subject, person.openId, () => ({
    Event: 'subscribe_msg_sent_event',
    SubscribeMsgSentEvent: {
      List: [{ TemplateId: templateId, MsgID: BigInt(msgId), ErrorCode: 0, ErrorStatus: 'success' }],
    },
  }))
  return {}
}

function listTemplates({ subject }: Call) {
  return {
    data: Object.entries(subject.subscriptionTemplates ?? {}).map(([id, { title, fields, longTerm }]) => ({
      priTmplId: id,
      title,
      content: fields.map(name => `{{${name}.DATA}}`).join('\n'),
      example: '',
      type: longTerm ? LONG_TERM : ONE_OFF,
    })),
  }
}

/** @see developers.weixin.qq.com/doc/service/api/notify/template/api_getalltemplates */
function listMessageTemplates({ subject }: Call) {
  return {
    template_list: Object.entries(subject.templates ?? {}).map(([id, fields]) => ({
      template_id: id,
      title: '通知提醒',
      primary_industry: '政府与公共事业',
      deputy_industry: '公共事业',
      content: fields.map(name => `{{${name}.DATA}}`).join('\n'),
      example: '',
    })),
  }
}

export const officialNotices: ApiTable<OfficialAccount> = {
  '/cgi-bin/template/get_all_private_template': get(listMessageTemplates),
  '/cgi-bin/message/template/send': post(sendTemplate),
  '/cgi-bin/message/subscribe/bizsend': post(sendSubscription),
  '/wxaapi/newtmpl/gettemplate': get(listTemplates),
}
