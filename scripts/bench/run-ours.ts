import { connectDatabase } from '../../db/client.ts'
import { createDatabase, migrateDatabase } from '../../db/migrate.ts'
import { systemClock } from '../../server/clock.ts'
import { createLog } from '../../server/log.ts'
import { randomDataKey } from '../../server/start.ts'
import { loadTemplates } from '../../server/templates.ts'
import { createVault } from '../../server/vault.ts'
import { freePort, startServerProcess } from '../chaos/server-process.ts'
import { storageFaults, storedCounts } from './database-checks.ts'
import { type LoadOptions, type LoadResult, runLoad, secrets } from './load.ts'
import { seedSenders } from './senders.ts'
import type { Mode } from './statistics.ts'

/** A database with the senders in it, of which every run gets a copy. */
export interface Prepared {
  /** Of the database server. */
  serverUrl: string
  template: string
  dataKey: string
  /** How many of the senders are persons of the roster. */
  bound: number
}

export async function prepareDatabase(serverUrl: string): Promise<Prepared> {
  const template = 'bench_template'
  const dataKey = randomDataKey()
  const url = await createDatabase(serverUrl, template)
  await migrateDatabase(url)
  const { db, close } = connectDatabase(url, 2)
  try {
    const bound = await seedSenders({
      db,
      vault: createVault(dataKey),
      templates: loadTemplates(),
      clock: systemClock,
      log: createLog('error'),
      publicUrl: '',
    })
    return { serverUrl, template, dataKey, bound }
  } finally {
    await close()
  }
}

const paths: Record<Mode, string> = { wecom: '/webhooks/wecom', 'oa-aes': '/webhooks/official-account' }
let copies = 0

/**
 * Starts our server on its core as in production, on a fresh copy of the prepared database, puts it under load, and
 * looks whether every message that was acknowledged is stored once, handled, with its reply.
 */
export async function measureOurs(
  { serverUrl, template, dataKey }: Prepared,
  load: Omit<LoadOptions, 'url' | 'pid' | 'expect'>,
  core: number | null,
): Promise<LoadResult & { peak_mb: number; faults: string[] }> {
  const databaseUrl = await createDatabase(serverUrl, `bench_${++copies}`, template)
  const server = await startServerProcess({
    environment: environmentOf(databaseUrl, dataKey),
    port: await freePort(),
    core,
  })
  const { db, close } = connectDatabase(databaseUrl, 1)
  try {
    const url = `http://127.0.0.1:${server.port}${paths[load.mode]}`
    const result = await runLoad({ ...load, url, pid: server.pid, expect: 'any' })
    const peak_mb = server.memory('peak') ?? 0
    const faults = storageFaults(await storedCounts(db), load.warmup + result.n)
    return { ...result, peak_mb, faults }
  } finally {
    await server.kill()
    await close()
  }
}

function environmentOf(databaseUrl: string, dataKey: string): Record<string, string> {
  const nobody = 'http://127.0.0.1:9'
  return {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    DATABASE_URL: databaseUrl,
    DATA_KEY: dataKey,
    WECOM_BASE_URL: nobody,
    WECOM_CORP_ID: secrets.receiveId,
    WECOM_AGENT_ID: '1000002',
    WECOM_SECRET: 'bench',
    WECOM_TOKEN: secrets.token,
    WECOM_AES_KEY: secrets.aesKey,
    OFFICIAL_ACCOUNT_BASE_URL: nobody,
    OFFICIAL_ACCOUNT_APP_ID: secrets.receiveId,
    OFFICIAL_ACCOUNT_SECRET: 'bench',
    OFFICIAL_ACCOUNT_TOKEN: secrets.token,
    OFFICIAL_ACCOUNT_AES_KEY: secrets.aesKey,
    OFFICIAL_ACCOUNT_MODE: 'secure',
  }
}
