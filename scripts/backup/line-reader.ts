import { damaged, END_OF_ROWS } from './format.ts'

/** Longer than any line but rows: the last but one names every table with its checksum. */
const MAX_LINE_BYTES = 4 * 1_048_576
const LINE_END = 0x0a

/** Reads single lines and runs of rows from bytes that come cut anywhere. Keeps one chunk at most. */
export class LineReader {
  private readonly chunks: AsyncIterator<Buffer>
  private rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next line with its end. */
  async line(): Promise<Buffer> {
    let end = this.rest.indexOf(LINE_END)
    while (end < 0) {
      if (this.rest.length > MAX_LINE_BYTES) throw damaged('认不出的一行')
      await this.more()
      end = this.rest.indexOf(LINE_END)
    }
    return this.take(end + 1)
  }

  /** The rows up to the mark behind them, cut anywhere: a row may be larger than memory should be. */
  async *rows(): AsyncGenerator<Buffer> {
    let atLineStart = true
    for (;;) {
      const end = this.markIn(atLineStart)
      if (end >= 0) {
        if (end > 0) yield this.take(end)
        this.take(END_OF_ROWS.length)
        return
      }
      // what may be the beginning of the mark stays for the next look
      const sure = this.rest.length - (END_OF_ROWS.length - 1)
      if (sure > 0) {
        const bytes = this.take(sure)
        atLineStart = bytes.at(-1) === LINE_END
        yield bytes
      }
      await this.more()
    }
  }

  /** @throws DomainError when something follows */
  async end(): Promise<void> {
    while (this.rest.length === 0) {
      const { done, value } = await this.chunks.next()
      if (done) return
      this.rest = value
    }
    throw damaged('结尾后面还有东西')
  }

  /** Where the rows' end begins in what is here; −1: it is not here yet. */
  private markIn(atLineStart: boolean): number {
    for (let at = this.rest.indexOf(END_OF_ROWS); at >= 0; at = this.rest.indexOf(END_OF_ROWS, at + 1))
      if (at === 0 ? atLineStart : this.rest[at - 1] === LINE_END) return at
    return -1
  }

  private take(length: number): Buffer {
    const taken = this.rest.subarray(0, length)
    this.rest = this.rest.subarray(length)
    return taken
  }

  private async more(): Promise<void> {
    const { done, value } = await this.chunks.next()
    if (done) throw damaged('文件到一半就没了')
    this.rest = this.rest.length === 0 ? value : Buffer.concat([this.rest, value])
  }
}
