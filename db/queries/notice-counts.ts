import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** Groups that a notice is meant for, and those that have it. */
export interface NoticeReach {
  groups: number
  posted: number
}

/** The part of a notice that lies below a unit. */
export interface NoticePart {
  id: number
  /** The unit whose subtree is counted. */
  unitPath: string
}

const keyOf = ({ id, unitPath }: NoticePart) => `${id} ${unitPath}`

interface Counted {
  /** The counters of the whole at that moment. */
  whole: string
  at: number
  reach: NoticeReach
}

/** What was counted last of parts of notices, and what is being counted. A page of a list asks for the same again and again. */
interface Kept {
  counted: Map<string, Counted>
  underWay: Set<string>
}

const keptOf = new WeakMap<Db, Kept>()
const MOST_KEPT = 5000
/** While a notice runs its parts are at most this old. */
const RUNS_MS = 5000
/** A group that was moved to another unit changes a part and not the whole: no count is kept for longer. */
const KEPT_MS = 600_000
/** Groups times notices that are counted while somebody waits (measured: a tenth of a second). */
const AT_ONCE = 10_000

/**
 * How many groups of a subtree each notice is meant for, and how many have it. Of a whole notice it is exact (counters of
 * the database); of a part it is counted anew when the whole has changed, and at most five seconds old while it changes.
 * @returns nothing for a part that takes long to count: that is done meanwhile, and there when it is asked for again
 */
export async function reachOfNotices(
  db: Db,
  wanted: NoticePart[],
  now: number = performance.now(),
): Promise<Map<number, NoticeReach>> {
  if (wanted.length === 0) return new Map()
  const wholes = await reachOfWholes(
    db,
    wanted.map(each => each.id),
  )
  const kept = keptOf.get(db) ?? { counted: new Map(), underWay: new Set() }
  keptOf.set(db, kept)
  const reach = new Map<number, NoticeReach>()
  const open: NoticePart[] = []
  for (const part of wanted) {
    const whole = wholes.get(part.id)
    if (!whole) continue
    const known = kept.counted.get(keyOf(part))
    if (part.unitPath === whole.unitPath) reach.set(part.id, { groups: whole.groups, posted: whole.posted })
    else if (known && now - known.at < (known.whole === versionOf(whole) ? KEPT_MS : RUNS_MS))
      reach.set(part.id, known.reach)
    else open.push(part)
  }
  const note = (part: NoticePart, own: NoticeReach) => {
    if (kept.counted.size >= MOST_KEPT) kept.counted.clear()
    const whole = versionOf(wholes.get(part.id) as NoticeReach)
    kept.counted.set(keyOf(part), { whole, at: now, reach: own })
  }
  const { small, large } = await bySize(db, open)
  for (const [part, own] of await reachOfParts(db, small)) {
    note(part, own)
    reach.set(part.id, own)
  }
  // what was there before is better than nothing while it is counted anew
  for (const part of large) {
    const known = kept.counted.get(keyOf(part))
    if (known) reach.set(part.id, known.reach)
  }
  void countMeanwhile(db, kept, large, note)
  return reach
}

/** Counts large parts one after the other; nobody waits for it, and what fails is counted when it is asked for again. */
async function countMeanwhile(
  db: Db,
  { underWay }: Kept,
  parts: NoticePart[],
  note: (part: NoticePart, own: NoticeReach) => void,
): Promise<void> {
  const mine = parts.filter(part => !underWay.has(keyOf(part)))
  for (const part of mine) underWay.add(keyOf(part))
  try {
    for (const part of mine) for (const [, own] of await reachOfParts(db, [part])) note(part, own)
  } catch {
    // the database has gone, or the server stops
  } finally {
    for (const part of mine) underWay.delete(keyOf(part))
  }
}

/** Which parts are counted at once. */
async function bySize(db: Db, parts: NoticePart[]): Promise<{ small: NoticePart[]; large: NoticePart[] }> {
  if (parts.length === 0) return { small: [], large: [] }
  const paths = [...new Set(parts.map(part => part.unitPath))]
  const rows = await db.execute<{ path: string; groups: number }>(sql`
    select top.path, (select count(*)::int from (
      select from units u join groups g on g.unit_id = u.id where ${isBelow} limit ${AT_ONCE}) as found) as groups
    from unnest(${sql.param(paths)}::text[]) as top (path)`)
  const groups = new Map([...rows].map(row => [row.path, row.groups]))
  const small: NoticePart[] = []
  const large: NoticePart[] = []
  let sum = 0
  for (const part of parts) {
    sum += groups.get(part.unitPath) ?? 0
    ;(sum < AT_ONCE ? small : large).push(part)
  }
  return { small, large }
}

/** A unit `u` lies in the subtree of `top`. Paths are of digits and slashes: `~` stands behind all of them. */
const isBelow = sql`u.path ~>=~ top.path and u.path ~<~ (top.path || '~')`

const versionOf = ({ groups, posted }: NoticeReach) => `${groups} ${posted}`

/** The counters of whole notices, with the units that sent them. */
async function reachOfWholes(
  db: Db,
  ids: number[],
): Promise<Map<number, NoticeReach & { unitPath: string }>> {
  const rows = await db.execute<{ id: string; path: string; groups: number; posted: number }>(sql`
    select n.id, u.path, (coalesce(c.groups, 0) + coalesce(ch.groups, 0))::int as groups,
      (coalesce(c.posted, 0) + coalesce(ch.posted, 0))::int as posted
    from notices n join units u on u.id = n.unit_id
    left join notice_counts c on c.notice_id = n.id
    left join lateral (select sum(groups) as groups, sum(posted) as posted from notice_count_changes
      where notice_id = n.id) ch on true
    where n.id = any(${sql.param(ids)}::bigint[])`)
  return new Map(
    [...rows].map(row => [Number(row.id), { unitPath: row.path, groups: row.groups, posted: row.posted }]),
  )
}

/** Counted from the deliveries of the groups below: their number counts, not that of the notice. */
async function reachOfParts(db: Db, wanted: NoticePart[]): Promise<[NoticePart, NoticeReach][]> {
  if (wanted.length === 0) return []
  const rows = await db.execute<{ id: string; path: string; groups: number; posted: number }>(sql`
    with wanted as (
      select * from unnest(${sql.param(wanted.map(each => each.id))}::bigint[],
        ${sql.param(wanted.map(each => each.unitPath))}::text[]) as w (id, path)
    ), below as materialized (
      -- once for each subtree
      select top.path, g.id, g.dissolved_at is not null as is_gone
      from (select distinct path from wanted) as top join units u on ${isBelow} join groups g on g.unit_id = u.id
    )
    select w.id, w.path, count(*)::int as groups, (count(*) filter (where d.status = 'posted'))::int as posted
    from wanted w
    join below b on b.path = w.path
    -- group by group: the planner does not know how few they are, and would read the whole notice
    cross join lateral (select status from deliveries where notice_id = w.id and group_id = b.id limit 1) d
    where (not b.is_gone or d.status = 'posted') and d.status <> 'withdrawn'
    group by w.id, w.path`)
  const found = new Map(
    [...rows].map(({ id, path, groups, posted }) => [
      keyOf({ id: Number(id), unitPath: path }),
      { groups, posted },
    ]),
  )
  return wanted.map(part => [part, found.get(keyOf(part)) ?? { groups: 0, posted: 0 }])
}

/** Lets the counters be written by one at a time, until the transaction ends. */
async function lockCounts(db: Db): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext('notice-counts'))`)
}

/**
 * Folds what has changed into the counters, in the caller's transaction.
 * @returns how many changes there were
 */
export async function foldNoticeCounts(db: Db): Promise<number> {
  await lockCounts(db)
  const [row] = await db.execute<{ count: number }>(sql`
    with taken as (delete from notice_count_changes returning notice_id, groups, posted),
    folded as (
      insert into notice_counts as c (notice_id, groups, posted)
      select notice_id, sum(groups), sum(posted) from taken group by notice_id
      on conflict (notice_id) do update set groups = c.groups + excluded.groups, posted = c.posted + excluded.posted
    )
    select count(*)::int as count from taken`)
  return row?.count ?? 0
}

/**
 * Counts notices once more whose time was over since a moment: a group that was dissolved while its notice was being
 * written is in no change. In the caller's transaction.
 */
export async function recountNotices(db: Db, since: Date, until: Date): Promise<void> {
  await lockCounts(db)
  await db.execute(sql`
    insert into notice_counts (notice_id, groups, posted)
    select n.id, d.groups - coalesce(ch.groups, 0), d.posted - coalesce(ch.posted, 0)
    from notices n
    cross join lateral (
      select count(*) filter (where d.status = 'posted' or d.status <> 'withdrawn' and g.dissolved_at is null) as groups,
        count(*) filter (where d.status = 'posted') as posted
      from deliveries d join groups g on g.id = d.group_id where d.notice_id = n.id) d
    left join lateral (select sum(groups) as groups, sum(posted) as posted from notice_count_changes
      where notice_id = n.id) ch on true
    where n.deadline_at > ${since.toISOString()}::timestamptz and n.deadline_at <= ${until.toISOString()}::timestamptz
    on conflict (notice_id) do update set groups = excluded.groups, posted = excluded.posted`)
}
