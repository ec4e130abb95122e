import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** A unit of the tree, with what matters now in it and everything below it. */
export interface TreeNode {
  id: number
  name: string
  level: string
  kind: string
  managerName: string | null
  hasChildren: boolean
  groups: number
  /** Groups without an owner. */
  ownerless: number
  openTasks: number
  overdueTasks: number
  waitingRequests: number
  /** Groups that notices of the last days are meant for, and those without them; late: past the deadline. */
  noticeGroups: number
  dryGroups: number
  lateGroups: number
  /** Units with a group, and those of them with anything recorded in the month. */
  reporting: number
  reported: number
}

/** How long a notice counts as one of now. */
const NOTICE_DAYS = 7

type Node = {
  id: string
  name: string
  level: string
  kind: string
  manager: string | null
  has_children: boolean
}
type Counts = { child: string } & Record<string, string>

/**
 * The children of a unit, each with the figures of its whole subtree. Only what is unfolded is read: a tree of tens of
 * thousands of units opens as fast as a small one.
 * @param unit `self` counts the unit and all below it as one node instead
 * @param month `YYYY-MM` for what was recorded
 */
export async function treeNodes(
  db: Db,
  unit: { id: number; path: string },
  which: 'self' | 'children',
  now: Date,
  month: string,
): Promise<TreeNode[]> {
  const below = sql`u.path like ${`${unit.path}%`}`
  const child =
    which === 'self'
      ? sql`${unit.id}::bigint`
      : sql`nullif(split_part(substr(u.path, ${unit.path.length + 1}), '/', 1), '')::bigint`
  const day = sql`(${now.toISOString()}::timestamptz at time zone 'Asia/Shanghai')::date`
  const [nodes, groups, tasks, requests, notices, records] = await Promise.all([
    db.execute<Node>(sql`
      select u.id, u.name, u.level, u.kind, p.name as manager,
        exists (select from units c where c.parent_id = u.id) as has_children
      from units u left join persons p on p.id = u.manager_id
      where ${which === 'self' ? sql`u.id = ${unit.id}` : sql`u.parent_id = ${unit.id}`} order by u.code`),
    db.execute<Counts>(sql`
      select ${child} as child, count(*) as groups, count(*) filter (where g.owner_id is null) as ownerless,
        count(distinct g.unit_id) as reporting
      from groups g join units u on u.id = g.unit_id where ${below} and g.dissolved_at is null group by 1`),
    db.execute<Counts>(sql`
      select ${child} as child, count(*) as open, count(*) filter (where t.due_on < ${day}) as overdue
      from tasks t join groups g on g.id = t.group_id join units u on u.id = g.unit_id
      where ${below} and t.closed_at is null and g.dissolved_at is null group by 1`),
    db.execute<Counts>(sql`
      select ${child} as child, count(*) as waiting
      from join_requests r join groups g on g.id = r.group_id join units u on u.id = g.unit_id
      where ${below} and r.decision = 'referred' and g.dissolved_at is null group by 1`),
    db.execute<Counts>(sql`
      select ${child} as child, count(distinct d.group_id) as meant,
        count(distinct d.group_id) filter (where d.status <> 'posted') as dry,
        count(distinct d.group_id) filter (where d.status <> 'posted' and n.deadline_at < ${now.toISOString()}) as late
      from notices n join deliveries d on d.notice_id = n.id join groups g on g.id = d.group_id
        join units u on u.id = g.unit_id
      where ${below} and g.dissolved_at is null and d.status <> 'withdrawn'
        and n.issued_at > ${new Date(now.getTime() - NOTICE_DAYS * 86_400_000).toISOString()}
      group by 1`),
    db.execute<Counts>(sql`
      select ${child} as child, count(distinct u.id) as reported
      from units u where ${below} and exists (select from groups g where g.unit_id = u.id and g.dissolved_at is null)
        and exists (select from message_records m where m.unit_id = u.id and m.month = ${month}
          union all select from unit_facts f where f.unit_id = u.id and f.month = ${month})
      group by 1`),
  ])
  const byChild = (rows: Iterable<Counts>) => new Map([...rows].map(row => [row.child, row]))
  const [ofGroups, ofTasks, ofRequests, ofNotices, ofRecords] = [
    groups,
    tasks,
    requests,
    notices,
    records,
  ].map(byChild)
  return [...nodes].map(node => {
    const number = (counts: Map<string, Counts> | undefined, name: string) =>
      Number(counts?.get(node.id)?.[name] ?? 0)
    return {
      id: Number(node.id),
      name: node.name,
      level: node.level,
      kind: node.kind,
      managerName: node.manager,
      hasChildren: node.has_children,
      groups: number(ofGroups, 'groups'),
      ownerless: number(ofGroups, 'ownerless'),
      openTasks: number(ofTasks, 'open'),
      overdueTasks: number(ofTasks, 'overdue'),
      waitingRequests: number(ofRequests, 'waiting'),
      noticeGroups: number(ofNotices, 'meant'),
      dryGroups: number(ofNotices, 'dry'),
      lateGroups: number(ofNotices, 'late'),
      reporting: number(ofGroups, 'reporting'),
      reported: number(ofRecords, 'reported'),
    }
  })
}
