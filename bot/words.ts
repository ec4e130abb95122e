/** Reads what people type in a few words: numbers, days, lists. */

import { chineseDigits } from '../server/chinese-digits.ts'

/** A whole number in digits or in Chinese up to 99 (`35`, `三`, `十二`, `二十`); null when it is none. */
export function readNumber(text: string): number | null {
  const word = text.replace(/[条个人次名场群号]+$/, '').trim()
  if (/^\d{1,9}$/.test(word)) return Number(word)
  const match = /^([二两三四五六七八九]?)(十?)([一二两三四五六七八九]?)$/.exec(word)
  if (!match || word === '') return /^[零一]$/.test(word) ? (chineseDigits[word] as number) : null
  const [, tens = '', ten = '', ones = ''] = match
  if (ten === '') return tens !== '' && ones !== '' ? null : (chineseDigits[tens || ones] ?? null)
  return (
    (tens === '' ? 1 : (chineseDigits[tens] as number)) * 10 +
    (ones === '' ? 0 : (chineseDigits[ones] as number))
  )
}

/** All numbers written in digits, in order, each once. */
export function readNumbers(text: string): number[] {
  return [...new Set([...text.matchAll(/\d{1,9}/g)].map(match => Number(match[0])))]
}

/**
 * A day as people write it: 今天, 昨天, 前天, 12日, 9月12日, 9-12, 2026-09-12. Without a year or a month the latest such
 * day up to today.
 * @param today `YYYY-MM-DD`
 */
export function readDay(text: string, today: string): string | null {
  const ago: Record<string, number> = { 今天: 0, 昨天: 1, 前天: 2 }
  const days = ago[text]
  if (days !== undefined) return shift(today, -days)
  const alone = /^(\d{1,2})[日号]$/.exec(text)
  if (alone) return readDayAlone((alone[1] as string).padStart(2, '0'), today)
  const match = /^(?:(\d{4})[年./-])?(\d{1,2})[月./-](\d{1,2})[日号]?$/.exec(text)
  if (!match) return null
  const [, year, month = '', day = ''] = match
  const tail = `-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const written = `${year ?? today.slice(0, 4)}${tail}`
  if (!isDay(written)) return null
  return year === undefined && written > today ? `${Number(today.slice(0, 4)) - 1}${tail}` : written
}

function readDayAlone(day: string, today: string): string | null {
  const written = `${today.slice(0, 8)}${day}`
  if (isDay(written) && written <= today) return written
  const before = `${shift(`${today.slice(0, 8)}01`, -1).slice(0, 8)}${day}`
  return isDay(before) ? before : null
}

/** A month: 本月, 上月, 9月, 九月, 2026-09. @param thisMonth `YYYY-MM` */
export function readMonth(text: string, thisMonth: string): string | null {
  const word = text.trim()
  if (word === '' || /^(本月|这个月)$/.test(word)) return thisMonth
  if (/^(上月|上个月)$/.test(word)) return shift(`${thisMonth}-01`, -1).slice(0, 7)
  const chinese = /^([一二三四五六七八九十]{1,2})月份?$/.exec(word)
  if (chinese) return readMonth(String(readNumber(chinese[1] as string) ?? ''), thisMonth)
  const match = /^(?:(\d{4})[年./-])?(\d{1,2})(?:月份?)?$/.exec(word)
  const number = Number(match?.[2])
  if (!match || number < 1 || number > 12) return null
  const tail = `-${String(number).padStart(2, '0')}`
  const written = `${match[1] ?? thisMonth.slice(0, 4)}${tail}`
  return match[1] === undefined && written > thisMonth
    ? `${Number(thisMonth.slice(0, 4)) - 1}${tail}`
    : written
}

function shift(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day
}
