import { type SQL, sql } from 'drizzle-orm'
import { batched, IN_FLIGHT, PACE_MS } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiledSql } from '../compiled.ts'

export interface SenderRole {
  unitId: number
  unitName: string
  unitPath: string
  programme: string
  level: string
  role: string
}

export interface SenderRow {
  identityId: number
  personId: number | null
  personName: string | null
  roles: SenderRole[]
  ownsGroups: boolean
  /** Texts wait for this person to write. */
  hasWaiting: boolean
  /** They called for help within a day, and it has not ended: what they say next may belong to it. */
  hasCalled: boolean
  boundBy: string | null
  conversation: ConversationRow | null
}

export interface ConversationRow {
  name: string
  version: number
  step: string
  answers: Record<string, string>
}

/** A platform account: whose id it is, and the id. */
export interface AccountKey {
  channel: string
  address: string
}

/** How long, and for how many messages, an account has just opened itself to us (客服消息时窗). */
export interface OpenedWindow {
  endsAt: Date
  left: number
}

/** A sender as they were read, with what tells whether their row must be brought up to date. */
export interface KnownSender extends SenderRow {
  /** Of all that an answer rests on: whether it still stands is asked of the database when the answer is stored. */
  digest: string
  isReachable: boolean
  lastSeenAt: Date | null
  windowEndsAt: Date | null
  windowLeft: number | null
}

type Row = {
  identity_id: string
  person_id: string | null
  bound_by: string | null
  name: string | null
  roles: SenderRole[] | null
  owns_groups: boolean | null
  has_waiting: boolean
  has_called: boolean
  conversation: ConversationRow | null
}

const isOpenCall = (now: SQL) => sql`d.ended_at is null and d.created_at + interval '1 day' > ${now}`

/** Of an account `me` (id, person_id, bound_by): who it is and where they are in a dialogue. */
const whoIs = (now: SQL) => sql`
    me.id as identity_id, me.person_id, me.bound_by, p.name,
    case when me.person_id is not null then
      (select json_agg(json_build_object('unitId', u.id, 'unitName', u.name, 'unitPath', u.path,
          'programme', u.programme, 'level', u.level, 'role', r.role) order by length(u.path), r.id)
        from roles r join units u on u.id = r.unit_id where r.person_id = me.person_id and r.ended_at is null)
      end as roles,
    case when me.person_id is not null then
      exists (select from groups g where g.owner_id = me.person_id and g.dissolved_at is null)
      end as owns_groups,
    -- each of the two ways has an index of its own; one question for both would read all that wait for anybody
    (exists (select from outgoing_messages o where o.status = 'waiting' and o.identity_id = me.id)
      or exists (select from outgoing_messages o where o.status = 'waiting' and o.person_id = me.person_id)
    ) as has_waiting,
    (exists (select from danger_calls d where d.identity_id = me.id and ${isOpenCall(now)})
      or exists (select from danger_calls d where d.person_id = me.person_id and ${isOpenCall(now)})
    ) as has_called,
    (select json_build_object('name', c.name, 'version', c.version, 'step', c.step, 'answers', c.answers)
      from conversations c where c.identity_id = me.id and c.expires_at > ${now}) as conversation`

/**
 * What is known of the account `me` (and its person `p`), as a row: all that an answer rests on. `md5(known::text)` is
 * its digest. To be joined laterally.
 */
const known = (now: SQL) => sql`(select ${whoIs(now)}, me.is_reachable, me.window_left) as known`

/**
 * The digests of senders as they stand now, to be joined laterally to a row with `space` and `address`; no row for an
 * account never seen.
 */
export const senderNow = (now: SQL) => sql`(
    select md5(known::text) as digest
    from identities me left join persons p on p.id = me.person_id, lateral ${known(now)}
    where me.channel = space and me.address = addressed) as sender`

function senderOf(row: Row): SenderRow {
  return {
    identityId: Number(row.identity_id),
    personId: row.person_id === null ? null : Number(row.person_id),
    personName: row.name,
    roles: row.roles ?? [],
    ownsGroups: row.owns_groups ?? false,
    hasWaiting: row.has_waiting,
    hasCalled: row.has_called,
    boundBy: row.bound_by,
    conversation: row.conversation,
  }
}

/**
 * What becomes of an account's row when it is heard of. A window that lasts longer and is not used up stays as it is
 * (`windowAfter` in server/channels/official-account/window.ts is the same rule).
 * @param heard the row that says what is new
 */
function seenAgain(heard: SQL): SQL {
  const stays = sql`(${heard}.window_ends_at is null or (identities.window_left > 0
    and identities.window_ends_at > ${heard}.last_seen_at and identities.window_ends_at > ${heard}.window_ends_at))`
  return sql`
    last_seen_at = greatest(identities.last_seen_at, ${heard}.last_seen_at),
    is_reachable = true,
    window_ends_at = case when ${stays} then identities.window_ends_at else ${heard}.window_ends_at end,
    window_left = case when ${stays} then identities.window_left else ${heard}.window_left end`
}

/**
 * Who writes: notes that the account was seen (and makes it at first sight) and loads all that routing needs, in one
 * statement, because this runs for every update that is handled in a transaction.
 */
export async function loadSender(
  db: Db,
  { channel, address }: AccountKey,
  now: Date,
  opened: OpenedWindow | null = null,
): Promise<SenderRow> {
  const at = now.toISOString()
  const rows = await db.execute<Row>(sql`
    with me as (
      insert into identities (channel, address, last_seen_at, created_at, window_ends_at, window_left)
      values (${channel}, ${address}, ${at}, ${at}, ${opened?.endsAt.toISOString() ?? null}, ${opened?.left ?? null})
      on conflict (channel, address) do update set ${seenAgain(sql`excluded`)}
      returning id, person_id, bound_by
    )
    select ${whoIs(sql`${at}`)} from me left join persons p on p.id = me.person_id`)
  const row = rows[0]
  if (!row) throw new Error('the sender could not be loaded')
  return senderOf(row)
}

type KnownRow = Row & {
  digest: string
  channel: string
  address: string
  is_reachable: boolean
  last_seen_at: string | null
  window_ends_at: string | null
  window_left: number | null
}

const readSenders = compiledSql<KnownRow>(sql`
  select me.channel, me.address, me.last_seen_at, me.window_ends_at, known.*, md5(known::text) as digest
  from unnest(${sql.placeholder('channels')}::text[], ${sql.placeholder('addresses')}::text[]) as k (channel, address)
  join identities me on me.channel = k.channel and me.address = k.address
  left join persons p on p.id = me.person_id,
  lateral ${known(sql`${sql.placeholder('now')}::timestamptz`)}`)

/** Reads senders without writing, many callers' in one statement; null for an account never seen. */
export function senderReader(db: Db, now: () => Date): (key: AccountKey) => Promise<KnownSender | null> {
  return batched(
    async keys => {
      const rows = await readSenders(db, {
        now: now().toISOString(),
        channels: keys.map(key => key.channel),
        addresses: keys.map(key => key.address),
      })
      const found = new Map<string, KnownSender>()
      for (const row of rows)
        found.set(`${row.channel} ${row.address}`, {
          ...senderOf(row),
          digest: row.digest,
          isReachable: row.is_reachable,
          lastSeenAt: row.last_seen_at === null ? null : new Date(row.last_seen_at),
          windowEndsAt: row.window_ends_at === null ? null : new Date(row.window_ends_at),
          windowLeft: row.window_left,
        })
      return keys.map(key => found.get(`${key.channel} ${key.address}`) ?? null)
    },
    { paceMs: PACE_MS, inFlight: IN_FLIGHT },
  )
}

/** Notes that accounts were seen, many callers' in one statement. */
export function seenRecorder(
  db: Db,
): (seen: AccountKey & { at: Date; opened: OpenedWindow | null }) => Promise<void> {
  return batched(async seen => {
    const last = new Map(seen.map(each => [`${each.channel} ${each.address}`, each]))
    const rows = [...last.values()]
    // a row that a transaction holds is passed over: that transaction notes the same, and nobody here waits for it
    await db.execute(sql`
      with heard as (
        select channel, address, at::timestamptz as last_seen_at, ends_at::timestamptz as window_ends_at,
          places as window_left
        from unnest(
          ${sql.param(rows.map(row => row.channel))}::text[], ${sql.param(rows.map(row => row.address))}::text[],
          ${sql.param(rows.map(row => row.at.toISOString()))}::text[],
          ${sql.param(rows.map(row => row.opened?.endsAt.toISOString() ?? null))}::text[],
          ${sql.param(rows.map(row => row.opened?.left ?? null))}::smallint[]
        ) as t (channel, address, at, ends_at, places)
      ), free as (
        select i.id, heard.* from heard join identities i using (channel, address)
        for no key update of i skip locked
      ), known as (
        update identities set ${seenAgain(sql`free`)} from free where identities.id = free.id
      )
      insert into identities (channel, address, last_seen_at, created_at, window_ends_at, window_left)
      select channel, address, last_seen_at, last_seen_at, window_ends_at, window_left from heard
      where not exists (select from identities i where i.channel = heard.channel and i.address = heard.address)
      on conflict (channel, address) do nothing`)
    return seen.map(() => undefined)
  })
}
