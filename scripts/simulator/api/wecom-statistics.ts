import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { chinaDay, DAY } from '../limits.ts'
import type { SimGroup } from '../types.ts'
import { ownerUserId, visibleGroups } from '../visible.ts'
import { type Body, integer } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'
import { checkOwners, ownersOf } from './wecom-groups.ts'

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
function statistic({ core, subject, body }: ApiCall<WecomApp>) {
  const { from, to } = readSpan(core, body, false)
  const wanted = ownersOf(body)
  checkOwners(core, subject, wanted)
  const order = ORDER[integer(body, 'order_by', 1, 4, 1) - 1] ?? 'new_chat_cnt'
  const ascending = integer(body, 'order_asc', 0, 1, 0) === 1
  const offset = integer(body, 'offset', 0, 1_000_000, 0)
  const limit = integer(body, 'limit', 1, 1000, 500)
  const byOwner = new Map<string, SimGroup[]>()
  for (const userId of wanted) byOwner.set(userId, [])
  for (const group of visibleGroups(core, subject)) {
    const owner = ownerUserId(core, group)
    if (wanted.length > 0 && !byOwner.has(owner)) continue
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), group])
  }
  const items = [...byOwner].map(([owner, groups]) => ({ owner, data: statisticOf(groups, from, to) }))
  items.sort((a, b) => (a.data[order] - b.data[order]) * (ascending ? 1 : -1))
  const end = Math.min(items.length, offset + limit)
  return { total: items.length, next_offset: end, items: items.slice(offset, end) }
}

function statisticByDay({ core, subject, body }: ApiCall<WecomApp>) {
  const { from, to } = readSpan(core, body, true)
  const owners = ownersOf(body)
  checkOwners(core, subject, owners)
  const wanted = new Set(owners)
  const groups = visibleGroups(core, subject).filter(
    group => wanted.size === 0 || wanted.has(ownerUserId(core, group)),
  )
  const items = []
  for (let day = from; day < to; day += DAY)
    items.push({ stat_time: day / 1000, data: statisticOf(groups, day, day + DAY) })
  return { items }
}

const GROUP_CHAT = '/cgi-bin/externalcontact/groupchat'

export const wecomStatistics: ApiTable<WecomApp> = {
  [`${GROUP_CHAT}/statistic`]: post(statistic),
  [`${GROUP_CHAT}/statistic_group_by_day`]: post(statisticByDay),
}
