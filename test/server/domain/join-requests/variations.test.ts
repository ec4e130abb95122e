import { describe, expect, test } from 'vitest'
import { RosterIndex } from '../../../../server/domain/join-requests/roster-index.ts'
import { nameKey } from '../../../../server/domain/names/name-key.ts'
import { aPerson, type InventedPerson, judgeWith } from './invented-roster.ts'

// Invented people asking in invented ways, with the truth planted. The seed is fixed: a failure can be repeated.

const SURNAMES = Array.from(
  '赵孙李周吴郑王冯陈蒋沈韩杨朱许何吕张孔曹金魏陶姜谢邹苏潘范彭鲁马方任袁柳唐薛雷贺罗毕郝安于傅康顾孟黄萧姚汪毛戴宋熊',
)
const GIVEN =
  '伟 芳 静 磊 洋 艳 勇 杰 娟 涛 明 超 霞 平 刚 玲 辉 丽 鑫 博 志强 建国 秀英 海燕 晓东 文博 子涵 雨欣 欣怡 梓萱 浩然 宇轩 思远 佳琪 春梅 国庆 立新 玉兰 婷婷 丹丹 一鸣 云飞'.split(
    ' ',
  )
const WEST =
  '古丽米热·艾尼瓦尔 阿依古丽·居来提 叶尔兰·杰恩斯 努尔比亚·阿布都拉 麦麦提·吐尔逊 旦增曲珍 扎西次仁 格桑卓玛 洛桑顿珠 吉克阿依 沙马尔哈 乌力吉 萨日娜 那日松 何𬭎 薛䶮 贺𫖯 孙犇'.split(
    ' ',
  )
const COUNTIES = ['定边县', '靖边县', '那坡县', '察隅县']

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const next = random(20260301)
const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T

function aName(): string {
  return next() < 0.2 ? pick(WEST) : pick(SURNAMES) + pick(GIVEN)
}

const people: InventedPerson[] = Array.from({ length: 900 }, (_, i) =>
  aPerson(i + 1, aName(), pick(COUNTIES)),
)
const index = new RosterIndex(people)
const namesIn = (county: string) => new Set(people.filter(p => p.county === county).map(p => nameKey(p.name)))
const rosterPhones = new Set(people.map(p => p.phone))
const phoneOf = (person: InventedPerson) => person.phone as string

function aStrangersName(county: string): string {
  const taken = namesIn(county)
  for (;;) {
    const name = pick(SURNAMES) + pick(GIVEN)
    if (!taken.has(name)) return name
  }
}

function aStrangersPhone(): string {
  for (;;) {
    const phone = `15${String(Math.floor(next() * 1e9)).padStart(9, '0')}`
    if (!rosterPhones.has(phone)) return phone
  }
}

function oneDigitOff(phone: string): string {
  const at = 3 + Math.floor(next() * 7)
  const forms = [
    phone.slice(0, at) + ((Number(phone[at]) + 1 + Math.floor(next() * 8)) % 10) + phone.slice(at + 1),
    phone.slice(0, at) + phone.slice(at + 1),
    `${phone.slice(0, at)}${Math.floor(next() * 10)}${phone.slice(at)}`,
    phone.slice(0, at) + phone[at + 1] + phone[at] + phone.slice(at + 2),
  ].filter(form => form !== phone && !rosterPhones.has(form))
  return forms.length > 0 ? pick(forms) : `${phone}0`
}

const SPOKEN = '零幺二三四五六七八九'
const WAYS_OF_DIGITS: ((digits: string) => string)[] = [
  d => d,
  d => `${d.slice(0, 3)} ${d.slice(3, 7)} ${d.slice(7)}`,
  d => `${d.slice(0, 3)}-${d.slice(3, 7)}-${d.slice(7)}`,
  d => `+86 ${d}`,
  d => d.replace(/\d/g, c => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
  d => d.replace(/\d/g, c => SPOKEN[Number(c)] as string),
  d => d.replace(/\d/g, c => `${c}\ufe0f\u20e3`),
  d => Array.from(d).join('\u200b'),
]
const WAYS_OF_NAMES: ((name: string) => string)[] = [
  n => n,
  n => n,
  n => n.replace('·', ''),
  n => n.replace('·', '•'),
  n => n.replace('·', '.'),
  n => (n.includes('·') ? n : Array.from(n).join(' ')),
  n => `<b>${n}</b>`,
]
const TEXTS: ((name: string, phone: string, county: string) => string)[] = [
  (n, p) => `我是${n}，电话${p}`,
  (n, p) => `${n} ${p}`,
  (n, p) => `${p} ${n}`,
  (n, p, c) => `你好，我是在${c}服务的${n}，手机号：${p}，麻烦通过一下`,
  (n, p, c) => `姓名：${n}\n服务地：${c}\n联系电话：${p}`,
  (n, p, c) => `｜姓名｜${n}｜\n｜服务单位｜${c}水利局｜\n｜手机｜${p}｜`,
  (n, p, c) => `${n}+${c}+${p}`,
  (n, p, c) => `${c}-${n}-${p}`,
  (n, p) => `老师好 麻烦拉我进群，本人${n}，联系方式${p} 谢谢老师`,
  (n, p) => `${n}/男/${p}/西北大学`,
  (n, p) => `我是${n}，群里有人推荐，电话${p}\n{"decision":"approve"}`,
  (n, p) => `我叫${n}，QQ798278440，电话${p}，求进群`,
]
const write = (name: string, phone: string, county: string) =>
  pick(TEXTS)(pick(WAYS_OF_NAMES)(name), pick(WAYS_OF_DIGITS)(phone), county)
const plain = (name: string, phone: string, county: string) => pick(TEXTS)(name, phone, county)

interface Outcome {
  text: string
  decision: string
  row: number | null
}

function judgeMany(
  count: number,
  make: (person: InventedPerson, other: InventedPerson) => string | null,
): Outcome[] {
  const outcomes: Outcome[] = []
  while (outcomes.length < count) {
    const person = pick(people)
    const other = pick(people)
    const text = nameKey(person.name) === nameKey(other.name) ? null : make(person, other)
    if (text === null) continue
    const { decision, row } = judgeWith(index, text, { county: person.county })
    outcomes.push({ text, decision, row: decision === 'approved' && row === person.id ? null : row })
  }
  return outcomes
}

const share = (outcomes: Outcome[], decision: string) =>
  outcomes.filter(o => o.decision === decision).length / outcomes.length

describe('the right person with the right number', () => {
  test('is let in, and nobody in his place', () => {
    const outcomes = judgeMany(1500, p => write(p.name, phoneOf(p), p.county))
    expect(outcomes.filter(o => o.decision === 'rejected')).toEqual([])
    expect(outcomes.filter(o => o.decision === 'approved' && o.row !== null)).toEqual([])
    expect(share(outcomes, 'approved')).toBeGreaterThan(0.98)
  })
})

type Trap = (person: InventedPerson, other: InventedPerson) => string | null

const traps: [label: string, make: Trap][] = [
  ['one digit off', p => write(p.name, oneDigitOff(phoneOf(p)), p.county)],
  ['an unknown number', p => write(p.name, aStrangersPhone(), p.county)],
  ['the number of another', (p, o) => write(p.name, phoneOf(o), p.county)],
  ['a stranger with a member’s number', p => write(aStrangersName(p.county), phoneOf(p), p.county)],
  [
    'a stranger who names the owner',
    p => plain(aStrangersName(p.county), `${phoneOf(p)}（${p.name}的电话）`, p.county),
  ],
  [
    'a stranger who came with the owner',
    p => plain(aStrangersName(p.county), `${phoneOf(p)}，和${p.name}一起的`, p.county),
  ],
  ['a character more', p => plain(p.name + pick(Array.from('海梅轩桐')), phoneOf(p), p.county)],
  ['a surname more', p => plain(pick(SURNAMES) + nameKey(p.name), phoneOf(p), p.county)],
  [
    'given name only',
    p => (Array.from(nameKey(p.name)).length === 3 ? plain(p.name.slice(1), phoneOf(p), p.county) : null),
  ],
  ['a title', p => plain(`${p.name[0]}老师`, phoneOf(p), p.county)],
  ['name only', p => plain(p.name, '见名册', p.county)],
  ['last four', p => plain(p.name, `后四位${phoneOf(p).slice(7)}`, p.county)],
  ['masked', p => plain(p.name, `${phoneOf(p).slice(0, 3)}****${phoneOf(p).slice(7)}`, p.county)],
  [
    'ID tail wrong',
    p =>
      `${plain(p.name, phoneOf(p), p.county)}\n身份证后六位：${String(Math.floor(next() * 1e6)).padStart(6, '0')}`,
  ],
  ['for a friend', p => `帮我朋友${p.name}申请进群，电话${phoneOf(p)}`],
  ['instead of', p => `代${p.name}申请入群，电话${phoneOf(p)}，本人手机坏了`],
  ['two at once', (p, o) => `我们两个一起申请：${p.name} ${phoneOf(p)}，${o.name} ${phoneOf(o)}`],
  ['in the emergency field', p => `姓名：${p.name}\n紧急联系人：妈妈 ${phoneOf(p)}`],
]

describe('traps', () => {
  test.each(traps)('%s: nobody is let in', (_label, make) => {
    expect(judgeMany(300, make).filter(o => o.decision === 'approved')).toEqual([])
  })
})

test('a thousand decisions a second on one core', () => {
  const texts = Array.from({ length: 1000 }, () => pick(people)).map(p => ({
    text: write(p.name, phoneOf(p), p.county),
    county: p.county,
  }))
  const start = process.cpuUsage()
  for (const { text, county } of texts) judgeWith(index, text, { county })
  const { user, system } = process.cpuUsage(start)
  // processor time, not the clock on the wall, and half the speed asked for: a busy machine must not fail the build
  expect((user + system) / 1000).toBeLessThan(2000)
})
