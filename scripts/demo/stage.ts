import type { Logger } from 'pino'
import { type MovableClock, movableClock, shanghaiMoment } from '../../server/clock.ts'
import { readConfig } from '../../server/config.ts'
import { escalateDue } from '../../server/domain/notices/escalate.ts'
import { deliverDue } from '../../server/jobs/deliver.ts'
import { pollMassTasks } from '../../server/jobs/poll-mass-tasks.ts'
import { readDueGroups } from '../../server/jobs/read-groups.ts'
import { botFor } from '../../server/main.ts'
import { inTransaction } from '../../server/runtime.ts'
import { type RunningServer, startServer } from '../../server/start.ts'
import { type Simulator, startSimulator } from '../simulator/index.ts'
import { withPatience } from './patient.ts'

/** The month that the demo plays. */
export const MONTH = '2026-09'
const NOTICE_TEMPLATE = 'notice-to-relay'

export interface DemoStage {
  sim: Simulator
  server: RunningServer
  clock: MovableClock
  /** Lets everything happen that is due, until nothing more does. */
  settle(): Promise<void>
  stop(): Promise<void>
}

export interface DemoOptions {
  databaseUrl: string
  dataKey: string
  log: Logger
  /** Of the simulator's page; 0 takes any free port. */
  phonePort: number
  serverPort: number
  host: string
  logFile?: string
}

/** Starts the simulator and a server that knows it by its base URLs; everything else is as in production. */
export async function openDemo(options: DemoOptions): Promise<DemoStage> {
  const clock = movableClock(shanghaiMoment(`${MONTH}-01`, '08:00'), true)
  const sim = await startSimulator({
    clock,
    port: options.phonePort,
    host: options.host,
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  })
  const wecom = {
    corpId: 'ww0demo0qunzhen',
    agentId: 1000001,
    secret: 'demo-wecom-secret',
    token: 'demoWecomToken',
    aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
    name: '群阵',
  }
  const account = {
    appId: 'wx0demo0qunzhen',
    originalId: 'gh_qunzhen',
    secret: 'demo-account-secret',
    token: 'demoAccountToken',
    aesKey: 'GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba',
    mode: 'secure' as const,
    kind: 'service' as const,
    name: '青农榆林',
  }
  const config = readConfig({
    HOST: options.host,
    PORT: String(options.serverPort),
    DATABASE_URL: options.databaseUrl,
    DATABASE_POOL: '16',
    DATA_KEY: options.dataKey,
    WECOM_BASE_URL: sim.baseUrls.wecom,
    WECOM_CORP_ID: wecom.corpId,
    WECOM_AGENT_ID: String(wecom.agentId),
    WECOM_SECRET: wecom.secret,
    WECOM_TOKEN: wecom.token,
    WECOM_AES_KEY: wecom.aesKey,
    OFFICIAL_ACCOUNT_BASE_URL: sim.baseUrls.officialAccount,
    OFFICIAL_ACCOUNT_APP_ID: account.appId,
    OFFICIAL_ACCOUNT_SECRET: account.secret,
    OFFICIAL_ACCOUNT_TOKEN: account.token,
    OFFICIAL_ACCOUNT_AES_KEY: account.aesKey,
    OFFICIAL_ACCOUNT_MODE: account.mode,
    OFFICIAL_ACCOUNT_KIND: account.kind,
    OFFICIAL_ACCOUNT_NOTICE_TEMPLATE: NOTICE_TEMPLATE,
  })
  const server = await startServer({
    config,
    createBot: botFor,
    clock,
    log: options.log,
    withSchedule: false,
    databaseUrl: options.databaseUrl,
    isDemo: true,
  })
  sim.addWecomApp({ ...wecom, callbackUrl: `${server.url}/webhooks/wecom` })
  sim.addOfficialAccount({
    ...account,
    templates: { [NOTICE_TEMPLATE]: ['thing1', 'time2', 'thing3'] },
    callbackUrl: `${server.url}/webhooks/official-account`,
  })
  const { rt } = server
  return {
    sim: withPatience(sim, rt),
    server,
    clock,
    async settle() {
      for (let more = 1; more > 0; ) {
        await sim.idle()
        more = await deliverDue(rt)
        more += await readDueGroups(rt)
        more += await pollMassTasks(rt)
        more += (await inTransaction(rt, escalateDue)).deliveries
      }
    },
    async stop() {
      await server.stop()
      await sim.stop()
    },
  }
}
