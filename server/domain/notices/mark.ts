import shortNames from '../../../templates/regions/short-names.json' with { type: 'json' }

/** UTF-8 bytes of one message, by the narrowest channel that carries one: 680 Chinese characters and a little. */
const MESSAGE_BYTES = 2048
/** A mark on a line of its own, with a number of seven digits. */
const MARK_BYTES = Buffer.byteLength('\n〔川-1234567〕')

/** UTF-8 bytes that the text and the link of a notice may have together, so that its copy with a mark is one message. */
export const MAX_COPY_BYTES = MESSAGE_BYTES - MARK_BYTES

/** What a copy that is relayed by hand carries, so that it tells where it came from. */
export interface Mark {
  /** A province by its short name, such as 川; 全 where there is none. */
  province: string
  /** The number of the copy within its notice. */
  number: number
}

const names: Readonly<Record<string, string>> = shortNames.names
const known = new Set([...Object.values(names), shortNames.none])

/** 〔川-0731〕 */
export function markWords({ province, number }: Mark): string {
  return `〔${province}-${String(number).padStart(4, '0')}〕`
}

/** Marks as people pass them on: with other brackets, dashes and spaces. */
const WRITTEN = /[〔［[【（(〈<]\s*(\p{Script=Han})\s*[-－—–―‐]\s*(\d{4,7})\s*[〕］\]】）)〉>]/u
const WRITTEN_ANYWHERE = new RegExp(WRITTEN, 'gu')
const BARE = /^(\p{Script=Han})\s*[-－—–―‐]?\s*(\d{1,7})$/u

/** The mark that a text carries, the last one where there are several; null when it carries none. */
export function markIn(text: string): Mark | null {
  const all = [...text.matchAll(WRITTEN_ANYWHERE)]
  return markFrom(all.at(-1))
}

/** A mark as somebody types it: 〔川-0731〕, 川-0731 or 川731. */
export function parseMark(text: string): Mark | null {
  return markIn(text) ?? markFrom(BARE.exec(text.trim()))
}

/** What stands around the marks of a text. */
export function withoutMark(text: string): string {
  const rest = text.replace(WRITTEN_ANYWHERE, '')
  return BARE.test(rest.trim()) ? '' : rest
}

/** Whether the last line of a text is a mark: then it is a copy that was relayed by hand. */
export function isMarkedCopy(text: string): boolean {
  const last = text.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return /[〕］\]】）)〉>]$/.test(last) && WRITTEN.test(last) && markIn(last) !== null
}

function markFrom(match: RegExpMatchArray | null | undefined): Mark | null {
  const [, province, number] = match ?? []
  if (province === undefined || !known.has(province)) return null
  return { province, number: Number(number) }
}

/** What a mark needs to know of a unit. */
export interface PlacedUnit {
  code: string
  name: string
}

/**
 * The short name of the province that a unit lies in, read from the division codes of the unit and those above it.
 * @param line the unit and those above it, from the top downwards
 * @returns 全 for what lies in none
 */
export function provinceOf(line: readonly PlacedUnit[]): string {
  if (line.some(unit => unit.name.includes(shortNames.corps.inName))) return shortNames.corps.short
  for (const { code } of line.toReversed()) {
    // a number of another length is no division code: universities have five digits
    const province = /^\d{2}(?:\d{2}|\d{4}|\d{7}|\d{10})?$/.test(code) ? names[code.slice(0, 2)] : undefined
    if (province !== undefined) return province
  }
  return shortNames.none
}

/**
 * The text that goes into a group: the words, the address below them, where to say that one has read it, and on a copy to
 * be relayed by hand its mark.
 * @param door the address of the page that notes who has read it; left out where the message has no room for it
 */
export function copyOf(
  { body, link }: { body: string; link: string | null },
  mark: Mark | null,
  door: string | null = null,
): string {
  const above = [body, ...(link === null ? [] : [link])]
  const below = mark === null ? [] : [markWords(mark)]
  const whole = [...above, ...(door === null ? [] : [doorWords(door)]), ...below].join('\n')
  return Buffer.byteLength(whole) <= MESSAGE_BYTES ? whole : [...above, ...below].join('\n')
}

/** Asks whoever reads a copy to say so. */
export function doorWords(door: string): string {
  return `${DOOR}${door}`
}

const DOOR = '看过请点：'

/** A text without the line that asks to say that one has read it. */
export function withoutDoor(text: string): string {
  const lines = text.split('\n')
  return lines.filter(line => !line.startsWith(DOOR)).join('\n')
}
