import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { stagingTable } from './roster-staging.ts'

/** Who belongs in a kind of group, by where they stand. */
export interface BelongingRule {
  kind: string
  /** `own-unit`, `parent-unit`, `child-units` or `descendant-units`. */
  source: string
  unitKinds: string[] | null
  roles: string[]
  /** Names of 人员类别; null: whichever. */
  categories: string[] | null
}

export interface EffectRules {
  programme: string
  belonging: BelongingRule[]
  /** The kinds of units that hold so many people at most; null where a programme has no such rule. */
  size: { unitKind: string; most: number } | null
  /** Owners with more open tasks than this are shown. */
  mostTasks: number
}

/** One thing that a difference brings about beyond the roster itself. */
export interface Effect {
  kind: 'group' | 'unit' | 'owner'
  /** Of the group, the unit (null: it is new) or the person. */
  subjectId: number | null
  name: string
  /** Of a group: whose it is; of a unit: its county. */
  beside: string
  joins: number
  leaves: number
  /** People of a unit, open tasks of an owner. */
  before: number
  after: number
}

const ON_DUTY = '在岗'

/** Works out who joins and leaves which group, which units become too large, and which owners get too many tasks. */
export async function insertEffects(
  db: Db,
  id: number,
  { programme, belonging, size, mostTasks }: EffectRules,
): Promise<void> {
  const rows = stagingTable(id, 'rows')
  const moves = stagingTable(id, 'moves')
  const gone = stagingTable(id, 'gone')
  const effects = stagingTable(id, 'effects')
  await db.execute(sql`drop table if exists ${effects}`)
  await db.execute(sql`create unlogged table ${effects} (kind text, subject_id bigint, name text, beside text,
    joins int, leaves int, before int, after int)`)
  // who comes to a place and who loses one: on duty before or after, and not both
  await db.execute(sql`
    create temp table place_changes on commit drop as
    with after as (
      select coalesce(m.person_id, -m.leader) as who, m.unit_id, s.county_id, s.branch_name, m.role, s.category
      from ${moves} m join ${rows} s on s.line = m.line
      where s.status = ${ON_DUTY} and m.outcome <> 'same'
    ), before as (
      select e.person_id as who, e.unit_id, null::bigint as county_id, null::text as branch_name, e.role, e.category
      from roster_entries e join (
        select entry_id from ${gone} union all select entry_id from ${moves} where outcome = 'changed'
      ) t on t.entry_id = e.id
      where e.status = ${ON_DUTY} and not exists (
        select from ${moves} m join ${rows} s on s.line = m.line
        where m.outcome = 'same' and m.person_id = e.person_id and m.unit_id = e.unit_id and m.role = e.role
          and s.status = ${ON_DUTY})
    )
    select *, true as comes from (select * from after except select * from before) c
    union all
    select *, false from (select * from before except select * from after) l`)
  await db.execute(sql`analyze place_changes`)
  await insertGroupEffects(db, effects, programme, belonging)
  if (size) await insertSizeEffects(db, effects, programme, size)
  await db.execute(sql`
    insert into ${effects}
    select 'owner', p.id, p.name, '', t.joins, t.leaves, t.open, t.open + t.joins + t.leaves from (
      select g.owner_id, sum(e.joins)::int as joins, sum(e.leaves)::int as leaves,
        (select count(*)::int from tasks k join groups og on og.id = k.group_id
          where og.owner_id = g.owner_id and k.closed_at is null) as open
      from ${effects} e join groups g on g.id = e.subject_id where e.kind = 'group' and g.owner_id is not null
      group by g.owner_id
    ) t join persons p on p.id = t.owner_id where t.open + t.joins + t.leaves > ${mostTasks}`)
}

async function insertGroupEffects(
  db: Db,
  effects: ReturnType<typeof stagingTable>,
  programme: string,
  belonging: BelongingRule[],
): Promise<void> {
  await db.execute(sql`
    with rules as (
      select * from jsonb_to_recordset(${JSON.stringify(belonging)}::jsonb)
        as r (kind text, source text, "unitKinds" text[], roles text[], categories text[])
    ), places as (
      select c.*, u.path, u.parent_id, u.kind as unit_kind from place_changes c join units u on u.id = c.unit_id
    ), touched as (
      select g.id as group_id, p.who, p.comes from places p
      join rules r on p.role = any(r.roles) and (r."unitKinds" is null or p.unit_kind = any(r."unitKinds"))
        and (r.categories is null or p.category = any(r.categories))
      join groups g on g.kind = r.kind and g.programme = ${programme} and g.dissolved_at is null and (
        r.source = 'own-unit' and g.unit_id = p.unit_id
        or r.source = 'child-units' and g.unit_id = p.parent_id
        or r.source = 'parent-unit' and g.unit_id in (select id from units where parent_id = p.unit_id)
        or r.source = 'descendant-units' and g.unit_id <> p.unit_id
          and g.unit_id = any(string_to_array(trim('/' from p.path), '/')::bigint[]))
    ), netted as (
      select group_id, who, bool_or(comes) as comes, bool_or(not comes) as goes from touched group by 1, 2
    )
    insert into ${effects}
    select 'group', g.id, g.name, coalesce(o.name, ''), n.joins, n.leaves, g.size, g.size + n.joins - n.leaves from (
      select group_id, (count(*) filter (where comes and not goes))::int as joins,
        (count(*) filter (where goes and not comes))::int as leaves from netted group by 1
    ) n join groups g on g.id = n.group_id left join persons o on o.id = g.owner_id
    where n.joins > 0 or n.leaves > 0`)
}

async function insertSizeEffects(
  db: Db,
  effects: ReturnType<typeof stagingTable>,
  programme: string,
  { unitKind, most }: { unitKind: string; most: number },
): Promise<void> {
  await db.execute(sql`
    with grown as (
      select unit_id, county_id, branch_name, count(distinct who) filter (where comes)
        - count(distinct who) filter (where not comes) as more
      from place_changes group by 1, 2, 3
    ), named as (
      select g.unit_id, coalesce(u.name, g.branch_name) as name, coalesce(pu.name, c.name, '') as county,
        case when g.unit_id is null then 0 else (select count(distinct e.person_id)::int from roster_entries e
          where e.unit_id = g.unit_id and e.gone_import_id is null and e.status = ${ON_DUTY}) end as before, g.more::int
      from (select unit_id, min(county_id) as county_id, min(branch_name) as branch_name, sum(more)::int as more from grown
        group by unit_id, case when unit_id is null then county_id end, case when unit_id is null then branch_name end) g
      left join units u on u.id = g.unit_id left join units pu on pu.id = u.parent_id
      left join units c on c.id = g.county_id
      where g.more > 0 and (g.unit_id is null or u.kind = ${unitKind} and u.programme = ${programme})
    )
    insert into ${effects}
    select 'unit', unit_id, name, county, 0, 0, before, before + more from named where before + more > ${most}`)
}

/** How many effects of each kind there are, and how many people join and leave groups in all. */
export async function effectCounts(
  db: Db,
  id: number,
): Promise<{ groups: number; joins: number; leaves: number; units: number; owners: number } | null> {
  const [there] = await db.execute<{ is_there: boolean }>(
    sql`select to_regclass(${`roster_staging.effects_${Number(id)}`}) is not null as is_there`,
  )
  if (!there?.is_there) return null
  const [row] = await db.execute<{
    groups: number
    joins: number
    leaves: number
    units: number
    owners: number
  }>(sql`
    select (count(*) filter (where kind = 'group'))::int as groups,
      coalesce(sum(joins) filter (where kind = 'group'), 0)::int as joins,
      coalesce(sum(leaves) filter (where kind = 'group'), 0)::int as leaves,
      (count(*) filter (where kind = 'unit'))::int as units, (count(*) filter (where kind = 'owner'))::int as owners
    from ${stagingTable(id, 'effects')}`)
  return row ?? null
}

/** A part of the effects of one kind, the largest first. */
export async function effectsOf(
  db: Db,
  id: number,
  kind: Effect['kind'],
  limit: number,
  offset: number,
): Promise<Effect[]> {
  const rows = await db.execute<Effect & { subjectId: string | null } & Record<string, unknown>>(sql`
    select kind, subject_id as "subjectId", name, beside, joins, leaves, before, after
    from ${stagingTable(id, 'effects')} where kind = ${kind}
    order by joins + leaves desc, after desc, subject_id limit ${limit} offset ${offset}`)
  return rows.map(row => ({ ...row, subjectId: row.subjectId === null ? null : Number(row.subjectId) }))
}
