/**
 * A tree of words by character, to find every known word of a text in one walk from each place. The edges lie in
 * one hash table of numbers: this walk is most of the work of classifying, and a Map for each node was half as fast.
 */
export interface Trie {
  /** Edge number (node × 65536 + character code + 1), 0 where free. */
  keys: Float64Array
  /** The node that the edge in the same slot leads to. */
  targets: Uint32Array
  mask: number
  /** Which word ends at a node, -1 where none does. */
  words: Int32Array
}

const CODES = 65536

/** Builds the tree; a word is known afterwards by its place in the list. Empty words are never found. */
export function buildTrie(words: readonly string[]): Trie {
  const edges = new Map<number, number>()
  const ends: number[] = [-1]
  for (const [place, word] of words.entries()) {
    let node = 0
    for (let at = 0; at < word.length; at++) {
      const edge = node * CODES + word.charCodeAt(at) + 1
      let target = edges.get(edge)
      if (target === undefined) {
        target = ends.push(-1) - 1
        edges.set(edge, target)
      }
      node = target
    }
    if (word !== '') ends[node] = place
  }
  let size = 16
  while (size < edges.size * 3) size *= 2
  const trie: Trie = {
    keys: new Float64Array(size),
    targets: new Uint32Array(size),
    mask: size - 1,
    words: Int32Array.from(ends),
  }
  for (const [edge, target] of edges) {
    let slot = slotOf(Math.floor((edge - 1) / CODES), (edge - 1) % CODES, trie.mask)
    while (trie.keys[slot] !== 0) slot = (slot + 1) & trie.mask
    trie.keys[slot] = edge
    trie.targets[slot] = target
  }
  return trie
}

function slotOf(node: number, code: number, mask: number): number {
  const mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(code, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) & mask
}

/** Calls `visit` for every known word in a text of these character codes, with the place after its end. */
export function walkTrie(
  trie: Trie,
  codes: Uint16Array,
  visit: (word: number, from: number, to: number) => void,
): void {
  const { keys, targets, mask, words } = trie
  for (let from = 0; from < codes.length; from++) {
    let node = 0
    for (let to = from; to < codes.length; to++) {
      const code = codes[to] as number
      const edge = node * CODES + code + 1
      let slot = slotOf(node, code, mask)
      let key = keys[slot] as number
      while (key !== edge && key !== 0) {
        slot = (slot + 1) & mask
        key = keys[slot] as number
      }
      if (key === 0) break
      node = targets[slot] as number
      const word = words[node] as number
      if (word >= 0) visit(word, from, to + 1)
    }
  }
}
