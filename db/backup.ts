import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import postgres from 'postgres'
import { startEmbeddedPostgres } from './embedded.ts'
import { createDatabase } from './migrate.ts'
import type { OpenOptions } from './open.ts'

/** A table as it is copied: whatever the database makes up itself (generated columns) is left out. */
export interface TableShape {
  /** With its schema, such as `public.units`. */
  name: string
  columns: string[]
}

/** How far a sequence has counted. */
export interface SequencePosition {
  name: string
  /** A 64-bit number, in digits. */
  value: string
  /** false: `value` itself is the next one. */
  isCalled: boolean
}

/** Everything as it was at one moment, whatever is written meanwhile. */
export interface Snapshot {
  tables: TableShape[]
  /** The migrations that the database has had, by their times in the journal; none: it was never migrated. */
  migrations: number[]
  /** The rows in COPY's text format: a line each, UTF-8. To be read to its end or returned before anything else. */
  copyOut(table: TableShape): AsyncGenerator<Buffer>
  /**
   * Sequences count outside of transactions, so this is where they are now: at or beyond every number in the snapshot.
   */
  sequences(): Promise<SequencePosition[]>
}

/** What is ours: the tables and drizzle's list of migrations. pg-boss makes its own schema anew. */
export const SCHEMAS = ['public', 'drizzle']

/** The text of a value must not depend on the settings of a database or a user. */
const PLAIN_TEXT = `set local datestyle = 'ISO, YMD'; set local timezone = 'UTC'; set local intervalstyle = 'postgres';
  set local extra_float_digits = 1; set local bytea_output = 'hex'; set local statement_timeout = 0;
  set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0`

/**
 * The database of a configuration as it stands, started when it is the embedded one, but not migrated: a backup shows
 * what was, before an upgrade too, and a restored one comes into a database without tables.
 */
export async function openUnmigrated(options: OpenOptions): Promise<{ url: string; close(): Promise<void> }> {
  if (options.databaseUrl !== null) return { url: options.databaseUrl, close: async () => {} }
  const embedded = await startEmbeddedPostgres({ folder: join(options.dataFolder, 'postgres') })
  return { url: await createDatabase(embedded.url, 'qunzhen'), close: () => embedded.stop() }
}

/** One connection and one transaction on it, for as long as the copying takes. */
export async function inCopyingTransaction<T>(
  url: string,
  options: string,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const client = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {} })
  try {
    const result = await client.begin(options, async tx => {
      await tx.unsafe(PLAIN_TEXT)
      return { value: await work(tx) }
    })
    return result.value as T
  } finally {
    await client.end({ timeout: 5 })
  }
}

/** Runs `work` on a snapshot of the database. Nobody is kept from writing meanwhile; a migration waits. */
export function withSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return inCopyingTransaction(url, 'isolation level repeatable read read only', async tx => {
    const tables = await tableShapes(tx)
    if (tables.length > 0)
      await tx.unsafe(`lock table ${tables.map(table => quoted(table.name)).join(', ')} in access share mode`)
    return work({
      tables,
      migrations: await migrationsApplied(tx),
      copyOut: table => copyOut(tx, table),
      sequences: () => sequencePositions(tx),
    })
  })
}

async function* copyOut(tx: postgres.TransactionSql, table: TableShape): AsyncGenerator<Buffer> {
  const stream: Readable = await tx.unsafe(`copy ${quotedWithColumns(table)} to stdout`).readable()
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } finally {
    if (!stream.readableEnded && !stream.destroyed) {
      // a reader that gave up: nothing else goes over this connection before the rest has been taken off it
      stream.resume()
      await finished(stream)
    }
    // postgres.js may have paused its socket for the last rows, and wakes it for the next read only: there is none
    if (!stream.errored) stream._read(0)
  }
}

/** The tables of our schemas, those that an extension brought left out. */
export async function tableShapes(tx: postgres.TransactionSql): Promise<TableShape[]> {
  const rows = await tx<{ name: string; columns: string[] }[]>`
    select n.nspname || '.' || c.relname as name,
      array(
        select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum
      ) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname = any(${SCHEMAS})
      and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      )
    order by 1`
  return [...rows]
}

async function migrationsApplied(tx: postgres.TransactionSql): Promise<number[]> {
  const [present] = await tx`select to_regclass('drizzle.__drizzle_migrations') is not null as present`
  if (!present?.present) return []
  const rows = await tx<{ at: string }[]>`
    select created_at::text as at from drizzle.__drizzle_migrations order by created_at`
  return rows.map(row => Number(row.at))
}

async function sequencePositions(tx: postgres.TransactionSql): Promise<SequencePosition[]> {
  const names = await tx<{ name: string }[]>`
    select schemaname || '.' || sequencename as name from pg_sequences
    where schemaname = any(${SCHEMAS}) order by 1`
  const positions: SequencePosition[] = []
  for (const { name } of names) {
    const [row] = await tx.unsafe<{ value: string; isCalled: boolean }[]>(
      `select last_value::text as value, is_called as "isCalled" from ${quoted(name)}`,
    )
    if (row) positions.push({ name, ...row })
  }
  return positions
}

/** `schema.name` for a statement. */
export function quoted(name: string): string {
  return name.split('.').map(identifier).join('.')
}

/** `schema.name (column, …)` for a statement. */
export function quotedWithColumns(table: TableShape): string {
  return `${quoted(table.name)} (${table.columns.map(identifier).join(', ')})`
}

/** One name for a statement. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
