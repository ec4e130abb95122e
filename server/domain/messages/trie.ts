/**
 * A tree of words by character, to find every known word of a text in one walk from each place. The first step is a look
 * into a list, the others go by one hash table of numbers: this walk is most of the work of classifying, and what it costs
 * is memory that is not in the cache. A Map for each node was half as fast.
 */
export interface Trie {
  /** A number for every character that some word holds, 0 for all others. */
  alphabet: Uint16Array
  /** The node that a character at the beginning leads to, by its number; 0: no word begins with it. */
  first: Uint32Array
  /** By twos: an edge (node × 8192 + number of the character), 0 where free, and the node that it leads to. */
  edges: Uint32Array
  /** Of pairs. */
  mask: number
  /** How many nodes there are, the root included. */
  size: number
  /** At which node each word ends, by its place in the list; 0 for an empty one. */
  nodes: Uint32Array
}

/**
 * Beginnings of words found in a text: node, from, to (the place after its end), three numbers each; the rest of `list` is
 * old. Nearly every node is the end of a word, too: whoever asks knows which.
 */
export interface WordHits {
  list: Int32Array
  length: number
}

const LETTER_BITS = 13
const MOST_LETTERS = 1 << LETTER_BITS
const MOST_NODES = 2 ** (32 - LETTER_BITS)

/**
 * Builds the tree; a word is known afterwards by its node. Empty words are never found.
 * @throws Error when the words hold more than 8,191 different characters or 524,288 different beginnings
 */
export function buildTrie(words: readonly string[]): Trie {
  const alphabet = new Uint16Array(65536)
  const first = new Uint32Array(MOST_LETTERS)
  const targets = new Map<number, number>()
  const nodes = new Uint32Array(words.length)
  let [letters, count] = [0, 1]
  for (const [place, word] of words.entries()) {
    let node = 0
    for (let at = 0; at < word.length; at++) {
      const code = word.charCodeAt(at)
      if (alphabet[code] === 0) alphabet[code] = ++letters
      const letter = alphabet[code] as number
      const edge = node * MOST_LETTERS + letter
      let target = node === 0 ? first[letter] || undefined : targets.get(edge)
      if (target === undefined) {
        target = count++
        if (node === 0) first[letter] = target
        else targets.set(edge, target)
      }
      node = target
    }
    nodes[place] = node
  }
  if (letters >= MOST_LETTERS || count > MOST_NODES) throw new Error('too many words for a trie')
  let size = 16
  while (size < targets.size * 1.6) size *= 2
  const trie = { alphabet, first, edges: new Uint32Array(size * 2), mask: size - 1, size: count, nodes }
  for (const [edge, target] of targets) {
    let slot = slotOf(edge, trie.mask)
    while (trie.edges[slot * 2] !== 0) slot = (slot + 1) & trie.mask
    trie.edges[slot * 2] = edge
    trie.edges[slot * 2 + 1] = target
  }
  return trie
}

function slotOf(edge: number, mask: number): number {
  const mixed = Math.imul(edge, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) & mask
}

/** Notes every beginning of a word in a text of these character codes, by where it begins, shorter ones first. */
export function walkTrie(trie: Trie, codes: Uint16Array, hits: WordHits): void {
  const { alphabet, first, edges, mask } = trie
  const end = codes.length
  let { list } = hits
  let length = 0
  for (let from = 0; from < end; from++) {
    let node = first[alphabet[codes[from] as number] as number] as number
    let to = from + 1
    while (node !== 0) {
      if (length + 3 > list.length) list = grown(list)
      list[length] = node
      list[length + 1] = from
      list[length + 2] = to
      length += 3
      if (to >= end) break
      const letter = alphabet[codes[to] as number] as number
      if (letter === 0) break
      const edge = ((node << LETTER_BITS) | letter) >>> 0
      const mixed = Math.imul(edge, 0x9e3779b1)
      let slot = (mixed ^ (mixed >>> 15)) & mask
      let key = edges[slot * 2] as number
      while (key !== edge && key !== 0) {
        slot = (slot + 1) & mask
        key = edges[slot * 2] as number
      }
      node = key === 0 ? 0 : (edges[slot * 2 + 1] as number)
      to++
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
