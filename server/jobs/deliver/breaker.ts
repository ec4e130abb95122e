import type { DueMessage } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import type { Clock } from '../../clock.ts'
import type { Runtime } from '../../runtime.ts'

type Platform = DueMessage['channel']

const MOST_UNANSWERED = 5
const PAUSE_MS = 30_000

/** Keeps the messages of a platform that does not answer where they are, so that they do not hold up the others. */
export class Breaker {
  private readonly clock: Clock
  private readonly unanswered = new Map<Platform, number>()
  private readonly closedUntil = new Map<Platform, Date>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  mayCall(platform: Platform): boolean {
    return (this.closedUntil.get(platform) ?? new Date(0)) <= this.clock.now()
  }

  /** @param error what a message came to; null when it went out */
  note(platform: Platform, error: unknown): void {
    if (error !== null && !(error instanceof ChannelError)) return
    if (error?.reason !== 'unreachable' || error.platformCode !== null) {
      this.unanswered.delete(platform)
      return
    }
    const count = (this.unanswered.get(platform) ?? 0) + 1
    this.unanswered.set(platform, count)
    if (count >= MOST_UNANSWERED)
      this.closedUntil.set(platform, new Date(this.clock.now().getTime() + PAUSE_MS))
  }
}

const breakers = new WeakMap<Runtime['channels'], Breaker>()

/** The one of this process, which outlasts a run. */
export function breakerOf(rt: Runtime): Breaker {
  const breaker = breakers.get(rt.channels) ?? new Breaker(rt.clock)
  breakers.set(rt.channels, breaker)
  return breaker
}
