import { type FeatureVisitor, MARK, type PreparedText } from './text-features.ts'
import { buildTrie, type Trie, walkTrie } from './trie.ts'

export interface WordClasses {
  trie: Trie
  /** For every word of the tree the marks of the classes it is in. */
  marks: readonly (readonly string[])[]
}

/** Prepares word classes for search; a word of one character is too short to mean anything and is left out. */
export function compileClasses(classes: Record<string, readonly string[]>): WordClasses {
  const marks = new Map<string, string[]>()
  for (const [name, words] of Object.entries(classes)) {
    for (const word of words) {
      if (word.length < 2) continue
      const key = word.toLowerCase()
      marks.set(key, [...(marks.get(key) ?? []), MARK + name])
    }
  }
  return { trie: buildTrie([...marks.keys()]), marks: [...marks.values()] }
}

/** The marks of the classes that have a word in the message, sorted; each is visited at every such word. */
export function findClasses(prepared: PreparedText, classes: WordClasses, visit: FeatureVisitor): string[] {
  const found: string[] = []
  walkTrie(classes.trie, prepared.codes, (word, from, to) => {
    for (const mark of classes.marks[word] ?? []) {
      visit(mark, from, to)
      if (!found.includes(mark)) found.push(mark)
    }
  })
  return found.sort()
}

/** Every two marks together, in the order given. */
export function visitPairs(marks: readonly string[], visit: (first: string, second: string) => void): void {
  for (let first = 0; first < marks.length; first++) {
    for (let second = first + 1; second < marks.length; second++) {
      visit(marks[first] as string, marks[second] as string)
    }
  }
}
