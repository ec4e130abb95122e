import type { Logger } from 'pino'
import type { Db } from '../db/client.ts'
import type { Channels } from './channels/channel.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Templates } from './templates.ts'
import type { Vault } from './vault.ts'

/** Everything the server's parts share. Built once, in `server/start.ts`. */
export interface Runtime {
  config: Config
  db: Db
  vault: Vault
  templates: Templates
  clock: Clock
  log: Logger
  channels: Channels
  /** Address of this server as people open it, without a slash at the end. */
  publicUrl: string
  /** By this number others see that the process lives, and what it has in hand (`db/presence.ts`); null: it runs no jobs. */
  processNumber: number | null
  /** Whether the platforms are played by the simulator and anybody may be played by anybody. */
  isDemo: boolean
}

/**
 * What the domain may use: no channels, so that it cannot send. It writes `outgoing_messages` in its own transaction
 * instead, and `server/jobs/deliver.ts` sends from there.
 */
export type DomainRuntime = Pick<Runtime, 'db' | 'vault' | 'templates' | 'clock' | 'log' | 'publicUrl'>

/** Runs `work` in one transaction: all of its rows become visible together or not at all. */
export function inTransaction<T>(rt: DomainRuntime, work: (rt: DomainRuntime) => Promise<T>): Promise<T> {
  return rt.db.transaction(tx => work({ ...rt, db: tx }))
}
