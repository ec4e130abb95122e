import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'

export const migrationsFolder = join(dirname(fileURLToPath(import.meta.url)), 'migrations')

/** Any number; all processes that migrate this database must use the same. */
export const MIGRATION_LOCK = 7_351_004

/**
 * Brings a database to the present schema. Forward only.
 *
 * drizzle's migrator takes no lock and two at once collide, so a session lock is held on the same connection.
 * @throws Error when the database comes from a version with other migrations: nothing was changed
 */
export async function migrateDatabase(url: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await refuseOtherHistory(client)
    await migrate(drizzle(client), { migrationsFolder })
  } finally {
    await client.end({ timeout: 5 })
  }
}

/**
 * drizzle looks at the newest migration only: a database that was brought up by other ones would be changed halfway. What
 * is newer than all that we know is no other history, but that of a later version.
 */
async function refuseOtherHistory(client: postgres.Sql): Promise<void> {
  const journal = readFileSync(join(migrationsFolder, 'meta/_journal.json'), 'utf8')
  const known = (JSON.parse(journal) as { entries: { when: number }[] }).entries.map(entry => entry.when)
  const [table] = await client`select to_regclass('drizzle.__drizzle_migrations') as name`
  if (table?.name == null) return
  const applied = await client<{ created_at: string }[]>`select created_at from drizzle.__drizzle_migrations`
  const others = applied
    .map(row => Number(row.created_at))
    .filter(when => when < Math.max(...known) && !known.includes(when))
  if (others.length > 0)
    throw new Error(
      `the database was made by a version whose migrations are not in this one (${others.length} of them); nothing was changed. ` +
        '数据库是由迁移文件不同的版本建的，没有改动；请用那个版本导出备份，或联系维护者。',
    )
}

/** Makes the database `name` beside the one of `url` unless it is there, and returns its address. */
export async function createDatabase(url: string, name: string, template?: string): Promise<string> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const [present] = await client`select 1 from pg_database where datname = ${name}`
    if (!present) await client.unsafe(`create database "${name}"${template ? ` template "${template}"` : ''}`)
  } finally {
    await client.end({ timeout: 5 })
  }
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.toString()
}
