export type XmlValue = string | number | bigint | XmlFields | XmlValue[]
export interface XmlFields {
  [tag: string]: XmlValue | undefined
}

const cdata = (text: string) => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`

function element(tag: string, value: XmlValue): string {
  if (Array.isArray(value)) return value.map(item => element(tag, item)).join('')
  if (typeof value === 'number' || typeof value === 'bigint') return `<${tag}>${value}</${tag}>`
  if (typeof value === 'string') return `<${tag}>${cdata(value)}</${tag}>`
  return `<${tag}>${fieldsXml(value)}</${tag}>`
}

function fieldsXml(fields: XmlFields): string {
  let xml = ''
  for (const [tag, value] of Object.entries(fields)) if (value !== undefined) xml += element(tag, value)
  return xml
}

/** `<xml>…</xml>` as the platforms write it: text as CDATA, numbers bare, an array as the repeated tag. */
export function toXml(fields: XmlFields): string {
  return `<xml>${fieldsXml(fields)}</xml>`
}

export type ParsedXml = string | { [tag: string]: ParsedXml | ParsedXml[] }

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16))
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)))
    const known = ENTITIES[name]
    if (known === undefined) throw new Error(`unknown entity ${whole}`)
    return known
  })
}

/**
 * Reads the small XML that a server answers with: elements, text, CDATA; no attributes, comments or DTD.
 * @returns the children of the root element; a tag that comes twice becomes an array.
 * @throws Error at the first thing that is not well formed.
 */
export function parseXml(source: string): { [tag: string]: ParsedXml | ParsedXml[] } {
  const xml = source.trim()
  let at = xml.startsWith('<?xml') ? xml.indexOf('?>') + 2 : 0

  const skipSpace = () => {
    while (/\s/.test(xml[at] ?? '')) at += 1
  }
  const readElement = (): [string, ParsedXml] => {
    const open = /^<([A-Za-z_][\w.-]*)\s*(\/?)>/.exec(xml.slice(at, at + 200))
    const tag = open?.[1]
    if (!open || !tag) throw new Error(`expected an element at ${at}`)
    at += open[0].length
    if (open[2]) return [tag, '']
    let text = ''
    let children: { [tag: string]: ParsedXml | ParsedXml[] } | undefined
    for (;;) {
      if (at >= xml.length) throw new Error(`<${tag}> is not closed`)
      if (xml.startsWith('<![CDATA[', at)) {
        const end = xml.indexOf(']]>', at)
        if (end < 0) throw new Error('CDATA is not closed')
        text += xml.slice(at + 9, end)
        at = end + 3
      } else if (xml.startsWith('</', at)) {
        const close = `</${tag}>`
        if (!xml.startsWith(close, at)) throw new Error(`<${tag}> is closed by another tag`)
        at += close.length
        if (children && text.trim() !== '') throw new Error(`<${tag}> holds both text and elements`)
        return [tag, children ?? text]
      } else if (xml[at] === '<') {
        const [name, value] = readElement()
        children ??= {}
        const before = children[name]
        children[name] =
          before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
      } else {
        const next = xml.indexOf('<', at)
        const end = next < 0 ? xml.length : next
        const piece = xml.slice(at, end)
        if (piece.includes(']]>')) throw new Error('"]]>" outside of CDATA')
        text += decodeEntities(piece)
        at = end
      }
    }
  }

  skipSpace()
  const [root, value] = readElement()
  skipSpace()
  if (at !== xml.length) throw new Error('there is something after the root element')
  if (root !== 'xml' || typeof value === 'string')
    throw new Error('the root element must be <xml> with elements in it')
  return value
}

/** The text of one child element; undefined when it is missing, repeated or not text. */
export function textOf(parsed: { [tag: string]: ParsedXml | ParsedXml[] }, tag: string): string | undefined {
  const value = parsed[tag]
  return typeof value === 'string' ? value : undefined
}
