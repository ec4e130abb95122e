import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** A part of a subtree: the whole, one level of it, or one unit right below its top with all below (null: the top itself). */
export type Part =
  | { kind: 'all' }
  | { kind: 'level'; level: string }
  | { kind: 'child'; unitId: number | null }

/** The part of a path that names the child of `path` in whose subtree a unit `u` lies; empty: `path` itself. */
export function childOf(path: string): SQL {
  return sql.raw(`split_part(u.path, '/', ${path.split('/').length})`)
}

/** Counts everything once for the whole, for each level, and for each child. */
export const byPart: SQL = sql`group by grouping sets ((), (level), (child))`
export const partColumns: SQL = sql`grouping(level) as is_level, grouping(child) as is_child, level, child`

export type PartColumns = {
  is_level: number
  is_child: number
  level: string | null
  child: string | null
}

export function partOf(row: PartColumns): Part {
  if (row.is_level === 0) return { kind: 'level', level: row.level as string }
  if (row.is_child === 0) return { kind: 'child', unitId: row.child === '' ? null : Number(row.child) }
  return { kind: 'all' }
}

/**
 * The deliveries of a notice within a subtree that count: one that was taken back before it went, and a group that was
 * dissolved without the notice, are not waited for.
 * @param withWithdrawn those that were taken back as well
 */
function counted(noticeId: number, path: string, withWithdrawn = false): SQL {
  return sql`
    select d.id, d.group_id, d.owner_id, d.status, d.route, d.updated_at, g.unit_id, u.level, ${childOf(path)} as child
    from deliveries d join groups g on g.id = d.group_id join units u on u.id = g.unit_id
    where d.notice_id = ${noticeId} and starts_with(u.path, ${path}) and (d.status <> 'withdrawn' or ${withWithdrawn})
      and (g.dissolved_at is null or d.status = 'posted')`
}

/** How far a notice has come in a part of the tree. */
export interface Waterline {
  of: Part
  groups: number
  /** Handed over: it is with the owner, or in the group already. */
  reached: number
  /** In the group, with proof. */
  posted: number
  /** Seen by the owner, not in the group yet. */
  received: number
  /** Nobody can bring it there, or sending failed. */
  failed: number
  /** May or may not be in the group: somebody has to look. */
  unknown: number
  /** How long it took from the issue into half of the groups that have it, in seconds; not counted for a child. */
  medianSeconds: number | null
  first: Date | null
  last: Date | null
  /** Since when the longest of those without it waits as it does. */
  drySince: Date | null
}

type LineRow = PartColumns & {
  minute: number | null
  groups: number
  reached: number
  posted: number
  received: number
  failed: number
  unknown: number
  first: string | null
  last: string | null
  dry_since: string | null
}

/**
 * The waterline of a subtree: as a whole, by level, and by the units right below its top. Each delivery is read once, and
 * counted by hashing: a median in SQL would sort them all, so those that came in each minute are counted instead.
 */
export async function waterlines(
  db: Db,
  notice: { id: number; issuedAt: Date },
  path: string,
): Promise<Waterline[]> {
  const rows = await db.execute<LineRow>(sql`
    with d as materialized (${counted(notice.id, path)}), came as (
      select r.delivery_id, min(r.at) filter (where r.kind <> 'received') as posted_at,
        min(r.at) filter (where r.kind = 'received') as received_at
      from receipts r where r.delivery_id in (select id from d) group by r.delivery_id
    ), line as materialized (
      select level, child, status, updated_at, posted_at, received_at from d left join came on came.delivery_id = d.id
    )
    select ${partColumns}, null::int as minute, count(*)::int as groups,
      (count(*) filter (where status in ('sent', 'posted') or received_at is not null))::int as reached,
      (count(*) filter (where status = 'posted'))::int as posted,
      (count(*) filter (where status <> 'posted' and received_at is not null))::int as received,
      (count(*) filter (where status = 'failed'))::int as failed,
      (count(*) filter (where status = 'unknown'))::int as unknown,
      min(posted_at) as first, max(posted_at) as last, min(updated_at) filter (where status <> 'posted') as dry_since
    from line ${byPart}
    union all
    select 0, 1, level, null, greatest(0,
      floor(extract(epoch from posted_at - ${notice.issuedAt.toISOString()}::timestamptz) / 60))::int as minute,
      count(*)::int, 0, 0, 0, 0, 0, null, null, null
    from line where posted_at is not null group by level, minute`)
  const date = (written: string | null) => (written === null ? null : new Date(written))
  const byMinute = [...rows].filter(row => row.minute !== null)
  return [...rows]
    .filter(row => row.minute === null && row.groups > 0)
    .map(row => {
      const of = partOf(row)
      return {
        of,
        groups: row.groups,
        reached: row.reached,
        posted: row.posted,
        received: row.received,
        failed: row.failed,
        unknown: row.unknown,
        medianSeconds:
          of.kind === 'child'
            ? null
            : medianOf(byMinute.filter(each => of.kind === 'all' || each.level === of.level)),
        first: date(row.first),
        last: date(row.last),
        drySince: date(row.dry_since),
      }
    })
}

/** The end of the minute in which half of them were there, in seconds. */
function medianOf(minutes: { minute: number | null; groups: number }[]): number | null {
  const all = minutes.reduce((sum, each) => sum + each.groups, 0)
  let sum = 0
  for (const { minute, groups } of minutes.sort((a, b) => (a.minute ?? 0) - (b.minute ?? 0))) {
    sum += groups
    if (sum * 2 >= all) return (minute ?? 0) * 60
  }
  return null
}

/** People who have opened a notice on their page, in a part of the tree where they are in a group that it went to. */
export interface Readers {
  of: Part
  opened: number
  acknowledged: number
}

/** Each person once in a part: distinct rows are hashed, where counting distinct values would sort them all. */
function countReaders(isLevel: SQL, isChild: SQL, level: SQL, child: SQL): SQL {
  return sql`
    select ${isLevel}::int as is_level, ${isChild}::int as is_child, level::text, child::text, count(*)::int as opened,
      (count(*) filter (where said))::int as acknowledged
    from (select distinct person_id, said, ${level}::text as level, ${child}::text as child from seen) as each_once
    group by level, child`
}

/** Who has read a notice in a subtree; somebody in several groups counts once in each part. */
export async function readersByPart(db: Db, noticeId: number, path: string): Promise<Readers[]> {
  const rows = await db.execute<PartColumns & { opened: number; acknowledged: number }>(sql`
    with reader as materialized (
      select person_id, acknowledged_at is not null as said from notice_readings where notice_id = ${noticeId}
    ), place as (
      select r.*, g.id as group_id, g.unit_id from reader r join groups g on g.owner_id = r.person_id
      union all
      select r.*, g.id, g.unit_id from reader r
      join group_members m on m.person_id = r.person_id and m.left_at is null join groups g on g.id = m.group_id
    ), seen as materialized (
      select distinct p.person_id, p.said, u.level, ${childOf(path)} as child from place p
      join units u on u.id = p.unit_id join deliveries d on d.notice_id = ${noticeId} and d.group_id = p.group_id
      where starts_with(u.path, ${path})
    )
    ${countReaders(sql`1`, sql`1`, sql`null`, sql`null`)} union all
    ${countReaders(sql`0`, sql`1`, sql`level`, sql`null`)} union all
    ${countReaders(sql`1`, sql`0`, sql`null`, sql`child`)}`)
  return [...rows].map(row => ({ of: partOf(row), opened: row.opened, acknowledged: row.acknowledged }))
}

/** Groups of a part without the notice, by the best way in which somebody can still be woken for each. */
export interface Wake {
  of: Part
  /** The owner has WeCom. */
  byWecom: number
  /** The owner's window with the Official Account is open. */
  byMessage: number
  /** The owner can be called by a template message. */
  byTemplate: number
  /** Not the owner, but somebody else who runs the unit. */
  byContact: number
  /** Nobody of the unit: the one above has to see to it. */
  byNobody: number
}

/** Who can still be woken for the groups of a subtree without a notice. @param managing the roles that run a unit */
export async function wakeByPart(
  db: Db,
  noticeId: number,
  path: string,
  managing: { programme: string; role: string }[],
  now: Date,
): Promise<Wake[]> {
  const rows = await db.execute<
    PartColumns & { wecom: number; message: number; template: number; contact: number; nobody: number }
  >(sql`
    with dry as materialized (
      select * from (${counted(noticeId, path)}) as d where status <> 'posted'
    ), account as (
      select i.person_id, bool_or(i.channel = 'wecom') as wecom, bool_or(i.channel = 'official-account') as template,
        bool_or(i.channel = 'official-account' and i.window_left > 0
          and i.window_ends_at > ${now.toISOString()}::timestamptz) as message
      from identities i where i.person_id in (select owner_id from dry) and i.is_reachable
        and i.channel in ('wecom', 'official-account')
      group by i.person_id
    ), deaf as (
      select distinct unit_id from dry left join account a on a.person_id = dry.owner_id where a.person_id is null
    ), contact as (
      select distinct r.unit_id from roles r join units u on u.id = r.unit_id
      where r.unit_id in (select unit_id from deaf) and r.ended_at is null
        and (u.programme, r.role) in (select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
          ${sql.param(managing.map(each => each.role))}::text[]))
        and exists (select from identities i where i.person_id = r.person_id and i.is_reachable
          and i.channel in ('wecom', 'official-account'))
    )
    select ${partColumns},
      (count(*) filter (where a.wecom))::int as wecom,
      (count(*) filter (where a.message and not a.wecom))::int as message,
      (count(*) filter (where a.template and not a.wecom and a.message is not true))::int as template,
      (count(*) filter (where a.person_id is null and c.unit_id is not null))::int as contact,
      (count(*) filter (where a.person_id is null and c.unit_id is null))::int as nobody
    from dry left join account a on a.person_id = dry.owner_id left join contact c on c.unit_id = dry.unit_id ${byPart}`)
  return [...rows].map(row => ({
    of: partOf(row),
    byWecom: row.wecom,
    byMessage: row.message,
    byTemplate: row.template,
    byContact: row.contact,
    byNobody: row.nobody,
  }))
}

/** A proof of what became of a delivery. */
export interface ReceiptShown {
  kind: string
  at: Date
  /** Whose word it is; null: the platform's. */
  by: string | null
  isOwner: boolean
  proof: Record<string, unknown>
}

/** How somebody can be called now: what their accounts allow. */
export interface CallWays {
  byWecom: boolean
  /** The Official Account may write to them now (客服消息时窗). */
  byMessage: boolean
  /** They follow the Official Account: a template message calls them back. */
  byTemplate: boolean
}

/** One delivery with its proofs, and how its owner can be called. */
export interface DeliveryShown extends CallWays {
  id: number
  groupId: number
  groupName: string
  unitId: number
  unitName: string
  level: string
  path: string
  ownerName: string | null
  status: string
  route: string
  /** Since when it waits as it does: for this owner, or by this way. */
  since: Date
  receipts: ReceiptShown[]
  /** People of the group who have opened it on their page, with when the first did. */
  readers: { opened: number; acknowledged: number; first: Date | null }
  /** The unit's answer: who gave it, and when. */
  answer: { by: string; at: Date } | null
}

/** @param personId the column that names the person */
export function callWaysOf(personId: SQL, now: Date): SQL {
  return sql`
    select bool_or(i.channel = 'wecom') as by_wecom, bool_or(i.channel = 'official-account') as by_template,
      bool_or(i.channel = 'official-account' and coalesce(i.window_left > 0
        and i.window_ends_at > ${now.toISOString()}::timestamptz, false)) as by_message
    from identities i where i.person_id = ${personId} and i.is_reachable`
}

/**
 * The deliveries of a notice within a subtree with their receipts, in the order of the tree.
 * @param which `posted`, `withdrawn`, `all` of both and those that wait, or `dry`: those that wait
 * @param place.unitIds only of the groups of these very units
 * @param place.withReaders counts who has read it, group by group: for a page, not for a long list
 */
export async function deliveriesWithReceipts(
  db: Db,
  noticeId: number,
  path: string,
  which: 'all' | 'posted' | 'dry' | 'withdrawn',
  place: {
    now: Date
    limit: number
    offset?: number
    unitIds?: number[]
    withReaders?: boolean
  },
): Promise<DeliveryShown[]> {
  const { withReaders = false } = place
  const narrowed = {
    all: sql`(g.dissolved_at is null or d.status = 'posted')`,
    posted: sql`d.status = 'posted'`,
    dry: sql`d.status not in ('posted', 'withdrawn') and g.dissolved_at is null`,
    withdrawn: sql`d.status = 'withdrawn'`,
  }[which]
  const ofUnits = place.unitIds ? sql`and u.id = any(${sql.param(place.unitIds)}::bigint[])` : sql``
  const rows = await db.execute<{
    id: string
    group_id: string
    group_name: string
    unit_id: string
    unit_name: string
    level: string
    path: string
    owner_name: string | null
    status: string
    route: string
    updated_at: string
    receipts: (Omit<ReceiptShown, 'at'> & { at: string })[] | null
    by_wecom: boolean | null
    by_message: boolean | null
    by_template: boolean | null
    opened: number
    acknowledged: number
    first_opened: string | null
    answered_by: string | null
    answered_at: string | null
  }>(sql`
    select d.id, d.group_id, g.name as group_name, u.id as unit_id, u.name as unit_name, u.level, u.path,
      p.name as owner_name, d.status, d.route, d.updated_at, r.receipts, a.*, read.*,
      by.name as answered_by, answer.answered_at
    from (
      select d.* from deliveries d
      join groups g on g.id = d.group_id join units u on u.id = g.unit_id
      where d.notice_id = ${noticeId} and starts_with(u.path, ${path}) and ${narrowed} ${ofUnits}
      order by u.path, g.id limit ${place.limit} offset ${place.offset ?? 0}
    ) d
    join groups g on g.id = d.group_id join units u on u.id = g.unit_id left join persons p on p.id = d.owner_id
    left join lateral (
      select jsonb_agg(jsonb_build_object('kind', r.kind, 'at', r.at, 'proof', r.proof, 'by', by.name,
        'isOwner', r.person_id is not null and r.person_id = d.owner_id) order by r.at, r.id) as receipts
      from receipts r left join persons by on by.id = r.person_id where r.delivery_id = d.id
    ) r on true
    left join lateral (${callWaysOf(sql`d.owner_id`, place.now)}) a on true
    left join lateral (
      select count(*)::int as opened, count(n.acknowledged_at)::int as acknowledged, min(n.opened_at) as first_opened
      from (
        select g.owner_id as person_id where ${withReaders} union
        select m.person_id from group_members m
        where ${withReaders} and m.group_id = g.id and m.left_at is null and m.person_id is not null
      ) who join notice_readings n on n.notice_id = ${noticeId} and n.person_id = who.person_id
    ) read on true
    left join notice_answers answer on answer.notice_id = ${noticeId} and answer.unit_id = u.id
      and answer.replaced_at is null
    left join persons by on by.id = answer.person_id
    order by u.path, d.group_id`)
  return [...rows].map(row => ({
    id: Number(row.id),
    groupId: Number(row.group_id),
    groupName: row.group_name,
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
    level: row.level,
    path: row.path,
    ownerName: row.owner_name,
    status: row.status,
    route: row.route,
    since: new Date(row.updated_at),
    receipts: (row.receipts ?? []).map(receipt => ({ ...receipt, at: new Date(receipt.at) })),
    byWecom: row.by_wecom ?? false,
    byMessage: row.by_message ?? false,
    byTemplate: row.by_template ?? false,
    readers: {
      opened: row.opened,
      acknowledged: row.acknowledged,
      first: row.first_opened === null ? null : new Date(row.first_opened),
    },
    answer:
      row.answered_by === null ? null : { by: row.answered_by, at: new Date(row.answered_at as string) },
  }))
}

/** One unit with all below it, in a list of every unit. */
export interface UnitProgress {
  unitId: number
  name: string
  level: string
  path: string
  /** Deliveries to its very own groups, those that were taken back as well. */
  own: number
  /** With all below it, without what was taken back. */
  groups: number
  reached: number
  posted: number
  failed: number
  first: Date | null
  last: Date | null
}

/** Every unit of a subtree that a notice concerns, with the sums of all below it, in the order of the tree. */
export async function unitsProgress(db: Db, noticeId: number, path: string): Promise<UnitProgress[]> {
  const rows = await db.execute<{
    id: string
    name: string
    level: string
    path: string
    own: number
    groups: number
    reached: number
    posted: number
    failed: number
    first: string | null
    last: string | null
  }>(sql`
    with d as materialized (${counted(noticeId, path, true)}), came as (
      select r.delivery_id, min(r.at) filter (where r.kind <> 'received') as posted_at
      from receipts r where r.delivery_id in (select id from d) group by r.delivery_id
    ), own as materialized (
      select d.unit_id, count(*) as listed, count(*) filter (where status <> 'withdrawn') as groups,
        count(*) filter (where status in ('sent', 'posted') or (delivery_id is not null and status <> 'withdrawn')) as reached,
        count(*) filter (where status = 'posted') as posted, count(*) filter (where status = 'failed') as failed,
        min(posted_at) as first, max(posted_at) as last
      from d left join came on came.delivery_id = d.id group by d.unit_id
    ), up as (
      select above.id::bigint as top_id, own.* from own join units u on u.id = own.unit_id,
        unnest(string_to_array(trim(both '/' from u.path), '/')) as above (id)
    )
    select t.id, t.name, t.level, t.path, coalesce(max(own.listed), 0)::int as own, sum(up.groups)::int as groups,
      sum(up.reached)::int as reached, sum(up.posted)::int as posted, sum(up.failed)::int as failed,
      min(up.first) as first, max(up.last) as last
    from up join units t on t.id = up.top_id left join own on own.unit_id = t.id
    where starts_with(t.path, ${path}) group by t.id order by t.path`)
  const date = (written: string | null) => (written === null ? null : new Date(written))
  return [...rows].map(row => ({
    unitId: Number(row.id),
    name: row.name,
    level: row.level,
    path: row.path,
    own: row.own,
    groups: row.groups,
    reached: row.reached,
    posted: row.posted,
    failed: row.failed,
    first: date(row.first),
    last: date(row.last),
  }))
}

/** How many groups of a subtree a notice is meant for, and how many have it: the quickest count that there is. */
export async function countDeliveries(
  db: Db,
  noticeId: number,
  path: string,
): Promise<{ groups: number; posted: number }> {
  const [row] = await db.execute<{ groups: number; posted: number }>(sql`
    select count(*)::int as groups, (count(*) filter (where status = 'posted'))::int as posted
    from (${counted(noticeId, path)}) as d`)
  return row ?? { groups: 0, posted: 0 }
}

/** How many groups of a subtree got a notice, and how many owners' words came, in each stretch of time since `from`. */
export async function receiptsOverTime(
  db: Db,
  noticeId: number,
  path: string,
  from: Date,
  stretchMs: number,
): Promise<{ stretch: number; posted: number; received: number }[]> {
  const rows = await db.execute<{ stretch: number; posted: number; received: number }>(sql`
    select greatest(0, floor(extract(epoch from r.at - ${from.toISOString()}::timestamptz) * 1000 / ${stretchMs}::float8))::int as stretch,
      (count(*) filter (where r.kind <> 'received'))::int as posted,
      (count(*) filter (where r.kind = 'received'))::int as received
    from (${counted(noticeId, path)}) as d join receipts r on r.delivery_id = d.id
    group by 1 order by 1`)
  return [...rows]
}
