import { describeError } from '../../db/errors.ts'
import {
  dueReadings,
  finishReading,
  groupByChat,
  postponeReading,
  requestAllReadings,
  unprovedMembers,
} from '../../db/queries/groups.ts'
import { ChannelError } from '../channels/errors.ts'
import { applyReading, type Reading } from '../domain/groups/apply-reading.ts'
import { MustWait, takePlace } from '../limits.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

const GROUP_GET = '/cgi-bin/externalcontact/groupchat/get'
const CUSTOMER_GET = '/cgi-bin/externalcontact/get'
const RETRY_SECONDS = [10, 60, 300, 1800, 7200]

/** Reads the member lists that are due and applies them. Returns how many were read. */
export async function readDueGroups(rt: Runtime): Promise<number> {
  const { wecom } = rt.channels
  if (!wecom) return 0
  let count = 0
  for (const { chatId, dueAt, attempts } of await dueReadings(rt.db, rt.clock.now(), 100)) {
    try {
      await takePlace(rt, { to: 'wecom-api', path: GROUP_GET })
      const reading = await withRemarks(rt, chatId, await wecom.readGroup(chatId))
      await inTransaction(rt, async tx => {
        await applyReading(tx, chatId, reading)
        await finishReading(tx.db, chatId, dueAt)
      })
      count++
    } catch (error) {
      // the others are due still at the next run
      if (error instanceof MustWait) return count
      const seconds = RETRY_SECONDS[attempts]
      // after some hours a group that cannot be read is left until its next event
      const isOver = seconds === undefined || (error instanceof ChannelError && !error.retryable)
      rt.log.warn({ ...describeError(error), isOver }, 'a group could not be read')
      if (isOver) await finishReading(rt.db, chatId, dueAt)
      else await postponeReading(rt.db, chatId, new Date(rt.clock.now().getTime() + seconds * 1000))
    }
  }
  return count
}

/** So many strangers of one group are asked about in one reading; the others at the next. */
const REMARKS_AT_ONCE = 30

/** Adds what staff call those members whom nothing else may name: the owner often notes who somebody is. */
async function withRemarks(rt: Runtime, chatId: string, reading: Reading): Promise<Reading> {
  const { wecom } = rt.channels
  const group = await groupByChat(rt.db, chatId)
  const isAudited =
    group !== null && rt.templates.groupKind(group.programme, group.kind).admission === 'audited'
  if (!wecom || !isAudited) return reading
  // who came by a way of their own is known by it
  const outsiders = reading.members
    .filter(member => !member.isStaff && !member.state)
    .map(member => member.address)
  const unnamed = new Set(await unprovedMembers(rt.db, chatId, outsiders, REMARKS_AT_ONCE))
  const remarks = new Map<string, string[]>()
  for (const address of unnamed) {
    try {
      await takePlace(rt, { to: 'wecom-api', path: CUSTOMER_GET })
      const { customer, followings } = await wecom.customers.read(address)
      // without a note of their own the platform gives the name that the customer calls themself
      remarks.set(
        address,
        followings.map(each => each.remark).filter(remark => remark !== '' && remark !== customer.name),
      )
    } catch (error) {
      if (error instanceof MustWait) break
      // most strangers are no customers of anybody here, and have no remark
      if (!(error instanceof ChannelError)) throw error
    }
  }
  return {
    ...reading,
    members: reading.members.map(member => ({ ...member, remarks: remarks.get(member.address) ?? [] })),
  }
}

/** Has every customer group read again: events get lost, and a reading is the truth. */
export async function readAllGroups(rt: Runtime): Promise<void> {
  await requestAllReadings(rt.db, rt.clock.now())
}
