import { and, asc, desc, eq, inArray, lte, or, type SQL, sql } from 'drizzle-orm'
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

export async function dangerCallById(db: Db, id: number): Promise<DangerCall | null> {
  const [row] = await selectCalls(db).where(eq(dangerCalls.id, id))
  return row ? flat(row) : null
}

/** Calls that a person was told of, the newest first. */
export async function callsToldTo(
  db: Db,
  personId: number,
  place: { limit: number; offset: number },
): Promise<DangerCall[]> {
  const rows = await selectCalls(db)
    .where(
      sql`${dangerCalls.id} in (select call_id from danger_steps where person_id = ${personId} and kind = 'told')`,
    )
    .orderBy(desc(dangerCalls.id))
    .limit(place.limit)
    .offset(place.offset)
  return rows.map(flat)
}

/** A call, and nobody else changes it until the transaction ends. */
export async function lockDangerCall(db: Db, id: number): Promise<DangerCall | null> {
  await db.execute(sql`select from danger_calls where id = ${id} for update`)
  const [row] = await selectCalls(db).where(eq(dangerCalls.id, id))
  return row ? flat(row) : null
}

/** Who was asked whether anybody is in danger and said no: nothing is kept of what they wrote. */
export async function deleteDangerCall(db: Db, id: number): Promise<void> {
  await db.delete(dangerSteps).where(eq(dangerSteps.callId, id))
  await db.delete(dangerCalls).where(eq(dangerCalls.id, id))
}

/** The call of somebody, by whichever account, that has not ended and in which they said something after a moment. */
export async function standingCall(
  db: Db,
  caller: { identityId: number; personId: number | null },
  since: Date,
): Promise<DangerCall | null> {
  const [row] = await selectCalls(db)
    .where(
      and(
        or(
          eq(dangerCalls.identityId, caller.identityId),
          caller.personId === null ? undefined : eq(dangerCalls.personId, caller.personId),
        ),
        inArray(dangerCalls.status, ['asked', 'open', 'answered', 'confirmed']),
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

/** Calls of which the next levels are to be told, or those told of what was said since; taken by one process at a time. */
export async function takeDueCalls(db: Db, now: Date, limit: number): Promise<number[]> {
  const rows = await db
    .select({ id: dangerCalls.id })
    .from(dangerCalls)
    .where(or(lte(dangerCalls.dueAt, now), lte(dangerCalls.passOnAt, now)))
    .orderBy(sql`least(${dangerCalls.dueAt}, ${dangerCalls.passOnAt})`)
    .limit(limit)
    .for('update', { skipLocked: true })
  return rows.map(row => row.id)
}

/** Puts off what is due of a call. */
export async function putOffCall(db: Db, id: number, now: Date, until: Date): Promise<void> {
  const later = (at: SQL) => sql`case when ${at} <= ${now.toISOString()}::timestamptz
    then ${until.toISOString()}::timestamptz else ${at} end`
  await db.execute(sql`
    update danger_calls set due_at = ${later(sql`due_at`)}, pass_on_at = ${later(sql`pass_on_at`)} where id = ${id}`)
}

/** A unit where somebody belongs, with the groups of it that they are in. */
export interface DangerPlace {
  unitId: number
  unitName: string
  groups: string[]
}

/** Where a person belongs: the units of their roles first, then of their registration and of their groups. */
export async function placesOfCaller(db: Db, personId: number, limit: number): Promise<DangerPlace[]> {
  const rows = await db.execute<{ unit_id: string; name: string; groups: string[] | null }>(sql`
    select u.id as unit_id, u.name, array_agg(distinct g.name) filter (where g.id is not null) as groups from (
      select unit_id, null::bigint as group_id, 1 as grade from roles
      where person_id = ${personId} and ended_at is null
      union all select unit_id, group_id, 2 from registrations where person_id = ${personId}
      union all select m.unit_id, m.id, 3 from groups m where m.owner_id = ${personId} and m.dissolved_at is null
      union all select o.unit_id, o.id, 4 from group_members m join groups o on o.id = m.group_id
        where m.person_id = ${personId} and m.left_at is null and o.dissolved_at is null
    ) place join units u on u.id = place.unit_id left join groups g on g.id = place.group_id
    group by u.id order by min(place.grade), u.id limit ${limit}`)
  return rows.map(row => ({ unitId: Number(row.unit_id), unitName: row.name, groups: row.groups ?? [] }))
}

/** Owners of the groups in use that a person is in, while they stand on the roster (`standingOwner`). */
export async function ownersOfGroupsOf(db: Db, personId: number): Promise<{ id: number; name: string }[]> {
  const rows = await db.execute<{ id: string; name: string }>(sql`
    select distinct p.id, p.name from groups g join units gu on gu.id = g.unit_id
    join group_members m on m.group_id = g.id and m.left_at is null join persons p on p.id = g.owner_id
    where m.person_id = ${personId} and g.dissolved_at is null and g.owner_id <> ${personId}
      and exists (select from roles r join units ru on ru.id = r.unit_id
        where r.person_id = g.owner_id and r.ended_at is null
          and (starts_with(gu.path, ru.path) or starts_with(ru.path, gu.path)))`)
  return rows.map(row => ({ id: Number(row.id), name: row.name }))
}

/** The group that an account which nobody is known by has asked to be let into last. */
export async function placeAskedFor(db: Db, identityId: number): Promise<DangerPlace | null> {
  const [row] = await db.execute<{ unit_id: string; name: string; group_name: string }>(sql`
    select u.id as unit_id, u.name, g.name as group_name
    from join_requests r join groups g on g.id = r.group_id join units u on u.id = g.unit_id
    where r.identity_id = ${identityId} order by r.id desc limit 1`)
  return row ? { unitId: Number(row.unit_id), unitName: row.name, groups: [row.group_name] } : null
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
