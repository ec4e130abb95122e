import { fillPlaceholders, type SQL } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'

/** A drizzle query that has been built: what `.prepare()` returns. */
interface Built<Result> {
  execute(values: Record<string, unknown>): Promise<Result>
}

/**
 * Builds a query once and runs it on any connection or transaction.
 *
 * drizzle builds the SQL text of a query at each call, which for a wide select costs several times what running it does
 * (measured: 450 µs of CPU a query, 100 µs compiled). Its own prepared queries belong to one connection, so they cannot
 * be used in the transaction of an update; here the built query is kept and only its client is the caller's.
 * @param build gets the database to build with; values are `sql.placeholder('name')`
 */
export function compiled<Result>(build: (db: Db) => { prepare(name: string): unknown }) {
  let built: Built<Result> | undefined
  return (db: Db, values: Record<string, unknown>): Promise<Result> => {
    built ??= build(db).prepare('compiled') as Built<Result>
    const { client } = (db as unknown as { session: { client: unknown } }).session
    const query = Object.create(built, { client: { value: client } }) as Built<Result>
    return query.execute(values)
  }
}

/**
 * The same for a statement written as SQL: its text is put together once.
 * @param statement values are `sql.placeholder('name')`
 */
export function compiledSql<Row extends Record<string, unknown>>(statement: SQL) {
  let built: { sql: string; params: unknown[] } | undefined
  return (db: Db, values: Record<string, unknown>): Promise<Row[]> => {
    const { dialect, session } = db as unknown as {
      dialect: PgDialect
      session: { client: { unsafe(text: string, parameters: unknown[]): Promise<Row[]> } }
    }
    built ??= dialect.sqlToQuery(statement)
    return session.client.unsafe(built.sql, fillPlaceholders(built.params, values))
  }
}
