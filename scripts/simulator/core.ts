import type { Clock } from '../../server/clock.ts'
import type { CallbackSender } from './callbacks.ts'
import type { Channel } from './channel.ts'
import type { Faults } from './faults.ts'
import type { Ids } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Log } from './log.ts'
import type { MassStore } from './mass.ts'
import type { MediaStore } from './media.ts'
import type { ServiceWindows } from './service-window.ts'
import type { Tokens } from './tokens.ts'
import type { OfficialAccountSettings, SimulatorOptions, WecomAppSettings } from './types.ts'
import type { World } from './world.ts'

export interface WecomApp extends WecomAppSettings {
  channel: Channel
  menu?: unknown
}

export interface OfficialAccount extends OfficialAccountSettings {
  channel: Channel
  menu?: unknown
}

/** Everything the parts of the simulator share; made once in index.ts. */
export interface Core {
  clock: Clock
  options: SimulatorOptions
  ids: Ids
  log: Log
  limits: Limits
  faults: Faults
  world: World
  tokens: Tokens
  media: MediaStore
  mass: MassStore
  windows: ServiceWindows
  callbacks: CallbackSender
  apps: WecomApp[]
  accounts: OfficialAccount[]
  /** Where the simulator itself is reached; set once it listens. */
  url: string
}

/** The app that people write to and that is told about customer groups: the first one. */
export function mainApp(core: Core): WecomApp {
  const app = core.apps[0]
  if (!app) throw new Error('the simulator has no WeCom app yet: call addWecomApp')
  return app
}

export function mainAccount(core: Core): OfficialAccount {
  const account = core.accounts[0]
  if (!account) throw new Error('the simulator has no Official Account yet: call addOfficialAccount')
  return account
}

export function unixSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000)
}
