import { and, eq, inArray, like, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { compiled } from '../compiled.ts'
import { persons, roles, units } from '../schema/index.ts'
import { carryRecordCounts } from './record-counts.ts'

export type UnitRow = typeof units.$inferSelect

const selectById = compiled<UnitRow[]>(db =>
  db
    .select()
    .from(units)
    .where(eq(units.id, sql.placeholder('id'))),
)

export async function unitById(db: Db, id: number): Promise<UnitRow | null> {
  const [row] = await selectById(db, { id })
  return row ?? null
}

export async function unitByCode(db: Db, programme: string, code: string): Promise<UnitRow | null> {
  const [row] = await db
    .select()
    .from(units)
    .where(and(eq(units.programme, programme), eq(units.code, code)))
  return row ?? null
}

/** A unit and all below it. @param path the unit's `path` */
export function unitsUnder(db: Db, path: string): Promise<UnitRow[]> {
  return db
    .select()
    .from(units)
    .where(like(units.path, `${path}%`))
    .orderBy(units.code)
}

export function unitsOfProgramme(db: Db, programme: string): Promise<UnitRow[]> {
  return db.select().from(units).where(eq(units.programme, programme)).orderBy(units.code)
}

export function childUnits(db: Db, parentId: number): Promise<UnitRow[]> {
  return db.select().from(units).where(eq(units.parentId, parentId)).orderBy(units.code)
}

/** Units of a subtree whose name contains `name`, the nearest to the top first. */
export function unitsNamed(db: Db, path: string, name: string): Promise<UnitRow[]> {
  return db
    .select()
    .from(units)
    .where(and(like(units.path, `${path}%`), sql`position(${name} in ${units.name}) > 0`))
    .orderBy(sql`length(${units.path})`, units.code)
    .limit(20)
}

export async function insertUnits(
  db: Db,
  rows: Omit<typeof units.$inferInsert, 'path'>[],
): Promise<{ id: number; code: string }[]> {
  const inserted: { id: number; code: string }[] = []
  for (let from = 0; from < rows.length; from += 1000)
    inserted.push(
      ...(await db
        .insert(units)
        .values(rows.slice(from, from + 1000).map(row => ({ ...row, path: '' })))
        .returning({ id: units.id, code: units.code })),
    )
  return inserted
}

/** Sets parents and writes every path anew, level by level. @param parents code of a unit → code of its parent */
export async function placeUnits(
  db: Db,
  programme: string,
  parents: Map<string, string | null>,
): Promise<void> {
  const entries = [...parents].filter(([, parent]) => parent !== null)
  if (entries.length > 0) {
    await db.execute(sql`
      update units u set parent_id = p.id
      from unnest(${sql.param(entries.map(([code]) => code))}::text[], ${sql.param(entries.map(([, parent]) => parent))}::text[]) as t (code, parent)
      join units p on p.programme = ${programme} and p.code = t.parent
      where u.programme = ${programme} and u.code = t.code`)
  }
  const tree = sql`tree as (
      select id, '/' || id || '/' as path from units where programme = ${programme} and parent_id is null
      union all
      select u.id, t.path || u.id || '/' from units u join tree t on u.parent_id = t.id
    )`
  // a unit that is new has no path yet and has counted nothing
  const moved = sql`select u.id, u.path as before, t.path as after from units u join tree t on t.id = u.id
    where u.path <> t.path and u.path <> ''`
  const [hasMoved] = await db.execute(sql`with recursive ${tree} ${moved} limit 1`)
  if (hasMoved) await carryRecordCounts(db, tree, moved)
  await db.execute(sql`
    with recursive ${tree} update units u set path = t.path from tree t where u.id = t.id and u.path <> t.path`)
}

export async function setManager(db: Db, unitId: number, personId: number) {
  await db.update(units).set({ managerId: personId }).where(eq(units.id, unitId))
}

/** Persons who hold one of `roleIds` in one of the units, now. */
export async function roleHolders(db: Db, unitIds: number[], roleIds: string[]) {
  if (unitIds.length === 0 || roleIds.length === 0) return []
  return db
    .select({
      personId: roles.personId,
      name: persons.name,
      unitId: roles.unitId,
      role: roles.role,
      title: roles.title,
    })
    .from(roles)
    .innerJoin(persons, eq(persons.id, roles.personId))
    .where(and(inArray(roles.unitId, unitIds), inArray(roles.role, roleIds), sql`${roles.endedAt} is null`))
    .orderBy(roles.id)
}

/** Everybody with a role in a unit now, those first who came first. */
export function holdersOf(db: Db, unitId: number) {
  return db
    .select({ personId: roles.personId, name: persons.name, role: roles.role, title: roles.title })
    .from(roles)
    .innerJoin(persons, eq(persons.id, roles.personId))
    .where(and(eq(roles.unitId, unitId), sql`${roles.endedAt} is null`))
    .orderBy(roles.id)
    .limit(500)
}

/** A unit and all above it, from the top downwards. @param path the unit's path */
export function unitsAbove(db: Db, path: string): Promise<UnitRow[]> {
  const ids = path.split('/').filter(Boolean).map(Number)
  return db.select().from(units).where(inArray(units.id, ids)).orderBy(sql`length(${units.path})`)
}
