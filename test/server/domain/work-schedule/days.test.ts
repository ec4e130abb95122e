import { describe, expect, test } from 'vitest'
import { dayOf, timeOf } from '../../../../server/clock.ts'
import { checkNotice } from '../../../../server/domain/notices/check.ts'
import {
  addWorkingDays,
  fillPlaces,
  isWorkingDay,
  nextSending,
  occurrencesOf,
  sendingMoment,
  sendingOf,
} from '../../../../server/domain/work-schedule/days.ts'
import { bodyOf } from '../../../../server/domain/work-schedule/preview.ts'
import { scheduleRules } from '../../../../server/domain/work-schedule/rules.ts'
import { loadTemplates, type Schedule, type ScheduleStep } from '../../../../server/templates.ts'

const templates = loadTemplates()
const at = (words: string) => new Date(`${words.replace(' ', 'T')}:00+08:00`)
const words = (moment: Date) => `${dayOf(moment)} ${timeOf(moment)}`
const long = at('2020-01-01 09:00')

function schedule(...whens: ScheduleStep['when'][]): Schedule {
  return {
    id: 's',
    programme: 'xibu',
    title: 's',
    runBy: ['city-office'],
    steps: whens.map((when, index) => ({
      id: 'abcdef'.charAt(index),
      title: 't',
      text: 't',
      when,
      audience: {},
      importance: 'normal',
      category: '其他',
      noticeDays: 7,
      reminders: [3, 1],
      source: 'project assumption',
    })),
  }
}

describe('the days of a step', () => {
  test.each<[string, number, ScheduleStep['when'], string]>([
    ['a day', 2026, { by: '06-10' }, '2026-06-10'],
    ['the last of a month', 2026, { by: '09-30' }, '2026-09-30'],
    ['the leap day in a leap year', 2028, { by: '02-29' }, '2028-02-29'],
    ['the leap day in another year', 2026, { by: '02-29' }, '2026-02-28'],
    ['the leap day in 2100, which is no leap year', 2100, { by: '02-29' }, '2100-02-28'],
    ['a stretch', 2026, { from: '07-20', to: '07-31' }, '2026-07-20–2026-07-31'],
    ['a stretch over the turn of the year', 2026, { from: '12-20', to: '01-10' }, '2026-12-20–2027-01-10'],
    ['every month to its end', 2026, { months: [1, 2, 4], day: 31 }, '2026-01-31 2026-02-28 2026-04-30'],
    ['every month to its end in a leap year', 2028, { months: [2], day: 30 }, '2028-02-29'],
    ['every two months', 2026, { months: [1, 3, 5], day: 5 }, '2026-01-05 2026-03-05 2026-05-05'],
  ])('%s (%i)', (_name, year, when, days) => {
    const found = occurrencesOf(scheduleRules, schedule(when), year)
    expect(found.map(({ fromOn, toOn }) => (fromOn === toOn ? fromOn : `${fromOn}–${toOn}`)).join(' ')).toBe(
      days,
    )
  })

  test.each<[string, ScheduleStep['when'], string]>([
    ['three days before the stretch begins', { of: 'a', edge: 'from', days: -3 }, '2026-09-25'],
    ['ten days after it ends', { of: 'a', edge: 'to', days: 10 }, '2026-10-11'],
    [
      'five working days after it, the national holidays between',
      { of: 'a', edge: 'to', workingDays: 5 },
      '2026-10-13',
    ],
    ['one working day before, over 中秋节', { of: 'a', edge: 'from', workingDays: -1 }, '2026-09-24'],
  ])('counted from another step: %s', (_name, when, day) => {
    const days = occurrencesOf(scheduleRules, schedule({ from: '09-28', to: '10-01' }, when), 2026)
    expect(days.find(each => each.id === 'b')?.toOn).toBe(day)
  })

  test('a step that is moved takes those along that count from it, into the next year if need be', () => {
    const changes = new Map([['a', { fromOn: '2026-12-28', toOn: '2026-12-30' }]])
    const days = occurrencesOf(
      scheduleRules,
      schedule({ by: '06-10' }, { of: 'a', edge: 'to', days: 5 }, { of: 'b', edge: 'to', days: 1 }),
      2026,
      changes,
    )
    expect(days.map(each => `${each.id} ${each.toOn}`)).toEqual([
      'a 2026-12-30',
      'b 2027-01-04',
      'c 2027-01-05',
    ])
  })
})

describe('days of work', () => {
  test.each([
    ['2026-06-08', true, 'a Monday'],
    ['2026-06-13', false, 'a Saturday'],
    ['2026-02-14', true, 'a Saturday worked for 春节'],
    ['2026-02-23', false, 'the last Monday of 春节'],
    ['2026-10-01', false, '国庆节'],
    ['2027-10-01', false, '国庆节 of a year without an arrangement'],
    ['2027-10-04', true, 'which knows the fixed holidays only'],
  ])('%s: %s (%s)', (day, isWorked) => {
    expect(isWorkingDay(scheduleRules, day)).toBe(isWorked)
  })

  test.each([
    ['2026-06-10', 'working-day-before', '2026-06-10 09:00', 'a Wednesday stays'],
    ['2026-06-14', 'working-day-before', '2026-06-12 09:00', 'a Sunday moves to Friday'],
    ['2026-06-14', 'working-day-after', '2026-06-15 09:00', 'or to Monday'],
    ['2026-06-14', 'same-day', '2026-06-14 09:00', 'or not at all'],
    ['2026-10-05', 'working-day-before', '2026-09-30 09:00', 'over 国庆节'],
    ['2026-01-03', 'working-day-before', '2025-12-31 09:00', 'over the turn of the year'],
    ['2027-05-02', 'working-day-before', '2027-04-30 09:00', 'over the turn of a month'],
  ] as const)('what is to leave on %s (%s) leaves at %s: %s', (day, restDay, moment, _name) => {
    expect(words(sendingMoment({ ...scheduleRules, restDay }, day))).toBe(moment)
  })

  test.each([
    ['2026-06-12 08:59', '2026-06-12 09:00'],
    ['2026-06-12 09:00', '2026-06-15 09:00'],
    ['2026-06-13 00:00', '2026-06-15 09:00'],
    ['2026-06-11 23:59', '2026-06-12 09:00'],
  ])('after %s the next hour to send is %s', (now, next) => {
    expect(words(nextSending(scheduleRules, at(now)))).toBe(next)
  })

  test('working days are counted without the day itself', () => {
    expect(addWorkingDays(scheduleRules, '2026-06-12', 1)).toBe('2026-06-15')
    expect(addWorkingDays(scheduleRules, '2026-06-12', 0)).toBe('2026-06-12')
    expect(addWorkingDays(scheduleRules, '2026-02-28', -1)).toBe('2026-02-27')
  })
})

describe('when notice and reminders leave', () => {
  const rule = { noticeDays: 8, reminders: [3, 1] }
  const one = (day: string) => ({ fromOn: day, toOn: day })
  test.each<[string, Partial<ScheduleStep>, { fromOn: string; toOn: string }, string, string | null]>([
    ['in good time', {}, one('2026-06-10'), '2026-05-01 09:00', '06-02; 3: 06-05, 1: 06-09'],
    ['both reminders on one Friday: the later', {}, one('2026-06-08'), '2026-05-01 09:00', '05-29; 1: 06-05'],
    ['late: at the next working hour', {}, one('2026-06-10'), '2026-06-05 10:00', '06-08; 1: 06-09'],
    ['on the day itself, before the hour', {}, one('2026-06-10'), '2026-06-10 08:00', '06-10;'],
    ['too late', {}, one('2026-06-10'), '2026-06-10 09:30', null],
    ['on a weekend nobody can be told any more', {}, one('2026-06-13'), '2026-06-12 09:30', null],
    [
      'of a stretch before its beginning',
      { remindOf: 'from' },
      { fromOn: '2026-07-20', toOn: '2026-07-31' },
      '2026-05-01 09:00',
      '07-10; 1: 07-17',
    ],
    [
      'of a stretch before its end',
      {},
      { fromOn: '2026-07-20', toOn: '2026-07-31' },
      '2026-05-01 09:00',
      '07-10; 3: 07-28, 1: 07-30',
    ],
    ['in the year before', {}, one('2026-01-05'), '2025-12-01 09:00', '12-26; 3: 12-31, 1: 01-04'],
  ])('%s', (_name, changes, days, now, expected) => {
    const found = sendingOf(scheduleRules, { ...rule, ...changes }, days, at(now))
    const short = (moment: Date) => words(moment).slice(5, 10)
    expect(
      found &&
        `${short(found.sendAt)}; ${found.reminders.map(each => `${each.daysBefore}: ${short(each.dueAt)}`).join(', ')}`.trim(),
    ).toBe(expected)
  })
})

describe('the shipped schedules', () => {
  test.each([
    ['matrix-forms', '2026-01-30'],
    ['publicity-and-posts', '2026-06-10'],
    ['selection', '2026-06-15'],
    ['medical-check', '2026-06-25'],
    ['training-plan', '2026-06-25'],
    ['confirmation', '2026-07-10'],
    ['insurance', '2026-07-17'],
    ['arrival-and-training', '2026-07-20–2026-07-31'],
    ['posting', '2026-08-14'],
    ['replacements', '2026-09-10'],
  ])('the steps of 全国项目办发〔2020〕3号 and 〔2018〕1号: %s on %s', (id, days) => {
    const found = occurrencesOf(scheduleRules, templates.schedule('xibu-2020'), 2026).find(
      each => each.id === id,
    )
    expect(found?.fromOn === found?.toOn ? found?.toOn : `${found?.fromOn}–${found?.toOn}`).toBe(days)
  })

  test('every text can be sent as it is, in any year, with no place left open', () => {
    for (const each of templates.schedules)
      for (const year of [2026, 2028])
        for (const { step, ...days } of occurrencesOf(scheduleRules, each, year)) {
          const body = bodyOf(step, step.text, days, year)
          expect(body).not.toMatch(/[{}]/)
          expect(sendingOf(scheduleRules, step, days, long)).not.toBeNull()
          checkNotice({ body, ask: step.ask ?? null })
        }
  })

  test('places are the days of the step', () => {
    expect(
      fillPlaces(
        '{年}—{下年}年度，{起}至{止}，{上月}的在{本月}{日期}前',
        { fromOn: '2026-12-20', toOn: '2027-01-05' },
        2026,
      ),
    ).toBe('2026—2027年度，12月20日至2027年1月5日，12月的在1月2027年1月5日前')
  })
})
