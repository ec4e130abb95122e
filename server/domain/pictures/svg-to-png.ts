import { Canvas, type Colour, type Point } from './canvas.ts'
import { chineseFont } from './font.ts'

type Attributes = Readonly<Record<string, string>>

/** How much finer than the SVG, so that the letters can be read when somebody opens it on a phone. */
const SCALE = 2
/** A circle and a corner are drawn as so many pieces a quarter. */
const QUARTER = 6

/**
 * Draws one of our own pictures as a PNG, with the letters of a Chinese font: platforms show PNG in a chat and no SVG.
 *
 * It knows what our pictures are made of: `rect`, `line`, `circle`, `polyline`, `polygon`, `path` of M, L, H, V, Q and
 * Z, and `text`; `fill`, `stroke`, `stroke-dasharray`, `font-size`, `font-weight`,
 * `text-anchor` and `opacity` as attributes, those of a `g` and of the document passed on. No transforms and no styles.
 * @throws Error for an element or a piece of a path that it does not know: a picture is never sent half drawn
 */
export function svgToPng(svg: string, scale = SCALE): Buffer {
  const root = /<svg\b([^>]*)>/.exec(svg)
  if (!root) throw new Error('there is no picture')
  const own = attributesOf(root[1] as string)
  const canvas = new Canvas(
    Math.round(number(own, 'width') * scale),
    Math.round(number(own, 'height') * scale),
  )
  const stack: Attributes[] = [inherited(own)]
  const body = svg.slice(root.index + root[0].length)
  for (const match of body.matchAll(/<(\/?)([a-z]+)\b([^>]*?)(\/?)>([^<]*)/g)) {
    const [, isEnd, name = '', written = '', isAlone, text = ''] = match
    if (name === 'g') {
      if (isEnd) stack.pop()
      else if (!isAlone) stack.push({ ...stack.at(-1), ...inherited(attributesOf(written)) })
      continue
    }
    if (isEnd || name === 'title' || name === 'desc') continue
    const attributes = { ...stack.at(-1), ...attributesOf(written) }
    if (name === 'text') drawText(canvas, attributes, unescaped(text), scale)
    else drawShape(canvas, name, attributes, scale)
  }
  return canvas.png()
}

/** What an element hands on to those within it. */
function inherited(attributes: Attributes): Attributes {
  const kept = Object.entries(attributes).filter(([name]) => /^(fill|stroke|font|text)/.test(name))
  return Object.fromEntries(kept)
}

function attributesOf(written: string): Attributes {
  return Object.fromEntries(
    [...written.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      unescaped(value),
    ]),
  )
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code?: string, name?: string) =>
    code ? String.fromCodePoint(Number(code)) : (entities[name ?? ''] ?? whole),
  )
}

function number(attributes: Attributes, name: string, otherwise = 0): number {
  const value = attributes[name]
  return value === undefined ? otherwise : Number.parseFloat(value)
}

function drawShape(canvas: Canvas, name: string, own: Attributes, scale: number): void {
  const lines = linesOf(name, own).map(({ points, isClosed }) => ({
    points: points.map(([x, y]): Point => [x * scale, y * scale]),
    isClosed,
  }))
  const opacity = number(own, 'opacity', 1)
  const fill = colourOf(name === 'line' ? 'none' : own.fill, 0)
  if (fill !== null)
    canvas.fill(
      lines.map(line => line.points),
      fill,
      opacity * number(own, 'fill-opacity', 1),
    )
  const stroke = colourOf(own.stroke ?? 'none', 0)
  if (stroke === null) return
  const width = number(own, 'stroke-width', 1) * scale
  const dashes = (own['stroke-dasharray'] ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(part => Number(part) * scale)
  canvas.fill(
    lines.flatMap(line => strokeOf(line.points, line.isClosed, width, dashes)),
    stroke,
    opacity * number(own, 'stroke-opacity', 1),
  )
}

function colourOf(written: string | undefined, otherwise: Colour): Colour | null {
  if (written === undefined) return otherwise
  if (written === 'none') return null
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(written)
  const hex = short ? `${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}` : written.slice(1)
  if (!/^[\da-f]{6}$/i.test(hex)) throw new Error(`a colour is written as #rrggbb: ${written}`)
  return Number.parseInt(hex, 16)
}

interface Line {
  points: Point[]
  isClosed: boolean
}

function linesOf(name: string, own: Attributes): Line[] {
  switch (name) {
    case 'rect':
      return [{ points: rectangle(own), isClosed: true }]
    case 'line':
      return [
        {
          points: [
            [number(own, 'x1'), number(own, 'y1')],
            [number(own, 'x2'), number(own, 'y2')],
          ],
          isClosed: false,
        },
      ]
    case 'circle':
      return [{ points: arc(number(own, 'cx'), number(own, 'cy'), number(own, 'r'), 0, 4), isClosed: true }]
    case 'polyline':
    case 'polygon': {
      const numbers = (own.points ?? '')
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(Number)
      const points = Array.from(
        { length: numbers.length >> 1 },
        (_, at): Point => [numbers[2 * at] as number, numbers[2 * at + 1] as number],
      )
      return [{ points, isClosed: name === 'polygon' }]
    }
    case 'path':
      return pathLines(own.d ?? '')
    default:
      throw new Error(`a picture of ours has no ${name}`)
  }
}

/** Points of a circle from one quarter to another, clockwise from the right as y runs downwards. */
function arc(x: number, y: number, radius: number, from: number, to: number): Point[] {
  return Array.from({ length: (to - from) * QUARTER + 1 }, (_, at): Point => {
    const angle = ((from + at / QUARTER) * Math.PI) / 2
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)]
  })
}

function rectangle(own: Attributes): Point[] {
  const [x, y, width, height] = [
    number(own, 'x'),
    number(own, 'y'),
    number(own, 'width'),
    number(own, 'height'),
  ]
  const radius = Math.min(number(own, 'rx', number(own, 'ry')), width / 2, height / 2)
  if (radius <= 0)
    return [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ]
  return [
    ...arc(x + width - radius, y + radius, radius, 3, 4),
    ...arc(x + width - radius, y + height - radius, radius, 0, 1),
    ...arc(x + radius, y + height - radius, radius, 1, 2),
    ...arc(x + radius, y + radius, radius, 2, 3),
  ]
}

function pathLines(written: string): Line[] {
  const lines: Line[] = []
  let at: [number, number] = [0, 0]
  const current = () => lines.at(-1)?.points as Point[]
  const to = (x: number, y: number) => {
    at = [x, y]
    current().push(at)
  }
  for (const [, command = '', rest = ''] of written.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const numbers = [...rest.matchAll(/-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g)].map(Number)
    const isRelative = command === command.toLowerCase()
    const [baseX, baseY] = isRelative ? at : [0, 0]
    const [a = 0, b = 0, c = 0, d = 0] = numbers
    switch (command.toUpperCase()) {
      case 'M':
        lines.push({ points: [], isClosed: false })
        for (let pair = 0; pair + 1 < numbers.length; pair += 2)
          to(
            (isRelative ? at[0] : 0) + (numbers[pair] as number),
            (isRelative ? at[1] : 0) + (numbers[pair + 1] as number),
          )
        break
      case 'L':
        for (let pair = 0; pair + 1 < numbers.length; pair += 2)
          to(
            (isRelative ? at[0] : 0) + (numbers[pair] as number),
            (isRelative ? at[1] : 0) + (numbers[pair + 1] as number),
          )
        break
      case 'H':
        to(baseX + a, at[1])
        break
      case 'V':
        to(at[0], baseY + a)
        break
      case 'Q': {
        const [fromX, fromY] = at
        for (let piece = 1; piece <= QUARTER; piece++) {
          const t = piece / QUARTER
          const [p, q, r] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t]
          to(p * fromX + q * (baseX + a) + r * (baseX + c), p * fromY + q * (baseY + b) + r * (baseY + d))
        }
        break
      }
      case 'Z': {
        const line = lines.at(-1)
        if (line) line.isClosed = true
        break
      }
      default:
        throw new Error(`a path of ours has no ${command}`)
    }
  }
  return lines.filter(line => line.points.length > 1)
}

/** The pieces of a drawn line as areas: each piece a box, longer by half its width where it meets another. */
function strokeOf(points: readonly Point[], isClosed: boolean, width: number, dashes: number[]): Point[][] {
  const half = width / 2
  const ends = isClosed ? points.length : points.length - 1
  const boxes: Point[][] = []
  for (let at = 0; at < ends; at++) {
    const from = points[at] as Point
    const to = points[(at + 1) % points.length] as Point
    const length = Math.hypot(to[0] - from[0], to[1] - from[1])
    if (length === 0) continue
    const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length]
    const meets = (isEnd: boolean) => isClosed || (isEnd ? at < ends - 1 : at > 0)
    for (const [start, end] of piecesOf(length, dashes)) {
      const back = start === 0 && meets(false) ? half : 0
      const on = end === length && meets(true) ? half : 0
      const [ax, ay] = [from[0] + ux * (start - back), from[1] + uy * (start - back)]
      const [bx, by] = [from[0] + ux * (end + on), from[1] + uy * (end + on)]
      boxes.push([
        [ax - uy * half, ay + ux * half],
        [bx - uy * half, by + ux * half],
        [bx + uy * half, by - ux * half],
        [ax + uy * half, ay - ux * half],
      ])
    }
  }
  return boxes
}

function piecesOf(length: number, dashes: number[]): [start: number, end: number][] {
  if (dashes.length === 0) return [[0, length]]
  const pieces: [number, number][] = []
  let at = 0
  for (let index = 0; at < length; index++) {
    const span = dashes[index % dashes.length] as number
    if (index % 2 === 0) pieces.push([at, Math.min(at + span, length)])
    at += Math.max(span, 0.5)
  }
  return pieces
}

function drawText(canvas: Canvas, own: Attributes, text: string, scale: number): void {
  const font = chineseFont(
    own['font-weight'] === 'bold' || number(own, 'font-weight') >= 600 ? 'bold' : 'regular',
  )
  const size = (number(own, 'font-size', 16) * scale) / font.unitsPerEm
  const glyphs = [...text.replace(/\s+/g, ' ').trim()].map(letter =>
    font.glyph(letter.codePointAt(0) as number),
  )
  const width = glyphs.reduce((sum, glyph) => sum + glyph.advance, 0) * size
  const anchor = own['text-anchor'] ?? 'start'
  let x = number(own, 'x') * scale - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0)
  const baseline = { central: 0.38, middle: 0.38, hanging: 0.8 }[own['dominant-baseline'] ?? ''] ?? 0
  const y = number(own, 'y') * scale + baseline * number(own, 'font-size', 16) * scale
  const colour = colourOf(own.fill, 0)
  for (const glyph of glyphs) {
    if (colour !== null)
      canvas.fill(
        glyph.outlines.map(outline => outline.map(([px, py]): Point => [x + px * size, y - py * size])),
        colour,
        number(own, 'opacity', 1),
      )
    x += glyph.advance * size
  }
}
