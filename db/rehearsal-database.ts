import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { createDatabase, migrateDatabase } from './migrate.ts'

const PREFIX = 'qunzhen_rehearsal_'

/**
 * A database of its own beside the one of `url`, for one rehearsal, and gone with it. While it is in use a lock on it is
 * held in the real database: what an interrupted run has left behind has nobody's lock, and the next run drops it.
 * @param url of the real database; its role must be allowed to make databases
 */
export async function withRehearsalDatabase<T>(url: string, work: (url: string) => Promise<T>): Promise<T> {
  // a connection that is renewed would lose its lock
  const client = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {} })
  const name = `${PREFIX}${randomBytes(6).toString('hex')}`
  try {
    await dropLeftBehind(client)
    await client`select pg_advisory_lock(hashtextextended(${name}, 0))`
    const address = await createDatabase(url, name)
    try {
      await migrateDatabase(address)
      return await work(address)
    } finally {
      await drop(client, name)
    }
  } finally {
    await client.end({ timeout: 5 })
  }
}

async function dropLeftBehind(client: postgres.Sql): Promise<void> {
  const rows = await client<{ datname: string }[]>`
    select datname from pg_database where starts_with(datname, ${PREFIX})`
  for (const { datname } of rows) {
    const [row] = await client<{ free: boolean }[]>`
      select pg_try_advisory_lock(hashtextextended(${datname}, 0)) as free`
    if (!row?.free) continue
    await drop(client, datname)
    await client`select pg_advisory_unlock(hashtextextended(${datname}, 0))`
  }
}

async function drop(client: postgres.Sql, name: string): Promise<void> {
  await client.unsafe(`drop database if exists "${name}" with (force)`)
}
