import { openAlarms } from '../../db/queries/alarms.ts'
import { countsOf } from '../../db/queries/limits.ts'
import {
  refusedCallsSince,
  setAsideUpdates,
  unfinishedMessages,
  unknownUpdatesSince,
} from '../../db/queries/troubles.ts'
import { reachableToday } from '../../db/queries/windows.ts'
import { remedyFor } from '../../server/channels/remedies.ts'
import { dayOf, monthOf } from '../../server/clock.ts'
import { unknownNames } from '../../server/jobs/raise-alarms.ts'
import { quotas } from '../../server/limits.ts'
import type { DomainRuntime } from '../../server/runtime.ts'

const DAY_MS = 86_400_000
const UNKNOWN_DAYS = 7
const MOST_ROWS = 100
const MOST_UNKNOWN = 2000

export type Status = Awaited<ReturnType<typeof collectStatus>>

/** How things stand, for an operator. Neither secrets nor personal data: ids, codes and counts only. */
export async function collectStatus(rt: DomainRuntime) {
  const now = rt.clock.now()
  const yesterday = new Date(now.getTime() - DAY_MS)
  const unknown = await unknownUpdatesSince(
    rt.db,
    new Date(now.getTime() - UNKNOWN_DAYS * DAY_MS),
    MOST_UNKNOWN,
  )
  const byDay = Map.groupBy(unknown, row => dayOf(row.receivedAt))
  const counts = await countsOf(rt.db, [...new Set([dayOf(now), `${monthOf(now)}-01`])])
  return {
    at: now,
    alarms: (await openAlarms(rt.db)).map(({ closedAt: _open, ...alarm }) => alarm),
    updatesSetAside: (await setAsideUpdates(rt.db, MOST_ROWS)).map(update => ({
      ...update,
      error: errorWords(update.error),
    })),
    unknownUpdates: [...byDay].flatMap(([day, rows]) =>
      [...(unknownNames(rt, rows)?.counts ?? [])].map(([name, count]) => ({ day, name, count })),
    ),
    messages: (await unfinishedMessages(rt.db, yesterday)).map(row => ({
      ...row,
      nextAt: new Date(row.nextAt),
    })),
    officialAccount: await reachableToday(rt.db, now),
    quotas: Object.entries(quotas).flatMap(([name, { words, per, count: limit }]) => {
      const day = per === 'day' ? dayOf(now) : `${monthOf(now)}-01`
      // a month's quota is counted for each group: the most used stands for them
      const used = counts.find(row => row.day === day && row.key.split(':')[0] === name)?.count ?? 0
      return used === 0 ? [] : [{ name, words, per, used, limit: typeof limit === 'number' ? limit : null }]
    }),
    refusedCalls: (await refusedCallsSince(rt.db, yesterday)).map(({ firstAt: _first, ...call }) => ({
      ...call,
      words: call.errcode === null ? null : (remedyFor(call.channel, call.errcode, call.call)?.words ?? null),
    })),
  }
}

/** Kind and place of an error, of what `describeError` kept: even the words of one with a code may quote an input. */
function errorWords(stored: string | null): string {
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
