import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { connectDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { cloneDatabase } from '../support/database.ts'

test('a database with migrations of another history is refused, one of a later version is not', async () => {
  const url = await cloneDatabase()
  const { db, close } = connectDatabase(url, 1)
  const [newest] = await db.execute<{ at: string }>(
    sql`select max(created_at) as at from drizzle.__drizzle_migrations`,
  )
  const add = (when: number) =>
    db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('other', ${when})`)
  try {
    await migrateDatabase(url)
    await add(Number(newest?.at) + 1)
    await migrateDatabase(url)
    await add(Number(newest?.at) - 1)
    await expect(migrateDatabase(url)).rejects.toThrow('nothing was changed')
  } finally {
    await close()
  }
})
