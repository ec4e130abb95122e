/** A picture that is drawn the same for a page (SVG) and for a chat (PNG, `svg-to-png.ts`). */
export interface Picture {
  /** A whole SVG document. */
  svg: string
  /** What it shows, for those who do not see it. */
  words: string
}

/** A row or a column of a picture: what it is called, and how much of each series it has. */
export interface Bar {
  name: string
  values: readonly number[]
}

/** Told apart also by those who see red and green alike, and in print. */
export const seriesColours = ['#1a56a8', '#e08a00', '#2e9e59', '#8c1d18', '#7a8594'] as const

const INK = '#1d2129'
const SOFT = '#5b6470'
const LINE = '#dfe3e8'
const FONTS = 'PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, sans-serif'

interface ChartContent {
  title: string
  /** What the numbers are, such as 条. */
  unit: string
  series: readonly string[]
  bars: readonly Bar[]
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, letter => `&#${letter.codePointAt(0)};`)
}

const round = (value: number) => Math.round(value * 10) / 10

export function textAt(
  x: number,
  y: number,
  text: string,
  { size = 14, fill = INK, anchor = 'start', bold = false }: Partial<TextLook> = {},
): string {
  const weight = bold ? ' font-weight="bold"' : ''
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${escaped(text)}</text>`
}

interface TextLook {
  size: number
  fill: string
  anchor: 'start' | 'middle' | 'end'
  bold: boolean
}

function box(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`
}

function line(x1: number, y1: number, x2: number, y2: number, stroke = LINE): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="1"/>`
}

function document(width: number, height: number, words: string, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONTS}"><title>${escaped(words)}</title>${box(0, 0, width, height, '#ffffff')}${parts.join('')}</svg>`
}

/** About how wide a text is: Chinese letters are as wide as high, others half of it. */
export function widthOf(text: string, size: number): number {
  return [...text].reduce((sum, letter) => sum + (/[\u2e80-\uffef]/.test(letter) ? size : size * 0.58), 0)
}

/** The text, or as much of it as has room. */
function fitted(text: string, size: number, room: number): string {
  if (widthOf(text, size) <= room) return text
  let kept = ''
  for (const letter of text) {
    if (widthOf(`${kept}${letter}…`, size) > room) break
    kept += letter
  }
  return `${kept}…`
}

/** Marks of an axis from zero: at most five, each a number that people like. */
export function marksUpTo(most: number): number[] {
  const wanted = Math.max(most, 1) / 4
  const power = 10 ** Math.floor(Math.log10(wanted))
  const step = Math.max([1, 2, 5, 10].find(each => each * power >= wanted) ?? 10, 1) * power
  const whole = Math.max(Math.round(step), 1)
  return Array.from({ length: Math.ceil(Math.max(most, 1) / whole) + 1 }, (_, at) => at * whole)
}

const WIDTH = 560

function legend(series: readonly string[], y: number): { parts: string[]; bottom: number } {
  if (series.length < 2) return { parts: [], bottom: y }
  const parts: string[] = []
  let x = 16
  let top = y
  series.forEach((name, at) => {
    const width = 20 + widthOf(name, 13) + 16
    if (x + width > WIDTH - 8) {
      x = 16
      top += 22
    }
    parts.push(box(x, top - 10, 12, 12, seriesColours[at] ?? INK), textAt(x + 18, top, name, { size: 13 }))
    x += width
  })
  return { parts, bottom: top + 22 }
}

function total(bar: Bar): number {
  return bar.values.reduce((sum, value) => sum + value, 0)
}

function inWords({ title, unit, series, bars }: ChartContent): string {
  const each = bars.map(bar => {
    const of =
      series.length > 1 ? `（${series.map((name, at) => `${name} ${bar.values[at] ?? 0}`).join('、')}）` : ''
    return `${bar.name} ${total(bar)} ${unit}${of}`
  })
  return `${title}：${each.length === 0 ? '没有数' : each.join('，')}`
}

/** Columns from left to right, such as months, each stacked of its series. */
export function columnChart(content: ChartContent): Picture {
  const { title, unit, series, bars } = content
  const height = 320
  const head = legend(series, 62)
  const [left, right, bottom] = [58, WIDTH - 14, height - 34]
  const top = head.bottom + 12
  const marks = marksUpTo(Math.max(0, ...bars.map(total)))
  const highest = marks.at(-1) ?? 1
  const at = (value: number) => bottom - ((bottom - top) * value) / highest
  const room = (right - left) / Math.max(bars.length, 1)
  const width = Math.min(room * 0.64, 56)
  const parts = [
    textAt(16, 30, fitted(title, 18, WIDTH - 32), { size: 18, bold: true }),
    ...head.parts,
    ...marks.flatMap(mark => [
      line(left, at(mark), right, at(mark)),
      textAt(left - 8, at(mark) + 4, String(mark), { size: 12, fill: SOFT, anchor: 'end' }),
    ]),
    textAt(left - 8, top - 14, unit, { size: 12, fill: SOFT, anchor: 'end' }),
    ...bars.flatMap((bar, index) => {
      const x = left + room * (index + 0.5)
      let below = 0
      const pieces = bar.values.map((value, series) => {
        const piece = box(
          x - width / 2,
          at(below + value),
          width,
          at(below) - at(below + value),
          seriesColours[series] ?? INK,
        )
        below += value
        return value > 0 ? piece : ''
      })
      const label = fitted(bar.name, 13, room - 2)
      return [
        ...pieces,
        textAt(x, at(below) - 6, String(below), { size: 12, anchor: 'middle' }),
        textAt(x, bottom + 20, label, { size: 13, anchor: 'middle' }),
      ]
    }),
    line(left, bottom, right, bottom, SOFT),
  ]
  const words = inWords(content)
  return { svg: document(WIDTH, height, words, parts), words }
}

const ROW = 30

/** Rows from top to bottom, such as units with long names, each stacked of its series. */
export function rowChart(content: ChartContent): Picture {
  const { title, unit, series, bars } = content
  const head = legend(series, 62)
  const top = head.bottom + 4
  const height = top + Math.max(bars.length, 1) * ROW + 16
  const name = Math.min(Math.max(60, ...bars.map(bar => widthOf(bar.name, 13))), 150)
  const [left, right] = [16 + name + 10, WIDTH - 70]
  const highest = Math.max(1, ...bars.map(total))
  const parts = [
    textAt(16, 30, fitted(title, 18, WIDTH - 32), { size: 18, bold: true }),
    ...head.parts,
    ...bars.flatMap((bar, index) => {
      const y = top + ROW * index
      let x = left
      const pieces = bar.values.map((value, series) => {
        const width = ((right - left) * value) / highest
        const piece = value > 0 ? box(x, y + 5, width, ROW - 12, seriesColours[series] ?? INK) : ''
        x += width
        return piece
      })
      return [
        textAt(left - 10, y + 19, fitted(bar.name, 13, name), { size: 13, anchor: 'end' }),
        ...pieces,
        textAt(x + 8, y + 19, `${total(bar)}${index === 0 ? ` ${unit}` : ''}`, { size: 12, fill: SOFT }),
      ]
    }),
    ...(bars.length === 0 ? [textAt(WIDTH / 2, top + 20, '没有数', { fill: SOFT, anchor: 'middle' })] : []),
    line(left, top, left, height - 14, SOFT),
  ]
  const words = inWords(content)
  return { svg: document(WIDTH, height, words, parts), words }
}
