import type { CallTrace } from './http.ts'
import type { TokenStore } from './token.ts'

/** What every channel is given by the server. */
export interface ChannelServices {
  now: () => Date
  tokens: TokenStore
  trace: (entry: CallTrace) => void
  freshnessSeconds: number
}
