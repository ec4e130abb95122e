import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

// What the summaries of the matrix count (xibu 附件2, 附件3, shaoxiandui 附件2): units, people and groups as they stood at a
// moment. Nothing here reads row by row: a province is a few statements, however many units it has.

/** The last moment that counts: everything is as it stood just before `end`, on `day` (`YYYY-MM-DD`, Asia/Shanghai). */
export interface StandsAt {
  end: Date
  day: string
}

const texts = (values: readonly string[]) => sql`${sql.param([...values])}::text[]`
const moment = ({ end }: StandsAt) => sql`${end.toISOString()}::timestamptz`
const below = (path: string) => sql`u.path like ${`${path}%`}`

/** Of `g` (a group): that it stood. One that was moved stands where it is led now: no history of the moves is kept. */
const stood = (at: StandsAt) =>
  sql`g.created_at < ${moment(at)} and (g.dissolved_at is null or g.dissolved_at >= ${moment(at)})`

/** Of `e` (an entry): that it ran on the day. */
const runs = ({ day }: StandsAt) =>
  sql`e.status = '在岗' and coalesce(e.starts_on, '0001-01-01') <= ${day}::date and coalesce(e.ends_on, '9999-12-31') >= ${day}::date`

export interface FormUnit {
  id: number
  code: string
  name: string
  kind: string
  level: string
  path: string
  parentId: number | null
  createdAt: Date
}

/** The units of these kinds in a subtree; of these levels only, where some are given. */
export async function formUnits(
  db: Db,
  path: string,
  kinds: readonly string[],
  levels: readonly string[] | null = null,
): Promise<FormUnit[]> {
  const rows = await db.execute<{
    id: string
    code: string
    name: string
    kind: string
    level: string
    path: string
    parent_id: string | null
    created_at: string
  }>(sql`
    select u.id, u.code, u.name, u.kind, u.level, u.path, u.parent_id, u.created_at from units u
    where ${below(path)} and u.kind = any(${texts(kinds)})
      ${levels === null ? sql`` : sql`and u.level = any(${texts(levels)})`}`)
  return rows.map(row => ({
    id: Number(row.id),
    code: row.code,
    name: row.name,
    kind: row.kind,
    level: row.level,
    path: row.path,
    parentId: row.parent_id === null ? null : Number(row.parent_id),
    createdAt: new Date(row.created_at),
  }))
}

const entryColumns = sql.raw(
  ['id', 'unit_id', 'person_id', 'role', 'title', 'category', 'status', 'starts_on', 'ends_on', 'import_id']
    .map(column => `e.${column}`)
    .join(', '),
)

/**
 * The entries of the units of a kind in a subtree that no import of then or before had taken away; one that was undone has
 * brought nothing. In two parts, for each has an index of its own: those that stand, and those that went later.
 */
const standing = (path: string, kind: string, at: StandsAt): SQL => sql`
  select ${entryColumns} from units u join roster_entries e on e.unit_id = u.id and e.gone_import_id is null
  where ${below(path)} and u.kind = ${kind}
  union all
  select ${entryColumns} from roster_imports gone join roster_entries e on e.gone_import_id = gone.id
  join units u on u.id = e.unit_id
  where gone.applied_at >= ${moment(at)} and e.import_id <> gone.id and ${below(path)} and u.kind = ${kind}`

/**
 * Of `e` (an entry that stood) and `brought` (the import that brought it): that it was the word of then.
 *
 * An entry counts from the day that it names, also where the import that brought it came later: what a late file says of
 * the past is known now. But where somebody had an entry already, it was that one that counted until it was changed: a
 * move to another branch is no move before its import.
 */
const wasWord = (kind: string, at: StandsAt): SQL => sql`(brought.applied_at < ${moment(at)} or not exists (
  select from roster_entries o join units ou on ou.id = o.unit_id and ou.kind = ${kind}
  join roster_imports earlier on earlier.id = o.import_id left join roster_imports closed on closed.id = o.gone_import_id
  where o.person_id = e.person_id and o.id <> e.id and earlier.applied_at < brought.applied_at
    and o.gone_import_id is distinct from o.import_id
    and (closed.applied_at is null or closed.applied_at >= ${moment(at)})))`

/** The entries of the units of a kind in a subtree by which people were in service. */
const running = (path: string, kind: string, at: StandsAt): SQL => sql`
  select ${entryColumns} from (${standing(path, kind, at)}) e join roster_imports brought on brought.id = e.import_id
  where ${runs(at)} and ${wasWord(kind, at)}`

/** How many people each unit of a kind in a subtree has in service; a unit with nobody is left out. */
export async function peopleInService(
  db: Db,
  path: string,
  kind: string,
  at: StandsAt,
): Promise<Map<number, number>> {
  const rows = await db.execute<{ unit_id: string; people: number }>(sql`
    select unit_id, count(distinct person_id)::int as people from (${running(path, kind, at)}) r group by 1`)
  return new Map(rows.map(row => [Number(row.unit_id), row.people]))
}

export interface FormHolder {
  unitId: number
  personId: number
  name: string
  /** 职务 as the roster has it. */
  title: string | null
  phoneSealed: string | null
  wechatSealed: string | null
}

/**
 * Who held one of the roles in the units of a kind in a subtree, each person once a unit, those first who are longest
 * known. Somebody with entries on the roster of that unit held it only while one of them ran (as `holdersInService`).
 */
export async function formHolders(
  db: Db,
  path: string,
  { kind, roles }: { kind: string; roles: readonly string[] },
  at: StandsAt,
): Promise<FormHolder[]> {
  const rows = await db.execute<{
    unit_id: string
    person_id: string
    name: string
    title: string | null
    phone_sealed: string | null
    wechat_sealed: string | null
  }>(sql`
    with standing as materialized (${standing(path, kind, at)}), running as materialized (
      select ${entryColumns} from standing e join roster_imports brought on brought.id = e.import_id
      where ${runs(at)} and ${wasWord(kind, at)}
    ), held as (
      select unit_id, person_id, title from running where role = any(${texts(roles)})
      union all
      select r.unit_id, r.person_id, r.title from units u join roles r on r.unit_id = u.id
      where ${below(path)} and u.kind = ${kind} and r.role = any(${texts(roles)}) and r.started_at < ${moment(at)}
        and (r.ended_at is null or r.ended_at >= ${moment(at)})
        and (exists (select from running t where t.unit_id = r.unit_id and t.person_id = r.person_id)
          or not exists (select from standing e join roster_imports brought on brought.id = e.import_id
            where e.unit_id = r.unit_id and e.person_id = r.person_id and brought.applied_at < ${moment(at)}))
    )
    select h.unit_id, h.person_id, p.name, min(h.title) as title, p.phone_sealed, p.wechat_sealed
    from held h join persons p on p.id = h.person_id
    group by 1, 2, p.id order by 2`)
  return rows.map(row => ({
    unitId: Number(row.unit_id),
    personId: Number(row.person_id),
    name: row.name,
    title: row.title,
    phoneSealed: row.phone_sealed,
    wechatSealed: row.wechat_sealed,
  }))
}

export interface FormGroup {
  id: number
  kind: string
  unitId: number
  name: string
  /** How many members the owner or the platform last said. */
  size: number
  ownerName: string | null
  ownerPhoneSealed: string | null
}

/** The groups that stood, with their owner of now: those of these kinds in a subtree, or all that a unit leads itself. */
export async function formGroups(
  db: Db,
  of: { path: string; kinds: readonly string[] } | { unitId: number },
  at: StandsAt,
): Promise<FormGroup[]> {
  const rows = await db.execute<{
    id: string
    kind: string
    unit_id: string
    name: string
    size: number
    owner: string | null
    phone_sealed: string | null
  }>(sql`
    select g.id, g.kind, g.unit_id, g.name, g.size, p.name as owner, p.phone_sealed
    from units u join groups g on g.unit_id = u.id left join persons p on p.id = g.owner_id
    where ${'unitId' in of ? sql`u.id = ${of.unitId}` : sql`${below(of.path)} and g.kind = any(${texts(of.kinds)})`}
      and ${stood(at)} order by g.id`)
  return rows.map(row => ({
    id: Number(row.id),
    kind: row.kind,
    unitId: Number(row.unit_id),
    name: row.name,
    size: row.size,
    ownerName: row.owner,
    ownerPhoneSealed: row.phone_sealed,
  }))
}

export interface GroupTotal {
  groups: number
  /** 联系人数: the members of all of them; somebody in two groups is in both. */
  people: number
}

/** How many groups of which size the units of each level in a subtree lead. */
export async function groupTotals(db: Db, path: string, at: StandsAt): Promise<Map<string, GroupTotal>> {
  const rows = await db.execute<{ level: string; groups: number; people: string }>(sql`
    select u.level, count(*)::int as groups, sum(g.size) as people
    from units u join groups g on g.unit_id = u.id where ${below(path)} and ${stood(at)} group by 1`)
  return new Map(rows.map(row => [row.level, { groups: row.groups, people: Number(row.people) }]))
}

// The matrix diagram (框架图). A unit is drawn by itself, or as one of many under the nearest unit above it that is (its head).

/** A unit that is drawn by itself. */
export interface Head {
  id: number
  path: string
}

/** The head of `u`: the nearest of the heads on its path, itself included. */
function headOf(heads: readonly Head[]): SQL {
  const nearestFirst = [...heads].sort((a, b) => b.path.length - a.path.length)
  const cases = nearestFirst.map(({ id, path }) => sql`when u.path like ${`${path}%`} then ${id}::bigint`)
  return sql`case ${sql.join(cases, sql` `)} end`
}

/** How many units each level of a subtree has, by kind; those that were made by then. */
export async function unitCounts(
  db: Db,
  path: string,
  kinds: readonly string[],
  at: StandsAt,
): Promise<{ level: string; kind: string; units: number }[]> {
  return [
    ...(await db.execute<{ level: string; kind: string; units: number }>(sql`
      select u.level, u.kind, count(*)::int as units from units u
      where ${below(path)} and u.kind = any(${texts(kinds)}) and u.created_at < ${moment(at)} group by 1, 2`)),
  ]
}

export interface UnitsUnderHead {
  headId: number
  unitKind: string
  units: number
  /** Of the one, where there is one only. */
  name: string
}

export interface GroupsUnderHead {
  headId: number
  unitKind: string
  groupKind: string
  /** Units that have such a group. */
  units: number
  groups: number
  people: number
}

/** That every unit of a kind is to have a group of a kind. */
export interface RequiredGroup {
  unitKind: string
  groupKind: string
}

export interface MissingGroups extends RequiredGroup {
  headId: number
  units: number
  /** What the first of them are called. */
  names: string[]
}

/** How many units are named where a required group is missing. */
const NAMED = 3

/**
 * The matrix below a unit, by head and kind of unit: how many units there are, which groups they have, and how many lack
 * one that each is to have. One statement, that reads the groups once.
 */
export async function matrixUnderHeads(
  db: Db,
  path: string,
  {
    heads,
    kinds,
    required,
  }: { heads: readonly Head[]; kinds: readonly string[]; required: readonly RequiredGroup[] },
  at: StandsAt,
): Promise<{ groups: GroupsUnderHead[]; units: UnitsUnderHead[]; missing: MissingGroups[] }> {
  const rows = await db.execute<{
    what: 'groups' | 'units' | 'missing'
    head: string
    unit_kind: string
    group_kind: string
    units: number
    groups: number
    people: string
    names: string[]
  }>(sql`
    with drawn as materialized (
      select u.id, u.kind, u.name, u.code, ${headOf(heads)} as head from units u
      where ${below(path)} and u.kind = any(${texts(kinds)}) and u.created_at < ${moment(at)}
    ), held as materialized (
      select g.unit_id, g.kind, count(*)::int as groups, sum(g.size) as people from drawn d join groups g on g.unit_id = d.id
      where ${stood(at)} group by 1, 2
    )
    select 'groups' as what, d.head, d.kind as unit_kind, h.kind as group_kind, count(*)::int as units,
      sum(h.groups)::int as groups, sum(h.people) as people, '{}'::text[] as names
    from drawn d join held h on h.unit_id = d.id group by 2, 3, 4
    union all
    select 'units', head, kind, '', count(*)::int, 0, 0, array[min(name)] from drawn group by 2, 3
    union all
    select 'missing', d.head, d.kind, r.group_kind, count(*)::int, 0, 0, (array_agg(d.name order by d.code))[1:${NAMED}]
    from unnest(${texts(required.map(each => each.unitKind))}, ${texts(required.map(each => each.groupKind))})
      as r (unit_kind, group_kind)
    join drawn d on d.kind = r.unit_kind left join held h on h.unit_id = d.id and h.kind = r.group_kind
    where h.unit_id is null group by 2, 3, 4`)
  const of = (what: 'groups' | 'units' | 'missing') =>
    rows
      .filter(row => row.what === what)
      .map(row => ({
        headId: Number(row.head),
        unitKind: row.unit_kind,
        groupKind: row.group_kind,
        units: row.units,
        groups: row.groups,
        people: Number(row.people),
        name: row.names[0] ?? '',
        names: row.names,
      }))
  return { groups: of('groups'), units: of('units'), missing: of('missing') }
}

/** The names of groups of which their unit has one of the kind only. */
export async function namesOfSingleGroups(
  db: Db,
  unitIds: readonly number[],
  at: StandsAt,
): Promise<{ unitId: number; kind: string; name: string }[]> {
  const rows = await db.execute<{ unit_id: string; kind: string; name: string }>(sql`
    select g.unit_id, g.kind, min(g.name) as name from groups g
    where g.unit_id = any(${sql.param([...unitIds])}::bigint[]) and ${stood(at)} group by 1, 2 having count(*) = 1`)
  return rows.map(row => ({ unitId: Number(row.unit_id), kind: row.kind, name: row.name }))
}

/**
 * The units without a group that they are to have because units of `below` in them have people of a category in service
 * (研究生支教团), by head.
 */
export async function missingForCategories(
  db: Db,
  path: string,
  heads: readonly Head[],
  {
    unitKind,
    groupKind,
    below: kindBelow,
    categories,
  }: RequiredGroup & { below: string; categories: readonly string[] },
  at: StandsAt,
): Promise<MissingGroups[]> {
  // below a unit: between its path and what comes behind all that begin with it, so that the index of paths is used
  const serves = sql`b.path ~>=~ l.path and b.path ~<~ (l.path || 'a') and b.kind = ${kindBelow}
    and e.category = any(${texts(categories)}) and ${runs(at)} and ${wasWord(kindBelow, at)}`
  const rows = await db.execute<{ head: string; units: number; names: string[] }>(sql`
    with lacking as materialized (
      select u.id, u.path, u.name, u.code, ${headOf(heads)} as head from units u
      where ${below(path)} and u.kind = ${unitKind} and u.created_at < ${moment(at)}
        and not exists (select from groups g where g.unit_id = u.id and g.kind = ${groupKind} and ${stood(at)})
    )
    select l.head, count(*)::int as units, (array_agg(l.name order by l.code))[1:${NAMED}] as names from lacking l
    where exists (
      select from units b join roster_entries e on e.unit_id = b.id and e.gone_import_id is null
      join roster_imports brought on brought.id = e.import_id where ${serves}
    ) or exists (
      select from roster_imports gone join roster_entries e on e.gone_import_id = gone.id and e.import_id <> gone.id
      join units b on b.id = e.unit_id join roster_imports brought on brought.id = e.import_id
      where gone.applied_at >= ${moment(at)} and ${serves}
    ) group by 1`)
  return rows.map(row => ({
    headId: Number(row.head),
    unitKind,
    groupKind,
    units: row.units,
    names: row.names,
  }))
}

/** The units that have, with all below them, fewer groups of a kind than they are to have, by head. */
export async function unitsWithTooFew(
  db: Db,
  path: string,
  heads: readonly Head[],
  { unitKind, groupKind, atLeast }: RequiredGroup & { atLeast: number },
  at: StandsAt,
): Promise<MissingGroups[]> {
  const rows = await db.execute<{ head: string; units: number; names: string[] }>(sql`
    with held as (
      select u.id, u.path, count(*) as groups from units u join groups g on g.unit_id = u.id
      where ${below(path)} and g.kind = ${groupKind} and ${stood(at)} group by u.id
    ), counted as (
      select a.id, sum(h.groups) as groups from held h
      cross join lateral unnest(string_to_array(trim(both '/' from h.path), '/')::bigint[]) as a (id) group by 1
    )
    select ${headOf(heads)} as head, count(*)::int as units, (array_agg(u.name order by u.code))[1:${NAMED}] as names
    from units u left join counted c on c.id = u.id
    where ${below(path)} and u.kind = ${unitKind} and u.created_at < ${moment(at)}
      and coalesce(c.groups, 0) < ${atLeast}
    group by 1`)
  return rows.map(row => ({
    headId: Number(row.head),
    unitKind,
    groupKind,
    units: row.units,
    names: row.names,
  }))
}
