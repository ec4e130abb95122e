import { levelsOfAudience, noticesByLevelUnderWay, releaseNextLevels } from '../../../db/queries/cascade.ts'
import type { NoticeAudience } from '../../../db/queries/notices.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { latestStartsOf, type NoticeTiming, nextWakingMoment } from './timing.ts'

/** When each level of the audience begins at the latest, for a notice that goes level by level (逐级下发). */
export async function planLevels(
  rt: DomainRuntime,
  unit: UnitRow,
  audience: NoticeAudience,
  importance: string,
  timing: NoticeTiming,
): Promise<Map<string, Date>> {
  const present = new Set(await levelsOfAudience(rt.db, unit.path, audience))
  const levels = rt.templates.programme(unit.programme).levels.filter(level => present.has(level.id))
  return latestStartsOf(
    noticeRules,
    importanceRule(importance),
    timing,
    levels.map(level => level.id),
  )
}

/** A delivery that has just been posted, and what is needed to know whether others wait for it. */
export interface PostedDelivery {
  id: number
  noticeId: number
  mode: string
  importance: string
}

/** Lets the next levels begin where the last group of the level above has just got the notice. In the caller's transaction. */
export async function beginNextLevels(rt: DomainRuntime, posted: readonly PostedDelivery[]): Promise<number> {
  const byNotice = Map.groupBy(
    posted.filter(delivery => delivery.mode === 'by-level'),
    delivery => delivery.noticeId,
  )
  let begun = 0
  for (const [noticeId, theirs] of byNotice)
    begun += await release(
      rt,
      { id: noticeId, importance: theirs[0]?.importance as string },
      theirs.map(delivery => delivery.id),
    )
  return begun
}

/**
 * The same for whatever no posting has let begin: two last groups of a level that were posted at the same moment, or a
 * last group that was dissolved.
 */
export async function beginMissedLevels(rt: DomainRuntime): Promise<number> {
  let begun = 0
  for (const notice of await noticesByLevelUnderWay(rt.db, rt.clock.now()))
    begun += await inTransaction(rt, tx => release(tx, notice, null))
  return begun
}

function release(
  rt: DomainRuntime,
  { id, importance }: { id: number; importance: string },
  only: number[] | null,
): Promise<number> {
  const now = rt.clock.now()
  const startsAt = nextWakingMoment(noticeRules, importanceRule(importance), now)
  return releaseNextLevels(rt.db, id, only, startsAt)
}
