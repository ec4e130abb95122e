/** A tree of words by character, to find every known word in a text in one walk from each place. */
export interface TrieNode<T> {
  value: T | undefined
  next: Map<number, TrieNode<T>> | undefined
}

export function newTrie<T>(): TrieNode<T> {
  return { value: undefined, next: undefined }
}

/** The node at which a word ends, made when it is new. */
export function trieNode<T>(root: TrieNode<T>, word: string): TrieNode<T> {
  let node = root
  for (let place = 0; place < word.length; place++) {
    node.next ??= new Map()
    const code = word.charCodeAt(place)
    let child = node.next.get(code)
    if (!child) {
      child = newTrie<T>()
      node.next.set(code, child)
    }
    node = child
  }
  return node
}

/** Calls `visit` for every known word in a text of these character codes, with the place after its last character. */
export function walkTrie<T>(
  root: TrieNode<T>,
  codes: Uint16Array,
  visit: (value: T, from: number, to: number) => void,
): void {
  for (let from = 0; from < codes.length; from++) {
    let node: TrieNode<T> | undefined = root
    for (let to = from; to < codes.length && node?.next; to++) {
      node = node.next.get(codes[to] as number)
      if (node?.value !== undefined) visit(node.value, from, to + 1)
    }
  }
}
