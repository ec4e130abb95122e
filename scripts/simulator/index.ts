import { randomInt } from 'node:crypto'
import { serveAibot } from './aibot/actors.ts'
import { createCallbackSender } from './callbacks.ts'
import type { Core } from './core.ts'
import { createFaults } from './faults.ts'
import { createHttpServer } from './http-server.ts'
import { seededIds } from './ids.ts'
import { createLimits } from './limits.ts'
import { openLog } from './log.ts'
import { loseAnswers } from './lost-answers.ts'
import { createMassStore } from './mass.ts'
import { createMediaStore } from './media.ts'
import { servePay } from './pay/pay.ts'
import { servePhone } from './phone/routes.ts'
import { createPush } from './push.ts'
import { createServiceWindows } from './service-window.ts'
import { createSimulator, type Simulator } from './simulator.ts'
import { createTokens } from './tokens.ts'
import type { SimulatorOptions } from './types.ts'
import { createWorld } from './world.ts'

export type { Simulator } from './simulator.ts'
export type * from './types.ts'

/**
 * Starts a stand-in for qyapi.weixin.qq.com, api.weixin.qq.com and api.mch.weixin.qq.com on one port.
 *
 * It shares no code with the server under test, so a mistake in one is not hidden by the same mistake in the other.
 * Give the server `baseUrls` and the simulator the server's callback addresses; then let people act.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { clock } = options
  // a server that keeps its database must not meet the message ids of an earlier run again
  const ids = seededIds(options.seed ?? randomInt(2 ** 32))
  const limits = createLimits(clock, options.limits)
  const log = openLog(clock, options.logFile, options.logLimit)
  const basics = { clock, options, ids, limits, log, faults: createFaults(ids.random, log) }
  const core = {
    ...basics,
    world: createWorld(ids),
    tokens: createTokens(basics),
    media: createMediaStore(basics),
    mass: createMassStore(),
    windows: createServiceWindows(basics),
    apps: [],
    accounts: [],
    url: '',
  } as Omit<Core, 'callbacks'> as Core
  core.callbacks = createCallbackSender(core)

  const app = createHttpServer(core)
  const push = createPush(core)
  loseAnswers(app, core)
  const aibot = serveAibot(app, core, push)
  const pay = servePay(app, core, push)
  const phone = servePhone(app, core)
  const host = options.host ?? '127.0.0.1'
  await app.listen({ port: options.port ?? 0, host })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  // 0.0.0.0 is where it listens, not where it is reached
  core.url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`
  const simulator = createSimulator(core, { aibot, pay }, async () => {
    core.callbacks.stop()
    push.stop()
    pay.stop()
    phone.close()
    await app.close()
    await core.log.close()
  })
  phone.connect(simulator)
  return simulator
}
