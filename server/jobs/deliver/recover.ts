import { describeError } from '../../../db/errors.ts'
import {
  knownMassTasks,
  type LostClaim,
  type LostMessage,
  letGo,
  lostOutgoing,
  putBackLost,
  retryLost,
  takeOverLost,
  withOtherMassTask,
} from '../../../db/queries/outgoing.ts'
import type { WecomChannel } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import type { MassTaskRow } from '../../channels/wecom/mass-messages.ts'
import { withoutDoor } from '../../domain/notices/mark.ts'
import { unrepeatable } from '../../domain/outgoing/kinds.ts'
import { createLanes } from '../../lanes.ts'
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
/** Questions to the platform under way at once. */
const AT_ONCE = 8
/** Messages that are taken up together, or a few more. */
const PORTION = 24

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
  const senders: Senders = new Map()
  let count = 0
  // a few at a time: this process may be the next to go, and others take their share
  for (const some of inPortions(lost))
    count += await takeUp(rt, await takeOverLost(rt.db, some, rt.processNumber), senders)
  return count
}

/** In the order in which they were made, so that tasks of one time are looked up together; those of one person stay together. */
function inPortions(lost: LostClaim[]): LostClaim[][] {
  const ofPerson = Map.groupBy(lost, claim => claim.personId ?? `message ${claim.id}`)
  const portions: LostClaim[][] = [[]]
  for (const together of ofPerson.values()) {
    if ((portions.at(-1) as LostClaim[]).length >= PORTION) portions.push([])
    portions.at(-1)?.push(...together)
  }
  return portions.filter(portion => portion.length > 0)
}

async function takeUp(rt: Runtime, lost: LostMessage[], senders: Senders): Promise<number> {
  const by = rt.processNumber
  const now = rt.clock.now()
  const { again, uncalled, tasks, posts } = Object.groupBy(lost, whatToDo)
  const idsOf = (messages: LostMessage[] = []) => messages.map(message => message.id)
  try {
    // what asks nobody first
    if (again) await retryLost(rt.db, idsOf(again), by, now)
    if (uncalled) await putBackLost(rt.db, idsOf(uncalled), by, now, '发送前服务中断，重新排队')
    for (const message of posts ?? []) await markUnknown(rt, message, '发送时服务中断，不知道是否已发出')
    if (tasks) await takeUpMassTasks(rt, tasks, senders)
  } finally {
    // asked about again at the next run, by whoever comes first
    await letGo(rt.db, idsOf(lost), by)
  }
  return lost.length
}

function whatToDo(message: LostMessage): 'again' | 'uncalled' | 'tasks' | 'posts' {
  if (!unrepeatable.has(message.kind)) return 'again'
  // a claim without a number was made by who notes no calls
  if (message.lostBy !== null && message.callingSince === null) return 'uncalled'
  return message.kind === 'mass' ? 'tasks' : 'posts'
}

/** A mass task that may have been made: by its words, its owner and its time it is known among those that are listed. */
interface AskedTask {
  message: LostMessage
  since: number
  sender: string
  /** Without the line with our own address. */
  text: string
}

/** By task, as far as they have been read in this run. */
type Senders = Map<string, string[]>

/** With its text likewise. */
interface ListedTask extends MassTaskRow {
  senders: string[]
}

/** Finds the tasks that the calls have made; where there is none, nobody has got it and it is made again. */
async function takeUpMassTasks(rt: Runtime, lost: LostMessage[], senders: Senders): Promise<void> {
  const { wecom } = rt.channels
  const now = rt.clock.now()
  const sinceOf = ({ callingSince, claimedAt, createdAt }: LostMessage) =>
    (callingSince ?? claimedAt ?? createdAt).getTime()
  try {
    if (!wecom) throw new ChannelError('config', '没有配置企业微信')
    const asked = (await inRoom(lost, message => askedOf(rt, message, sinceOf(message)))).filter(
      task => task !== null,
    )
    const listed = await listTasks(rt, wecom, asked, senders)
    const busy = await withOtherMassTask(
      rt.db,
      asked.map(({ message }) => message.personId as number),
      asked.map(({ message }) => message.id),
    )
    const again: number[] = []
    const taken = new Set<string>()
    for (const task of asked) {
      // the task of what its owner has under way beside it would look the same
      if (busy.has(task.message.personId as number)) continue
      const own = listed.find(row => !taken.has(row.taskId) && isTaskOf(row, task))
      if (own) {
        taken.add(own.taskId)
        // which groups it left out is not told; their owner is reminded of them as of any that nothing is heard of
        await recordSent(rt, task.message, { platformId: own.taskId })
      } else if (now.getTime() - task.since >= LISTED_AFTER_MS) again.push(task.message.id)
    }
    await retryLost(rt.db, again, rt.processNumber, rt.clock.now())
  } catch (error) {
    if (!(error instanceof ChannelError || error instanceof MustWait)) throw error
    for (const message of lost)
      if (now.getTime() - sinceOf(message) >= PATIENCE_MS)
        await markUnknown(rt, message, '应答丢失，平台也查不到是否已建群发任务')
  }
}

async function askedOf(rt: Runtime, message: LostMessage, since: number): Promise<AskedTask | null> {
  try {
    const { sender, text } = await massText(rt, message, await contentOf(rt, message))
    return { message, since, sender: sender.toLowerCase(), text: withoutDoor(text) }
  } catch (error) {
    // one whose owner has gone does not keep the others waiting
    rt.log.warn({ outgoingId: message.id, ...describeError(error) }, 'a lost message could not be taken up')
    if (error instanceof ChannelError && rt.clock.now().getTime() - since >= PATIENCE_MS)
      await markUnknown(rt, message, '应答丢失，平台也查不到是否已建群发任务')
    return null
  }
}

/**
 * The platform's list names neither sender nor groups. So: tasks of that time with one of these texts that no message of
 * ours is known to have made, each with who it was given to.
 */
async function listTasks(
  rt: Runtime,
  wecom: WecomChannel,
  asked: AskedTask[],
  senders: Senders,
): Promise<ListedTask[]> {
  const rows = await inRoom(spansOf(asked.map(task => listedIn(task.since))), async ([from, to]) => {
    await takePlace(rt, { to: 'wecom-api', path: LIST })
    const listed = await wecom.mass.list('groups', new Date(from), new Date(to))
    return listed.map(row => ({ ...row, text: withoutDoor(row.text) }))
  }).then(lists => lists.flat())
  const texts = [...new Set(asked.map(task => task.text))]
  const same = rows.filter(row => !row.isPersonal && texts.some(text => hasWords(row.text, text)))
  const known = await knownMassTasks(
    rt.db,
    same.map(row => row.taskId),
  )
  return inRoom(
    same.filter(row => !known.has(row.taskId)),
    async row => {
      const known = senders.get(row.taskId)
      if (known) return { ...row, senders: known }
      await takePlace(rt, { to: 'wecom-api', path: SENDERS })
      const read = (await wecom.mass.readSenders(row.taskId)).map(each => each.sender.toLowerCase())
      senders.set(row.taskId, read)
      return { ...row, senders: read }
    },
  )
}

/** When the task of a call is listed as made. */
const listedIn = (since: number): [from: number, to: number] => [
  since - CLOCKS_DIFFER_MS,
  since + LISTED_AFTER_MS + CLOCKS_DIFFER_MS,
]

/** The same times with those put together that overlap. */
function spansOf(times: [from: number, to: number][]): [from: number, to: number][] {
  const spans: [from: number, to: number][] = []
  for (const [from, to] of times.toSorted((one, other) => one[0] - other[0])) {
    const last = spans.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else spans.push([from, to])
  }
  return spans
}

function isTaskOf(row: ListedTask, { since, sender, text }: AskedTask): boolean {
  const [from, to] = listedIn(since)
  const at = row.createdAt.getTime()
  // the platform tells whole seconds
  const isThen = at >= Math.floor(from / 1000) * 1000 && at <= to
  return isThen && row.senders.includes(sender) && hasWords(row.text, text)
}

/**
 * Whether a task on the platform has these words, with or without what stands below them. The line with our own address is
 * left out: the address may have been changed while the task was made, and it would be made a second time.
 */
export function isSameText(listed: string, own: string): boolean {
  return hasWords(withoutDoor(listed), withoutDoor(own))
}

const hasWords = (theirs: string, ours: string) => theirs === ours || theirs.startsWith(`${ours}\n`)

/** The same for each of them, not too many at once. */
function inRoom<T, R>(all: T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const lanes = createLanes(AT_ONCE)
  return Promise.all(all.map((each, index) => lanes.run(String(index), () => work(each))))
}
