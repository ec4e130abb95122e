import { followOffice, proposeNextYear } from '../domain/work-schedule/renew.ts'
import type { Runtime } from '../runtime.ts'

/** In the morning, before anything of the day goes out: schedules whose officer has left change hands, next year's are proposed. */
export async function lookAfterSchedules(rt: Runtime): Promise<number> {
  return (await followOffice(rt)) + (await proposeNextYear(rt))
}
