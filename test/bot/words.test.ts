import { describe, expect, test } from 'vitest'
import { normaliseText } from '../../bot/context.ts'
import { readDay, readMonth, readNumber, readNumbers } from '../../bot/words.ts'

test.each<[string, number | null]>([
  ['35', 35],
  ['35人', 35],
  ['3条', 3],
  ['12号', 12],
  ['零', 0],
  ['一', 1],
  ['两', 2],
  ['十', 10],
  ['十二', 12],
  ['二十', 20],
  ['九十九', 99],
  ['三条', 3],
  ['', null],
  ['条', null],
  ['二三', null],
  ['一百', null],
  ['1234567890', null],
  ['3.5', null],
  ['-3', null],
])('the number %s', (text, number) => {
  expect(readNumber(text)).toBe(number)
})

test('all numbers of a text, each once', () => {
  expect(readNumbers('12 13、12和 7号')).toEqual([12, 13, 7])
  expect(readNumbers('没有')).toEqual([])
})

describe('a day is the latest such day up to today', () => {
  test.each<[string, string, string | null]>([
    ['今天', '2026-09-07', '2026-09-07'],
    ['昨天', '2026-09-01', '2026-08-31'],
    ['前天', '2026-01-01', '2025-12-30'],
    ['9月6日', '2026-09-07', '2026-09-06'],
    ['9月7号', '2026-09-07', '2026-09-07'],
    ['9月8日', '2026-09-07', '2025-09-08'],
    ['12月31日', '2027-01-01', '2026-12-31'],
    ['12-31', '2026-12-31', '2026-12-31'],
    ['9.6', '2026-09-07', '2026-09-06'],
    ['9/6', '2026-09-07', '2026-09-06'],
    ['2026-09-12', '2026-09-07', '2026-09-12'],
    ['2026年2月29日', '2026-09-07', null],
    ['2月29日', '2028-03-01', '2028-02-29'],
    ['6日', '2026-09-07', '2026-09-06'],
    ['30号', '2026-09-07', '2026-08-30'],
    ['31日', '2026-03-01', null],
    ['13月1日', '2026-09-07', null],
    ['9月31日', '2026-10-07', null],
    ['明天', '2026-09-07', null],
    ['12', '2026-09-07', null],
    ['', '2026-09-07', null],
  ])('%s on %s', (text, today, day) => {
    expect(readDay(text, today)).toBe(day)
  })
})

describe('a month is the latest such month', () => {
  test.each<[string, string, string | null]>([
    ['', '2026-09', '2026-09'],
    ['本月', '2026-09', '2026-09'],
    ['上月', '2026-09', '2026-08'],
    ['上个月', '2027-01', '2026-12'],
    ['9月', '2026-09', '2026-09'],
    ['九月', '2026-09', '2026-09'],
    ['十二月', '2026-09', '2025-12'],
    ['12月份', '2027-01', '2026-12'],
    ['9', '2026-10', '2026-09'],
    ['2026-09', '2026-10', '2026-09'],
    ['2026年9月', '2026-10', '2026-09'],
    ['13月', '2026-09', null],
    ['0月', '2026-09', null],
    ['二十月', '2026-09', null],
    ['下月', '2026-09', null],
  ])('%s in %s', (text, thisMonth, month) => {
    expect(readMonth(text, thisMonth)).toBe(month)
  })
})

test.each([
  ['转　１２', '转 12'],
  ['ＡＢＣ', 'ABC'],
  ['  帮助\r\n ', '帮助'],
  ['一\r\n二\r三', '一\n二\n三'],
])('%j is read as %j', (typed, text) => {
  expect(normaliseText(typed)).toBe(text)
})
