import type { Core } from './core.ts'
import { deliver } from './delivery.ts'
import { postInGroup } from './groups.ts'
import { chinaDay, chinaMonth, DAY } from './limits.ts'
import type { GroupPost, MassTask } from './types.ts'
import type { Content, PersonRecord } from './world.ts'

export interface MassSend {
  /** chat_id or external_userid. */
  targetId: string
  userId: string
  status: 0 | 1 | 2 | 3
  sentAt: Date
}

export interface SenderTask {
  userId: string
  targetIds: string[]
  /** No target was named: the sender picks in the client, here all their groups. */
  picks: boolean
  sentAt?: Date
  sends: MassSend[]
}

export interface MassMessage {
  msgid: string
  chatType: 'group' | 'single'
  createdAt: Date
  contents: Content[]
  /** The request's own text and attachments, as get_groupmsg_list_v2 gives them back. */
  original: { text?: unknown; attachments?: unknown }
  allowSelect: boolean
  tasks: Map<string, SenderTask>
  cancelled: boolean
  reminds: number
}

export interface MassStore {
  messages: Map<string, MassMessage>
  /** Messages that each customer or group got, by the span and the id. */
  received: Map<string, number>
}

export function createMassStore(): MassStore {
  return { messages: new Map(), received: new Map() }
}

/** The span within which receipts are counted, and how many of them there may be. */
function receiptRule(core: Core): { span: string; most: number } {
  const now = core.clock.now()
  const { month, days } = chinaMonth(now)
  switch (core.options.massReceiptRule) {
    case 'one-a-day':
      return { span: chinaDay(now), most: 1 }
    case 'seven-a-week':
      return { span: `week ${chinaDay(weekStart(now))}`, most: 7 }
    default:
      return { span: month, most: days }
  }
}

/** Monday of the week in China; 1970-01-01 was a Thursday. */
function weekStart(now: Date): Date {
  const day = Date.parse(`${chinaDay(now)}T00:00:00+08:00`)
  const weekday = (Math.floor((day + 8 * 3_600_000) / DAY) + 3) % 7
  return new Date(day - weekday * DAY)
}

/** Whether a customer or group may get one more mass message: by the month, or as the corp has set it. */
export function hasRoom(core: Core, targetId: string): boolean {
  if (!core.limits.has('massQuota')) return true
  const { span, most } = receiptRule(core)
  return (core.mass.received.get(`${span} ${targetId}`) ?? 0) < most
}

function countReceived(core: Core, targetId: string): void {
  const key = `${receiptRule(core).span} ${targetId}`
  core.mass.received.set(key, (core.mass.received.get(key) ?? 0) + 1)
}

function targetsOf(core: Core, person: PersonRecord, task: SenderTask): string[] {
  if (!task.picks) return task.targetIds
  const owned = [...core.world.groups.values()].filter(
    group => group.kind === 'customer' && group.ownerId === person.id,
  )
  return owned.filter(group => !group.dismissed).map(group => group.id)
}

/** What waits for a member's confirmation in the client, and what was done with it. */
export function massTasks(core: Core, personId: string): MassTask[] {
  const person = core.world.person(personId)
  const list: MassTask[] = []
  for (const message of core.mass.messages.values()) {
    const task = person.wecomUserId === undefined ? undefined : message.tasks.get(person.wecomUserId)
    if (!task) continue
    const nameOf = (id: string) =>
      core.world.groups.get(id)?.name ?? core.world.byExternalUserId(id)?.name ?? id
    const text = message.contents.find(content => content.kind === 'text')?.text ?? ''
    list.push({
      msgid: message.msgid,
      userId: task.userId,
      createdAt: message.createdAt,
      text,
      attachments: message.contents
        .filter(content => content.kind !== 'text')
        .map(content => ({ msgtype: content.kind, text: content.text })),
      chatType: message.chatType,
      targets: targetsOf(core, person, task).map(id => ({ id, name: nameOf(id) })),
      allowSelect: message.allowSelect,
      status: task.sentAt ? 'sent' : message.cancelled ? 'cancelled' : 'waiting',
      reminded: message.reminds,
    })
  }
  return list
}

/**
 * A sender confirms in the client: the message goes to the targets that may still get one this month.
 *
 * Confirming twice changes nothing. Under the fault `owners-never-confirm` nothing happens.
 * @param onlyIds the sender's own choice among the targets, where the task allows it.
 * @see developer.work.weixin.qq.com/document/path/92135
 */
export function confirmMassTask(
  core: Core,
  personId: string,
  msgid: string,
  onlyIds?: string[],
): GroupPost[] {
  const person = core.world.person(personId)
  const message = core.mass.messages.get(msgid)
  const task = person.wecomUserId === undefined ? undefined : message?.tasks.get(person.wecomUserId)
  if (!message || !task) throw new Error(`${person.name} has no mass message ${msgid}`)
  if (task.sentAt) return []
  if (message.cancelled) throw new Error('this mass message was cancelled')
  if (onlyIds && !message.allowSelect && !task.picks)
    throw new Error('this mass message leaves no choice of targets')
  if (core.faults.strikes('owners-never-confirm', 'externalcontact/add_msg_template')) {
    core.log.add('mass_ignored', { personId, msgid })
    return []
  }
  const now = core.clock.now()
  task.sentAt = now
  core.log.add('mass_confirmed', { personId, msgid })
  const posts: GroupPost[] = []
  for (const targetId of targetsOf(core, person, task)) {
    if (onlyIds && !onlyIds.includes(targetId)) continue
    if (!hasRoom(core, targetId)) {
      core.log.add('dropped', { what: 'mass', targetId, msgid, reason: 'month is used up' })
      // a result row exists only for customers; of groups only sent ones are listed
      if (message.chatType === 'single')
        task.sends.push({ targetId, userId: task.userId, status: 3, sentAt: now })
      continue
    }
    const group = core.world.groups.get(targetId)
    if (message.chatType === 'group') {
      // since the task was made the group may have gone or changed hands
      if (!group || group.dismissed || group.ownerId !== personId) continue
      for (const content of message.contents) posts.push(postInGroup(core, group, personId, 'mass', content))
    } else {
      const customer = core.world.byExternalUserId(targetId)
      const friends = core.world.relations.get(targetId)?.some(relation => relation.userId === task.userId)
      if (!customer || !friends) {
        task.sends.push({ targetId, userId: task.userId, status: 2, sentAt: now })
        continue
      }
      for (const content of message.contents) deliver(core, customer, 'wecom', content, 'mass')
    }
    countReceived(core, targetId)
    task.sends.push({ targetId, userId: task.userId, status: 1, sentAt: now })
  }
  return posts
}
