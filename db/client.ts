import type { ExtractTablesWithRelations } from 'drizzle-orm'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import * as schema from './schema/index.ts'

/** The database or a transaction in it: every query takes one, so that the caller decides what commits together. */
export type Db = PgDatabase<
  PostgresJsQueryResultHKT,
  typeof schema,
  ExtractTablesWithRelations<typeof schema>
>

export interface Database {
  db: Db
  /** Waits for running queries, then closes the connections. */
  close(): Promise<void>
}

/** @param size connections at most; more than 20 do not help on two cores. */
export function connectDatabase(url: string, size: number): Database {
  const client = postgres(url, { max: size, onnotice: () => {} })
  const db = drizzle(client, { schema, casing: 'snake_case' })
  return { db, close: () => client.end({ timeout: 5 }) }
}
