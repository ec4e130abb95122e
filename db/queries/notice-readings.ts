import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { noticeReadings } from '../schema/index.ts'
import type { NoticeAsk } from './notices.ts'

export type NoticeReading = typeof noticeReadings.$inferSelect

/** The notices that are meant for a person, as their own page shows them. */
export interface OwnNotice {
  id: number
  body: string
  unitName: string
  issuedAt: Date
  deadlineAt: Date
  link: string | null
  ask: NoticeAsk | null
  /** `notice`, or what follows another: `correction`, `withdrawal`. */
  kind: string
  aboutId: number | null
  withdrawnAt: Date | null
  openedAt: Date | null
  acknowledgedAt: Date | null
  /** Their own groups in which it is not, and which they are to bring it into. */
  toRelay: number
  /** Their own groups and those they are in, which have it. */
  posted: number
}

/** A delivery `d` of a notice `n` that was withdrawn, or whose correction is on its way to the group: nothing waits any more. */
const isOver = sql`(n.withdrawn_at is not null or exists (
  select from notices c join deliveries cd on cd.notice_id = c.id and cd.group_id = d.group_id
  where c.about_id = coalesce(n.about_id, n.id) and c.kind = 'correction' and c.id > n.id))`

/**
 * The deliveries that concern a person: to the groups that they own, and what has come into those that they are in. The
 * notices are found from the units above these groups, so that those of all others are not touched.
 */
function concerning(personId: number) {
  return sql`
    mine as (
      select g.id, g.unit_id, true as is_owner from groups g where g.owner_id = ${personId} and g.dissolved_at is null
      union all
      select g.id, g.unit_id, false from group_members m join groups g on g.id = m.group_id
      where m.person_id = ${personId} and m.left_at is null and g.dissolved_at is null
        and g.owner_id is distinct from ${personId}
    ), above as (
      select distinct part.id::bigint as id from mine join units u on u.id = mine.unit_id,
        unnest(string_to_array(trim(both '/' from u.path), '/')) as part (id)
    ), concerning as (
      select n.id as notice_id, d.group_id, d.status, d.route, mine.is_owner, ${isOver} as is_over
      from notices n join mine on true join deliveries d on d.notice_id = n.id and d.group_id = mine.id
      where n.unit_id in (select id from above) and d.status <> 'withdrawn' and (mine.is_owner or d.status = 'posted')
    )`
}

type Row = {
  id: string
  body: string
  unit_name: string
  issued_at: string
  deadline_at: string
  link: string | null
  ask: NoticeAsk | null
  kind: string
  about_id: string | null
  withdrawn_at: string | null
  opened_at: string | null
  acknowledged_at: string | null
  to_relay: number
  posted: number
}

const columns = sql`n.id, n.body, u.name as unit_name, n.issued_at, n.deadline_at, n.link, n.ask, n.kind,
  n.about_id, n.withdrawn_at, r.opened_at, r.acknowledged_at,
  c.to_relay, c.posted`
/** As `openDeliveriesOf` has it: what an owner can settle with a word. */
const isToRelay = sql`is_owner and not is_over and status <> 'posted' and (route = 'relay' or status = 'unknown')`

/** The notices for a person, the newest first. @param only `open`: those that wait for something from them */
export async function noticesFor(
  db: Db,
  personId: number,
  only: 'all' | 'open',
  place: { limit: number; offset: number },
): Promise<OwnNotice[]> {
  const rows = await db.execute<Row>(sql`
    with ${concerning(personId)}, counted as (
      select notice_id, (count(*) filter (where ${isToRelay}))::int as to_relay,
        (count(*) filter (where status = 'posted'))::int as posted
      from concerning group by notice_id
    )
    select ${columns} from counted c
    join notices n on n.id = c.notice_id join units u on u.id = n.unit_id
    left join notice_readings r on r.notice_id = n.id and r.person_id = ${personId}
    where ${only === 'all'} or c.to_relay > 0 or r.acknowledged_at is null and n.withdrawn_at is null
    order by n.id desc limit ${place.limit} offset ${place.offset}`)
  return [...rows].map(flat)
}

/** A notice when it is meant for this person; null otherwise. */
export async function noticeFor(db: Db, personId: number, noticeId: number): Promise<OwnNotice | null> {
  const [row] = await db.execute<Row>(sql`
    with ${concerning(personId)}, counted as (
      select (count(*) filter (where ${isToRelay}))::int as to_relay,
        (count(*) filter (where status = 'posted'))::int as posted
      from concerning where notice_id = ${noticeId} having count(*) > 0
    )
    select ${columns} from counted c
    join notices n on n.id = ${noticeId} join units u on u.id = n.unit_id
    left join notice_readings r on r.notice_id = n.id and r.person_id = ${personId}`)
  return row ? flat(row) : null
}

/** A notice as a person's page shows it, to somebody whom it concerns by their office alone. */
export async function noticeAsOwn(db: Db, personId: number, noticeId: number): Promise<OwnNotice | null> {
  const [row] = await db.execute<Row>(sql`
    select ${columns} from (select 0 as to_relay, 0 as posted) c
    join notices n on n.id = ${noticeId} join units u on u.id = n.unit_id
    left join notice_readings r on r.notice_id = n.id and r.person_id = ${personId}`)
  return row ? flat(row) : null
}

function flat(row: Row): OwnNotice {
  const date = (written: string | null) => (written === null ? null : new Date(written))
  return {
    id: Number(row.id),
    body: row.body,
    unitName: row.unit_name,
    issuedAt: new Date(row.issued_at),
    deadlineAt: new Date(row.deadline_at),
    link: row.link,
    ask: row.ask,
    kind: row.kind,
    aboutId: row.about_id === null ? null : Number(row.about_id),
    withdrawnAt: date(row.withdrawn_at),
    openedAt: date(row.opened_at),
    acknowledgedAt: date(row.acknowledged_at),
    toRelay: row.to_relay,
    posted: row.posted,
  }
}

/** How an owner's groups stand with a notice. */
export async function ownGroupsOf(db: Db, personId: number, noticeId: number) {
  const rows = await db.execute<{
    id: string
    name: string
    unit_name: string
    status: string
    route: string
    is_over: boolean
    is_received: boolean
  }>(sql`
    select g.id, g.name, u.name as unit_name, d.status, d.route, ${isOver} as is_over,
      exists (select from receipts r where r.delivery_id = d.id and r.kind = 'received') as is_received
    from deliveries d join notices n on n.id = d.notice_id
    join groups g on g.id = d.group_id join units u on u.id = g.unit_id
    where d.notice_id = ${noticeId} and g.owner_id = ${personId} and g.dissolved_at is null
    order by (d.status = 'posted'), g.id`)
  return [...rows].map(row => ({
    id: Number(row.id),
    name: row.name,
    unitName: row.unit_name,
    status: row.status,
    isReceived: row.is_received,
    /** Whether the owner's word settles it. */
    isToRelay:
      !row.is_over &&
      !['posted', 'withdrawn'].includes(row.status) &&
      (row.route === 'relay' || row.status === 'unknown'),
  }))
}

/** Notes that a person has opened a notice; the first time counts. */
export async function noteOpened(db: Db, noticeId: number, personId: number, now: Date): Promise<void> {
  await db.insert(noticeReadings).values({ noticeId, personId, openedAt: now }).onConflictDoNothing()
}

/** Notes that a person says they have read a notice. false: they had said so before. */
export async function noteAcknowledged(
  db: Db,
  noticeId: number,
  personId: number,
  now: Date,
): Promise<boolean> {
  await noteOpened(db, noticeId, personId, now)
  const rows = await db
    .update(noticeReadings)
    .set({ acknowledgedAt: now })
    .where(
      and(
        eq(noticeReadings.noticeId, noticeId),
        eq(noticeReadings.personId, personId),
        isNull(noticeReadings.acknowledgedAt),
      ),
    )
    .returning({ id: noticeReadings.id })
  return rows.length === 1
}
