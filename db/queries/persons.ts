import { and, eq, inArray, isNull, like, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { persons, roles, units } from '../schema/index.ts'

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

export async function updatePerson(
  db: Db,
  id: number,
  set: Partial<typeof persons.$inferInsert>,
): Promise<void> {
  await db.update(persons).set(set).where(eq(persons.id, id))
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

export async function endRoles(db: Db, keys: RoleKey[], now: Date): Promise<void> {
  if (keys.length === 0) return
  await db.execute(sql`
    update roles r set ended_at = ${now.toISOString()}
    from unnest(${sql.param(keys.map(key => key.personId))}::bigint[], ${sql.param(keys.map(key => key.unitId))}::bigint[], ${sql.param(keys.map(key => key.role))}::text[])
      as t (person_id, unit_id, role)
    where r.person_id = t.person_id and r.unit_id = t.unit_id and r.role = t.role and r.ended_at is null`)
}
