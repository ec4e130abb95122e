import type { NoticeAsk } from '../../../db/queries/notices.ts'
import { chineseDigits } from '../../chinese-digits.ts'

/** What an answer says, as it is kept. */
export interface ReadAnswer {
  /** As it is read by people; a number in plain digits, a choice by its word. */
  text: string
  /** For `number` the number, for `choice` the place of the choice, from 1; null for the others. */
  amount: number | null
}

const MAX_TEXT = 1000
const MAX_AMOUNT = 1e12
/** Words around a number that change nothing about it. */
const BEFORE = /^(?:答复?|一共|总共|共计|合计|共|有|计|是)[:：]?/
const MEASURES = /(?:人次|小时|[人个名位户村次场条项篇份件元家所支只亩天岁期届])$/
const NONE = /^(?:没有|无|暂无|零)$/

const tens: Record<string, number> = { 十: 10, 百: 100, 千: 1000 }
const myriads: Record<string, number> = { 万: 1e4, 亿: 1e8 }

/** Reads an answer as the question wants it. @returns `error`, in Chinese, says what is wanted */
export function readAnswer(ask: NoticeAsk, written: string): ReadAnswer | { error: string } {
  const text = written.trim()
  // full-width digits and signs are written as often as the others
  const plain = text.normalize('NFKC')
  switch (ask.kind) {
    case 'number':
      return readNumberAnswer(plain, (ask.measure ?? '').normalize('NFKC'))
    case 'choice':
      return readChoice(plain, ask.choices ?? [])
    case 'file':
      return { error: '这个通知要的是文件，请打开网页上传。' }
    case 'text':
      if (text === '') return { error: '请写上答复。' }
      return [...text].length > MAX_TEXT
        ? { error: `答复太长（${[...text].length} 字），请缩到 ${MAX_TEXT} 字以内。` }
        : { text, amount: null }
  }
}

/** How an answer to this question is written, as an example; for a choice the choices with their numbers. */
export function answerHint({ kind, choices = [], measure = '' }: NoticeAsk): string {
  switch (kind) {
    case 'number':
      return `请答一个数字${measure === '' ? '' : `（${measure}）`}`
    case 'choice':
      return `请选一项：${choices.map((choice, index) => `${index + 1} ${choice}`).join('、')}`
    case 'file':
      return '请上传文件'
    case 'text':
      return '请用一句话答复'
  }
}

function readNumberAnswer(text: string, measure: string): ReadAnswer | { error: string } {
  const amount = readAmount(text, measure)
  if (amount === null)
    return {
      error: `没有看懂“${[...text].slice(0, 20).join('')}”。请答一个确切的数字，如：38${measure}（没有请答 0）。`,
    }
  return { text: String(amount), amount }
}

/**
 * An exact number as people write it: 38、38人、1,200、1.5万、三十八、一百五（150）、没有（0）. null for anything else; about so many
 * (三十多、38左右) is none.
 * @param measure what is counted; 3万元 is 3 where 万元 are counted, 30000 where it is 元
 */
export function readAmount(text: string, measure = ''): number | null {
  let word = text
    .normalize('NFKC')
    .replace(/[\s。！!]+/g, '')
    .replace(BEFORE, '')
  if (NONE.test(word)) return 0
  if (measure !== '' && word.endsWith(measure)) word = word.slice(0, -measure.length)
  else word = word.replace(MEASURES, '')
  const amount = readDigits(word) ?? readChinese(word)
  return amount !== null && amount <= MAX_AMOUNT ? amount : null
}

function readDigits(word: string): number | null {
  const match = /^(\d{1,3}(?:[,，]\d{3})+|\d{1,13})(\.\d{1,4})?([百千万亿]?)$/.exec(word)
  if (!match) return null
  const [, whole = '', part = '', unit = ''] = match
  const times = tens[unit] ?? myriads[unit] ?? 1
  // 1.13 × 10000 is a little less than 11300 in binary
  return Number((Number(whole.replace(/[,，]/g, '') + part) * times).toFixed(4))
}

function readChinese(word: string): number | null {
  if (!/^[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]{0,19}$/.test(word)) return null
  // 二〇二六 and 一二 are read digit by digit
  if (!/[十百千万亿]/.test(word)) return Number([...word].map(each => chineseDigits[each]).join(''))
  let total = 0
  let section = 0
  let digit: number | null = null
  let last = 1
  for (const character of word) {
    const value = chineseDigits[character]
    if (value !== undefined) {
      // two digits side by side are no number, but for the nought between them
      if (digit !== null && digit !== 0) return null
      digit = value
      if (value === 0) last = 1
    } else if (tens[character] !== undefined) {
      last = tens[character] as number
      section += (digit ?? 1) * last
      digit = null
    } else {
      last = myriads[character] as number
      const part = section + (digit ?? 0)
      // 一亿两千万: the 万 is of the 两千 alone, an 亿 of all before it
      total = character === '亿' ? (total + part) * last : total + part * last
      section = 0
      digit = null
    }
  }
  // 一百五 is 150, 一百零五 is 105
  return total + section + (digit ?? 0) * (last > 10 ? last / 10 : 1)
}

/**
 * A choice is named by its words, by how they begin, or by its place. A number that occurs in the words of choices means
 * those words, not the place: of 3人, 2人, 1人 the answer 1 is the last. What may mean two choices is asked again.
 */
function readChoice(text: string, choices: string[]): ReadAnswer | { error: string } {
  const word = text.replace(/[\s。！!.]+$/g, '').replace(/了$/, '')
  const plain = choices.map(choice => choice.normalize('NFKC').trim())
  const where = (fits: (choice: string) => boolean) =>
    plain.flatMap((choice, index) => (fits(choice) ? [index] : []))
  const number = readAmount(word)
  const isPlace = number !== null && Number.isInteger(number) && number >= 1 && number <= choices.length
  const [places] = [
    where(choice => choice === text || choice === word),
    number === null ? [] : where(choice => digitsIn(choice).includes(number)),
    // 统一 holds a numeral without being a number: then both are meant, and they are asked
    [
      ...new Set([
        ...(isPlace ? [number - 1] : []),
        ...(number === null ? [] : where(choice => numeralsIn(choice).includes(number))),
      ]),
    ],
    where(choice => word !== '' && choice.startsWith(word)),
  ].filter(found => found.length > 0)
  const [place = -1, other] = places ?? []
  const choice = choices[place]
  return choice === undefined || other !== undefined
    ? {
        error: `${answerHint({ kind: 'choice', question: '', choices })}（回复${
          other === undefined ? '数字或那几个字' : '那一项的原话，数字分不清是哪一项'
        }）。`,
      }
    : { text: choice, amount: place + 1 }
}

/** The numbers in some words, such as 3 and 5 in 3至5人. */
function digitsIn(words: string): number[] {
  return (words.match(/\d[\d,]*(?:\.\d+)?/g) ?? []).flatMap(each => readAmount(each) ?? [])
}

function numeralsIn(words: string): number[] {
  return (words.match(/[零〇一二两三四五六七八九十百千万亿]+/g) ?? []).flatMap(each => readAmount(each) ?? [])
}
