import { parseArgs } from 'node:util'
import { closeOneAlarm } from '../server/domain/alarms/close.ts'
import { retryMessages } from '../server/domain/outgoing/settle.ts'
import { retryAllUpdates, retryUpdate } from '../server/domain/updates/retry.ts'
import { collectStatus } from '../server/status/collect.ts'
import { statusWords } from './status/words.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run status -- [--json] [--retry 回调编号|updates|messages] [--close 告警编号]

给运维看运行情况：未关闭的告警和处理办法、搁置的回调、不认识的消息、没发完的消息、公众号还能到多少人、额度、
平台没有成功应答的调用。不含密钥和个人信息。

  --json          机器可读
  --retry 编号    把一条搁置的回调放回去，由服务再处理一次
  --retry updates   把搁置的回调全部放回去
  --retry messages  平台的设置修好后用：重试中的消息现在就发，近三天没发出的个人消息和入群码放回去再发
  --close 编号    关闭一条处理好了的告警；再发生会另开一条`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, retry: { type: 'string' }, close: { type: 'string' } },
  })
  const isAll = values.retry === 'updates' || values.retry === 'messages'
  const retry = isAll ? null : idIn('--retry', values.retry)
  const close = idIn('--close', values.close)
  return withDomain(async rt => {
    if (values.retry === 'updates')
      console.log(`${await retryAllUpdates(rt, null)} 条回调已放回，服务会在十几秒内再处理。`)
    if (values.retry === 'messages') {
      const { hastened, putBack } = await retryMessages(rt, null)
      console.log(`${hastened} 条重试中的消息现在就发，${putBack} 条没发出的已放回。`)
    }
    if (retry !== null) {
      await retryUpdate(rt, null, retry)
      console.log(`回调 ${retry} 已放回，服务会在十几秒内再处理。`)
    }
    if (close !== null) {
      await closeOneAlarm(rt, null, close)
      console.log(`告警 ${close} 已关闭。`)
    }
    if (isAll || retry !== null || close !== null) return 0
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
