import type { Random } from './random.ts'

const FULL_WIDTH = '０１２３４５６７８９'
const CHINESE = '零一二三四五六七八九'
const SPOKEN = '零幺二三四五六七八九'
const CIRCLE = '〇一二三四五六七八九'
const CAPITAL = '零壹贰叁肆伍陆柒捌玖'

const each = (digits: string, alphabet: string) =>
  digits.replace(/\d/g, digit => Array.from(alphabet)[Number(digit)] as string)
const split = (digits: string, sizes: number[], separator: string) => {
  const parts: string[] = []
  let at = 0
  for (const size of sizes) {
    parts.push(digits.slice(at, at + size))
    at += size
  }
  if (at < digits.length) parts.push(digits.slice(at))
  return parts.join(separator)
}

/** A number as typed. `isArguable`: an officer may want to look at it (letters for digits, half in characters). */
export interface Written {
  text: string
  isArguable: boolean
  /** No digit is left in it, so it must not touch a name that ends in a number. */
  isSpoken?: boolean
}

const plain = (text: string): Written => ({ text, isArguable: false })

const PHONE_FORMS: readonly (readonly [(p: string, random: Random) => Written, number])[] = [
  [p => plain(p), 60],
  [p => plain(split(p, [3, 4, 4], ' ')), 4],
  [p => plain(split(p, [3, 4, 4], '-')), 4],
  [p => plain(split(p, [3, 4, 4], '_')), 1],
  [p => plain(split(p, [3, 4, 4], '.')), 1],
  [p => plain(split(p, [3, 4, 4], '—')), 0.5],
  [p => plain(split(p, [3, 4, 4], '\u3000')), 1],
  [p => plain(split(p, [3, 8], ' ')), 1],
  [p => plain(split(p, [4, 3, 4], ' ')), 1],
  [p => plain(split(p, [4, 4, 3], '-')), 0.5],
  [p => plain(split(p, [2, 3, 3, 3], ' ')), 0.5],
  [p => plain(split(p, [5, 6], ' ')), 0.5],
  [p => plain(split(p, [7, 4], ' ')), 0.5],
  [p => plain(split(p, [3, 2, 2, 2, 2], ' ')), 0.5],
  [p => plain(`+86${p}`), 2],
  [p => plain(`+86 ${split(p, [3, 4, 4], ' ')}`), 2],
  [p => plain(`（+86）${p}`), 1],
  [p => plain(`0086${p}`), 1],
  [p => plain(`0086-${p}`), 0.5],
  [p => plain(`86-${p}`), 1],
  [p => plain(`+86-${split(p, [3, 4, 4], '-')}`), 0.5],
  [p => plain(each(p, FULL_WIDTH)), 4],
  [p => ({ text: each(p, SPOKEN), isArguable: false, isSpoken: true }), 5],
  [p => ({ text: each(p, CHINESE), isArguable: false, isSpoken: true }), 2],
  [p => ({ text: each(p, CIRCLE), isArguable: false, isSpoken: true }), 0.7],
  [p => ({ text: each(p, CAPITAL), isArguable: true, isSpoken: true }), 0.7],
  [p => ({ text: split(each(p, SPOKEN), [3, 4, 4], ' '), isArguable: false, isSpoken: true }), 0.7],
  [p => ({ text: split(each(p, SPOKEN), [3, 4, 4], '，'), isArguable: true, isSpoken: true }), 0.4],
  [p => plain(p.replace(/\d/g, d => `${d}\ufe0f\u20e3`)), 1.5],
  [p => ({ text: p.replace(/0/g, 'O'), isArguable: p.includes('0') }), 1],
  [p => ({ text: p.replace(/0/g, 'o'), isArguable: p.includes('0') }), 0.5],
  [p => ({ text: p.replace(/1/g, 'l'), isArguable: true }), 0.5],
  [
    (p, r) => ({
      text: p.replace(/\d/g, (d, i) =>
        i > 2 && i < 8 && r.chance(0.5) ? (CHINESE[Number(d)] as string) : d,
      ),
      isArguable: true,
    }),
    1.5,
  ],
  [(p, r) => plain(p.replace(/\d/g, d => (r.chance(0.6) ? `${d}\u200b` : d))), 1.5],
  [p => plain(Array.from(p).join(' ')), 0.7],
  [p => plain(Array.from(p).join('-')), 0.3],
  [p => plain(`${p.slice(0, 3)}<span>${p.slice(3)}</span>`), 0.3],
  [p => plain(`${split(p, [3, 4, 4], '\u00a0')}`), 0.4],
  [p => ({ text: `${p.slice(0, 3)}\n${p.slice(3)}`, isArguable: true }), 0.2],
  [
    p => ({
      text: p.replace(/\d/g, d => String.fromCodePoint(0x2460 + ((Number(d) + 9) % 10))).replaceAll('⑩', '⓪'),
      isArguable: true,
    }),
    0.3,
  ],
  [p => plain(p.replace(/\d/g, d => String.fromCodePoint(0x1d7ce + Number(d)))), 0.3],
]

export function writePhone(phone: string, random: Random): Written {
  return random.weighted(PHONE_FORMS)(phone, random)
}

export function writeIdNumber(id: string, random: Random): Written {
  return random.weighted<(id: string) => Written>([
    [i => plain(i), 10],
    [i => plain(i.toLowerCase()), 3],
    [i => plain(split(i, [6, 8, 4], ' ')), 2],
    [i => plain(split(i, [6, 8, 4], '-')), 1],
    [i => plain(split(i, [6, 4, 4, 4], ' ')), 1],
    [i => plain(split(i, [4, 4, 4, 4, 2], ' ')), 1],
    [i => plain(split(i, [3, 3, 4, 4, 4], ' ')), 0.6],
    [i => plain(each(i, FULL_WIDTH).replace('X', 'Ｘ')), 1.5],
    [i => plain(i.replace('X', '×')), 0.5],
    [i => plain(Array.from(i).join('\u200b')), 0.5],
    [i => plain(i.replace(/\d/g, d => `${d}\ufe0f\u20e3`)), 0.3],
    [i => ({ text: each(i, SPOKEN).replace('X', '叉'), isArguable: true, isSpoken: true }), 0.3],
  ])(id)
}

/** Last six of an ID number, with its label: six digits alone say nothing. */
export function writeIdTail(id: string, random: Random): Written {
  const tail = id.slice(-6)
  const label = random.weighted([
    ['身份证后六位', 4],
    ['身份证后6位', 4],
    ['身份证号后六位是', 2],
    ['sfz后六位', 2],
    ['证件号末六位', 2],
    ['证件号后六位：', 1],
    ['身份证尾号', 2],
    ['身份证末六位', 1],
    ['身份证最后六位', 1],
    ['身份证号最后6位是', 1],
    ['身份证后六位数', 0.7],
    ['身份证后六位数字是', 0.5],
    ['身份证号码后6位：', 1],
    ['身份证后面六位', 0.7],
    ['身份证尾数', 0.5],
    ['ID后六位', 0.5],
    ['身份证号末尾六位', 0.5],
    ['身份证（后六位）', 0.7],
    ['身份证号（后6位）：', 0.7],
    ['证件后6位', 0.5],
    ['身份证后陆位', 0.1],
    ['身份证后六', 0.3],
    ['身份证尾6位', 0.5],
    ['身份证尾号6位', 0.5],
    ['后六位身份证号', 0.5],
    ['身分证后六位', 0.3],
    ['SFZ后6位', 0.4],
    ['身份证明号后六位', 0.1],
  ] as const)
  const gap = random.pick(['', '：', ' ', ': ', '是', ''])
  const form = random.weighted<(t: string) => Written>([
    [t => plain(t), 10],
    [t => plain(t.toLowerCase()), 2],
    [t => plain(each(t, FULL_WIDTH).replace('X', 'Ｘ')), 2],
    [t => plain(split(t, [3, 3], ' ')), 0.7],
    [t => plain(split(t, [2, 4], ' ')), 0.3],
    [t => plain(split(t, [2, 2, 2], ' ')), 0.3],
    [t => plain(t.replace('X', '×')), 0.5],
    [t => plain(t.replace('X', 'ⅹ')), 0.2],
    [t => ({ text: each(t, SPOKEN).replace('X', '叉'), isArguable: true }), 0.3],
    [t => ({ text: each(t, CHINESE), isArguable: true }), 0.5],
    [t => plain(t.replace(/\d/g, d => `${d}\ufe0f\u20e3`)), 0.3],
    [t => plain(`“${t}”`), 0.3],
  ])(tail)
  const isDoubled = /[：是]$/.test(label) && /^(?:：|: |是)$/.test(gap)
  return { text: `${label}${isDoubled ? '' : gap}${form.text}`, isArguable: form.isArguable }
}

/** One digit changed, swapped with its neighbour, missing or too many. */
export function oneDigitOff(number: string, random: Random): string {
  for (;;) {
    const at = random.int(3, number.length - 2)
    const changed = String((Number(number[at]) + random.int(1, 9)) % 10)
    const off = random.pick([
      number.slice(0, at) + changed + number.slice(at + 1),
      number.slice(0, at) + changed + number.slice(at + 1),
      number.slice(0, at) + number[at + 1] + number[at] + number.slice(at + 2),
      number.slice(0, at) + number.slice(at + 1),
      number.slice(0, at) + changed + number.slice(at),
    ])
    if (off !== number) return off
  }
}

export function newPhone(random: Random): string {
  return `${random.pick(['130', '131', '132', '134', '135', '138', '139', '150', '151', '155', '158', '166', '177', '180', '182', '185', '187', '188', '191', '198', '199'])}${String(random.int(0, 99_999_999)).padStart(8, '0')}`
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

/** GB 11643 check character for the first seventeen digits. */
export function withCheck(seventeen: string): string {
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(seventeen[i]), 0)
  return seventeen + '10X98765432'[sum % 11]
}

export function newIdNumber(random: Random): string {
  const place = random.pick([
    '610825',
    '620102',
    '653101',
    '540102',
    '513432',
    '522300',
    '150103',
    '450226',
    '630225',
    '411527',
  ])
  const day = `${random.int(1998, 2004)}${String(random.int(1, 12)).padStart(2, '0')}${String(random.int(1, 28)).padStart(2, '0')}`
  return withCheck(`${place}${day}${String(random.int(1, 999)).padStart(3, '0')}`)
}
