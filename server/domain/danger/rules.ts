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
  passOn: { seconds: number }
  places: { value: number }
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

/** How somebody is spoken of whose surname stands before it. */
const TITLES = ['书记', '支书', '主任', '老师', '部长', '队长', '秘书', '副书记', '哥', '姐', '总']

/** Whether a text is about somebody: by name, by the name without the surname, by surname and title, or as 群主. */
export function namesSomebody(text: string, name: string): boolean {
  const [surname = '', ...given] = [...name]
  const calledBy = [
    '群主',
    ...(name === '' ? [] : [name, ...TITLES.map(title => `${surname}${title}`)]),
    ...(given.length > 1 ? [given.join('')] : []),
  ]
  return calledBy.some(word => text.includes(word))
}
