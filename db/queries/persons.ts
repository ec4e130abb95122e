import { and, desc, eq, inArray, isNull, like, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { persons, roles, rosterEntries, rosterImports, rosterPersonChanges, units } from '../schema/index.ts'

export type PersonRow = typeof persons.$inferSelect

export async function personById(db: Db, id: number): Promise<PersonRow | null> {
  const [row] = await db.select().from(persons).where(eq(persons.id, id))
  return row ?? null
}

export function personsByIds(db: Db, ids: number[]): Promise<PersonRow[]> {
  return ids.length === 0 ? Promise.resolve([]) : db.select().from(persons).where(inArray(persons.id, ids))
}

export async function insertPersons(db: Db, rows: (typeof persons.$inferInsert)[]): Promise<number[]> {
  const ids: number[] = []
  for (let from = 0; from < rows.length; from += 1000)
    ids.push(
      ...(
        await db
          .insert(persons)
          .values(rows.slice(from, from + 1000))
          .returning({ id: persons.id })
      ).map(row => row.id),
    )
  return ids
}

/**
 * Puts back what an import had changed of persons. A number that is not there any more has been deleted since, at its
 * owner's wish perhaps, and stays deleted.
 */
export async function putPersonsBack(db: Db, importId: number): Promise<void> {
  await db.execute(sql`
    update persons p set
      name = coalesce(c.before ->> 'name', p.name),
      name_key = coalesce(c.before ->> 'nameKey', p.name_key),
      sound_key = coalesce(c.before ->> 'soundKey', p.sound_key),
      phone_sealed = case when jsonb_exists(c.before, 'phoneIndex') and p.phone_index is not null
        then c.before ->> 'phoneSealed' else p.phone_sealed end,
      phone_index = case when jsonb_exists(c.before, 'phoneIndex') and p.phone_index is not null
        then c.before ->> 'phoneIndex' else p.phone_index end,
      id_number_sealed = case when jsonb_exists(c.before, 'idNumberIndex') and p.id_number_index is not null
        then c.before ->> 'idNumberSealed' else p.id_number_sealed end,
      id_number_index = case when jsonb_exists(c.before, 'idNumberIndex') and p.id_number_index is not null
        then c.before ->> 'idNumberIndex' else p.id_number_index end,
      id_tail_index = case when jsonb_exists(c.before, 'idNumberIndex') and p.id_number_index is not null
        then c.before ->> 'idTailIndex' else p.id_tail_index end,
      wechat_sealed = case when jsonb_exists(c.before, 'wechatIndex') and p.wechat_index is not null
        then c.before ->> 'wechatSealed' else p.wechat_sealed end,
      wechat_index = case when jsonb_exists(c.before, 'wechatIndex') and p.wechat_index is not null
        then c.before ->> 'wechatIndex' else p.wechat_index end
    from roster_person_changes c
    where c.import_id = ${importId} and c.person_id = p.id`)
}

/**
 * Which of the persons stand outside a subtree (a role now, or a roster entry), or run its top unit.
 * @param officeRoles the roles that run it
 */
export async function personsBeyond(
  db: Db,
  personIds: number[],
  top: { id: number; path: string },
  officeRoles: string[],
): Promise<Set<number>> {
  if (personIds.length === 0) return new Set()
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct s.person_id from (
      select person_id, unit_id, role from roles where ended_at is null and person_id = any(${sql.param(personIds)}::bigint[])
      union all
      select person_id, unit_id, role from roster_entries
        where gone_import_id is null and person_id = any(${sql.param(personIds)}::bigint[])
    ) s join units u on u.id = s.unit_id
    where not starts_with(u.path, ${top.path})
      or (u.id = ${top.id} and s.role = any(${sql.param(officeRoles)}::text[]))`)
  return new Set(rows.map(row => Number(row.person_id)))
}

/** Where a person stands or has stood. */
export interface PersonPlace {
  unitPath: string
  isCurrent: boolean
  /** When it ended; null while it stands. */
  endedAt: Date | null
}

/** All places of a person by role and by roster, those that stand first, then the last ended first. */
export async function placesOf(db: Db, personId: number): Promise<PersonPlace[]> {
  const rows = await db.execute<{ path: string; ended_at: string | null }>(sql`
    select u.path, s.ended_at from (
      select unit_id, ended_at from roles where person_id = ${personId}
      union all
      select e.unit_id, i.applied_at as ended_at from roster_entries e
        left join roster_imports i on i.id = e.gone_import_id where e.person_id = ${personId}
    ) s join units u on u.id = s.unit_id
    order by s.ended_at desc nulls first`)
  return rows.map(row => ({
    unitPath: row.path,
    isCurrent: row.ended_at === null,
    endedAt: row.ended_at === null ? null : new Date(row.ended_at),
  }))
}

/** The roster entries of a person, those that stand first, with the imports that brought and closed them. */
export function entryHistoryOf(db: Db, personId: number) {
  const brought = alias(rosterImports, 'brought')
  const closed = alias(rosterImports, 'closed')
  const broughtUnit = alias(units, 'brought_unit')
  const closedUnit = alias(units, 'closed_unit')
  return db
    .select({
      entry: rosterEntries,
      unitName: units.name,
      unitPath: units.path,
      broughtAt: brought.appliedAt,
      /** Whose import it was; null: an operator's on the command line. */
      broughtPath: broughtUnit.path,
      closedAt: closed.appliedAt,
      closedPath: closedUnit.path,
    })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .innerJoin(brought, eq(brought.id, rosterEntries.importId))
    .leftJoin(broughtUnit, eq(broughtUnit.id, brought.unitId))
    .leftJoin(closed, eq(closed.id, rosterEntries.goneImportId))
    .leftJoin(closedUnit, eq(closedUnit.id, closed.unitId))
    .where(eq(rosterEntries.personId, personId))
    .orderBy(sql`${rosterEntries.goneImportId} desc nulls first`, desc(rosterEntries.id))
    .limit(100)
}

/** The import that a number of `person` as it stands came with: the last that changed it, or the first that had the person. */
const originOf = (person: SQL, column: NumberColumn) => sql`coalesce(
  (select max(c.import_id) from roster_person_changes c join roster_imports i on i.id = c.import_id
    where c.person_id = ${person} and i.undone_at is null and jsonb_exists(c.before, ${column})),
  (select min(import_id) from roster_entries where person_id = ${person}))`

/** A number, by the key under which imports keep what it was. */
export type NumberColumn = 'phoneIndex' | 'idNumberIndex'

/** The unit whose import a person's number came with; null: an operator's, or none. */
export async function unitOfNumber(
  db: Db,
  personId: number,
  column: NumberColumn,
): Promise<{ name: string } | null> {
  const [row] = await db.execute<{ name: string }>(sql`
    select u.name from roster_imports i join units u on u.id = i.unit_id
    where i.id = ${originOf(sql`${personId}::bigint`, column)}`)
  return row ?? null
}

/**
 * Of these persons those whose number came onto the roster in the line of what somebody runs: by an import of theirs or
 * below; or the person was put into one of their units by somebody else, above or elsewhere; or was there from the first
 * import on. An entry of one's own making, for somebody whom others had before, gives nothing.
 * @param paths of the units that they run
 */
export async function personsInLine(
  db: Db,
  personIds: number[],
  paths: string[],
  column: NumberColumn,
): Promise<Set<number>> {
  if (personIds.length === 0 || paths.length === 0) return new Set()
  const isOurs = (path: SQL) =>
    sql`exists (select from unnest(${sql.param(paths)}::text[]) as top (path) where starts_with(${path}, top.path))`
  const rows = await db.execute<{ id: string }>(sql`
    with origin as (
      select p.id, ${originOf(sql`p.id`, column)} as import_id,
        (select min(import_id) from roster_entries where person_id = p.id) as first_id
      from unnest(${sql.param(personIds)}::bigint[]) as p (id)
    )
    select o.id from origin o left join roster_imports i on i.id = o.import_id left join units u on u.id = i.unit_id
    where o.import_id is null or ${isOurs(sql`u.path`)} or exists (
      select from roster_entries e join units at on at.id = e.unit_id join roster_imports b on b.id = e.import_id
      left join units by on by.id = b.unit_id
      where e.person_id = o.id and ${isOurs(sql`at.path`)}
        and (by.path is null or not ${isOurs(sql`by.path`)} or e.import_id = o.first_id))`)
  return new Set(rows.map(row => Number(row.id)))
}

/** Persons of a subtree by name, with what they are there. */
export function personsNamed(db: Db, unitPath: string, nameKey: string) {
  return db
    .select({
      personId: persons.id,
      name: persons.name,
      role: roles.role,
      title: roles.title,
      unitId: units.id,
      unitName: units.name,
      unitPath: units.path,
    })
    .from(persons)
    .innerJoin(roles, and(eq(roles.personId, persons.id), isNull(roles.endedAt)))
    .innerJoin(units, eq(units.id, roles.unitId))
    .where(and(eq(persons.nameKey, nameKey), like(units.path, `${unitPath}%`)))
    .orderBy(persons.id)
}

/** What a person is, everywhere, now. */
export function rolesOf(db: Db, personId: number) {
  return db
    .select({
      role: roles.role,
      title: roles.title,
      startedAt: roles.startedAt,
      unitId: units.id,
      unitName: units.name,
      unitPath: units.path,
      programme: units.programme,
      level: units.level,
    })
    .from(roles)
    .innerJoin(units, eq(units.id, roles.unitId))
    .where(and(eq(roles.personId, personId), isNull(roles.endedAt)))
}

/**
 * Where a person stands, stood, and is to stand, and since when: the roles that they have, and what the roster has said
 * of them from the import on that said it, before the service begins too. An import that was undone has said nothing, and
 * nobody stands who is entered as gone. A role that is over is in the entries that it came of.
 */
export async function standingsOf(db: Db, personId: number) {
  const rows = await db.execute<{
    role: string
    unit_name: string
    path: string
    programme: string
    level: string
    since: string
    until: string | null
  }>(sql`
    select s.role, u.name as unit_name, u.path, u.programme, u.level, s.since, s.until from (
      select unit_id, role, started_at as since, null::timestamptz as until from roles
      where person_id = ${personId} and ended_at is null
      union all
      select e.unit_id, e.role, brought.applied_at,
        least(closed.applied_at, (e.ends_on + 1)::timestamp at time zone 'Asia/Shanghai')
      from roster_entries e join roster_imports brought on brought.id = e.import_id and brought.undone_at is null
      left join roster_imports closed on closed.id = e.gone_import_id
      where e.person_id = ${personId} and e.status <> '离岗'
    ) s join units u on u.id = s.unit_id
    where s.until is null or s.until > s.since`)
  return rows.map(row => ({
    role: row.role,
    unitName: row.unit_name,
    unitPath: row.path,
    programme: row.programme,
    level: row.level,
    since: new Date(row.since),
    until: row.until === null ? null : new Date(row.until),
  }))
}

export interface RoleKey {
  personId: number
  unitId: number
  role: string
  title: string | null
}

/** Adds roles that are not held yet; the title of one that is held is brought up to date. */
export async function startRoles(db: Db, keys: RoleKey[], now: Date): Promise<void> {
  for (let from = 0; from < keys.length; from += 1000)
    await db
      .insert(roles)
      .values(keys.slice(from, from + 1000).map(key => ({ ...key, startedAt: now })))
      .onConflictDoUpdate({
        target: [roles.personId, roles.unitId, roles.role],
        targetWhere: sql`ended_at is null`,
        set: { title: sql`excluded.title` },
      })
}

/** The persons whose own rows an import has changed. */
export async function personsChangedBy(db: Db, importId: number): Promise<number[]> {
  const rows = await db
    .selectDistinct({ id: rosterPersonChanges.personId })
    .from(rosterPersonChanges)
    .where(eq(rosterPersonChanges.importId, importId))
  return rows.map(row => row.id)
}
