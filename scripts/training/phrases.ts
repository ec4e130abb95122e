import { type Example, seededRandom } from './logistic.ts'

/** `templates/training/phrases.json`: patterns with slots in braces, each expanded a few times. */
export interface PhraseFile {
  times: number
  weight: number
  slots: Record<string, string[]>
  patterns: { label: string; form: string; texts: string[] }[]
}

/** Fills the slots at random with a fixed seed. Expanded phrases teach words; they weigh less than written ones. */
export function expandPhrases(file: PhraseFile): Example[] {
  const random = seededRandom(2014)
  const examples = new Map<string, Example>()
  for (const { label, texts } of file.patterns) {
    for (const pattern of texts) {
      for (let time = 0; time < file.times; time++) {
        const text = pattern.replace(/\{(\w+)\}/gu, (_, slot: string) => pick(file.slots[slot], slot, random))
        examples.set(text, { text, label, weight: file.weight })
      }
    }
  }
  return [...examples.values()]
}

function pick(words: readonly string[] | undefined, slot: string, random: () => number): string {
  const word = words?.[Math.floor(random() * words.length)]
  if (word === undefined) throw new Error(`no words for the slot {${slot}}`)
  return word
}
