import type { Db } from '../../../db/client.ts'
import { PRESENCE_LOCKS } from '../../../db/presence.ts'
import type { PlatformGroup, PlatformLedger } from './platform.ts'

/** A delivery as the server has it, with the group's names on the platform. */
export interface DeliveryRow {
  kind: PlatformGroup['kind']
  /** The robot's key or the chat id; null for a group that is relayed to by hand. */
  key: string | null
  owner: string
  status: string
  /** `relay` although it has a robot or a chat: an owner was asked instead. */
  route: string
}

/** What came of a notice, held against what the platform has got. */
export interface NoticeVerdict {
  groups: number
  /** In its group or in the hands of its owner, by the platform's own count. */
  arrived: number
  /** Neither there, nor shown as `unknown`, nor asked of the owner. Must be 0. */
  forgotten: number
  /** Posts, tasks or texts to a person that are there twice. Must be 0. */
  doubled: number
  /** Said to be in the group, and not there. Must be 0. */
  untrue: number
  /** Deliveries that a person has to settle. */
  unknown: number
  faults: string[]
}

/** Faults that are told; the others are only counted. */
const MOST_TOLD = 20

/** @param mark words that the notice is known by, without the mark of a copy */
export function judge(rows: DeliveryRow[], platform: PlatformLedger, mark: string): NoticeVerdict {
  const verdict: NoticeVerdict = {
    groups: rows.length,
    arrived: 0,
    forgotten: 0,
    doubled: 0,
    untrue: 0,
    unknown: 0,
    faults: [],
  }
  const fault = (what: 'forgotten' | 'doubled' | 'untrue', words: string) => {
    verdict[what]++
    if (verdict.faults.length < MOST_TOLD) verdict.faults.push(`${what}: ${words}`)
  }
  for (const row of rows) {
    const name = `${row.kind} ${row.key ?? row.owner} (${row.route}, ${row.status})`
    const inGroup = (row.key !== null && platform.posts[row.key]) || 0
    const inTasks = (row.key !== null && platform.tasks[row.key]) || 0
    const isAsked = Object.keys(platform.inbox[row.owner] ?? {}).some(text => text.includes(mark))
    if (inGroup > 1 || inTasks > 1) fault('doubled', `${name} has it ${Math.max(inGroup, inTasks)} times`)
    if (row.status === 'unknown') verdict.unknown++
    const isThere = row.route === 'relay' ? isAsked : row.route === 'mass' ? inTasks > 0 : inGroup > 0
    if (isThere) verdict.arrived++
    else if (row.status !== 'unknown') fault('forgotten', name)
    if (row.status === 'posted' && inGroup === 0) fault('untrue', name)
  }
  for (const [owner, texts] of Object.entries(platform.inbox))
    for (const [text, count] of Object.entries(texts))
      if (count > 1) fault('doubled', `${owner} was sent ${count} times: ${text.slice(0, 40)}`)
  return verdict
}

/** All deliveries of a database that holds one notice. @param openSealed gives what a sealed webhook holds */
export async function deliveryRows(db: Db, openSealed: (sealed: string) => string): Promise<DeliveryRow[]> {
  const kinds: Record<string, DeliveryRow['kind']> = {
    internal: 'robots',
    appchat: 'appchats',
    customer: 'customers',
    wechat: 'relayed',
  }
  const rows = await db.execute<{
    platform: string
    chat_id: string | null
    webhook_sealed: string | null
    owner: string
    status: string
    route: string
  }>(`
    select g.platform, g.chat_id, g.webhook_sealed, p.name as owner, d.status, d.route
    from deliveries d join groups g on g.id = d.group_id join persons p on p.id = g.owner_id`)
  return [...rows].map(row => ({
    kind: kinds[row.platform] as DeliveryRow['kind'],
    key: row.chat_id ?? (row.webhook_sealed === null ? null : openSealed(row.webhook_sealed)),
    owner: row.owner,
    status: row.status,
    route: row.route,
  }))
}

/** How many messages are in which state. */
export async function messageStates(db: Db): Promise<Record<string, number>> {
  const rows = await db.execute<{ status: string; count: number }>(
    'select status, count(*)::int as count from outgoing_messages group by status',
  )
  return Object.fromEntries([...rows].map(row => [row.status, row.count]))
}

/**
 * Posts that a process which is gone had in flight: it noted that it calls and did not come to note what came of it.
 * @returns a name for each claim, so that one that is seen again counts once
 */
export async function postsInFlight(db: Db): Promise<string[]> {
  const rows = await db.execute<{ claim: string }>(`
    select id || ' ' || claimed_by || ' ' || claimed_at as claim from outgoing_messages
    where status = 'sending' and kind in ('robot', 'appchat') and calling_since is not null
      and claimed_by not in (select objid::bigint from pg_locks
        where locktype = 'advisory' and classid = ${PRESENCE_LOCKS} and objsubid = 2 and granted)`)
  return [...rows].map(row => row.claim)
}
