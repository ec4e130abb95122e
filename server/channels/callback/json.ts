import { ChannelError } from '../errors.ts'
import { type Fields, type FieldValue, MAX_DEPTH } from './fields.ts'

/** Whether a body is JSON rather than XML; `Content-Type` is not to be relied on. */
export function isJson(body: string): boolean {
  return /^[\s\uFEFF]*\{/.test(body)
}

/**
 * Reads a JSON object into fields. Numbers keep the digits they are written with: a message id has 64 bits.
 * @throws ChannelError `malformed`
 */
export function readJson(source: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(source.replace(/^\uFEFF/, ''), keepDigits)
  } catch {
    throw new ChannelError('malformed', 'not JSON')
  }
  const fields = fieldsOf(value, 1)
  if (!(fields instanceof Map)) throw new ChannelError('malformed', 'not a JSON object')
  return fields
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? context?.source : value
}

function fieldsOf(value: unknown, depth: number): FieldValue {
  if (typeof value === 'string') return legal(value)
  if (typeof value !== 'object') return String(value)
  if (value === null) return ''
  if (depth > MAX_DEPTH) throw new ChannelError('malformed', 'JSON nested too deep')
  if (Array.isArray(value)) return value.map(item => fieldsOf(item, depth + 1))
  return new Map(Object.entries(value).map(([name, item]) => [name, fieldsOf(item, depth + 1)]))
}

/** No database holds a NUL or half a surrogate pair as text. */
function legal(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '') : text).toWellFormed()
}
