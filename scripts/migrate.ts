import { openDatabase } from '../db/open.ts'
import { readDataConfig } from '../server/config.ts'
import { runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run db:migrate

把数据库升级到当前版本（带锁，可重复执行）。数据库由环境变量 DATABASE_URL 指定，未设置时用 DATA_FOLDER 里的内置 PostgreSQL。`

runCommandLine(HELP, async () => {
  const database = await openDatabase(readDataConfig(process.env))
  await database.close()
  console.log('数据库已是最新版本。')
  return 0
})
