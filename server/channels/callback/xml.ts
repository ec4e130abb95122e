import { ChannelError } from '../errors.ts'
import { type Fields, type FieldValue, MAX_DEPTH } from './fields.ts'

/**
 * Reads `<xml>…</xml>` into fields, as the platforms write it: elements, text, CDATA, the five entities and character
 * references. Attributes, comments, processing instructions and text beside elements are skipped; a document type or an
 * entity declaration is refused.
 *
 * By hand, because every callback is read twice here: xml2js, with which a property test compares it, takes twenty
 * times as long. Every character is looked at once, whatever comes.
 * @throws ChannelError `malformed`
 */
export function readXml(source: string): Fields {
  return new XmlReader(source).readDocument()
}

class XmlReader {
  private readonly source: string
  private at = 0
  constructor(source: string) {
    this.source = source
  }

  readDocument(): Fields {
    this.skipMisc()
    if (this.source.charCodeAt(this.at) !== LESS_THAN) throw malformed('no root element')
    this.readName()
    const fields = this.readRest(this.at, 1)
    if (typeof fields === 'string') throw malformed('the root has no elements')
    this.skipMisc()
    if (this.at !== this.source.length) throw malformed('there is something after the root')
    return fields
  }

  /** What may stand around the root: white space, comments, `<?xml … ?>`. */
  private skipMisc(): void {
    for (;;) {
      while (isSpace(this.source.charCodeAt(this.at))) this.at++
      if (this.source.startsWith('<?', this.at)) this.skipPast('?>')
      else if (this.source.startsWith('<!--', this.at)) this.skipPast('-->')
      else return
    }
  }

  /** From behind an element's name, which ends at `nameEnd`, to behind its end tag. */
  private readRest(nameEnd: number, depth: number): string | Fields {
    const { source } = this
    if (depth > MAX_DEPTH) throw malformed('nested too deep')
    const name = source.slice(this.nameStart, nameEnd)
    if (this.skipAttributes()) return ''
    let text = ''
    let children: Map<string, FieldValue> | null = null
    for (;;) {
      const next = source.indexOf('<', this.at)
      if (next < 0) throw malformed('an element does not end')
      if (next > this.at) text += decodeEntities(source.slice(this.at, next))
      this.at = next
      const code = source.charCodeAt(next + 1)
      if (code === SLASH) {
        this.skipEndTag(name)
        return children ?? text.trim()
      }
      if (code === EXCLAMATION_MARK) {
        if (source.startsWith('<![CDATA[', next)) {
          this.skipPast(']]>')
          text += source.slice(next + 9, this.at - 3)
        } else if (source.startsWith('<!--', next)) this.skipPast('-->')
        else throw malformed('a document type or an entity declaration')
      } else if (code === QUESTION_MARK) this.skipPast('?>')
      else {
        this.readName()
        const childName = source.slice(this.nameStart, this.at)
        const value = this.readRest(this.at, depth + 1)
        children ??= new Map()
        add(children, childName, value)
      }
    }
  }

  private nameStart = 0

  /** The name behind the `<` at which the reader stands. */
  private readName(): void {
    const { source } = this
    this.nameStart = ++this.at
    if (!isNameStart(source.charCodeAt(this.at))) throw malformed('no name of an element')
    do this.at++
    while (isNameCharacter(source.charCodeAt(this.at)))
  }

  /** @returns whether the element is empty: `<a/>` */
  private skipAttributes(): boolean {
    const { source } = this
    for (;;) {
      const from = this.at
      while (isSpace(source.charCodeAt(this.at))) this.at++
      const code = source.charCodeAt(this.at)
      if (code === GREATER_THAN) {
        this.at++
        return false
      }
      if (code === SLASH && source.charCodeAt(this.at + 1) === GREATER_THAN) {
        this.at += 2
        return true
      }
      if (this.at === from || !isNameStart(code)) throw malformed('a start tag does not end')
      this.skipAttribute()
    }
  }

  private skipAttribute(): void {
    const { source } = this
    while (isNameCharacter(source.charCodeAt(this.at))) this.at++
    while (isSpace(source.charCodeAt(this.at))) this.at++
    if (source.charCodeAt(this.at++) !== EQUALS_SIGN) throw malformed('an attribute without a value')
    while (isSpace(source.charCodeAt(this.at))) this.at++
    const quote = source[this.at++]
    if (quote !== '"' && quote !== "'") throw malformed('an attribute without quotes')
    this.skipPast(quote)
  }

  private skipEndTag(name: string): void {
    const { source } = this
    if (!source.startsWith(name, this.at + 2)) throw malformed('an element is closed by another')
    this.at += 2 + name.length
    while (isSpace(source.charCodeAt(this.at))) this.at++
    if (source.charCodeAt(this.at++) !== GREATER_THAN) throw malformed('an end tag does not end')
  }

  private skipPast(mark: string): void {
    // `<!-->` and `<?>` are no whole comment and no whole instruction
    const from = mark === '-->' ? this.at + 4 : mark === '?>' ? this.at + 2 : this.at
    const found = this.source.indexOf(mark, from)
    if (found < 0) throw malformed(`${mark} is missing`)
    this.at = found + mark.length
  }
}

/** A name that comes twice becomes a list. */
function add(children: Map<string, FieldValue>, name: string, value: string | Fields): void {
  const before = children.get(name)
  if (before === undefined) children.set(name, value)
  else if (Array.isArray(before)) before.push(value)
  else children.set(name, [before, value])
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

function decodeEntities(text: string): string {
  let at = text.indexOf('&')
  if (at < 0) return text
  let decoded = ''
  let from = 0
  while (at >= 0) {
    const end = text.indexOf(';', at)
    if (end < 0) throw malformed('a bare ampersand')
    decoded += text.slice(from, at) + decodeEntity(text.slice(at + 1, end))
    from = end + 1
    at = text.indexOf('&', from)
  }
  return decoded + text.slice(from)
}

function decodeEntity(name: string): string {
  const known = entities.get(name)
  if (known !== undefined) return known
  if (name.length > 12 || !/^#(?:[0-9]+|x[0-9a-fA-F]+)$/.test(name)) throw malformed('an unknown entity')
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw malformed('a reference to no character')
  return String.fromCodePoint(code)
}

const LESS_THAN = 0x3c
const GREATER_THAN = 0x3e
const SLASH = 0x2f
const EQUALS_SIGN = 0x3d
const EXCLAMATION_MARK = 0x21
const QUESTION_MARK = 0x3f
const BYTE_ORDER_MARK = 0xfeff

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === BYTE_ORDER_MARK
}

/** By ASCII code: 2 may begin a name, 1 may only go on with it. Anything beyond ASCII may do both. */
const nameTable = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[A-Za-z_:]/.test(character) ? 2 : /[0-9.-]/.test(character) ? 1 : 0
})

function isNameStart(code: number): boolean {
  return code < 128 ? nameTable[code] === 2 : code >= 128
}

function isNameCharacter(code: number): boolean {
  return code < 128 ? nameTable[code] !== 0 : code >= 128
}

function malformed(what: string): ChannelError {
  return new ChannelError('malformed', `not XML: ${what}`)
}
