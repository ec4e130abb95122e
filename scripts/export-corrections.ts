import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { correctionsForTraining } from '../server/domain/messages/corrections.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: node scripts/export-corrections.ts --out 文件.jsonl [--since YYYY-MM-DD]

把群主和工作人员定过、改过类别的消息（开头几个字）写成训练数据，一行一条，格式同 templates/training/categories.jsonl。
有号码的、有名册里人名的不写；并入训练数据之前请再看一遍，然后 npm run train。`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({ args, options: { out: { type: 'string' }, since: { type: 'string' } } })
  const { out, since = null } = values
  if (!out) throw new UsageError('请写明 --out。')
  if (since !== null && !/^\d{4}-\d{2}-\d{2}$/.test(since))
    throw new UsageError(`日期要写成 YYYY-MM-DD：${since}`)
  return withDomain(async rt => {
    const file = createWriteStream(out)
    let count = 0
    for await (const line of correctionsForTraining(rt, since)) {
      file.write(`${JSON.stringify(line)}\n`)
      count++
    }
    file.end()
    await finished(file)
    console.log(`${count} 条，已写入 ${out}`)
    return 0
  })
})
