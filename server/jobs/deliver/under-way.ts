import { AsyncLocalStorage } from 'node:async_hooks'

export interface UnderWay {
  /** The message that a platform is being called for, so that the log of calls can name it. */
  id: number
  /** Set around a call that cannot be repeated: told right before its request leaves, when the token is there. */
  onRequest: (() => Promise<void>) | null
}

/** What the platforms are being called for. Channels know nothing of rows. */
export const messageUnderWay = new AsyncLocalStorage<UnderWay>()
