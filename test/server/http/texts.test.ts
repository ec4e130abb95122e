import { expect, test } from 'vitest'
import { cleanFields, formFields } from '../../../server/console/form-fields.ts'
import { cleanTexts } from '../../../server/http/texts.ts'

const written = '甲\0乙\x08\x1b\t丙\r\n丁'
const clean = '甲乙\t丙\n丁'

test('control characters, which the database refuses, are in no text of a form, a query or the interface', () => {
  expect(formFields({ a: { value: written } }).text('a')).toBe(clean)
  const bytes = Buffer.from([0])
  expect(cleanFields({ a: written, b: [written], c: bytes })).toEqual({ a: clean, b: [clean], c: bytes })
  expect(cleanTexts({ a: [{ b: written }], n: 1, c: bytes })).toEqual({ a: [{ b: clean }], n: 1, c: bytes })
})
