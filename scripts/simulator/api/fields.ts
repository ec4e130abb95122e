import { refuse } from '../api-error.ts'

export type Body = Record<string, unknown>

/** Refusals for a field's form; WeCom calls them all 40058. */
const PARAMETER = 40058

export function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface TextRule {
  /** Most characters. */
  max?: number
  /** errcode when it is missing or empty. */
  code?: number
  pattern?: RegExp
}

/** A text that must be there and not empty. */
export function text(body: Body, name: string, rule: TextRule = {}): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '')
    refuse(rule.code ?? PARAMETER, `invalid parameter: ${name} missing or empty`)
  return checkText(value, name, rule)
}

export function optionalText(body: Body, name: string, rule: TextRule = {}): string | undefined {
  const value = body[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') refuse(PARAMETER, `invalid parameter: ${name} must be a string`)
  return checkText(value, name, rule)
}

function checkText(value: string, name: string, rule: TextRule): string {
  if (rule.max !== undefined && [...value].length > rule.max)
    refuse(PARAMETER, `invalid parameter: ${name} too long`)
  if (rule.pattern && !rule.pattern.test(value))
    refuse(PARAMETER, `invalid parameter: ${name} has a wrong form`)
  return value
}

/** A whole number; the platforms refuse "1" for 1. */
export function integer(body: Body, name: string, min: number, max: number, fallback?: number): number {
  const value = body[name] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    refuse(PARAMETER, `invalid parameter: ${name} must be an integer of ${min} to ${max}`)
  }
  return value
}

export function flag(body: Body, name: string, fallback: boolean): boolean {
  const value = body[name] ?? fallback
  if (typeof value !== 'boolean') refuse(PARAMETER, `invalid parameter: ${name} must be true or false`)
  return value
}

/** A list of texts; empty when the field is absent. */
export function textList(body: Body, name: string, max: number, tooMany = PARAMETER): string[] {
  const value = body[name] ?? []
  if (!Array.isArray(value) || value.some(item => typeof item !== 'string' || item === '')) {
    refuse(PARAMETER, `invalid parameter: ${name} must be a list of strings`)
  }
  if (value.length > max) refuse(tooMany, `invalid parameter: ${name} holds more than ${max}`)
  return value
}

/** A list of whole numbers; empty when the field is absent. */
export function integerList(body: Body, name: string, max: number): number[] {
  const value = body[name] ?? []
  if (!Array.isArray(value) || !value.every(item => Number.isInteger(item)))
    refuse(PARAMETER, `invalid parameter: ${name} must be a list of integers`)
  if (value.length > max) refuse(PARAMETER, `invalid parameter: ${name} holds more than ${max}`)
  return value
}

export function record(body: Body, name: string): Body {
  const value = body[name]
  if (!isRecord(value)) refuse(PARAMETER, `invalid parameter: ${name} missing`)
  return value
}

/** A list of objects; `undefined` counts as empty. */
export function records(body: Body, name: string, max: number): Body[] {
  const value = body[name] ?? []
  if (!Array.isArray(value) || !value.every(isRecord))
    refuse(PARAMETER, `invalid parameter: ${name} must be a list of objects`)
  if (value.length > max) refuse(PARAMETER, `invalid parameter: ${name} holds more than ${max}`)
  return value
}

/** One page of `items`, the cursor being opaque to the caller. */
export function page<Item>(
  items: Item[],
  cursor: string | undefined,
  limit: number,
): { items: Item[]; next: string } {
  const start =
    cursor === undefined
      ? 0
      : Number(/^c(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1] ?? Number.NaN)
  if (!Number.isInteger(start)) refuse(PARAMETER, 'invalid parameter: cursor')
  const end = start + limit
  const next = end < items.length ? Buffer.from(`c${end}`).toString('base64url') : ''
  return { items: items.slice(start, end), next }
}
