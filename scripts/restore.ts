import { parseArgs } from 'node:util'
import { openUnmigrated } from '../db/backup.ts'
import { readDataConfig } from '../server/config.ts'
import { DomainError } from '../server/errors.ts'
import { summaryOf } from './backup/format.ts'
import { areOfKeys, checkBackup } from './backup/read.ts'
import { restoreInto } from './backup/restore-into.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run restore -- --from 文件 [--check] [--force-key]

把 npm run backup 的文件恢复到一个空的数据库（DATABASE_URL，或 DATA_FOLDER 里的内置 PostgreSQL），再升级到本程序的版本。
先把整个文件核对一遍，不完整或被改动过的不恢复；全部恢复或什么也不动。恢复之前不要启动服务：它会建表，库就不空了。

  --check       只核对文件，不碰数据库
  --force-key   DATA_KEY 和备份时的不是同一个也恢复：手机号、身份证号、机器人地址、待发的消息从此解不开，绑定码、按号码
                找人也都失效。只在原来的 DATA_KEY 确实丢了时用`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      from: { type: 'string' },
      check: { type: 'boolean', default: false },
      'force-key': { type: 'boolean', default: false },
    },
  })
  const { from } = values
  if (!from) throw new UsageError('--from 要写：从哪个文件恢复。')
  const config = readDataConfig(process.env)
  const keys = [config.dataKey, ...config.otherDataKeys]
  const manifest = await checkBackup(from, ...keys)
  const hasKey = areOfKeys(manifest, keys)
  console.log(`${from} 完整无损：${summaryOf(manifest)}。`)
  if (values.check) {
    if (!hasKey) console.log('注意：现在的 DATA_KEY 不是备份时的那一个（DATA_KEYS_OTHER 里也没有）。')
    return 0
  }
  if (!hasKey && !values['force-key'])
    throw new DomainError(
      'restore.other_key',
      `现在的 DATA_KEY 不是备份时的那一个：恢复后手机号、身份证号等都解不开。没有动数据库。
请把备份时的密钥写进 DATA_KEY（或 DATA_KEYS_OTHER，恢复后运行 npm run rotate-keys）；备份时正在更换密钥的，两把都要。
确实丢了才用 --force-key（见 --help）。`,
    )
  const database = await openUnmigrated(config)
  try {
    const restored = await restoreInto(database.url, from, config.dataKey, manifest)
    for (const table of restored.strange) console.log(`注意：备份里的表 ${table} 不是本程序的，没有恢复。`)
    console.log(`已恢复 ${restored.tables} 张表、${restored.rows} 行，数据库已是本程序的版本。`)
    if (!hasKey) console.log('注意：DATA_KEY 不是备份时的那一个，加密的内容都解不开。')
    return 0
  } finally {
    await database.close()
  }
})
