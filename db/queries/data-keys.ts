import { desc, eq, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { refusalCode } from '../errors.ts'
import { identities, keyRotations, persons, rosterStagings } from '../schema/index.ts'
import { type HeldSecret, heldSecrets, type SealedTable, sealedTables } from '../schema/sealed.ts'
import { lockRoster } from './roster.ts'
import { dropStaging } from './roster-staging.ts'

export type { SealedTable, SealedValue } from '../schema/sealed.ts'
export { sealedTables }

/** One row with something in it that another key has sealed: its columns by name, JSON objects as such. */
export interface SealedRow {
  key: string
  values: Record<string, string | Record<string, unknown> | null>
}

/** The change to the current key that is under way or was the last. */
export async function lastRotation(db: Db): Promise<typeof keyRotations.$inferSelect | null> {
  const [row] = await db.select().from(keyRotations).orderBy(desc(keyRotations.id)).limit(1)
  return row ?? null
}

export async function beginRotation(db: Db, keyName: string, now: Date): Promise<void> {
  await db.insert(keyRotations).values({ keyName, beganAt: now })
}

export async function endRotation(db: Db, id: number, now: Date): Promise<void> {
  await db.update(keyRotations).set({ doneAt: now }).where(eq(keyRotations.id, id))
}

/** Keeps the rosters of all programmes as they are while `work` is done on other connections: imports and undoings wait. */
export function withRostersHeld<T>(db: Db, programmes: string[], work: () => Promise<T>): Promise<T> {
  return db.transaction(async tx => {
    // always in one order
    for (const programme of programmes.toSorted()) await lockRoster(tx, programme)
    return work()
  })
}

const id = sql.identifier

/** Columns that are read and written with a table's sealed values. */
function columnsOf({ columns, json }: SealedTable): { name: string; type: 'text' | 'jsonb' }[] {
  return [
    ...columns.flatMap(({ name, indexes }) => [name, ...indexes.map(index => index.name)]),
    ...json.map(({ column }) => column),
  ].map(name => ({ name, type: json.some(({ column }) => column === name) ? 'jsonb' : 'text' }))
}

/** Whether anything in a row was sealed by another key than the current one. What has been emptied was by none. */
function isOfAnother({ columns, json }: SealedTable, prefix: string): SQL {
  return sql.join(
    [
      ...columns.map(({ name }) => sql`(t.${id(name)} <> '' and not starts_with(t.${id(name)}, ${prefix}))`),
      ...json.map(
        ({ column }) => sql`exists (select from jsonb_each_text(t.${id(column)}) e
          where e.value ~ '^k[0-9a-f]+[.][A-Za-z0-9+/=]+$' and not starts_with(e.value, ${prefix}))`,
      ),
    ],
    sql` or `,
  )
}

/**
 * The next rows of a table, by its key, that another key has sealed; locked until the transaction ends. Rows that somebody
 * else is at are left out, for another round. @param after the key of the last row before; null: from the beginning
 */
export async function takeSealed(
  db: Db,
  table: SealedTable,
  prefix: string,
  after: string | null,
  limit: number,
): Promise<SealedRow[]> {
  const key = sql`t.${id(table.key)}`
  const rows = await db.execute<Record<string, SealedRow['values'][string]>>(sql`
    select ${key}::text as key, ${sql.join(
      columnsOf(table).map(({ name }) => sql`t.${id(name)}`),
      sql`, `,
    )}
    from ${id(table.table)} t
    where ${after === null ? sql`true` : table.key === 'channel' ? sql`${key} > ${after}` : sql`${key} > ${after}::bigint`}
      and (${isOfAnother(table, prefix)})
    order by ${key} limit ${limit} for no key update skip locked`)
  return [...rows].map(({ key: own, ...values }) => ({ key: own as string, values }))
}

/** Writes rows that `takeSealed` has taken, in the same transaction. */
export async function putSealed(db: Db, table: SealedTable, rows: SealedRow[]): Promise<void> {
  if (rows.length === 0) return
  const columns = columnsOf(table)
  const list = ({ name, type }: { name: string; type: string }) =>
    sql`${sql.param(
      rows.map(({ values }) => (type === 'jsonb' ? JSON.stringify(values[name]) : values[name])),
    )}::text[]`
  await db.execute(sql`
    update ${id(table.table)} t set ${sql.join(
      columns.map(
        ({ name, type }) => sql`${id(name)} = n.${id(name)}${type === 'jsonb' ? sql`::jsonb` : sql``}`,
      ),
      sql`, `,
    )}
    from unnest(${sql.param(rows.map(row => row.key))}::text[], ${sql.join(columns.map(list), sql`, `)})
      as n (key, ${sql.join(
        columns.map(({ name }) => id(name)),
        sql`, `,
      )})
    where t.${id(table.key)} = n.key${table.key === 'channel' ? sql`` : sql`::bigint`}`)
}

/** How many rows of a table hold something that another key has sealed. */
export async function countSealed(db: Db, table: SealedTable, prefix: string): Promise<number> {
  const [row] = await db.execute<{ count: number }>(sql`
    select count(*)::int as count from ${id(table.table)} t where ${isOfAnother(table, prefix)}`)
  return row?.count ?? 0
}

/**
 * The same behind everybody who is writing to these tables, so that nothing is on its way into them: a change is undone
 * into `persons` from what was kept of it. Waits for them, and no longer than `patienceMs`.
 * @returns null when they took longer
 */
export async function countSealedBehindWriters(
  db: Db,
  tables: readonly SealedTable[],
  prefix: string,
  patienceMs: number,
): Promise<number | null> {
  try {
    return await db.transaction(async tx => {
      await tx.execute(sql.raw(`set local lock_timeout = ${Math.floor(patienceMs)}`))
      await tx.execute(
        sql`lock table ${sql.join(
          tables.map(({ table }) => id(table)),
          sql`, `,
        )} in share mode`,
      )
      let count = 0
      for (const table of tables) count += await countSealed(tx, table, prefix)
      return count
    })
  } catch (error) {
    // 55P03: lock_not_available
    if (refusalCode(error) === '55P03') return null
    throw error
  }
}

/** Deletes what was read of roster files before a moment: it is sealed by another key, and is read anew when it is asked for. */
export async function dropStagingsBefore(db: Db, at: Date): Promise<void> {
  const rows = await db
    .select({ id: rosterStagings.id })
    .from(rosterStagings)
    .where(lt(rosterStagings.createdAt, at))
  for (const { id: staging } of rows) await dropStaging(db, staging)
}

/** Accounts that are nobody's, by number: one of them may be remembered by its index (`registered-account.ts`). */
export function loneAccounts(
  db: Db,
  after: number,
  limit: number,
): Promise<{ id: number; channel: string; address: string }[]> {
  return db
    .select({ id: identities.id, channel: identities.channel, address: identities.address })
    .from(identities)
    .where(sql`${isNull(identities.personId)} and ${identities.id} > ${after}`)
    .orderBy(identities.id)
    .limit(limit)
}

/** Whether any account is remembered. */
export async function remembersAccounts(db: Db): Promise<boolean> {
  const rows = await db
    .select({ id: persons.id })
    .from(persons)
    .where(sql`${isNotNull(persons.wechatIndex)} and ${isNull(persons.wechatSealed)}`)
    .limit(1)
  return rows.length > 0
}

/** Gives remembered accounts their indexes under the current key; one that an import has put aside as well. */
export async function reindexAccounts(db: Db, moves: { from: string; to: string }[]): Promise<void> {
  if (moves.length === 0) return
  const moved = sql`unnest(${sql.param(moves.map(move => move.from))}::text[],
    ${sql.param(moves.map(move => move.to))}::text[]) as m (was, becomes)`
  await db.execute(sql`
    update persons p set wechat_index = m.becomes from ${moved}
    where p.wechat_index = m.was and p.wechat_sealed is null`)
  await db.execute(sql`
    update roster_person_changes c set before = jsonb_set(c.before, '{wechatIndex}', to_jsonb(m.becomes)) from ${moved}
    where c.before ->> 'wechatIndex' = m.was and c.before ->> 'wechatSealed' is null`)
}

export interface HeldCount {
  table: string
  count: number
  /** When the last of them ends by itself. */
  until: Date
}

/** Secrets that stand and were last indexed before `beganAt`: under another key. */
export async function heldSince(db: Db, beganAt: Date, now: Date): Promise<HeldCount[]> {
  const counts: HeldCount[] = []
  for (const secret of heldSecrets) {
    const { count, until } = await countHeld(db, secret, beganAt, now)
    if (count > 0 && until) counts.push({ table: secret.table, count, until: new Date(until) })
  }
  return counts
}

async function countHeld(db: Db, { table, expires, used, over }: HeldSecret, beganAt: Date, now: Date) {
  const began = sql`${beganAt.toISOString()}::timestamptz`
  const [row] = await db.execute<{ count: number; until: string | null }>(sql`
    select count(*)::int as count, max(${id(expires)}) as until from ${id(table)}
    where created_at < ${began} and ${id(expires)} > ${now.toISOString()}::timestamptz
      ${over === null ? sql`` : sql`and ${id(over)} is null`}
      ${used === null ? sql`` : sql`and (${id(used)} is null or ${id(used)} < ${began})`}`)
  return row ?? { count: 0, until: null }
}
