import type { ParsedXml, XmlFields, XmlValue } from './xml.ts'

// TypeScript does not know it yet; the platform writes 64-bit ids as bare numbers, which JSON.stringify cannot
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/** The tags around the lists of subscription events, which JSON does without. */
const LIST_AROUND = /^SubscribeMsg\w+Event$/

/**
 * A push of an account whose console says JSON.
 *
 * The lists of subscription events stand at the top, as an object when there is one and as an array when there are more;
 * in these events the platform also writes numbers as texts.
 */
export function toJson(fields: XmlFields): string {
  const flat: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (LIST_AROUND.test(name) && isFields(value)) {
      const list = Array.isArray(value.List) ? value.List : [value.List]
      flat.List = plain(textsOnly(list.length === 1 ? (list[0] as XmlValue) : (list as XmlValue[])))
      flat.CreateTime = String(fields.CreateTime)
    } else if (value !== undefined && !(name in flat)) flat[name] = plain(value)
  }
  return JSON.stringify(flat)
}

function isFields(value: XmlValue | undefined): value is XmlFields {
  return typeof value === 'object' && !Array.isArray(value)
}

function plain(value: XmlValue): unknown {
  if (typeof value === 'bigint') return rawJSON(value.toString())
  if (Array.isArray(value)) return value.map(plain)
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (part === undefined ? [] : [[name, plain(part)]])),
  )
}

function textsOnly(value: XmlValue): XmlValue {
  if (Array.isArray(value)) return value.map(textsOnly)
  if (!isFields(value)) return String(value)
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, part === undefined ? part : textsOnly(part)]),
  )
}

/** Reads a reply in JSON into what the XML reader gives: texts and nested objects. @throws Error */
export function parseJson(source: string): { [tag: string]: ParsedXml | ParsedXml[] } {
  const value = asParsed(JSON.parse(source))
  if (typeof value === 'string' || Array.isArray(value)) throw new Error('the answer must be a JSON object')
  return value
}

function asParsed(value: unknown): ParsedXml | ParsedXml[] {
  if (Array.isArray(value)) return value.map(item => asParsed(item) as ParsedXml)
  if (typeof value !== 'object' || value === null) return String(value ?? '')
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asParsed(part)]))
}
