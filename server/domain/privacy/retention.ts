import {
  deleteOldAccess,
  eraseOldDanger,
  eraseOldExcerpts,
  eraseOldRequests,
  eraseOldSignUps,
  personsLongGone,
} from '../../../db/queries/erasures.ts'
import { deleteOldChatDays } from '../../../db/queries/owner-chat-days.ts'
import { deleteOldPictures } from '../../../db/queries/record-files.ts'
import { candidatesLongGone } from '../../../db/queries/volunteers.ts'
import { addMonths, dayOf, shanghaiMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { ERASED_NAME, erase, erasedWords } from './erase.ts'
import { privacyPolicy } from './policy.ts'

/** Persons erased in one transaction, in which imports wait. */
const PORTION = 500
/** Rows of other kinds at once. */
const ROWS = 5000
/** Pictures at once: megabytes each. */
const PICTURES = 200

/**
 * Erases what has served its time (个人信息保护法 第十九条, months in `templates/policies/privacy.json`): persons who left
 * long ago, words of requests that were decided and of calls for help, first words of messages, ways in that are over.
 * Done twice it does nothing the second time.
 * @returns how many persons
 */
export async function eraseAfterRetention(rt: DomainRuntime): Promise<number> {
  const { personMonths, requestMonths, excerptMonths, sessionMonths } = privacyPolicy.retention
  const cutoff = (months: number) => shanghaiMoment(monthsBefore(dayOf(rt.clock.now()), months))
  const before = cutoff(personMonths.value)
  const gone = { before, lastDay: lastDayBefore(before), erasedName: ERASED_NAME }
  let persons = 0
  for (;;) {
    const ids = await personsLongGone(rt.db, gone, PORTION)
    // an import that was under way may have brought somebody back
    persons += await erase(rt, ids, { why: 'retention', byId: null }, tx =>
      personsLongGone(tx.db, gone, PORTION, ids),
    )
    if (ids.length < PORTION) break
  }
  const year = Number(dayOf(before).slice(0, 4))
  for (;;) {
    const ids = await candidatesLongGone(rt.db, year, PORTION)
    persons += await erase(rt, ids, { why: 'retention', byId: null }, tx =>
      candidatesLongGone(tx.db, year, PORTION, ids),
    )
    if (ids.length < PORTION) break
  }
  const words = erasedWords(rt)
  while ((await eraseOldRequests(rt.db, cutoff(requestMonths.value), words, ROWS)) === ROWS);
  while ((await eraseOldDanger(rt.db, cutoff(requestMonths.value), rt.clock.now(), ROWS)) === ROWS);
  const day = dayOf(cutoff(excerptMonths.value))
  while ((await eraseOldExcerpts(rt.db, day, ROWS)) === ROWS);
  while ((await eraseOldSignUps(rt.db, day, ROWS)) === ROWS);
  while ((await deleteOldPictures(rt.db, cutoff(excerptMonths.value), PICTURES)) === PICTURES);
  while ((await deleteOldChatDays(rt.db, day, ROWS)) === ROWS);
  await deleteOldAccess(rt.db, cutoff(sessionMonths.value))
  return persons
}

/** The same day so many months earlier; the last of the month where it has no such day: 31 March, a month before. */
export function monthsBefore(day: string, months: number): string {
  const month = addMonths(day.slice(0, 7), -months)
  const last = dayOf(new Date(shanghaiMoment(`${addMonths(month, 1)}-01`).getTime() - 1))
  const wanted = `${month}-${day.slice(8)}`
  return wanted > last ? last : wanted
}

/** A service whose last day was before this moment is over since before it. */
function lastDayBefore(moment: Date): string {
  return dayOf(new Date(moment.getTime() - 1))
}
