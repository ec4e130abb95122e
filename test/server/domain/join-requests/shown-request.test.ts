import { describe, expect, test } from 'vitest'
import { readClaims } from '../../../../server/domain/join-requests/read-claims.ts'
import { shownRequest } from '../../../../server/domain/join-requests/shown-request.ts'

describe('what reviewers are shown of a request', () => {
  test.each([
    '13800138000',
    '138 0013 8000',
    '138-0013-8000',
    '138.0013.8000',
    '138—0013—8000',
    '138  0013  8000',
    '138_0013_8000',
    '138/0013/8000',
    '138·0013·8000',
    '138=0013=8000',
    '(138)0013(8000)',
    '１３８．００１３．８０００',
    '1\u200b38\u200b0013\u200b8000',
    '1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣',
    '138<b>0013</b>8000',
    '一三八 零零一三 八零零零',
    '138零零13八000',
    '138OO138OOO',
  ])('a phone that the reader understands is not in clear: %s', typed => {
    const text = `张思雨，手机${typed}，麻烦通过`
    const { phones, unclearPhones } = readClaims(text)
    expect([...phones, ...unclearPhones]).toEqual(['13800138000'])
    const shown = shownRequest(text)
    const read = readClaims(shown)
    expect([...read.phones, ...read.unclearPhones]).toEqual([])
    expect(shown).toContain('*')
    expect(shown).toContain('张思雨')
  })

  test.each([
    ['a digit missing', '138.0013.800'],
    ['a digit too many', '138/0013/80001'],
    ['an ID number in parts', '6108 02.1999/0101 001X'],
    ['the end of an ID number', '后六位 01  00  1X'],
  ])('%s: %s', (_what, typed) => {
    const shown = shownRequest(`张思雨 ${typed}`)
    expect(shown).toMatch(/\*/)
    expect(shown).not.toContain(typed)
    expect(shown.replace(/\D/g, '').length).toBeLessThanOrEqual(6)
  })

  test.each([
    '榆阳区第一团支部 张思雨',
    '三支部 王一一，2026年9月1日到岗',
    '我是1支部的，2024届',
    'QQ群里看到的\n谢谢',
  ])('what is no number stays as it was written: %s', text =>
    expect(shownRequest(text)).toBe(text.replace('\n', '；')),
  )
})
