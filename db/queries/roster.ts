import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { identities, persons, rosterEntries, rosterImports, units } from '../schema/index.ts'

export type RosterEntryRow = typeof rosterEntries.$inferSelect

/** Persons that may be meant by rows of a file: the same ID number, or the same phone. */
export async function personsByIndexes(db: Db, idNumberIndexes: string[], phoneIndexes: string[]) {
  const found: (typeof persons.$inferSelect)[] = []
  for (let from = 0; from < Math.max(idNumberIndexes.length, phoneIndexes.length); from += 5000) {
    const either: SQL[] = []
    const idPart = idNumberIndexes.slice(from, from + 5000)
    const phonePart = phoneIndexes.slice(from, from + 5000)
    if (idPart.length > 0) either.push(inArray(persons.idNumberIndex, idPart))
    if (phonePart.length > 0) either.push(inArray(persons.phoneIndex, phonePart))
    found.push(
      ...(await db
        .select()
        .from(persons)
        .where(or(...either))),
    )
  }
  return found
}

export async function insertRosterImport(db: Db, row: typeof rosterImports.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(rosterImports).values(row).returning({ id: rosterImports.id })
  return inserted?.id as number
}

/** Lets one import of a programme be made or undone at a time, until the transaction ends. */
export async function lockRoster(db: Db, programme: string): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`roster:${programme}`}))`)
}

export type RosterImportRow = typeof rosterImports.$inferSelect & {
  unitName: string | null
  unitPath: string | null
  /** Who applied it; null: an operator on the command line. */
  personName: string | null
  undoneByName: string | null
}

function selectImports(db: Db) {
  const undoer = alias(persons, 'undoer')
  return db
    .select({
      row: rosterImports,
      unitName: units.name,
      unitPath: units.path,
      personName: persons.name,
      undoneByName: undoer.name,
    })
    .from(rosterImports)
    .leftJoin(units, eq(units.id, rosterImports.unitId))
    .leftJoin(persons, sql`${rosterImports.appliedBy} = 'person:' || ${persons.id}`)
    .leftJoin(undoer, eq(undoer.id, rosterImports.undoneBy))
}

const flatImport = ({
  row,
  ...rest
}: Awaited<ReturnType<typeof selectImports>>[number]): RosterImportRow => ({ ...row, ...rest })

export async function rosterImportById(db: Db, id: number): Promise<RosterImportRow | null> {
  const [row] = await selectImports(db).where(eq(rosterImports.id, id))
  return row ? flatImport(row) : null
}

/** The imports that units below one of the paths have made, the newest first. */
export async function importsUnder(
  db: Db,
  paths: string[],
  limit: number,
  offset: number,
): Promise<RosterImportRow[]> {
  const rows = await selectImports(db)
    .where(below(paths))
    .orderBy(sql`${rosterImports.id} desc`)
    .limit(limit)
    .offset(offset)
  return rows.map(flatImport)
}

/** Units below one of the paths, themselves included. */
function below(paths: string[]): SQL {
  return sql`${units.path} like any (${sql.param(paths.map(path => `${path}%`))}::text[])`
}

/** Whose name was taken since: nothing puts them on the roster again. */
const isErased = (person: SQL) =>
  sql`exists (select from erasures x where x.person_id = ${person} and jsonb_exists(x.kinds, 'name'))`

/** The number of the last erasure; 0: there was none. */
export async function lastErasure(db: Db): Promise<number> {
  const [row] = await db.execute<{ last: string }>(sql`select coalesce(max(id), 0) as last from erasures`)
  return Number(row?.last ?? 0)
}

/**
 * Whether anybody was erased since who stands or stood in a unit below the path (in the programme, where there is
 * none), and whom a file that was read before may bring back.
 * @param last the number of the last erasure before
 */
export async function isErasedSince(
  db: Db,
  last: number,
  programme: string,
  path: string | null,
): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(sql`
    select exists (
      select from erasures x join (
        select person_id, unit_id from roles union all select person_id, unit_id from roster_entries
      ) place on place.person_id = x.person_id
      join units u on u.id = place.unit_id
      where x.id > ${last} and u.programme = ${programme}
        and (${path}::text is null or starts_with(u.path, ${path}::text))
    ) as found`)
  return row?.found ?? false
}

/** The roles that the entries say which an import has brought or closed. */
export async function rolesOfImport(
  db: Db,
  importId: number,
): Promise<{ personId: number; unitId: number; role: string }[]> {
  const rows = await db.execute<{ person_id: string; unit_id: string; role: string }>(sql`
    select person_id, unit_id, role from roster_entries where import_id = ${importId}
    union select person_id, unit_id, role from roster_entries where gone_import_id = ${importId}`)
  return rows.map(row => ({
    personId: Number(row.person_id),
    unitId: Number(row.unit_id),
    role: row.role,
  }))
}

/** A later import that stands and has touched a unit or a person of this one, the latest first. */
export async function importAfter(
  db: Db,
  importId: number,
): Promise<{ appliedAt: Date; unitName: string | null } | null> {
  const [row] = await db.execute<{ applied_at: string; unit_name: string | null }>(sql`
    with touched as (
      select import_id as id, unit_id from roster_entries where import_id >= ${importId}
      union select gone_import_id, unit_id from roster_entries where gone_import_id >= ${importId}
    )
    select i.applied_at, u.name as unit_name from roster_imports i left join units u on u.id = i.unit_id
    where i.id > ${importId} and i.undone_at is null and (
      i.id in (select id from touched where unit_id in (select unit_id from touched where id = ${importId}))
      or i.id in (select later.import_id from roster_person_changes later
        join roster_person_changes own on own.person_id = later.person_id and own.import_id = ${importId}))
    order by i.id desc limit 1`)
  return row ? { appliedAt: new Date(row.applied_at), unitName: row.unit_name } : null
}

/** Closes what an import had brought, and lets what it had closed stand again, but for persons erased since. */
export async function turnEntriesBack(db: Db, importId: number): Promise<void> {
  await db.execute(sql`
    update roster_entries set gone_import_id = ${importId} where import_id = ${importId} and gone_import_id is null`)
  await db.execute(sql`
    update roster_entries set gone_import_id = null where gone_import_id = ${importId} and import_id <> ${importId}
      and not ${isErased(sql`person_id`)}`)
}

export async function noteImportUndone(db: Db, importId: number, personId: number, now: Date): Promise<void> {
  await db
    .update(rosterImports)
    .set({ undoneAt: now, undoneBy: personId })
    .where(eq(rosterImports.id, importId))
}

/** What of the roster is asked for. `paths` is what the asking person runs; the rest narrows it down. */
export interface RosterFilter {
  paths: string[]
  nameKey?: string
  /** Of one phone or ID number, under every key. */
  phoneIndexes?: string[]
  idNumberIndexes?: string[]
  status?: string
}

function rosterWhere({ paths, nameKey, phoneIndexes, idNumberIndexes, status }: RosterFilter) {
  const who = [
    nameKey === undefined ? undefined : sql`position(${nameKey} in name_key) > 0`,
    phoneIndexes === undefined ? undefined : sql`phone_index = any(${sql.param(phoneIndexes)}::text[])`,
    idNumberIndexes === undefined
      ? undefined
      : sql`id_number_index = any(${sql.param(idNumberIndexes)}::text[])`,
  ].filter(each => each !== undefined)
  return and(
    isNull(rosterEntries.goneImportId),
    below(paths),
    status === undefined ? undefined : eq(rosterEntries.status, status),
    // persons are wide rows: they are only read where they are asked about
    who.length === 0
      ? undefined
      : sql`${rosterEntries.personId} in (select id from ${persons} where ${and(...who)})`,
  )
}

/** A page of the standing roster, by unit. */
export function rosterPage(db: Db, filter: RosterFilter, limit: number, offset: number) {
  const shown = db
    .select({ id: rosterEntries.id })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(rosterWhere(filter))
    .orderBy(units.code, rosterEntries.id)
    .limit(limit)
    .offset(offset)
    .as('shown')
  return db
    .select({
      entry: rosterEntries,
      name: persons.name,
      phoneSealed: persons.phoneSealed,
      unitName: units.name,
    })
    .from(shown)
    .innerJoin(rosterEntries, eq(rosterEntries.id, shown.id))
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .orderBy(units.code, rosterEntries.id)
}

/** How many rows of the standing roster there are of each status. */
export async function rosterCounts(db: Db, filter: RosterFilter): Promise<Map<string, number>> {
  const rows = await db
    .select({ status: rosterEntries.status, count: sql<number>`count(*)::int` })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(rosterWhere(filter))
    .groupBy(rosterEntries.status)
  return new Map(rows.map(row => [row.status, row.count]))
}

/** The first entries that an import has brought (`import`) or closed (`gone`), with their persons and units. */
export function linesOfImport(db: Db, importId: number, which: 'import' | 'gone', limit: number) {
  return db
    .select({ entry: rosterEntries, name: persons.name, unitName: units.name })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .where(
      which === 'import'
        ? eq(rosterEntries.importId, importId)
        : and(eq(rosterEntries.goneImportId, importId), sql`${rosterEntries.importId} <> ${importId}`),
    )
    .orderBy(rosterEntries.id)
    .limit(limit)
}

/** Which of the persons already have an account on a channel, and which one. */
export async function accountsOf(db: Db, channel: string, personIds: number[]) {
  if (personIds.length === 0) return []
  return db
    .select({ personId: identities.personId, identityId: identities.id })
    .from(identities)
    .where(
      and(
        eq(identities.channel, channel),
        sql`${identities.personId} = any(${sql.param(personIds)}::bigint[])`,
      ),
    )
}

export interface OpenRegistration {
  identityId: number
  /** null: the account is not bound; a person is made and the account bound to them. */
  personId: number | null
  name: string
  nameKey: string
  soundKey: string
  unitId: number
  groupId: number
  residence: string
  occupation: string
  now: Date
}

/**
 * Somebody registers in an open group: person, binding, registration and membership in one statement, because tens of
 * thousands do it within days. Done again it changes what they are and where, not when they first came.
 */
export async function registerInOpenGroup(db: Db, row: OpenRegistration): Promise<void> {
  const now = row.now.toISOString()
  await db.execute(sql`
    with fresh as (
      insert into persons (name, name_key, sound_key, created_at)
      select ${row.name}, ${row.nameKey}, ${row.soundKey}, ${now}::timestamptz where ${row.personId}::bigint is null
      returning id
    ), who as (
      select coalesce(${row.personId}::bigint, (select id from fresh)) as id
    ), bound as (
      update identities set person_id = fresh.id, bound_by = 'registration', bound_at = ${now}::timestamptz
      from fresh where identities.id = ${row.identityId}
    ), registered as (
      insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
      select who.id, ${row.unitId}::bigint, ${row.groupId}::bigint, ${row.residence}, ${row.occupation}, ${now}::timestamptz from who
      on conflict (person_id) do update set residence = excluded.residence, occupation = excluded.occupation,
        unit_id = excluded.unit_id, group_id = excluded.group_id
    )
    insert into group_members (group_id, person_id, known_by, joined_at)
    select ${row.groupId}::bigint, who.id, 'registration', ${now}::timestamptz from who
    on conflict do nothing`)
}
