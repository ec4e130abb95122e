import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** Counts over the whole database, by kind. */
export async function demoFigures(db: Db) {
  const grouped = async (query: ReturnType<typeof sql>): Promise<Record<string, number>> => {
    const rows = await db.execute<{ name: string; count: number }>(query)
    return Object.fromEntries([...rows].map(row => [row.name, Number(row.count)]))
  }
  const one = async (query: ReturnType<typeof sql>): Promise<number> => {
    const rows = await db.execute<{ count: number }>(query)
    return Number(rows[0]?.count ?? 0)
  }
  const notices = await db.execute<{ id: string }>(sql`select id from notices order by id`)
  return {
    units: await one(sql`select count(*)::int as count from units`),
    groups: await grouped(
      sql`select platform as name, count(*)::int as count from groups where dissolved_at is null group by 1 order by 1`,
    ),
    persons: {
      cadresAndVolunteers: await one(
        sql`select count(distinct person_id)::int as count from roster_entries where gone_import_id is null`,
      ),
      registeredYouth: await one(sql`select count(*)::int as count from registrations`),
    },
    joinRequests: await grouped(
      sql`select decision || case when decided_by is null then '' else ' by a person' end as name, count(*)::int as count from join_requests group by 1 order by 1`,
    ),
    joinedByPass: await one(sql`select count(*)::int as count from join_passes where used_at is not null`),
    noticeIds: [...notices].map(row => Number(row.id)),
    messages: await grouped(
      sql`select category as name, sum(count)::int as count from message_records group by 1 order by 1`,
    ),
    activities: await one(sql`select count(*)::int as count from activities where status = 'held'`),
    tasks: {
      opened: await one(sql`select count(*)::int as count from tasks`),
      closed: await one(sql`select count(*)::int as count from tasks where closed_at is not null`),
    },
    updates: await grouped(
      sql`select status as name, count(*)::int as count from updates group by 1 order by 1`,
    ),
  }
}

/** How many updates are in each state; `failing`: to be tried again. */
export async function updateStates(db: Db): Promise<Record<string, number>> {
  const rows = await db.execute<{ status: string; count: number }>(
    sql`select case when status = 'received' and attempts > 0 then 'failing' else status end as status,
      count(*)::int as count from updates group by 1`,
  )
  return Object.fromEntries([...rows].map(row => [row.status, Number(row.count)]))
}

/** The messages recorded from owners' counts, and the keys of the updates that may have brought them. */
export async function recordedMessages(db: Db): Promise<{ messages: number; storedIds: string[] }> {
  const [sum] = await db.execute<{ count: number }>(
    sql`select coalesce(sum(count), 0)::int as count from message_records`,
  )
  const rows = await db.execute<{ dedupe_key: string }>(
    sql`select u.dedupe_key from updates u where exists (select from message_records r where r.update_id = u.id)`,
  )
  return { messages: Number(sum?.count ?? 0), storedIds: [...rows].map(row => row.dedupe_key) }
}

/**
 * One thing of each kind within a unit, by the parameter that pages name it with, the newest first; for benches that open
 * every page. Kinds of which there is none are left out.
 */
export async function sampleThings(db: Db, unitId: number): Promise<Record<string, number>> {
  const rows = await db.execute<{ name: string; id: string | null }>(sql`
    with top as (select path from units where id = ${unitId}),
    own_groups as (select g.id, g.unit_id from groups g join units u on u.id = g.unit_id, top
      where u.path like top.path || '%' and g.dissolved_at is null)
    select 'groupId' as name, (select max(id) from own_groups) as id
    union all select 'requestId', (select max(r.id) from join_requests r join own_groups g on g.id = r.group_id)
    union all select 'taskId', (select max(t.id) from tasks t join own_groups g on g.id = t.group_id)
    union all select 'recordId', (select max(m.id) from message_records m join own_groups g on g.id = m.group_id)
    union all select 'noticeId', (select max(d.notice_id) from deliveries d join own_groups g on g.id = d.group_id)
    union all select 'personId', (select max(r.person_id) from roles r join units u on u.id = r.unit_id, top
      where u.path like top.path || '%' and r.ended_at is null)
    union all select 'updateId', (select max(id) from updates)
    union all select 'outgoingId', (select max(id) from outgoing_messages)`)
  return Object.fromEntries([...rows].flatMap(row => (row.id === null ? [] : [[row.name, Number(row.id)]])))
}

/** Persons to look at pages as: of each level of a programme the first who holds one of the roles. */
export async function officersByLevel(
  db: Db,
  programme: string,
  roleIds: string[],
): Promise<{ level: string; unitId: number; personId: number; unitName: string }[]> {
  const rows = await db.execute<{ level: string; unit_id: string; person_id: string; name: string }>(sql`
    select distinct on (u.level) u.level, u.id as unit_id, r.person_id, u.name
    from roles r join units u on u.id = r.unit_id
    where u.programme = ${programme} and r.ended_at is null and r.role = any(${sql.param(roleIds)}::text[])
    order by u.level, u.id`)
  return [...rows].map(row => ({
    level: row.level,
    unitId: Number(row.unit_id),
    personId: Number(row.person_id),
    unitName: row.name,
  }))
}
