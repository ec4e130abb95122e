import { insertRecord, lastReportOf, recategorise } from '../../../db/queries/records.ts'
import { dayOf, monthOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { requireManagedGroup } from '../groups/register.ts'
import type { Category } from './categories.ts'
import { maskPersonalData } from './mask.ts'

/** More than an owner posts in one go; a larger number is a slip of the finger. */
const MAX_COUNT = 500
const EXCERPT_CHARACTERS = 40

export interface ReportedMessages {
  groupIds: number[]
  category: Category
  count: number
  /** The update that told us: the same one never counts twice. */
  updateId: number
  /** For a message shown to the bot: its text, and how sure the machine was; absent for counted ones. */
  shown?: { text: string; decidedBy: 'machine' | 'person'; confidence: number | null }
}

/**
 * Records what was sent in groups, as their owner reports it (发送微信数, 榆林团市委 2014 附件3). A message counts once for
 * every group it was sent in.
 * @throws DomainError `record.count`, and as `requireManagedGroup`
 */
export async function recordMessages(
  rt: DomainRuntime,
  actor: KnownActor,
  reported: ReportedMessages,
): Promise<void> {
  if (!Number.isInteger(reported.count) || reported.count < 1 || reported.count > MAX_COUNT)
    throw new DomainError('record.count', `条数要在 1 到 ${MAX_COUNT} 之间。`)
  const now = rt.clock.now()
  for (const groupId of reported.groupIds) {
    const group = await requireManagedGroup(rt, actor, groupId)
    await insertRecord(rt.db, {
      groupId,
      unitId: group.unitId,
      month: monthOf(now),
      recordedOn: dayOf(now),
      category: reported.category,
      count: reported.count,
      source: reported.shown ? 'forwarded' : 'counted',
      decidedBy: reported.shown?.decidedBy ?? 'person',
      confidence: reported.shown?.confidence ?? null,
      excerpt: reported.shown
        ? [...maskPersonalData(reported.shown.text)].slice(0, EXCERPT_CHARACTERS).join('')
        : null,
      updateId: reported.updateId,
      reportedBy: actor.person.id,
      createdAt: now,
    })
  }
}

/** Puts the category of the actor's last report right. @throws DomainError `record.none` */
export async function correctLastReport(
  rt: DomainRuntime,
  actor: KnownActor,
  category: Category,
): Promise<{ from: string; groups: number }> {
  const last = await lastReportOf(rt.db, actor.person.id)
  if (!last || last.updateId === null)
    throw new DomainError('record.none', '您还没有登记过消息，没有可以改的。')
  const groups = await recategorise(rt.db, last.updateId, actor.person.id, category)
  return { from: last.category, groups }
}
