import { openAlarms } from '../../db/queries/alarms.ts'
import { countsOf } from '../../db/queries/limits.ts'
import {
  refusedCallsSince,
  setAsideUpdates,
  unfinishedMessages,
  unknownUpdatesSince,
} from '../../db/queries/troubles.ts'
import { reachableToday } from '../../db/queries/windows.ts'
import { remedyFor } from '../channels/remedies.ts'
import { dayOf, monthOf } from '../clock.ts'
import { unknownNames } from '../jobs/raise-alarms.ts'
import { countOf, type Quota, type QuotaName, quotas } from '../limits.ts'
import type { DomainRuntime } from '../runtime.ts'

const DAY_MS = 86_400_000
const UNKNOWN_DAYS = 7
/** Updates set aside that are told one by one. */
export const MOST_ROWS = 100
const MOST_UNKNOWN = 2000

export type Status = Awaited<ReturnType<typeof collectStatus>>

/**
 * How things stand, for an operator: the command line and the page show the same. Neither secrets nor personal data: ids,
 * codes and counts only.
 * @param accountCap of the corp, for the quotas that depend on it; null where it is not known
 */
export async function collectStatus(rt: DomainRuntime, accountCap: number | null = null) {
  const now = rt.clock.now()
  const yesterday = new Date(now.getTime() - DAY_MS)
  const [unknown, counts, alarms, setAside, unfinished, officialAccount, refused] = await Promise.all([
    unknownUpdatesSince(rt.db, new Date(now.getTime() - UNKNOWN_DAYS * DAY_MS), MOST_UNKNOWN),
    countsOf(rt.db, [...new Set([dayOf(now), `${monthOf(now)}-01`])]),
    openAlarms(rt.db),
    setAsideUpdates(rt.db, MOST_ROWS),
    unfinishedMessages(rt.db, yesterday),
    reachableToday(rt.db, now),
    refusedCallsSince(rt.db, yesterday),
  ])
  const byDay = Map.groupBy(unknown, row => dayOf(row.receivedAt))
  return {
    at: now,
    alarms: alarms.map(({ closedAt: _open, ...alarm }) => alarm),
    updatesSetAside: setAside.map(update => ({
      ...update,
      error: errorWords(update.error),
    })),
    unknownUpdates: [...byDay].flatMap(([day, rows]) =>
      [...(unknownNames(rt, rows)?.counts ?? [])].map(([name, count]) => ({ day, name, count })),
    ),
    messages: unfinished.map(row => ({
      ...row,
      nextAt: new Date(row.nextAt),
    })),
    officialAccount,
    quotas: (Object.entries(quotas) as [QuotaName, Quota][]).flatMap(([name, { words, per, count }]) => {
      const day = per === 'day' ? dayOf(now) : `${monthOf(now)}-01`
      // a month's quota is counted for each group: the most used stands for them
      const used = counts.find(row => row.day === day && row.key.split(':')[0] === name)?.count ?? 0
      const limit =
        typeof count === 'object' && accountCap === null ? null : countOf({ count }, now, accountCap ?? 0)
      return used === 0 ? [] : [{ name, words, per, used, limit }]
    }),
    refusedCalls: refused.map(({ firstAt: _first, ...call }) => ({
      ...call,
      words: call.errcode === null ? null : (remedyFor(call.channel, call.errcode, call.call)?.words ?? null),
    })),
  }
}

/** Kind and place of an error, of what `describeError` kept: even the words of one with a code may quote an input. */
export function errorWords(stored: string | null): string {
  let about: Record<string, unknown> = {}
  try {
    about = JSON.parse(stored ?? '{}') as Record<string, unknown>
  } catch {
    // too long to be kept whole: its beginning still has the name
    const [, name] = /"(?:error|database)":"([\w.]{1,40})"/.exec(stored ?? '') ?? []
    return name ?? '?'
  }
  const { error, code, database, table, constraint, at } = about
  const place = Array.isArray(at) ? /([\w-]+\.ts:\d+)/.exec(String(at[0]))?.[1] : undefined
  const words = [error, code, database, table, constraint, place].filter(
    word => typeof word === 'string' && /^[\w.:-]{1,60}$/.test(word),
  )
  return words.length > 0 ? words.join(' ') : '?'
}
