import { batched } from '../../../db/batch.ts'
import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { groupToPostInto } from '../../../db/queries/groups.ts'
import type { OutgoingRow } from '../../../db/queries/notices.ts'
import { noteSteps, urgentPurposes } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import { type LimitedCall, MustWait, quotaNamed, takePlace } from '../../limits.ts'
import type { Runtime } from '../../runtime.ts'
import type { Step } from './content.ts'
import { messageUnderWay } from './under-way.ts'

export interface Message extends OutgoingRow {
  /** A call that cannot be repeated has begun, and what came of it is not recorded yet. */
  isCalling?: boolean
  /** Writes down that such a call begins. @throws ClaimLost */
  noteCall?: () => Promise<void>
}

/** Another process has taken the message up, because this one was not seen for long: it is not to call any more. */
export class ClaimLost extends Error {}

/** What the message carries is not to go out any more: its notice was withdrawn, or everybody that it is for has it. */
export class TakenBack extends Error {
  readonly why: 'withdrawn' | 'settled'
  constructor(why: TakenBack['why']) {
    super(why)
    this.why = why
  }
}

/** It is quiet (安静时间): nothing was called, and it goes out after that. */
export class NotYet extends Error {
  readonly until: Date
  constructor(until: Date) {
    super('quiet hours')
    this.until = until
  }
}

/** What came of sending. */
export interface Sent {
  platformId: string
  /** Only a call went out: the texts wait until the person writes (`requeueWaiting`). */
  isSummons?: boolean
  /** For `mass`: groups that the task does not reach; their owner relays. */
  unreached?: string[]
}

/**
 * Takes the places for a call that this message is about to make.
 * @throws MustWait; operators are told when it is a day's or a month's quota
 */
export async function placeFor(rt: Runtime, message: Message, call: LimitedCall): Promise<void> {
  try {
    await takePlace(rt, call, urgentPurposes.includes(message.purpose))
  } catch (error) {
    const quota = error instanceof MustWait ? quotaNamed(error.limit) : null
    if (error instanceof MustWait && quota)
      await raiseAlarm(
        rt.db,
        `quota:${error.limit}`,
        `${quota.words}的额度用完了。没发的消息排着队，${quota.per === 'day' ? '明天零点' : '下月 1 日'}后自动接着发；有别的账号可到的已改道。`,
        rt.clock.now(),
      )
    throw error
  }
}

/**
 * Marks the call while it is out, in the row too: only what goes wrong then leaves it open whether the post is there. What
 * was only claimed when its process was killed goes back to those that wait.
 */
export async function calling<T>(message: Message, call: () => Promise<T>): Promise<T> {
  const underWay = messageUnderWay.getStore()
  if (!underWay) throw new Error('a call for no message')
  underWay.onRequest = async () => {
    await message.noteCall?.()
    message.isCalling = true
  }
  try {
    return await call()
  } finally {
    underWay.onRequest = null
  }
}

/** Takes the steps that have not been taken yet and notes each, so that a retry goes on behind them. */
export async function sendSteps(rt: Runtime, message: Message, steps: Step[]): Promise<Sent> {
  let platformId = message.platformId ?? ''
  for (const [index, step] of steps.entries()) {
    if (index < message.sentCount) continue
    platformId = (await step()).platformId
    if (index + 1 < steps.length) {
      const { id, recallIds } = message
      await stepNoterOf(rt)({ id, sentCount: index + 1, platformId, recallIds: recallIds ?? null })
      message.sentCount = index + 1
      message.isCalling = false
    }
  }
  return { platformId }
}

type TakenStep = Parameters<typeof noteSteps>[1][number]
const stepNoters = new WeakMap<Runtime['channels'], (step: TakenStep) => Promise<null>>()

/** The one of this process: steps that are taken at the same time are noted together. */
function stepNoterOf(rt: Runtime): (step: TakenStep) => Promise<null> {
  const noter =
    stepNoters.get(rt.channels) ??
    batched(async (steps: TakenStep[]) => {
      await noteSteps(rt.db, steps)
      return steps.map(() => null)
    })
  stepNoters.set(rt.channels, noter)
  return noter
}

export function requireWecom(rt: Runtime) {
  if (!rt.channels.wecom) throw new ChannelError('config', '没有配置企业微信')
  return rt.channels.wecom
}

export async function requireGroup(rt: Runtime, message: Message) {
  const group = message.groupId === null ? null : await groupToPostInto(rt.db, message.groupId)
  if (!group) throw new ChannelError('rejected', '群不存在')
  return group
}
