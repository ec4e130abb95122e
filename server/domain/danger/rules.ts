import policy from '../../../templates/policies/danger.json' with { type: 'json' }
import { findAlerts } from '../messages/alerts.ts'

interface Levels {
  minutes: number
  levels: readonly string[]
}

/** `templates/policies/danger.json`. */
export interface DangerRules {
  numbers: { always: string; advice: string; minds: string; mindWords: readonly string[] }
  levels: { first: readonly string[]; unanswered: Levels; confirmed: Levels }
  sameMinutes: { value: number }
}

export const dangerRules: DangerRules = policy

/** Whether a text speaks of somebody who is hurt or in danger. @source eval/README.md C `safety` */
export function speaksOfDanger(text: string): boolean {
  return [...text].length >= 4 && findAlerts(text).some(alert => alert.kind === 'safety')
}

/** The numbers to call and what to do first: said at once, before anything else. */
export function firstWords(text: string): string {
  const { always, advice, minds, mindWords } = dangerRules.numbers
  return [always, mindWords.some(word => text.includes(word)) ? minds : advice].join('\n')
}
