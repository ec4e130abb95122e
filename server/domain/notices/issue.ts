import { type GroupWithUnit, groupsUnder } from '../../../db/queries/groups.ts'
import {
  insertDeliveries,
  insertNotice,
  insertOutgoing,
  insertTimers,
  linkDeliveries,
  type OutgoingRow,
} from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { accountsOf } from '../../../db/queries/roster.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import type { Category } from '../messages/categories.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { type Route, routeOf } from './routes.ts'

/** UTF-8 bytes that a notice may have, so that its relayed copy fits one message with room for a link. */
const MAX_NOTICE_BYTES = 2000
/** Groups in one mass task. @see https://developer.work.weixin.qq.com/document/path/92135 */
const MAX_CHATS_OF_A_TASK = 2000
const HOUR_MS = 3600_000

export interface NoticeInput {
  unitId: number
  body: string
  category: Category
}

export interface Reach {
  groups: number
  owners: number
  /** Groups that nobody can bring it into, because they have no owner. */
  ownerless: number
  routes: Record<Route, number>
}

export interface IssuedNotice extends Reach {
  id: number
  deadlineAt: Date
}

interface PlannedDelivery {
  group: GroupWithUnit
  route: Route
}

/** What a notice from this unit would reach. */
export async function planReach(rt: DomainRuntime, unit: UnitRow): Promise<Reach> {
  return reachOf(await planDeliveries(rt, unit))
}

/**
 * Checks a notice before it is sent. No classified content may be in a group in any form (中少办发〔2017〕4号 五.1), and
 * personal data does not belong there either.
 * @throws DomainError `notice.empty`, `notice.too_long`, `notice.secret`, `notice.privacy`
 */
export function checkNotice(body: string): void {
  if (body.trim() === '') throw new DomainError('notice.empty', '通知是空的。')
  const bytes = Buffer.byteLength(body)
  if (bytes > MAX_NOTICE_BYTES)
    throw new DomainError(
      'notice.too_long',
      `通知太长（${bytes} 字节，最多 ${MAX_NOTICE_BYTES} 字节，约 660 个汉字）。请缩短，或改发文件链接。`,
    )
  for (const alert of findAlerts(body)) {
    const place = body.slice(Math.max(0, alert.index - 6), alert.index + alert.length + 6)
    if (alert.kind === 'secret')
      throw new DomainError(
        'notice.secret',
        `通知里可能有涉密或内部内容（“${place}”），不能在群里发（中少办发〔2017〕4号 五.1）。`,
      )
    if (alert.kind === 'privacy')
      throw new DomainError('notice.privacy', `通知里有个人信息（“${place}”附近），请去掉后再发。`)
  }
}

/**
 * Sends a notice to every group of the unit and below. Its deliveries, the messages that carry them and the moments of
 * its reminders are written in one transaction; nothing is sent before that has happened.
 * @throws DomainError as `checkNotice`, and `rights.missing`, `notice.no_groups`
 */
export async function issueNotice(
  rt: DomainRuntime,
  actor: KnownActor,
  input: NoticeInput,
): Promise<IssuedNotice> {
  const unit = await unitById(rt.db, input.unitId)
  if (!unit || !managesUnit(rt.templates, actor, unit.path)) throw notAllowed('以这个单位的名义发通知')
  const body = input.body.trim()
  checkNotice(body)
  const plan = await planDeliveries(rt, unit)
  if (plan.length === 0) throw new DomainError('notice.no_groups', `${unit.name}及下级还没有登记过群。`)

  const { deadlineHours, reminderShares } = rt.templates.programme(unit.programme).notices
  const now = rt.clock.now()
  const spanMs = deadlineHours.value * HOUR_MS
  const deadlineAt = new Date(now.getTime() + spanMs)
  const id = await insertNotice(rt.db, {
    programme: unit.programme,
    unitId: unit.id,
    authorId: actor.person.id,
    body,
    category: input.category,
    issuedAt: now,
    deadlineAt,
  })
  await insertDeliveries(
    rt.db,
    plan.map(({ group, route }) => ({
      noticeId: id,
      groupId: group.id,
      route,
      ownerId: group.ownerId,
      status: route === 'relay' && group.ownerId === null ? 'failed' : 'pending',
      updatedAt: now,
    })),
  )
  const messages = messagesFor({ id, body, unitName: unit.name, deadlineAt }, plan)
  const outgoingIds = await insertOutgoing(
    rt.db,
    messages.map(({ texts, groups: _groups, ...row }) => ({
      ...row,
      purpose: row.kind === 'person' ? 'relay' : 'notice',
      textsSealed: rt.vault.seal(JSON.stringify(texts)),
      status: 'pending',
      nextAttemptAt: now,
      createdAt: now,
    })),
  )
  await linkDeliveries(
    rt.db,
    id,
    messages.flatMap(({ groups }, index) =>
      groups.map((group): [number, number] => [group.id, outgoingIds[index] as number]),
    ),
  )
  const last = reminderShares.value.length - 1
  await insertTimers(
    rt.db,
    reminderShares.value.flatMap((share, index) => {
      const dueAt = new Date(now.getTime() + spanMs * share)
      const reminder = { kind: 'remind_owner', noticeId: id, dueAt }
      // with the last reminder the unit learns of it too, while there is still time to act
      return index === last ? [reminder, { kind: 'escalate', noticeId: id, dueAt }] : [reminder]
    }),
  )
  const reach = reachOf(plan)
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'notice.issued',
    subjectKind: 'notice',
    subjectId: id,
    details: { unitId: unit.id, groups: reach.groups },
  })
  return { id, deadlineAt, ...reach }
}

async function planDeliveries(rt: DomainRuntime, unit: UnitRow): Promise<PlannedDelivery[]> {
  const groups = await groupsUnder(rt.db, unit.path)
  const owners = [...new Set(groups.flatMap(group => group.ownerId ?? []))]
  const inWecom = new Set((await accountsOf(rt.db, 'wecom', owners)).map(account => account.personId))
  return groups.map(group => ({ group, route: routeOf(group, inWecom.has(group.ownerId)) }))
}

function reachOf(plan: PlannedDelivery[]): Reach {
  const routes: Record<Route, number> = { robot: 0, appchat: 0, mass: 0, relay: 0 }
  for (const { route } of plan) routes[route]++
  return {
    groups: plan.length,
    owners: new Set(
      plan.flatMap(({ group, route }) =>
        route === 'relay' || route === 'mass' ? (group.ownerId ?? []) : [],
      ),
    ).size,
    ownerless: plan.filter(({ group, route }) => route === 'relay' && group.ownerId === null).length,
    routes,
  }
}

interface CarryingMessage extends Pick<OutgoingRow, 'kind'> {
  personId?: number
  groupId?: number
  chatIds?: string[]
  texts: string[]
  groups: GroupWithUnit[]
}

/** One message for each robot and app chat, one mass task and one relay request for each owner. */
function messagesFor(
  notice: { id: number; body: string; unitName: string; deadlineAt: Date },
  plan: PlannedDelivery[],
): CarryingMessage[] {
  const messages: CarryingMessage[] = []
  const relays = new Map<number, GroupWithUnit[]>()
  const masses = new Map<number, GroupWithUnit[]>()
  for (const { group, route } of plan) {
    if (route === 'robot' || route === 'appchat')
      messages.push({ kind: route, groupId: group.id, texts: [notice.body], groups: [group] })
    else if (group.ownerId !== null) {
      const byOwner = route === 'mass' ? masses : relays
      byOwner.set(group.ownerId, [...(byOwner.get(group.ownerId) ?? []), group])
    }
  }
  for (const [personId, groups] of masses)
    for (let from = 0; from < groups.length; from += MAX_CHATS_OF_A_TASK) {
      const part = groups.slice(from, from + MAX_CHATS_OF_A_TASK)
      messages.push({
        kind: 'mass',
        personId,
        chatIds: part.flatMap(group => group.chatId ?? []),
        texts: [notice.body],
        groups: part,
      })
    }
  for (const [personId, groups] of relays)
    messages.push({ kind: 'person', personId, texts: [notice.body, relayRequest(notice, groups)], groups })
  return messages
}

/** Asks an owner to relay a notice to these of their groups. @returns the outgoing message's id */
export async function insertRelayRequest(
  rt: DomainRuntime,
  notice: { id: number; body: string; unitName: string; deadlineAt: Date },
  ownerId: number,
  groups: { id: number; name: string }[],
): Promise<number> {
  return sendToPerson(rt, ownerId, 'relay', notice.body, relayRequest(notice, groups))
}

/** What the owner is asked to do with the text just above it. */
function relayRequest(
  notice: { id: number; unitName: string; deadlineAt: Date },
  groups: { id: number; name: string }[],
): string {
  const names = groups.slice(0, 8).map(group => `${group.name}（${group.id}）`)
  const more = groups.length > names.length ? `等 ${groups.length} 个群` : ''
  return [
    `【通知 ${notice.id}】${notice.unitName}：请把上面这段话转发到${names.join('、')}${more}，${chineseMoment(notice.deadlineAt)}前完成。`,
    `转好后回复：转 ${notice.id}（或只回“转”）。先告知收到请回：收`,
  ].join('\n')
}
