import { describe, expect, it } from 'vitest'
import {
  birthDateOf,
  genderOf,
  isValidIdNumber,
  maskIdNumber,
  normaliseIdNumber,
} from '../../../../server/domain/roster/id-number.ts'

// the first is the example of GB 11643-1999; the others are invented
describe('isValidIdNumber', () => {
  it.each([
    ['the example of the standard', '11010519491231002X', true],
    ['check character in lower case', '11010519491231002x', false],
    ['wrong check character', '110105194912310021', false],
    ['one digit wrong', '11010519491231012X', false],
    ['two digits swapped', '11010519491213002X', false],
    ['15 digits', '110105491231002', false],
    ['no such day', '110105194902310024', false],
    ['29 February in a year without', '110105190102290029', false],
    ['begins with 0', '01010519491231002X', false],
    ['empty', '', false],
  ])('%s', (_, idNumber, isValid) => {
    expect(isValidIdNumber(idNumber)).toBe(isValid)
  })

  it('accepts 29 February in a leap year', () => {
    const valid = [...'0123456789X'].filter(check => isValidIdNumber(`61080220000229001${check}`))
    expect(valid).toHaveLength(1)
  })
})

describe('birthDateOf', () => {
  it.each([
    ['11010519491231002X', '1949-12-31'],
    ['110105194913310024', null],
    ['110105189912310024', null],
    ['110105', null],
  ])('%s', (idNumber, day) => {
    expect(birthDateOf(idNumber)).toBe(day)
  })
})

it.each([
  ['11010519491231002X', '女'],
  ['110105194912310011', '男'],
  ['男', null],
])('genderOf %s', (idNumber, gender) => {
  expect(genderOf(idNumber)).toBe(gender)
})

it.each([
  ['11010519491231002x', '11010519491231002X'],
  [' 110105 19491231 002X ', '11010519491231002X'],
  ['１１０１０５１９４９１２３１００２Ｘ', '11010519491231002X'],
  ['="11010519491231002X"', '11010519491231002X'],
  ["'11010519491231002X", '11010519491231002X'],
  ['110105-19491231-002X', '11010519491231002X'],
])('normaliseIdNumber %s', (written, idNumber) => {
  expect(normaliseIdNumber(written)).toBe(idNumber)
})

it('maskIdNumber keeps three and two characters', () => {
  expect(maskIdNumber('11010519491231002X')).toBe('110*************2X')
  expect(maskIdNumber('1234')).toBe('****')
})
