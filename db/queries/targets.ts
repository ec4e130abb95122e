import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { ContactScope } from './contacts.ts'
import { type InsuranceColumns, insuranceCells, insuranceOf, insuranceWords } from './roster-cells.ts'

/**
 * What is measured, of which units. Every measure is one statement over all of them that adds rows up by unit first and then
 * says by the unit's path whose they are: it holds for a nation of groups.
 */
export interface TargetScope {
  programme: string
  /** The units of these paths and all below. */
  paths: string[]
  /** Kinds of units that the target concerns. */
  unitKinds: string[]
}

/** So many there are, and so many are wanted; `wanted` is null where the data do not say. */
export interface TargetRow {
  unitId: number
  unitName: string
  parentName: string | null
  actual: number
  wanted: number | null
}

export interface TargetCounts {
  units: number
  met: number
  unknown: number
}

const texts = (values: readonly string[]) => sql`${sql.param([...values])}::text[]`
const concerned = ({ programme, paths, unitKinds }: TargetScope): SQL => sql`
  select id, path from units where programme = ${programme} and kind = any(${texts(unitKinds)})
    and path like any(${texts(paths.map(path => `${path}%`))})`

/** Sums (`unit_id`, `n`) of the units below each unit that is concerned, itself included. */
const inSubtrees = (sums: SQL): SQL => sql`
  select c.id as unit_id, sum(s.n) as n from (${sums}) s join units u on u.id = s.unit_id
  cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as above (id)
  join concerned c on c.id = above.id group by c.id`

const groupsOfKinds = (kinds: readonly string[]): SQL => sql`
  select unit_id, count(*) as n from groups
  where kind = any(${texts(kinds)}) and dissolved_at is null group by unit_id`

const personsWithRoles = (roles: readonly string[]): SQL => sql`
  select unit_id, count(distinct person_id) as n from roles
  where role = any(${texts(roles)}) and ended_at is null group by unit_id`

/** Persons with one of the roles in each unit that is concerned and below it (`unit_id`, `n`), each once. */
const personsBelow = (roles: readonly string[]): SQL => sql`
  select c.id as unit_id, count(distinct r.person_id) as n from roles r join units u on u.id = r.unit_id
  cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as above (id)
  join concerned c on c.id = above.id
  where r.role = any(${texts(roles)}) and r.ended_at is null group by c.id`

/** What each unit last said of itself. */
const lastFacts = (value: SQL): SQL => sql`
  select unit_id, ${value} as n from (
    select distinct on (unit_id) * from unit_facts order by unit_id, month desc) f`

/** How a target is measured: selects `unit_id`, `actual`, `wanted` of the units in `concerned`. */
export type Measure = SQL

/** Groups of some kinds in each unit and below it. @param wanted at least (or at most) */
export function groupsInUnits(kinds: readonly string[], wanted: number): Measure {
  return sql`select c.id as unit_id, coalesce(n.n, 0) as actual, ${wanted}::numeric as wanted
    from concerned c left join (${inSubtrees(groupsOfKinds(kinds))}) n on n.unit_id = c.id`
}

/**
 * Groups built against the plan of the year (榆林团市委 2014 附件1); without a plan against so many for each unit of a kind
 * below. @param fields of the plan that are added up
 */
export function groupsAgainstPlan(input: {
  kinds: readonly string[]
  fields: readonly string[]
  year: number
  share: number
  otherwise: { each: number; ofKind: string }
}): Measure {
  const { kinds, fields, year, share, otherwise } = input
  return sql`select c.id as unit_id, coalesce(n.n, 0) as actual,
      ceil(${share}::numeric * coalesce(plan.n, ${otherwise.each}::numeric * coalesce(below.n, 0))) as wanted
    from concerned c
    left join (${inSubtrees(groupsOfKinds(kinds))}) n on n.unit_id = c.id
    left join (${inSubtrees(sql`select id as unit_id, 1 as n from units where kind = ${otherwise.ofKind}`)}) below on below.unit_id = c.id
    left join (
      select p.unit_id, sum((f.value #>> '{}')::numeric) as n
      from unit_plans p cross join lateral jsonb_each(p.fields) f
      where p.year = ${year} and p.replaced_at is null and f.key = any(${texts(fields)}) and jsonb_typeof(f.value) = 'number'
      group by p.unit_id
    ) plan on plan.unit_id = c.id`
}

/**
 * Youth who are in touch with a unit and those below: who registered, or what the unit said where that is more; against so
 * many for each of its cadres (on the roster, else as it said).
 */
export function youthForCadres(cadreRoles: readonly string[], each: number): Measure {
  const members = sql`(select coalesce(sum(v.value::numeric), 0) from jsonb_each_text(coalesce(f.members, '{}')) v)`
  return sql`select c.id as unit_id, greatest(coalesce(registered.n, 0), coalesce(said.n, 0)) as actual,
      ${each}::numeric * coalesce(nullif(cadres.n, 0), nullif(stated.n, 0)) as wanted
    from concerned c
    left join (${inSubtrees(sql`select unit_id, count(*) as n from registrations group by unit_id`)}) registered on registered.unit_id = c.id
    left join (${inSubtrees(lastFacts(members))}) said on said.unit_id = c.id
    left join (${personsBelow(cadreRoles)}) cadres on cadres.unit_id = c.id
    left join (${inSubtrees(lastFacts(sql`f.cadres`))}) stated on stated.unit_id = c.id`
}

/** Names of a unit's groups and accounts that obey their rule, of those that have one. @param rules pattern of PostgreSQL by group kind */
export function namesThatObey(
  rules: readonly { kind: string; pattern: string }[],
  accounts: string | null,
): Measure {
  return sql`select n.unit_id, count(*) filter (where n.name ~ n.pattern) as actual, count(*) as wanted
    from (
      select g.unit_id, g.name, r.pattern from groups g
      join unnest(${texts(rules.map(rule => rule.kind))}, ${texts(rules.map(rule => rule.pattern))}) as r (kind, pattern)
        on r.kind = g.kind
      where g.dissolved_at is null
      union all
      select unit_id, name, ${accounts ?? ''} from unit_accounts where ended_at is null and ${accounts !== null}
    ) n join concerned c on c.id = n.unit_id group by n.unit_id`
}

/** Persons with one of the roles in each unit, and how many there should be at most. */
export function personsInUnits(roles: readonly string[], most: number): Measure {
  return sql`select c.id as unit_id, coalesce(n.n, 0) as actual, ${most}::numeric as wanted
    from concerned c left join (${personsWithRoles(roles)}) n on n.unit_id = c.id`
}

/** 1+100 (全国项目办发〔2018〕1号 三.4): of an office's people those who keep contact with a branch, or have visited it this year. */
export function contactsOfOffices(
  scope: ContactScope,
  what: 'branch' | 'visit',
  input: { count: number; since: string },
): Measure {
  const kept = sql`select count(*) from contacts k where k.person_id = o.person_id and k.until_on is null`
  const visits = sql`select count(*) from contacts k join contact_visits v on v.person_id = k.person_id and v.unit_id = k.unit_id
    where k.person_id = o.person_id and k.until_on is null and v.visited_on >= ${input.since}::date`
  return sql`select o.unit_id, count(*) filter (where (${what === 'branch' ? kept : visits}) >= ${input.count}) as actual,
      count(*) as wanted
    from (select distinct r.unit_id, r.person_id from roles r join concerned c on c.id = r.unit_id
      where r.ended_at is null and r.role = any(${texts(scope.roles)})) o
    group by o.unit_id`
}

/** Whether each unit has its 专人 (全国项目办发〔2018〕1号 三.3). */
export function namedManagers(): Measure {
  return sql`select c.id as unit_id, (u.manager_id is not null)::int as actual, 1 as wanted
    from concerned c join units u on u.id = c.id`
}

/** Volunteers on duty who are insured as long and as high as 全国项目办发〔2020〕3号 三.5 asks, of those of whom the roster says it. */
export function insuredVolunteers(input: {
  roles: readonly string[]
  day: string
  columns: InsuranceColumns
  daysBefore: number
  daysAfter: number
  accident: number
  hospital: number
  medical: number
}): Measure {
  const { columns, day } = input
  return sql`with serving as materialized (
      select above.id as county_id, e.starts_on, e.ends_on, ${sql.join(insuranceCells(columns), sql`, `)}
      from roster_entries e join units u on u.id = e.unit_id
      cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as above (id)
      join concerned k on k.id = above.id
      where e.gone_import_id is null and e.status = '在岗' and e.role = any(${texts(input.roles)})
        and coalesce(e.starts_on, '-infinity') <= ${day}::date and coalesce(e.ends_on, 'infinity') >= ${day}::date
    ), ${insuranceWords('serving')}
    select c.id as unit_id, count(*) filter (where
        e.insured_from <= e.arrived_on - ${input.daysBefore}::int and e.insured_to >= e.ends_on + ${input.daysAfter}::int
        and (num_nonnulls(e.accident, e.illness, e.hospital, e.medical) = 0
          or e.accident >= ${input.accident} and e.illness >= ${input.accident}
            and e.hospital >= ${input.hospital} and e.medical >= ${input.medical})) as actual,
      nullif(count(*) filter (where e.insured_from is not null and e.insured_to is not null), 0) as wanted
    from concerned c left join (
      select e.county_id, e.ends_on, ${insuranceOf.columns} from serving e ${insuranceOf.joins}
    ) e on e.county_id = c.id group by c.id`
}

const measured = (scope: TargetScope, measure: Measure, isMost: boolean): SQL => sql`
  with concerned as materialized (${concerned(scope)}), measured as (${measure}), judged as (
    select *, case when wanted is null then null when ${isMost} then actual <= wanted else actual >= wanted end as is_met
    from measured
  )`

/** A page of the units that a target concerns: the worst first, then those of which nothing is known, then those that have it. */
export async function listTarget(
  db: Db,
  scope: TargetScope,
  measure: Measure,
  isMost: boolean,
  place: { limit: number; offset: number },
): Promise<TargetRow[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    parent_name: string | null
    actual: string
    wanted: string | null
  }>(sql`${measured(scope, measure, isMost)}
    select j.unit_id, u.name, above.name as parent_name, j.actual, j.wanted
    from judged j join units u on u.id = j.unit_id left join units above on above.id = u.parent_id
    order by case when j.is_met is null then 1 when j.is_met then 2 else 0 end,
      case when ${isMost} then j.wanted / nullif(j.actual, 0) else j.actual / nullif(j.wanted, 0) end, u.path
    limit ${place.limit} offset ${place.offset}`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.name,
    parentName: row.parent_name,
    actual: Number(row.actual),
    wanted: row.wanted === null ? null : Number(row.wanted),
  }))
}

/** How many units have what a target asks. */
export async function countTarget(
  db: Db,
  scope: TargetScope,
  measure: Measure,
  isMost: boolean,
): Promise<TargetCounts> {
  const [row] = await db.execute<{ units: number; met: number; unknown: number }>(sql`
    ${measured(scope, measure, isMost)}
    select count(*)::int as units, (count(*) filter (where is_met))::int as met,
      (count(*) filter (where is_met is null))::int as unknown from judged`)
  return row ?? { units: 0, met: 0, unknown: 0 }
}

export interface PlanAgainstActual {
  unitId: number
  unitName: string
  /** By field of the plan sheet; null: no plan, or not said. */
  planned: Record<string, number | null>
  actual: Record<string, number>
}

/**
 * The plan sheets of a year (榆林团市委 2014 附件1) beside the groups that there are: a page of counties, those without a plan
 * first. @param fields which groups each number of the plan means
 */
export async function listPlans(
  db: Db,
  scope: TargetScope,
  year: number,
  fields: readonly { field: string; groupKinds: string[]; unitKinds: string[] }[],
  place: { limit: number; offset: number },
): Promise<PlanAgainstActual[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    fields: Record<string, number | string> | null
    actual: Record<string, number> | null
  }>(sql`
    with concerned as materialized (${concerned(scope)}), shown as (
      select c.id, c.path, u.name, p.fields from concerned c join units u on u.id = c.id
      left join unit_plans p on p.unit_id = c.id and p.year = ${year} and p.replaced_at is null
      order by p.id is not null, u.path limit ${place.limit} offset ${place.offset}
    ), found as (
      select s.id, f.field, count(*)::int as n
      from shown s join units u on starts_with(u.path, s.path) join groups g on g.unit_id = u.id and g.dissolved_at is null
      join jsonb_to_recordset(${JSON.stringify(fields)}::jsonb) as f (field text, "groupKinds" jsonb, "unitKinds" jsonb)
        on jsonb_exists(f."groupKinds", g.kind) and jsonb_exists(f."unitKinds", u.kind)
      group by s.id, f.field
    )
    select s.id as unit_id, s.name, s.fields, (select jsonb_object_agg(field, n) from found where found.id = s.id) as actual
    from shown s order by s.fields is not null, s.path`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.name,
    planned: Object.fromEntries(
      fields.map(({ field }) => {
        const said = row.fields?.[field]
        return [field, typeof said === 'number' ? said : null]
      }),
    ),
    actual: Object.fromEntries(fields.map(({ field }) => [field, row.actual?.[field] ?? 0])),
  }))
}

/** What the inspection looks at (检查验收, 榆林团市委 2014 三.(三)), of a unit just below the one that inspects. */
export interface InspectedUnit {
  unitId: number
  unitName: string
  townships: number
  youthGroups: number
  groups: number
  youth: number
  /** Null: neither the roster nor the unit says it. */
  cadres: number | null
  messages: number
  /** Of the five categories those of which anything was sent. */
  categories: number
  activities: number
  heads: number
}

/** The four subjects of each child of a unit. @param input.from `input.to` months, both included */
export async function inspectChildren(
  db: Db,
  top: { id: number; path: string },
  input: {
    from: string
    to: string
    townshipKind: string
    youthKinds: readonly string[]
    cadreRoles: readonly string[]
  },
): Promise<InspectedUnit[]> {
  const members = sql`(select coalesce(sum(v.value::numeric), 0) from jsonb_each_text(coalesce(f.members, '{}')) v)`
  /** The units below, each with the child in whose subtree it lies. */
  const below = sql`(select id, kind, nullif(split_part(substr(path, ${top.path.length + 1}::int), '/', 1), '')::bigint as child_id
    from units where path like ${`${top.path}_%`})`
  const of = (rows: SQL) => sql`(
    select b.child_id, sum(r.n) as n from (${rows}) r join ${below} b on b.id = r.unit_id group by b.child_id)`
  const groupsOf = (kinds: readonly string[] | null) => sql`
    select unit_id, count(*) as n from groups
    where dissolved_at is null and ${kinds === null ? sql`true` : sql`kind = any(${texts(kinds)})`} group by unit_id`
  const months = sql`month between ${input.from} and ${input.to}`
  const held = (value: SQL) => sql`
    select unit_id, ${value} as n from activities where status = 'held' and ${months} group by unit_id`
  const rows = await db.execute<Record<string, string | number | null>>(sql`
    with concerned as materialized (select id, path, name, code from units where parent_id = ${top.id}),
    sent as (
      select child_id, sum(n) as messages, count(*) filter (where n > 0) as categories from (
        select child_id, category, sum(n) as n from (
          select c.id as child_id, s.category, s.messages as n
          from concerned c join subtree_record_counts s on s.unit_id = c.id where s.${months}
          union all
          select b.child_id, w.category, w.messages
          from record_count_changes w join ${below} b on b.id = w.unit_id where w.${months}
        ) every group by child_id, category
      ) m group by child_id
    ), cadres as (
      select b.child_id, count(distinct r.person_id) as n from roles r join ${below} b on b.id = r.unit_id
      where r.role = any(${texts(input.cadreRoles)}) and r.ended_at is null group by b.child_id
    )
    select c.id, c.name, coalesce(townships.n, 0) as townships, coalesce(youth_groups.n, 0) as youth_groups,
      coalesce(built.n, 0) as groups, greatest(coalesce(registered.n, 0), coalesce(said.n, 0)) as youth,
      coalesce(nullif(cadres.n, 0), nullif(stated.n, 0)) as cadres, coalesce(sent.messages, 0) as messages,
      coalesce(sent.categories, 0) as categories, coalesce(held.n, 0) as activities, coalesce(heads.n, 0) as heads
    from concerned c
    left join (select child_id, count(*) as n from ${below} b where kind = ${input.townshipKind} group by child_id) townships
      on townships.child_id = c.id
    left join ${of(groupsOf(null))} built on built.child_id = c.id
    left join ${of(groupsOf(input.youthKinds))} youth_groups on youth_groups.child_id = c.id
    left join ${of(sql`select unit_id, count(*) as n from registrations group by unit_id`)} registered on registered.child_id = c.id
    left join ${of(lastFacts(members))} said on said.child_id = c.id
    left join ${of(lastFacts(sql`f.cadres`))} stated on stated.child_id = c.id
    left join cadres on cadres.child_id = c.id
    left join sent on sent.child_id = c.id
    left join ${of(held(sql`count(*)`))} held on held.child_id = c.id
    left join ${of(held(sql`coalesce(sum(heads), 0)`))} heads on heads.child_id = c.id
    order by c.code, c.id`)
  return [...rows].map(row => ({
    unitId: Number(row.id),
    unitName: String(row.name),
    townships: Number(row.townships),
    youthGroups: Number(row.youth_groups),
    groups: Number(row.groups),
    youth: Number(row.youth),
    cadres: row.cadres === null ? null : Number(row.cadres),
    messages: Number(row.messages),
    categories: Number(row.categories),
    activities: Number(row.activities),
    heads: Number(row.heads),
  }))
}
