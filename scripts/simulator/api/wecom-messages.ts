import { createHash } from 'node:crypto'
import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { departmentsBelow } from '../corp.ts'
import { deliver, memberTakes, newResponseCode, useResponseCode } from '../delivery.ts'
import { DAY } from '../limits.ts'
import { isVisible, visibleMembers } from '../visible.ts'
import type { Content, PersonRecord, SentMessage } from '../world.ts'
import { type ContentRules, checkSafe, readContent } from './contents.ts'
import { type Body, integer, integerList, isRecord, optionalText, record, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'
import { readTemplateCard } from './template-card.ts'

const TYPES = [
  'text',
  'markdown',
  'textcard',
  'news',
  'mpnews',
  'image',
  'voice',
  'video',
  'file',
  'template_card',
]
const SPECIAL_CARDS = ['button_interaction', 'vote_interaction', 'multiple_interaction']
const RECALL_WITHIN = DAY

export function appRules(app: WecomApp, where: string): ContentRules {
  return {
    types: TYPES,
    textBytes: 2048,
    overlong: 'cut',
    markdownBytes: 2048,
    cards: 'all',
    mediaOwner: app.corpId,
    where,
  }
}

/** The agentid must be given as a number and be the token's own. */
export function checkAgent(call: ApiCall<WecomApp>): void {
  const { agentid } = call.body
  if (typeof agentid !== 'number' || !Number.isInteger(agentid)) refuse(40056, 'invalid agentid')
  if (agentid !== call.subject.agentId)
    refuse(301002, 'not allow operate another agent with this accesstoken')
}

interface Recipients {
  persons: PersonRecord[]
  invalidUsers: string[]
  invalidParties: string[]
  invalidTags: string[]
  unlicensedUsers: string[]
}

const splitIds = (value: string | undefined) =>
  value === undefined ? [] : value.split('|').filter(id => id !== '')

/** Members in a department or below it, as far as the app sees them; undefined when there is no such department. */
function membersBelow(core: Core, app: WecomApp, id: string): PersonRecord[] | undefined {
  if (!core.world.corp.departments.has(Number(id))) return undefined
  const ids = new Set(departmentsBelow(core.world.corp, Number(id)).map(department => department.id))
  const found = visibleMembers(core, app).filter(person =>
    person.departmentIds.some(departmentId => ids.has(departmentId)),
  )
  return found.length > 0 ? found : undefined
}

/** Partly wrong recipients are named in the answer, all wrong ones are refused. The corp has no member tags. */
function readRecipients(core: Core, app: WecomApp, body: Body): Recipients {
  const users = splitIds(optionalText(body, 'touser'))
  const parties = splitIds(optionalText(body, 'toparty'))
  const tags = splitIds(optionalText(body, 'totag'))
  if (users.length + parties.length + tags.length === 0)
    refuse(82001, 'touser, toparty and totag are all empty')
  if (users.length > 1000) refuse(40058, 'invalid parameter: touser holds more than 1000')
  if (parties.length > 100 || tags.length > 100)
    refuse(40058, 'invalid parameter: more than 100 parties or tags')
  const found = new Set<PersonRecord>()
  const invalidUsers: string[] = []
  const invalidParties: string[] = []
  for (const id of users) {
    const person = core.world.byUserId(id)
    if (id === '@all') for (const member of visibleMembers(core, app)) found.add(member)
    else if (person && isVisible(core, app, person)) found.add(person)
    // whatever was sent, the platform answers in lower case
    else invalidUsers.push(id.toLowerCase())
  }
  for (const id of parties) {
    const members = membersBelow(core, app, id)
    for (const member of members ?? []) found.add(member)
    if (!members) invalidParties.push(id)
  }
  if (found.size === 0) refuse(81013, 'user & party & tag all invalid')
  const persons = [...found].filter(person => person.isLicensed !== false)
  const unlicensedUsers = [...found].flatMap(person =>
    person.isLicensed === false && person.wecomUserId ? [person.wecomUserId.toLowerCase()] : [],
  )
  return { persons, invalidUsers, invalidParties, invalidTags: tags, unlicensedUsers }
}

const joined = (name: string, ids: string[]) => (ids.length > 0 ? { [name]: ids.join('|') } : {})

/** @see developer.work.weixin.qq.com/document/path/90236 */
function send(call: ApiCall<WecomApp>) {
  const { core, subject: app, body } = call
  checkAgent(call)
  const recipients = readRecipients(core, app, body)
  checkSafe(body)
  for (const name of ['enable_id_trans', 'enable_duplicate_check']) integer(body, name, 0, 1, 0)
  const interval = integer(body, 'duplicate_check_interval', 1, 14_400, 1800)
  const content = readContent(core, body, appRules(app, 'message/send'))
  const answer = {
    ...joined('invaliduser', recipients.invalidUsers),
    ...joined('invalidparty', recipients.invalidParties),
    ...joined('invalidtag', recipients.invalidTags),
    ...joined('unlicenseduser', recipients.unlicensedUsers),
    msgid: core.ids.letters(64),
  }
  if (body.enable_duplicate_check === 1 && isRepeated(core, app, body, interval)) {
    core.log.add('dropped', { what: 'message', reason: 'duplicate check' })
    return answer
  }
  claimTask(core, app, content)
  const perDay = (app.accountCap ?? 200) * 200
  const allowed = core.limits.takeToday(`app|${app.corpId}|${app.agentId}`, perDay, recipients.persons.length)
  if (core.limits.has('appDailyQuota') && !allowed) refuse(45009, 'app message daily quota out of limit')
  const copies: SentMessage['copies'] = []
  for (const person of recipients.persons) {
    if (!memberTakes(core, app.agentId, person)) continue
    copies.push({ person, message: deliver(core, person, 'wecom', content, 'message/send') })
  }
  core.world.sent.set(answer.msgid, { at: core.clock.now(), agentId: app.agentId, copies })
  const special = content.card !== undefined && SPECIAL_CARDS.includes(content.card.cardType)
  return special ? { ...answer, response_code: newResponseCode(core, app.agentId, copies) } : answer
}

/** Whether the very same request came within the interval; a day's worth of them is remembered. */
function isRepeated(core: Core, app: WecomApp, body: Body, seconds: number): boolean {
  const digest = createHash('sha1').update(JSON.stringify(body)).digest('hex')
  return !core.limits.take(`duplicate|${app.corpId}|${app.agentId}|${digest}`, 1, seconds * 1000)
}

function claimTask(core: Core, app: WecomApp, content: Content): void {
  if (content.card?.taskId === undefined) return
  const task = `${app.agentId} ${content.card.taskId}`
  if (core.world.taskIds.has(task)) refuse(42014, 'template_card: task_id was used before')
  core.world.taskIds.add(task)
}

/** @see developer.work.weixin.qq.com/document/path/94867 */
function recall(call: ApiCall<WecomApp>) {
  const { core, subject: app, body } = call
  const sent = core.world.sent.get(text(body, 'msgid'))
  if (!sent || sent.agentId !== app.agentId) refuse(42052, 'invalid msgid')
  if (core.clock.now().getTime() - sent.at.getTime() > RECALL_WITHIN)
    refuse(42052, 'msgid is older than 24 hours')
  for (const { person, message } of sent.copies) {
    message.recalled = true
    core.log.add('recalled', { personId: person.id, messageId: message.id })
  }
  return {}
}

/** @see developer.work.weixin.qq.com/document/path/94888 */
function updateCard(call: ApiCall<WecomApp>) {
  const { core, subject: app, body } = call
  checkAgent(call)
  const userIds = textList(body, 'userids', 1000)
  const partyIds = integerList(body, 'partyids', 100)
  integerList(body, 'tagids', 100)
  const atAll = integer(body, 'atall', 0, 1, 0) === 1
  const button = isRecord(body.button) ? text(body.button, 'replace_name') : undefined
  const cardBody = button === undefined ? record(body, 'template_card') : undefined
  const card = cardBody && readTemplateCard(cardBody, 'all')
  const replaced = cardBody ? optionalText(cardBody, 'replace_text') : undefined
  // a card with buttons that replaces another must say what its buttons become
  if (card?.buttons.some(known => known.key !== undefined && !known.menu) && replaced === undefined)
    refuse(42037, 'template_card: replace_text missing')
  const code = useResponseCode(core, app.agentId, text(body, 'response_code'))
  if (!code) refuse(60140, 'invalid response_code')
  const wanted = new Set(userIds.map(id => id.toLowerCase()))
  for (const id of partyIds)
    for (const person of membersBelow(core, app, String(id)) ?? [])
      wanted.add(person.wecomUserId?.toLowerCase() ?? '')
  const invalid = userIds.filter(id => core.world.byUserId(id) === undefined).map(id => id.toLowerCase())
  for (const { person, message } of code.copies) {
    if (!atAll && !wanted.has(person.wecomUserId?.toLowerCase() ?? '')) continue
    if (card) message.card = structuredClone(card)
    const label = button ?? replaced
    if (message.card && label !== undefined) message.card.replacedText = label
    core.log.add('card_updated', { personId: person.id, messageId: message.id })
  }
  return { invaliduser: invalid }
}

export const wecomMessages: ApiTable<WecomApp> = {
  '/cgi-bin/message/send': post(send),
  '/cgi-bin/message/recall': post(recall),
  '/cgi-bin/message/update_template_card': post(updateCard),
}
