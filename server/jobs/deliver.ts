import { describeError } from '../../db/errors.ts'
import { groupById, openJoinPass, updateGroup, updateJoinPass } from '../../db/queries/groups.ts'
import { identitiesOf, identityById } from '../../db/queries/identities.ts'
import {
  claimOutgoing,
  deliveryIdsOfOutgoing,
  noticeOfOutgoing,
  type OutgoingRow,
  setDeliveriesStatus,
  staleOutgoing,
  updateOutgoing,
} from '../../db/queries/notices.ts'
import { ChannelError } from '../channels/errors.ts'
import { splitText } from '../channels/text.ts'
import { chineseMoment } from '../clock.ts'
import { entitledPersons } from '../domain/groups/composition.ts'
import { relayInstead } from '../domain/notices/fall-back.ts'
import { notePosted } from '../domain/notices/settle.ts'
import { sendToPerson } from '../domain/outgoing/enqueue.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** Messages under way at once in one process; the platforms allow far more, PostgreSQL shares our two cores. */
const CONCURRENCY = 12
const MAX_ATTEMPTS = 8
const BACKOFF_SECONDS = [5, 20, 60, 300, 900, 1800, 3600]
/** A claim older than this lost its process: no dozen of calls, one after the other, takes so long. */
const STALE_MS = 15 * 60_000

/** Kinds whose call can neither be repeated without harm nor asked about afterwards. */
const unrepeatable = new Set(['robot', 'appchat', 'mass'])

/**
 * Sends what is due and writes down what became of it. Any number of processes may run it at once; a message is with
 * one of them.
 * @returns how many messages were taken
 */
export async function deliverDue(rt: Runtime): Promise<number> {
  let taken = 0
  for (;;) {
    // no more than go out at once: what is claimed and not begun would look sent after a crash
    const batch = await claimOutgoing(rt.db, rt.clock.now(), CONCURRENCY)
    if (batch.length === 0) return taken
    taken += batch.length
    const lanes = lanesOf(batch)
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let lane = lanes.pop(); lane; lane = lanes.pop())
          for (const message of lane) await deliver(rt, message)
      }),
    )
  }
}

/** Messages to one person go one after the other, so that they arrive in order. */
function lanesOf(batch: OutgoingRow[]): OutgoingRow[][] {
  const lanes = new Map<string, OutgoingRow[]>()
  for (const message of batch) {
    const key = message.kind === 'person' ? `p${message.personId} i${message.identityId}` : `m${message.id}`
    lanes.set(key, [...(lanes.get(key) ?? []), message])
  }
  return [...lanes.values()].reverse()
}

interface Sent {
  platformId: string
  /** Only a call went out: the texts wait until the person writes (`requeueWaiting`). */
  isSummons?: boolean
}

async function deliver(rt: Runtime, message: OutgoingRow): Promise<void> {
  let sent: Sent
  try {
    sent = await send(rt, message)
  } catch (error) {
    return settleFailure(rt, message, error)
  }
  // it is out: whatever goes wrong from here on must not send it again
  try {
    await recordSent(rt, message, sent)
  } catch (error) {
    rt.log.error({ outgoingId: message.id, ...describeError(error) }, 'a sent message could not be recorded')
    await recordSent(rt, message, sent).catch(() => {
      // it stays `sending` and `recoverInFlight` finds it
    })
  }
}

function recordSent(rt: Runtime, message: OutgoingRow, { platformId, isSummons }: Sent): Promise<void> {
  return inTransaction(rt, async tx => {
    const now = rt.clock.now()
    const status = isSummons ? 'waiting' : 'sent'
    await updateOutgoing(tx.db, message.id, { status, sentAt: now, platformId, error: null })
    if (message.kind === 'robot' || message.kind === 'appchat')
      await notePosted(tx, await deliveryIdsOfOutgoing(tx.db, message.id), {
        kind: 'posted',
        personId: null,
        details: { channel: message.kind, platformId },
        at: now,
      })
    else await setDeliveriesStatus(tx.db, message.id, 'sent', now)
  })
}

async function settleFailure(rt: Runtime, message: OutgoingRow, error: unknown): Promise<void> {
  const failure = error instanceof ChannelError ? error : null
  if (!failure)
    rt.log.error({ outgoingId: message.id, ...describeError(error) }, 'a message could not be sent')
  const why = (failure?.message ?? 'internal error').slice(0, 300)
  const now = rt.clock.now()
  if ((failure === null || failure.isUncertain) && unrepeatable.has(message.kind))
    return markUnknown(rt, message, why)
  // members bind their accounts in their own time: an app's group is tried until it can be made
  const isPatient = message.kind === 'create_appchat' && failure?.reason === 'throttled'
  if ((failure === null || failure.retryable) && (isPatient || message.attempts < MAX_ATTEMPTS)) {
    const seconds = BACKOFF_SECONDS[Math.min(message.attempts, BACKOFF_SECONDS.length) - 1] ?? 5
    await updateOutgoing(rt.db, message.id, {
      status: 'retrying',
      nextAttemptAt: new Date(now.getTime() + seconds * 1000),
      claimedAt: null,
      error: why,
    })
    return
  }
  await inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'failed', error: why })
    await setDeliveriesStatus(tx.db, message.id, 'failed', now)
    if (unrepeatable.has(message.kind)) await relayInstead(tx, message.id)
  })
}

/** Whether it went out cannot be told: a person has a look. */
function markUnknown(rt: Runtime, message: OutgoingRow, why: string): Promise<void> {
  return inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'unknown', error: why })
    await setDeliveriesStatus(tx.db, message.id, 'unknown', rt.clock.now())
  })
}

/** Calls the platform. */
async function send(rt: Runtime, message: OutgoingRow): Promise<Sent> {
  const texts = JSON.parse(rt.vault.open(message.textsSealed)) as string[]
  switch (message.kind) {
    case 'robot':
      return sendInOrder(rt, message, texts, async text => {
        const group = await requireGroupOf(rt, message)
        if (!group.webhookSealed) throw new ChannelError('recipient', '群机器人已移除')
        return wecom(rt).postToRobot(rt.vault.open(group.webhookSealed), text)
      })
    case 'appchat':
      return sendInOrder(rt, message, texts, async text => {
        const group = await requireGroupOf(rt, message)
        if (!group.chatId) throw new ChannelError('recipient', '应用群还没有建好')
        return wecom(rt).postToAppChat(group.chatId, text)
      })
    case 'mass':
      return { platformId: await createMassTask(rt, message, texts) }
    case 'join_pass':
      return handOutJoinPass(rt, message)
    case 'create_appchat':
      return { platformId: await createAppChat(rt, message) }
    default:
      return sendToAccount(rt, message, texts)
  }
}

/** Sends the parts that are not out yet and notes each, so that a retry goes on behind them. */
async function sendInOrder(
  rt: Runtime,
  message: OutgoingRow,
  texts: string[],
  sendOne: (text: string) => Promise<{ platformId: string }>,
  maxBytes = 2048,
): Promise<Sent> {
  const parts = texts.flatMap(text => splitText(text, maxBytes))
  let platformId = message.platformId ?? ''
  for (const [index, part] of parts.entries()) {
    if (index < message.sentCount) continue
    platformId = (await sendOne(part)).platformId
    if (index + 1 < parts.length) {
      await updateOutgoing(rt.db, message.id, { sentCount: index + 1, platformId })
      message.sentCount = index + 1
    }
  }
  return { platformId }
}

/** Tries the person's accounts: WeCom first, then the Official Account in its window, then a template message. */
async function sendToAccount(rt: Runtime, message: OutgoingRow, texts: string[]): Promise<Sent> {
  const { wecom, officialAccount } = rt.channels
  const accounts =
    message.identityId === null
      ? message.personId === null
        ? []
        : await identitiesOf(rt.db, message.personId)
      : [await identityById(rt.db, message.identityId)].filter(account => account !== null)
  const usable = accounts.filter(account => account.isReachable)
  const inOrder = [
    ...usable.filter(each => each.channel === 'wecom'),
    ...usable.filter(each => each.channel !== 'wecom'),
  ]
  let last = new ChannelError('recipient', '对方还没有绑定账号，或已取消关注')
  for (const account of inOrder) {
    const channel = account.channel === 'wecom' ? wecom : officialAccount
    if (!channel) continue
    try {
      return await sendInOrder(
        rt,
        message,
        texts,
        text => channel.sendText(account.address, text),
        channel.maxTextBytes,
      )
    } catch (error) {
      if (!(error instanceof ChannelError) || error.retryable) throw error
      last = error
      if (error.reason === 'window_closed' && officialAccount && account.channel === 'official-account') {
        const sent = await trySummons(rt, message, account.address)
        if (sent !== null) return sent
      }
    }
  }
  throw last
}

/**
 * Outside the window a template message calls the person back. The text of a notice is asked for (通知 12); any other text
 * waits and follows when they write.
 */
async function trySummons(rt: Runtime, message: OutgoingRow, address: string): Promise<Sent | null> {
  const notice = await noticeOfOutgoing(rt.db, message.id)
  try {
    const sent = await rt.channels.officialAccount?.sendTemplate(
      address,
      {
        title: notice ? `通知 ${notice.id} 待转发` : '有一件事等您办理',
        time: chineseMoment(notice?.deadlineAt ?? rt.clock.now()),
        note: notice ? `请回复：通知 ${notice.id}` : '请回复任意一个字查看',
      },
      null,
    )
    return sent ? { platformId: sent.platformId, isSummons: notice === null } : null
  } catch (error) {
    if (error instanceof ChannelError && !error.retryable) return null
    throw error
  }
}

async function createMassTask(rt: Runtime, message: OutgoingRow, texts: string[]): Promise<string> {
  const [owner] = (await identitiesOf(rt.db, message.personId as number)).filter(
    account => account.channel === 'wecom',
  )
  if (!owner) throw new ChannelError('recipient', '群主没有绑定企业微信')
  const { platformId } = await wecom(rt).createMassTask(
    owner.address,
    message.chatIds ?? [],
    texts.join('\n'),
  )
  return platformId
}

/** Makes the person's own way into a customer group and sends it to them. */
async function handOutJoinPass(rt: Runtime, message: OutgoingRow): Promise<Sent> {
  const group = await requireGroupOf(rt, message)
  const pass = await openJoinPass(rt.db, group.id, message.personId as number)
  if (!pass || !group.chatId) throw new ChannelError('rejected', '入群码已用过，或群已不在')
  // a way made by an attempt that broke off would stay open for ever
  if (pass.configId) await wecom(rt).deleteJoinWay(pass.configId)
  const { configId, qrCode } = await wecom(rt).createJoinWay(group.chatId, pass.state)
  await updateJoinPass(rt.db, pass.id, { configId })
  return sendToAccount(rt, message, [`您加入“${group.name}”的专属入群码（仅限本人，一次有效）：${qrCode}`])
}

/** Makes the app's own group with those who belong in it and have a WeCom account. */
async function createAppChat(rt: Runtime, message: OutgoingRow): Promise<string> {
  const group = await requireGroupOf(rt, message)
  if (group.chatId) return group.chatId
  const persons = [
    group.ownerId as number,
    ...(await entitledPersons(rt, group)).map(person => person.personId),
  ]
  const accounts = []
  for (const personId of new Set(persons))
    accounts.push(
      ...(await identitiesOf(rt.db, personId)).filter(account => account.channel === 'wecom').slice(0, 1),
    )
  const members = accounts.map(account => account.address)
  const owner = accounts.find(account => account.personId === group.ownerId)
  if (!owner || members.length < 2) {
    const text = `应用群“${group.name}”还建不了：至少要有两位成员绑定了企业微信。请先让成员绑定，系统会再试。`
    if (message.attempts === 1) await sendToPerson(rt, group.ownerId as number, 'task', text)
    throw new ChannelError('throttled', '成员还没有绑定企业微信')
  }
  const chatId = await wecom(rt).createAppChat({
    chatId: `qunzhen${group.id}`,
    name: group.name,
    owner: owner.address,
    members,
  })
  await updateGroup(rt.db, group.id, { chatId, size: members.length })
  return chatId
}

function wecom(rt: Runtime) {
  if (!rt.channels.wecom) throw new ChannelError('config', '没有配置企业微信')
  return rt.channels.wecom
}

async function requireGroupOf(rt: Runtime, message: OutgoingRow) {
  const group = message.groupId === null ? null : await groupById(rt.db, message.groupId)
  if (!group) throw new ChannelError('rejected', '群不存在')
  return group
}

/**
 * Looks after messages whose process died with them in flight: those to a person are sent again, since a message twice
 * is better than none; a post in a group whose fate cannot be asked becomes `unknown` and is settled by a person.
 */
export async function recoverInFlight(rt: Runtime): Promise<number> {
  const now = rt.clock.now()
  const stale = await staleOutgoing(rt.db, new Date(now.getTime() - STALE_MS))
  for (const message of stale) {
    if (unrepeatable.has(message.kind)) await markUnknown(rt, message, '发送时服务中断，不知道是否已发出')
    else await updateOutgoing(rt.db, message.id, { status: 'retrying', nextAttemptAt: now, claimedAt: null })
  }
  return stale.length
}
