import { and, asc, desc, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { dangerCalls, dangerSteps, persons, units } from '../schema/index.ts'

export type DangerCall = typeof dangerCalls.$inferSelect & {
  personName: string | null
  unitName: string | null
}
export type DangerStep = typeof dangerSteps.$inferSelect & { personName: string | null }
export type DangerStage = DangerCall['stage']

function selectCalls(db: Db) {
  return db
    .select({ call: dangerCalls, personName: persons.name, unitName: units.name })
    .from(dangerCalls)
    .leftJoin(persons, eq(persons.id, dangerCalls.personId))
    .leftJoin(units, eq(units.id, dangerCalls.unitId))
}

const flat = ({ call, ...names }: Awaited<ReturnType<typeof selectCalls>>[number]): DangerCall => ({
  ...call,
  ...names,
})

export async function insertDangerCall(db: Db, row: typeof dangerCalls.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(dangerCalls).values(row).returning({ id: dangerCalls.id })
  return inserted?.id as number
}

export async function insertDangerSteps(db: Db, rows: (typeof dangerSteps.$inferInsert)[]): Promise<void> {
  if (rows.length > 0) await db.insert(dangerSteps).values(rows)
}

export async function updateDangerCall(
  db: Db,
  id: number,
  change: Partial<typeof dangerCalls.$inferInsert>,
): Promise<void> {
  await db.update(dangerCalls).set(change).where(eq(dangerCalls.id, id))
}

/** A call, and nobody else changes it until the transaction ends. */
export async function lockDangerCall(db: Db, id: number): Promise<DangerCall | null> {
  await db.execute(sql`select from danger_calls where id = ${id} for update`)
  const [row] = await selectCalls(db).where(eq(dangerCalls.id, id))
  return row ? flat(row) : null
}

/** The call of an account that has not ended and in which something was said after a moment. */
export async function standingCall(db: Db, identityId: number, since: Date): Promise<DangerCall | null> {
  const [row] = await selectCalls(db)
    .where(
      and(
        eq(dangerCalls.identityId, identityId),
        inArray(dangerCalls.status, ['open', 'answered', 'confirmed']),
        sql`exists (select from danger_steps s where s.call_id = ${dangerCalls.id} and s.kind = 'said'
          and s.at > ${since.toISOString()}::timestamptz)`,
      ),
    )
    .orderBy(desc(dangerCalls.id))
    .limit(1)
  return row ? flat(row) : null
}

export async function stepsOfCall(db: Db, id: number): Promise<DangerStep[]> {
  const rows = await db
    .select({ step: dangerSteps, personName: persons.name })
    .from(dangerSteps)
    .leftJoin(persons, eq(persons.id, dangerSteps.personId))
    .where(eq(dangerSteps.callId, id))
    .orderBy(asc(dangerSteps.id))
  return rows.map(({ step, personName }) => ({ ...step, personName }))
}

/** Who was told of a call. */
export async function toldOf(db: Db, id: number): Promise<Set<number>> {
  const rows = await db
    .selectDistinct({ personId: dangerSteps.personId })
    .from(dangerSteps)
    .where(and(eq(dangerSteps.callId, id), eq(dangerSteps.kind, 'told')))
  return new Set(rows.flatMap(row => row.personId ?? []))
}

/** Calls whose next levels are to be told, taken by one process at a time. */
export async function takeDueCalls(db: Db, now: Date, limit: number): Promise<number[]> {
  const rows = await db
    .select({ id: dangerCalls.id })
    .from(dangerCalls)
    .where(lte(dangerCalls.dueAt, now))
    .orderBy(asc(dangerCalls.dueAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return rows.map(row => row.id)
}

/** The calls of which a person was told, the newest first. */
export async function callsToldTo(
  db: Db,
  personId: number,
  since: Date,
  limit: number,
): Promise<DangerCall[]> {
  const rows = await selectCalls(db)
    .where(
      and(
        gt(dangerCalls.createdAt, since),
        sql`exists (select from danger_steps s where s.call_id = ${dangerCalls.id} and s.kind = 'told'
          and s.person_id = ${personId})`,
      ),
    )
    .orderBy(desc(dangerCalls.id))
    .limit(limit)
  return rows.map(flat)
}

/** Owners of the groups in use that a person is in. */
export async function ownersOfGroupsOf(db: Db, personId: number): Promise<number[]> {
  const rows = await db.execute<{ owner_id: string }>(sql`
    select distinct g.owner_id from groups g join group_members m on m.group_id = g.id and m.left_at is null
    where m.person_id = ${personId} and g.dissolved_at is null and g.owner_id is not null and g.owner_id <> ${personId}`)
  return [...rows].map(row => Number(row.owner_id))
}

/** Where an account that nobody is known by has asked to be let in last. */
export async function unitAskedFor(db: Db, identityId: number): Promise<number | null> {
  const [row] = await db.execute<{ unit_id: string }>(sql`
    select g.unit_id from join_requests r join groups g on g.id = r.group_id
    where r.identity_id = ${identityId} order by r.id desc limit 1`)
  return row ? Number(row.unit_id) : null
}

/** The accounts by which persons can be written to. */
export async function accountsOf(
  db: Db,
  personIds: number[],
): Promise<{ personId: number; identityId: number }[]> {
  if (personIds.length === 0) return []
  const rows = await db.execute<{ person_id: string; id: string }>(sql`
    select person_id, id from identities
    where person_id = any(${sql.param(personIds)}::bigint[]) and is_reachable and channel in ('wecom', 'official-account')
    order by id`)
  return [...rows].map(row => ({ personId: Number(row.person_id), identityId: Number(row.id) }))
}
