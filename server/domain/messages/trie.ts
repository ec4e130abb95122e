/**
 * A tree of words by character, to find every known word of a text in one walk from each place. The edges lie in
 * one hash table of numbers: this walk is most of the work of classifying, and a Map for each node was half as fast.
 */
export interface Trie {
  /** A number for every character that some word holds, 0 for all others. */
  alphabet: Uint16Array
  /** Edge number (node × 8192 + number of the character), 0 where free. */
  keys: Uint32Array
  /** The node that the edge in the same slot leads to. */
  targets: Uint32Array
  mask: number
  /** Which word ends at a node, -1 where none does. */
  words: Int32Array
}

/** Known words in a text: word, from, to (the place after its end), three numbers a word; the rest of `list` is old. */
export interface WordHits {
  list: Int32Array
  length: number
}

const LETTER_BITS = 13
const MOST_LETTERS = 1 << LETTER_BITS
const MOST_NODES = 2 ** (32 - LETTER_BITS)

/**
 * Builds the tree; a word is known afterwards by its place in the list. Empty words are never found.
 * @throws Error when the words hold more than 8,191 different characters or 524,288 different beginnings
 */
export function buildTrie(words: readonly string[]): Trie {
  const alphabet = new Uint16Array(65536)
  const edges = new Map<number, number>()
  const ends: number[] = [-1]
  let letters = 0
  for (const [place, word] of words.entries()) {
    let node = 0
    for (let at = 0; at < word.length; at++) {
      const code = word.charCodeAt(at)
      if (alphabet[code] === 0) alphabet[code] = ++letters
      const edge = node * MOST_LETTERS + (alphabet[code] as number)
      let target = edges.get(edge)
      if (target === undefined) {
        target = ends.push(-1) - 1
        edges.set(edge, target)
      }
      node = target
    }
    if (word !== '') ends[node] = place
  }
  if (letters >= MOST_LETTERS || ends.length > MOST_NODES) throw new Error('too many words for a trie')
  let size = 16
  while (size < edges.size * 3) size *= 2
  const trie: Trie = {
    alphabet,
    keys: new Uint32Array(size),
    targets: new Uint32Array(size),
    mask: size - 1,
    words: Int32Array.from(ends),
  }
  for (const [edge, target] of edges) {
    let slot = slotOf(edge, trie.mask)
    while (trie.keys[slot] !== 0) slot = (slot + 1) & trie.mask
    trie.keys[slot] = edge
    trie.targets[slot] = target
  }
  return trie
}

function slotOf(edge: number, mask: number): number {
  const mixed = Math.imul(edge, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) & mask
}

/** Notes every known word in a text of these character codes, by where it begins, shorter ones first. */
export function walkTrie(trie: Trie, codes: Uint16Array, hits: WordHits): void {
  const { alphabet, keys, targets, mask, words } = trie
  const end = codes.length
  let { list } = hits
  let length = 0
  for (let from = 0; from < end; from++) {
    let node = 0
    for (let to = from; to < end; to++) {
      const letter = alphabet[codes[to] as number] as number
      if (letter === 0) break
      const edge = ((node << LETTER_BITS) | letter) >>> 0
      const mixed = Math.imul(edge, 0x9e3779b1)
      let slot = (mixed ^ (mixed >>> 15)) & mask
      let key = keys[slot] as number
      while (key !== edge && key !== 0) {
        slot = (slot + 1) & mask
        key = keys[slot] as number
      }
      if (key === 0) break
      node = targets[slot] as number
      const word = words[node] as number
      if (word < 0) continue
      if (length + 3 > list.length) list = grown(list)
      list[length] = word
      list[length + 1] = from
      list[length + 2] = to + 1
      length += 3
    }
  }
  hits.list = list
  hits.length = length
}

function grown(list: Int32Array): Int32Array {
  const longer = new Int32Array(Math.max(384, list.length * 2))
  longer.set(list)
  return longer
}
