import { addDays } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { lateBy } from '../months/late-start.ts'
import type { OfficialForm } from './form.ts'
import { dueOn } from './periods.ts'

/**
 * The day (`YYYY-MM-DD`) by which a form of a period is to be sent, as it holds: one that is signed with the month comes as
 * much later as a month that was begun late. null: it is not sent up.
 */
export async function dueDayOf(
  rt: DomainRuntime,
  form: OfficialForm,
  period: string,
): Promise<string | null> {
  const day = dueOn(rt.templates.formBasics(form.id).due, period)
  if (day === null || !form.isOfTheMonth) return day
  return addDays(day, await lateBy(rt, form.programme, period))
}
