import type { GroupMember, GroupReading } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import {
  chunksOf,
  count,
  inParts,
  list,
  moment,
  readPages,
  record,
  text,
  unixSeconds,
  type WecomCall,
} from './call.ts'
import { refuse } from './checks.ts'

/** Whether somebody still looks after a group; `unknown` for a number that the platform has added since. */
export type GroupState = 'normal' | 'owner_left' | 'inheriting' | 'inherited' | 'unknown'

export interface GroupDetail extends GroupReading {
  chatId: string
  notice: string
  createdAt: Date
  admins: string[]
  members: DetailedMember[]
}

export interface DetailedMember extends GroupMember {
  /** How they came: `invited` by a member, by a `link`, or by a `code`. */
  joinedBy: 'invited' | 'link' | 'code' | null
  /** The staff member who invited; null when a customer did. */
  inviter: string | null
}

/** A group that could not be handed over. */
export interface TransferFailure {
  chatId: string
  /** The platform's code: 90500 the owner has not left, 90501 not a customer group, 90503 full or not allowed … */
  code: number
  message: string
}

/** What happened in the groups of one owner, or on one day. The counts are of groups, members and messages. */
export interface GroupCounts {
  newGroups: number
  groups: number
  groupsWithMessages: number
  newMembers: number
  members: number
  membersWithMessages: number
  messages: number
}

export interface OwnerCounts extends GroupCounts {
  owner: string
  /** Both days included; a long span comes in pieces, since some counts do not add up over days. */
  from: Date
  to: Date
}

export interface DayCounts extends GroupCounts {
  day: Date
}

/** A span of whole days (Asia/Shanghai), both included, that lies within the last 180 days and before today. */
export interface Span {
  from: Date
  to: Date
}

/** Customer groups (客户群): read, count and hand over. Nobody can be let in, removed or written to by interface. */
export interface CustomerGroupReader {
  /** All groups whose owner is in the app's visible range. `owners` narrows it, however many they are. */
  list(filter?: {
    owners?: string[]
    state?: Exclude<GroupState, 'unknown' | 'normal'>
  }): Promise<{ chatId: string; state: GroupState }[]>
  /** Lags about two seconds behind the events. */
  read(chatId: string): Promise<GroupDetail>
  /** @param openGid what a mini-program got when it was shared into a group; of our own corp's groups only */
  chatIdOf(openGid: string): Promise<string>
  /** Per owner, not per group. */
  countByOwner(span: Span, owners?: string[]): Promise<OwnerCounts[]>
  countByDay(span: Span, owners?: string[]): Promise<DayCounts[]>
  /** Gives groups whose owner has left to another; at most 300 a day for each new owner. @returns what failed */
  inherit(chatIds: string[], newOwner: string): Promise<TransferFailure[]>
  /** The same while the owner still works there; a group at most twice in 90 days. */
  transfer(chatIds: string[], newOwner: string): Promise<TransferFailure[]>
}

const BASE = '/cgi-bin/externalcontact/groupchat'
const MAX_OWNERS = 100
const MAX_TRANSFER = 100
const PAGE = 1000
const TOO_MANY_OWNERS = 81017
const DAY_MS = 86_400_000
const MAX_SPAN_DAYS = 30
const MAX_AGE_DAYS = 180
const STATES: GroupState[] = ['normal', 'owner_left', 'inheriting', 'inherited']

export function createCustomerGroups(
  call: WecomCall,
  now: () => Date,
  /** All members who may have customers: needed where the corp is too large to be asked at once. */
  listFollowUsers: () => Promise<string[]>,
): CustomerGroupReader {
  /** One call without a filter, or one for each hundred owners where they are named or the corp is too large. */
  async function byOwners<T>(
    owners: string[] | undefined,
    ask: (filter: object) => Promise<T>,
  ): Promise<T[]> {
    if (owners?.length === 0) return []
    if (!owners) {
      try {
        return [await ask({})]
      } catch (error) {
        if (!(error instanceof ChannelError && error.platformCode === TOO_MANY_OWNERS)) throw error
      }
    }
    const answers: T[] = []
    for (const part of chunksOf(owners ?? (await listFollowUsers()), MAX_OWNERS))
      answers.push(await ask({ owner_filter: { userid_list: part } }))
    return answers
  }

  async function handOver(path: string, chatIds: string[], newOwner: string): Promise<TransferFailure[]> {
    const outcomes = await inParts([...new Set(chatIds)], MAX_TRANSFER, part =>
      call({ path, body: { chat_id_list: part, new_owner: newOwner } }),
    )
    return outcomes.flatMap(({ items, answer, error }) =>
      answer
        ? list(answer.failed_chat_list).map(row => ({
            chatId: text(row.chat_id),
            code: count(row.errcode),
            message: text(row.errmsg),
          }))
        : items.map(chatId => ({ chatId, code: error.platformCode ?? 0, message: error.message })),
    )
  }

  return {
    /** @see https://developer.work.weixin.qq.com/document/path/92120 */
    async list({ owners, state } = {}) {
      const found = await byOwners(owners, filter =>
        readPages(async cursor => {
          const answer = await call({
            path: `${BASE}/list`,
            body: { status_filter: state ? STATES.indexOf(state) : 0, cursor, limit: PAGE, ...filter },
            isSafe: true,
          })
          return { items: list(answer.group_chat_list), next: answer.next_cursor }
        }),
      )
      return found.flat().map(row => ({
        chatId: text(row.chat_id),
        state: STATES[count(row.status)] ?? 'unknown',
      }))
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92122 */
    async read(chatId) {
      const answer = await call({
        path: `${BASE}/get`,
        body: { chat_id: chatId, need_name: 1 },
        isSafe: true,
      })
      return readDetail(record(answer.group_chat), chatId)
    },

    /** @see https://developer.work.weixin.qq.com/document/path/94822 */
    async chatIdOf(openGid) {
      const answer = await call({
        path: '/cgi-bin/externalcontact/opengid_to_chatid',
        body: { opengid: openGid },
        isSafe: true,
      })
      return text(answer.chat_id)
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92133 */
    async countByOwner(span, owners) {
      const rows: OwnerCounts[] = []
      for (const { from, to } of spansOf(span, now())) {
        const answers = await byOwners(owners, filter =>
          readPages(async cursor => {
            const offset = Number(cursor || 0)
            const answer = await call({
              path: `${BASE}/statistic`,
              body: { ...spanBody(from, to), offset, limit: PAGE, order_by: 2, ...filter },
              isSafe: true,
            })
            const next = count(answer.next_offset)
            return { items: list(answer.items), next: next < count(answer.total) ? String(next) : '' }
          }),
        )
        rows.push(
          ...answers.flat().map(row => ({ owner: text(row.owner), from, to, ...readCounts(row.data) })),
        )
      }
      return rows
    },

    async countByDay(span, owners) {
      const days = new Map<number, GroupCounts>()
      for (const { from, to } of spansOf(span, now())) {
        const answers = await byOwners(owners, async filter => {
          const body = { ...spanBody(from, to), ...filter }
          return list((await call({ path: `${BASE}/statistic_group_by_day`, body, isSafe: true })).items)
        })
        // owners asked for in several calls: each group has one owner, so the days add up
        for (const row of answers.flat()) {
          const day = count(row.stat_time) * 1000
          days.set(day, addCounts(days.get(day), readCounts(row.data)))
        }
      }
      return [...days].sort(([a], [b]) => a - b).map(([day, counts]) => ({ day: new Date(day), ...counts }))
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92127 */
    inherit: (chatIds, newOwner) => handOver(`${BASE}/transfer`, chatIds, newOwner),
    /** @see https://developer.work.weixin.qq.com/document/path/95703 */
    transfer: (chatIds, newOwner) => handOver(`${BASE}/onjob_transfer`, chatIds, newOwner),
  }
}

const WAYS = { 1: 'invited', 2: 'link', 3: 'code' } as const

function readDetail(group: Record<string, unknown>, chatId: string): GroupDetail {
  return {
    chatId: text(group.chat_id) || chatId,
    name: text(group.name),
    owner: text(group.owner),
    notice: text(group.notice),
    createdAt: moment(group.create_time) ?? new Date(0),
    admins: list(group.admin_list).map(admin => text(admin.userid)),
    version: text(group.member_version),
    members: list(group.member_list).map(member => ({
      address: text(member.userid),
      isStaff: count(member.type) === 1,
      unionId: text(member.unionid) || null,
      state: text(member.state) || null,
      nickname: text(member.group_nickname) || text(member.name),
      joinedAt: moment(member.join_time) ?? new Date(0),
      joinedBy: WAYS[count(member.join_scene) as keyof typeof WAYS] ?? null,
      inviter: text(record(member.invitor).userid) || null,
    })),
  }
}

/** Spans of at most 30 days. @throws ChannelError `rejected` for a span that the platform does not answer */
function spansOf({ from, to }: Span, now: Date): Span[] {
  const today = startOfDay(now).getTime()
  const [first, last] = [startOfDay(from).getTime(), startOfDay(to).getTime()]
  if (last < first) refuse('统计的结束日期早于开始日期')
  if (last >= today) refuse('统计只到昨天')
  if (first < today - MAX_AGE_DAYS * DAY_MS) refuse(`统计只能查最近 ${MAX_AGE_DAYS} 天`)
  const spans: Span[] = []
  for (let at = first; at <= last; at += MAX_SPAN_DAYS * DAY_MS)
    spans.push({
      from: new Date(at),
      to: new Date(Math.min(last, at + (MAX_SPAN_DAYS - 1) * DAY_MS)),
    })
  return spans
}

const SHANGHAI_OFFSET_MS = 8 * 3_600_000

function startOfDay(at: Date): Date {
  const local = at.getTime() + SHANGHAI_OFFSET_MS
  return new Date(local - (local % DAY_MS) - SHANGHAI_OFFSET_MS)
}

function spanBody(from: Date, to: Date) {
  return { day_begin_time: unixSeconds(from), day_end_time: unixSeconds(to) }
}

function readCounts(value: unknown): GroupCounts {
  const data = record(value)
  return {
    newGroups: count(data.new_chat_cnt),
    groups: count(data.chat_total),
    groupsWithMessages: count(data.chat_has_msg),
    newMembers: count(data.new_member_cnt),
    members: count(data.member_total),
    membersWithMessages: count(data.member_has_msg),
    messages: count(data.msg_total),
  }
}

function addCounts(sum: GroupCounts | undefined, more: GroupCounts): GroupCounts {
  if (!sum) return more
  const total = { ...sum }
  for (const key of Object.keys(more) as (keyof GroupCounts)[]) total[key] += more[key]
  return total
}
