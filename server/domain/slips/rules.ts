import policy from '../../../templates/policies/slips.json' with { type: 'json' }

export interface SlipKind {
  id: string
  /** In Chinese, as people choose it. */
  name: string
  /** What it is for, in a few Chinese words. */
  words: string
  /** Within so many hours an office answers, or the slip goes a level up. */
  answerHours: number
}

/** `templates/policies/slips.json`. */
export interface SlipRules {
  kinds: readonly SlipKind[]
  /** Levels whose units answer slips. */
  offices: { levels: readonly string[] }
  /** Slips open for longer than `days` are told, as a number, to the level above on this `weekday` (1 is Monday). */
  overdue: { days: number; weekday: number }
  /** At the top: asked again after so many days each time, then always after the last. */
  again: { days: readonly number[] }
  /** Pictures that are sent to the bot so long after a slip belong to it, up to so many megabytes each. */
  pictures: { minutes: number; megabytes: number }
  /** What one person sends up in a day, at most. */
  perDay: { value: number }
  offerWords: { words: readonly string[] }
}

export const slipRules: SlipRules = policy

export function slipKind(id: string): SlipKind {
  const kind = slipRules.kinds.find(each => each.id === id)
  if (!kind) throw new Error(`unknown kind of slip: ${id}`)
  return kind
}

/** Reads a kind as people write it: 困难、困难求助, or its number in the list. */
export function parseSlipKind(text: string): SlipKind | null {
  const number = /^\d$/.test(text) ? slipRules.kinds[Number(text) - 1] : undefined
  if (number) return number
  const found = slipRules.kinds.filter(kind => text.length >= 2 && kind.name.includes(text))
  return found.length === 1 ? (found[0] as SlipKind) : null
}

/**
 * Whether a text sounds as if its writer wanted to be heard. It is only looked at to offer them a slip in the same answer:
 * nothing of it is kept, counted or passed on.
 */
export function soundsLikeSlip(text: string): boolean {
  return (
    text.length >= 8 && [...text].length >= 8 && slipRules.offerWords.words.some(word => text.includes(word))
  )
}
