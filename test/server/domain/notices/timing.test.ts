import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chineseMoment, timeOf } from '../../../../server/clock.ts'
import { type Importance, importanceRule, noticeRules } from '../../../../server/domain/notices/rules.ts'
import { afterQuiet, latestStartsOf, timingOf } from '../../../../server/domain/notices/timing.ts'

const at = (text: string) => new Date(`2026-${text}:00+08:00`)
const timing = (importance: Importance, issuedAt: Date) =>
  timingOf(noticeRules, importanceRule(importance), issuedAt)
const shown = (importance: Importance, issued: string) => {
  const { startsAt, deadlineAt, steps } = timing(importance, at(issued))
  return [startsAt, ...steps.map(step => step.at), deadlineAt].map(chineseMoment)
}

describe('from issuing to the deadline, with the steps between', () => {
  test.each<[Importance, string, string[]]>([
    [
      'normal',
      '09-07T09:00',
      ['9月7日 09:00', '9月7日 15:00', '9月7日 18:00', '9月7日 21:00', '9月8日 09:00'],
    ],
    [
      'normal',
      '09-07T21:00',
      ['9月7日 21:00', '9月8日 12:00', '9月8日 15:00', '9月8日 18:00', '9月8日 21:00'],
    ],
    // in the night it waits until seven, and the night counts as time to relay it all the same
    [
      'normal',
      '09-07T23:30',
      ['9月8日 07:00', '9月8日 13:00', '9月8日 16:00', '9月8日 19:00', '9月8日 23:30'],
    ],
    [
      'normal',
      '09-08T06:59',
      ['9月8日 07:00', '9月8日 13:00', '9月8日 16:00', '9月8日 19:00', '9月9日 06:59'],
    ],
    [
      'same-day',
      '09-07T09:00',
      ['9月7日 09:00', '9月7日 14:12', '9月7日 16:48', '9月7日 19:24', '9月7日 22:00'],
    ],
    [
      'same-day',
      '09-07T19:59',
      ['9月7日 19:59', '9月7日 20:47', '9月7日 21:11', '9月7日 21:35', '9月7日 22:00'],
    ],
    [
      'same-day',
      '09-07T20:00',
      ['9月7日 20:00', '9月8日 07:48', '9月8日 09:12', '9月8日 10:36', '9月8日 12:00'],
    ],
    // midnight: the day that has just begun
    [
      'same-day',
      '09-08T00:00',
      ['9月8日 07:00', '9月8日 13:00', '9月8日 16:00', '9月8日 19:00', '9月8日 22:00'],
    ],
    [
      'same-day',
      '12-31T20:30',
      ['12月31日 20:30', '1月1日 08:06', '1月1日 09:24', '1月1日 10:42', '1月1日 12:00'],
    ],
    [
      'urgent',
      '09-07T23:30',
      ['9月7日 23:30', '9月8日 00:18', '9月8日 00:42', '9月8日 01:06', '9月8日 01:30'],
    ],
  ])('%s, issued %s', (importance, issued, expected) => {
    expect(shown(importance, issued)).toEqual(expected)
  })
})

test.each([
  ['09-07T21:59', '9月7日 21:59'],
  ['09-07T22:00', '9月8日 07:00'],
  ['09-08T00:00', '9月8日 07:00'],
  ['09-08T06:59', '9月8日 07:00'],
  ['09-08T07:00', '9月8日 07:00'],
])('what would go out at %s goes out at %s', (moment, expected) => {
  expect(chineseMoment(afterQuiet(noticeRules.quiet, at(moment)))).toBe(expected)
})

test('whenever it is issued, steps rise, lie before the deadline, and wake nobody unless it is urgent', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Importance>('normal', 'same-day', 'urgent'),
      fc.integer({ min: 0, max: 3 * 365 * 24 * 60 }),
      (importance, minutes) => {
        const issuedAt = new Date(Date.UTC(2026, 0, 1) + minutes * 60_000)
        const { startsAt, deadlineAt, steps } = timing(importance, issuedAt)
        const moments = [startsAt, ...steps.map(step => step.at), deadlineAt].map(Number)
        expect(moments).toEqual(moments.toSorted((a, b) => a - b))
        expect(new Set(moments).size).toBe(moments.length)
        if (importance !== 'urgent')
          for (const moment of [startsAt, ...steps.map(step => step.at)]) {
            expect(timeOf(moment) >= '07:00').toBe(true)
            expect(timeOf(moment) < '22:00').toBe(true)
          }
      },
    ),
    { numRuns: 500 },
  )
})

describe('level by level', () => {
  const starts = (importance: Importance, issued: string) =>
    [
      ...latestStartsOf(noticeRules, importanceRule(importance), timing(importance, at(issued)), [
        'province',
        'city',
        'county',
      ]).values(),
    ].map(chineseMoment)

  test.each<[Importance, string, string[]]>([
    ['normal', '09-07T09:00', ['9月7日 09:00', '9月7日 11:00', '9月7日 13:00']],
    // over the night
    ['normal', '09-07T21:00', ['9月7日 21:00', '9月8日 08:00', '9月8日 10:00']],
    ['urgent', '09-07T23:00', ['9月7日 23:00', '9月7日 23:16', '9月7日 23:32']],
  ])('%s, issued %s: each level has begun by %j', (importance, issued, expected) => {
    expect(starts(importance, issued)).toEqual(expected)
  })

  test('all have begun before anybody is asked after them', () => {
    expect(noticeRules.byLevel.share).toBeLessThanOrEqual(noticeRules.escalation.steps[0]?.share ?? 0)
  })
})
