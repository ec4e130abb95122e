import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseDay } from '../../../../server/domain/roster/day.ts'

it.each([
  ['2025-08-01', '2025-08-01'],
  ['2025-8-1', '2025-08-01'],
  ['2025/8/1', '2025-08-01'],
  ['2025.8.1', '2025-08-01'],
  ['20250801', '2025-08-01'],
  ['2025年8月1日', '2025-08-01'],
  ['2025 年 8 月 1 日', '2025-08-01'],
  ['２０２５－０８－０１', '2025-08-01'],
  ['2025-08-01 00:00:00', '2025-08-01'],
  ['2025-08-01T00:00:00.000Z', '2025-08-01'],
  ['2025/8/1 0:00', '2025-08-01'],
  ['45870', '2025-08-01'],
  ['45870.5', '2025-08-01'],
  ['36526', '2000-01-01'],
  ['73050', '2099-12-31'],
  ['2024-02-29', '2024-02-29'],
  ['2025-02-29', null],
  ['2025-13-01', null],
  ['20251301', null],
  ['2025年8月', null],
  ['2025-08', null],
  ['25-08-01', null],
  ['8/1/2025', null],
  ['2025-08/01', '2025-08-01'],
  ['3025-08-01', null],
  ['12345', null],
  ['99999', null],
  ['八月', null],
  ['', null],
])('%s', (written, day) => {
  expect(parseDay(written)).toBe(day)
})

it('every day of a century comes back from each way to write it', () => {
  const days = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(days, moment => {
      const day = moment.toISOString().slice(0, 10)
      const [year, month, date] = day.split('-').map(Number)
      const serial = Math.floor(moment.getTime() / 86_400_000) + 25569
      const written = [
        `${year}/${month}/${date}`,
        `${year}年${month}月${date}日`,
        day.replaceAll('-', ''),
        `${serial}`,
      ]
      expect(written.map(parseDay)).toEqual([day, day, day, day])
    }),
  )
})
