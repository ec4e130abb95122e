import { type ToAsk, takeContactAsks } from '../../../db/queries/contacts.ts'
import { addDays, dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { contactPolicy, contactRules } from './rules.ts'

/**
 * On the days that the policy names, and some days after them where a day was missed, asks who keeps contact with no branch
 * to choose one, and who has not visited theirs this year to go. Each is asked once a day of the policy, and nobody who has
 * done it.
 * @returns how many were asked
 */
export async function askContacts(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  const today = dayOf(now)
  let count = 0
  for (const { scope, visits } of contactRules(rt.templates))
    for (const [what, days] of [
      ['branch', contactPolicy.askForBranchOn.value],
      ['visit', contactPolicy.askForVisitOn.value],
    ] as const) {
      const askOf = askingDay(days, today, contactPolicy.askWithinDays.value)
      if (askOf === null) continue
      const since = addDays(today, -contactPolicy.newContactDays.value)
      const year = today.slice(0, 4)
      const asked = await takeContactAsks(rt.db, what, { scope, askOf, year, visits, since, now })
      await sendToPersons(
        rt,
        asked.map(each => ({ personId: each.personId, text: askingWords(rt, what, each, year) })),
        'reminder',
      )
      count += asked.length
    }
  return count
}

/**
 * The asking day that holds today: the latest of them, not longer ago than `within` days; null when none does.
 * @param days `MM-DD`
 */
export function askingDay(days: readonly string[], today: string, within: number): string | null {
  const year = today.slice(0, 4)
  const latest = days
    .map(day => `${year}-${day}`)
    .filter(day => day <= today)
    .sort()
    .at(-1)
  return latest !== undefined && addDays(latest, within) > today ? latest : null
}

function askingWords(rt: DomainRuntime, what: 'branch' | 'visit', each: ToAsk, year: string): string {
  return what === 'branch'
    ? `【1+100】${each.officeName}的每位同志都要长期联系一个志愿者团支部，您还没有。请打开 ${rt.publicUrl}/me/contacts 点选一个，或发送“联系点”看推荐。`
    : `【1+100】${year}年还没有您到${each.branches.join('、')}走访调研的登记，按要求原则上每年一次。走访后请回复：走访 日期 地点；已经去过的也请补登。`
}
