import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { deliver } from '../delivery.ts'
import { chinaMonth, MINUTE } from '../limits.ts'
import { failOverdueMasses, finishMass } from '../official-mass-jobs.ts'
import type { Content, PersonRecord } from '../world.ts'
import { type Body, integer, optionalText, record, text, textList } from './fields.ts'
import { type MassMessage, stateOf, takeDaily } from './official-state.ts'
import { followers } from './official-users.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

type Call = ApiCall<OfficialAccount>

const CALLS_A_DAY = 100
const CALLS_A_MINUTE = 60
const PREVIEWS_A_DAY = 100
const DELETIONS_A_DAY = 10
const ALL_A_MONTH = 4
const CONFIRM_MS = 30 * MINUTE
const LEAST_LISTED = 2
const MOST_LISTED = 10_000
const NUMBER_CHARACTERS = 64
/** So soon after the last try, a repeated clientmsgid is "too fast". */
const REPEAT_MS = MINUTE
/** Ids of mass messages are short, unlike others. */
const FIRST_ID = 3_147_480_000

const MEDIA_TEXT: Record<string, string> = { image: '[图片]', voice: '[语音]' }

function takeMedia({ core, subject }: Call, id: unknown, type: 'image' | 'voice'): string {
  if (typeof id === 'string' && stateOf(subject).lastingMedia.has(id)) return id
  return core.media.take(id, type, subject.appId).id
}

function readMassContent(call: Call, single: boolean): Content {
  const { body, subject } = call
  const type = text(body, 'msgtype', { code: 40008 })
  switch (type) {
    case 'text':
      return { kind: 'text', text: text(record(body, 'text'), 'content', { code: 44004 }) }
    case 'mpnews': {
      const id = record(body, 'mpnews').media_id
      const title = typeof id === 'string' ? stateOf(subject).articles.get(id) : undefined
      if (title === undefined) refuse(40007, 'invalid media_id')
      return { kind: 'mpnews', text: title }
    }
    case 'image': {
      const ids = single ? [record(body, 'image').media_id] : record(body, 'images').media_ids
      if (!Array.isArray(ids) || ids.length === 0) refuse(40007, 'invalid media_id')
      const [first = ''] = ids.map(id => takeMedia(call, id, 'image'))
      return { kind: 'image', text: MEDIA_TEXT.image?.repeat(ids.length) ?? '', mediaId: first }
    }
    case 'voice':
      return {
        kind: 'voice',
        text: MEDIA_TEXT.voice ?? '',
        mediaId: takeMedia(call, record(body, 'voice').media_id, 'voice'),
      }
    default:
      refuse(40008, `invalid message type ${type}`)
  }
}

/** A number is remembered as soon as it comes with a message that could be sent. */
function checkClientNumber({ core, subject, body }: Call): void {
  const number = optionalText(body, 'clientmsgid')
  if (number === undefined) return
  if ([...number].length > NUMBER_CHARACTERS) refuse(45067, 'clientmsgid size out of limit')
  const { massNumbers } = stateOf(subject)
  const now = core.clock.now().getTime()
  const before = massNumbers.get(number)
  massNumbers.set(number, now)
  if (before === undefined) return
  if (now - before < REPEAT_MS) refuse(45066, 'same clientmsgid retry too fast')
  refuse(45065, 'clientmsgid exist')
}

function checkCalls(call: Call): void {
  const { core, subject } = call
  takeDaily(call, 'mass', CALLS_A_DAY)
  if (core.limits.has('officialQuota') && !core.limits.take(`mass|${subject.appId}`, CALLS_A_MINUTE, MINUTE))
    refuse(45011, 'api minute-quota reach limit')
}

/** 订阅号: one a day. 服务号: to everybody one a day and four a month; the rest is counted for each follower. */
function takeMassQuota({ core, subject }: Call, toAll: boolean): void {
  if (!core.limits.has('massQuota')) return
  const isSubscription = subject.kind === 'subscription'
  if (!isSubscription && !toAll) return
  const { monthly } = stateOf(subject)
  const { month } = chinaMonth(core.clock.now())
  const known = monthly.get('all')
  const count = known?.month === month ? known.count : 0
  if (!isSubscription && count >= ALL_A_MONTH) refuse(45028, 'has no masssend quota')
  if (!core.limits.takeToday(`massday|${subject.appId}`, 1)) refuse(45028, 'has no masssend quota')
  monthly.set('all', { month, count: count + 1 })
}

function submit(call: Call, audience: PersonRecord[], toAll: boolean, content: Content) {
  const { core, subject } = call
  const state = stateOf(subject)
  checkClientNumber(call)
  takeMassQuota(call, toAll)
  const msgId = String(FIRST_ID + state.masses.size + 1)
  const message: MassMessage = {
    msgId,
    status: subject.massProtection ? 'awaiting' : 'SENDING',
    confirmUntil: core.clock.now().getTime() + CONFIRM_MS,
    content,
    audience: audience.map(person => person.id),
    copies: [],
  }
  state.masses.set(msgId, message)
  core.log.add('mass', { msgId, audience: audience.length, awaits: message.status === 'awaiting' })
  if (message.status === 'SENDING') finishMass(core, subject, message)
  return {
    errmsg: 'send job submission success',
    msg_id: Number(msgId),
    msg_data_id: Number(msgId) - FIRST_ID + 206_227_000,
  }
}

/** @see developers.weixin.qq.com/doc/service/api/notify/message/api_sendall */
function sendAll(call: Call) {
  const { core, subject, body } = call
  checkCalls(call)
  const filter = record(body, 'filter')
  const toAll = filter.is_to_all === true
  const content = readMassContent(call, false)
  if (toAll) return submit(call, followers(core), true, content)
  const tag = stateOf(subject).tags.get(integer(filter, 'tag_id', 0, Number.MAX_SAFE_INTEGER))
  if (!tag) refuse(45159, 'invalid tag id')
  const audience = followers(core).filter(person => tag.openIds.has(person.openId ?? ''))
  return submit(call, audience, false, content)
}

/** @see developers.weixin.qq.com/doc/service/api/notify/message/api_masssend */
function sendToList(call: Call) {
  const { core, body } = call
  checkCalls(call)
  const openIds = textList(body, 'touser', MOST_LISTED, 40032)
  if (openIds.length < LEAST_LISTED) refuse(40130, 'invalid openid list size, at least two openid')
  const content = readMassContent(call, false)
  const audience = openIds.flatMap(openId => {
    const person = core.world.byOpenId(openId)
    return person?.follows ? [person] : []
  })
  if (audience.length === 0) refuse(40003, 'invalid openid')
  return submit(call, audience, false, content)
}

function preview(call: Call) {
  const { core, body } = call
  takeDaily(call, 'mass/preview', PREVIEWS_A_DAY)
  const person = core.world.byOpenId(text(body, 'touser', { code: 40003 }))
  if (!person?.follows) refuse(40003, 'invalid openid')
  deliver(core, person, 'officialAccount', readMassContent(call, true), 'mass/preview')
  return { errmsg: 'preview success', msg_id: FIRST_ID }
}

function find({ core, subject }: Call, body: Body): MassMessage {
  failOverdueMasses(core, subject)
  const message = stateOf(subject).masses.get(String(body.msg_id ?? ''))
  if (!message) refuse(40059, 'invalid msg id')
  return message
}

function read(call: Call) {
  const { msgId, status } = find(call, call.body)
  return { msg_id: Number(msgId), msg_status: status === 'awaiting' ? 'SENDING' : status }
}

/** Only what has been sent, and only articles and videos. */
function remove(call: Call) {
  takeDaily(call, 'mass/delete', DELETIONS_A_DAY)
  const message = find(call, call.body)
  if (message.status !== 'SEND_SUCCESS' || message.content.kind !== 'mpnews')
    refuse(40059, 'invalid msg id: not sent, or not an article')
  message.status = 'DELETE'
  for (const { personId, messageId } of message.copies) {
    const copy = call.core.world.person(personId).inbox.find(candidate => candidate.id === messageId)
    if (copy) copy.recalled = true
  }
  return {}
}

export const officialMass: ApiTable<OfficialAccount> = {
  '/cgi-bin/message/mass/sendall': post(sendAll),
  '/cgi-bin/message/mass/send': post(sendToList),
  '/cgi-bin/message/mass/preview': post(preview),
  '/cgi-bin/message/mass/get': post(read),
  '/cgi-bin/message/mass/delete': post(remove),
}
