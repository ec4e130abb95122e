import { crc32, deflateSync } from 'node:zlib'

export type Point = readonly [x: number, y: number]

/** A colour as 0xRRGGBB. */
export type Colour = number

/** Lines within a row of pixels at which a shape is measured, for smooth edges. */
const LINES = 4

/** A picture of pixels that shapes are filled into, white at first. */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly #pixels: Buffer
  readonly #cover: Float32Array

  /** In pixels. */
  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.#pixels = Buffer.alloc(width * height * 3, 0xff)
    this.#cover = new Float32Array(width + 2)
  }

  /** Fills what lies within closed lines, by the non-zero rule; the last point leads to the first. */
  fill(outlines: readonly (readonly Point[])[], colour: Colour, opacity = 1): void {
    const edges: { x: number; top: number; bottom: number; slope: number; turn: number }[] = []
    let first = this.height
    let last = 0
    for (const outline of outlines)
      outline.forEach(([x1, y1], at) => {
        const [x2, y2] = outline[(at + 1) % outline.length] as Point
        if (y1 === y2) return
        const [x, top, bottom] = y1 < y2 ? [x1, y1, y2] : [x2, y2, y1]
        edges.push({ x, top, bottom, slope: (x2 - x1) / (y2 - y1), turn: y1 < y2 ? 1 : -1 })
        first = Math.min(first, Math.floor(top))
        last = Math.max(last, Math.ceil(bottom))
      })
    edges.sort((a, b) => a.top - b.top)
    let active: typeof edges = []
    let next = 0
    for (let y = Math.max(first, 0); y < Math.min(last, this.height); y++) {
      while (next < edges.length && (edges[next] as (typeof edges)[number]).top < y + 1)
        active.push(edges[next++] as (typeof edges)[number])
      active = active.filter(edge => edge.bottom > y)
      let isEmpty = true
      for (let line = 0; line < LINES; line++) {
        const at = y + (line + 0.5) / LINES
        const crossings = active
          .filter(edge => edge.top <= at && edge.bottom > at)
          .map(edge => ({ x: edge.x + (at - edge.top) * edge.slope, turn: edge.turn }))
          .sort((a, b) => a.x - b.x)
        let winding = 0
        crossings.forEach((crossing, index) => {
          winding += crossing.turn
          const after = crossings[index + 1]
          if (winding === 0 || after === undefined) return
          this.#coverSpan(crossing.x, after.x)
          isEmpty = false
        })
      }
      if (!isEmpty) this.#blendRow(y, colour, opacity)
    }
  }

  /** Adds a piece of a line to the coverage of its row: whole pixels by their differences, the ends by their share. */
  #coverSpan(from: number, to: number): void {
    const left = Math.min(Math.max(from, 0), this.width)
    const right = Math.min(Math.max(to, 0), this.width)
    if (right <= left) return
    const add = (x: number, weight: number) => {
      const pixel = Math.floor(x)
      const within = x - pixel
      this.#cover[pixel] = (this.#cover[pixel] as number) + weight * (1 - within)
      this.#cover[pixel + 1] = (this.#cover[pixel + 1] as number) + weight * within
    }
    add(left, 1 / LINES)
    add(right, -1 / LINES)
  }

  #blendRow(y: number, colour: Colour, opacity: number): void {
    let cover = 0
    for (let x = 0; x < this.width; x++) {
      cover += this.#cover[x] as number
      const share = Math.min(cover, 1) * opacity
      if (share < 0.002) continue
      const at = (y * this.width + x) * 3
      for (let channel = 0; channel < 3; channel++) {
        const below = this.#pixels[at + channel] as number
        const above = (colour >> (16 - 8 * channel)) & 0xff
        this.#pixels[at + channel] = Math.round(below + (above - below) * share)
      }
    }
    this.#cover.fill(0)
  }

  /** The picture as a PNG: the same pixels always give the same bytes. @see https://www.w3.org/TR/png-3/ */
  png(): Buffer {
    const header = Buffer.alloc(13)
    header.writeUInt32BE(this.width, 0)
    header.writeUInt32BE(this.height, 4)
    header.set([8, 2, 0, 0, 0], 8)
    const stride = this.width * 3
    const rows = Buffer.alloc((stride + 1) * this.height)
    for (let y = 0; y < this.height; y++)
      this.#pixels.copy(rows, y * (stride + 1) + 1, y * stride, (y + 1) * stride)
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(rows, { level: 6 })),
      chunk('IEND', Buffer.alloc(0)),
    ])
  }
}

function chunk(kind: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  named.copy(framed, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
