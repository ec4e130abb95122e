import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/*
 * How many messages there are. The triggers of migration 0018 write each change to `record_count_changes`; the fold adds it
 * up by unit (`record_counts`) and for all units above (`subtree_record_counts`). A query that adds what is folded and what
 * is not has the exact number at any moment, and reads a few rows where counting reads millions.
 */

/** Of the fold: one at a time. */
const FOLD_LOCK = 731_904_411

/**
 * Folds a portion of the changes into the sums; what is folded twice or half is not possible, it is one statement.
 * @returns how many changes were folded in; 0: there are none, or another process is at it. In a transaction of its own.
 */
export async function foldRecordCounts(db: Db, portion: number): Promise<number> {
  const [lock] = await db.execute<{ taken: boolean }>(
    sql`select pg_try_advisory_xact_lock(${FOLD_LOCK}::bigint) as taken`,
  )
  if (!lock?.taken) return 0
  const [row] = await db.execute<{ folded: number }>(sql`
    with gone as (
      delete from record_count_changes
      where ctid = any(array(select ctid from record_count_changes limit ${portion}))
      returning *
    ), sums as (
      select unit_id, month, category, source, decided_by, sum(messages) as messages
      from gone group by 1, 2, 3, 4, 5 having sum(messages) <> 0
    ), own as (
      insert into record_counts as kept (unit_id, month, category, source, decided_by, messages)
      select * from sums
      on conflict (month, unit_id, category, source, decided_by)
      do update set messages = kept.messages + excluded.messages
    ), above as (
      insert into subtree_record_counts as kept (unit_id, month, category, source, decided_by, messages)
      select over.id::bigint, s.month, s.category, s.source, s.decided_by, sum(s.messages)
      from sums s join units u on u.id = s.unit_id
      cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')) as over (id)
      group by 1, 2, 3, 4, 5
      on conflict (unit_id, month, category, source, decided_by)
      do update set messages = kept.messages + excluded.messages
    )
    select count(*)::int as folded from gone`)
  return row?.folded ?? 0
}

/**
 * Takes the sums of units that get another place in the tree along, from those who were above them to those who are then.
 * The fold waits until the caller's transaction ends: it must not add to the old place what is at the new one already.
 * @param tree recursive common table expressions that `moved` reads
 * @param moved selects `id`, `before` and `after` (paths) of the units
 */
export async function carryRecordCounts(db: Db, tree: SQL, moved: SQL): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(${FOLD_LOCK}::bigint)`)
  await db.execute(sql`
    with recursive ${tree}, moved as materialized (${moved}), differences as (
      select over.id::bigint as unit_id, c.month, c.category, c.source, c.decided_by, sum(over.sign * c.messages) as messages
      from moved m join record_counts c on c.unit_id = m.id
      cross join lateral (
        select id, -1 as sign from unnest(string_to_array(trim(both '/' from m.before), '/')) as old (id)
        union all
        select id, 1 from unnest(string_to_array(trim(both '/' from m.after), '/')) as new (id)
      ) over
      group by 1, 2, 3, 4, 5 having sum(over.sign * c.messages) <> 0
    )
    insert into subtree_record_counts as kept (unit_id, month, category, source, decided_by, messages)
    select * from differences
    on conflict (unit_id, month, category, source, decided_by)
    do update set messages = kept.messages + excluded.messages`)
}

/** The unit that a path ends with. */
function lastOf(path: string): number {
  return Number(path.split('/').filter(Boolean).at(-1))
}

/** The child of the unit with `path` in whose subtree `u` lies; the unit itself for its own rows. */
const childOf = (path: string) =>
  sql`coalesce(nullif(split_part(substr(u.path, ${path.length + 1}::int), '/', 1), '')::bigint, u.id)`

export interface MessageFigure {
  /** A child of the unit asked for, with all below it; that unit itself for what it has sent in groups of its own. */
  unitId: number
  category: string
  count: number
  byMachine: number
}

/** Messages of a month by child and category. @param path the unit's path */
export async function countMessagesByChild(db: Db, path: string, month: string): Promise<MessageFigure[]> {
  const rows = await db.execute<{ unit_id: string; category: string; count: number; by_machine: number }>(sql`
    select unit_id, category, sum(messages)::int as count,
      coalesce(sum(messages) filter (where decided_by = 'machine'), 0)::int as by_machine
    from (
      select c.unit_id, c.category, c.decided_by, c.messages
      from units u join subtree_record_counts c on c.unit_id = u.id
      where u.parent_id = ${lastOf(path)} and c.month = ${month}
      union all
      select unit_id, category, decided_by, messages from record_counts
      where month = ${month} and unit_id = ${lastOf(path)}
      union all
      select ${childOf(path)}, c.category, c.decided_by, c.messages
      from record_count_changes c join units u on u.id = c.unit_id
      where c.month = ${month} and u.path like ${`${path}%`}
    ) every group by unit_id, category having sum(messages) <> 0`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    category: row.category,
    count: row.count,
    byMachine: row.by_machine,
  }))
}

/** Messages of a unit and all below it, by month and category. @param to included */
export async function countMessagesByMonth(db: Db, path: string, from: string, to: string) {
  const rows = await db.execute<{ month: string; category: string; count: number }>(sql`
    select month, category, sum(messages)::int as count from (
      select month, category, messages from subtree_record_counts
      where unit_id = ${lastOf(path)} and month between ${from} and ${to}
      union all
      select c.month, c.category, c.messages from record_count_changes c join units u on u.id = c.unit_id
      where c.month between ${from} and ${to} and u.path like ${`${path}%`}
    ) every group by month, category having sum(messages) <> 0`)
  return [...rows]
}

/**
 * Messages of units with all below them, by category, and how many of them the machine sorted.
 * @param paths of units none of which lies below another
 */
export async function countMessages(
  db: Db,
  paths: string[],
  where: { month: string; category?: string | undefined; source?: string | undefined },
): Promise<{ category: string; count: number; byMachine: number }[]> {
  if (paths.length === 0) return []
  const ids = paths.map(lastOf)
  const filter: SQL = sql`c.month = ${where.month}
    ${where.category === undefined ? sql`` : sql`and c.category = ${where.category}`}
    ${where.source === undefined ? sql`` : sql`and c.source = ${where.source}`}`
  const rows = await db.execute<{ category: string; count: number; by_machine: number }>(sql`
    select category, sum(messages)::int as count,
      coalesce(sum(messages) filter (where decided_by = 'machine'), 0)::int as by_machine
    from (
      select c.category, c.decided_by, c.messages from subtree_record_counts c
      where c.unit_id = any(${sql.param(ids)}::bigint[]) and ${filter}
      union all
      select c.category, c.decided_by, c.messages
      from record_count_changes c join units u on u.id = c.unit_id
      where u.path like any(${sql.param(paths.map(path => `${path}%`))}::text[]) and ${filter}
    ) every group by category having sum(messages) <> 0`)
  return [...rows].map(row => ({ category: row.category, count: row.count, byMachine: row.by_machine }))
}

/** How many messages each of the units has in a month, with those below it, and how many units sent some. */
export async function countMonthOfUnits(db: Db, unitIds: number[], month: string) {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{ id: string; messages: number; units: number }>(sql`
    with recursive below as (
      select u.id as top, u.id from units u where u.id = any(${sql.param(unitIds)}::bigint[])
      union all
      select b.top, u.id from below b join units u on u.parent_id = b.id
    ), waiting as (
      select unit_id, sum(messages) as messages from record_count_changes where month = ${month} group by unit_id
    ), sums as (
      select b.top, b.id, coalesce(kept.messages, 0) + coalesce(w.messages, 0) as messages from below b
      left join lateral (
        select sum(messages) as messages from record_counts where month = ${month} and unit_id = b.id
      ) kept on true
      left join waiting w on w.unit_id = b.id
    )
    select top as id, sum(messages)::int as messages, count(*)::int as units
    from sums where messages > 0 group by top`)
  return [...rows].map(row => ({ id: Number(row.id), messages: row.messages, units: row.units }))
}
