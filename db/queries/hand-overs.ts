import { and, asc, desc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { contacts, groups, handOverItems, handOvers, persons, roles, units } from '../schema/index.ts'

export type HandOverRow = typeof handOvers.$inferSelect & {
  unitName: string
  unitPath: string
  unitKind: string
  programme: string
  fromName: string
  toName: string | null
  startedByName: string | null
}

function selectHandOvers(db: Db) {
  const from = alias(persons, 'giver')
  const to = alias(persons, 'taker')
  const starter = alias(persons, 'starter')
  return db
    .select({
      row: handOvers,
      unitName: units.name,
      unitPath: units.path,
      unitKind: units.kind,
      programme: units.programme,
      fromName: from.name,
      toName: to.name,
      startedByName: starter.name,
    })
    .from(handOvers)
    .innerJoin(units, eq(units.id, handOvers.unitId))
    .innerJoin(from, eq(from.id, handOvers.fromId))
    .leftJoin(to, eq(to.id, handOvers.toId))
    .leftJoin(starter, eq(starter.id, handOvers.startedBy))
}

type Selected = Awaited<ReturnType<typeof selectHandOvers>>[number]
const flat = ({ row, ...rest }: Selected): HandOverRow => ({ ...row, ...rest })

export async function handOverById(db: Db, id: number): Promise<HandOverRow | null> {
  const [row] = await selectHandOvers(db).where(eq(handOvers.id, id))
  return row ? flat(row) : null
}

/** Units below one of the paths, themselves included. */
const below = (paths: string[]): SQL =>
  sql`${units.path} like any (${sql.param(paths.map(path => `${path}%`))}::text[])`

export type ListedHandOver = HandOverRow & { done: number; byHand: number }

/** A page of the hand-overs of subtrees: those that wait first, by the day they are due. */
export async function handOversUnder(
  db: Db,
  paths: string[],
  place: { limit: number; offset: number },
): Promise<ListedHandOver[]> {
  const rows = await selectHandOvers(db)
    .where(and(below(paths), sql`${handOvers.status} <> 'dropped'`))
    .orderBy(sql`${handOvers.status} = 'closed'`, asc(handOvers.dueOn), desc(handOvers.id))
    .limit(place.limit)
    .offset(place.offset)
  return withCounts(db, rows.map(flat))
}

/** The hand-overs that somebody takes over and has not done with. */
export async function openHandOversTo(db: Db, personId: number): Promise<ListedHandOver[]> {
  const rows = await selectHandOvers(db)
    .where(and(eq(handOvers.toId, personId), eq(handOvers.status, 'open')))
    .orderBy(asc(handOvers.dueOn), asc(handOvers.id))
    .limit(50)
  return withCounts(db, rows.map(flat))
}

async function withCounts(db: Db, rows: HandOverRow[]): Promise<ListedHandOver[]> {
  if (rows.length === 0) return []
  const counts = await db
    .select({
      id: handOverItems.handOverId,
      byHand: sql<number>`count(*)::int`,
      done: sql<number>`(count(${handOverItems.doneAt}))::int`,
    })
    .from(handOverItems)
    .where(
      and(
        inArray(
          handOverItems.handOverId,
          rows.map(row => row.id),
        ),
        eq(handOverItems.isByHand, true),
      ),
    )
    .groupBy(handOverItems.handOverId)
  const byId = new Map(counts.map(each => [each.id, each]))
  return rows.map(row => ({
    ...row,
    done: byId.get(row.id)?.done ?? 0,
    byHand: byId.get(row.id)?.byHand ?? 0,
  }))
}

/** The proposals of subtrees that wait for somebody to be named, the oldest first. */
export async function proposalsUnder(db: Db, paths: string[], limit: number): Promise<HandOverRow[]> {
  const rows = await selectHandOvers(db)
    .where(and(below(paths), eq(handOvers.status, 'proposed')))
    .orderBy(asc(handOvers.dueOn), asc(handOvers.id))
    .limit(limit)
  return rows.map(flat)
}

/** The hand-over of somebody in a unit that is not done with, locked until the transaction ends. */
export async function lockOpenHandOver(db: Db, unitId: number, fromId: number) {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`hand-over:${unitId}:${fromId}`}))`)
  const [row] = await db
    .select()
    .from(handOvers)
    .where(
      and(
        eq(handOvers.unitId, unitId),
        eq(handOvers.fromId, fromId),
        inArray(handOvers.status, ['proposed', 'open']),
      ),
    )
    .for('update')
  return row ?? null
}

export async function insertHandOver(db: Db, row: typeof handOvers.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(handOvers).values(row).returning({ id: handOvers.id })
  return inserted?.id as number
}

export async function updateHandOver(
  db: Db,
  id: number,
  set: Partial<typeof handOvers.$inferInsert>,
): Promise<void> {
  await db.update(handOvers).set(set).where(eq(handOvers.id, id))
}

/** Closes an open hand-over once; false when it was closed before. */
export async function closeHandOver(db: Db, id: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(handOvers)
    .set({ status: 'closed', closedAt: now })
    .where(and(eq(handOvers.id, id), eq(handOvers.status, 'open')))
    .returning({ id: handOvers.id })
  return rows.length === 1
}

export type HandOverItemRow = typeof handOverItems.$inferSelect & {
  groupName: string | null
  doneByName: string | null
}

/** A hand-over's checklist: what was moved first. */
export async function itemsOfHandOver(db: Db, handOverId: number): Promise<HandOverItemRow[]> {
  const rows = await db
    .select({ item: handOverItems, groupName: groups.name, doneByName: persons.name })
    .from(handOverItems)
    .leftJoin(groups, eq(groups.id, handOverItems.groupId))
    .leftJoin(persons, eq(persons.id, handOverItems.doneBy))
    .where(eq(handOverItems.handOverId, handOverId))
    .orderBy(asc(handOverItems.isByHand), asc(handOverItems.id))
  return rows.map(({ item, ...rest }) => ({ ...item, ...rest }))
}

export async function insertHandOverItems(
  db: Db,
  rows: (typeof handOverItems.$inferInsert)[],
): Promise<void> {
  if (rows.length > 0) await db.insert(handOverItems).values(rows).onConflictDoNothing()
}

export async function handOverItemById(db: Db, id: number) {
  const [row] = await db.select().from(handOverItems).where(eq(handOverItems.id, id))
  return row ?? null
}

/** Ticks an item off once; false when it was before. */
export async function tickItem(db: Db, id: number, personId: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(handOverItems)
    .set({ doneAt: now, doneBy: personId })
    .where(and(eq(handOverItems.id, id), isNull(handOverItems.doneAt)))
    .returning({ id: handOverItems.id })
  return rows.length === 1
}

/** What a person is or was in a unit. */
export function everRolesIn(db: Db, personId: number, unitId: number) {
  return db
    .select({ role: roles.role, endedAt: roles.endedAt })
    .from(roles)
    .where(and(eq(roles.personId, personId), eq(roles.unitId, unitId)))
}

/** Persons of a name who are or were something in one of the subtrees, with the units, those where they are first. */
export async function personsEverNamed(db: Db, paths: string[], nameKey: string) {
  return db
    .select({
      personId: persons.id,
      name: persons.name,
      unitId: units.id,
      unitName: units.name,
      unitPath: units.path,
      isCurrent: sql<boolean>`bool_or(${roles.endedAt} is null)`,
    })
    .from(roles)
    .innerJoin(persons, eq(persons.id, roles.personId))
    .innerJoin(units, eq(units.id, roles.unitId))
    .where(and(eq(persons.nameKey, nameKey), below(paths)))
    .groupBy(persons.id, units.id)
    .orderBy(sql`bool_or(${roles.endedAt} is null) desc`, sql`length(${units.path})`, units.id)
    .limit(20)
}

/** The units of a subtree that somebody looks after as its manager (专人). */
export async function unitsManagedBy(db: Db, personId: number, path: string) {
  return db
    .select({ id: units.id, name: units.name, path: units.path })
    .from(units)
    .where(and(eq(units.managerId, personId), sql`starts_with(${units.path}, ${path})`))
    .orderBy(units.id)
}

/** How many requests wait and how many tasks are open in some groups. */
export async function openWorkOf(db: Db, groupIds: number[]): Promise<{ tasks: number; requests: number }> {
  const [row] = await db.execute<{ tasks: number; requests: number }>(sql`
    select (select count(*)::int from tasks where group_id = any(${sql.param(groupIds)}::bigint[]) and closed_at is null) as tasks,
      (select count(*)::int from join_requests where group_id = any(${sql.param(groupIds)}::bigint[]) and decision = 'referred') as requests`)
  return row ?? { tasks: 0, requests: 0 }
}

/** What somebody was asked to do in these groups, or for this unit and those below, is asked of another. */
export async function moveTasks(
  db: Db,
  move: { fromId: number; toId: number; groupIds: number[]; unitPath: string },
): Promise<void> {
  await db.execute(sql`
    update tasks t set asked_id = ${move.toId}
    where t.closed_at is null and (t.group_id = any(${sql.param(move.groupIds)}::bigint[])
      or (t.asked_id = ${move.fromId} and t.group_id is null
        and t.unit_id in (select id from units where starts_with(path, ${move.unitPath}))))`)
}

/**
 * 1+100: the branches of somebody's office that they keep contact with, or did until they left it, become another's.
 * @returns the branches that are the other's now
 */
export async function moveContacts(
  db: Db,
  move: { fromId: number; toId: number; officeId: number; actorId: number; today: string },
): Promise<number[]> {
  const moving = await db
    .update(contacts)
    .set({ untilOn: sql`coalesce(${contacts.untilOn}, ${move.today}::date)`, endedBy: 'handed_over' })
    .where(
      and(
        eq(contacts.personId, move.fromId),
        eq(contacts.officeId, move.officeId),
        // what ended with their leaving is handed over too, and not what ended years ago
        sql`(${contacts.untilOn} is null or (${contacts.endedBy} = 'left' and ${contacts.untilOn} >= (
          select max(r.ended_at at time zone 'Asia/Shanghai')::date from roles r
          where r.person_id = ${move.fromId} and r.unit_id = ${move.officeId})))`,
      ),
    )
    .returning({ unitId: contacts.unitId })
  const unitIds = [...new Set(moving.map(row => row.unitId))]
  if (unitIds.length === 0) return []
  await db
    .insert(contacts)
    .values(
      unitIds.map(unitId => ({
        personId: move.toId,
        officeId: move.officeId,
        unitId,
        sinceOn: move.today,
        assignedBy: move.actorId,
      })),
    )
    .onConflictDoNothing()
  return unitIds
}

/** Hand-overs and proposals that are overdue and were not asked for since a day, the longest overdue first. */
export async function overdueHandOvers(
  db: Db,
  today: string,
  askedBefore: Date,
  limit: number,
): Promise<ListedHandOver[]> {
  const rows = await selectHandOvers(db)
    .where(
      and(
        inArray(handOvers.status, ['proposed', 'open']),
        sql`${handOvers.dueOn} < ${today}::date`,
        sql`(${handOvers.askedAt} is null or ${handOvers.askedAt} < ${askedBefore.toISOString()}::timestamptz)`,
      ),
    )
    .orderBy(asc(handOvers.dueOn), asc(handOvers.id))
    .limit(limit)
  return withCounts(db, rows.map(flat))
}

export async function noteHandOversAsked(db: Db, ids: number[], now: Date): Promise<void> {
  await db
    .update(handOvers)
    .set({ askedAt: now })
    .where(sql`${handOvers.id} = any(${sql.param(ids)}::bigint[])`)
}

/** Persons with a role in a unit, above it or below it; those of the unit itself first, then the nearest. */
export async function personsInLine(db: Db, path: string, limit: number) {
  const rows = await db.execute<{
    person_id: string
    name: string
    title: string | null
    unit_id: string
    unit_name: string
  }>(sql`
    select p.id as person_id, p.name, min(r.title) as title, u.id as unit_id, u.name as unit_name
    from units u join roles r on r.unit_id = u.id and r.ended_at is null join persons p on p.id = r.person_id
    where u.path like ${`${path}%`} or starts_with(${path}::text, u.path)
    group by p.id, u.id
    order by abs(length(u.path) - length(${path}::text)), u.path, p.id limit ${limit}`)
  return rows.map(row => ({
    personId: Number(row.person_id),
    name: row.name,
    title: row.title,
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
  }))
}
