import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { Db } from '../../db/client.ts'
import { loadInBulk } from '../../db/queries/bulk-load.ts'
import { openDatabase } from '../support/database.ts'

/** A first load takes indexes and foreign keys away and leaves the table as if nothing had been. */
describe('loading in bulk', () => {
  async function openHouse() {
    const { db } = await openDatabase()
    await db.execute(sql`create table houses (id int primary key)`)
    await db.execute(sql`insert into houses values (1), (2)`)
    await db.execute(sql`create table guests (id int primary key, house_id int references houses, name text)`)
    await db.execute(sql`create index guests_name on guests (name) where name is not null`)
    await db.execute(sql`create unique index guests_once on guests (house_id, name)`)
    return db
  }
  const shape = async (db: Db) => {
    const rows = await db.execute<{ definition: string }>(sql`
      select pg_get_indexdef(indexrelid) as definition from pg_index where indrelid = 'guests'::regclass
      union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'guests'::regclass
      order by 1`)
    return [...rows].map(row => row.definition)
  }

  test('what can be built again is away meanwhile and back behind it; what is unique stays', async () => {
    const db = await openHouse()
    const before = await shape(db)
    let meanwhile: string[] = []
    await db.transaction(tx =>
      loadInBulk(tx, ['guests'], 60_000, async () => {
        meanwhile = await shape(tx)
        await tx.execute(sql`insert into guests values (1, 1, '张伟')`)
      }),
    )
    expect(meanwhile.join()).not.toMatch(/guests_name|house_id_fkey/)
    expect(meanwhile.join()).toMatch(/guests_once/)
    expect(await shape(db)).toEqual(before)
  })

  test('a reference to nothing is found when the keys are put back, and nothing of the load stays', async () => {
    const db = await openHouse()
    const before = await shape(db)
    const load = db.transaction(tx =>
      loadInBulk(tx, ['guests'], 60_000, async () => {
        await tx.execute(sql`insert into guests values (2, 99, '李娜')`)
      }),
    )
    await expect(load).rejects.toThrow()
    expect(await shape(db)).toEqual(before)
    expect(await db.execute(sql`select from guests where id = 2`)).toHaveLength(0)
  })

  test.each([
    ['few rows are coming', 49_999, 0],
    ['the table holds a tenth already', 60_000, 6001],
  ])('nobody is kept out when %s', async (_why, rows, held) => {
    const db = await openHouse()
    await db.execute(sql`insert into guests select n, 1, n::text from generate_series(1, ${held}::int) n`)
    await db.transaction(async tx => {
      const before = await shape(tx)
      await loadInBulk(tx, ['guests'], rows, async () => expect(await shape(tx)).toEqual(before))
    })
    expect.assertions(1)
  })
})
