import { spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { accountsFromEnvironment, worldFile } from '../../../scripts/simulator/world-file.ts'
import { preloaded } from '../../support/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'simulate-'))
afterAll(() => rmSync(folder, { recursive: true }))

function start(args: string[], environment: Record<string, string> = {}) {
  const script = join(import.meta.dirname, '../../../scripts/simulate.ts')
  const child = spawn(process.execPath, [...preloaded, script, ...args], {
    env: { PATH: process.env.PATH, ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>(resolve =>
    child.on('close', code => resolve({ code, out, err })),
  )
  const says = async (pattern: RegExp): Promise<string> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const match = pattern.exec(out)
      if (match) return match[0]
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    throw new Error(`never said ${pattern}: ${out}${err}`)
  }
  return { child, ended, says }
}

const wecom = { corpId: 'ww1', agentId: 1000002, secret: 's', token: 't', aesKey: 'a'.repeat(43) }

// a fresh Node for each case takes its time on a busy machine
describe('scripts/simulate.ts', { timeout: 30_000 }, () => {
  it('explains itself', async () => {
    const { code, out } = await start(['--help']).ended
    expect([code, out.includes('--world')]).toEqual([0, true])
  })

  it('fills a world from a file and stops on SIGINT', async () => {
    const file = join(folder, 'world.json')
    const world = {
      wecom,
      persons: [{ key: 'li', name: '李明', wecomUserId: 'LiMing' }],
      groups: [{ kind: 'internal', name: '县项目办', owner: 'li', robot: true }],
    }
    writeFileSync(file, JSON.stringify(world))
    const run = start(['--port', '0', '--world', file])
    const hook = (await run.says(/http\S+webhook\/send\?key=\S+/)).trim()
    const answer = await fetch(hook, { method: 'POST', body: '{"msgtype":"text","text":{"content":"你好"}}' })
    expect(await answer.json()).toMatchObject({ errcode: 0 })
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(0)
  })

  it('plays the chat robot and WeChat Pay, with faults from the start', async () => {
    const file = join(folder, 'pay.json')
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const world = {
      aibot: { token: 't', aesKey: 'a'.repeat(43) },
      pay: {
        mchId: '1900000001',
        appIds: ['wx1'],
        apiV3Key: '0123456789abcdef0123456789abcdef',
        serial: 'A1',
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
        amounts: { maxPerBill: 50_000 },
      },
    }
    writeFileSync(file, JSON.stringify(world))
    const run = start(['--port', '0', '--world', file, '--faults', 'pay-http-500,slow-answers'])
    const key = await run.says(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/)
    expect(createPublicKey(key).asymmetricKeyType).toBe('rsa')
    expect(await run.says(/PUB_KEY_ID_\d+/)).toBeTruthy()
    const base = await run.says(/http\S+\/api\.mch\.weixin\.qq\.com/)
    const state = (await (await fetch(`${new URL(base).origin}/phone/state`)).json()) as {
      aibot: object
      faults: { name: string; on: boolean }[]
    }
    expect(state.aibot).toMatchObject({ name: '群阵助手' })
    expect(state.faults.filter(fault => fault.on).map(fault => fault.name)).toEqual([
      'slow-answers',
      'pay-http-500',
    ])
    run.child.kill('SIGTERM')
    expect((await run.ended).code).toBe(0)
    expect(await start(['--faults', 'nonsense']).ended).toMatchObject({
      code: 2,
      err: expect.stringContaining('nonsense'),
    })
  })

  it('reads the accounts from the environment and says what is missing', async () => {
    const environment = {
      WECOM_CORP_ID: 'ww1',
      WECOM_AGENT_ID: '1000002',
      WECOM_SECRET: 's',
      WECOM_TOKEN: 't',
      WECOM_AES_KEY: 'a'.repeat(43),
    }
    const run = start(['--port', '0'], environment)
    const phone = await run.says(/http\S+\/phone/)
    expect((await fetch(phone)).status).toBe(200)
    run.child.kill('SIGTERM')
    expect((await run.ended).code).toBe(0)
    expect(await start(['--port', '0']).ended).toMatchObject({
      code: 2,
      err: expect.stringContaining('没有账号'),
    })
    const wrong = await start(['--port', '0'], { ...environment, WECOM_AES_KEY: 'short' }).ended
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('43') })
  })
})

describe('a world file', () => {
  it('takes what the server is configured with', () => {
    const environment = {
      WECOM_CORP_ID: 'ww1',
      WECOM_AGENT_ID: '1000002',
      WECOM_SECRET: 's',
      WECOM_TOKEN: 't',
      WECOM_AES_KEY: 'a'.repeat(43),
      WECOM_VERIFIED: 'no',
      WECOM_ACCOUNT_CAP: '500',
      WECOM_BOT_TOKEN: 't',
      WECOM_BOT_AES_KEY: 'b'.repeat(43),
      WECOM_BOT_USER_IDS: 'encrypted',
    }
    expect(worldFile.parse(accountsFromEnvironment(environment))).toMatchObject({
      wecom: { verified: false, accountCap: 500 },
      aibot: { userIds: 'encrypted' },
    })
    const { WECOM_BOT_AES_KEY: _left, ...without } = environment
    expect(worldFile.parse(accountsFromEnvironment(without)).aibot).toBeUndefined()
  })

  it.each<[string, object]>([
    ['an unknown switch', { switches: { everything: true } }],
    ['a switch that is none of its values', { switches: { memberChanges: 'semicolons' } }],
    [
      'an APIv3 key that is too short',
      { pay: { mchId: '1', appIds: ['wx1'], apiV3Key: 'x', serial: 'A', publicKey: 'x' } },
    ],
    ['a robot without a key', { aibot: { token: 't' } }],
  ])('refuses %s', (_what, content) => {
    expect(worldFile.safeParse(content).success).toBe(false)
  })

  it('takes the switches', () => {
    const switches = { retryNon200: false, memberChanges: 'commas', inviteScene: 1 }
    expect(worldFile.parse({ switches }).switches).toEqual(switches)
  })
})
