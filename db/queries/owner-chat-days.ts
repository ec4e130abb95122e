import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { ownerChatDays } from '../schema/index.ts'
import { type Reach, withinReach } from './groups.ts'

export type OwnerChatDayRow = typeof ownerChatDays.$inferInsert

/** Rows written with one statement. */
const PORTION = 1000

/** Notes what the platform says of owners' days; said anew, the newer stands. */
export async function upsertOwnerChatDays(db: Db, rows: OwnerChatDayRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += PORTION)
    await db
      .insert(ownerChatDays)
      .values(rows.slice(from, from + PORTION))
      .onConflictDoUpdate({
        target: [ownerChatDays.channel, ownerChatDays.ownerUserId, ownerChatDays.day],
        set: {
          chats: sql`excluded.chats`,
          newChats: sql`excluded.new_chats`,
          members: sql`excluded.members`,
          newMembers: sql`excluded.new_members`,
          activeMembers: sql`excluded.active_members`,
          messages: sql`excluded.messages`,
        },
      })
}

/** The last day of which anything is known, `YYYY-MM-DD`; null: none. */
export async function lastChatDay(db: Db, channel: string): Promise<string | null> {
  const [row] = await db.execute<{ day: string | null }>(
    sql`select max(day)::text as day from owner_chat_days where channel = ${channel}`,
  )
  return row?.day ?? null
}

/** Chat activity over some days (群聊活跃): of all customer groups of an owner together, never a count of posts. */
export interface ChatActivity {
  /** Days of which the platform has told. */
  days: number
  owners: number
  /** Messages that anybody wrote, chat included. */
  messages: number
  /** Members who wrote, on an average day. */
  activePerDay: number
  /** Members on the last of the days. */
  members: number
}

const figures = sql`
  count(distinct day)::int as days, count(distinct owner_user_id)::int as owners,
  coalesce(sum(messages), 0)::int as messages,
  coalesce(round(sum(active_members)::numeric / nullif(count(distinct day), 0)), 0)::int as active_per_day,
  coalesce(sum(members) filter (where day = last_day), 0)::int as members`

type Row = { days: number; owners: number; messages: number; active_per_day: number; members: number }

const activityOf = (row: Row | undefined): ChatActivity | null =>
  !row || row.days === 0
    ? null
    : {
        days: row.days,
        owners: row.owners,
        messages: row.messages,
        activePerDay: row.active_per_day,
        members: row.members,
      }

/** Of one owner, between two days, both included; null: the platform has told nothing. */
export async function chatActivityOfOwner(
  db: Db,
  personId: number,
  from: string,
  to: string,
): Promise<ChatActivity | null> {
  const [row] = await db.execute<Row>(sql`
    select ${figures} from (
      select d.*, max(d.day) over () as last_day
      from identities i join owner_chat_days d on d.channel = i.channel and d.owner_user_id = i.address
      where i.person_id = ${personId} and i.channel = 'wecom' and d.day between ${from}::date and ${to}::date
    ) as told`)
  return activityOf(row)
}

/**
 * Of the owners of the customer groups within reach, between two days, both included; null: the platform has told nothing.
 * An owner who has groups elsewhere, too, is counted with all of them: the platform tells by owner.
 */
export async function chatActivityWithin(
  db: Db,
  filter: { reach: Reach; unitPath?: string | undefined },
  from: string,
  to: string,
): Promise<ChatActivity | null> {
  const below = filter.unitPath === undefined ? sql`true` : sql`units.path like ${`${filter.unitPath}%`}`
  const [row] = await db.execute<Row>(sql`
    select ${figures} from (
      select d.*, max(d.day) over () as last_day
      from (
        select distinct groups.owner_id from groups join units on units.id = groups.unit_id
        where groups.platform = 'customer' and groups.owner_id is not null and ${withinReach(filter.reach)} and ${below}
      ) owners
      join identities i on i.person_id = owners.owner_id and i.channel = 'wecom'
      join owner_chat_days d on d.channel = i.channel and d.owner_user_id = i.address
      where d.day between ${from}::date and ${to}::date
    ) as told`)
  return activityOf(row)
}

/** Deletes what is older than a day. @returns how many rows */
export async function deleteOldChatDays(db: Db, beforeDay: string, limit: number): Promise<number> {
  const rows = await db.execute(sql`
    delete from owner_chat_days where ctid in (
      select ctid from owner_chat_days where channel = 'wecom' and day < ${beforeDay}::date limit ${limit})
    returning 1`)
  return rows.length
}
