import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { NoticeAudience } from '../schema/index.ts'

/** How a notice gets into a group. */
export type Route = 'robot' | 'appchat' | 'mass' | 'relay'

/** Groups in one mass task. @see https://developer.work.weixin.qq.com/document/path/92135 */
const MAX_CHATS_OF_A_TASK = 2000

/**
 * The way that fits a group `g`. An ordinary group has no interface, and a customer group whose owner has no WeCom account
 * bound cannot be sent a mass task: there the owner relays by hand.
 */
const routeOfGroup = sql`
  case when g.platform = 'internal' and g.webhook_sealed is not null then 'robot'
    when g.platform = 'appchat' and g.chat_id is not null then 'appchat'
    when g.platform = 'customer' and g.chat_id is not null and exists (
      select from identities i where i.person_id = g.owner_id and i.channel = 'wecom') then 'mass'
    else 'relay' end`

/** Deliveries `d`, with their message `o`, of which the notice is in the group or on its way there; not what was taken back. */
const wentOut = sql`(d.status <> 'withdrawn' and (d.status in ('posted', 'sent', 'unknown')
  or o.status in ('sending', 'sent', 'waiting', 'unknown') or o.sent_count > 0))`

/** What an audience demands of a unit `u` and its group `g`; every part of it narrows. */
function narrowed({ levels, groupKinds, unitIds, unansweredOf, gotNotice }: NoticeAudience): SQL {
  const parts: SQL[] = []
  if (levels) parts.push(sql`u.level = any(${sql.param(levels)}::text[])`)
  if (groupKinds) parts.push(sql`g.kind = any(${sql.param(groupKinds)}::text[])`)
  if (unitIds)
    parts.push(sql`exists (select from units top where top.id = any(${sql.param(unitIds)}::bigint[])
      and starts_with(u.path, top.path))`)
  if (unansweredOf !== undefined)
    parts.push(
      sql`u.id in (select asked.unit_id from deliveries d join groups asked on asked.id = d.group_id
        where d.notice_id = ${unansweredOf})`,
      sql`not exists (select from notice_answers a
        where a.notice_id = ${unansweredOf} and a.unit_id = u.id and a.replaced_at is null)`,
    )
  if (gotNotice !== undefined)
    parts.push(sql`g.id in (select d.group_id from deliveries d
      left join outgoing_messages o on o.id = d.outgoing_id
      where d.notice_id in (select id from notices where id = ${gotNotice} or about_id = ${gotNotice} and kind = 'correction')
        and ${wentOut})`)
  return parts.length === 0 ? sql`true` : sql.join(parts, sql` and `)
}

/** The groups in use of a subtree that an audience means, with the way to each. */
const targets = (unitPath: string, audience: NoticeAudience): SQL => sql`
  select g.id as group_id, g.owner_id, g.chat_id, g.size, u.id as unit_id, u.path, u.level, ${routeOfGroup} as route
  from units u join groups g on g.unit_id = u.id
  where starts_with(u.path, ${unitPath}) and g.dissolved_at is null and ${narrowed(audience)}`

export interface Reach {
  groups: number
  owners: number
  /** Groups that nobody can bring it into, because they have no owner. */
  ownerless: number
  /** Members of the groups, as far as their numbers are known; who is in two groups counts twice. */
  people: number
  routes: Record<Route, number>
}

type ReachRow = {
  owners: number
  ownerless: number
  people: string
  robot: number
  appchat: number
  mass: number
  relay: number
}

const reachFigures = sql`
  count(distinct owner_id) filter (where route in ('relay', 'mass'))::int as owners,
  (count(*) filter (where route = 'relay' and owner_id is null))::int as ownerless,
  coalesce(sum(size), 0) as people,
  (count(*) filter (where route = 'robot'))::int as robot,
  (count(*) filter (where route = 'appchat'))::int as appchat,
  (count(*) filter (where route = 'mass'))::int as mass,
  (count(*) filter (where route = 'relay'))::int as relay`

function reachFrom(row: ReachRow | undefined): Reach {
  if (!row) throw new Error('an aggregate without a row')
  const { owners, ownerless, people, ...routes } = row
  const groups = routes.robot + routes.appchat + routes.mass + routes.relay
  return { owners, ownerless, people: Number(people), routes, groups }
}

/** What a notice to a subtree would reach. */
export async function reachOfUnit(db: Db, unitPath: string, audience: NoticeAudience = {}): Promise<Reach> {
  const rows = await db.execute<ReachRow>(
    sql`select ${reachFigures} from (${targets(unitPath, audience)}) as target`,
  )
  return reachFrom(rows[0])
}

/** The levels on which an audience has groups, in no order. */
export async function levelsOfAudience(
  db: Db,
  unitPath: string,
  audience: NoticeAudience,
): Promise<string[]> {
  const rows = await db.execute<{ level: string }>(
    sql`select distinct level from (${targets(unitPath, audience)}) as target`,
  )
  return [...rows].map(row => row.level)
}

/** Units by their ids, with what is needed to check that they may be addressed. */
export async function unitsOfAudience(
  db: Db,
  unitIds: number[],
): Promise<{ id: number; name: string; path: string }[]> {
  const rows = await db.execute<{ id: string; name: string; path: string }>(
    sql`select id, name, path from units where id = any(${sql.param(unitIds)}::bigint[]) order by path`,
  )
  return [...rows].map(row => ({ ...row, id: Number(row.id) }))
}

/** When the messages of a cascade may leave, and when somebody is first asked after them. */
export interface CascadeTimes {
  now: Date
  startsAt: Date
  /** null: nobody is chased. */
  firstStepAt: Date | null
  /** By level, for a notice that goes level by level: when its messages leave at the latest. */
  latestStarts?: ReadonlyMap<string, Date>
}

/**
 * Writes the deliveries of a notice and the messages that carry them, in one statement whatever their number: a message
 * for each robot and app chat, a mass task (of at most 2,000 groups) and a request to relay for each owner, numbered for
 * its mark. What the messages say is written from the notice when they go out.
 *
 * Level by level, the messages of those who wait for a unit above carry the latest moment of their level, and an owner
 * gets a request for each level on which they have groups; all but the first count as chases.
 * @param notice.isAgain some of its groups have it already; only the others are added
 */
export async function insertCascade(
  db: Db,
  notice: { id: number; unitPath: string; audience?: NoticeAudience; isAgain?: boolean },
  times: CascadeTimes,
): Promise<Reach> {
  const now = sql`${times.now.toISOString()}::timestamptz`
  const startsAt = sql`${times.startsAt.toISOString()}::timestamptz`
  const levels = times.latestStarts === undefined ? null : levelTables(times.latestStarts, startsAt)
  const level = levels ? sql`, starts_at` : sql``
  const rows = await db.execute<ReachRow>(sql`
    with reached as (${targets(notice.unitPath, notice.audience ?? {})} ${notice.isAgain ? hasNotGot(notice.id) : sql``}),
    ${levels ?? sql``}
    target as materialized (
      select group_id, owner_id, chat_id, size, route${level},
        case when route in ('robot', 'appchat') then group_id else owner_id end as carrier,
        case when route = 'mass'
          then (row_number() over (partition by route, owner_id${level} order by group_id) - 1) / ${MAX_CHATS_OF_A_TASK}
          else 0 end as part
      from ${levels ? sql`timed` : sql`reached`}
    ), carrying as materialized (
      select route, carrier, part, ${levels ? sql`starts_at` : sql`${startsAt} as starts_at`},
        nextval(pg_get_serial_sequence('outgoing_messages', 'id')) as id,
        case when route = 'relay' then row_number() over (partition by route order by carrier${level})
          ${notice.isAgain ? behindMarksOf(notice.id) : sql``} end as mark,
        case when route = 'mass' then jsonb_agg(chat_id order by group_id) end as chat_ids
      from target where carrier is not null group by route, carrier, part${level}
    ), sent as (
      insert into outgoing_messages (id, kind, person_id, group_id, notice_id, purpose, texts_sealed, chat_ids, status,
        next_attempt_at, mark, created_at)
      overriding system value
      select id, case route when 'relay' then 'person' else route end,
        case when route in ('relay', 'mass') then carrier end, case when route in ('robot', 'appchat') then carrier end,
        ${notice.id}::bigint, case route when 'relay' then 'relay' else 'notice' end, '', chat_ids, 'pending',
        starts_at, mark, ${now}
      from carrying order by carrier, part
    ),
    ${levels ? furtherRequests(notice.id, now) : sql``}
    delivered as (
      insert into deliveries (notice_id, group_id, route, owner_id, outgoing_id, status, due_at, updated_at)
      select ${notice.id}::bigint, target.group_id, target.route, target.owner_id, carrying.id,
        case when target.carrier is null then 'failed' else 'pending' end,
        ${times.firstStepAt?.toISOString() ?? null}::timestamptz, ${now}
      from target left join carrying using (route, carrier, part${level})
    )
    select ${reachFigures} from target`)
  return reachFrom(rows[0])
}

/** Narrows targets to groups that a notice has no delivery for. */
const hasNotGot = (noticeId: number): SQL => sql`
  and not exists (select from deliveries had where had.notice_id = ${noticeId} and had.group_id = g.id)`

/** Goes on with the numbers of the copies that are relayed by hand. */
const behindMarksOf = (noticeId: number): SQL => sql`
  + (select coalesce(max(m.mark), 0) from outgoing_messages m where m.notice_id = ${noticeId} and m.mark is not null)`

/**
 * For a notice that goes level by level: a unit below another that has groups of the audience waits, at the latest until
 * the moment of its level.
 */
function levelTables(latestStarts: ReadonlyMap<string, Date>, startsAt: SQL): SQL {
  const moments = [...latestStarts.values()].map(at => at.toISOString())
  return sql`
      unit_reached as materialized (select distinct unit_id, path from reached),
      waiting as materialized (
        select distinct below.unit_id, true as waits
        from unit_reached below
        cross join unnest(string_to_array(trim(both '/' from below.path), '/')) as part (id)
        join unit_reached above on above.unit_id = part.id::bigint and above.unit_id <> below.unit_id
      ),
      latest as (
        select * from unnest(${sql.param([...latestStarts.keys()])}::text[],
          ${sql.param(moments)}::text[]) as l (level, latest_at)
      ),
      timed as (
        select reached.*, case when waits then coalesce(latest_at::timestamptz, ${startsAt}) else ${startsAt} end as starts_at
        from reached left join waiting using (unit_id) left join latest using (level)
      ),`
}

/** Counts the second and every further request to the same owner. */
const furtherRequests = (noticeId: number, now: SQL): SQL => sql`
  further as (
    insert into notice_chases (notice_id, person_id, count, last_at)
    select ${noticeId}::bigint, carrier, count(*) - 1, ${now}
    from carrying where route = 'relay' group by carrier having count(*) > 1
  ),`

/**
 * Lets the messages of the next levels leave where all groups of the level above have a notice that goes level by level.
 * Done twice it does nothing more.
 * @param only the deliveries that have just been posted; null: whatever is due, for what was missed
 * @param startsAt when they may leave
 * @returns how many messages
 */
export async function releaseNextLevels(
  db: Db,
  noticeId: number,
  only: number[] | null,
  startsAt: Date,
): Promise<number> {
  const at = sql`${startsAt.toISOString()}::timestamptz`
  const posted = only === null ? sql`true` : sql`d.id = any(${sql.param(only)}::bigint[])`
  const rows = await db.execute<{ id: string }>(sql`
    with recursive done as (
      select distinct g.unit_id as id from deliveries d join groups g on g.id = d.group_id
      where d.notice_id = ${noticeId} and d.status = 'posted' and ${posted} and not exists (
        select from groups og join deliveries o on o.notice_id = ${noticeId} and o.group_id = og.id
        where og.unit_id = g.unit_id and og.dissolved_at is null and o.status <> 'posted')
    ), next_down as (
      select c.id, exists (select from groups g join deliveries d on d.notice_id = ${noticeId} and d.group_id = g.id
        where g.unit_id = c.id) as has_groups
      from done join units c on c.parent_id = done.id
      union all
      select c.id, exists (select from groups g join deliveries d on d.notice_id = ${noticeId} and d.group_id = g.id
        where g.unit_id = c.id)
      from next_down n join units c on c.parent_id = n.id where not n.has_groups
    )
    update outgoing_messages m set next_attempt_at = ${at}
    where m.status = 'pending' and m.attempts = 0 and m.next_attempt_at > ${at}
      and m.id in (
        select d.outgoing_id from next_down n join groups g on g.unit_id = n.id
        join deliveries d on d.notice_id = ${noticeId} and d.group_id = g.id
        where n.has_groups and d.status = 'pending')
    returning m.id`)
  return rows.length
}

/** Notices that go level by level and of which some level may not have begun. */
export async function noticesByLevelUnderWay(
  db: Db,
  now: Date,
): Promise<{ id: number; importance: string }[]> {
  const rows = await db.execute<{ id: string; importance: string }>(sql`
    select n.id, n.importance from notices n
    where n.mode = 'by-level' and n.withdrawn_at is null and n.deadline_at > ${now.toISOString()}::timestamptz
      and exists (select from outgoing_messages m where m.notice_id = n.id and m.status in ('pending', 'retrying')
        and m.next_attempt_at > ${now.toISOString()}::timestamptz)
    order by n.id`)
  return [...rows].map(row => ({ id: Number(row.id), importance: row.importance }))
}

/** A delivery whose next step is due. */
export interface DueDelivery {
  id: number
  noticeId: number
  to: string
  route: Route
  status: string
  ownerId: number | null
  ownerName: string | null
  groupId: number
  groupName: string
  unitId: number
  unitName: string
  unitPath: string
  parentUnitId: number | null
}

/** Of how many units, with all below each, what is due is taken together. */
const UNITS_AT_ONCE = 20

/**
 * Takes deliveries whose next step is due and moves them on to the one behind it, the longest due first. With one comes
 * what is due soon in all units below the same unit, and of the same owners: so everybody is asked once, also those who
 * answer for a unit.
 * @param soon until when "soon" is
 */
export async function takeDueDeliveries(
  db: Db,
  now: Date,
  soon: Date,
  limit: number,
): Promise<DueDelivery[]> {
  const rows = await db.execute<{
    id: string
    notice_id: string
    to: string
    route: Route
    status: string
    owner_id: string | null
    owner_name: string | null
    group_id: string
    group_name: string
    unit_id: string
    unit_name: string
    unit_path: string
    parent_id: string | null
    is_gone: boolean
  }>(sql`
    with longest as (
      select id, notice_id, group_id from deliveries where due_at <= ${now.toISOString()}::timestamptz
      order by due_at, owner_id limit ${limit} for update skip locked
    ), units_above as (
      select l.notice_id, coalesce(u.parent_id, u.id) as above
      from longest l join groups g on g.id = l.group_id join units u on u.id = g.unit_id
      group by 1, 2 order by min(l.id) limit ${UNITS_AT_ONCE}
    ), of_units as (
      select d.id, d.owner_id from units_above a join units u on u.parent_id = a.above or u.id = a.above
      join groups g on g.unit_id = u.id join deliveries d on d.notice_id = a.notice_id and d.group_id = g.id
      where d.due_at <= ${soon.toISOString()}::timestamptz for update of d skip locked
    ), of_owners as (
      select id from deliveries
      where due_at <= ${soon.toISOString()}::timestamptz and owner_id in (select owner_id from of_units)
      for update skip locked
    ), taken as (
      update deliveries d set step = d.step + 1, due_at = (n.steps -> (d.step + 1) ->> 'at')::timestamptz
      from notices n
      where n.id = d.notice_id
        and d.id in (select id from of_units union select id from of_owners)
      returning d.*, n.steps -> (d.step - 1) ->> 'to' as "to", n.withdrawn_at is not null as is_withdrawn
    )
    select t.id, t.notice_id, t."to", t.route, t.status, t.owner_id, p.name as owner_name, t.group_id,
      g.name as group_name, u.id as unit_id, u.name as unit_name, u.path as unit_path, u.parent_id,
      g.dissolved_at is not null or t.is_withdrawn as is_gone
    from taken t
    join groups g on g.id = t.group_id
    join units u on u.id = g.unit_id
    left join persons p on p.id = t.owner_id
    order by t.notice_id, u.path, g.id`)
  return [...rows]
    .filter(row => !row.is_gone && row.status !== 'posted' && row.status !== 'withdrawn')
    .map(row => ({
      id: Number(row.id),
      noticeId: Number(row.notice_id),
      to: row.to,
      route: row.route,
      status: row.status,
      ownerId: row.owner_id === null ? null : Number(row.owner_id),
      ownerName: row.owner_name,
      groupId: Number(row.group_id),
      groupName: row.group_name,
      unitId: Number(row.unit_id),
      unitName: row.unit_name,
      unitPath: row.unit_path,
      parentUnitId: row.parent_id === null ? null : Number(row.parent_id),
    }))
}

/**
 * Stops the posts and mass tasks of these deliveries that have not gone out. What is in flight, of unknown fate, or out in
 * part stays, so that nothing is posted twice.
 * @returns all deliveries of the messages that were stopped
 */
export async function stopUnsent(
  db: Db,
  deliveryIds: number[],
  why: string,
): Promise<{ deliveryId: number; noticeId: number; ownerId: number | null }[]> {
  if (deliveryIds.length === 0) return []
  const rows = await db.execute<{ id: string; notice_id: string; owner_id: string | null }>(sql`
    with stopped as (
      update outgoing_messages set status = 'cancelled', error = ${why}
      where id in (select outgoing_id from deliveries where id = any(${sql.param(deliveryIds)}::bigint[]))
        and status in ('pending', 'retrying') and kind <> 'person' and sent_count = 0
      returning id
    )
    select d.id, d.notice_id, d.owner_id from deliveries d
    where d.outgoing_id in (select id from stopped) and d.status in ('pending', 'failed')
    order by d.id`)
  return [...rows].map(row => ({
    deliveryId: Number(row.id),
    noticeId: Number(row.notice_id),
    ownerId: row.owner_id === null ? null : Number(row.owner_id),
  }))
}

/** Cancels what has not gone out to groups that have the notice by now, by somebody's hand. */
export async function cancelSettled(db: Db, deliveryIds: number[]): Promise<void> {
  await db.execute(sql`
    update outgoing_messages m set status = 'cancelled', error = '要传达的群都已经有了'
    where m.id in (select outgoing_id from deliveries where id = any(${sql.param(deliveryIds)}::bigint[]))
      and m.status in ('pending', 'retrying') and not exists (
        select from deliveries d where d.outgoing_id = m.id and d.status not in ('posted', 'withdrawn'))`)
}

/** Notes who was asked to see to which deliveries. */
export async function insertAsks(
  db: Db,
  asks: { deliveryId: number; personId: number; step: string }[],
  now: Date,
): Promise<void> {
  if (asks.length === 0) return
  await db.execute(sql`
    insert into delivery_asks (delivery_id, person_id, step, asked_at)
    select delivery_id, person_id, step, ${now.toISOString()}::timestamptz
    from unnest(${sql.param(asks.map(ask => ask.deliveryId))}::bigint[],
      ${sql.param(asks.map(ask => ask.personId))}::bigint[],
      ${sql.param(asks.map(ask => ask.step))}::text[]) as ask (delivery_id, person_id, step)
    on conflict do nothing`)
}

/** Who was asked about these deliveries already, as `delivery person`. */
export async function asksOf(db: Db, deliveryIds: number[]): Promise<Set<string>> {
  if (deliveryIds.length === 0) return new Set()
  const rows = await db.execute<{ delivery_id: string; person_id: string }>(sql`
    select delivery_id, person_id from delivery_asks where delivery_id = any(${sql.param(deliveryIds)}::bigint[])`)
  return new Set([...rows].map(row => `${row.delivery_id} ${row.person_id}`))
}

/** Those of them who have an account that can be written to. */
export async function reachablePersons(db: Db, personIds: number[]): Promise<Set<number>> {
  if (personIds.length === 0) return new Set()
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct person_id from identities
    where person_id = any(${sql.param(personIds)}::bigint[]) and is_reachable
      and channel in ('wecom', 'official-account')`)
  return new Set([...rows].map(row => Number(row.person_id)))
}

/** A notice and a person. */
export interface Pair {
  noticeId: number
  personId: number
}

export const pairKey = ({ noticeId, personId }: Pair): string => `${noticeId} ${personId}`

/** How many messages about a notice each of these persons has had, the first request to relay it not counted. */
export async function chasesHad(db: Db, pairs: Pair[]): Promise<Map<string, number>> {
  if (pairs.length === 0) return new Map()
  const rows = await db.execute<{ notice_id: string; person_id: string; count: number }>(sql`
    select notice_id, person_id, c.count
    from unnest(${sql.param(pairs.map(pair => pair.noticeId))}::bigint[],
      ${sql.param(pairs.map(pair => pair.personId))}::bigint[]) as pair (notice_id, person_id)
    join notice_chases c using (notice_id, person_id)`)
  return new Map(
    [...rows].map(row => [
      pairKey({ noticeId: Number(row.notice_id), personId: Number(row.person_id) }),
      row.count,
    ]),
  )
}

/** Counts one message more about each of these notices to each of these persons. */
export async function countChases(db: Db, pairs: Pair[], now: Date): Promise<void> {
  if (pairs.length === 0) return
  await db.execute(sql`
    insert into notice_chases as c (notice_id, person_id, count, last_at)
    select notice_id, person_id, 1, ${now.toISOString()}::timestamptz
    from unnest(${sql.param(pairs.map(pair => pair.noticeId))}::bigint[],
      ${sql.param(pairs.map(pair => pair.personId))}::bigint[]) as pair (notice_id, person_id)
    order by notice_id, person_id
    on conflict (notice_id, person_id) do update set count = c.count + 1, last_at = excluded.last_at`)
}

/**
 * A unit has answered a notice: what was written to those who had not answered it, and has not gone out to the unit's
 * groups, does not go out any more; about the rest nobody is asked after. As everywhere the messages are locked before
 * their deliveries.
 */
export async function dropFollowUps(db: Db, noticeId: number, unitId: number, now: Date): Promise<void> {
  const theirs = sql`
    select d.id, d.outgoing_id from notices n
    join groups g on g.unit_id = ${unitId} join deliveries d on d.notice_id = n.id and d.group_id = g.id
    where n.audience ? 'unansweredOf' and (n.audience ->> 'unansweredOf')::bigint = ${noticeId}
      and d.status not in ('posted', 'withdrawn')`
  const held = await db.execute<{ id: string }>(sql`
    select id from outgoing_messages where id in (select outgoing_id from (${theirs}) as t)
      and status in ('pending', 'retrying', 'waiting') and sent_count = 0 order by id for update`)
  const messageIds = [...held].map(row => Number(row.id))
  const dropped = await db.execute<{ id: string }>(sql`
    update deliveries d set due_at = null, updated_at = ${now.toISOString()}::timestamptz,
      status = case when d.status = 'failed' or d.outgoing_id = any(${sql.param(messageIds)}::bigint[])
        then 'withdrawn' else d.status end
    where d.id in (select id from (${theirs}) as t)
    returning d.id`)
  if (dropped.length === 0) return
  // a mass task goes to the others of its owner
  await db.execute(sql`
    update outgoing_messages m set chat_ids = (
      select coalesce(jsonb_agg(g.chat_id order by g.id), '[]') from deliveries d join groups g on g.id = d.group_id
      where d.outgoing_id = m.id and d.status <> 'withdrawn')
    where m.id = any(${sql.param(messageIds)}::bigint[]) and m.kind = 'mass'`)
  await cancelSettled(
    db,
    [...dropped].map(row => Number(row.id)),
  )
}
