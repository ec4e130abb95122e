import { type Bubbles, bubblesBody } from './attachments.ts'
import { given, list, moment, readPages, record, text, texts, unixSeconds, type WecomCall } from './call.ts'
import { checkCount, refuse } from './checks.ts'

/** Whom a mass message is meant for. Each sender must confirm it in the client before anything goes out. */
export type MassAudience =
  /** Without `chatIds` the sender picks among their groups; at most 2000 in one task. */
  | { kind: 'groups'; sender: string; chatIds?: string[]; mayPick?: boolean }
  /** Customers by id, at most 10,000; without a sender each gets it from who last talked with them. */
  | { kind: 'customers'; customers: string[]; sender?: string }
  /** Customers with one tag of every list; at most 100 tags in a list. */
  | { kind: 'tagged'; tagLists: string[][]; sender?: string }
  /** Every customer: of the sender, or of all staff. */
  | { kind: 'all_customers'; sender?: string }

export interface MassTask {
  taskId: string
  /** Groups or customers that cannot get it: unknown, not the sender's, or over this month's receipts. */
  failed: string[]
}

export interface MassTaskRow {
  taskId: string
  /** null where it was made by interface. */
  creator: string | null
  createdAt: Date
  isPersonal: boolean
  text: string
}

export interface SenderState {
  sender: string
  hasSent: boolean
  sentAt: Date | null
}

export interface MassResult {
  /** A chat id or a customer's id. */
  target: string
  sender: string
  /** `capped`: had this month's messages already. What the platform adds later counts as unsent. */
  state: 'unsent' | 'sent' | 'not_friend' | 'capped'
  sentAt: Date | null
}

/** Mass messages (企业群发). Nobody is told when a sender confirms: ask. */
export interface MassMessages {
  create(audience: MassAudience, content: Bubbles): Promise<MassTask>
  /** Calls on senders who have not confirmed; three times in 24 hours. @throws ChannelError `throttled` (41094) */
  remind(taskId: string): Promise<void>
  /** Stops what is not sent yet. @throws ChannelError `rejected` (41093) when it is cancelled already */
  cancel(taskId: string): Promise<void>
  /** Tasks made between two moments; longer spans are asked for month by month. */
  list(kind: 'groups' | 'customers', from: Date, to: Date): Promise<MassTaskRow[]>
  /** @throws ChannelError `throttled` (41063) while the task is being dispatched: ask later */
  readSenders(taskId: string): Promise<SenderState[]>
  /** Of groups only those that got it are listed. */
  readResults(taskId: string, sender: string): Promise<MassResult[]>
}

const BASE = '/cgi-bin/externalcontact'
/** @see https://developer.work.weixin.qq.com/document/path/92135 */
const MAX_GROUPS = 2000
const MAX_CUSTOMERS = 10_000
const MAX_TAGS = 100
/** Every month has at least 28 days, so such a span is never longer than a month. */
const MONTH_SECONDS = 28 * 86_400
const RESULTS = ['unsent', 'sent', 'not_friend', 'capped'] as const

export function createMassMessages(call: WecomCall): MassMessages {
  return {
    async create(audience, content) {
      const body = { ...audienceBody(audience), ...bubblesBody(content) }
      const answer = await call({ path: `${BASE}/add_msg_template`, body })
      return { taskId: text(answer.msgid), failed: texts(answer.fail_list) }
    },
    /** @see https://developer.work.weixin.qq.com/document/path/97610 */
    async remind(taskId) {
      await call({ path: `${BASE}/remind_groupmsg_send`, body: { msgid: taskId } })
    },
    /** @see https://developer.work.weixin.qq.com/document/path/97611 */
    async cancel(taskId) {
      await call({ path: `${BASE}/cancel_groupmsg_send`, body: { msgid: taskId } })
    },
    /** @see https://developer.work.weixin.qq.com/document/path/93338 */
    async list(kind, from, to) {
      const rows: MassTaskRow[] = []
      for (let start = unixSeconds(from); start <= unixSeconds(to); start += MONTH_SECONDS) {
        // both ends belong to a span
        const end = Math.min(unixSeconds(to), start + MONTH_SECONDS - 1)
        const period = { chat_type: kind === 'groups' ? 'group' : 'single', start_time: start, end_time: end }
        const found = await readPages(async cursor => {
          const body = { ...period, limit: 100, cursor, filter_type: 2 }
          const answer = await call({ path: `${BASE}/get_groupmsg_list_v2`, body, isSafe: true })
          return { items: list(answer.group_msg_list), next: answer.next_cursor }
        })
        rows.push(
          ...found.map(row => ({
            taskId: text(row.msgid),
            creator: text(row.creator) || null,
            createdAt: moment(row.create_time) ?? new Date(0),
            isPersonal: Number(row.create_type) === 1,
            text: text(record(row.text).content),
          })),
        )
      }
      return rows
    },
    async readSenders(taskId) {
      const rows = await readPages(async cursor => {
        const body = { msgid: taskId, limit: 1000, cursor }
        const answer = await call({ path: `${BASE}/get_groupmsg_task`, body, isSafe: true })
        return { items: list(answer.task_list), next: answer.next_cursor }
      })
      return rows.map(row => ({
        sender: text(row.userid),
        // the page's own sample shows a 1 that it does not explain
        hasSent: Number(row.status) === 2,
        sentAt: moment(row.send_time),
      }))
    },
    async readResults(taskId, sender) {
      const rows = await readPages(async cursor => {
        const body = { msgid: taskId, userid: sender, limit: 1000, cursor }
        const answer = await call({ path: `${BASE}/get_groupmsg_send_result`, body, isSafe: true })
        return { items: list(answer.send_list), next: answer.next_cursor }
      })
      return rows.map(row => ({
        target: text(row.chat_id) || text(row.external_userid),
        sender: text(row.userid),
        state: RESULTS[Number(row.status)] ?? 'unsent',
        sentAt: moment(row.send_time),
      }))
    },
  }
}

function audienceBody(audience: MassAudience): Record<string, unknown> {
  switch (audience.kind) {
    case 'groups':
      checkCount('群', audience.chatIds ?? [], 0, MAX_GROUPS)
      return given({
        chat_type: 'group',
        sender: audience.sender,
        chat_id_list: audience.chatIds,
        allow_select: audience.mayPick,
      })
    case 'customers':
      // without ids the platform would write to every customer
      checkCount('客户', audience.customers, 1, MAX_CUSTOMERS)
      return given({ chat_type: 'single', external_userid: audience.customers, sender: audience.sender })
    case 'tagged':
      checkCount('标签组', audience.tagLists, 1, MAX_TAGS)
      for (const tags of audience.tagLists) {
        if (tags.length === 0) refuse('标签组是空的')
        checkCount('标签', tags, 1, MAX_TAGS)
      }
      return given({
        chat_type: 'single',
        tag_filter: { group_list: audience.tagLists.map(tags => ({ tag_list: tags })) },
        sender: audience.sender,
      })
    default:
      return given({ chat_type: 'single', sender: audience.sender })
  }
}
