import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitText, textBytes } from '../../../server/channels/text.ts'

const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '通知',
        '。',
        '！',
        '\n',
        ' ',
        '\u3000',
        'a',
        'é',
        '👍🏽',
        '👨‍👩‍👧‍👦',
        '🇨🇳',
        'e\u0301',
        '\r\n',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map(parts => parts.join(''))
const withoutSpace = (text: string) => text.replace(/\s/g, '')

describe('a text is split', () => {
  test.each<[string, number, string[]]>([
    ['', 10, ['']],
    ['  ', 10, ['']],
    ['短', 10, ['短']],
    ['  短 \n', 10, ['短']],
    ['一二三', 9, ['一二三']],
    ['一二三四', 9, ['一二三', '四']],
    ['一二。三四', 12, ['一二。', '三四']],
    ['一。二三四五', 12, ['一。二三', '四五']],
    ['一二\n三四', 12, ['一二', '三四']],
    ['abc def', 4, ['abc', 'def']],
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 30, ['👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦']],
    ['e\u0301e\u0301', 4, ['e\u0301', 'e\u0301']],
  ])('%j within %d bytes', (text, maxBytes, expected) => {
    expect(splitText(text, maxBytes)).toEqual(expected)
  })

  test('with nothing lost but white space, and never over the limit', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 4, max: 80 }), (text, maxBytes) => {
        const parts = splitText(text, maxBytes)
        expect(withoutSpace(parts.join(''))).toBe(withoutSpace(text))
        for (const part of parts) expect(textBytes(part)).toBeLessThanOrEqual(maxBytes)
        if (text.trim() !== '') expect(parts).not.toContain('')
      }),
      { numRuns: 1000 },
    )
  })

  test('with no character broken where the limit leaves room for one', () => {
    const whole = (text: string) =>
      [...new Intl.Segmenter('zh').segment(text)].map(({ segment }) => segment.trim())
    fc.assert(
      fc.property(words, text => {
        const kept = splitText(text, 64)
          .flatMap(whole)
          .filter(segment => segment !== '')
        expect(kept).toEqual(whole(text).filter(segment => segment !== ''))
      }),
      { numRuns: 1000 },
    )
  })

  test('even a single character that is longer than a message', () => {
    const heap = `a${'\u0301'.repeat(2000)}`
    const parts = splitText(`${heap}${'好'.repeat(1000)}`, 2048)
    expect(parts.join('')).toBe(`${heap}${'好'.repeat(1000)}`)
    for (const part of parts) expect(textBytes(part)).toBeLessThanOrEqual(2048)
  })
})
