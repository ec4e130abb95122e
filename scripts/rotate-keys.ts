import { parseArgs } from 'node:util'
import { chineseMoment } from '../server/clock.ts'
import { type RotationResult, rotateKeys } from '../server/domain/data-keys/rotate.ts'
import { runCommandLine, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run rotate-keys

把数据库里加密的内容全部换成现在的 DATA_KEY，并重做手机号、身份证号等的索引。先把新密钥写进 DATA_KEY、旧密钥写进
DATA_KEYS_OTHER，重启所有进程，再运行它（docs/operations.md“密钥的更换”一步一步写着）。

服务不用停；可以反复运行，中断了再运行就接着做。做完会说旧密钥能不能拿掉：只要还有一行要用它，就不说能（状态 1）。`

/** One that holds the rosters, one for each lane, one to look how much is left, and one to spare. */
const CONNECTIONS = 5
/** Progress is said no more often. */
const SAID_EVERY_MS = 3000

const tables: Record<string, string> = {
  persons: '人员的手机号、身份证号、微信号',
  roster_person_changes: '导入前的原样（撤销用）',
  join_requests: '入群申请',
  join_decisions: '入群审核的说明',
  groups: '群机器人地址',
  roll_calls: '签到链接',
  roster_drafts: '上传的名册',
  updates: '收到的话',
  outgoing_messages: '发出的话',
  result_pages: '结果链接',
  access_tokens: '平台令牌',
  conversations: '没办完的对话',
  sessions: '网页登录',
  api_tokens: '接口令牌',
  binding_codes: '绑定码',
  sign_in_links: '登录链接',
}
const nameOf = (table: string) => tables[table] ?? table

runCommandLine(HELP, async args => {
  parseArgs({ args, options: {} })
  return withDomain(async rt => {
    const [current = '', ...others] = rt.vault.keyNames
    console.log(
      `现在的密钥 ${current}，另外还能打开旧内容的：${others.length > 0 ? others.join('、') : '没有（DATA_KEYS_OTHER 没有设）'}。`,
    )
    let saidAt = 0
    const result = await rotateKeys(rt, {
      onProgress({ table, done }) {
        if (performance.now() - saidAt < SAID_EVERY_MS) return
        saidAt = performance.now()
        console.log(`${nameOf(table)}：已换 ${done} 行……`)
      },
    })
    return report(result)
  }, CONNECTIONS)
})

function report({ done, left, unreadable, held }: RotationResult): number {
  for (const [table, count] of Object.entries(done)) console.log(`${nameOf(table)}：换了 ${count} 行。`)
  if (Object.keys(done).length === 0) console.log('加密的内容都已经是现在的密钥，没有要换的。')
  for (const [table, count] of Object.entries(unreadable))
    console.log(`注意：${nameOf(table)}有 ${count} 行，给出的密钥都打不开，没有动。`)
  if (Object.keys(left).length > 0) {
    for (const [table, count] of Object.entries(left))
      console.error(`${nameOf(table)}还有至少 ${count} 行要用旧密钥。`)
    console.error(
      '旧密钥还不能拿掉。请确认所有进程都已用新配置重启、没有导入正在进行，再运行一次 npm run rotate-keys。',
    )
    return 1
  }
  if (Object.keys(unreadable).length > 0) {
    console.error(
      '旧密钥还不能拿掉：先弄清打不开的那几行是用哪一把密钥加密的，把它也写进 DATA_KEYS_OTHER 再运行一次。',
    )
    return 1
  }
  if (held.length === 0) {
    console.log('没有任何内容还要用旧密钥：可以从 DATA_KEYS_OTHER 里拿掉它，重启所有进程。')
    return 0
  }
  console.log('存着的内容都不再要用旧密钥。下面这些只有散列、原文在各人手里，要等本人用一次或到期：')
  for (const { table, count, until } of held)
    console.log(`  ${nameOf(table)} ${count} 个，最晚 ${chineseMoment(until)}到期`)
  console.log('可以从 DATA_KEYS_OTHER 里拿掉旧密钥；现在就拿，上面这些立即失效（要重新登录、发码、建令牌）。')
  return 0
}
