import { insertRecord, lastReportOf, recategorise } from '../../../db/queries/records.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isOpenDay, isOpenMonth } from '../activities/open-month.ts'
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
  /** `YYYY-MM-DD`, the day on which they were sent; null: the day on which we were told. */
  day: string | null
  /** When the platform says that we were told: a message of 23:59 that comes a minute late is of its own month. */
  at: Date
  /** The update that told us: the same one never counts twice. */
  updateId: number
  /** For a message shown to the bot: its text, and how sure the machine was; absent for counted ones. */
  shown?: { text: string; decidedBy: 'machine' | 'person'; confidence: number | null }
}

/**
 * Records what was sent in groups, as their owner reports it (发送微信数, 榆林团市委 2014 附件3). A message counts once for
 * every group it was sent in.
 * @throws DomainError `record.count`, `record.day`, and as `requireManagedGroup`
 */
export async function recordMessages(
  rt: DomainRuntime,
  actor: KnownActor,
  reported: ReportedMessages,
): Promise<void> {
  if (!Number.isInteger(reported.count) || reported.count < 1 || reported.count > MAX_COUNT)
    throw new DomainError('record.count', `条数要在 1 到 ${MAX_COUNT} 之间。`)
  const now = rt.clock.now()
  const day = reported.day ?? dayOf(reported.at < now ? reported.at : now)
  if (!isOpenDay(day, now)) throw new DomainError('record.day', '只能登记本月和上月发送的消息，请核对日期。')
  for (const groupId of new Set(reported.groupIds)) {
    const group = await requireManagedGroup(rt, actor, groupId)
    await insertRecord(rt.db, {
      groupId,
      unitId: group.unitId,
      month: day.slice(0, 7),
      recordedOn: day,
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

/**
 * Puts the actor's last report right, in all the groups it was about. A count of 0 makes it void. What was reported in a
 * month that is settled by now stands.
 * @returns what it was and what it is, as 致富信息 3 条
 * @throws DomainError `record.none`, `record.closed`, `record.count`
 */
export async function correctLastReport(
  rt: DomainRuntime,
  actor: KnownActor,
  correction: { category?: Category; count?: number },
): Promise<{ from: string; to: string }> {
  const last = await lastReportOf(rt.db, actor.person.id)
  if (!last || last.updateId === null)
    throw new DomainError('record.none', '您还没有登记过消息，没有可以改的。')
  if (!isOpenMonth(last.month, rt.clock.now()))
    throw new DomainError('record.closed', `您上次登记是 ${last.month} 的，那个月的报表已经定了，不能再改。`)
  const { category = last.category, count = last.count } = correction
  if (count > MAX_COUNT) throw new DomainError('record.count', `条数要在 1 到 ${MAX_COUNT} 之间。`)
  await recategorise(rt.db, last.updateId, actor.person.id, last.category, { category, count })
  const words = (what: string, times: number) => (times === 0 ? '作废' : `${what} ${times} 条`)
  return { from: words(last.category, last.count), to: words(category, count) }
}
