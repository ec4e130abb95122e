import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inMarkdown, plainText, shortenText, splitText, textBytes } from '../../../server/channels/text.ts'

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
    ['他说：“好。”大家走', 21, ['他说：“好。”', '大家走']],
    ['Is it so? Yes, so.', 12, ['Is it so?', 'Yes, so.']],
    ['见 https://a.cn/b?c=1;d 即可', 21, ['见', 'https://a.cn/b?c=1;d', '即可']],
    ['请联系张书记 13800000006', 24, ['请联系张书记', '13800000006']],
    ['https://example.cn/very/long/address', 20, ['https://example.cn/v', 'ery/long/address']],
    ['一\r\n二', 6, ['一', '二']],
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

describe('a text is shortened', () => {
  test.each<[string, number, string]>([
    ['正好', 6, '正好'],
    ['一二三四', 9, '一二…'],
    ['一二。三四五六', 15, '一二。…'],
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 30, '👨‍👩‍👧‍👦…'],
  ])('%j to %d bytes', (text, maxBytes, expected) => {
    expect(shortenText(text, maxBytes)).toBe(expected)
  })

  test('never over the limit, and never without a sign of it', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 8, max: 80 }), (text, maxBytes) => {
        const short = shortenText(text, maxBytes)
        expect(textBytes(short)).toBeLessThanOrEqual(maxBytes)
        if (short !== text) {
          expect(short.endsWith('…')).toBe(true)
          expect(text.startsWith(short.slice(0, -1))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('somebody’s words', () => {
  test.each<[string, string]>([
    ['<a href="https://x.example">点我</a>', '＜a href="https://x.example">点我＜/a>'],
    ['< A HREF=x>', '＜ A HREF=x>'],
    ['<@all>', '＜@all>'],
    ['1 < 2 且 3<4', '1 < 2 且 3<4'],
    ['一\r\n二\r三\t四', '一\n二\n三\t四'],
    ['空\u0000字\u0007符\u001b\u007f', '空字符'],
    ['\ud83d坏\udc4d', '\ufffd坏\ufffd'],
    ['👍🏽 e\u0301', '👍🏽 e\u0301'],
  ])('%j in plain text: %j', (text, expected) => {
    expect(plainText(text)).toBe(expected)
  })

  test('in plain text make a request without escapes, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }), units => {
        const text = String.fromCharCode(...units)
        expect(JSON.stringify(plainText(text))).not.toMatch(/\\u[0-9a-f]{4}|\\[bfr]/)
      }),
    )
  })

  test.each<[string, string]>([
    ['**张三**', '＊＊张三＊＊'],
    ['[点我](https://x.example)', '［点我］（https://x.example）'],
    ['# 标题\n> 引用', '＃ 标题 ＞ 引用'],
    ['<font color="info">绿</font>', '＜font color="info"＞绿＜/font＞'],
    ['`码` _斜_ ~删~ a|b \\', '｀码｀ ＿斜＿ ～删～ a｜b ＼'],
    ['李四', '李四'],
  ])('%j in Markdown: %j', (text, expected) => {
    expect(inMarkdown(text)).toBe(expected)
  })
})
