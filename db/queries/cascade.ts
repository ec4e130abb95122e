import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

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

/** The groups in use of a subtree, with the way to each. */
const targets = (unitPath: string): SQL => sql`
  select g.id as group_id, g.owner_id, g.chat_id, ${routeOfGroup} as route
  from units u join groups g on g.unit_id = u.id
  where starts_with(u.path, ${unitPath}) and g.dissolved_at is null`

export interface Reach {
  groups: number
  owners: number
  /** Groups that nobody can bring it into, because they have no owner. */
  ownerless: number
  routes: Record<Route, number>
}

type ReachRow = {
  owners: number
  ownerless: number
  robot: number
  appchat: number
  mass: number
  relay: number
}

const reachFigures = sql`
  count(distinct owner_id) filter (where route in ('relay', 'mass'))::int as owners,
  (count(*) filter (where route = 'relay' and owner_id is null))::int as ownerless,
  (count(*) filter (where route = 'robot'))::int as robot,
  (count(*) filter (where route = 'appchat'))::int as appchat,
  (count(*) filter (where route = 'mass'))::int as mass,
  (count(*) filter (where route = 'relay'))::int as relay`

function reachFrom(row: ReachRow | undefined): Reach {
  if (!row) throw new Error('an aggregate without a row')
  const { owners, ownerless, ...routes } = row
  return { owners, ownerless, routes, groups: routes.robot + routes.appchat + routes.mass + routes.relay }
}

/** What a notice to a subtree would reach. */
export async function reachOfUnit(db: Db, unitPath: string): Promise<Reach> {
  const rows = await db.execute<ReachRow>(sql`select ${reachFigures} from (${targets(unitPath)}) as target`)
  return reachFrom(rows[0])
}

/**
 * Writes the deliveries of a notice and the messages that carry them, in one statement whatever their number: a message
 * for each robot and app chat, a mass task (of at most 2,000 groups) and a request to relay for each owner. What the
 * messages say is written from the notice when they go out.
 * @param startsAt when the first may leave
 * @param firstStepAt when the first step of the escalation is due; null: nobody is chased
 */
export async function insertCascade(
  db: Db,
  notice: { id: number; unitPath: string },
  times: { now: Date; startsAt: Date; firstStepAt: Date | null },
): Promise<Reach> {
  const now = sql`${times.now.toISOString()}::timestamptz`
  const rows = await db.execute<ReachRow>(sql`
    with target as materialized (
      select *, case when route in ('robot', 'appchat') then group_id else owner_id end as carrier,
        case when route = 'mass'
          then (row_number() over (partition by route, owner_id order by group_id) - 1) / ${MAX_CHATS_OF_A_TASK}
          else 0 end as part
      from (${targets(notice.unitPath)}) as target
    ), carrying as materialized (
      select route, carrier, part, nextval(pg_get_serial_sequence('outgoing_messages', 'id')) as id,
        case when route = 'mass' then jsonb_agg(chat_id order by group_id) end as chat_ids
      from target where carrier is not null group by route, carrier, part
    ), sent as (
      insert into outgoing_messages (id, kind, person_id, group_id, notice_id, purpose, texts_sealed, chat_ids, status,
        next_attempt_at, created_at)
      overriding system value
      select id, case route when 'relay' then 'person' else route end,
        case when route in ('relay', 'mass') then carrier end, case when route in ('robot', 'appchat') then carrier end,
        ${notice.id}::bigint, case route when 'relay' then 'relay' else 'notice' end, '', chat_ids, 'pending',
        ${times.startsAt.toISOString()}::timestamptz, ${now}
      from carrying order by carrier, part
    ), delivered as (
      insert into deliveries (notice_id, group_id, route, owner_id, outgoing_id, status, due_at, updated_at)
      select ${notice.id}::bigint, target.group_id, target.route, target.owner_id, carrying.id,
        case when target.carrier is null then 'failed' else 'pending' end,
        ${times.firstStepAt?.toISOString() ?? null}::timestamptz, ${now}
      from target left join carrying using (route, carrier, part)
      returning route, owner_id
    )
    select ${reachFigures} from delivered`)
  return reachFrom(rows[0])
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

/**
 * Takes deliveries whose next step is due and moves them on to the one behind it, the longest due first. What the same
 * owners are asked about soon comes with it, so that they are asked once.
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
    with due as (
      select id, owner_id from deliveries where due_at <= ${now.toISOString()}::timestamptz
      order by due_at, owner_id limit ${limit} for update skip locked
    ), with_it as (
      select id from deliveries
      where due_at > ${now.toISOString()}::timestamptz and due_at <= ${soon.toISOString()}::timestamptz
        and owner_id in (select owner_id from due) for update skip locked
    ), taken as (
      update deliveries d set step = d.step + 1, due_at = (n.steps -> (d.step + 1) ->> 'at')::timestamptz
      from notices n
      where n.id = d.notice_id and d.id in (select id from due union all select id from with_it)
      returning d.*, n.steps -> (d.step - 1) ->> 'to' as "to"
    )
    select t.id, t.notice_id, t."to", t.route, t.status, t.owner_id, p.name as owner_name, t.group_id,
      g.name as group_name, u.id as unit_id, u.name as unit_name, u.path as unit_path, u.parent_id,
      g.dissolved_at is not null as is_gone
    from taken t
    join groups g on g.id = t.group_id
    join units u on u.id = g.unit_id
    left join persons p on p.id = t.owner_id
    order by t.notice_id, u.path, g.id`)
  return [...rows]
    .filter(row => !row.is_gone && row.status !== 'posted')
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
