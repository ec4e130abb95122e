import { and, desc, eq, gte, inArray, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groups, persons, rehearsals, units } from '../schema/index.ts'

export type RehearsalRow = typeof rehearsals.$inferSelect

export interface ListedRehearsal {
  id: number
  unitId: number
  unitName: string
  unitPath: string
  programme: string
  askedByName: string
  status: string
  settings: RehearsalRow['settings']
  result: RehearsalRow['result']
  reason: string | null
  createdAt: Date
  endedAt: Date | null
}

const shown = {
  id: rehearsals.id,
  unitId: rehearsals.unitId,
  unitName: units.name,
  unitPath: units.path,
  programme: units.programme,
  askedByName: persons.name,
  status: rehearsals.status,
  settings: rehearsals.settings,
  reason: rehearsals.reason,
  createdAt: rehearsals.createdAt,
  endedAt: rehearsals.endedAt,
}

/** Notes that a unit asks for a rehearsal. @returns its number */
export async function insertRehearsal(db: Db, row: typeof rehearsals.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(rehearsals).values(row).returning({ id: rehearsals.id })
  return inserted?.id as number
}

/** Lets the requests of one unit be counted and written one after the other, until the transaction ends. */
export async function lockRehearsalsOf(db: Db, unitId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`rehearsals:${unitId}`}))`)
}

/** How many groups in use a subtree has. */
export async function groupsUnder(db: Db, unitPath: string): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(sql`starts_with(${units.path}, ${unitPath})`, isNull(groups.dissolvedAt)))
  return row?.count ?? 0
}

/** How many rehearsals a unit has asked for since a moment. */
export async function countRehearsals(db: Db, unitId: number, since: Date): Promise<number> {
  return db.$count(rehearsals, and(eq(rehearsals.unitId, unitId), gte(rehearsals.createdAt, since)))
}

/** How many rehearsals wait or run that a unit, or this person for whatever unit, has asked for. */
export function countWaitingRehearsals(db: Db, unitId: number, askedBy: number): Promise<number> {
  return db.$count(
    rehearsals,
    and(
      inArray(rehearsals.status, ['waiting', 'running']),
      sql`(${rehearsals.unitId} = ${unitId} or ${rehearsals.askedBy} = ${askedBy})`,
    ),
  )
}

export async function rehearsalById(db: Db, id: number): Promise<ListedRehearsal | null> {
  const [row] = await db
    .select({ ...shown, result: rehearsals.result })
    .from(rehearsals)
    .innerJoin(units, eq(units.id, rehearsals.unitId))
    .innerJoin(persons, eq(persons.id, rehearsals.askedBy))
    .where(eq(rehearsals.id, id))
  return row ?? null
}

/** Rehearsals of subtrees, the newest first; of what came out only the figures of the list. */
export async function rehearsalsUnder(
  db: Db,
  paths: string[],
  place: { limit: number; offset: number },
): Promise<ListedRehearsal[]> {
  if (paths.length === 0) return []
  return db
    .select({
      ...shown,
      result: sql<RehearsalRow['result']>`
        case when ${rehearsals.result} is not null then jsonb_build_object('groups', ${rehearsals.result} -> 'groups',
          'reached', ${rehearsals.result} -> 'reached', 'mostMessages', ${rehearsals.result} -> 'mostMessages') end`,
    })
    .from(rehearsals)
    .innerJoin(units, eq(units.id, rehearsals.unitId))
    .innerJoin(persons, eq(persons.id, rehearsals.askedBy))
    .where(sql`exists (select from unnest(${sql.param(paths)}::text[]) as top (path)
      where starts_with(${units.path}, top.path))`)
    .orderBy(desc(rehearsals.id))
    .limit(place.limit)
    .offset(place.offset)
}

/** How many wait before this one. */
export function waitingBefore(db: Db, id: number): Promise<number> {
  return db.$count(
    rehearsals,
    and(sql`${rehearsals.id} < ${id}`, inArray(rehearsals.status, ['waiting', 'running'])),
  )
}

/** Those that a process had under way which is no more: one runs at a time, so whoever begins finds none of another. */
export async function failRunning(db: Db, reason: string, now: Date): Promise<number> {
  const rows = await db
    .update(rehearsals)
    .set({ status: 'failed', reason, endedAt: now })
    .where(eq(rehearsals.status, 'running'))
    .returning({ id: rehearsals.id })
  return rows.length
}

/** Takes the one that waits longest; null: none does. */
export async function takeWaiting(
  db: Db,
): Promise<{ id: number; unitId: number; settings: RehearsalRow['settings'] } | null> {
  const [row] = await db
    .update(rehearsals)
    .set({ status: 'running' })
    .where(
      eq(
        rehearsals.id,
        sql`(select id from rehearsals where status = 'waiting' order by id limit 1 for update skip locked)`,
      ),
    )
    .returning({ id: rehearsals.id, unitId: rehearsals.unitId, settings: rehearsals.settings })
  return row ?? null
}

/** Writes down what came of it, while it still runs. */
export async function endRehearsal(
  db: Db,
  id: number,
  end: { status: 'done' | 'failed' | 'waiting' } & Pick<RehearsalRow, 'result' | 'reason' | 'endedAt'>,
): Promise<void> {
  await db
    .update(rehearsals)
    .set(end)
    .where(and(eq(rehearsals.id, id), eq(rehearsals.status, 'running')))
}

/** What the groups and units of a result are called today, within a subtree. */
export async function namesWithin(
  db: Db,
  unitPath: string,
  of: { groupIds: number[]; unitIds: number[] },
): Promise<{ groups: Map<number, { name: string; unitName: string }>; units: Map<number, string> }> {
  const within = sql`starts_with(${units.path}, ${unitPath})`
  const named = await db
    .select({ id: groups.id, name: groups.name, unitName: units.name })
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(within, sql`${groups.id} = any(${sql.param(of.groupIds)}::bigint[])`))
  const places = await db
    .select({ id: units.id, name: units.name })
    .from(units)
    .where(and(within, sql`${units.id} = any(${sql.param(of.unitIds)}::bigint[])`))
  return {
    groups: new Map(named.map(({ id, ...rest }) => [id, rest])),
    units: new Map(places.map(({ id, name }) => [id, name])),
  }
}
