import { createHash } from 'node:crypto'
import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { visibleDetail } from '../group-events.ts'
import type { GroupMember, SimGroup } from '../types.ts'
import { ownerUserId, seesGroup, visibleGroups } from '../visible.ts'
import { type Body, integer, isRecord, optionalText, page, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const MOST_OWNERS = 1000
const OWNER_LEFT = 1

/** A customer group that the app sees, or the refusal for anything else. */
export function customerGroup(core: Core, app: WecomApp, chatId: string): SimGroup {
  const group = core.world.groups.get(chatId)
  if (group?.kind !== 'customer' || group.dismissed) refuse(40050, 'invalid chat_id')
  if (!seesGroup(core, app, group)) refuse(60011, 'no privilege: the owner is outside the visible range')
  return group
}

export function ownersOf(body: Body): string[] {
  const filter = body.owner_filter
  if (filter === undefined) return []
  if (!isRecord(filter)) refuse(40058, 'invalid parameter: owner_filter')
  return textList(filter, 'userid_list', 100)
}

/** Without a filter a corp with more than a thousand owners is not answered. */
export function checkOwners(core: Core, app: WecomApp, owners: string[]): void {
  if (owners.length > 0) return
  if (new Set(visibleGroups(core, app).map(group => group.ownerId)).size > MOST_OWNERS)
    refuse(81017, 'too many owners without owner_filter')
}

/** 1 while nobody has taken over from an owner who left. */
function statusOf(core: Core, group: SimGroup): number {
  return core.world.person(group.ownerId).wecomUserId === undefined ? OWNER_LEFT : 0
}

/** @see developer.work.weixin.qq.com/document/path/92120 */
function list({ core, subject, body }: ApiCall<WecomApp>) {
  const status = integer(body, 'status_filter', 0, 3, 0)
  const named = ownersOf(body)
  const owners = new Set(named.map(id => id.toLowerCase()))
  const limit = integer(body, 'limit', 1, 1000)
  checkOwners(core, subject, named)
  let groups = visibleGroups(core, subject)
  if (owners.size > 0) groups = groups.filter(group => owners.has(ownerUserId(core, group).toLowerCase()))
  // inheritance is immediate here, so no group is ever within it
  if (status !== 0) groups = groups.filter(group => statusOf(core, group) === status)
  const found = page(groups, optionalText(body, 'cursor'), limit)
  return {
    group_chat_list: found.items.map(group => ({ chat_id: group.id, status: statusOf(core, group) })),
    ...(found.next ? { next_cursor: found.next } : {}),
  }
}

function describeMember(core: Core, app: WecomApp, member: GroupMember, withName: boolean) {
  const person = core.world.person(member.personId)
  const staff = (person.wecomUserId ?? person.formerUserId) !== undefined
  const isOurs = core.apps.includes(app)
  const inviter = member.invitorId === undefined ? undefined : core.world.person(member.invitorId).wecomUserId
  return {
    userid: member.memberId,
    type: staff ? 1 : 2,
    // an upstream corp is not given the unionids of a downstream one
    ...(!staff && isOurs && person.unionId !== undefined ? { unionid: person.unionId } : {}),
    join_time: unixSeconds(member.joinedAt),
    join_scene: member.joinScene,
    ...(member.state === undefined ? {} : { state: member.state }),
    ...(inviter === undefined ? {} : { invitor: { userid: inviter } }),
    group_nickname: '',
    ...(withName ? { name: person.name } : {}),
  }
}

/** @see developer.work.weixin.qq.com/document/path/92122 */
function read({ core, subject, body }: ApiCall<WecomApp>) {
  const group = customerGroup(core, subject, text(body, 'chat_id'))
  const withName = integer(body, 'need_name', 0, 1, 0) === 1
  const view = visibleDetail(core, group)
  const admins = group.adminIds.flatMap(id => core.world.person(id).wecomUserId ?? [])
  const owner = core.world.person(view.ownerId)
  return {
    group_chat: {
      chat_id: group.id,
      name: view.name,
      owner: owner.wecomUserId ?? owner.formerUserId,
      create_time: unixSeconds(group.createdAt),
      ...(view.notice ? { notice: view.notice } : {}),
      member_list: view.members.map(member => describeMember(core, subject, member, withName)),
      admin_list: admins.map(userid => ({ userid })),
      member_version: view.memberVersion,
    },
  }
}

/** What a mini-program gets of a group that it was shared into. */
export function openGidOf(group: SimGroup): string {
  return `GID${createHash('md5').update(group.id).digest('hex')}`
}

/** Of the corp's own groups only. @see developer.work.weixin.qq.com/document/path/94822 */
function chatIdOf({ core, subject, body }: ApiCall<WecomApp>) {
  const wanted = text(body, 'opengid')
  const group = visibleGroups(core, subject).find(candidate => openGidOf(candidate) === wanted)
  if (!group) refuse(40058, 'invalid parameter: opengid is not of a group of this corp')
  return { chat_id: group.id }
}

const GROUP_CHAT = '/cgi-bin/externalcontact/groupchat'

export const wecomGroups: ApiTable<WecomApp> = {
  [`${GROUP_CHAT}/list`]: post(list),
  [`${GROUP_CHAT}/get`]: post(read),
  '/cgi-bin/externalcontact/opengid_to_chatid': post(chatIdOf),
}
