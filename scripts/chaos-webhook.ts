import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeEmbeddedData, startEmbeddedPostgres } from '../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { killUnderLoad } from './chaos/kill-webhook.ts'
import { runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run chaos:webhook [-- --kills 200] [--lanes 16] [--seed 1]

在压力下随机 SIGKILL 服务进程，核对每个已应答的回调都在库里、恰好生效一次、都处理完。退出码 0 表示全部成立。`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '200' },
      lanes: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-chaos-'))
  // durable: what is acknowledged must be on disk, and the process that holds it is not the one that is killed
  const embedded = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  try {
    const databaseUrl = await createDatabase(embedded.url, 'chaos')
    await migrateDatabase(databaseUrl)
    const result = await killUnderLoad({
      databaseUrl,
      kills: Number(values.kills),
      lanes: Number(values.lanes),
      seed: Number(values.seed),
      tell: line => console.log(line),
    })
    console.log(JSON.stringify(result))
    return result.lost + result.doubled + result.unhandled === 0 ? 0 : 1
  } finally {
    await embedded.stop()
    removeEmbeddedData(join(folder, 'postgres'))
    rmSync(folder, { recursive: true, force: true })
  }
})
