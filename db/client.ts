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

const clients = new WeakMap<Db, postgres.Sql>()

/** The driver below a database, for what drizzle has no words for. @throws TypeError for a transaction */
export function clientOf(db: Db): postgres.Sql {
  const client = clients.get(db)
  if (!client) throw new TypeError('only a database has a client, a transaction has not')
  return client
}

const addresses = new WeakMap<Db, string>()

/** Where a database is, for a process that works beside it. @throws TypeError for a transaction */
export function addressOf(db: Db): string {
  const address = addresses.get(db)
  if (!address) throw new TypeError('only a database has an address, a transaction has not')
  return address
}

/** @param size connections at most; more than 20 do not help on two cores. */
export function connectDatabase(url: string, size: number): Database {
  const client = withPreparedStatements(postgres(url, { max: size, onnotice: () => {} }))
  const db = drizzle(client, { schema, casing: 'snake_case' })
  clients.set(db, client)
  addresses.set(db, url)
  return { db, close: () => client.end({ timeout: 5 }) }
}

/** Longer parameter lists differ in length from call to call: each would be a statement of its own on every connection. */
const MAX_PREPARED_PARAMETERS = 64

/**
 * Lets the server keep the plans of short queries. drizzle asks for that only for queries prepared by hand, and an
 * unprepared one costs postgres.js a second round trip: describe, then execute.
 */
function withPreparedStatements<T extends postgres.Sql | postgres.TransactionSql>(client: T): T {
  const unsafe = client.unsafe.bind(client)
  client.unsafe = ((query: string, parameters: never[] = [], options = {}) =>
    unsafe(query, parameters, {
      ...options,
      prepare: parameters.length > 0 && parameters.length <= MAX_PREPARED_PARAMETERS,
    })) as typeof client.unsafe
  if ('begin' in client) {
    const begin = client.begin.bind(client) as (
      work: (transaction: postgres.TransactionSql) => unknown,
    ) => Promise<unknown>
    client.begin = ((work: (transaction: postgres.TransactionSql) => unknown) =>
      begin(transaction => work(withPreparedStatements(transaction)))) as typeof client.begin
  }
  return client
}
