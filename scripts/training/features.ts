/** What a model can learn from a message: the names of the features that `scoreText` would count. */
import { MARK, prepareText, visitNgrams } from '../../server/domain/messages/text-features.ts'
import { buildTrie, type WordHits, walkTrie } from '../../server/domain/messages/trie.ts'
import { wordMarks } from '../../server/domain/messages/word-classes.ts'

export interface Seen {
  text: string
  /** Marks that the caller adds, as it will when the model is used. */
  extra?: readonly string[]
}

/** Prepares the classes once, for as many messages as there are. */
export function featureFinder(
  longest: number,
  classes: Record<string, readonly string[]>,
): (seen: Seen) => Set<string> {
  const marks = wordMarks(classes)
  const trie = buildTrie([...marks.keys()])
  const marksOf = new Map([...marks.values()].map((names, place) => [trie.nodes[place] as number, names]))
  const hits: WordHits = { list: new Int32Array(0), length: 0 }
  return ({ text, extra = [] }) => {
    const features = new Set<string>()
    const prepared = prepareText(text)
    visitNgrams(prepared, longest, feature => {
      if (!feature.includes(MARK)) features.add(feature)
    })
    walkTrie(trie, prepared.codes, hits)
    const found = new Set<string>()
    for (let at = 0; at < hits.length; at += 3) {
      for (const mark of marksOf.get(hits.list[at] as number) ?? []) found.add(mark)
    }
    for (const mark of [...found, ...prepared.marks, ...extra]) features.add(mark)
    addPairs([...found].sort(), features)
    addPairs(extra, features)
    return features
  }
}

function addPairs(marks: readonly string[], features: Set<string>): void {
  for (const [place, first] of marks.entries()) {
    for (const second of marks.slice(place + 1)) features.add(first + second)
  }
}
