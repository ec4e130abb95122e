import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** One number of many: `name` says what was counted, `label` which of its kinds. */
export interface Figure {
  name:
    | 'updates'
    | 'updates_age'
    | 'outgoing'
    | 'outgoing_age'
    | 'steps'
    | 'steps_age'
    | 'readings'
    | 'alarms'
    | 'calls'
  label: string
  value: number
}

/**
 * How much waits, how long the oldest has waited (seconds; none: nothing waits), what is wrong, and how the platforms
 * have answered. One statement over indexes made for what waits: cheap while little does.
 * @param lostSince of the messages that were lost, those made after this
 * @param callsSince of the calls to the platforms, those after this
 */
export async function queueFigures(db: Db, now: Date, lostSince: Date, callsSince: Date): Promise<Figure[]> {
  const at = sql`${now.toISOString()}::timestamptz`
  const age = (since: ReturnType<typeof sql>) => sql`extract(epoch from ${at} - min(${since}))`
  const rows = await db.execute<{ name: Figure['name']; label: string | null; value: string | null }>(sql`
    select 'updates' as name, case when attempts > 0 then 'failing' else 'received' end as label, count(*) as value
      from updates where status = 'received' group by 2
    union all select 'updates', 'set_aside', count(*) from updates where status = 'set_aside'
    union all select 'updates_age', '', ${age(sql`received_at`)} from updates
      where status = 'received' and attempts = 0
    union all select 'outgoing', status, count(*) from outgoing_messages
      where status in ('pending', 'retrying') group by 2
    union all select 'outgoing', status, count(*) from outgoing_messages where status = 'sending' group by 2
    union all select 'outgoing', status, count(*) from outgoing_messages where status = 'waiting' group by 2
    union all select 'outgoing', status, count(*) from outgoing_messages
      where status in ('unknown', 'failed') and created_at > ${lostSince.toISOString()}::timestamptz group by 2
    union all select 'outgoing_age', '', ${age(sql`next_attempt_at`)} from outgoing_messages
      where status in ('pending', 'retrying') and next_attempt_at <= ${at}
    union all select 'steps', '', count(*) from deliveries where due_at <= ${at}
    union all select 'steps_age', '', ${age(sql`due_at`)} from deliveries where due_at <= ${at}
    union all select 'readings', '', count(*) from chat_readings where due_at <= ${at}
    union all select 'alarms', split_part(cause, ':', 1) || ':' || split_part(cause, ':', 2), count(*)
      from alarms where closed_at is null group by 2
    union all select 'calls', channel || ' ' || coalesce(errcode::text, ''), count(*)
      from channel_log where at > ${callsSince.toISOString()}::timestamptz group by 2`)
  return rows.flatMap(row =>
    row.value === null ? [] : [{ name: row.name, label: row.label ?? '', value: Number(row.value) }],
  )
}
