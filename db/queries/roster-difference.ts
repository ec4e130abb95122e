import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { type StagedProblem, stagingTable } from './roster-staging.ts'

/** What a difference may touch. @see server/domain/roster/scope.ts */
export interface DifferenceScope {
  /** The top unit of the office, and the roles that run it. */
  id: number
  path: string
  officeRoles: string[]
}

export interface DifferenceOptions {
  programme: string
  scope: DifferenceScope | null
  /** The path of a unit: the file is its whole roster. */
  wholePath: string | null
}

/** Sorting and hashing a million rows in memory; the server's own setting is for small queries. */
export async function withMemoryForSets(db: Db): Promise<void> {
  await db.execute(sql`set local work_mem = '96MB'`)
}

/**
 * What the roster of a programme is at present. Every import and every undoing gives another version.
 */
export async function rosterVersion(db: Db, programme: string): Promise<string> {
  const [row] = await db.execute<{ version: string }>(sql`
    select coalesce(max(id), 0) || '.' || count(undone_at) as version from roster_imports
    where programme = ${programme} or programme is null`)
  return row?.version ?? '0.0'
}

/**
 * Works out what a staged file changes, set-wise, and leaves it in the tables of the staging: of each row the person and
 * what becomes of the entry (`moves`), what persons are to become (`persons`), which entries go (`gone`).
 *
 * A person is known by ID number, or by phone and name together; otherwise new. Whom the scope has never had is known by
 * an ID number only with the name: a file must not tell which numbers are registered elsewhere. The same new human being twice in one
 * file (an ended term and its extension) is one person: `leader` is the first line of theirs.
 */
export async function workOutDifference(db: Db, id: number, options: DifferenceOptions): Promise<void> {
  await workOutMoves(db, id, options)
  await workOutGone(db, id, options)
  await pairMoved(db, id)
  await workOutPersons(db, id)
}

async function workOutMoves(db: Db, id: number, { scope }: DifferenceOptions): Promise<void> {
  const rows = stagingTable(id, 'rows')
  const moves = stagingTable(id, 'moves')
  // a table of its own, so that the planner knows how many there are and takes the entries by person
  await db.execute(sql`drop table if exists pg_temp.who`)
  await db.execute(sql`
    create temp table who on commit drop as
    with indexes as (
      select line, id_number_index as id_number, phone_index as phone, name_key from ${rows} where not is_faulty
      union all
      select line, o.id_number, o.phone, name_key from ${rows},
        unnest(id_number_others, phone_others) as o (id_number, phone)
      -- one condition for each: the planner knows that there are none but while keys are changed
      where not is_faulty and (id_number_others is not null or phone_others is not null)
    ), known as (
      select i.line, min(p.id) as by_id_number, null::bigint as by_phone
      from indexes i join persons p on p.id_number_index = i.id_number
      where ${scope === null} or p.name_key = i.name_key or exists (
        select from roster_entries e join units u on u.id = e.unit_id
        where e.person_id = p.id and starts_with(u.path, ${scope?.path ?? ''}))
      group by i.line
      union all
      select i.line, null, min(p.id)
      from indexes i join persons p on p.phone_index = i.phone and p.name_key = i.name_key group by i.line
    ), placed as (
      select line, coalesce(max(by_id_number), max(by_phone)) as person_id from known group by line
    ), unknown as materialized (
      select s.line, coalesce(s.id_number_index, s.phone_index || ' ' || s.name_key) as key
      from ${rows} s left join placed p on p.line = s.line where not s.is_faulty and p.person_id is null
    ), repeated as (
      select key, min(line) as leader from unknown where key is not null group by key having count(*) > 1
    )
    select u.line, null::bigint as person_id, coalesce(r.leader, u.line) as leader
    from unknown u left join repeated r on r.key = u.key
    union all
    select line, person_id, null from placed`)
  await db.execute(sql`analyze who`)
  await db.execute(sql`drop table if exists ${moves}`)
  await db.execute(sql`
    create unlogged table ${moves} with (autovacuum_enabled = off) as
    select w.line, w.person_id, w.leader, coalesce(s.unit_id, u.id) as unit_id, s.role, e.id as entry_id,
      case when e.id is null then 'new'
        when (e.title, e.category, e.post, e.university, e.ends_on, e.status, e.extra)
          is not distinct from (s.title, s.category, s.post, s.university, s.ends_on, s.status, s.extra) then 'same'
        else 'changed' end as outcome
    from who w join ${rows} s on s.line = w.line
    left join units c on c.id = s.county_id
    left join units u on u.programme = c.programme and u.code = c.code || '-' || s.branch_name
    left join roster_entries e on e.gone_import_id is null and e.person_id = w.person_id and e.unit_id = s.unit_id
      and e.role = s.role and coalesce(e.starts_on, '0001-01-01') = coalesce(s.starts_on, '0001-01-01')`)
  await db.execute(sql`create index on ${moves} (line)`)
  await db.execute(sql`analyze ${moves}`)
}

/** Entries of the units that the file is about and that are not in it; never those who run the office of the file. */
async function workOutGone(
  db: Db,
  id: number,
  { programme, scope, wholePath }: DifferenceOptions,
): Promise<void> {
  const gone = stagingTable(id, 'gone')
  await db.execute(sql`drop table if exists ${gone}`)
  await db.execute(sql`
    create unlogged table ${gone} with (autovacuum_enabled = off) as
    with covered as (
      select distinct unit_id as id from ${stagingTable(id, 'moves')} where unit_id is not null
      union
      select id from units where programme = ${programme} and starts_with(path, ${wholePath}::text)
    )
    select e.id as entry_id, e.person_id, e.unit_id, null::int as moved_line
    from covered c join roster_entries e on e.unit_id = c.id and e.gone_import_id is null
    where not exists (select from ${stagingTable(id, 'moves')} m where m.entry_id = e.id)
      and not (e.unit_id is not distinct from ${scope?.id ?? null}::bigint and e.role = any(${sql.param(scope?.officeRoles ?? [])}::text[]))`)
  await db.execute(sql`create index on ${gone} (entry_id)`)
  await db.execute(sql`analyze ${gone}`)
}

/** Who loses one place and gets another has moved: one new entry for one that goes. */
async function pairMoved(db: Db, id: number): Promise<void> {
  const moves = stagingTable(id, 'moves')
  await db.execute(sql`
    with pairs as (
      select m.line, g.entry_id from (
        select line, person_id, row_number() over (partition by person_id order by line) as place
        from ${moves} where outcome = 'new' and person_id is not null
      ) m join (
        select entry_id, person_id, row_number() over (partition by person_id order by entry_id) as place
        from ${stagingTable(id, 'gone')}
      ) g using (person_id, place)
    ), noted as (
      update ${moves} m set outcome = 'moved', entry_id = p.entry_id from pairs p where p.line = m.line
    )
    update ${stagingTable(id, 'gone')} g set moved_line = p.line from pairs p where p.entry_id = g.entry_id`)
}

/** The columns of a person that a file may change, with what is sealed beside. */
const COMPARED = [
  ['name', null, null],
  ['name_key', null, null],
  ['sound_key', null, null],
  ['phone_index', 'phone_others', 'phone_sealed'],
  ['id_number_index', 'id_number_others', 'id_number_sealed'],
  ['wechat_index', 'wechat_others', 'wechat_sealed'],
] as const

/**
 * Persons as they are to become: null is a column that stays, for a file that leaves something out deletes nothing. Of
 * several rows of one person the later one counts.
 */
async function workOutPersons(db: Db, id: number): Promise<void> {
  const persons = stagingTable(id, 'persons')
  const changed = COMPARED.map(([column, others, sealed]) => {
    const differs = others
      ? `s.${column} is not null and s.${column} is distinct from p.${column} and (s.${others} is null or p.${column} is null or p.${column} <> all (s.${others}))`
      : `s.${column} <> p.${column}`
    return [column, sealed, ...(column === 'id_number_index' ? ['id_tail_index'] : [])]
      .filter(each => each !== null)
      .map(each => `case when ${differs} then s.${each} end as ${each}`)
      .join(', ')
  })
  const all = COMPARED.flatMap(([column, , sealed]) => [
    column,
    ...(sealed ? [sealed] : []),
    ...(column === 'id_number_index' ? ['id_tail_index'] : []),
  ])
  const last = all.map(
    each => `(array_agg(${each} order by line desc) filter (where ${each} is not null))[1] as ${each}`,
  )
  await db.execute(sql`drop table if exists ${persons}`)
  await db.execute(sql`
    create unlogged table ${persons} with (autovacuum_enabled = off) as
    with differing as (
      select m.person_id, s.line, ${sql.raw(changed.join(', '))}
      from ${stagingTable(id, 'moves')} m join ${stagingTable(id, 'rows')} s on s.line = m.line
      join persons p on p.id = m.person_id
    )
    select person_id, max(line) as line, ${sql.raw(last.join(', '))} from differing
    where ${sql.raw(COMPARED.map(([column]) => `${column} is not null`).join(' or '))} group by person_id`)
  await db.execute(sql`create index on ${persons} (person_id)`)
  await db.execute(sql`analyze ${persons}`)
}

/** Lines of the office's own file that would bring or change who runs it. */
export async function ownOfficeLines(
  db: Db,
  id: number,
  scope: DifferenceScope,
): Promise<{ line: number; role: string }[]> {
  const rows = await db.execute<{ line: number; role: string }>(sql`
    select line, role from ${stagingTable(id, 'moves')}
    where outcome <> 'same' and unit_id = ${scope.id} and role = any(${sql.param(scope.officeRoles)}::text[]) order by line`)
  return [...rows]
}

/** Lines that say of one person and place the same as an earlier line: known as the same only by what stands. */
export async function repeatedLines(
  db: Db,
  id: number,
): Promise<{ line: number; earlier: number; name: string; personId: number | null }[]> {
  const moves = stagingTable(id, 'moves')
  const rows = await db.execute<{
    line: number
    earlier: number
    name: string
    person_id: string | null
  }>(sql`
    with several as (
      select coalesce(person_id, -leader) as who from ${moves} group by 1 having count(*) > 1
    )
    select line, earlier, name, person_id from (
      select m.line, s.name, m.person_id, min(m.line) over (
        partition by coalesce(m.person_id, -m.leader), m.unit_id, s.county_id, s.branch_name, m.role, s.starts_on) as earlier
      from ${moves} m join several on several.who = coalesce(m.person_id, -m.leader)
      join ${stagingTable(id, 'rows')} s on s.line = m.line
    ) t where earlier < line order by line`)
  return rows.map(({ person_id, ...row }) => ({
    ...row,
    personId: person_id === null ? null : Number(person_id),
  }))
}

export interface PersonBeyond {
  personId: number
  line: number
  name: string | null
  phoneSealed: string | null
  idNumberSealed: string | null
}

/**
 * Persons that the file would change and who stand outside the scope as well, or run its office; they are taken out of
 * what is changed, so that nothing of them is shown.
 */
export async function takeOutPersonsBeyond(
  db: Db,
  id: number,
  scope: DifferenceScope,
): Promise<PersonBeyond[]> {
  const persons = stagingTable(id, 'persons')
  const rows = await db.execute<{
    person_id: string
    line: number
    name: string | null
    phone_sealed: string | null
    id_number_sealed: string | null
  }>(sql`
    delete from ${persons} c using (
      select distinct s.person_id from (
        select r.person_id, r.unit_id, r.role from roles r join ${persons} c on c.person_id = r.person_id where r.ended_at is null
        union all
        select e.person_id, e.unit_id, e.role from roster_entries e join ${persons} c on c.person_id = e.person_id
        where e.gone_import_id is null
      ) s join units u on u.id = s.unit_id
      where not starts_with(u.path, ${scope.path})
        or (u.id = ${scope.id} and s.role = any(${sql.param(scope.officeRoles)}::text[]))
    ) b where c.person_id = b.person_id
    returning c.person_id, c.line, c.name, c.phone_sealed, c.id_number_sealed`)
  return rows
    .map(row => ({
      personId: Number(row.person_id),
      line: row.line,
      name: row.name,
      phoneSealed: row.phone_sealed,
      idNumberSealed: row.id_number_sealed,
    }))
    .sort((one, other) => one.line - other.line)
}

export interface DifferenceCounts {
  rows: number
  new: number
  changed: number
  unchanged: number
  moved: number
  gone: number
  newPersons: number
  changedPersons: number
}

export async function differenceCounts(db: Db, id: number): Promise<DifferenceCounts> {
  const [row] = await db.execute<DifferenceCounts & Record<string, unknown>>(sql`
    select m.*, g.gone, p.changed as "changedPersons" from (
      select count(*)::int as rows, count(*) filter (where outcome = 'new')::int as new,
        count(*) filter (where outcome = 'changed')::int as changed,
        count(*) filter (where outcome = 'same')::int as unchanged,
        count(*) filter (where outcome = 'moved')::int as moved,
        count(*) filter (where leader = line)::int as "newPersons"
      from ${stagingTable(id, 'moves')}
    ) m, (select count(*) filter (where moved_line is null)::int as gone from ${stagingTable(id, 'gone')}) g,
    (select count(*)::int as changed from ${stagingTable(id, 'persons')}) p`)
  return row as DifferenceCounts
}

/**
 * A checksum of what becomes of which line, entry and person. The numbers of units are left out: a branch that is to be
 * made has none until it is.
 */
export async function differenceContent(db: Db, id: number): Promise<string> {
  const [row] = await db.execute<{ content: string }>(sql`
    select concat_ws('.',
      (select sum(hashtextextended(concat_ws(' ', line, coalesce(person_id, 0), entry_id, outcome), 0))
        from ${stagingTable(id, 'moves')}),
      (select sum(hashtextextended(concat_ws(' ', entry_id, moved_line), 1)) from ${stagingTable(id, 'gone')}),
      (select sum(hashtextextended(c::text, 2)) from ${stagingTable(id, 'persons')} c)) as content`)
  return row?.content ?? ''
}

/** Lines of errors and of rows that were left out, together. */
export async function wrongLines(db: Db, id: number): Promise<number> {
  const [row] = await db.execute<{ count: number }>(sql`
    select count(*)::int as count from (
      select line from ${stagingTable(id, 'rows')} where is_faulty
      union select line from ${stagingTable(id, 'problems')} where severity = 'error') t`)
  return row?.count ?? 0
}

export type Outcome = 'new' | 'changed' | 'same' | 'moved' | 'gone'

/** One entry of a difference, as it stands and as it is to be. */
export interface DifferenceLine {
  name: string
  unitName: string
  role: string
  title: string | null
  status: string
  before: EntryColumns | null
  after: EntryColumns | null
}

export interface EntryColumns {
  unitName: string
  role: string
  title: string | null
  category: string | null
  post: string | null
  university: string | null
  startsOn: string | null
  endsOn: string | null
  status: string
  extra: Record<string, string>
}

const columnsOf = (alias: string, unitName: string) =>
  sql.raw(`jsonb_build_object('unitName', ${unitName}, 'role', ${alias}.role, 'title', ${alias}.title,
    'category', ${alias}.category, 'post', ${alias}.post, 'university', ${alias}.university,
    'startsOn', ${alias}.starts_on, 'endsOn', ${alias}.ends_on, 'status', ${alias}.status, 'extra', ${alias}.extra)`)

/** The entries with one outcome, in the order of the file; those that go, by unit. */
export async function linesWith(
  db: Db,
  id: number,
  outcome: Outcome,
  limit: number,
  offset: number,
): Promise<{ name: string; before: EntryColumns | null; after: EntryColumns | null }[]> {
  const rows =
    outcome === 'gone'
      ? await db.execute<{ name: string; before: EntryColumns; after: null }>(sql`
          select p.name, ${columnsOf('e', 'u.name')} as before, null as after
          from (select entry_id from ${stagingTable(id, 'gone')} where moved_line is null order by unit_id, entry_id
            limit ${limit} offset ${offset}) g
          join roster_entries e on e.id = g.entry_id join persons p on p.id = e.person_id join units u on u.id = e.unit_id
          order by e.unit_id, e.id`)
      : await db.execute<{ name: string; before: EntryColumns | null; after: EntryColumns }>(sql`
          select s.name, case when e.id is not null then ${columnsOf('e', 'eu.name')} end as before,
            ${columnsOf('s', "coalesce(u.name, s.branch_name, '')")} as after
          from (select * from ${stagingTable(id, 'moves')} where outcome = ${outcome} order by line
            limit ${limit} offset ${offset}) m
          join ${stagingTable(id, 'rows')} s on s.line = m.line
          left join roster_entries e on e.id = m.entry_id left join units eu on eu.id = e.unit_id
          left join units u on u.id = m.unit_id
          order by m.line`)
  return [...rows]
}

/** A person whose columns change. What was known of somebody who stands in none of the file's units is not given. */
export interface PersonLine {
  name: string
  isPresent: boolean
  /** What they are to become; null stays. */
  newName: string | null
  newPhoneSealed: string | null
  newIdNumberSealed: string | null
  hasNewWechat: boolean
  oldName: string
  oldPhoneSealed: string | null
  oldIdNumberSealed: string | null
  hadWechat: boolean
}

export async function changedPersonsOf(
  db: Db,
  id: number,
  limit: number,
  offset: number,
): Promise<PersonLine[]> {
  const moves = stagingTable(id, 'moves')
  const rows = await db.execute<PersonLine & Record<string, unknown>>(sql`
    select s.name, exists (
        select from roster_entries e where e.person_id = c.person_id and e.gone_import_id is null and (
          exists (select from ${moves} m where m.unit_id = e.unit_id)
          or exists (select from ${stagingTable(id, 'gone')} g where g.entry_id = e.id))) as "isPresent",
      c.name as "newName", c.phone_sealed as "newPhoneSealed", c.id_number_sealed as "newIdNumberSealed",
      c.wechat_index is not null as "hasNewWechat", p.name as "oldName", p.phone_sealed as "oldPhoneSealed",
      p.id_number_sealed as "oldIdNumberSealed", p.wechat_index is not null as "hadWechat"
    from (select * from ${stagingTable(id, 'persons')} order by line limit ${limit} offset ${offset}) c
    join persons p on p.id = c.person_id join ${stagingTable(id, 'rows')} s on s.line = c.line
    order by c.line`)
  return [...rows]
}

/** Makes the lists of a difference quick to page through. */
export async function indexDifference(db: Db, id: number): Promise<void> {
  await db.execute(sql`create index on ${stagingTable(id, 'moves')} (outcome, line)`)
  await db.execute(sql`create index on ${stagingTable(id, 'moves')} (unit_id)`)
}

export type { StagedProblem }
