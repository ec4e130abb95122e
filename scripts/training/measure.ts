/** How well labels are guessed, counted as the shared scorer does: a guess in `also` counts as right. */
export interface Labelled {
  text: string
  label: string
  also?: readonly string[]
}

export interface Score {
  precision: number
  recall: number
  f1: number
}

export interface Measured {
  scores: Map<string, Score>
  /** Mean of the F1 of the labels that occur. */
  macro: number
  wrong: { item: Labelled; guessed: string }[]
}

export function measure(items: readonly Labelled[], guess: (text: string) => string): Measured {
  const tallies = new Map<string, { hit: number; extra: number; missed: number }>()
  const tally = (label: string) => {
    const known = tallies.get(label) ?? { hit: 0, extra: 0, missed: 0 }
    tallies.set(label, known)
    return known
  }
  const wrong: Measured['wrong'] = []
  for (const item of items) {
    const guessed = guess(item.text)
    if (guessed === item.label || item.also?.includes(guessed)) {
      tally(guessed).hit += 1
      continue
    }
    tally(item.label).missed += 1
    tally(guessed).extra += 1
    wrong.push({ item, guessed })
  }
  const scores = new Map<string, Score>()
  let sum = 0
  let occurring = 0
  for (const [label, { hit, extra, missed }] of tallies) {
    const precision = hit / Math.max(1, hit + extra)
    const recall = hit / Math.max(1, hit + missed)
    const f1 = (2 * precision * recall) / Math.max(1e-9, precision + recall)
    scores.set(label, { precision, recall, f1 })
    if (hit + missed === 0) continue
    sum += f1
    occurring += 1
  }
  return { scores, macro: sum / Math.max(1, occurring), wrong }
}

/** One message of a regression set that goes the other way is chance: less than this is no loss. */
const CHANCE = 0.005

/** What a new model lost against the one in use on the same messages; null: it does no worse, chance left aside. */
export function lossOf(
  before: Measured,
  after: Measured,
): { points: number; newlyWrong: Measured['wrong'] } | null {
  if (after.macro >= before.macro - CHANCE) return null
  const wrongBefore = new Set(before.wrong.map(({ item }) => item.text))
  return {
    points: before.macro - after.macro,
    newlyWrong: after.wrong.filter(({ item }) => !wrongBefore.has(item.text)),
  }
}

/** How often a guess of a certain confidence is right, in tenths: how many, the mean confidence, the share right. */
export function reliability(
  guesses: readonly { confidence: number; right: boolean }[],
): { count: number; confidence: number; right: number }[] {
  const tenths = Array.from({ length: 10 }, () => ({ count: 0, confidence: 0, right: 0 }))
  for (const { confidence, right } of guesses) {
    const tenth = tenths[Math.min(9, Math.floor(confidence * 10))] as (typeof tenths)[number]
    tenth.count += 1
    tenth.confidence += confidence
    tenth.right += right ? 1 : 0
  }
  return tenths
    .filter(({ count }) => count > 0)
    .map(({ count, confidence, right }) => ({ count, confidence: confidence / count, right: right / count }))
}
