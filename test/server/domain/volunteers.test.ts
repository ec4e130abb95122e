import { describe, expect, test } from 'vitest'
import { keepRule, keptUntil, ownRows, wayRule } from '../../../server/domain/volunteers/rules.ts'
import { type RosterTerm, type StepOnWay, wayOf } from '../../../server/domain/volunteers/way.ts'

const TODAY = '2026-09-07'
const RULE = wayRule(TODAY)

let id = 0
const row = (startsOn: string | null, endsOn: string | null, status = '在岗', more = {}): RosterTerm => ({
  id: ++id,
  startsOn,
  endsOn,
  status,
  category: null,
  university: '山东科技大学',
  branch: '一支部',
  county: '榆阳区',
  post: null,
  saidOn: (status === '离岗' ? endsOn : startsOn) ?? '2025-08-01',
  goneOn: null,
  ...more,
})
const step = (name: string, on: string): StepOnWay => ({ step: name, on })
const first = () => row('2025-08-01', '2026-07-31', '离岗')
const second = () => row('2026-08-01', '2027-07-31')

describe('the way of a volunteer', () => {
  test.each<[string, StepOnWay[], RosterTerm[], string, string]>([
    ['a file and nothing else', [], [], 'candidate', ''],
    [
      'the last step counts, in whatever order they were written',
      [step('applied', '2026-05-01'), step('candidate', '2025-03-01')],
      [],
      'applied',
      'candidate applied',
    ],
    [
      'selected and trained',
      [step('trained', '2026-07-01'), step('selected', '2026-06-01')],
      [],
      'trained',
      'selected trained',
    ],
    [
      'dropped out before service',
      [step('selected', '2026-06-01'), step('dropped', '2026-06-20')],
      [],
      'dropped',
      'selected dropped',
    ],
    ['on the roster, to come', [], [row('2026-10-01', '2027-07-31')], 'assigned', 'assigned'],
    [
      '待派遣',
      [step('trained', '2026-07-01')],
      [row('2026-08-01', '2027-07-31', '待派遣')],
      'assigned',
      'trained assigned',
    ],
    ['in service', [step('selected', '2026-06-01')], [second()], 'in_service', 'selected in_service'],
    [
      'the roster goes before a step',
      [step('dropped', '2026-06-20')],
      [second()],
      'in_service',
      'dropped in_service',
    ],
    ['the last day is served', [], [row('2025-09-08', TODAY)], 'in_service', 'in_service'],
    [
      'the day after, the roster not yet changed',
      [],
      [row('2025-09-07', '2026-09-06')],
      'alumni',
      'in_service ended alumni',
    ],
    [
      'a later row that follows is an extension',
      [],
      [second(), first()],
      'extended',
      'in_service ended extended',
    ],
    [
      '延期 says itself what it is',
      [],
      [row('2026-08-01', '2027-07-31', '在岗', { category: '延期' })],
      'extended',
      'extended',
    ],
    [
      'between two terms',
      [],
      [first(), row('2026-10-01', '2027-07-31', '待派遣')],
      'ended',
      'in_service ended assigned',
    ],
    ['ended, and no open row', [], [first()], 'alumni', 'in_service ended alumni'],
    [
      'went before the end',
      [],
      [row('2026-08-01', '2027-07-31', '离岗', { saidOn: '2026-09-01' })],
      'dropped',
      'in_service dropped',
    ],
    ['who leads the branch has two rows of one term', [], [second(), second()], 'in_service', 'in_service'],
    ['without any day', [], [row(null, null)], 'in_service', 'in_service'],
    [
      'went before the end, which has passed since',
      [],
      [row('2025-08-01', '2026-07-31', '离岗', { saidOn: '2026-01-10' })],
      'dropped',
      'in_service dropped',
    ],
    [
      'went before the end, as an office says and no roster',
      [step('selected', '2025-06-01'), step('dropped', '2026-01-10')],
      [first()],
      'dropped',
      'selected in_service dropped ended',
    ],
    [
      '离岗 some days before the end is no early end',
      [],
      [row('2025-08-01', '2026-07-31', '离岗', { saidOn: '2026-07-15' })],
      'alumni',
      'in_service ended alumni',
    ],
    [
      'serves again years later',
      [],
      [row('2019-08-01', '2020-07-31', '离岗'), second()],
      'in_service',
      'in_service ended in_service',
    ],
    [
      'one ends on the day on which the other begins',
      [],
      [row('2025-08-01', '2026-08-01'), row('2026-08-01', '2027-08-01')],
      'extended',
      'in_service ended extended',
    ],
    [
      'went early and comes again with the next year',
      [],
      [row('2025-08-01', '2026-07-31', '离岗', { saidOn: '2026-03-01' }), second()],
      'in_service',
      'in_service in_service dropped',
    ],
    // what imports have closed
    [
      'the file of the next year came some days before the end',
      [],
      [row('2025-07-25', '2026-07-24', '在岗', { goneOn: '2026-07-20' })],
      'alumni',
      'in_service ended alumni',
    ],
    [
      'extended by the file of the next year',
      [],
      [row('2025-07-25', '2026-07-24', '在岗', { goneOn: '2026-07-20' }), row('2026-07-25', '2027-07-24')],
      'extended',
      'in_service ended extended',
    ],
    [
      'moved to another county within a term',
      [],
      [
        row('2026-08-01', '2027-07-31', '在岗', { goneOn: '2026-09-01' }),
        row('2026-09-01', '2027-07-31', '在岗', { branch: '二支部' }),
      ],
      'in_service',
      'in_service in_service',
    ],
    [
      'of a year whose file is gone',
      [],
      [row('2023-08-01', '2024-07-31', '在岗', { goneOn: '2024-09-01' })],
      'alumni',
      'in_service ended alumni',
    ],
    [
      'gone before its end',
      [],
      [row('2026-08-01', '2027-07-31', '在岗', { goneOn: '2026-09-01' })],
      'dropped',
      'in_service dropped',
    ],
    [
      'a row that was only changed is no second term',
      [],
      [row('2026-08-01', '2027-06-30', '在岗', { goneOn: '2026-09-01' }), second()],
      'in_service',
      'in_service',
    ],
    [
      'who never came',
      [step('selected', '2026-06-01')],
      [row('2026-08-01', '2027-07-31', '待派遣', { goneOn: '2026-09-01' })],
      'selected',
      'selected',
    ],
  ])('%s', (_name, steps, rows, stage, points) => {
    const way = wayOf(steps, rows, RULE)
    expect([way.stage, way.points.map(point => point.what).join(' ')]).toEqual([stage, points])
  })

  test('says since when and where they serve', () => {
    const way = wayOf([], [first(), { ...second(), branch: '二支部' }], RULE)
    expect([way.isServing, way.servingSince, way.last?.branch]).toEqual([true, '2025-08-01', '二支部'])
    expect(wayOf([], [first()], RULE)).toMatchObject({ isServing: false, servingSince: null })
  })

  test('lasts through a change of county, and does not last through a break of years', () => {
    const before = row('2026-08-01', '2027-07-31', '在岗', { goneOn: '2026-09-01' })
    const moved = row('2026-09-02', '2027-07-31', '在岗', { branch: '二支部' })
    expect(wayOf([], [before, moved], RULE).servingSince).toBe('2026-08-01')
    const old = row('2019-08-01', '2020-07-31', '离岗')
    expect(wayOf([], [old, second()], RULE).servingSince).toBe('2026-08-01')
  })

  test('is of this university, under any of its names', () => {
    const rows = ['山东科技大学', '山东科技大学 团委', null, '青岛大学'].map(university =>
      row(null, null, '在岗', { university }),
    )
    expect(ownRows(rows, '山东科技大学校项目办').map(each => each.university)).toEqual([
      '山东科技大学',
      '山东科技大学 团委',
      null,
    ])
  })
})

test.each([
  ['household', '2026-07-01', '2028-06-30'],
  ['household', '2024-02-29', '2026-02-28'],
  ['place', '2026-09-01', '2027-08-31'],
  ['records', '2026-07-01', null],
] as const)('%s from %s is kept until %s', (what, since, until) => {
  const rule = keepRule(what)
  expect(rule && keptUntil(rule, since)).toBe(until)
})
