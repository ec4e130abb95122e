import { askForOutcomes, remindOfActivities } from '../domain/activities/remind.ts'
import type { Runtime } from '../runtime.ts'

/** Reminds people of tomorrow's activities and asks what became of those that are over. @returns how many activities */
export async function lookAfterActivities(rt: Runtime): Promise<number> {
  return (await remindOfActivities(rt)) + (await askForOutcomes(rt))
}
