import { cleanCell } from './text.ts'

const WRITTEN = /^(\d{4})(?:-|\/|\.|年)(\d{1,2})(?:-|\/|\.|月)(\d{1,2})日?$/
const ISO = /^(\d{4})-(\d{2})-(\d{2})$/
const COMPACT = /^(\d{4})(\d{2})(\d{2})$/
const TIME_OF_DAY = /[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$/
/** Day 0 of a spreadsheet's calendar, chosen so that days after its false 1900-02-29 come out right. */
const SERIAL_EPOCH = Date.UTC(1899, 11, 30)
const DAY_MS = 86_400_000
/** Serial numbers of 2000-01-01 and 2099-12-31; other numbers are no dates of service. */
const SERIALS = { first: 36526, last: 73050 }

/**
 * A day as people and spreadsheets write it, as `YYYY-MM-DD`: 2025-08-01, 2025/8/1, 2025.8.1, 20250801,
 * 2025年8月1日 or a serial number; a time of day behind it is dropped. Null when it is no whole or no real day.
 */
export function parseDay(text: string): string | null {
  const iso = ISO.exec(text)
  if (iso) return realDay(Number(iso[1]), Number(iso[2]), Number(iso[3]))
  const written = cleanCell(text.normalize('NFKC')).replace(TIME_OF_DAY, '').replace(/\s/g, '')
  const parts = WRITTEN.exec(written) ?? COMPACT.exec(written)
  if (parts) return realDay(Number(parts[1]), Number(parts[2]), Number(parts[3]))
  const serial = /^\d{5}(\.\d+)?$/.test(written) ? Math.floor(Number(written)) : 0
  if (serial < SERIALS.first || serial > SERIALS.last) return null
  return new Date(SERIAL_EPOCH + serial * DAY_MS).toISOString().slice(0, 10)
}

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether there is such a day; a `Date` for each of a million would cost more than all else of a row. */
export function isRealDay(year: number, month: number, date: number): boolean {
  if (month < 1 || month > 12 || date < 1 || date > (MONTH_DAYS[month - 1] as number)) return false
  return month !== 2 || date < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}

function realDay(year: number, month: number, date: number): string | null {
  if (year < 1900 || year > 2100) return null
  if (!isRealDay(year, month, date)) return null
  return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}
