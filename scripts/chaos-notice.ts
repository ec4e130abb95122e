import { parseArgs } from 'node:util'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { holds, killUnderNotice } from './chaos/notice/kill-notice.ts'
import { countOf, runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run chaos:notice [-- --kills 200] [--groups 10000] [--seed 1]

两个服务进程、落盘的 PostgreSQL、另一个进程里的模拟器（应答慢，所以总有调用在途）。发一个通知，随机时刻 SIGKILL 两个服务
进程中的一个，再把它启动，直到杀够次数；等都办完，拿平台实收的和库里记的逐群核对：
  · 没有忘的：平台上有，或记为“不确定”给人看，或已请群主转发；
  · 没有重的：每个群、每个群发任务、给每个人的每段话都只有一次；
  · 记为“已到”的，平台上都有；
  · “不确定”的不多于被杀时在途的请求（记了“正在发”、还没记下结果的；旁边印出平台那边看到的数）。
最后一行是 JSON；全部成立时退出码 0，否则 1。

  --kills   杀几次（默认 200）
  --groups  群数（默认 10000）：四成有机器人，两成客户群，应用群至多 60，其余由群主转发
  --seed    随机数种子（默认 1）`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '200' },
      groups: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const kills = countOf('kills', values.kills, 1)
  const groups = countOf('groups', values.groups, 20)
  const seed = countOf('seed', values.seed, 0)
  // durable: what the database has said stays so, and it is not the one that is killed
  return withDurablePostgres(async serverUrl => {
    const databaseUrl = await createDatabase(serverUrl, 'notice')
    await migrateDatabase(databaseUrl)
    const result = await killUnderNotice({
      databaseUrl,
      kills,
      groups,
      seed,
      tell: line => console.log(line),
    })
    for (const fault of result.faults) console.log(`不成立：${fault}`)
    const { faults: _told, ...figures } = result
    console.log(
      `${result.groups} 个群，杀 ${kills} 次（${result.killsUnderWay} 次在发送中）：到 ${result.arrived}，忘 ${result.forgotten}，` +
        `重 ${result.doubled}，误记 ${result.untrue}，没办完 ${result.open}；不确定 ${result.unknown}，被杀时在途 ${result.inFlight}（平台看到 ${result.seenInFlight}）`,
    )
    console.log(JSON.stringify({ chaos: 'notice', seed, ...figures, holds: holds(result) }))
    return holds(result) ? 0 : 1
  })
})
