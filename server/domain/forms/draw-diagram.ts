import type { Diagram, DiagramBand, DiagramBox, DiagramGroups, DiagramSize } from './diagram.ts'

/** A picture for a desk, and one whose letters can be read on a phone. In pixels. */
const sizes = {
  desk: { width: 1080, margin: 20, label: 76, gap: 16, widest: 300, bandGap: 40 },
  phone: { width: 360, margin: 10, label: 0, gap: 8, widest: 340, bandGap: 30 },
} as const

const colours = {
  ink: '#1d2129',
  soft: '#5b6470',
  line: '#8a94a0',
  band: '#f4f6f8',
  box: '#ffffff',
  boxEdge: '#c3cad2',
  built: '#2e9e59',
  builtGround: '#edf7f0',
  extra: '#1a56a8',
  extraGround: '#eef3fa',
  partly: '#c77700',
  partlyGround: '#fdf5e8',
  missing: '#b3261e',
} as const
const FONTS = 'PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, sans-serif'

const TITLE_PX = 20
const NAME_PX = 15
const TEXT_PX = 13
const LINE = 1.45
const BOX_PADDING = 10
const CHIP_PADDING = 8
const CHIP_GAP = 6
const BAND_PADDING = 12

/** One line of text in a box: how it looks, and where it stands below the line above. */
interface TextLine {
  text: string
  px: number
  colour: string
  isBold: boolean
}

interface Chip {
  lines: TextLine[]
  edge: string
  ground: string
  isDashed: boolean
  height: number
}

interface PlacedBox {
  box: DiagramBox
  x: number
  y: number
  width: number
  height: number
  name: TextLine[]
  chips: Chip[]
  /** Where its level begins. */
  bandTop: number
}

/** Draws a diagram as a whole SVG document: the same diagram gives the same picture, to the letter. */
export function drawDiagram(
  diagram: Diagram,
  size: DiagramSize,
): { svg: string; width: number; height: number } {
  const { width, margin, label, gap, widest, bandGap } = sizes[size]
  const parts: string[] = []
  const top = headLines(diagram, width - 2 * margin)
  let y = margin
  for (const line of top) {
    parts.push(textAt(line, width / 2, y, 'middle'))
    y += heightOf(line)
  }
  y += 14

  const placed: PlacedBox[] = []
  const grounds: string[] = []
  const left = margin + label
  for (const band of diagram.bands) {
    const head = size === 'phone' ? TEXT_PX * LINE : 0
    const inner = width - margin - left - 2 * BAND_PADDING
    const boxes = placeBand(band, {
      left: left + BAND_PADDING,
      top: y + BAND_PADDING + head,
      bandTop: y,
      inner,
      gap,
      widest,
    })
    const height = Math.max(0, ...boxes.map(each => each.height)) + 2 * BAND_PADDING + head
    grounds.push(rect(margin, y, width - 2 * margin, height, { fill: colours.band, radius: 8 }))
    const name: TextLine = { text: band.name, px: TEXT_PX, colour: colours.soft, isBold: true }
    if (size === 'phone') grounds.push(textAt(name, margin + BAND_PADDING, y + 6, 'start'))
    else
      wrap(band.name, label - 8, TEXT_PX, 3).forEach((text, at, all) => {
        const above = y + height / 2 - (all.length * TEXT_PX * LINE) / 2
        grounds.push(textAt({ ...name, text }, margin + label / 2 + 4, above + at * TEXT_PX * LINE, 'middle'))
      })
    placed.push(...boxes)
    y += height + bandGap
  }
  y -= bandGap
  const below = legend(width - 2 * margin)
  y += 14
  const foot = below.map((line, at) => textAt(line, margin, y + at * heightOf(line), 'start'))
  const height = Math.ceil(y + below.reduce((sum, line) => sum + heightOf(line), 0) + margin)

  const words = describeDiagram(diagram)
  return {
    width,
    height,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONTS}"><title>${escaped(`${diagram.unitName}${diagram.title}`)}</title><desc>${escaped(words)}</desc>${rect(0, 0, width, height, { fill: '#ffffff' })}${[
      ...parts,
      ...grounds,
      ...connect(placed),
      ...placed.map(drawBox),
      ...foot,
    ].join('')}</svg>\n`,
  }
}

/** The same in words, for those who do not see it. */
export function describeDiagram({ unitName, title, day, bands }: Diagram): string {
  const ofKind = (each: DiagramGroups) =>
    [
      each.kindName,
      each.groups > 0 ? `${each.groups} 个 ${each.people} 人` : '',
      missingWords(each, Number.POSITIVE_INFINITY),
    ]
      .filter(words => words !== '')
      .join(' ')
  const lines = bands.map(
    band =>
      `${band.name}：${band.boxes
        .map(box => `${box.title}（${box.kinds.length > 0 ? box.kinds.map(ofKind).join('；') : '没有群'}）`)
        .join('，')}`,
  )
  return `${unitName}${title}，${day}。${lines.join('。')}。`
}

/** What is missing of a kind of group; empty: nothing. @param most names at most */
export function missingWords(
  { missing, missingNames, atLeastUnder, groups, name }: DiagramGroups,
  most: number,
): string {
  if (missing === 0) return ''
  const shown = missingNames.slice(0, most)
  const names = missing === 1 && groups === 0 && name === null && shown.length <= 1 ? '' : shown.join('、')
  const rest = missing > shown.length && names !== '' ? '等' : ''
  const what = atLeastUnder === null ? `缺 ${missing} 个` : `不足 ${atLeastUnder} 个的有 ${missing} 个`
  return names === '' ? what : `${what}：${names}${rest}`
}

function headLines({ title, unitName, above, day }: Diagram, width: number): TextLine[] {
  const [year, month, date] = day.split('-').map(Number)
  const line = (text: string, px: number, colour: string, isBold: boolean): TextLine[] =>
    wrap(text, width, px, 2).map(each => ({ text: each, px, colour, isBold }))
  return [
    ...line(title, TITLE_PX, colours.ink, true),
    ...line(`${unitName}　${year}年${month}月${date}日`, TEXT_PX, colours.soft, false),
    ...(above.length > 0 ? line(`上级：${above.join(' › ')}`, TEXT_PX, colours.soft, false) : []),
  ]
}

function legend(width: number): TextLine[] {
  const words =
    '绿边：按文件应建的群，已建；橙边：有的单位还没有建；红虚线：还没有建；蓝边：其他的群。人数为最近一次读取到的或群主所报的数。'
  return wrap(words, width, TEXT_PX - 1, 4).map(text => ({
    text,
    px: TEXT_PX - 1,
    colour: colours.soft,
    isBold: false,
  }))
}

interface BandPlace {
  left: number
  top: number
  bandTop: number
  inner: number
  gap: number
  widest: number
}

/** Boxes of a level side by side in the middle, all as high as the highest. */
function placeBand(
  { boxes }: DiagramBand,
  { left, top, bandTop, inner, gap, widest }: BandPlace,
): PlacedBox[] {
  const count = Math.max(1, boxes.length)
  const width = Math.min(widest, Math.floor((inner - gap * (count - 1)) / count))
  const begin = left + (inner - width * count - gap * (count - 1)) / 2
  const filled = boxes.map((box, at) => ({
    box,
    x: Math.round(begin + at * (width + gap)),
    y: top,
    width,
    bandTop,
    name: wrap(box.title, width - 2 * BOX_PADDING, NAME_PX, 3).map(text => ({
      text,
      px: NAME_PX,
      colour: colours.ink,
      isBold: true,
    })),
    chips:
      box.kinds.length > 0
        ? box.kinds.map(kind => chipOf(kind, width - 2 * BOX_PADDING, box.units === 1))
        : [emptyChip()],
  }))
  const height = Math.max(
    0,
    ...filled.map(
      ({ name, chips }) =>
        2 * BOX_PADDING +
        name.reduce((sum, line) => sum + heightOf(line), 0) +
        chips.reduce((sum, chip) => sum + chip.height + CHIP_GAP, 0),
    ),
  )
  return filled.map(each => ({ ...each, height: Math.ceil(height) }))
}

function chipOf(kind: DiagramGroups, width: number, isOneUnit: boolean): Chip {
  const { groups, people, missing, isRequired, kindName, name, atLeastUnder } = kind
  const inner = width - 2 * CHIP_PADDING
  const text = (words: string, most: number, colour: string, isBold = false): TextLine[] =>
    wrap(words, inner, TEXT_PX, most).map(each => ({ text: each, px: TEXT_PX, colour, isBold }))
  const lacking =
    missing === 0
      ? ''
      : isOneUnit
        ? atLeastUnder === null
          ? '还没有建'
          : `连同下级不足 ${atLeastUnder} 个`
        : missingWords(kind, 3)
  const lines = [
    ...text(kindName, 3, groups > 0 ? colours.ink : colours.missing, true),
    ...(name !== null && name !== kindName ? text(name, 2, colours.ink) : []),
    ...(groups > 0
      ? text(name === null ? `${groups} 个群 · ${people} 人` : `${people} 人`, 1, colours.soft)
      : []),
    ...(lacking === '' ? [] : text(lacking, 4, colours.missing)),
  ]
  const [edge, ground] =
    groups === 0
      ? [colours.missing, colours.box]
      : missing > 0
        ? [colours.partly, colours.partlyGround]
        : isRequired
          ? [colours.built, colours.builtGround]
          : [colours.extra, colours.extraGround]
  return { lines, edge, ground, isDashed: groups === 0, height: chipHeight(lines) }
}

function emptyChip(): Chip {
  const lines = [{ text: '没有群', px: TEXT_PX, colour: colours.soft, isBold: false }]
  return { lines, edge: colours.boxEdge, ground: colours.box, isDashed: true, height: chipHeight(lines) }
}

function chipHeight(lines: readonly TextLine[]): number {
  return Math.ceil(lines.reduce((sum, line) => sum + heightOf(line), 0) + CHIP_PADDING)
}

function drawBox({ x, y, width, height, name, chips }: PlacedBox): string {
  const drawn = [rect(x, y, width, height, { fill: colours.box, stroke: colours.boxEdge, radius: 6 })]
  let at = y + BOX_PADDING
  for (const line of name) {
    drawn.push(textAt(line, x + width / 2, at, 'middle'))
    at += heightOf(line)
  }
  for (const chip of chips) {
    at += CHIP_GAP
    const left = x + BOX_PADDING
    const inner = width - 2 * BOX_PADDING
    drawn.push(
      rect(left, at, inner, chip.height, {
        fill: chip.ground,
        radius: 4,
        ...(chip.isDashed ? { stroke: chip.edge, dashes: '4 3' } : {}),
      }),
    )
    if (!chip.isDashed) drawn.push(rect(left, at, 4, chip.height, { fill: chip.edge, radius: 2 }))
    let inside = at + CHIP_PADDING / 2
    for (const line of chip.lines) {
      drawn.push(textAt(line, left + CHIP_PADDING + 2, inside, 'start'))
      inside += heightOf(line)
    }
    at += chip.height
  }
  return drawn.join('')
}

/** From each box down to those that hang from it. */
function connect(placed: readonly PlacedBox[]): string[] {
  const byId = new Map(placed.map(each => [each.box.id, each]))
  return placed.flatMap(child => {
    const parent = child.box.parentId === null ? undefined : byId.get(child.box.parentId)
    if (!parent) return []
    const fromX = round(parent.x + parent.width / 2)
    const fromY = round(parent.y + parent.height)
    const toX = round(child.x + child.width / 2)
    const turn = round(child.bandTop - 14)
    return [
      `<path d="M${fromX} ${fromY}V${turn}H${toX}V${round(child.y)}" fill="none" stroke="${colours.line}" stroke-width="1.5"/>`,
    ]
  })
}

interface RectLook {
  fill: string
  stroke?: string
  dashes?: string
  radius?: number
}

function rect(x: number, y: number, width: number, height: number, look: RectLook): string {
  const { fill, stroke, dashes, radius } = look
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${radius ? ` rx="${radius}"` : ''} fill="${fill}"${stroke ? ` stroke="${stroke}"` : ''}${dashes ? ` stroke-dasharray="${dashes}"` : ''}/>`
}

/** @param top of the line, not of its letters */
function textAt(line: TextLine, x: number, top: number, anchor: 'start' | 'middle'): string {
  const baseline = round(top + line.px * (LINE / 2 + 0.36))
  return `<text x="${round(x)}" y="${baseline}" font-size="${line.px}" fill="${line.colour}"${line.isBold ? ' font-weight="bold"' : ''}${anchor === 'middle' ? ' text-anchor="middle"' : ''}>${escaped(line.text)}</text>`
}

function heightOf({ px }: { px: number }): number {
  return px * LINE
}

/** Numbers and names in other letters stay whole, and no line begins with a mark that belongs to what stands before it. */
const PIECES = /[\u0021-\u2e7f]+[、，；：）。…]*|[^\u0021-\u2e7f][、，；：）。…]*/gu

/** Breaks a text into lines that are not wider; what does not fit into so many lines ends in an ellipsis. */
export function wrap(text: string, width: number, px: number, most: number): string[] {
  const lines: string[] = []
  let line = ''
  const add = (piece: string) => {
    if (line !== '' && widthOf(line + piece.trimEnd(), px) > width) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += line === '' ? piece.trimStart() : piece
  }
  for (const piece of text.match(PIECES) ?? [])
    if (widthOf(piece, px) > width) for (const letter of piece) add(letter)
    else add(piece)
  if (line.trimEnd() !== '') lines.push(line.trimEnd())
  if (lines.length <= most) return lines
  const kept = lines.slice(0, most)
  let last = kept.at(-1) ?? ''
  while (last !== '' && widthOf(`${last}…`, px) > width) last = [...last].slice(0, -1).join('')
  return [...kept.slice(0, -1), `${last}…`]
}

/** Chinese letters are as wide as they are high; of the others the widest are taken. */
function widthOf(text: string, px: number): number {
  return [...text].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 0x2e7f ? 1 : 0.6), 0) * px
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}

/** Also what no XML may hold: a name that somebody typed must not break the picture. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`)
}
