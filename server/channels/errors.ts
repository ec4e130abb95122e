import { AppError } from '../errors.ts'

export type ChannelErrorCode =
  /** Forged, stale, for another receiver, or badly padded callback. */
  | 'signature'
  /** A callback that is not what the platform sends. */
  | 'malformed'
  /** No connection, a timeout, or HTTP 5xx. */
  | 'unreachable'
  /** Too many calls; later it goes. */
  | 'throttled'
  /** The access token is void. */
  | 'token'
  /** This person or group cannot be reached any more (left, blocked, robot removed). */
  | 'recipient'
  /** The time in which this person may be written to is over. */
  | 'window_closed'
  /** The account lacks a right or a setting: an operator must act. */
  | 'config'
  /** The platform refuses this message. */
  | 'rejected'

const retryable: ReadonlySet<ChannelErrorCode> = new Set(['unreachable', 'throttled', 'token'])

/** Something between a platform and us went wrong. `retryable` decides what becomes of the message. */
export class ChannelError extends AppError {
  readonly reason: ChannelErrorCode
  readonly retryable: boolean
  readonly platformCode: number | null
  /** true: the request may have been carried out although no answer came. */
  readonly isUncertain: boolean
  /** The platform says that a right or a setting is missing: once an operator has seen to it, the same call succeeds. */
  readonly mayBeRepaired: boolean
  /** The address that the platform saw us call from, where it refuses it: that is the one to put on its list. */
  readonly seenAddress: string | null
  constructor(
    reason: ChannelErrorCode,
    message: string,
    options: {
      platformCode?: number
      isUncertain?: boolean
      seenAddress?: string | null
      cause?: unknown
    } = {},
  ) {
    super(`channel.${reason}`, message, { cause: options.cause })
    this.reason = reason
    this.retryable = retryable.has(reason)
    this.platformCode = options.platformCode ?? null
    // without a code we said it ourselves: an account of this kind never can
    this.mayBeRepaired = reason === 'config' && this.platformCode !== null
    this.isUncertain = options.isUncertain ?? false
    this.seenAddress = options.seenAddress ?? null
  }
}
