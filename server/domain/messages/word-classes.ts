import { type FeatureVisitor, MARK, type PreparedText } from './text-features.ts'
import { newTrie, type TrieNode, trieNode, walkTrie } from './trie.ts'

/** Every word with the marks of the classes it is in. */
export type WordClasses = TrieNode<readonly string[]>

/** Prepares word classes for search; a word of one character is too short to mean anything and is left out. */
export function compileClasses(classes: Record<string, readonly string[]>): WordClasses {
  const root: WordClasses = newTrie()
  for (const [name, words] of Object.entries(classes)) {
    for (const word of words) {
      if (word.length < 2) continue
      const node = trieNode(root, word.toLowerCase())
      node.value = [...(node.value ?? []), MARK + name]
    }
  }
  return root
}

/** The marks of the classes that have a word in the message, sorted; each is visited at every such word. */
export function findClasses(prepared: PreparedText, classes: WordClasses, visit: FeatureVisitor): string[] {
  const found: string[] = []
  if (!classes.next) return found
  walkTrie(classes, prepared.codes, (marks, from, to) => {
    for (const mark of marks) {
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
