import { parseArgs } from 'node:util'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { killUnderPayout } from './chaos/payout/kill-payout.ts'
import { countOf, runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run chaos:payout [-- --kills 200] [--payments 1000] [--seed 1]

一份批准了的补贴名单、落盘的 PostgreSQL、模拟器扮演微信支付（应答慢、丢、重、出错，通知重发或丢失）。随机时刻 SIGKILL 服务
进程再启动，直到杀够次数；收款人多数确认，有的收不了，有的不理（最后撤销）。等每笔都有结果，拿平台自己的账逐笔核对：
  · 没有一个人收到两次；没有一笔被忘掉；
  · 每笔的结果两边一样，台账的每一分与平台的账、商户余额相等。
最后一行是 JSON；全部成立时退出码 0，否则 1。

  --kills     杀几次（默认 200）
  --payments  几笔（默认 1000）
  --seed      随机数种子（默认 1）`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '200' },
      payments: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const kills = countOf('kills', values.kills, 0)
  const payments = countOf('payments', values.payments, 1)
  const seed = countOf('seed', values.seed, 0)
  return withDurablePostgres(async serverUrl => {
    const databaseUrl = await createDatabase(serverUrl, 'payout')
    await migrateDatabase(databaseUrl)
    const { faults, ...figures } = await killUnderPayout({
      databaseUrl,
      kills,
      payments,
      seed,
      tell: line => console.log(line),
    })
    for (const fault of faults) console.log(`不成立：${fault}`)
    console.log(
      `${figures.payments} 笔，杀 ${kills} 次（${figures.killsUnderWay} 次在付款中）：到账 ${figures.paid}，重付 ${figures.paidTwice}，忘 ${figures.forgotten}，不一致 ${figures.differing}；台账 ${figures.ledgerPaid} 分，平台 ${figures.platformPaid} 分`,
    )
    console.log(JSON.stringify({ chaos: 'payout', seed, ...figures, holds: faults.length === 0 }))
    return faults.length === 0 ? 0 : 1
  })
})
