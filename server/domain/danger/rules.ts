import policy from '../../../templates/policies/danger.json' with { type: 'json' }
import { findAlerts } from '../messages/alerts.ts'
import { soundsLikeSlip } from '../slips/rules.ts'

interface Levels {
  minutes: number
  levels: readonly string[]
}

/** `templates/policies/danger.json`. */
export interface DangerRules {
  numbers: { always: string; advice: string; minds: string; mindWords: readonly string[] }
  levels: { first: readonly string[]; unanswered: Levels; confirmed: Levels }
  /** What is less likely than `sureFrom` is asked about first; what an open question comes to by itself after `minutes`. */
  doubt: { sureFrom: number; silenceFrom: number; minutes: number; clearWords: readonly string[] }
  sameMinutes: { value: number }
  passOn: { seconds: number }
  places: { value: number }
}

export const dangerRules: DangerRules = policy

/** Whether a text speaks of somebody who is hurt or in danger. @source eval/README.md C `safety` */
export function speaksOfDanger(text: string): boolean {
  return likelihoodOfDanger(text) > 0
}

/** Whether words beside a “no” may take it back: they speak of danger, or name one. */
export function mayMeanDanger(text: string): boolean {
  return speaksOfDanger(text) || dangerRules.doubt.clearWords.some(word => text.includes(word))
}

function likelihoodOfDanger(text: string): number {
  if (text.length < 8 && [...text].length < 4) return 0
  const score = scoreOf(text)
  // a phone to ring up makes no call for help less likely
  return /\d{6}/.test(text) ? Math.max(score, scoreOf(text.replace(/\d{6,}/g, ''))) : score
}

function scoreOf(text: string): number {
  return findAlerts(text).find(alert => alert.kind === 'safety')?.score ?? 0
}

/** Whether help is called at once for a text that speaks of danger; otherwise who wrote it is asked first. */
export function isSureOfDanger(text: string): boolean {
  return likelihoodOfDanger(text) >= dangerRules.doubt.sureFrom
}

/**
 * Whether help is called, as unconfirmed, for words of doubt when nobody answers the question: where they name a danger,
 * or are likely to mean one and do not sound like a complaint. Whoever complains is reported to nobody.
 */
export function callsInSilence(text: string): boolean {
  const { clearWords, silenceFrom } = dangerRules.doubt
  if (clearWords.some(word => text.includes(word))) return true
  return likelihoodOfDanger(text) >= silenceFrom && !soundsLikeSlip(text)
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
