import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openUnmigrated, withSnapshot } from '../db/backup.ts'
import { systemClock } from '../server/clock.ts'
import { readDataConfig } from '../server/config.ts'
import { DomainError } from '../server/errors.ts'
import { summaryOf } from './backup/format.ts'
import { writeBackup } from './backup/write.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run backup -- --out 文件

把数据库某一时刻的全部数据备份成一个文件（gzip，内有校验），服务不用停，也不用 pg_dump；内置的和 DATABASE_URL 的都可以。
写完整了文件才出现在 --out（已有的被换掉），中途失败什么也不留下。

文件里有姓名等个人信息，只有运行者能读（权限 600）；手机号、身份证号是加密的，DATA_KEY 不在里面，请分开另存。
任务队列（pg-boss 的表）不备份，服务启动时自己重建。恢复用 npm run restore。`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({ args, options: { out: { type: 'string' } } })
  const { out } = values
  if (!out) throw new UsageError('--out 要写：备份写到哪个文件。')
  const config = readDataConfig(process.env)
  const database = await openUnmigrated(config)
  try {
    const manifest = await withSnapshot(database.url, snapshot => {
      if (snapshot.migrations.length === 0)
        throw new DomainError(
          'backup.nothing',
          '数据库是空的，没有可备份的。请检查 DATABASE_URL 或 DATA_FOLDER 是不是服务在用的那一个。',
        )
      return writeBackup(snapshot, out, {
        at: systemClock.now(),
        dataKey: config.dataKey,
        otherKeys: config.otherDataKeys,
      })
    })
    const megabytes = (statSync(out).size / 1_048_576).toFixed(1)
    console.log(`已备份 ${summaryOf(manifest)}，写入 ${out}（${megabytes} MB）`)
    return 0
  } finally {
    await database.close()
  }
})
