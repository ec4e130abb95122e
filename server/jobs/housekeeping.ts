import { deleteOldClaims } from '../../db/queries/alert-verdicts.ts'
import { deleteOld, emptyAbandoned } from '../../db/queries/housekeeping.ts'
import { troubles } from '../../db/queries/troubles.ts'
import { addMonths, monthOf } from '../clock.ts'
import { remindOfTokens } from '../domain/api-tokens/remind.ts'
import { eraseAfterRetention } from '../domain/privacy/retention.ts'
import { deleteDrafts } from '../domain/roster/drafts.ts'
import type { Runtime } from '../runtime.ts'

const DAY_MS = 86_400_000
/** What somebody was stopped with, and no office has looked at, is forgotten. Source: project assumption. */
const CLAIM_DAYS = 14
/** What was never finished is kept longer than what was, so that operators have time for it, but not for ever. */
const ABANDONED_PERIODS = 3
const ABANDONED_MAX_DAYS = 180

/** Deletes what has served its purpose: callbacks hold what people wrote, and need not be kept for ever. */
export async function deleteExpired(rt: Runtime): Promise<void> {
  const now = rt.clock.now()
  const { retentionDays } = rt.config
  const before = new Date(now.getTime() - retentionDays * DAY_MS)
  // this month's quotas still count, and last month's may be asked about
  await deleteOld(rt.db, before, now, `${addMonths(monthOf(now), -1)}-01`)
  // never shorter than what is finished
  const days = Math.max(retentionDays, Math.min(ABANDONED_PERIODS * retentionDays, ABANDONED_MAX_DAYS))
  await deleteDrafts(rt)
  await deleteOldClaims(rt.db, new Date(now.getTime() - CLAIM_DAYS * DAY_MS))
  await emptyAbandoned(rt.db, new Date(now.getTime() - days * DAY_MS))
  await remindOfTokens(rt)
  const erased = await eraseAfterRetention(rt)
  if (erased > 0) rt.log.info({ persons: erased }, 'erased after their retention time')
}

/** Tells the operators, through the log, what will not get better by itself. */
export async function reportTroubles(rt: Runtime): Promise<void> {
  const found = await troubles(rt.db, new Date(rt.clock.now().getTime() - DAY_MS))
  if (Object.values(found).some(count => count > 0))
    rt.log.error(found, 'somebody must look at this: npm run status (docs/operations.md)')
}
