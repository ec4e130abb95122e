import { setImmediate } from 'node:timers/promises'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type postgres from 'postgres'
import {
  identifier,
  inCopyingTransaction,
  quoted,
  quotedWithColumns,
  type SequencePosition,
  type TableShape,
  tableShapes,
} from './backup.ts'
import { MIGRATION_LOCK, migrationsFolder } from './migrate.ts'

export interface ForeignKey {
  table: string
  name: string
  definition: string
}

/** A database that rows are put back into: all of it in one transaction. */
export interface Restoring {
  tables(): Promise<TableShape[]>
  /** Applies the program's migrations that are missing, up to the one of this time in the journal. */
  migrateTo(time: number): Promise<void>
  /** Lets rows come in any order. */
  dropForeignKeys(): Promise<ForeignKey[]>
  /** @throws when a row points to one that is not there */
  addForeignKeys(keys: ForeignKey[]): Promise<void>
  /** Removes the rows that migrations brought, so that those of the backup take their place. */
  empty(table: TableShape): Promise<void>
  /** @param rows in COPY's text format, cut anywhere @returns how many there are now */
  copyIn(table: TableShape, rows: AsyncIterable<Buffer>): Promise<number>
  setSequences(positions: SequencePosition[]): Promise<void>
  /** Counts what there is, so that queries are planned well from the beginning. */
  analyze(): Promise<void>
}

/** The migrations that this program knows, by their times in the journal. */
export function knownMigrations(): number[] {
  return readMigrationFiles({ migrationsFolder }).map(migration => migration.folderMillis)
}

/** Runs `work` in one transaction: when it throws, the database is what it was. */
export function restoring<T>(url: string, work: (database: Restoring) => Promise<T>): Promise<T> {
  return inCopyingTransaction(url, '', async tx => {
    // no server migrates this database meanwhile
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
    return work({
      tables: () => tableShapes(tx),
      migrateTo: time => migrateTo(tx, time),
      dropForeignKeys: () => dropForeignKeys(tx),
      async addForeignKeys(keys) {
        for (const key of keys)
          await tx.unsafe(
            `alter table ${quoted(key.table)} add constraint ${identifier(key.name)} ${key.definition}`,
          )
      },
      async empty(table) {
        // not truncated: the audit log refuses that even while it is empty
        await withoutTriggers(tx, table, () => tx.unsafe(`delete from ${quoted(table.name)}`))
      },
      // the counters that triggers keep are in the backup themselves
      copyIn: (table, rows) => withoutTriggers(tx, table, () => copyIn(tx, table, rows)),
      async setSequences(positions) {
        for (const { name, value, isCalled } of positions)
          await tx`select setval(${quoted(name)}::text::regclass, ${value}::text::bigint, ${isCalled})`
      },
      async analyze() {
        await tx.unsafe('analyze')
      },
    })
  })
}

/** As drizzle's migrator does it, which opens a transaction of its own and knows no end but the newest. */
async function migrateTo(tx: postgres.TransactionSql, time: number): Promise<void> {
  await tx.unsafe(`create schema if not exists drizzle;
    create table if not exists drizzle.__drizzle_migrations (
      id serial primary key, hash text not null, created_at bigint
    )`)
  const [last] = await tx<{ at: string | null }[]>`
    select max(created_at)::text as at from drizzle.__drizzle_migrations`
  for (const { sql, hash, folderMillis } of readMigrationFiles({ migrationsFolder })) {
    if (folderMillis <= Number(last?.at ?? 0) || folderMillis > time) continue
    for (const statement of sql) await tx.unsafe(statement)
    await tx`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`
  }
}

async function dropForeignKeys(tx: postgres.TransactionSql): Promise<ForeignKey[]> {
  const keys = await tx<(ForeignKey & { [column: string]: unknown })[]>`
    select n.nspname || '.' || t.relname as table, c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
    where c.contype = 'f' and c.conparentid = 0 and n.nspname = 'public'
    order by 1, 2`
  for (const key of keys)
    await tx.unsafe(`alter table ${quoted(key.table)} drop constraint ${identifier(key.name)}`)
  return keys.map(({ table, name, definition }) => ({ table, name, definition }))
}

async function withoutTriggers<T>(
  tx: postgres.TransactionSql,
  table: TableShape,
  work: () => Promise<T>,
): Promise<T> {
  await tx.unsafe(`alter table ${quoted(table.name)} disable trigger user`)
  const result = await work()
  await tx.unsafe(`alter table ${quoted(table.name)} enable trigger user`)
  return result
}

async function copyIn(
  tx: postgres.TransactionSql,
  table: TableShape,
  rows: AsyncIterable<Buffer>,
): Promise<number> {
  // what the rows have set off was set off when they were made, and is in the backup itself (counters)
  await tx.unsafe(`alter table ${quoted(table.name)} disable trigger user`)
  const stream = await tx.unsafe(`copy ${quotedWithColumns(table)} from stdin`).writable()
  // what went wrong comes out of the write that it stopped
  stream.on('error', () => {})
  try {
    for await (const bytes of rows)
      await new Promise<void>((done, fail) =>
        stream.write(bytes, error => (error ? fail(stream.errored ?? error) : done())),
      )
  } catch (error) {
    // tells the server that no more is to come: a rollback could not be sent otherwise
    stream.destroy(error as Error)
    throw error
  }
  stream.end()
  // postgres.js reports no failure of a copy after its last byte: the next statement does, in a failed transaction
  await setImmediate()
  const [row] = await tx.unsafe<{ count: string }[]>(
    `select count(*)::text as count from ${quoted(table.name)}`,
  )
  return Number(row?.count)
}
