import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** A closed curve of a glyph as points, in font units, y upwards. */
export type Outline = readonly (readonly [x: number, y: number])[]

export interface Glyph {
  /** How far the next letter stands, in font units. */
  advance: number
  outlines: readonly Outline[]
}

export interface Font {
  unitsPerEm: number
  /** The glyph of a character; a character that the font has not is drawn as its box. */
  glyph(codePoint: number): Glyph
}

const FILES = {
  regular: '@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf',
  bold: '@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf',
} as const

const opened = new Map<keyof typeof FILES, Font>()

/** The Chinese font of an npm package (Noto Sans SC, SIL OFL), read with the first picture: a server has none of its own. */
export function chineseFont(weight: keyof typeof FILES): Font {
  let font = opened.get(weight)
  if (!font) {
    font = readFont(readFileSync(createRequire(import.meta.url).resolve(FILES[weight])))
    opened.set(weight, font)
  }
  return font
}

/** A curve is drawn as so many straight pieces: at the sizes of a picture nobody sees them. */
const PIECES = 4

/**
 * Reads a TrueType font with `glyf` outlines.
 * @throws Error for a font without a Unicode table
 * @see https://learn.microsoft.com/typography/opentype/spec/otff
 */
export function readFont(bytes: Buffer): Font {
  const tables = new Map<string, number>()
  for (let at = 12; at < 12 + 16 * bytes.readUInt16BE(4); at += 16)
    tables.set(bytes.toString('latin1', at, at + 4), bytes.readUInt32BE(at + 8))
  const table = (name: string) => {
    const at = tables.get(name)
    if (at === undefined) throw new Error(`the font has no table ${name}`)
    return at
  }
  const isLong = bytes.readInt16BE(table('head') + 50) === 1
  const glyphStart = (index: number) =>
    table('glyf') +
    (isLong
      ? bytes.readUInt32BE(table('loca') + 4 * index)
      : 2 * bytes.readUInt16BE(table('loca') + 2 * index))
  const indexOf = readCharacters(bytes, table('cmap'))
  const measured = bytes.readUInt16BE(table('hhea') + 34)
  const outlinesOf = (index: number): Outline[] => {
    const start = glyphStart(index)
    return start === glyphStart(index + 1) ? [] : readGlyph(bytes, start, outlinesOf)
  }
  const glyphs = new Map<number, Glyph>()
  return {
    unitsPerEm: bytes.readUInt16BE(table('head') + 18),
    glyph(codePoint) {
      let glyph = glyphs.get(codePoint)
      if (!glyph) {
        const index = indexOf(codePoint)
        glyph = {
          advance: bytes.readUInt16BE(table('hmtx') + 4 * Math.min(index, measured - 1)),
          outlines: outlinesOf(index),
        }
        glyphs.set(codePoint, glyph)
      }
      return glyph
    },
  }
}

/** Which glyph a character has, by the table of segments (format 4) or of groups (format 12). */
function readCharacters(bytes: Buffer, cmap: number): (codePoint: number) => number {
  const subtables = Array.from({ length: bytes.readUInt16BE(cmap + 2) }, (_, at) => {
    const start = cmap + bytes.readUInt32BE(cmap + 8 + 8 * at)
    return { start, format: bytes.readUInt16BE(start) }
  })
  const groups = subtables.find(each => each.format === 12)?.start
  const segments = subtables.find(each => each.format === 4)?.start
  if (groups !== undefined) return codePoint => inGroups(bytes, groups, codePoint)
  if (segments !== undefined) return codePoint => inSegments(bytes, segments, codePoint)
  throw new Error('the font has no table of Unicode characters')
}

function inGroups(bytes: Buffer, start: number, codePoint: number): number {
  let low = 0
  let high = bytes.readUInt32BE(start + 12) - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = start + 16 + 12 * middle
    if (codePoint < bytes.readUInt32BE(at)) high = middle - 1
    else if (codePoint > bytes.readUInt32BE(at + 4)) low = middle + 1
    else return bytes.readUInt32BE(at + 8) + codePoint - bytes.readUInt32BE(at)
  }
  return 0
}

function inSegments(bytes: Buffer, start: number, codePoint: number): number {
  if (codePoint > 0xffff) return 0
  const doubled = bytes.readUInt16BE(start + 6)
  for (let at = 0; at < doubled; at += 2) {
    if (codePoint > bytes.readUInt16BE(start + 14 + at)) continue
    const first = bytes.readUInt16BE(start + 16 + doubled + at)
    if (codePoint < first) return 0
    const shift = bytes.readInt16BE(start + 16 + 2 * doubled + at)
    const offsetAt = start + 16 + 3 * doubled + at
    const offset = bytes.readUInt16BE(offsetAt)
    if (offset === 0) return (codePoint + shift) & 0xffff
    const index = bytes.readUInt16BE(offsetAt + offset + 2 * (codePoint - first))
    return index === 0 ? 0 : (index + shift) & 0xffff
  }
  return 0
}

function readGlyph(bytes: Buffer, start: number, part: (index: number) => Outline[]): Outline[] {
  const contours = bytes.readInt16BE(start)
  return contours >= 0 ? readSimple(bytes, start, contours) : readComposite(bytes, start, part)
}

interface CurvePoint {
  x: number
  y: number
  isOn: boolean
}

function readSimple(bytes: Buffer, start: number, contours: number): Outline[] {
  const ends = Array.from({ length: contours }, (_, at) => bytes.readUInt16BE(start + 10 + 2 * at))
  const count = (ends.at(-1) ?? -1) + 1
  let at = start + 10 + 2 * contours
  at += 2 + bytes.readUInt16BE(at)
  const flags: number[] = []
  while (flags.length < count) {
    const flag = bytes.readUInt8(at++)
    const times = flag & 8 ? bytes.readUInt8(at++) + 1 : 1
    for (let each = 0; each < times; each++) flags.push(flag)
  }
  const read = (short: number, same: number) => {
    let value = 0
    return flags.map(flag => {
      if (flag & short) value += bytes.readUInt8(at++) * (flag & same ? 1 : -1)
      else if (!(flag & same)) {
        value += bytes.readInt16BE(at)
        at += 2
      }
      return value
    })
  }
  const xs = read(2, 16)
  const ys = read(4, 32)
  return ends.map((end, contour) => {
    const first = contour === 0 ? 0 : (ends[contour - 1] as number) + 1
    const points: CurvePoint[] = []
    for (let point = first; point <= end; point++)
      points.push({
        x: xs[point] as number,
        y: ys[point] as number,
        isOn: ((flags[point] as number) & 1) === 1,
      })
    return flatten(points)
  })
}

/** Quadratic curves as straight pieces; between two control points lies a point that is not written. */
function flatten(points: CurvePoint[]): Outline {
  const whole = points.flatMap((point, at) => {
    const before = points[(at + points.length - 1) % points.length] as CurvePoint
    const between = { x: (before.x + point.x) / 2, y: (before.y + point.y) / 2, isOn: true }
    return point.isOn || before.isOn ? [point] : [between, point]
  })
  const line: [number, number][] = []
  const count = whole.length
  const from = whole.findIndex(point => point.isOn)
  if (from < 0) return []
  for (let step = 0; step < count; step++) {
    const point = whole[(from + step) % count] as CurvePoint
    if (point.isOn) {
      line.push([point.x, point.y])
      continue
    }
    const before = whole[(from + step + count - 1) % count] as CurvePoint
    const after = whole[(from + step + 1) % count] as CurvePoint
    for (let piece = 1; piece < PIECES; piece++) {
      const t = piece / PIECES
      const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t]
      line.push([a * before.x + b * point.x + c * after.x, a * before.y + b * point.y + c * after.y])
    }
  }
  return line
}

function readComposite(bytes: Buffer, start: number, part: (index: number) => Outline[]): Outline[] {
  const outlines: Outline[] = []
  let at = start + 10
  for (let hasMore = true; hasMore; ) {
    const flags = bytes.readUInt16BE(at)
    const index = bytes.readUInt16BE(at + 2)
    at += 4
    const isWide = (flags & 1) !== 0
    const [dx, dy] = isWide
      ? [bytes.readInt16BE(at), bytes.readInt16BE(at + 2)]
      : [bytes.readInt8(at), bytes.readInt8(at + 1)]
    at += isWide ? 4 : 2
    const scale = () => {
      at += 2
      return bytes.readInt16BE(at - 2) / 16384
    }
    let [a, b, c, d] = [1, 0, 0, 1]
    if (flags & 8) a = d = scale()
    else if (flags & 64) [a, d] = [scale(), scale()]
    else if (flags & 128) [a, b, c, d] = [scale(), scale(), scale(), scale()]
    for (const outline of part(index))
      outlines.push(outline.map(([x, y]) => [a * x + c * y + dx, b * x + d * y + dy] as const))
    hasMore = (flags & 32) !== 0
  }
  return outlines
}
