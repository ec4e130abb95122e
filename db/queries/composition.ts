import { and, asc, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groups, units } from '../schema/index.ts'
import type { UnitRow } from './units.ts'

// What the reconcile asks about many units and groups at once. Persons come joined into one text for each unit or group,
// because a row for each of a million costs more than all the rest.

const bigints = (ids: readonly number[]) => sql`${sql.param([...ids])}::bigint[]`
const texts = (values: readonly string[]) => sql`${sql.param([...values])}::text[]`

/** The next units in the order of their ids. */
export function unitsAfter(db: Db, afterId: number, limit: number): Promise<UnitRow[]> {
  return db.select().from(units).where(gt(units.id, afterId)).orderBy(asc(units.id)).limit(limit)
}

export function unitsByIds(db: Db, ids: number[]): Promise<UnitRow[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db
    .select()
    .from(units)
    .where(sql`${units.id} = any(${bigints(ids)})`)
}

export interface BelowRow {
  rootId: number
  id: number
  kind: string
}

/** The units below each of `rootIds`: its children, or all of its subtree without itself. */
export async function unitsBelow(
  db: Db,
  rootIds: number[],
  depth: 'children' | 'descendants',
): Promise<BelowRow[]> {
  if (rootIds.length === 0) return []
  const rows = await db.execute<{ root_id: string; id: string; kind: string }>(
    depth === 'children'
      ? sql`select parent_id as root_id, id, kind from units where parent_id = any(${bigints(rootIds)}) order by code`
      : sql`
          with recursive below as (
            select parent_id as root_id, id, kind from units where parent_id = any(${bigints(rootIds)})
            union all
            select b.root_id, u.id, u.kind from units u join below b on u.parent_id = b.id
          )
          select root_id, id, kind from below`,
  )
  return rows.map(row => ({ rootId: Number(row.root_id), id: Number(row.id), kind: row.kind }))
}

/** Between persons, and between a person and their categories: no name or category holds them. */
const PERSON = '\u001e'
const CATEGORY = '\u001f'

export interface HoldersRow {
  unitId: number
  role: string
  persons: { personId: number; categories: string[] }[]
}

/**
 * Who holds a role in a unit today. Somebody with rows on the roster of that unit holds it only while one of them runs
 * (在岗, today between its days, both included); their categories are those of the running rows.
 * @param today `YYYY-MM-DD` in Asia/Shanghai
 * @param categories only those with a running row of one of these categories, by name; null: all
 */
export async function holdersInService(
  db: Db,
  unitIds: number[],
  roleIds: string[],
  today: string,
  categories: string[] | null = null,
): Promise<HoldersRow[]> {
  if (unitIds.length === 0 || roleIds.length === 0) return []
  const runs = sql`status = '在岗' and coalesce(starts_on, '0001-01-01') <= ${today}::date and coalesce(ends_on, '9999-12-31') >= ${today}::date`
  const rows = await db.execute<{ unit_id: string; role: string; persons: string }>(sql`
    with terms as (
      select unit_id, person_id, bool_or(${runs}) as is_running,
        string_agg(category, ${CATEGORY}) filter (where ${runs}) as categories
      from roster_entries where unit_id = any(${bigints(unitIds)}) and gone_import_id is null
        ${categories === null ? sql`` : sql`and category = any(${texts(categories)})`}
      group by 1, 2
    )
    select r.unit_id, r.role, string_agg(r.person_id || coalesce(${CATEGORY}::text || t.categories, ''), ${PERSON}) as persons
    from roles r ${categories === null ? sql`left join` : sql`join`} terms t on t.unit_id = r.unit_id and t.person_id = r.person_id
    where r.unit_id = any(${bigints(unitIds)}) and r.role = any(${texts(roleIds)}) and r.ended_at is null
      and t.is_running is not false
    group by 1, 2`)
  return rows.map(row => ({
    unitId: Number(row.unit_id),
    role: row.role,
    persons: row.persons.split(PERSON).map(each => {
      const [id, ...held] = each.split(CATEGORY)
      return { personId: Number(id), categories: held }
    }),
  }))
}

/** Who keeps long-term contact with each of these branches today, and of which office they are (1+100). */
export async function contactsOfBranches(
  db: Db,
  unitIds: number[],
  today: string,
): Promise<{ unitId: number; personId: number; officeId: number; role: string }[]> {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{ unit_id: string; person_id: string; office_id: string; role: string }>(sql`
    select c.unit_id, c.person_id, c.office_id, r.role
    from contacts c join roles r on r.person_id = c.person_id and r.unit_id = c.office_id and r.ended_at is null
    where c.unit_id = any(${bigints(unitIds)}) and c.since_on <= ${today}::date and c.until_on is null
    order by c.id, r.id`)
  return rows.map(row => ({
    unitId: Number(row.unit_id),
    personId: Number(row.person_id),
    officeId: Number(row.office_id),
    role: row.role,
  }))
}

/** Who of these offices has a branch of their own to keep in touch with, as `office person`. */
export async function officersWithBranch(db: Db, officeIds: number[]): Promise<Set<string>> {
  if (officeIds.length === 0) return new Set()
  const rows = await db.execute<{ office_id: string; person_id: string }>(sql`
    select distinct office_id, person_id from contacts
    where office_id = any(${bigints(officeIds)}) and until_on is null`)
  return new Set(rows.map(row => `${row.office_id} ${row.person_id}`))
}

/** The universities, as the roster writes them, of those who serve today in these units, with their categories. */
export async function universitiesOf(
  db: Db,
  unitIds: number[],
  today: string,
): Promise<{ unitId: number; university: string; category: string }[]> {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{ unit_id: string; university: string; category: string }>(sql`
    select distinct unit_id, university, category from roster_entries
    where unit_id = any(${bigints(unitIds)}) and gone_import_id is null and university is not null
      and category is not null and status = '在岗' and coalesce(starts_on, '0001-01-01') <= ${today}::date
      and coalesce(ends_on, '9999-12-31') >= ${today}::date`)
  return rows.map(row => ({
    unitId: Number(row.unit_id),
    university: row.university,
    category: row.category,
  }))
}

/** The units of these kinds in a programme, however they are placed. */
export function unitsOfKinds(
  db: Db,
  programme: string,
  kinds: string[],
): Promise<{ id: number; name: string; kind: string }[]> {
  return db
    .select({ id: units.id, name: units.name, kind: units.kind })
    .from(units)
    .where(and(sql`${units.programme} = ${programme}`, inArray(units.kind, kinds)))
}

export type CheckedGroup = Pick<
  typeof groups.$inferSelect,
  | 'id'
  | 'kind'
  | 'unitId'
  | 'name'
  | 'platform'
  | 'ownerId'
  | 'chatId'
  | 'capacity'
  | 'size'
  | 'createdAt'
  | 'membersReadAt'
  | 'membersReadBy'
>

/** The groups in use of these units. */
export function groupsOfUnits(db: Db, unitIds: number[]): Promise<CheckedGroup[]> {
  if (unitIds.length === 0) return Promise.resolve([])
  return db
    .select({
      id: groups.id,
      kind: groups.kind,
      unitId: groups.unitId,
      name: groups.name,
      platform: groups.platform,
      ownerId: groups.ownerId,
      chatId: groups.chatId,
      capacity: groups.capacity,
      size: groups.size,
      createdAt: groups.createdAt,
      membersReadAt: groups.membersReadAt,
      membersReadBy: groups.membersReadBy,
    })
    .from(groups)
    .where(and(sql`${groups.unitId} = any(${bigints(unitIds)})`, isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
}

/** The persons who are known to be in each of these groups. */
export async function personsInGroups(db: Db, groupIds: number[]): Promise<Map<number, number[]>> {
  if (groupIds.length === 0) return new Map()
  const rows = await db.execute<{ group_id: string; persons: string }>(sql`
    select group_id, string_agg(person_id::text, ' ') as persons from group_members
    where group_id = any(${bigints(groupIds)}) and left_at is null and person_id is not null group by 1`)
  return new Map(rows.map(row => [Number(row.group_id), row.persons.split(' ').map(Number)]))
}

/** Members of these groups whom nobody could be named for. */
export async function strangersInGroups(
  db: Db,
  groupIds: number[],
): Promise<{ groupId: number; address: string | null; nickname: string | null }[]> {
  if (groupIds.length === 0) return []
  const rows = await db.execute<{ group_id: string; address: string | null; nickname: string | null }>(sql`
    select group_id, address, nickname from group_members
    where group_id = any(${bigints(groupIds)}) and left_at is null and person_id is null order by id`)
  return rows.map(row => ({ groupId: Number(row.group_id), address: row.address, nickname: row.nickname }))
}

/**
 * Of these groups those whose owner has a role that runs today in their unit, above it or below it: `isInLine`, without
 * those whose terms there have all ended.
 */
export async function groupsWithStandingOwner(
  db: Db,
  groupIds: number[],
  today: string,
): Promise<Set<number>> {
  if (groupIds.length === 0) return new Set()
  const rows = await db.execute<{ id: string }>(sql`
    select g.id from groups g join units u on u.id = g.unit_id
    where g.id = any(${bigints(groupIds)}) and exists (
      select from roles r join units own on own.id = r.unit_id
      where r.person_id = g.owner_id and r.ended_at is null
        and (u.path like own.path || '%' or own.path like u.path || '%')
        and (select bool_or(e.status = '在岗' and coalesce(e.starts_on, '0001-01-01') <= ${today}::date
            and coalesce(e.ends_on, '9999-12-31') >= ${today}::date)
          from roster_entries e where e.unit_id = r.unit_id and e.person_id = r.person_id and e.gone_import_id is null
        ) is not false)`)
  return new Set(rows.map(row => Number(row.id)))
}

/** Whether anybody has ever been seen at an Official Account: without one nothing can be said of followers. */
export async function hasFollowers(db: Db): Promise<boolean> {
  const rows = await db.execute(sql`select from identities where channel = 'official-account' limit 1`)
  return rows.length > 0
}

/** Which of the persons have an account at the Official Account that follows it. */
export async function followersAmong(db: Db, personIds: number[]): Promise<Set<number>> {
  const found = new Set<number>()
  for (let from = 0; from < personIds.length; from += 20_000)
    for (const row of await db.execute<{ person_id: string }>(sql`
      select person_id from identities
      where channel = 'official-account' and is_reachable and person_id = any(${bigints(personIds.slice(from, from + 20_000))})`))
      found.add(Number(row.person_id))
  return found
}

/** How many groups of a kind the subtree of each unit has, itself included. */
export async function countGroupsUnder(
  db: Db,
  unitIds: number[],
  kind: string,
): Promise<Map<number, number>> {
  if (unitIds.length === 0) return new Map()
  const rows = await db.execute<{ root_id: string; count: number }>(sql`
    with recursive below as (
      select id as root_id, id from units where id = any(${bigints(unitIds)})
      union all
      select b.root_id, u.id from units u join below b on u.parent_id = b.id
    )
    select b.root_id, count(*)::int as count from below b
      join groups g on g.unit_id = b.id and g.kind = ${kind} and g.dissolved_at is null
    group by 1`)
  return new Map(rows.map(row => [Number(row.root_id), row.count]))
}

/** Which named managers (专人) still have a role in the unit that they manage, above it or below it, as unit ids. */
export async function unitsWithStandingManager(db: Db, unitIds: number[]): Promise<Set<number>> {
  if (unitIds.length === 0) return new Set()
  const rows = await db.execute<{ id: string }>(sql`
    select u.id from units u
    where u.id = any(${bigints(unitIds)}) and exists (
      select from roles r join units own on own.id = r.unit_id
      where r.person_id = u.manager_id and r.ended_at is null
        and (u.path like own.path || '%' or own.path like u.path || '%'))`)
  return new Set(rows.map(row => Number(row.id)))
}

/** Names of persons. */
export async function namesOfPersons(db: Db, personIds: number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (let from = 0; from < personIds.length; from += 20_000)
    for (const row of await db.execute<{ id: string; name: string }>(
      sql`select id, name from persons where id = any(${bigints(personIds.slice(from, from + 20_000))})`,
    ))
      found.set(Number(row.id), row.name)
  return found
}

/** 职务 of persons in units, as `unit person role`. */
export async function titlesOf(
  db: Db,
  keys: { personId: number; unitId: number }[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map()
  const rows = await db.execute<{ person_id: string; unit_id: string; role: string; title: string }>(sql`
    select r.person_id, r.unit_id, r.role, r.title from roles r
    join unnest(${bigints(keys.map(key => key.personId))}, ${bigints(keys.map(key => key.unitId))}) as t (person_id, unit_id)
      on r.person_id = t.person_id and r.unit_id = t.unit_id
    where r.ended_at is null and r.title is not null`)
  return new Map(rows.map(row => [`${row.unit_id} ${row.person_id} ${row.role}`, row.title]))
}
