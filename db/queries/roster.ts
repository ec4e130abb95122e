import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  groupMembers,
  identities,
  persons,
  registrations,
  rosterEntries,
  rosterImports,
  units,
} from '../schema/index.ts'

export type RosterEntryRow = typeof rosterEntries.$inferSelect

/** The standing entries of units, with the person each is about. */
export async function entriesOfUnits(db: Db, unitIds: number[]) {
  if (unitIds.length === 0) return []
  return db
    .select({ entry: rosterEntries, person: persons })
    .from(rosterEntries)
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .where(and(inArray(rosterEntries.unitId, unitIds), isNull(rosterEntries.goneImportId)))
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
  wechatIndexes: string[]
}

/** How many roster rows a request is compared with at most; sound keys alone can match very many. */
const MAX_CANDIDATES = 400

/**
 * The roster rows of one programme that a join request may mean: those that share a name, its sound, a phone, an ID
 * number or a WeChat id with what was written.
 * @param scopePath unit path of the group: rows below it are in scope, and come first
 */
export async function rosterCandidates(db: Db, programme: string, keys: CandidateKeys, scopePath: string) {
  const either: SQL[] = []
  if (keys.nameKeys.length > 0) either.push(inArray(persons.nameKey, keys.nameKeys))
  if (keys.soundKeys.length > 0) either.push(inArray(persons.soundKey, keys.soundKeys))
  if (keys.phoneIndexes.length > 0) either.push(inArray(persons.phoneIndex, keys.phoneIndexes))
  if (keys.idNumberIndexes.length > 0) either.push(inArray(persons.idNumberIndex, keys.idNumberIndexes))
  if (keys.idTailIndexes.length > 0) either.push(inArray(persons.idTailIndex, keys.idTailIndexes))
  if (keys.wechatIndexes.length > 0) either.push(inArray(persons.wechatIndex, keys.wechatIndexes))
  if (either.length === 0) return []
  return db
    .select({ entry: rosterEntries, person: persons, unitPath: units.path })
    .from(persons)
    .innerJoin(rosterEntries, and(eq(rosterEntries.personId, persons.id), isNull(rosterEntries.goneImportId)))
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(and(eq(rosterEntries.programme, programme), or(...either)))
    .orderBy(sql`${units.path} like ${`${scopePath}%`} desc`, rosterEntries.id)
    .limit(MAX_CANDIDATES)
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
    .where(and(eq(identities.channel, channel), inArray(identities.personId, personIds)))
}

/** Somebody registered in an open group. Done again, it changes what they are but not when they first came. */
export async function upsertRegistration(db: Db, row: typeof registrations.$inferInsert): Promise<void> {
  await db
    .insert(registrations)
    .values(row)
    .onConflictDoUpdate({
      target: registrations.personId,
      set: { residence: row.residence, occupation: row.occupation, unitId: row.unitId, groupId: row.groupId },
    })
}
