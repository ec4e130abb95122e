import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/**
 * For each unit the persons of the nearest unit, itself or above, that has any: its named manager while they have a role
 * there, else whoever holds a managing role.
 */
export async function answerersOf(
  db: Db,
  unitIds: number[],
  managing: { programme: string; role: string }[],
): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>()
  if (unitIds.length === 0) return found
  const rows = await db.execute<{ unit_id: string; person_id: string }>(sql`
    with line as (
      select u.id as unit_id, above.id::bigint as at_id, above.depth from units u
      cross join lateral unnest(string_to_array(trim('/' from u.path), '/')) with ordinality as above (id, depth)
      where u.id = any(${sql.param(unitIds)}::bigint[])
    ), managing as (
      select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
        ${sql.param(managing.map(each => each.role))}::text[]) as m (programme, role)
    ), who as (
      select u.id as at_id, r.person_id, min(r.id) as since, bool_or(u.manager_id = r.person_id) as is_manager
      from (select distinct at_id from line) at join units u on u.id = at.at_id
      join roles r on r.unit_id = u.id and r.ended_at is null
      where u.manager_id = r.person_id or (u.programme, r.role) in (select programme, role from managing)
      group by u.id, r.person_id
    ), answering as (
      select at_id, person_id, since from who where is_manager
      union all
      select at_id, person_id, since from who
      where not exists (select from who named where named.at_id = who.at_id and named.is_manager)
    ), nearest as (
      select unit_id, max(depth) as depth from line where at_id in (select at_id from answering) group by unit_id
    )
    select l.unit_id, a.person_id from nearest n
    join line l on l.unit_id = n.unit_id and l.depth = n.depth join answering a on a.at_id = l.at_id
    order by l.unit_id, a.since`)
  for (const row of rows) {
    const unitId = Number(row.unit_id)
    found.set(unitId, [...(found.get(unitId) ?? []), Number(row.person_id)])
  }
  return found
}

/** The offices from a unit upward, the nearest first, with those who run each; `manages`: by a role, not as named manager. */
export async function officesAbove(
  db: Db,
  unitId: number,
  managing: { programme: string; role: string }[],
): Promise<
  {
    id: number
    name: string
    level: string
    path: string
    readers: { id: number; name: string; manages: boolean }[]
  }[]
> {
  const rows = await db.execute<{
    id: string
    name: string
    level: string
    path: string
    readers: { id: number; name: string; manages: boolean }[]
  }>(sql`
    with line as (
      select above.id::bigint as id, above.depth from units u
      cross join lateral unnest(string_to_array(trim('/' from u.path), '/')) with ordinality as above (id, depth)
      where u.id = ${unitId}
    ), managing as (
      select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
        ${sql.param(managing.map(each => each.role))}::text[]) as m (programme, role)
    )
    select u.id, u.name, u.level, u.path, coalesce((
      select json_agg(json_build_object('id', who.id, 'name', who.name, 'manages', who.manages) order by who.since)
      from (
        select p.id, p.name, min(r.id) as since,
          bool_or((u.programme, r.role) in (select programme, role from managing)) as manages
        from roles r join persons p on p.id = r.person_id
        where r.unit_id = u.id and r.ended_at is null
          and (u.manager_id = r.person_id or (u.programme, r.role) in (select programme, role from managing))
        group by p.id, p.name
      ) who), '[]') as readers
    from line join units u on u.id = line.id order by line.depth desc`)
  return [...rows].map(row => ({ ...row, id: Number(row.id) }))
}
