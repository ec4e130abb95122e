import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { foldRecordCounts } from '../../db/queries/record-counts.ts'
import { type UnitRow, unitByCode, unitsUnder } from '../../db/queries/units.ts'
import { rollUp } from '../../server/domain/months/figures.ts'
import { collectTrackingSheet } from '../../server/domain/reports/collect-tracking-sheet.ts'
import { noFigures, TRACKING_FIGURES, totals } from '../../server/domain/reports/tracking-sheet.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { domainOn } from '../support/clean-matrix.ts'
import { cloneDatabase, dropDatabase } from '../support/database.ts'

/** The same numbers in every run. */
function luck(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const messageFigures = {
  政策法规: 'messages.policy',
  致富信息: 'messages.income',
  新闻娱乐: 'messages.news',
  便民服务: 'messages.services',
  其他: 'messages.other',
} as const
const activityFigures = TRACKING_FIGURES.filter(figure => figure.startsWith('activities.'))
const memberFigures = TRACKING_FIGURES.filter(figure => figure.startsWith('members'))
const months = ['2026-07', '2026-08', '2026-09', '2026-10']
/** The first moment after each month, in Shanghai. */
const ends: Record<string, string> = {
  '2026-07': '2026-07-31T16:00:00Z',
  '2026-08': '2026-08-31T16:00:00Z',
  '2026-09': '2026-09-30T16:00:00Z',
  '2026-10': '2026-10-31T16:00:00Z',
}

let db: Db
let rt: DomainRuntime
let close: () => Promise<void>
let units: UnitRow[]

/** A city of three counties with townships, villages and an organisation of the county's own; four months of everything. */
async function generate(): Promise<void> {
  const pick = luck(20_261_101)
  const tree: [code: string, kind: string, parent: string | null][] = [['c', 'city-committee', null]]
  for (const county of [1, 2, 3]) {
    tree.push([`c${county}`, 'county-committee', 'c'], [`c${county}d`, 'direct-organisation', `c${county}`])
    for (const township of [1, 2, 3, 4].slice(0, county + 1)) {
      tree.push([`c${county}t${township}`, 'township-committee', `c${county}`])
      for (const village of [1, 2])
        tree.push([`c${county}t${township}v${village}`, 'village-organisation', `c${county}t${township}`])
    }
  }
  await importUnits(
    rt,
    'qingnong',
    tree.map(([code, kind, parentCode]) => ({ code, name: `单位${code}`, kind, parentCode })),
  )
  await db.execute(sql`update units set created_at = '2026-06-01'`)
  const top = (await unitByCode(db, 'qingnong', 'c')) as UnitRow
  units = await unitsUnder(db, top.path)
  const ids = units.map(unit => unit.id)
  const day = () => `2026-0${6 + pick(4)}-${String(1 + pick(28)).padStart(2, '0')}T0${pick(10)}:30:00+08:00`
  const groups: number[] = []
  for (let at = 0; at < 60; at++) {
    const created = day()
    // dissolved ones, some of them half an hour around the end of a month in Shanghai
    const dissolved = [null, null, '2026-08-31T15:30:00Z', '2026-08-31T16:30:00Z', '2026-10-05T00:00:00Z'][
      pick(5)
    ]
    const [row] = await db.execute<{ id: number }>(sql`
      insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at, dissolved_at)
      values ('qingnong', 'youth', ${ids[pick(ids.length)]}, ${`群${at}`}, 'wechat', 500, 9, ${created},
        ${dissolved && dissolved > created ? dissolved : null}) returning id::int`)
    groups.push(row?.id as number)
  }
  const names = Object.keys(messageFigures)
  for (let at = 0; at < 400; at++) {
    const month = months[pick(3) + (at % 7 === 0 ? 1 : 0)] as string
    const group = groups[pick(groups.length)] as number
    await db.execute(sql`
      insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, created_at)
      select ${group}, unit_id, ${month}, ${`${month}-15`}, ${names[pick(5)]}, ${pick(6)},
        ${pick(2) === 0 ? 'counted' : 'notice'}, ${pick(3) === 0 ? 'machine' : 'person'}, now() from groups where id = ${group}`)
    if (at % 5 === 0)
      await db.execute(sql`
        insert into activities (unit_id, kind, held_on, month, status, created_at)
        values (${ids[pick(ids.length)]}, ${activityFigures[pick(5)]}, ${`${month}-10`}, ${month},
          ${['held', 'held', 'announced', 'cancelled'][pick(4)]}, now())`)
    // a group is moved: what it had sent stays where it was
    if (at % 40 === 39)
      await db.execute(
        sql`update groups set unit_id = ${ids[pick(ids.length)]} where id = ${groups[pick(groups.length)]}`,
      )
    // corrections: another category, none left, taken out, and the fold at any time
    if (at % 30 === 0)
      await db.execute(sql`
        update message_records set category = ${names[pick(5)]}, decided_by = 'person', count = ${pick(4)}
        where id % 11 = ${pick(11)}`)
    if (at % 90 === 0) await db.execute(sql`delete from message_records where id % 37 = ${pick(37)}`)
    if (at % 25 === 0) await db.transaction(tx => foldRecordCounts(tx, 30))
  }
  for (const [at, unitId] of ids.entries())
    for (const month of months)
      if (pick(3) === 0)
        await db.execute(sql`
          insert into unit_facts (unit_id, month, branches, cadres, youth, other_groups, members, created_at)
          values (${unitId}, ${month}, ${pick(20)}, ${pick(40)}, ${pick(900)}, ${pick(2) === 0 ? pick(5) : null},
            ${at % 4 === 0 ? JSON.stringify({ [memberFigures[pick(9)] as string]: pick(90), 'membersAway.other': 3 }) : null}::jsonb,
            now())`)
  for (let at = 0; at < 300; at++) {
    const group = groups[pick(groups.length)] as number
    const occupation = memberFigures[pick(9)] as string
    await db.execute(sql`
      with person as (
        insert into persons (name, name_key, sound_key, created_at) values ('人', '人', 'r', now()) returning id
      )
      insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
      select person.id, ${ids[pick(ids.length)]}, ${group}, ${occupation.includes('Home') ? 'home' : 'away'}, ${occupation}, ${day()}
      from person`)
  }
}

interface Raw {
  messages: {
    unit: number
    month: string
    category: keyof typeof messageFigures
    count: number
    by: string
  }[]
  activities: { unit: number; month: string; kind: string; status: string }[]
  groups: { unit: number; created: Date; dissolved: Date | null }[]
  facts: {
    unit: number
    month: string
    branches: number
    cadres: number
    youth: number
    other: number | null
    members: Record<string, number> | null
  }[]
  registrations: { unit: number; occupation: string; at: Date }[]
}

/** Everything as it lies in the tables. */
async function readRaw(): Promise<Raw> {
  const all = async <T extends Record<string, unknown>>(query: string) => [
    ...(await db.execute<T>(sql.raw(query))),
  ]
  const moment = (text: string | null) => (text === null ? null : new Date(text))
  return {
    messages: await all(
      'select unit_id::int as unit, month, category, count, decided_by as by from message_records',
    ),
    activities: await all('select unit_id::int as unit, month, kind, status from activities'),
    groups: (
      await all<{ unit: number; created: string; dissolved: string | null }>(
        'select unit_id::int as unit, created_at::text as created, dissolved_at::text as dissolved from groups',
      )
    ).map(row => ({
      unit: row.unit,
      created: moment(row.created) as Date,
      dissolved: moment(row.dissolved),
    })),
    facts: await all(
      'select unit_id::int as unit, month, branches, cadres, youth, other_groups as other, members from unit_facts',
    ),
    registrations: (
      await all<{ unit: number; occupation: string; at: string }>(
        'select unit_id::int as unit, occupation, registered_at::text as at from registrations',
      )
    ).map(row => ({ ...row, at: moment(row.at) as Date })),
  }
}

/** The figures of all below a path, counted row by row. */
function countBelow(raw: Raw, path: string, month: string) {
  const figures: Record<string, number> = { ...noFigures() }
  const add = (figure: string, count: number) => {
    figures[figure] = (figures[figure] ?? 0) + count
  }
  const pathOf = new Map(units.map(unit => [unit.id, unit.path]))
  const below = (id: number) => (pathOf.get(id) as string).startsWith(path)
  const end = new Date(ends[month] as string)
  let byMachine = 0
  for (const row of raw.messages) {
    if (row.month !== month || !below(row.unit)) continue
    add(messageFigures[row.category], row.count)
    if (row.by === 'machine') byMachine += row.count
  }
  for (const row of raw.activities)
    if (row.month === month && row.status === 'held' && below(row.unit)) add(row.kind, 1)
  for (const row of raw.groups)
    if (below(row.unit) && row.created < end && (row.dissolved === null || row.dissolved >= end))
      add('groups', 1)
  const told = new Set<string>()
  for (const unit of units) {
    if (unit.level !== 'township') continue
    const [last] = raw.facts
      .filter(row => row.unit === unit.id && row.month <= month)
      .sort((a, b) => (a.month < b.month ? 1 : -1))
    if (!last) continue
    if (last.members) told.add(unit.path)
    if (!below(unit.id)) continue
    add('branches', last.branches)
    add('cadres', last.cadres)
    add('youth', last.youth)
    add('groups', last.other ?? 0)
    for (const [figure, count] of Object.entries(last.members ?? {})) add(figure, count)
  }
  for (const row of raw.registrations) {
    const own = pathOf.get(row.unit) as string
    if (below(row.unit) && row.at < end && ![...told].some(township => own.startsWith(township)))
      add(row.occupation, 1)
  }
  return { figures, byMachine }
}

describe('the figures of generated months are a plain count', () => {
  let raw: Raw
  beforeAll(async () => {
    const url = await cloneDatabase()
    const connected = connectDatabase(url, 4)
    db = connected.db
    rt = domainOn(db, '2026-11-12T09:00:00+08:00').rt
    close = async () => {
      await connected.close()
      await dropDatabase(url)
    }
    await generate()
    raw = await readRaw()
  })
  afterAll(() => close())

  test('the months are worth counting', () => {
    expect(new Set(raw.messages.map(row => row.month))).toEqual(new Set(months))
    expect(raw.groups.filter(group => group.dissolved !== null).length).toBeGreaterThan(5)
    expect(raw.facts.filter(row => row.members !== null).length).toBeGreaterThan(3)
  })

  // in the last month nothing was sent by most, in 2026-06 nothing at all
  test.each(months)('every figure of every sheet and of the roll-up of %s', async month => {
    for (const unit of units) {
      const sums = await rollUp(rt, unit, month)
      const whole = countBelow(raw, unit.path, month)
      expect(sums.total).toEqual(whole.figures)
      expect(sums.byMachine).toBe(whole.byMachine)
      for (const row of sums.rows) expect(row.figures).toEqual(countBelow(raw, row.unit.path, month).figures)
      const parts = [...sums.rows.map(row => row.figures), sums.own]
      for (const figure of TRACKING_FIGURES)
        expect(parts.reduce((sum, part) => sum + part[figure], 0)).toBe(whole.figures[figure])
    }
    for (const county of units.filter(unit => unit.level === 'county')) {
      const sheet = await collectTrackingSheet(rt, county, month, { name: '', contact: '' })
      const townships = units.filter(unit => unit.parentId === county.id && unit.level === 'township')
      const rows = townships.map(unit => countBelow(raw, unit.path, month))
      expect(sheet.rows.map(row => row.figures)).toEqual(rows.map(row => row.figures))
      const direct = units.filter(
        unit => unit.id === county.id || (unit.parentId === county.id && unit.level !== 'township'),
      )
      const end = new Date(ends[month] as string)
      const groups = raw.groups.filter(
        group =>
          direct.some(unit => unit.id === group.unit) &&
          group.created < end &&
          (group.dissolved === null || group.dissolved >= end),
      ).length
      expect(sheet.countyDirectGroups).toBe(groups)
      expect(totals(sheet).allGroups).toBe(
        rows.reduce((sum, row) => sum + (row.figures.groups ?? 0), 0) + groups,
      )
      expect(sheet.messagesSorted?.byMachine).toBe(rows.reduce((sum, row) => sum + row.byMachine, 0))
    }
  })

  test('a month without data is a month of zeros', async () => {
    const { total } = await rollUp(rt, units[0] as UnitRow, '2026-03')
    expect(total).toEqual(noFigures())
  })
})
