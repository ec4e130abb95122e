import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { candidatesFor } from '../../db/queries/join-requests.ts'
import { openDatabase } from '../support/database.ts'

const none = { nameKeys: ['张三'], soundKeys: [], phoneIndexes: [], idNumberIndexes: [], idTailIndexes: [] }
const group = { id: 1, programme: 'xibu', unitId: 1, unitPath: '/1/' }
const rules = [{ from: 'own-unit', roles: ['volunteer'], unitKinds: null, sentCategories: [] }]

test('PostgreSQL plans the look-up of a join request once, and whatever else as it likes', async () => {
  const { db } = await openDatabase()
  await db.transaction(async tx => {
    for (let turn = 0; turn < 3; turn += 1) await candidatesFor(tx, group, rules, none)
    const plans = await tx.execute<{ generic_plans: string; custom_plans: string }>(
      sql`select generic_plans, custom_plans from pg_prepared_statements where statement like '%with found%'`,
    )
    expect([...plans]).toEqual([{ generic_plans: '3', custom_plans: '0' }])
    const [mode] = await tx.execute<{ plan_cache_mode: string }>(sql`show plan_cache_mode`)
    expect(mode?.plan_cache_mode).toBe('auto')
  })
})
