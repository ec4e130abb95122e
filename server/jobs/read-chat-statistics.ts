import { lastChatDay, upsertOwnerChatDays } from '../../db/queries/owner-chat-days.ts'
import { ChannelError } from '../channels/errors.ts'
import { addDays, dayOf, shanghaiMoment } from '../clock.ts'
import { recordRules } from '../domain/messages/record-rules.ts'
import type { Runtime } from '../runtime.ts'

/** The platform answers for no day before. @see https://developer.work.weixin.qq.com/document/path/92133 */
const MAX_AGE_DAYS = 180

/**
 * Reads what WeCom says of each owner's customer groups, day by day up to yesterday, and keeps it: days that were missed
 * are made up for, the last ones read again. An app that may not ask has nothing to read.
 * @returns how many days
 */
export async function readChatStatistics(rt: Runtime, signal?: AbortSignal): Promise<number> {
  const { wecom } = rt.channels
  if (!wecom) return 0
  const days = daysToRead(dayOf(rt.clock.now()), await lastChatDay(rt.db, 'wecom'))
  for (const [index, day] of days.entries()) {
    if (signal?.aborted) return index
    const moment = shanghaiMoment(day)
    try {
      const counts = await wecom.groups.countByOwner({ from: moment, to: moment })
      await upsertOwnerChatDays(
        rt.db,
        counts
          .filter(each => each.owner !== '')
          .map(each => ({
            channel: 'wecom',
            ownerUserId: each.owner,
            day,
            chats: each.groups,
            newChats: each.newGroups,
            members: each.members,
            newMembers: each.newMembers,
            activeMembers: each.membersWithMessages,
            messages: each.messages,
          })),
      )
    } catch (error) {
      if (error instanceof ChannelError && !error.retryable) return index
      throw error
    }
  }
  return days.length
}

/** @param last of which something is known. All days are `YYYY-MM-DD`, the oldest first */
export function daysToRead(today: string, last: string | null): string[] {
  const { first, again } = recordRules.chatDays
  const wanted = last === null ? addDays(today, -first.value) : addDays(last, 1 - again.value)
  const oldest = addDays(today, -MAX_AGE_DAYS)
  const days: string[] = []
  for (let day = wanted < oldest ? oldest : wanted; day < today; day = addDays(day, 1)) days.push(day)
  return days
}
