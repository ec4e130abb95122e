import { z } from 'zod'

/** Kebab-case English, as used in programmes, forms and the database. */
export const id = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be a kebab-case id')

/**
 * Where a value comes from: document number and article, such as `全国项目办发〔2018〕1号 二.1`, or
 * `project assumption` when no notice states it.
 */
export const source = z.string().trim().min(4)

export const monthDay = /^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

/** The values that occur more than once. */
export function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>()
  const again = new Set<string>()
  for (const value of values) {
    if (seen.has(value)) again.add(value)
    seen.add(value)
  }
  return [...again]
}
