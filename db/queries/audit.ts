import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

export interface AuditQuery {
  /** The tops of the subtrees whose entries are wanted. */
  paths: string[]
  /** Programmes whose imports as a whole are wanted as well. */
  programmes: string[]
  personId: number | null
  /** One of these. */
  actions: readonly string[] | null
  numbers: AuditNumbers | null
  before: number | null
}

/** A stretch of entries between two moments. */
export interface AuditNumbers {
  first: number
  last: number
  from: Date
  to: Date
}

export interface AuditEntry {
  id: number
  at: Date
  actorId: number | null
  actorName: string | null
  /** What the actor is or was, in the reader's units where there is a choice. */
  actorUnitName: string | null
  action: string
  details: Record<string, unknown>
  subjectKind: string
  subjectId: number | null
  /** Name of the subject; null where it has none, or lies outside what the reader runs. */
  subjectName: string | null
  /** Whether the reader may open it: an operator's import of a whole programme has no page. */
  hasPage: boolean
}

/** Entries are numbered as they are written, but the clocks of two processes may differ by moments. */
const LOOSE_NUMBERS = 500

/**
 * The numbers of the entries between two moments, found by halving: the log has no index on the time, and its numbers
 * grow with it. Two dozen look-ups by the primary key, whatever its length.
 */
export async function auditNumbersOf(db: Db, from: Date, to: Date): Promise<AuditNumbers> {
  const first = await firstNumberSince(db, from)
  const last = await firstNumberSince(db, to)
  return { first: first - LOOSE_NUMBERS, last: last + LOOSE_NUMBERS, from, to }
}

async function firstNumberSince(db: Db, moment: Date): Promise<number> {
  const at = sql`${moment.toISOString()}::timestamptz`
  const [row] = await db.execute<{ number: string | null }>(sql`
    with recursive halves (low, high) as (
      select coalesce(min(id), 0), coalesce(max(id), 0) + 1 from audit_log
      union all
      select case when is_early then middle + 1 else low end, case when is_early then high else middle end
      from (
        select low, high, middle,
          coalesce((select a.at < ${at} from audit_log a where a.id >= middle order by a.id limit 1), false) as is_early
        from (select low, high, (low + high) / 2 as middle from halves where low < high) as cut
      ) as looked
    )
    select max(low) as number from halves`)
  return Number(row?.number ?? 0)
}

const under = (column: SQL, paths: string[]): SQL =>
  paths.length === 0
    ? sql`false`
    : sql`(${sql.join(
        paths.map(path => sql`${column} like ${`${path}%`}`),
        sql` or `,
      )})`

function wanted({ personId, actions, numbers, before }: AuditQuery): SQL {
  const conditions = [
    ...(before === null ? [] : [sql`a.id < ${before}`]),
    ...(personId === null
      ? []
      : [sql`(a.actor_id = ${personId} or (a.subject_kind = 'person' and a.subject_id = ${personId}))`]),
    ...(actions === null ? [] : [sql`a.action = any(${sql.param([...actions])}::text[])`]),
    ...(numbers === null
      ? []
      : [
          sql`a.id between ${numbers.first} and ${numbers.last}`,
          sql`a.at >= ${numbers.from.toISOString()} and a.at < ${numbers.to.toISOString()}`,
        ]),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `)
}

/** The units of the subtrees, read once for all reasons below. */
const here = (paths: string[]) =>
  sql`here as materialized (select u.id from units u where ${under(sql`u.path`, paths)})`

/**
 * Why an entry `a` belongs to a reader, one way of joining for each reason: whoever did it had a role here when they did
 * it, or it is about something here.
 */
function reasons(programmes: string[]): SQL[] {
  const about = (kind: string, table: SQL) =>
    sql`join ${table} t on a.subject_kind = ${kind} and t.id = a.subject_id join here on here.id = t.unit_id`
  return [
    sql`join posts p on p.person_id = a.actor_id and p.started_at <= a.at and (p.ended_at is null or p.ended_at >= a.at)`,
    sql`join here on a.subject_kind = 'unit' and here.id = a.subject_id`,
    about('group', sql`groups`),
    about('notice', sql`notices`),
    about('roster_import', sql`roster_imports`),
    about('api_token', sql`api_tokens`),
    sql`join join_requests j on a.subject_kind = 'join_request' and j.id = a.subject_id
      join groups t on t.id = j.group_id join here on here.id = t.unit_id`,
    ...(programmes.length === 0
      ? []
      : [
          sql`join roster_imports t on a.subject_kind = 'roster_import' and t.id = a.subject_id and t.unit_id is null
            and a.details->>'programme' = any(${sql.param(programmes)}::text[])`,
        ]),
  ]
}

/** A stretch of the log, as far as it was looked through. */
export interface AuditStretch {
  /** The entries that belong to the reader, the newest first. */
  ids: number[]
  /** How many were looked at. */
  looked: number
  /** The oldest of them; null when there was none. */
  oldest: number | null
}

/**
 * Looks through the newest `length` wanted entries (a number of ours: it stands in the statement, for a better plan). Fast however much an office has: its entries lie close together. (There
 * is no index on the person of a role that has ended, so roles are read once for the whole stretch.)
 */
export async function auditStretch(db: Db, query: AuditQuery, length: number): Promise<AuditStretch> {
  const [row] = await db.execute<{ ids: string[] | null; looked: number; oldest: string | null }>(sql`
    with stretch as materialized (
      select a.id, a.at, a.actor_id, a.subject_kind, a.subject_id, a.details from audit_log a
      where ${wanted(query)} order by a.id desc limit ${sql.raw(String(length))}
    ), ${here(query.paths)}, posts as materialized (
      select r.person_id, r.started_at, r.ended_at from roles r join here on here.id = r.unit_id
      where r.person_id in (select actor_id from stretch)
    )
    select (select json_agg(id order by id desc) from (${sql.join(
      reasons(query.programmes).map(reason => sql`select a.id from stretch a ${reason}`),
      sql` union `,
    )}) as found) as ids,
      (select count(*)::int from stretch) as looked, (select min(id) from stretch) as oldest`)
  return {
    ids: (row?.ids ?? []).map(Number),
    looked: row?.looked ?? 0,
    oldest: row?.oldest == null ? null : Number(row.oldest),
  }
}

/**
 * The newest entries of an office that has few: goes in by the indexes on actor and subject.
 * @returns null when it has too many people for that
 */
export async function auditOfFew(
  db: Db,
  query: AuditQuery,
  limit: number,
  mostPeople: number,
): Promise<number[] | null> {
  const people = await db.execute<{ id: string }>(sql`
    with ${here(query.paths)}
    select distinct r.person_id as id from roles r join here on here.id = r.unit_id limit ${mostPeople + 1}`)
  if (people.length > mostPeople) return null
  const [byActor = sql``, ...bySubject] = reasons(query.programmes)
  const newest = sql`order by a.id desc limit ${limit}`
  const actors = sql.param([...people].map(row => Number(row.id)))
  const rows = await db.execute<{ id: string }>(sql`
    with ${here(query.paths)}, posts as materialized (
      select r.person_id, r.started_at, r.ended_at from roles r join here on here.id = r.unit_id
    )
    select id from (${sql.join(
      [
        // the same entry comes once for each role; the limit must count entries
        sql`(select distinct a.id from audit_log a ${byActor}
          where a.actor_id = any(${actors}::bigint[]) and ${wanted(query)} ${newest})`,
        ...bySubject.map(
          reason => sql`(select a.id from audit_log a ${reason} where ${wanted(query)} ${newest})`,
        ),
      ],
      sql` union `,
    )}) as found order by id desc limit ${limit}`)
  return [...rows].map(row => Number(row.id))
}

/** Entries by their numbers, in this order. @param visible the tops of what the reader runs: only what lies there is named */
export async function auditDetails(db: Db, ids: number[], visible: string[]): Promise<AuditEntry[]> {
  if (ids.length === 0) return []
  const isVisible = under(sql`u.path`, visible)
  const rows = await db.execute<{
    id: string
    at: string
    actor_id: string | null
    actor_name: string | null
    actor_unit: string | null
    action: string
    details: Record<string, unknown>
    subject_kind: string
    subject_id: string | null
    subject_name: string | null
    has_page: boolean
  }>(sql`
    with page as materialized (
      select * from audit_log where id = any(${sql.param(ids)}::bigint[])
    ), posts as materialized (
      select r.person_id, r.ended_at, u.name, ${isVisible} as is_visible, length(u.path) as depth
      from roles r join units u on u.id = r.unit_id
      where r.person_id in (select actor_id from page
        union all select subject_id from page where subject_kind = 'person')
    ), places as materialized (
      select person_id, coalesce(ended_at, 'infinity') as until, is_visible from posts
      union all
      select e.person_id, coalesce(i.applied_at, 'infinity'), ${isVisible}
      from roster_entries e join units u on u.id = e.unit_id left join roster_imports i on i.id = e.gone_import_id
      where e.person_id in (select subject_id from page where subject_kind = 'person')
    ), known as materialized (
      -- the rule of server/domain/access/persons.ts: where somebody stands, or was last
      select person_id from (
        select person_id, until, is_visible, max(until) over (partition by person_id) as latest from places
      ) as placed where until = latest and is_visible
    )
    select a.id, a.at, a.actor_id, actor.name as actor_name, a.action, a.details, a.subject_kind, a.subject_id,
      (select p.name from posts p where p.person_id = a.actor_id
        order by p.is_visible desc, p.ended_at desc nulls first, p.depth limit 1) as actor_unit,
      case a.subject_kind
        when 'unit' then (select u.name from units u where u.id = a.subject_id and ${isVisible})
        when 'group' then (select g.name from groups g join units u on u.id = g.unit_id
          where g.id = a.subject_id and ${isVisible})
        when 'notice' then (select left(n.body, 60) from notices n join units u on u.id = n.unit_id
          where n.id = a.subject_id and ${isVisible})
        when 'join_request' then (select g.name from join_requests j join groups g on g.id = j.group_id
          join units u on u.id = g.unit_id where j.id = a.subject_id and ${isVisible})
        when 'roster_import' then (select t.file_name from roster_imports t left join units u on u.id = t.unit_id
          where t.id = a.subject_id and (${isVisible} or t.unit_id is null))
        when 'api_token' then (select t.name from api_tokens t join units u on u.id = t.unit_id
          where t.id = a.subject_id and ${isVisible})
        when 'person' then (select p.name from persons p
          where p.id = a.subject_id and p.id in (select person_id from known))
      end as subject_name,
      case a.subject_kind when 'roster_import' then exists (select from roster_imports t join units u on u.id = t.unit_id
        where t.id = a.subject_id and ${isVisible}) else true end as has_page
    from page a left join persons actor on actor.id = a.actor_id
    order by a.id desc`)
  return [...rows].map(row => ({
    id: Number(row.id),
    at: new Date(row.at),
    actorId: row.actor_id === null ? null : Number(row.actor_id),
    actorName: row.actor_name,
    actorUnitName: row.actor_unit,
    action: row.action,
    details: row.details,
    subjectKind: row.subject_kind,
    subjectId: row.subject_id === null ? null : Number(row.subject_id),
    subjectName: row.subject_name,
    hasPage: row.subject_name !== null && row.has_page,
  }))
}
