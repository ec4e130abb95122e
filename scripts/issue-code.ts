import { parseArgs } from 'node:util'
import { issueCodeByOperator } from '../server/domain/identities/issue-code.ts'
import { inTransaction } from '../server/runtime.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run issue-code -- --programme 体系 --unit 单位编码 --name 姓名

给名册里的第一批负责同志发一次性绑定码（此后由上级在聊天里“发码”）。`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: { programme: { type: 'string' }, unit: { type: 'string' }, name: { type: 'string' } },
  })
  const { programme, unit, name } = values
  if (!programme || !unit || !name) throw new UsageError('--programme、--unit、--name 都要写。')
  return withDomain(async rt => {
    const issued = await inTransaction(rt, tx => issueCodeByOperator(tx, { programme, unitCode: unit, name }))
    console.log(
      `${issued.unitName}${issued.title} ${issued.personName} 的绑定码：${issued.code}（7 天内有效，用过即作废）`,
    )
    return 0
  })
})
