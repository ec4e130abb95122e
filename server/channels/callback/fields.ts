import { ChannelError } from '../errors.ts'

/**
 * What XML and JSON become: every scalar is text, so that 64-bit ids survive, and a name that comes twice is a list.
 * A map rather than an object: no name from outside (`__proto__`, `constructor`) means anything to it.
 */
export type Fields = ReadonlyMap<string, FieldValue>
export type FieldValue = string | Fields | FieldValue[]

/** Deeper documents are refused: the platforms nest four levels. */
export const MAX_DEPTH = 16

const none: Fields = new Map()

/** The text of a field; empty when it is absent, comes twice, or is not text. */
export function field(fields: Fields, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value : ''
}

/** A name of the platform's, which it writes in capitals now and then. */
export function smallField(fields: Fields, name: string): string {
  return field(fields, name).toLowerCase()
}

/** A field that must be there. @throws ChannelError `malformed` */
export function requiredField(fields: Fields, name: string): string {
  const value = field(fields, name)
  if (value === '') throw new ChannelError('malformed', `${name} is missing`)
  return value
}

/** All texts of that name, be it none, one or many. */
export function fieldList(fields: Fields, name: string): string[] {
  return listOf(fields.get(name)).filter(value => typeof value === 'string')
}

/** The fields within a field; none when it is absent or not one. */
export function branch(fields: Fields, name: string): Fields {
  return branchList(fields, name)[0] ?? none
}

/** All branches of that name, be it none, one or many. */
export function branchList(fields: Fields, name: string): Fields[] {
  return listOf(fields.get(name)).filter(value => value instanceof Map)
}

/** Values of a list that may also be written as one text with commas. Empty ones are left out. */
export function commaList(values: string[]): string[] {
  return values
    .flatMap(value => value.split(','))
    .map(value => value.trim())
    .filter(value => value !== '')
}

/** A count as the platforms write it; null when it is absent or none. */
export function countOf(fields: Fields, name: string): number | null {
  const value = field(fields, name)
  return /^\d{1,9}$/.test(value) ? Number(value) : null
}

/** The start of the year 2100. A moment beyond it is no mistake of a clock, and beyond 9999 no database takes it. */
const LATEST_SECONDS = 4_102_444_800

/** A moment in seconds since 1970; null when it is absent or none. */
export function momentOf(fields: Fields, name: string): Date | null {
  const value = field(fields, name)
  return /^\d{1,10}$/.test(value) && Number(value) <= LATEST_SECONDS ? new Date(Number(value) * 1000) : null
}

function listOf(value: FieldValue | undefined): FieldValue[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}
