import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { exportVerdicts } from '../server/domain/messages/export-verdicts.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: node scripts/export-verdicts.ts 文件.jsonl

把各单位对提醒的判断（误报）写成 JSONL，一行一条 {alert, text, verdict}，供 npm run train -- --verdicts 文件.jsonl 改进提醒。
号码已经打上星号；拦得对的、反映诉求和意见的没有原话，不在里面。文件里是各单位的工作内容，用完请删掉。`

runCommandLine(HELP, async args => {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) throw new UsageError('请写一个文件名。')
  return withDomain(async rt => {
    const out = createWriteStream(file, { flags: 'w', mode: 0o600 })
    const count = await exportVerdicts(rt, line => void out.write(line))
    out.end()
    await finished(out)
    console.log(`写了 ${count} 条到 ${file}。`)
    return 0
  })
})
