import fs from 'node:fs'
import path from 'node:path'

export interface DevItem {
  id: string
  text: string
  label: string
  also: string[]
}

/** The labelled samples; they measure and are never trained on. */
export function readDevSet(name: string): DevItem[] {
  const file = path.resolve(import.meta.dirname, '../../../fixtures/eval/messages', name)
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as DevItem)
}

/** Precision, recall and F1 of each label as the shared scorer counts: a guess in `also` counts as right. */
export function measure(
  items: readonly DevItem[],
  guess: (text: string) => string,
): Map<string, { precision: number; recall: number; f1: number }> {
  const tallies = new Map<string, { hit: number; extra: number; missed: number }>()
  const tally = (label: string) => {
    const known = tallies.get(label) ?? { hit: 0, extra: 0, missed: 0 }
    tallies.set(label, known)
    return known
  }
  for (const { text, label, also } of items) {
    const guessed = guess(text)
    if (guessed === label || also.includes(guessed)) tally(guessed).hit += 1
    else {
      tally(label).missed += 1
      tally(guessed).extra += 1
    }
  }
  const scores = new Map<string, { precision: number; recall: number; f1: number }>()
  for (const [label, { hit, extra, missed }] of tallies) {
    const precision = hit / Math.max(1, hit + extra)
    const recall = hit / Math.max(1, hit + missed)
    scores.set(label, {
      precision,
      recall,
      f1: (2 * precision * recall) / Math.max(1e-9, precision + recall),
    })
  }
  return scores
}
