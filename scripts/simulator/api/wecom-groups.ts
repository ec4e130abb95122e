import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { visibleDetail } from '../group-events.ts'
import { chinaDay, DAY } from '../limits.ts'
import type { GroupMember, SimGroup } from '../types.ts'
import { type Body, integer, isRecord, optionalText, page, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const MOST_OWNERS = 1000

const customerGroups = (core: Core) =>
  [...core.world.groups.values()].filter(group => group.kind === 'customer' && !group.dismissed)

/** A customer group's id, or the refusal for anything else. */
export function customerGroup(core: Core, chatId: string): SimGroup {
  const group = core.world.groups.get(chatId)
  if (group?.kind !== 'customer' || group.dismissed) refuse(40050, 'invalid chat_id')
  return group
}

function ownersOf(body: Body): string[] {
  const filter = body.owner_filter
  if (filter === undefined) return []
  if (!isRecord(filter)) refuse(40058, 'invalid parameter: owner_filter')
  return textList(filter, 'userid_list', 100)
}

const ownerUserId = (core: Core, group: SimGroup) => core.world.person(group.ownerId).wecomUserId ?? ''

/** @see developer.work.weixin.qq.com/document/path/92120 */
function list({ core, body }: ApiCall<WecomApp>) {
  const status = integer(body, 'status_filter', 0, 3, 0)
  const owners = new Set(ownersOf(body).map(id => id.toLowerCase()))
  const limit = integer(body, 'limit', 1, 1000)
  let groups = customerGroups(core)
  if (owners.size > 0) groups = groups.filter(group => owners.has(ownerUserId(core, group).toLowerCase()))
  else if (new Set(groups.map(group => group.ownerId)).size > MOST_OWNERS)
    refuse(81017, 'too many owners without owner_filter')
  // nobody leaves the simulator's corp, so no group is waiting for or in inheritance
  if (status !== 0) groups = []
  const found = page(groups, optionalText(body, 'cursor'), limit)
  return {
    group_chat_list: found.items.map(group => ({ chat_id: group.id, status: 0 })),
    ...(found.next ? { next_cursor: found.next } : {}),
  }
}

function describeMember(core: Core, member: GroupMember, withName: boolean) {
  const person = core.world.person(member.personId)
  const staff = person.wecomUserId !== undefined
  const inviter = member.invitorId === undefined ? undefined : core.world.person(member.invitorId).wecomUserId
  return {
    userid: member.memberId,
    type: staff ? 1 : 2,
    ...(!staff && person.unionId !== undefined ? { unionid: person.unionId } : {}),
    join_time: unixSeconds(member.joinedAt),
    join_scene: member.joinScene,
    ...(member.state === undefined ? {} : { state: member.state }),
    ...(inviter === undefined ? {} : { invitor: { userid: inviter } }),
    group_nickname: '',
    ...(withName ? { name: person.name } : {}),
  }
}

/** @see developer.work.weixin.qq.com/document/path/92122 */
function read({ core, body }: ApiCall<WecomApp>) {
  const group = customerGroup(core, text(body, 'chat_id'))
  const withName = integer(body, 'need_name', 0, 1, 0) === 1
  const view = visibleDetail(core, group)
  const admins = group.adminIds.flatMap(id => core.world.person(id).wecomUserId ?? [])
  return {
    group_chat: {
      chat_id: group.id,
      name: view.name,
      owner: core.world.person(view.ownerId).wecomUserId,
      create_time: unixSeconds(group.createdAt),
      ...(view.notice ? { notice: view.notice } : {}),
      member_list: view.members.map(member => describeMember(core, member, withName)),
      admin_list: admins.map(userid => ({ userid })),
      member_version: view.memberVersion,
    },
  }
}

function statisticOf(groups: SimGroup[], from: number, to: number) {
  const within = (moment: Date) => moment.getTime() >= from && moment.getTime() < to
  let newMembers = 0
  let members = 0
  let talkers = 0
  let messages = 0
  let talking = 0
  for (const group of groups) {
    const present = [...group.members.values()].filter(member => member.joinedAt.getTime() < to)
    members += present.length
    newMembers += present.filter(member => within(member.joinedAt)).length
    const said = group.posts.filter(post => within(post.at))
    messages += said.length
    if (said.length > 0) talking += 1
    talkers += new Set(said.map(post => post.by)).size
  }
  return {
    new_chat_cnt: groups.filter(group => within(group.createdAt)).length,
    chat_total: groups.filter(group => group.createdAt.getTime() < to).length,
    chat_has_msg: talking,
    new_member_cnt: newMembers,
    member_total: members,
    member_has_msg: talkers,
    msg_total: messages,
    migrate_trainee_chat_cnt: 0,
  }
}

/** First and last day of a statistic, as moments in milliseconds: at most 30 days, of the last 180, up to yesterday. */
function readSpan(core: Core, body: Body, endNeeded: boolean): { from: number; to: number } {
  const most = 4_102_444_800
  const begin = integer(body, 'day_begin_time', 0, most) * 1000
  const end = integer(body, 'day_end_time', 0, most, endNeeded ? undefined : begin / 1000) * 1000
  const startOfDay = (ms: number) => Date.parse(`${chinaDay(new Date(ms))}T00:00:00+08:00`)
  const today = startOfDay(core.clock.now().getTime())
  const from = startOfDay(begin)
  const to = startOfDay(end) + DAY
  if (to <= from || to - from > 30 * DAY || from < today - 180 * DAY || to > today)
    refuse(40058, 'invalid parameter: day_begin_time or day_end_time')
  return { from, to }
}

const ORDER = ['new_chat_cnt', 'chat_total', 'new_member_cnt', 'member_total'] as const

/** Per owner, not per group. @see developer.work.weixin.qq.com/document/path/92133 */
function statistic({ core, body }: ApiCall<WecomApp>) {
  const { from, to } = readSpan(core, body, false)
  const wanted = ownersOf(body)
  const order = ORDER[integer(body, 'order_by', 1, 4, 1) - 1] ?? 'new_chat_cnt'
  const ascending = integer(body, 'order_asc', 0, 1, 0) === 1
  const offset = integer(body, 'offset', 0, 1_000_000, 0)
  const limit = integer(body, 'limit', 1, 1000, 500)
  const byOwner = new Map<string, SimGroup[]>()
  for (const userId of wanted) byOwner.set(userId, [])
  for (const group of customerGroups(core)) {
    const owner = ownerUserId(core, group)
    if (wanted.length > 0 && !byOwner.has(owner)) continue
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), group])
  }
  const items = [...byOwner].map(([owner, groups]) => ({ owner, data: statisticOf(groups, from, to) }))
  items.sort((a, b) => (a.data[order] - b.data[order]) * (ascending ? 1 : -1))
  const end = Math.min(items.length, offset + limit)
  return { total: items.length, next_offset: end, items: items.slice(offset, end) }
}

function statisticByDay({ core, body }: ApiCall<WecomApp>) {
  const { from, to } = readSpan(core, body, true)
  const wanted = new Set(ownersOf(body))
  const groups = customerGroups(core).filter(
    group => wanted.size === 0 || wanted.has(ownerUserId(core, group)),
  )
  const items = []
  for (let day = from; day < to; day += DAY)
    items.push({ stat_time: day / 1000, data: statisticOf(groups, day, day + DAY) })
  return { items }
}

const GROUP_CHAT = '/cgi-bin/externalcontact/groupchat'

export const wecomGroups: ApiTable<WecomApp> = {
  [`${GROUP_CHAT}/list`]: post(list),
  [`${GROUP_CHAT}/get`]: post(read),
  [`${GROUP_CHAT}/statistic`]: post(statistic),
  [`${GROUP_CHAT}/statistic_group_by_day`]: post(statisticByDay),
}
