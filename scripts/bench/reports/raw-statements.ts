import type { Db } from '../../../db/client.ts'
import type { UnitRow } from '../../../db/queries/units.ts'

/*
 * What each figure would cost without counters: the best single statement over the raw rows that we know, with the indexes
 * that the tables have. Written for the bench, so that a counter is held against something.
 */

const childOf = (path: string) =>
  `coalesce(nullif(split_part(substr(u.path, ${path.length + 1}), '/', 1), '')::bigint, u.id)`

/** Messages by child and category: what a sheet and a roll-up are made of. */
export function rawByChild(db: Db, { path }: UnitRow, month: string): Promise<unknown> {
  return db.execute(`
    with m as (
      select unit_id, category, decided_by, sum(count) as count from message_records
      where month = '${month}' and unit_id in (select id from units where path like '${path}%') group by 1, 2, 3
    )
    select ${childOf(path)} as child, category, sum(m.count) as count, sum(m.count) filter (where decided_by = 'machine')
    from m join units u on u.id = m.unit_id group by 1, 2`)
}

/** Messages by month and category. */
export function rawByMonth(db: Db, { path }: UnitRow, from: string, to: string): Promise<unknown> {
  return db.execute(`
    select month, category, sum(count) from message_records
    where month between '${from}' and '${to}' and unit_id in (select id from units where path like '${path}%') group by 1, 2`)
}

/** Messages by category. */
export function rawTotals(db: Db, { path }: UnitRow, month: string): Promise<unknown> {
  return db.execute(`
    select category, sum(count), sum(count) filter (where decided_by = 'machine') from message_records
    where month = '${month}' and unit_id in (select id from units where path like '${path}%') group by 1`)
}
