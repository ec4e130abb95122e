import { describe, expect, test } from 'vitest'
import { maskPersonalData } from '../../../../server/domain/messages/mask.ts'
import { findPersonalData, isIdNumber, passesLuhn } from '../../../../server/domain/messages/personal-data.ts'

const kinds = (text: string) => findPersonalData(text).map(({ kind }) => kind)

describe('findPersonalData', () => {
  test.each([
    ['11010519491231002X', ['id-number']],
    ['号码 110105 19491231 002x 对吗', ['id-number']],
    ['6228480402564890018', ['bank-card']],
    ['6228 4804 0256 4890 018', ['bank-card']],
    ['打我电话138 0013 8000', ['mobile']],
    ['+8613800138000', ['mobile']],
    ['13800138000 13900139000', ['mobile', 'mobile']],
    ['幺三八零零一三八零零零', ['mobile']],
    ['护照号E12345678', ['passport']],
    ['密码：Zhang1998', ['password']],
    ['验证码是 493021', ['code']],
  ])('%s', (text, expected) => {
    expect(kinds(text)).toEqual(expected)
  })

  test.each([
    '110105194912310021',
    '订单号6228480402564890018',
    '138****8000',
    '尾号8837',
    '取件码 3-2-4471',
    '密码我发你邮箱了',
    '腾讯会议 421886339 密码 123456',
    '统一社会信用代码 916201023456789012',
    '电话0931-8812345',
  ])('nothing personal: %s', text => {
    expect(kinds(text)).toEqual([])
  })

  test('checksums', () => {
    expect(isIdNumber('11010519491231002x')).toBe(true)
    expect(isIdNumber('11010519491331002X')).toBe(false)
    expect(passesLuhn('6228480402564890018')).toBe(true)
    expect(passesLuhn('6228480402564890019')).toBe(false)
  })
})

describe('maskPersonalData', () => {
  test.each([
    ['电话13800138000。', '电话138****8000。'],
    ['身份证11010519491231002X', '身份证110105**********2X'],
    ['卡 6228 4804 0256 4890 018', '卡 6228 **** **** ***0 018'],
    ['密码：Zhang1998', '密码：*********'],
    ['验证码 493021 快', '验证码 ****** 快'],
    ['明天开会', '明天开会'],
  ])('%s', (text, masked) => {
    expect(maskPersonalData(text)).toBe(masked)
    expect(maskPersonalData(masked)).toBe(masked)
  })
})
