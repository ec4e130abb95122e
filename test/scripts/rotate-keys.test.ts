import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomDataKey } from '../../server/start.ts'
import { createVault, keyNameOf } from '../../server/vault.ts'
import { signIn } from '../support/console.ts'
import { fillMatrix, rows } from '../support/matrix.ts'
import { runProgram } from '../support/process.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** As `docs/operations.md` has it done, step by step. */
describe('npm run rotate-keys', () => {
  let stage: Stage
  let oldKey: string
  const newKey = randomDataKey()
  const run = (keys: Record<string, string>, ...args: string[]) =>
    runProgram('scripts/rotate-keys.ts', args, {
      DATABASE_URL: stage.databaseUrl,
      DATABASE_POOL: '1',
      ...keys,
    })

  beforeAll(async () => {
    stage = await openStage({ start: new Date().toISOString() })
    oldKey = stage.rt.config.dataKey
    await fillMatrix(stage)
    await signIn(stage, '林县书')
  })
  afterAll(() => stage.close())

  test('the former key forgotten in the settings: it says so, touches nothing and does not say that it may go', async () => {
    const { status, stdout, stderr } = await run({ DATA_KEY: newKey })
    expect(status).toBe(1)
    expect(stdout).toContain('DATA_KEYS_OTHER 没有设')
    expect(stdout).toMatch(/手机号、身份证号、微信号有 \d+ 行，给出的密钥都打不开，没有动/)
    expect(stderr).toContain('旧密钥还不能拿掉')
    const [person] = await rows<{ phone_sealed: string }>(
      stage,
      `select phone_sealed from persons where name = '王镇川'`,
    )
    expect(stage.rt.vault.open(person?.phone_sealed as string)).toBe('13900000011')
  })

  test('with both keys: what was done, what people still hold, and that the former key may go; no key is printed', async () => {
    const { status, stdout, stderr } = await run({ DATA_KEY: newKey, DATA_KEYS_OTHER: oldKey })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`现在的密钥 ${keyNameOf(newKey)}，另外还能打开旧内容的：${keyNameOf(oldKey)}`)
    expect(stdout).toMatch(/手机号、身份证号、微信号：换了 16 行/)
    expect(stdout).toMatch(/网页登录 1 个，最晚/)
    expect(stdout).toContain('可以从 DATA_KEYS_OTHER 里拿掉旧密钥')
    for (const key of [oldKey, newKey, '13900000011']) expect(stdout).not.toContain(key)
    const [person] = await rows<{ phone_sealed: string }>(
      stage,
      `select phone_sealed from persons where name = '王镇川'`,
    )
    expect(createVault(newKey).open(person?.phone_sealed as string)).toBe('13900000011')
  })

  test('and again: nothing is left to do', async () => {
    const { status, stdout } = await run({ DATA_KEY: newKey })
    expect(status).toBe(0)
    expect(stdout).toContain('没有要换的')
  })

  test.each([
    [['--help'], 0, /用法/],
    [['--nope'], 2, /用法/],
  ])('%j', async (args, status, words) => {
    const result = await run({ DATA_KEY: newKey }, ...args)
    expect(result.status).toBe(status)
    expect(result.stdout + result.stderr).toMatch(words)
  })
})
