import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { DAY } from '../limits.ts'
import { hasRoom, type MassMessage, type SenderTask } from '../mass.ts'
import { isVisible, ownerUserId, visibleMember } from '../visible.ts'
import { readBubbles } from './bubbles.ts'
import {
  type Body,
  flag,
  integer,
  isRecord,
  optionalText,
  page,
  record,
  records,
  text,
  textList,
} from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const REMINDS_PER_DAY = 3
const SECONDS_OF_DAY = 86_400

function groupTasks(core: Core, body: Body, sender: string): { task: SenderTask; failed: string[] } {
  const chatIds = [...new Set(textList(body, 'chat_id_list', 2000))]
  const failed: string[] = []
  const targetIds: string[] = []
  for (const id of chatIds) {
    const group = core.world.groups.get(id)
    const owner = group?.kind === 'customer' && !group.dismissed ? ownerUserId(core, group) : undefined
    if (owner?.toLowerCase() === sender.toLowerCase() && hasRoom(core, id)) targetIds.push(id)
    else failed.push(id)
  }
  if (chatIds.length > 0 && targetIds.length === 0) refuse(41048, 'no reachable customer group')
  return { task: { userId: sender, targetIds, picks: chatIds.length === 0, sends: [] }, failed }
}

/** Tags: any one of each list, of every list. @returns undefined when the request names none */
function readTagFilter(body: Body): string[][] | undefined {
  if (body.tag_filter === undefined) return undefined
  const lists = records(record(body, 'tag_filter'), 'group_list', 100)
  return lists.map(list => textList(list, 'tag_list', 100))
}

function customerTasks(
  { core, subject, body }: ApiCall<WecomApp>,
  sender: string | undefined,
): { tasks: SenderTask[]; failed: string[] } {
  const ids = [...new Set(textList(body, 'external_userid', 10_000))]
  const tagLists = readTagFilter(body)
  const wanted = ids.length > 0 ? ids : [...core.world.relations.keys()]
  const failed: string[] = []
  const tasks = new Map<string, SenderTask>()
  for (const id of wanted) {
    // of several staff who know a customer the last one sends
    const relation = core.world.relations.get(id)?.findLast(known => {
      const staff = core.world.byUserId(known.userId)
      return (
        staff !== undefined &&
        isVisible(core, subject, staff) &&
        (sender === undefined || known.userId === sender) &&
        (tagLists ?? []).every(tags => tags.some(tag => known.tagIds.includes(tag)))
      )
    })
    if (!relation || !hasRoom(core, id)) {
      if (ids.length > 0) failed.push(id)
      continue
    }
    const task = tasks.get(relation.userId) ?? {
      userId: relation.userId,
      targetIds: [],
      picks: false,
      sends: [],
    }
    task.targetIds.push(id)
    tasks.set(relation.userId, task)
  }
  if (tasks.size === 0) refuse(41048, 'no reachable customer')
  return { tasks: [...tasks.values()], failed }
}

/** Makes a task that each sender must confirm. @see developer.work.weixin.qq.com/document/path/92135 */
function add(call: ApiCall<WecomApp>) {
  const { core, subject, body } = call
  const chatType = body.chat_type ?? 'single'
  if (chatType !== 'single' && chatType !== 'group') refuse(40058, 'invalid parameter: chat_type')
  const senderId = optionalText(body, 'sender')
  if (chatType === 'group' && senderId === undefined) refuse(40058, 'invalid parameter: sender missing')
  const sender = senderId === undefined ? undefined : visibleMember(core, subject, senderId, 40031)
  const allowSelect = flag(body, 'allow_select', false)
  const contents = readBubbles(core, subject, body)
  let tasks: SenderTask[]
  let failed: string[]
  if (chatType === 'group' && sender?.wecomUserId !== undefined) {
    const made = groupTasks(core, body, sender.wecomUserId)
    tasks = [made.task]
    failed = made.failed
  } else {
    const made = customerTasks(call, sender?.wecomUserId)
    tasks = made.tasks
    failed = made.failed
  }
  const message: MassMessage = {
    msgid: `msg${core.ids.letters(32)}`,
    chatType,
    createdAt: core.clock.now(),
    contents,
    original: { text: body.text, attachments: body.attachments },
    allowSelect,
    tasks: new Map(tasks.map(task => [task.userId, task])),
    cancelled: false,
    reminds: 0,
  }
  core.mass.messages.set(message.msgid, message)
  core.log.add('mass_task', {
    msgid: message.msgid,
    chatType,
    senders: tasks.map(task => task.userId).slice(0, 20),
  })
  return { fail_list: failed, msgid: message.msgid }
}

function messageOf({ core, body }: ApiCall<WecomApp>): MassMessage {
  const message = core.mass.messages.get(text(body, 'msgid'))
  if (!message) refuse(41047, 'invalid msgid')
  if (core.clock.now().getTime() - message.createdAt.getTime() < (core.options.massDispatchMs ?? 0)) {
    refuse(41063, 'the message is being dispatched')
  }
  return message
}

function remind(call: ApiCall<WecomApp>) {
  const { core } = call
  const message = messageOf(call)
  if (message.cancelled) refuse(41093, 'the message was cancelled')
  const perDay = core.options.massRemindsPerDay ?? REMINDS_PER_DAY
  if (core.limits.has('massRemind') && !core.limits.take(`remind|${message.msgid}`, perDay, DAY)) {
    refuse(41094, 'reminded too often')
  }
  message.reminds += 1
  core.log.add('mass_remind', { msgid: message.msgid })
  return {}
}

function cancel(call: ApiCall<WecomApp>) {
  const message = messageOf(call)
  if (message.cancelled) refuse(41093, 'the message was cancelled')
  message.cancelled = true
  call.core.log.add('mass_cancelled', { msgid: message.msgid })
  return {}
}

function readTasks(call: ApiCall<WecomApp>) {
  const { body } = call
  const message = messageOf(call)
  const limit = integer(body, 'limit', 1, 1000, 500)
  const found = page([...message.tasks.values()], optionalText(body, 'cursor'), limit)
  return {
    task_list: found.items.map(task => ({
      userid: task.userId,
      status: task.sentAt ? 2 : 0,
      ...(task.sentAt ? { send_time: unixSeconds(task.sentAt) } : {}),
    })),
    next_cursor: found.next,
  }
}

function readResult(call: ApiCall<WecomApp>) {
  const { body } = call
  const message = messageOf(call)
  const task = message.tasks.get(text(body, 'userid'))
  if (!task) refuse(40031, 'invalid userid: not a sender of this message')
  const limit = integer(body, 'limit', 1, 1000, 500)
  const found = page(task.sends, optionalText(body, 'cursor'), limit)
  const idName = message.chatType === 'group' ? 'chat_id' : 'external_userid'
  return {
    send_list: found.items.map(send => ({
      [idName]: send.targetId,
      userid: send.userId,
      status: send.status,
      send_time: unixSeconds(send.sentAt),
    })),
    next_cursor: found.next,
  }
}

const MONTH_SECONDS = 31 * SECONDS_OF_DAY

function listMessages({ core, body }: ApiCall<WecomApp>) {
  const chatType = text(body, 'chat_type', { pattern: /^(single|group)$/ })
  const start = integer(body, 'start_time', 0, 4_102_444_800)
  const end = integer(body, 'end_time', start, 4_102_444_800)
  if (end - start > MONTH_SECONDS) refuse(40058, 'invalid parameter: more than one month')
  const filter = integer(body, 'filter_type', 0, 2, 2)
  const creator = optionalText(body, 'creator')
  const limit = integer(body, 'limit', 1, 100, 50)
  const all = [...core.mass.messages.values()].filter(message => {
    const at = unixSeconds(message.createdAt)
    return message.chatType === chatType && at >= start && at <= end
  })
  // everything here was made by API: by the corp, and by no member
  const matching = filter === 1 || creator !== undefined ? [] : all
  const found = page(matching, optionalText(body, 'cursor'), limit)
  return {
    group_msg_list: found.items.map(message => ({
      msgid: message.msgid,
      create_time: String(unixSeconds(message.createdAt)),
      create_type: 0,
      ...(isRecord(message.original.text) ? { text: message.original.text } : {}),
      ...(Array.isArray(message.original.attachments) ? { attachments: message.original.attachments } : {}),
    })),
    next_cursor: found.next,
  }
}

const BASE = '/cgi-bin/externalcontact'

export const wecomMass: ApiTable<WecomApp> = {
  [`${BASE}/add_msg_template`]: post(add),
  [`${BASE}/remind_groupmsg_send`]: post(remind),
  [`${BASE}/cancel_groupmsg_send`]: post(cancel),
  [`${BASE}/get_groupmsg_task`]: post(readTasks),
  [`${BASE}/get_groupmsg_send_result`]: post(readResult),
  [`${BASE}/get_groupmsg_list_v2`]: post(listMessages),
}
