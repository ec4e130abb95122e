import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connectDatabase } from '../../db/client.ts'
import { recordedMessages, updateStates } from '../../db/queries/overview.ts'
import { systemClock } from '../../server/clock.ts'
import { issueCodeByOperator } from '../../server/domain/identities/issue-code.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { createLog } from '../../server/log.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { loadTemplates } from '../../server/templates.ts'
import { createVault } from '../../server/vault.ts'
import { chance } from '../demo/chance.ts'
import { callbackKey, encryptMessage, signatureOf } from '../simulator/crypto.ts'

export interface KillOptions {
  /** A migrated database with nothing in it. */
  databaseUrl: string
  kills: number
  /** Callbacks under way at once. */
  lanes: number
  seed: number
  tell?: (line: string) => void
}

export interface KillResult {
  kills: number
  sent: number
  acknowledged: number
  /** Acknowledged and not in the database. Must be 0. */
  lost: number
  /** In the database more than once, by their effect: messages recorded beyond one for each update. Must be 0. */
  doubled: number
  /** Stored and never handled. Must be 0. */
  unhandled: number
}

const wecom = {
  corpId: 'wwchaos0qunzhen',
  token: 'chaosToken',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
}
const key = callbackKey(wecom.token, wecom.aesKey, wecom.corpId)
const root = join(import.meta.dirname, '../..')

/**
 * Kills the server with SIGKILL at random moments under load and counts what became of every callback.
 *
 * Each callback is an owner's 登记 of one message, so its effect can be counted: one row for each. As the platforms do,
 * a callback without an answer is sent again, three times in all.
 */
export async function killUnderLoad(options: KillOptions): Promise<KillResult> {
  const { kills, lanes, tell = () => {} } = options
  const luck = chance(options.seed)
  const dataKey = randomBytes(32).toString('base64')
  const port = await freePort()
  const env = {
    PATH: process.env.PATH ?? '',
    PORT: String(port),
    DATABASE_URL: options.databaseUrl,
    DATA_KEY: dataKey,
    LOG_LEVEL: 'error',
    // nobody listens there: the chaos is about what comes in
    WECOM_BASE_URL: 'http://127.0.0.1:9',
    WECOM_CORP_ID: wecom.corpId,
    WECOM_AGENT_ID: '1',
    WECOM_SECRET: 'chaos',
    WECOM_TOKEN: wecom.token,
    WECOM_AES_KEY: wecom.aesKey,
  }
  const { db, close } = connectDatabase(options.databaseUrl, 2)
  const rt: DomainRuntime = {
    db,
    vault: createVault(dataKey),
    templates: loadTemplates(),
    clock: systemClock,
    log: createLog('error'),
    publicUrl: '',
  }
  let server = await startServer(env, port)
  try {
    const group = await prepareOwner(rt, port)
    const result = { sent: 0, acknowledged: new Set<string>() }
    let isOver = false
    const client = async () => {
      while (!isOver) {
        const id = `${Date.now()}${randomInt(1e5, 1e6)}`
        result.sent++
        for (let attempt = 0; attempt < 3; attempt++) {
          if (await post(port, `登记 ${group} 致富 1条`, id)) {
            result.acknowledged.add(id)
            break
          }
          await sleep(300)
        }
      }
    }
    const clients = Array.from({ length: lanes }, client)
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(luck.between(20, 700))
      server.kill('SIGKILL')
      server = await startServer(env, port)
      if (kill % 20 === 0) tell(`${kill}/${kills} kills, ${result.acknowledged.size} callbacks acknowledged`)
    }
    isOver = true
    await Promise.all(clients)

    // what was stored and left behind is made good by the schedule, in its own time
    let states = await updateStates(db)
    for (let second = 0; second < 60 && (states.received ?? 0) > 0; second++) {
      await sleep(1000)
      states = await updateStates(db)
    }
    const recorded = await recordedMessages(db)
    const stored = new Set(recorded.storedIds)
    return {
      kills,
      sent: result.sent,
      acknowledged: result.acknowledged.size,
      lost: [...result.acknowledged].filter(id => !stored.has(`id:${id}`)).length,
      doubled: recorded.messages - recorded.storedIds.length,
      unhandled: (states.received ?? 0) + (states.set_aside ?? 0),
    }
  } finally {
    server.kill('SIGKILL')
    await close()
  }
}

/** One owner with one group, brought aboard through the server under test. @returns the group's number */
async function prepareOwner(rt: DomainRuntime, port: number): Promise<number> {
  await importUnits(rt, 'qingnong', [
    { code: '610800', name: '榆林市', kind: 'city-committee', parentCode: null },
    { code: '610802', name: '榆阳区', kind: 'county-committee', parentCode: '610800' },
    { code: '610802101', name: '镇川镇', kind: 'township-committee', parentCode: '610802' },
  ])
  const roster = '单位编码,姓名,手机号,角色,状态\n610802101,王镇川,13900000011,乡镇团委成员,在岗\n'
  await importRoster(
    rt,
    { name: 'roster.csv', bytes: Buffer.from(roster) },
    { programme: 'qingnong', isDryRun: false, actorId: null },
  )
  const { code } = await issueCodeByOperator(rt, {
    programme: 'qingnong',
    unitCode: '610802101',
    name: '王镇川',
  })
  for (const text of [`绑定 ${code}`, '建群 团青群 微信群 30人 镇川青年 入群码 https://example.cn/q'])
    if (!(await post(port, text, String(randomInt(1e9))))) throw new Error(`not acknowledged: ${text}`)
  return 1
}

/** Sends a signed, encrypted text as WeCom does. true: acknowledged with 200. */
async function post(port: number, text: string, messageId: string): Promise<boolean> {
  const seconds = Math.floor(Date.now() / 1000)
  const message =
    `<xml><ToUserName><![CDATA[${wecom.corpId}]]></ToUserName><FromUserName><![CDATA[owner]]></FromUserName>` +
    `<CreateTime>${seconds}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content>` +
    `<MsgId>${messageId}</MsgId><AgentID>1</AgentID></xml>`
  const encrypted = encryptMessage(key, message)
  const nonce = String(randomInt(1e9))
  const signature = signatureOf(wecom.token, String(seconds), nonce, encrypted)
  const query = new URLSearchParams({ msg_signature: signature, timestamp: String(seconds), nonce })
  try {
    const response = await fetch(`http://127.0.0.1:${port}/webhooks/wecom?${query}`, {
      method: 'POST',
      body: `<xml><ToUserName><![CDATA[${wecom.corpId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
      signal: AbortSignal.timeout(5000),
    })
    await response.text()
    return response.status === 200
  } catch {
    return false
  }
}

async function startServer(env: Record<string, string>, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(root, 'server/main.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const isUp = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      response => response.status === 200,
      () => false,
    )
    if (isUp) return child
    await sleep(50)
  }
  throw new Error('the server did not come up')
}

function sleep(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

function freePort(): Promise<number> {
  return new Promise(done => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}
