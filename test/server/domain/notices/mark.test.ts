import { describe, expect, test } from 'vitest'
import {
  copyOf,
  isMarkedCopy,
  MAX_COPY_BYTES,
  markIn,
  markWords,
  parseMark,
  provinceOf,
} from '../../../../server/domain/notices/mark.ts'
import provinces from '../../../../templates/regions/provinces.json' with { type: 'json' }

describe('the mark of a copy', () => {
  test('is short, and stands on the last line within one message', () => {
    expect(markWords({ province: '川', number: 731 })).toBe('〔川-0731〕')
    const mark = { province: '川', number: 1_234_567 }
    const copy = copyOf({ body: '字'.repeat((MAX_COPY_BYTES - 22) / 3), link: 'https://example.cn/a1' }, mark)
    expect(copy.endsWith('\nhttps://example.cn/a1\n〔川-1234567〕')).toBe(true)
    expect(Buffer.byteLength(copy)).toBeLessThanOrEqual(2048)
  })

  test.each([
    ['〔川-0731〕', '川', 731],
    ['各位：请转。\n〔兵-0002〕', '兵', 2],
    ['【川—0731】', '川', 731],
    ['［全－12345］ 已收', '全', 12345],
    ['（陕-0001）转自（川-0002）', '川', 2],
  ])('%s is read', (text, province, number) => {
    expect(markIn(text)).toEqual({ province, number })
  })

  test.each(['川-0731', '川731', '川 731'])('%s is read where somebody types it', text => {
    expect(parseMark(text)).toEqual({ province: '川', number: 731 })
    expect(markIn(text)).toBeNull()
  })

  test.each(['〔2017〕4号', '〔国-0731〕', '（张-1234）', '〔川-7〕', '转 12'])('%s is none', text => {
    expect(markIn(text)).toBeNull()
  })

  test.each([
    ['请转。\n〔川-0731〕', true],
    ['请转。〔川-0731〕 ', true],
    ['〔川-0731〕是什么意思', false],
    ['中少办发〔2017〕4号', false],
  ])('%s ends with one: %s', (text, expected) => {
    expect(isMarkedCopy(text)).toBe(expected)
  })
})

describe('the province of a unit', () => {
  test.each<[string, [code: string, name: string][], string]>([
    [
      'by its own code',
      [
        ['000000', '全国'],
        ['510000', '四川省'],
        ['510104', '锦江区'],
      ],
      '川',
    ],
    [
      'by the code of a unit above',
      [
        ['610000', '陕西省'],
        ['610802-b1', '第一团支部'],
      ],
      '陕',
    ],
    [
      'not by a number that is no division code',
      [
        ['610000', '陕西省'],
        ['11414', '某大学'],
      ],
      '陕',
    ],
    [
      'the corps, whatever its code',
      [
        ['650000', '新疆生产建设兵团'],
        ['659001', '石河子'],
      ],
      '兵',
    ],
    [
      'none',
      [
        ['0', '全国'],
        ['x', '部门'],
      ],
      '全',
    ],
    ['of nothing', [], '全'],
  ])('%s', (_how, line, short) => {
    expect(provinceOf(line.map(([code, name]) => ({ code, name })))).toBe(short)
  })

  test('there is one for each province, and no two are alike', () => {
    const all = provinces.provinces.map(({ code, name }) => provinceOf([{ code, name }]))
    expect(all).not.toContain('全')
    expect(new Set(all).size).toBe(31)
  })
})
