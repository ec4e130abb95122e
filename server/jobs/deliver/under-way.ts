import { AsyncLocalStorage } from 'node:async_hooks'

/** The message that a platform is being called for, so that the log of calls can name it. Channels know nothing of rows. */
export const messageUnderWay = new AsyncLocalStorage<number>()
