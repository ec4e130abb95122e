import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { groupMembers, identities, persons, rosterEntries, rosterImports, units } from '../schema/index.ts'

export type RosterEntryRow = typeof rosterEntries.$inferSelect

/** The standing entries of units, with the person each is about. */
export async function entriesOfUnits(db: Db, unitIds: number[]) {
  if (unitIds.length === 0) return []
  return db
    .select({ entry: rosterEntries, person: persons })
    .from(rosterEntries)
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .where(
      and(
        sql`${rosterEntries.unitId} = any(${sql.param(unitIds)}::bigint[])`,
        isNull(rosterEntries.goneImportId),
      ),
    )
}

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

export async function insertEntries(db: Db, rows: (typeof rosterEntries.$inferInsert)[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1000)
    await db.insert(rosterEntries).values(rows.slice(from, from + 1000))
}

export async function endEntries(db: Db, ids: number[], importId: number): Promise<void> {
  for (let from = 0; from < ids.length; from += 5000)
    await db
      .update(rosterEntries)
      .set({ goneImportId: importId })
      .where(inArray(rosterEntries.id, ids.slice(from, from + 5000)))
}

/** What a join request's claims are looked up by; all are equality look-ups on indexes. */
export interface CandidateKeys {
  nameKeys: string[]
  soundKeys: string[]
  phoneIndexes: string[]
  idNumberIndexes: string[]
  idTailIndexes: string[]
}

/** Who is in scope of a group: whoever has a roster row below the path, and the persons named. */
export interface CandidateScope {
  path: string
  personIds: number[]
}

/** How many persons a request is compared with at most; the names of a whole text can match very many. */
const MAX_PERSONS = 300

/**
 * The persons of one programme that a join request may mean: in the group's scope those that share a name, its sound or
 * the end of an ID number with what was written; anywhere those with the phone or the ID number, or the end of it and
 * the name.
 */
export async function candidatePersons(
  db: Db,
  programme: string,
  keys: CandidateKeys,
  scope: CandidateScope,
): Promise<number[]> {
  const list = (column: PgColumn, values: string[]) =>
    values.length > 0 ? inArray(column, values) : sql`false`
  const inScope = or(
    sql`${units.path} like ${`${scope.path}%`}`,
    scope.personIds.length > 0 ? inArray(persons.id, scope.personIds) : sql`false`,
  )
  const rows = await db
    .selectDistinct({ id: persons.id })
    .from(persons)
    .innerJoin(rosterEntries, and(eq(rosterEntries.personId, persons.id), isNull(rosterEntries.goneImportId)))
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(
      and(
        eq(rosterEntries.programme, programme),
        or(
          list(persons.phoneIndex, keys.phoneIndexes),
          list(persons.idNumberIndex, keys.idNumberIndexes),
          and(
            list(persons.idTailIndex, keys.idTailIndexes),
            or(inScope, list(persons.nameKey, keys.nameKeys)),
          ),
          and(inScope, or(list(persons.nameKey, keys.nameKeys), list(persons.soundKey, keys.soundKeys))),
        ),
      ),
    )
    .limit(MAX_PERSONS)
  return rows.map(row => row.id)
}

/** All standing roster rows of these persons in a programme: an ended term and its extension belong together. */
export async function entriesOfPersons(db: Db, programme: string, personIds: number[]) {
  if (personIds.length === 0) return []
  return db
    .select({ entry: rosterEntries, person: persons, unitPath: units.path })
    .from(rosterEntries)
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(
      and(
        eq(rosterEntries.programme, programme),
        inArray(rosterEntries.personId, personIds),
        isNull(rosterEntries.goneImportId),
      ),
    )
    .orderBy(rosterEntries.id)
}

/** Which of the persons are in a group, with the accounts by which they are. */
export async function membershipsOf(db: Db, groupId: number, personIds: number[]) {
  if (personIds.length === 0) return []
  return db
    .select({ personId: groupMembers.personId, address: groupMembers.address })
    .from(groupMembers)
    .where(
      and(
        eq(groupMembers.groupId, groupId),
        inArray(groupMembers.personId, personIds),
        isNull(groupMembers.leftAt),
      ),
    )
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
