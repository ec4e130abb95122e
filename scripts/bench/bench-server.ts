import { createDatabase, migrateDatabase } from '../../db/migrate.ts'
import { systemClock } from '../../server/clock.ts'
import { readConfig } from '../../server/config.ts'
import { createLog } from '../../server/log.ts'
import { botFor } from '../../server/main.ts'
import { randomDataKey, startServer } from '../../server/start.ts'
import { UsageError } from '../support/command-line.ts'
import { undurableSettings } from './database-checks.ts'

/**
 * A server in this process on a new database, without jobs; the platform it knows does not answer.
 * @throws UsageError when PostgreSQL does not sync to disk: what is measured would not be what is run
 */
export async function startBenchServer(serverUrl: string, name: string) {
  const databaseUrl = await createDatabase(serverUrl, name)
  await migrateDatabase(databaseUrl)
  const server = await startServer({
    config: readConfig({
      PORT: '0',
      DATABASE_URL: databaseUrl,
      DATA_KEY: randomDataKey(),
      WECOM_BASE_URL: 'http://127.0.0.1:9',
      WECOM_CORP_ID: 'bench',
      WECOM_AGENT_ID: '1',
      WECOM_SECRET: 'bench',
      WECOM_TOKEN: 'bench',
      WECOM_AES_KEY: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
    }),
    createBot: botFor,
    clock: systemClock,
    log: createLog('fatal'),
    withSchedule: false,
    databaseUrl,
    isDemo: true,
  })
  const off = await undurableSettings(server.rt.db)
  if (off.length === 0) return { server, databaseUrl }
  await server.stop()
  throw new UsageError(`数据库没有打开落盘：${off.join('，')}`)
}
