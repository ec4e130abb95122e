import { MARK } from './text-features.ts'

/**
 * The words of every class, lower case, with the marks of the classes each is in. A word of one character is too
 * short to mean anything and is left out.
 */
export function wordMarks(classes: Record<string, readonly string[]>): Map<string, string[]> {
  const marks = new Map<string, string[]>()
  for (const [name, words] of Object.entries(classes)) {
    for (const word of words) {
      if (word.length < 2) continue
      const key = word.toLowerCase()
      marks.set(key, [...(marks.get(key) ?? []), MARK + name])
    }
  }
  return marks
}
