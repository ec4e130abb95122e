import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

// what is asked of the database of a rehearsal (演练) while it runs; it holds one notice

/** How far the notice has come. */
export interface ReachNow {
  /** Groups that have it. */
  reached: number
  /** Of these: brought in by somebody's hand. */
  relayed: number
  /** Groups that have it or whose owner has been asked. */
  handed: number
}

export async function reachNow(db: Db): Promise<ReachNow> {
  const [row] = await db.execute<{ reached: number; relayed: number; handed: number }>(sql`
    select (count(*) filter (where d.status = 'posted'))::int as reached,
      (count(*) filter (where d.status = 'posted' and r.kind = 'relayed'))::int as relayed,
      (count(*) filter (where d.status in ('sent', 'posted')))::int as handed
    from deliveries d left join receipts r on r.delivery_id = d.id and r.kind in ('posted', 'relayed')`)
  return row ?? { reached: 0, relayed: 0, handed: 0 }
}

/** A group that waits for somebody's hand. */
export interface Waiting {
  personId: number
  deliveryId: number
  groupId: number
  /** null: their own group; else the step of the escalation that has asked them. */
  step: string | null
}

/** What waits for these persons. */
export async function waitingFor(db: Db, personIds: number[]): Promise<Waiting[]> {
  if (personIds.length === 0) return []
  const ids = sql.param(personIds)
  const rows = await db.execute<{
    person_id: string
    delivery_id: string
    group_id: string
    step: string | null
  }>(sql`
    select d.owner_id as person_id, d.id as delivery_id, d.group_id, null as step from deliveries d
    where d.owner_id = any(${ids}::bigint[]) and d.status <> 'posted' and (d.route = 'relay' or d.status = 'unknown')
    union all
    select a.person_id, d.id, d.group_id, a.step from delivery_asks a join deliveries d on d.id = a.delivery_id
    where a.person_id = any(${ids}::bigint[]) and d.status <> 'posted'
    order by person_id, group_id`)
  return [...rows].map(row => ({
    personId: Number(row.person_id),
    deliveryId: Number(row.delivery_id),
    groupId: Number(row.group_id),
    step: row.step,
  }))
}

/** Mass tasks that are with their owners and have groups left. */
export async function massTasksOut(db: Db): Promise<{ id: number; personId: number; taskId: string }[]> {
  const rows = await db.execute<{ id: string; person_id: string; platform_id: string }>(sql`
    select id, person_id, platform_id from outgoing_messages m
    where kind = 'mass' and status = 'sent' and exists (
      select from deliveries d where d.outgoing_id = m.id and d.status <> 'posted')`)
  return [...rows].map(row => ({
    id: Number(row.id),
    personId: Number(row.person_id),
    taskId: row.platform_id,
  }))
}

/** When something is due by itself next, after `now`; null: nothing is. */
export async function nextDue(db: Db, now: Date): Promise<Date | null> {
  const at = sql`${now.toISOString()}::timestamptz`
  const [row] = await db.execute<{ at: string | null }>(sql`
    select least(
      (select min(due_at) from deliveries where due_at > ${at}),
      (select min(next_attempt_at) from outgoing_messages
        where status in ('pending', 'retrying') and next_attempt_at > ${at})) as at`)
  return row?.at ? new Date(row.at) : null
}

/** What became of one group. */
export interface GroupOutcome {
  groupId: number
  unitId: number
  status: string
}

export async function outcomes(db: Db): Promise<GroupOutcome[]> {
  const rows = await db.execute<{ group_id: string; unit_id: string; status: string }>(sql`
    select d.group_id, g.unit_id, d.status from deliveries d join groups g on g.id = d.group_id order by d.group_id`)
  return [...rows].map(row => ({
    groupId: Number(row.group_id),
    unitId: Number(row.unit_id),
    status: row.status,
  }))
}

/** What a person has been sent. */
export interface Sent {
  /** A request to relay is one message, whatever its parts: the text, and what is asked. */
  messages: number
  parts: number
}

/** What each person has been sent, what answered them left out; those who got nothing are not there. */
export async function messagesSent(db: Db): Promise<Map<number, Sent>> {
  const rows = await db.execute<{ person_id: string; messages: number; parts: number }>(sql`
    select coalesce(m.person_id, i.person_id) as person_id, count(*)::int as messages,
      sum(m.sent_count + 1)::int as parts
    from outgoing_messages m left join identities i on i.id = m.identity_id
    where m.kind in ('person', 'mass') and m.purpose <> 'reply' and m.status in ('sent', 'waiting')
      and coalesce(m.person_id, i.person_id) is not null
    group by 1`)
  return new Map([...rows].map(({ person_id, messages, parts }) => [Number(person_id), { messages, parts }]))
}
