import { addDays, dayOf, shanghaiMoment } from '../server/clock.ts'
import { readNumber } from './words.ts'

const DAY_MS = 86_400_000
const DAYS_AHEAD: Readonly<Record<string, number>> = {
  今天: 0,
  今日: 0,
  今晚: 0,
  明天: 1,
  明日: 1,
  明早: 1,
  明晚: 1,
  后天: 2,
  大后天: 3,
}
const WEEKDAYS = '一二三四五六日天'

const DAY =
  /^(?<near>今天|今日|今晚|明天|明日|明早|明晚|大后天|后天)|^(?<next>下)?(?:周|星期|礼拜)(?<weekday>[一二三四五六日天])|^(?:(?<year>\d{4})[年./-])?(?<month>\d{1,2})[月./-](?<day>\d{1,2})[日号]?|^(?<alone>\d{1,2})[日号]/
const TIME =
  /^(?<part>凌晨|早上|早晨|上午|中午|下午|晚上|傍晚|夜里)?(?:(?<hour24>\d{1,2})[:：](?<minute24>\d{2})|(?<hour>\d{1,2}|[零一二两三四五六七八九十]{1,3})[点时](?:(?<half>半)|(?<quarter>[一三])刻|(?<minute>\d{1,2}|[零一二三四五六七八九十]{1,3})分?|整)?)$/

/**
 * A moment to come as people write it: 明天8点, 今晚8点半, 周五下午3点, 7月1日 9:00, 18:30. Without a day it is today; a month
 * without a year is the next that comes.
 * @returns null when the text is no moment; it may lie behind, when today was meant and is over
 */
export function readMoment(text: string, now: Date): Date | null {
  const plain = text
    .replace(/^(?:定时|定在|在)[:：\s]*/, '')
    .replace(/(?:再?发出?|发送)$/, '')
    .trim()
  const dayMatch = DAY.exec(plain)
  const groups = dayMatch?.groups ?? {}
  const rest = (dayMatch ? plain.slice(dayMatch[0].length) : plain).replace(/^[\s,，的]+/, '')
  const time = timeIn(rest, groups.near)
  const day = dayMatch ? dayIn(groups, now) : dayOf(now)
  if (time === null || day === null) return null
  return shanghaiMoment(day, time)
}

function dayIn(groups: Record<string, string | undefined>, now: Date): string | null {
  const today = dayOf(now)
  const { near, next, weekday, year, month, day, alone } = groups
  if (near !== undefined) return addDays(today, DAYS_AHEAD[near] ?? 0)
  if (weekday !== undefined) {
    const wanted = Math.min(WEEKDAYS.indexOf(weekday), 6)
    // Monday is 0
    const current = (new Date(Date.parse(`${today}T00:00:00Z`)).getUTCDay() + 6) % 7
    if (next !== undefined) return addDays(today, 7 - current + wanted)
    return addDays(today, (wanted - current + 7) % 7)
  }
  if (alone !== undefined) {
    const inMonth = (first: string) => validDay(`${first.slice(0, 8)}${alone.padStart(2, '0')}`)
    const here = inMonth(today)
    if (here !== null && here >= today) return here
    const nextMonth = dayOf(new Date(Date.parse(`${today.slice(0, 8)}28T00:00:00Z`) + 5 * DAY_MS))
    return inMonth(nextMonth)
  }
  const tail = `-${(month ?? '').padStart(2, '0')}-${(day ?? '').padStart(2, '0')}`
  if (year !== undefined) return validDay(`${year}${tail}`)
  const thisYear = Number(today.slice(0, 4))
  const here = validDay(`${thisYear}${tail}`)
  return here !== null && here >= today ? here : validDay(`${thisYear + 1}${tail}`)
}

/** `HH:MM`; null for what is no time. @param near 今晚 and 明早 say which half of the day is meant */
function timeIn(text: string, near: string | undefined): string | null {
  const found = TIME.exec(text)?.groups
  if (!found) return null
  const {
    part = near === '今晚' || near === '明晚' ? '晚上' : '',
    hour24,
    minute24,
    hour,
    half,
    quarter,
    minute,
  } = found
  const written = hour24 ?? hour ?? ''
  const at = /^\d+$/.test(written) ? Number(written) : readNumber(written)
  const past = half ? 30 : quarter ? (quarter === '一' ? 15 : 45) : minutesIn(minute24 ?? minute)
  if (at === null || past === null || at > 24 || past > 59) return null
  const isLater = /下午|晚上|傍晚|夜里/.test(part) || (part === '中午' && at < 3)
  const hours = isLater && at < 12 ? at + 12 : at
  if (hours > 23) return null
  return `${String(hours).padStart(2, '0')}:${String(past).padStart(2, '0')}`
}

function minutesIn(written: string | undefined): number | null {
  if (written === undefined) return 0
  return /^\d+$/.test(written) ? Number(written) : readNumber(written.replace(/^零/, ''))
}

function validDay(day: string): string | null {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day ? day : null
}
