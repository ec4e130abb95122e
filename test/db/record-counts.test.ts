import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Db } from '../../db/client.ts'
import {
  countMessages,
  countMessagesByChild,
  countMessagesByMonth,
  countMonthOfUnits,
  foldRecordCounts,
} from '../../db/queries/record-counts.ts'
import { placeUnits } from '../../db/queries/units.ts'
import { openDatabase } from '../support/database.ts'

const categories = ['政策法规', '致富信息', '其他']
const months = ['2026-09', '2026-10']
/** A county (1) with two townships (2, 3), one of them with two villages (4, 5), and a county beside it (6). */
const paths = ['/1/', '/1/2/', '/1/3/', '/1/2/4/', '/1/2/5/', '/6/']

type Step =
  | { kind: 'insert'; unit: number; month: number; category: number; count: number; times: number }
  | { kind: 'update'; category: number; from: number; count: number }
  | { kind: 'move'; month: number; to: number }
  | { kind: 'delete'; unit: number; month: number }
  | { kind: 'undone'; unit: number }
  | { kind: 'fold'; portion: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('insert' as const),
      unit: fc.integer({ min: 1, max: 6 }),
      month: fc.integer({ min: 0, max: 1 }),
      category: fc.integer({ min: 0, max: 2 }),
      count: fc.integer({ min: 0, max: 9 }),
      times: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({
      kind: fc.constant('update' as const),
      category: fc.integer({ min: 0, max: 2 }),
      from: fc.integer({ min: 0, max: 2 }),
      count: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({
      kind: fc.constant('move' as const),
      month: fc.integer({ min: 0, max: 1 }),
      to: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({
      kind: fc.constant('delete' as const),
      unit: fc.integer({ min: 1, max: 6 }),
      month: fc.integer({ min: 0, max: 1 }),
    }),
    fc.record({ kind: fc.constant('undone' as const), unit: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('fold' as const), portion: fc.integer({ min: 1, max: 5 }) }),
  ),
  { minLength: 4, maxLength: 18 },
)

async function openCounties(): Promise<Db> {
  const { db } = await openDatabase()
  const at = '2026-09-01T00:00:00Z'
  for (const [index, path] of paths.entries()) {
    const above = path.split('/').filter(Boolean).at(-2)
    await db.execute(sql`
      insert into units (id, programme, code, name, kind, level, parent_id, path, created_at) overriding system value
      values (${index + 1}, 'qingnong', ${String(index)}, ${path}, 'x', 'x', ${above ?? null}, ${path}, ${at})`)
    await db.execute(sql`
      insert into groups (id, programme, kind, unit_id, name, platform, capacity, size, created_at) overriding system value
      values (${index + 1}, 'qingnong', 'youth', ${index + 1}, ${path}, 'wechat', 500, 1, ${at})`)
  }
  return db
}

const insert = (db: Db, step: Extract<Step, { kind: 'insert' }>) =>
  db.execute(sql`
    insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, created_at)
    select ${step.unit}, ${step.unit}, ${months[step.month]}, '2026-09-09', ${categories[step.category]}, ${step.count},
      case n % 2 when 0 then 'counted' else 'notice' end, case n % 3 when 0 then 'machine' else 'person' end, now()
    from generate_series(1, ${step.times}::int) n`)

class Undone extends Error {}

async function take(db: Db, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'insert':
      return insert(db, step)
    case 'update':
      return db.execute(sql`
        update message_records set category = ${categories[step.category]}, count = ${step.count}, decided_by = 'person'
        where category = ${categories[step.from]} and id % 2 = 0`)
    case 'move':
      return db.execute(
        sql`update message_records set unit_id = ${step.to} where month = ${months[step.month]} and id % 3 = 0`,
      )
    case 'delete':
      return db.execute(
        sql`delete from message_records where unit_id = ${step.unit} and month = ${months[step.month]}`,
      )
    case 'undone':
      return db
        .transaction(async tx => {
          await insert(tx, { kind: 'insert', unit: step.unit, month: 0, category: 0, count: 5, times: 2 })
          await foldRecordCounts(tx, 100)
          throw new Undone('a crash in the middle')
        })
        .catch(error => {
          if (!(error instanceof Undone)) throw error
        })
    case 'fold':
      return fold(db, step.portion)
  }
}

const fold = (db: Db, portion: number) => db.transaction(tx => foldRecordCounts(tx, portion))

/** What the queries say, against the rows themselves. */
async function compare(db: Db, tree: readonly string[] = paths): Promise<void> {
  const raw = [
    ...(await db.execute<{
      unit: number
      month: string
      category: string
      decided: string
      count: number
    }>(sql`
      select unit_id::int as unit, month, category, decided_by as decided, count from message_records where count > 0`)),
  ]
  const sum = (rows: { count: number }[]) => rows.reduce((all, row) => all + row.count, 0)
  for (const [index, path] of tree.entries()) {
    const id = index + 1
    const under = (unit: number) => (tree[unit - 1] as string).startsWith(path)
    for (const month of months) {
      const here = raw.filter(row => row.month === month && under(row.unit))
      const childOf = (unit: number) =>
        Number((tree[unit - 1] as string).slice(path.length).split('/')[0] || unit)
      const byChild = await countMessagesByChild(db, path, month)
      for (const category of categories) {
        for (const child of new Set([id, ...here.map(row => childOf(row.unit))])) {
          const own = here.filter(row => row.category === category && childOf(row.unit) === child)
          const said = byChild.find(row => row.unitId === child && row.category === category)
          expect([said?.count ?? 0, said?.byMachine ?? 0]).toEqual([
            sum(own),
            sum(own.filter(row => row.decided === 'machine')),
          ])
        }
        const [all] = await countMessages(db, [path], { month, category })
        expect(all?.count ?? 0).toBe(sum(here.filter(row => row.category === category)))
      }
      expect(sum(byChild)).toBe(sum(here))
      const [ofUnit] = await countMonthOfUnits(db, [id], month)
      expect([ofUnit?.messages ?? 0, ofUnit?.units ?? 0]).toEqual([
        sum(here),
        new Set(here.map(row => row.unit)).size,
      ])
    }
    expect(sum(await countMessagesByMonth(db, path, '2026-09', '2026-10'))).toBe(
      sum(raw.filter(row => under(row.unit))),
    )
  }
}

describe('the counters of message records', () => {
  test('are a plain count, whatever is written, folded or given up, and in any order', async () => {
    const db = await openCounties()
    await fc.assert(
      fc.asyncProperty(steps, async taken => {
        await db.execute(sql`delete from message_records`)
        for (const step of taken) await take(db, step)
        await compare(db)
        while ((await fold(db, 3)) > 0);
        await compare(db)
      }),
      { numRuns: 12 },
    )
  })

  test('go along with a township that is put under another county, folded or not', async () => {
    const db = await openCounties()
    await db.execute(sql`update units set parent_id = 1 where id = 6`)
    await placeUnits(db, 'qingnong', new Map([['0', null]]))
    const before = ['/1/', '/1/2/', '/1/3/', '/1/2/4/', '/1/2/5/', '/1/6/']
    for (const unit of [1, 2, 4, 5, 6])
      await insert(db, { kind: 'insert', unit, month: unit % 2, category: unit % 3, count: unit, times: 3 })
    while ((await fold(db, 50)) > 0);
    for (const unit of [2, 4])
      await insert(db, { kind: 'insert', unit, month: 0, category: 1, count: 7, times: 2 })
    await compare(db, before)
    // the fold that comes while the tree is being changed leaves what there is
    await db.transaction(async tx => {
      await placeUnits(tx, 'qingnong', new Map([['1', '5']]))
      expect(await fold(db, 50)).toBe(0)
    })
    const after = ['/1/', '/1/6/2/', '/1/3/', '/1/6/2/4/', '/1/6/2/5/', '/1/6/']
    await compare(db, after)
    while ((await fold(db, 50)) > 0);
    await compare(db, after)
  })

  test('lose nothing while several record and several fold', async () => {
    const db = await openCounties()
    const writers = Array.from({ length: 4 }, async (_, at) => {
      for (let turn = 0; turn < 25; turn++)
        await insert(db, {
          kind: 'insert',
          unit: (at % 6) + 1,
          month: turn % 2,
          category: turn % 3,
          count: 1,
          times: 3,
        })
    })
    let isWriting = true
    const folders = Array.from({ length: 3 }, async () => {
      while (isWriting) await fold(db, 7)
    })
    await Promise.all(writers)
    isWriting = false
    await Promise.all(folders)
    await compare(db)
    while ((await fold(db, 50)) > 0);
    await compare(db)
    const [left] = await db.execute<{ count: number }>(
      sql`select count(*)::int as count from record_count_changes`,
    )
    expect(left?.count).toBe(0)
  })
})
