import { describe, expect, test } from 'vitest'
import { readMoment } from '../../bot/moments.ts'
import { dayOf, timeOf } from '../../server/clock.ts'

describe('a moment to come, as people write it', () => {
  // a Monday
  const now = new Date('2026-09-07T09:00:00+08:00')
  const late = new Date('2026-12-31T23:30:00+08:00')

  test.each<[written: string, is: string | null, at?: Date]>([
    ['明天8点', '2026-09-08 08:00'],
    ['定时 明天 8:30', '2026-09-08 08:30'],
    ['今晚8点半', '2026-09-07 20:30'],
    ['明早7点', '2026-09-08 07:00'],
    ['晚上十点三刻', '2026-09-07 22:45'],
    ['中午12点', '2026-09-07 12:00'],
    ['十二点零五分', '2026-09-07 12:05'],
    ['18:30', '2026-09-07 18:30'],
    ['周五下午3点', '2026-09-11 15:00'],
    ['周一 10点', '2026-09-07 10:00'],
    ['下周一上午九点', '2026-09-14 09:00'],
    ['30日8点', '2026-09-30 08:00'],
    ['6号 8:00', '2026-10-06 08:00'],
    ['31号 8点', '2027-01-31 08:00', new Date('2027-01-30T09:00:00+08:00')],
    ['7月1日 9:00', '2027-07-01 09:00'],
    ['2026-12-31 23:59', '2026-12-31 23:59'],
    ['2028年2月29日 8点', '2028-02-29 08:00'],
    // over the turn of the year
    ['明天8点', '2027-01-01 08:00', late],
    ['1月1日 0:30', '2027-01-01 00:30', late],
    // it is over: the caller says so
    ['8点', '2026-09-07 08:00'],
    ['2月30日 8点', null],
    ['25点', null],
    ['8点70分', null],
    ['明天', null],
    ['确认', null],
    ['2', null],
    ['只发 县级', null],
  ])('%s is %s', (written, is, at = now) => {
    const moment = readMoment(written, at)
    expect(moment && `${dayOf(moment)} ${timeOf(moment)}`).toBe(is)
  })
})
