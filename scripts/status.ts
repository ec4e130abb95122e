import { parseArgs } from 'node:util'
import { closeAlarm } from '../db/queries/alarms.ts'
import { appendAudit } from '../db/queries/platform.ts'
import { retrySetAside } from '../db/queries/troubles.ts'
import { DomainError } from '../server/errors.ts'
import { type DomainRuntime, inTransaction } from '../server/runtime.ts'
import { collectStatus } from './status/collect.ts'
import { statusWords } from './status/words.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run status -- [--json] [--retry 回调编号] [--close 告警编号]

给运维看运行情况：未关闭的告警和处理办法、搁置的回调、不认识的消息、没发完的消息、公众号还能到多少人、额度、
平台没有成功应答的调用。不含密钥和个人信息。

  --json          机器可读
  --retry 编号    把一条搁置的回调放回去，由服务再处理一次
  --close 编号    关闭一条处理好了的告警；再发生会另开一条`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, retry: { type: 'string' }, close: { type: 'string' } },
  })
  const retry = idIn('--retry', values.retry)
  const close = idIn('--close', values.close)
  return withDomain(async rt => {
    if (retry !== null) {
      await retryUpdate(rt, retry)
      console.log(`回调 ${retry} 已放回，服务会在十几秒内再处理。`)
    }
    if (close !== null) {
      await closeOne(rt, close)
      console.log(`告警 ${close} 已关闭。`)
    }
    if (retry !== null || close !== null) return 0
    const status = await collectStatus(rt)
    console.log(values.json ? JSON.stringify(status, null, 2) : statusWords(status))
    return 0
  })
})

function idIn(option: string, value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^\d{1,15}$/.test(value)) throw new UsageError(`${option} 后面要写编号。`)
  return Number(value)
}

function retryUpdate(rt: DomainRuntime, id: number): Promise<void> {
  return inTransaction(rt, async tx => {
    if (!(await retrySetAside(tx.db, id)))
      throw new DomainError('update.not_set_aside', `没有搁置的回调 ${id}。`)
    await noteDeed(tx, 'update.retried', 'update', id)
  })
}

function closeOne(rt: DomainRuntime, id: number): Promise<void> {
  return inTransaction(rt, async tx => {
    if (!(await closeAlarm(tx.db, id, tx.clock.now())))
      throw new DomainError('alarm.not_open', `没有未关闭的告警 ${id}。`)
    await noteDeed(tx, 'alarm.closed', 'alarm', id)
  })
}

/** Nobody in particular: whoever may run command lines on the server. */
function noteDeed(tx: DomainRuntime, action: string, subjectKind: string, subjectId: number): Promise<void> {
  return appendAudit(tx.db, {
    at: tx.clock.now(),
    actorId: null,
    action,
    subjectKind,
    subjectId,
    details: {},
  })
}
