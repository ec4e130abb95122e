import type { CallTrace } from './http.ts'
import type { TokenStore } from './token.ts'

/** What every channel is given by the server. */
export interface ChannelServices {
  now: () => Date
  tokens: TokenStore
  trace: (entry: CallTrace) => void
  /** Waited for right before a request leaves that must not be repeated. */
  beforeCall?: () => Promise<void>
  freshnessSeconds: number
}
