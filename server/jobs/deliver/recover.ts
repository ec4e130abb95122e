import { describeError } from '../../../db/errors.ts'
import type { OutgoingRow } from '../../../db/queries/notices.ts'
import { knownMassTasks, lostOutgoing, putOff, retryLost, takeOver } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import { withoutDoor } from '../../domain/notices/mark.ts'
import { MustWait, takePlace } from '../../limits.ts'
import type { Runtime } from '../../runtime.ts'
import { contentOf } from './content.ts'
import { massText } from './mass-text.ts'
import { markUnknown, recordSent } from './settle.ts'

/** Longer than a process takes to make its connection again, and than a call may be under way. */
const UNSEEN_MS = 10_000
/** A claim older than this lost its process, seen or not: no dozen of calls, one after the other, takes so long. */
const SILENT_MS = 15 * 60_000
/** As long as a task that is not listed may only not be listed yet. */
const LISTED_AFTER_MS = 20_000
/** The clocks of the platform and of our processes differ. */
const CLOCKS_DIFFER_MS = 10_000
/** After this long nobody asks any more what became of a task. */
const PATIENCE_MS = 24 * 3600_000

const LIST = '/cgi-bin/externalcontact/get_groupmsg_list_v2'
const SENDERS = '/cgi-bin/externalcontact/get_groupmsg_task'

/**
 * Looks after messages whose process died with them in hand. What was claimed and not called yet goes back. Of what was
 * called: a message to a person is sent again, the platform leaving out what it has had; a mass task is asked for; a post
 * in a group whose fate cannot be asked becomes `unknown` and is settled by a person.
 * @returns how many there were
 */
export async function recoverInFlight(rt: Runtime): Promise<number> {
  const now = rt.clock.now().getTime()
  const lost = await lostOutgoing(rt.db, {
    unseen: new Date(now - UNSEEN_MS),
    silent: new Date(now - SILENT_MS),
  })
  for (const message of lost)
    try {
      await takeUp(rt, message)
    } catch (error) {
      // asked about again at the next run
      rt.log.warn({ outgoingId: message.id, ...describeError(error) }, 'a lost message could not be taken up')
    }
  return lost.length
}

async function takeUp(rt: Runtime, message: OutgoingRow): Promise<void> {
  // since the list was read another process may have seen to it, and it may be out again
  if (!(await takeOver(rt.db, message))) return
  const isPost = ['robot', 'appchat', 'mass'].includes(message.kind)
  // a claim without a number was made by who notes no calls
  if (isPost && message.claimedBy !== null && message.callingSince === null)
    return putOff(rt.db, message.id, rt.clock.now(), '发送前服务中断，重新排队')
  if (message.kind === 'mass') return takeUpMassTask(rt, message)
  if (isPost) return markUnknown(rt, message, '发送时服务中断，不知道是否已发出')
  await sendAgain(rt, message)
}

function sendAgain(rt: Runtime, message: OutgoingRow): Promise<void> {
  return retryLost(rt.db, message, rt.clock.now())
}

/** Finds the task that the call has made; when there is none, nobody has got it and it is made again. */
async function takeUpMassTask(rt: Runtime, message: OutgoingRow): Promise<void> {
  const now = rt.clock.now().getTime()
  const since = message.callingSince ?? message.claimedAt ?? message.createdAt
  const age = now - since.getTime()
  try {
    const taskId = await findMassTask(rt, message, since)
    // which groups it left out is not told; their owner is reminded of them as of any that nothing is heard of
    if (taskId !== null) return await recordSent(rt, message, { platformId: taskId })
    if (age >= LISTED_AFTER_MS) return await sendAgain(rt, message)
  } catch (error) {
    if (!(error instanceof ChannelError || error instanceof MustWait)) throw error
    if (age >= PATIENCE_MS) await markUnknown(rt, message, '应答丢失，平台也查不到是否已建群发任务')
  }
}

/**
 * Whether a task on the platform has these words, with or without what stands below them. The line with our own address is
 * left out: the address may have been changed while the task was made, and it would be made a second time.
 */
export function isSameText(listed: string, own: string): boolean {
  const [theirs, ours] = [withoutDoor(listed), withoutDoor(own)]
  return theirs === ours || theirs.startsWith(`${ours}\n`)
}

/**
 * The platform's list names neither sender nor groups. So: a task of that time with this text that no message of ours is
 * known to have made, and whose sender is this owner.
 */
async function findMassTask(rt: Runtime, message: OutgoingRow, since: Date): Promise<string | null> {
  const { wecom } = rt.channels
  if (!wecom) throw new ChannelError('config', '没有配置企业微信')
  const { sender, text } = await massText(rt, message, await contentOf(rt, message))
  await takePlace(rt, { to: 'wecom-api', path: LIST })
  const listed = await wecom.mass.list(
    'groups',
    new Date(since.getTime() - CLOCKS_DIFFER_MS),
    new Date(since.getTime() + LISTED_AFTER_MS + CLOCKS_DIFFER_MS),
  )
  const same = listed.filter(row => !row.isPersonal && isSameText(row.text, text))
  const known = await knownMassTasks(
    rt.db,
    same.map(row => row.taskId),
  )
  for (const { taskId } of same) {
    if (known.has(taskId)) continue
    await takePlace(rt, { to: 'wecom-api', path: SENDERS })
    const senders = await wecom.mass.readSenders(taskId)
    if (senders.some(each => each.sender.toLowerCase() === sender.toLowerCase())) return taskId
  }
  return null
}
