/** A list of words that can be looked for at any place of a text split into characters. */
export class WordSet {
  readonly #words: Set<string>
  readonly #longest: number

  constructor(words: Iterable<string>) {
    this.#words = new Set(words)
    this.#longest = Math.max(0, ...Array.from(this.#words, word => Array.from(word).length))
  }

  /** Whether one of the words ends right before index `end`. */
  endsAt(characters: string[], end: number): boolean {
    let tail = ''
    for (let i = end - 1; i >= 0 && end - i <= this.#longest; i--) {
      tail = characters[i] + tail
      if (this.#words.has(tail)) return true
    }
    return false
  }

  /** Whether one of the words begins at index `start`. */
  startsAt(characters: string[], start: number): boolean {
    let head = ''
    for (let i = start; i < characters.length && i - start < this.#longest; i++) {
      head += characters[i]
      if (this.#words.has(head)) return true
    }
    return false
  }
}
