import { setTimeout as sleep } from 'node:timers/promises'
import type { DueMessage } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import type { Clock } from '../../clock.ts'
import type { MustWait } from '../../limits.ts'
import type { Runtime } from '../../runtime.ts'

type Platform = DueMessage['channel']

const MOST_UNANSWERED = 5
const PAUSE_MS = 30_000
/** For so long after an answer a platform is taken to be there. */
const ANSWERS_FOR_MS = 20_000

/** Keeps the messages of a platform that does not answer where they are, so that they do not hold up the others. */
export class Breaker {
  private readonly clock: Clock
  private readonly unanswered = new Map<Platform, number>()
  private readonly closedUntil = new Map<Platform, Date>()
  private readonly heldUntil = new Map<string, Date>()
  private readonly answeredAt = new Map<Platform, Date>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  mayCall(platform: Platform): boolean {
    return (this.closedUntil.get(platform) ?? new Date(0)) <= this.clock.now()
  }

  /** Whether its latest word came a moment ago and nothing has gone unanswered since. */
  hasAnswered(platform: Platform): boolean {
    const at = this.answeredAt.get(platform)
    return at !== undefined && at.getTime() + ANSWERS_FOR_MS > this.clock.now().getTime()
  }

  /** Whether there may be a place for it again, after one of its kind found none. */
  mayHavePlace(due: DueMessage): boolean {
    return due.isUrgent || (this.heldUntil.get(roadOf(due)) ?? new Date(0)) <= this.clock.now()
  }

  /**
   * Where a limit of the whole account has no place, none of those behind has one either: they stay where they are
   * instead of each finding out by itself.
   */
  hold(due: DueMessage, { limit, until, isQuota }: MustWait): void {
    const road = roadOf(due)
    if (road !== 'one by one' && !isQuota && isOfAccount(limit)) this.heldUntil.set(road, until)
  }

  /** Waits a little for places that come free in moments. @returns false: there are none to wait for, or time stands still */
  async anyPlaceSoon(pauseMs: number): Promise<boolean> {
    const before = this.clock.now()
    if (![...this.heldUntil.values()].some(until => until > before)) return false
    await sleep(pauseMs)
    return this.clock.now() > before
  }

  /** @param error what a message came to; null when it went out */
  note(platform: Platform, error: unknown): void {
    if (error !== null && !(error instanceof ChannelError)) return
    if (error?.reason !== 'unreachable' || error.platformCode !== null) {
      this.unanswered.delete(platform)
      this.answeredAt.set(platform, this.clock.now())
      return
    }
    this.answeredAt.delete(platform)
    const count = (this.unanswered.get(platform) ?? 0) + 1
    this.unanswered.set(platform, count)
    if (count >= MOST_UNANSWERED)
      this.closedUntil.set(platform, new Date(this.clock.now().getTime() + PAUSE_MS))
  }
}

/** Limits that are for all messages of a kind together. */
const isOfAccount = (limit: string) => limit.startsWith('wecom.api') || limit.startsWith('appchat.')

/** What shares the limits of an account. Robots and accounts of the other platform have each their own. */
function roadOf({ kind, channel }: DueMessage): string {
  if (kind === 'appchat' || kind === 'mass') return kind
  return kind === 'person' && channel === 'wecom' ? 'member' : 'one by one'
}

const breakers = new WeakMap<Runtime['channels'], Breaker>()

/** The one of this process, which outlasts a run. */
export function breakerOf(rt: Runtime): Breaker {
  const breaker = breakers.get(rt.channels) ?? new Breaker(rt.clock)
  breakers.set(rt.channels, breaker)
  return breaker
}
