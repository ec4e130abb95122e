import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { nextVersion } from '../group-events.ts'
import { postInGroup } from '../groups.ts'
import { DAY, HOUR, MINUTE } from '../limits.ts'
import type { SimGroup } from '../types.ts'
import { visibleMember } from '../visible.ts'
import type { PersonRecord } from '../world.ts'
import { checkSafe, readContent } from './contents.ts'
import { optionalText, record, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'
import { appRules } from './wecom-messages.ts'

const TYPES = ['text', 'markdown', 'textcard', 'news', 'mpnews', 'image', 'voice', 'video', 'file']
/** @see developer.work.weixin.qq.com/document/path/90245 and 90248 */
const CREATES_PER_DAY = 1000
const UPDATES_PER_HOUR = 1000
const PERSON_TIMES_PER_MINUTE = 20_000
const PERSON_TIMES_PER_HOUR = 150_000
const NO_PRIVILEGE = 60011
const MEMBER_PER_MINUTE = 200
const MEMBER_PER_DAY = 10_000

/** Which app made a chat; others may not touch it. */
const makers = new WeakMap<SimGroup, WecomApp>()

/** Only an app whose visible range holds the root department may have chats. */
function checkRange({ subject }: ApiCall<WecomApp>): void {
  if (subject.visible !== undefined) refuse(NO_PRIVILEGE, 'the visible range lacks the root department')
}

const memberOf = (call: ApiCall<WecomApp>, userId: string) =>
  visibleMember(call.core, call.subject, userId, 40031)

function chatOf(call: ApiCall<WecomApp>, chatId: string): SimGroup {
  const group = call.core.world.groups.get(chatId)
  if (!group) refuse(86003, 'invalid chatid')
  if (group.kind !== 'appchat' || makers.get(group) !== call.subject)
    refuse(86008, 'not the creator of the chat')
  return group
}

function quota(call: ApiCall<WecomApp>, name: string, limit: number, ms: number): void {
  const { core, subject } = call
  if (!core.limits.has('appchatFrequency')) return
  if (!core.limits.take(`appchat|${name}|${subject.corpId}`, limit, ms))
    refuse(45009, 'api freq out of limit')
}

function addMember(core: Core, group: SimGroup, person: PersonRecord): void {
  if (group.members.has(person.id)) return
  const memberId = core.world.memberIdOf(person, 'appchat')
  core.world.putMember(group, { personId: person.id, memberId, joinedAt: core.clock.now(), joinScene: 1 })
}

function create(call: ApiCall<WecomApp>) {
  const { core, body, subject } = call
  checkRange(call)
  const userIds = textList(body, 'userlist', 2000)
  const members = [...new Set(userIds.map(id => memberOf(call, id)))]
  if (members.length < 2) refuse(86006, 'a chat needs at least 2 members')
  const owner = optionalText(body, 'owner')
  const ownerPerson =
    owner === undefined ? members[Math.floor(core.ids.random() * members.length)] : memberOf(call, owner)
  if (!ownerPerson || !members.includes(ownerPerson))
    refuse(40058, 'invalid parameter: owner is not in userlist')
  const name = optionalText(body, 'name', { max: 50 }) ?? '群聊'
  const id = optionalText(body, 'chatid', { max: 32, pattern: /^[0-9A-Za-z]+$/ }) ?? core.ids.letters(32)
  if (core.world.groups.has(id)) refuse(86002, 'chatid exists')
  quota(call, 'create', CREATES_PER_DAY, DAY)
  const version = nextVersion(id, 'create')
  const group = core.world.addGroup({
    kind: 'appchat',
    id,
    name,
    ownerId: ownerPerson.id,
    now: core.clock.now(),
    version,
  })
  makers.set(group, subject)
  for (const person of members) addMember(core, group, person)
  core.log.add('group_created', { groupId: id, groupKind: 'appchat', name, ownerId: ownerPerson.id })
  return { chatid: id }
}

function update(call: ApiCall<WecomApp>) {
  const { core, body } = call
  const group = chatOf(call, text(body, 'chatid'))
  const name = optionalText(body, 'name', { max: 50 })
  const ownerId = optionalText(body, 'owner')
  const added = textList(body, 'add_user_list', 2000).map(id => memberOf(call, id))
  const removed = textList(body, 'del_user_list', 2000).map(id => memberOf(call, id))
  const owner = ownerId === undefined ? undefined : memberOf(call, ownerId)
  const after = new Set([...group.members.keys(), ...added.map(person => person.id)])
  for (const person of removed) after.delete(person.id)
  if (after.size < 2 || after.size > 2000) refuse(86006, 'a chat holds 2 to 2000 members')
  if (!after.has(owner?.id ?? group.ownerId))
    refuse(40058, 'invalid parameter: the owner must stay in the chat')
  quota(call, 'update', UPDATES_PER_HOUR, HOUR)
  if (name !== undefined) group.name = name
  if (owner) group.ownerId = owner.id
  for (const person of added) addMember(core, group, person)
  for (const person of removed) core.world.dropMember(group, person.id)
  return {}
}

function read(call: ApiCall<WecomApp>) {
  const { core, query } = call
  const group = chatOf(call, query.chatid ?? '')
  return {
    chat_info: {
      chatid: group.id,
      name: group.name,
      owner: core.world.person(group.ownerId).wecomUserId,
      userlist: [...group.members.values()].map(member => member.memberId),
      chat_type: 0,
    },
  }
}

/** @see developer.work.weixin.qq.com/document/path/90248 */
function send(call: ApiCall<WecomApp>) {
  const { core, body, subject } = call
  const group = chatOf(call, text(body, 'chatid'))
  checkSafe(body)
  const content = readContent(core, body, { ...appRules(subject, 'appchat/send'), types: TYPES })
  if (core.limits.has('appchatFrequency')) {
    const key = `appchat|send|${subject.corpId}`
    const perHour = core.options.appchatPerHour ?? PERSON_TIMES_PER_HOUR
    const allowed =
      core.limits.take(`${key}|m`, PERSON_TIMES_PER_MINUTE, MINUTE, group.members.size) &&
      core.limits.take(`${key}|h`, perHour, HOUR, group.members.size)
    if (!allowed) refuse(45009, 'api freq out of limit')
  }
  const missedBy = core.limits.has('appchatFrequency') ? whoMisses(core, group) : []
  const mentions = body.msgtype === 'text' ? textList(record(body, 'text'), 'mentioned_list', 2000) : []
  const post = postInGroup(core, group, `app ${subject.agentId}`, 'appchat', content)
  if (missedBy.length > 0) post.missedBy = missedBy
  if (mentions.length > 0) post.mentions = mentions
  return {}
}

/** Members who have had too many this minute or day: for them the message vanishes, and nobody is told. */
function whoMisses(core: Core, group: SimGroup): string[] {
  return [...group.members.keys()].filter(personId => {
    const takes =
      core.limits.take(`appchat|${personId}|m`, MEMBER_PER_MINUTE, MINUTE) &&
      core.limits.take(`appchat|${personId}|d`, MEMBER_PER_DAY, DAY)
    if (!takes)
      core.log.add('dropped', { what: 'appchat', personId, groupId: group.id, reason: 'member frequency' })
    return !takes
  })
}

export const wecomAppchats: ApiTable<WecomApp> = {
  '/cgi-bin/appchat/create': post(create),
  '/cgi-bin/appchat/update': post(update),
  '/cgi-bin/appchat/get': get(read),
  '/cgi-bin/appchat/send': post(send),
}
