import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  branch,
  branchList,
  type FieldValue,
  field,
  fieldList,
} from '../../../../server/channels/callback/fields.ts'
import { isJson, readJson } from '../../../../server/channels/callback/json.ts'
import { verdict } from '../envelopes.ts'

describe('JSON', () => {
  test.each([
    ['text', '{"A":"x"}', 'x'],
    ['white space and a byte order mark', '\uFEFF \r\n{ "A" : "x" } \n', 'x'],
    ['a number beyond 2^53', '{"A":4561255354251345929}', '4561255354251345929'],
    ['a number within a list within an object', '{"A":"1","B":[{"A":1700827132819554304}]}', '1'],
    ['a number as it is written', '{"A":-1.50e2}', '-1.50e2'],
    ['true', '{"A":true}', 'true'],
    ['null, which is nothing', '{"A":null}', ''],
    ['escapes', '{"A":"\\u4f60\\n\\"\\/"}', '你\n"/'],
    ['NUL, which no database can hold', '{"A":"a\\u0000b"}', 'ab'],
    ['half a character', '{"A":"\\ud83d"}', '\ufffd'],
    ['a name twice: the last counts', '{"A":"1","A":"2"}', '2'],
    ['a list, which is no text', '{"A":["1","2"]}', ''],
    ['an object, which is no text', '{"A":{"B":"1"}}', ''],
  ])('with %s', (_name, source, expected) => {
    expect(isJson(source)).toBe(true)
    expect(field(readJson(source), 'A')).toBe(expected)
  })

  test('one and many are lists alike', () => {
    const fields = readJson('{"one":{"A":1},"many":[{"A":2},{"A":3}],"texts":[4,5],"text":6}')
    expect(branchList(fields, 'one').map(each => field(each, 'A'))).toEqual(['1'])
    expect(branchList(fields, 'many').map(each => field(each, 'A'))).toEqual(['2', '3'])
    expect(fieldList(fields, 'texts')).toEqual(['4', '5'])
    expect(fieldList(fields, 'text')).toEqual(['6'])
    expect(field(branch(fields, 'none'), 'A')).toBe('')
  })

  test("names like an object's own are names like any other", () => {
    const fields = readJson('{"__proto__":{"A":"1"},"constructor":"2"}')
    expect(field(branch(fields, '__proto__'), 'A')).toBe('1')
    expect(field(fields, 'constructor')).toBe('2')
    expect(field(fields, 'toString')).toBe('')
    expect(({} as Record<string, unknown>).A).toBeUndefined()
  })

  test.each([
    ['nothing', ''],
    ['XML', '<xml><A>1</A></xml>'],
    ['a list', '[{"A":1}]'],
    ['text', '"A"'],
    ['a number', '1'],
    ['null', 'null'],
    ['half of it', '{"A":'],
    ['single quotes', "{'A':1}"],
    ['something behind', '{"A":1}x'],
    ['nested 17 deep', `${'{"A":'.repeat(17)}1${'}'.repeat(17)}`],
    ['nested 100 000 deep', `{"A":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('is refused as %s', (_name, source) => {
    expect(verdict(() => readJson(source))).toBe('malformed')
  })

  test('any object is read as JSON.parse reads it', () => {
    const plain = (value: FieldValue): unknown =>
      Array.isArray(value)
        ? value.map(plain)
        : value instanceof Map
          ? Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]))
          : value
    const texts = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(texts)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, texts(each)]))
          : value === null
            ? ''
            : typeof value === 'string'
              ? value.replaceAll('\0', '')
              : String(value)
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc
            .jsonValue({ maxDepth: 5, noUnicodeString: false })
            .filter(value => !/[\d.]e[+-]?\d|-0/.test(JSON.stringify(value))),
        ),
        object => {
          expect(plain(readJson(JSON.stringify(object)) as FieldValue)).toEqual(texts(object))
        },
      ),
    )
  })
})
