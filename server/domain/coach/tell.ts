import { isAnyOffered, noteTold, ownersToTell } from '../../../db/queries/ready-posts.ts'
import { addDays, dayOf, shanghaiMoment } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { recommendForOwners } from './recommend.ts'
import { coachedProgrammes, coachRules } from './rules.ts'
import { tellingWords } from './words.ts'

const PORTION = 2000

/**
 * Tells owners whose groups lack a category this month, and whom a level above offers something of it: one message for all
 * of their groups, at most once a week, on working days and not in the first days of a month. Nobody else is told.
 * @param signal the server stops: the next run goes on
 * @returns how many were told
 */
export async function tellOwners(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  const now = rt.clock.now()
  const today = dayOf(now)
  const { weekdays, fromDay, everyDays } = coachRules.tell
  const weekday = new Date(`${today}T00:00:00Z`).getUTCDay()
  if (!weekdays.includes(weekday) || Number(today.slice(8)) < fromDay) return 0
  if (!(await isAnyOffered(rt.db, now))) return 0
  // told on this day of last week counts as a week ago, at whatever hour the job ran
  const toldBefore = shanghaiMoment(addDays(today, 1 - everyDays), '00:00')
  const programmes = coachedProgrammes(rt.templates)
  let told = 0
  for (let after = 0; !signal?.aborted; ) {
    const owners = await ownersToTell(rt.db, { programmes, now, toldBefore, after, limit: PORTION })
    if (owners.length === 0) break
    after = owners.at(-1) as number
    told += await inTransaction(rt, tx => tellPortion(tx, owners, toldBefore))
  }
  return told
}

async function tellPortion(rt: DomainRuntime, ownerIds: number[], toldBefore: Date): Promise<number> {
  const now = rt.clock.now()
  const found = await recommendForOwners(rt, ownerIds)
  const helped = [...found].filter(([, { posts }]) => posts.length > 0)
  const fresh = await noteTold(
    rt.db,
    helped.map(([id]) => id),
    toldBefore,
    now,
  )
  const messages = helped
    .filter(([id]) => fresh.has(id))
    .map(([personId, recommendation]) => ({ personId, text: tellingWords(recommendation) }))
  await sendToPersons(rt, messages, 'reminder', afterQuiet(noticeRules.quiet, now))
  return messages.length
}
