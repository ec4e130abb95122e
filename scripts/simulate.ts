import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { systemClock } from '../server/clock.ts'
import { FAULTS } from './simulator/faults.ts'
import { type FaultName, type Simulator, startSimulator } from './simulator/index.ts'
import {
  accountsFromEnvironment,
  fillWorld,
  type WorldFile,
  withoutUndefined,
  worldFile,
} from './simulator/world-file.ts'

const HELP = `用法: node scripts/simulate.ts [--port 端口] [--world 文件.json]

单独启动平台模拟器：企业微信、智能机器人、公众号和微信支付（商家转账）的接口、回调，以及浏览器里的模拟手机。

  --port      监听端口，默认 8800；0 为任意空闲端口
  --host      监听地址，默认 127.0.0.1
  --world     JSON 文件 {wecom, officialAccount, aibot, pay, persons, groups, switches}，见 scripts/simulator/world-file.ts
  --log       把记录另存为 JSON Lines 文件
  --faults    一开始就打开的故障，逗号分隔，例如 slow-answers,pay-balance-short；之后可在模拟手机里开关
  --read-only 模拟手机只能看，不能操作
  --help      显示本说明

文件里没有写的账号，从服务器的同名环境变量读取：WECOM_CORP_ID、WECOM_AGENT_ID、WECOM_SECRET、WECOM_TOKEN、
WECOM_AES_KEY，WECOM_BOT_TOKEN、WECOM_BOT_AES_KEY、WECOM_BOT_USER_IDS，OFFICIAL_ACCOUNT_APP_ID、…；回调地址是
WECOM_CALLBACK_URL、WECOM_BOT_CALLBACK_URL、OFFICIAL_ACCOUNT_CALLBACK_URL。微信支付只从文件读取。`

class InputError extends Error {}

function readWorld(file: string | undefined): WorldFile {
  let content: unknown = {}
  try {
    if (file !== undefined) content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(`读不了 ${file}: ${error instanceof Error ? error.message : error}`)
  }
  const fromEnvironment = accountsFromEnvironment(process.env)
  const parsed = worldFile.safeParse(Object.assign({}, fromEnvironment, content))
  if (!parsed.success) throw new InputError(z.prettifyError(parsed.error))
  const { wecom, officialAccount, aibot, pay } = parsed.data
  if (!wecom && !officialAccount && !aibot && !pay) {
    throw new InputError(`没有账号：请设置环境变量或用 --world 给出\n\n${HELP}`)
  }
  return parsed.data
}

function readArguments() {
  const options = {
    port: { type: 'string', default: '8800' },
    host: { type: 'string', default: '127.0.0.1' },
    world: { type: 'string' },
    log: { type: 'string' },
    faults: { type: 'string', default: '' },
    'read-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n\n${HELP}`)
  }
}

function readFaults(list: string): FaultName[] {
  const names = list.split(',').filter(name => name !== '')
  const unknown = names.filter(name => !(name in FAULTS))
  if (unknown.length > 0)
    throw new InputError(`没有这些故障: ${unknown.join('、')}。可用: ${Object.keys(FAULTS).join('、')}`)
  return names as FaultName[]
}

/** What a server needs in order to speak to WeChat Pay here. */
function payLines(sim: Simulator, world: WorldFile): string[] {
  if (!world.pay) return []
  const { serial, publicKey } = sim.pay.platform()
  return [`微信支付接口  ${sim.baseUrls.pay}`, `平台公钥      ${serial}`, publicKey.trim()]
}

async function main(): Promise<void> {
  const values = readArguments()
  if (values.help) {
    process.stdout.write(`${HELP}\n`)
    return
  }
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InputError('--port 应为 0 到 65535')
  const faults = readFaults(values.faults)
  const world = readWorld(values.world)
  const sim = await startSimulator({
    ...withoutUndefined(world.switches ?? {}),
    clock: systemClock,
    port,
    host: values.host,
    phoneControl: !values['read-only'],
    // it may run for days
    logLimit: 20_000,
    ...(values.log === undefined ? {} : { logFile: values.log }),
  })
  const robots = fillWorld(sim, world)
  for (const name of faults) sim.faults.on(name)
  const lines = [
    `模拟手机      ${sim.url}/phone`,
    `企业微信接口  ${sim.baseUrls.wecom}`,
    `公众号接口    ${sim.baseUrls.officialAccount}`,
    ...payLines(sim, world),
    ...Object.entries(robots).map(([name, url]) => `群机器人      ${name} ${url}`),
    '按 Ctrl+C 结束',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sim.stop())
}

main().catch(error => {
  if (!(error instanceof InputError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
