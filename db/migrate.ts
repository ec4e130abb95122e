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
 */
export async function migrateDatabase(url: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await migrate(drizzle(client), { migrationsFolder })
  } finally {
    await client.end({ timeout: 5 })
  }
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
