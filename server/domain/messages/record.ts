import { groupById } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  groupsWithSame,
  insertRecord,
  lastReportOf,
  recategorise,
  reportsOf,
} from '../../../db/queries/records.ts'
import { addMonths, dayOf, monthOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { isOpenDay } from '../activities/open-month.ts'
import type { KnownActor } from '../actor.ts'
import { requireManagedGroup } from '../groups/register.ts'
import { monthState } from '../months/state.ts'
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
  shown?: {
    text: string
    decidedBy: 'machine' | 'person'
    confidence: number | null
    /** They wrote it themselves (自发), instead of passing it on. */
    isOwn: boolean
  }
}

/**
 * Records what was sent in groups, as their owner reports it (发送微信数, 榆林团市委 2014 附件3). A message counts once for
 * every group it was sent in; one that is shown again on the same day is not counted again.
 * @returns the groups in which it was counted
 * @throws DomainError `record.count`, `record.day`, `record.closed`, and as `requireManagedGroup`
 */
export async function recordMessages(
  rt: DomainRuntime,
  actor: KnownActor,
  reported: ReportedMessages,
): Promise<number[]> {
  if (!Number.isInteger(reported.count) || reported.count < 1 || reported.count > MAX_COUNT)
    throw new DomainError('record.count', `条数要在 1 到 ${MAX_COUNT} 之间。`)
  const now = rt.clock.now()
  const day = reported.day ?? dayOf(reported.at < now ? reported.at : now)
  const month = day.slice(0, 7)
  // a month that was begun late is open for longer: whether it is, is asked of each programme
  const isOld = !isOpenDay(day, now)
  if (isOld && (day > dayOf(now) || month < addMonths(monthOf(now), -2))) throw dayIsOver()
  const excerpt = reported.shown
    ? [...maskPersonalData(reported.shown.text)].slice(0, EXCERPT_CHARACTERS).join('')
    : null
  const before = excerpt === null ? [] : await groupsWithSame(rt.db, reported.groupIds, day, excerpt)
  const fresh = [...new Set(reported.groupIds)].filter(id => !before.includes(id))
  for (const groupId of fresh) {
    const group = await requireManagedGroup(rt, actor, groupId)
    if (isOld && (await monthState(rt, group.programme, month)) === 'settled') throw dayIsOver()
    if (month !== monthOf(now)) await requireOpen(rt, group.programme, month)
    await insertRecord(rt.db, {
      groupId,
      unitId: group.unitId,
      month,
      recordedOn: day,
      category: reported.category,
      count: reported.count,
      source: reported.shown ? (reported.shown.isOwn ? 'posted' : 'forwarded') : 'counted',
      decidedBy: reported.shown?.decidedBy ?? 'person',
      confidence: reported.shown?.confidence ?? null,
      excerpt,
      updateId: reported.updateId,
      reportedBy: actor.person.id,
      createdAt: now,
    })
  }
  return fresh
}

const dayIsOver = () => new DomainError('record.day', '只能登记本月和上月发送的消息，请核对日期。')

/** @throws DomainError `record.closed` */
async function requireOpen(rt: DomainRuntime, programme: string, month: string): Promise<void> {
  if ((await monthState(rt, programme, month)) !== 'open')
    throw new DomainError(
      'record.closed',
      `${month} 的报表已经定了，不能再登记、再改。确有错漏的，请告诉本单位负责的同志，由他们在网页上写明理由更正。`,
    )
}

/**
 * Puts the actor's last report right, in all the groups it was about. A count of 0 makes it void. What was reported in a
 * month that is closed by now stands.
 * @returns what it was and what it is, as 致富信息 3 条
 * @throws DomainError `record.none`, `record.closed`, `record.count`, `record.twice`
 */
export async function correctLastReport(
  rt: DomainRuntime,
  actor: KnownActor,
  correction: { category?: Category; count?: number },
): Promise<{ from: string; to: string }> {
  const last = await lastReportOf(rt.db, actor.person.id)
  const group = last && (await groupById(rt.db, last.groupId))
  if (!last || last.updateId === null || !group)
    throw new DomainError('record.none', '您还没有登记过消息，没有可以改的。')
  await requireOpen(rt, group.programme, last.month)
  const { category = last.category, count = last.count } = correction
  if (count > MAX_COUNT) throw new DomainError('record.count', `条数要在 1 到 ${MAX_COUNT} 之间。`)
  const { updateId } = last
  if (category !== last.category && (await reportsOf(rt.db, updateId, actor.person.id)).includes(category))
    throw new DomainError(
      'record.twice',
      `这次登记里“${category}”另有一项，改成一样的就分不开了。请先回复：改 0条，再登记一次。`,
    )
  await inTransaction(rt, async tx => {
    await recategorise(tx.db, updateId, actor.person.id, last.category, { category, count })
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'record.corrected',
      subjectKind: 'group',
      subjectId: group.id,
      details: {
        month: last.month,
        from: last.category,
        to: category,
        was: last.count,
        count,
        wasDecidedBy: last.decidedBy,
      },
    })
  })
  const words = (what: string, times: number) => (times === 0 ? '作废' : `${what} ${times} 条`)
  return { from: words(last.category, last.count), to: words(category, count) }
}
