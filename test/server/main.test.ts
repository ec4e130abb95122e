import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { randomDataKey } from '../../server/start.ts'
import { cloneDatabase, emptyDatabase } from '../support/database.ts'
import { runProgram, startProgram } from '../support/process.ts'
import { accountSettings, wecomSettings } from '../support/stage.ts'

const account = {
  OFFICIAL_ACCOUNT_APP_ID: accountSettings.appId,
  OFFICIAL_ACCOUNT_SECRET: accountSettings.secret,
  OFFICIAL_ACCOUNT_TOKEN: accountSettings.token,
  OFFICIAL_ACCOUNT_AES_KEY: accountSettings.aesKey,
}
const settings = { PORT: '0', DATA_KEY: randomDataKey(), ...account }

async function start(env: Record<string, string>) {
  const program = startProgram('server/main.ts', [], env)
  const [, url] = await program.saysOnStdout(/"url":"(http:[^"]+)"[^\n]*"msg":"listening"/)
  return { ...program, url: url as string }
}

describe('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-main-'))
  chmodSync(folder, 0o755)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('prints every problem of the configuration at once and ends with status 1', async () => {
    const { status, stderr } = await runProgram('server/main.ts', [], {
      PORT: '99999',
      WECOM_CORP_ID: wecomSettings.corpId,
      WECOM_AES_KEY: 'short',
      LOG_LEVEL: 'loud',
    })
    expect(status).toBe(1)
    for (const name of [
      'PORT',
      'DATA_KEY',
      'LOG_LEVEL',
      'WECOM_AES_KEY',
      'WECOM_SECRET',
      'WECOM_TOKEN',
      'WECOM_AGENT_ID',
    ])
      expect(stderr).toContain(`  ${name}: `)
    expect(stderr).not.toContain('at ')
  })

  test('answers /healthz, and stops in order on SIGTERM', async () => {
    const server = await start({ ...settings, DATABASE_URL: await cloneDatabase() })
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok', database: true })
    server.child.kill('SIGTERM')
    const { status, stdout } = await server.ended
    expect(status).toBe(0)
    expect(stdout).toContain('"msg":"stopping"')
  })

  test('two processes may start on one empty database at the same time', async () => {
    const url = await emptyDatabase()
    const both = await Promise.all([1, 2].map(() => start({ ...settings, DATABASE_URL: url })))
    for (const server of both) expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    for (const server of both) server.child.kill('SIGINT')
    expect((await Promise.all(both.map(server => server.ended))).map(run => run.status)).toEqual([0, 0])
  })

  test('keeps its data between runs when there is no DATABASE_URL, also after it was killed', async () => {
    const env = { ...settings, DATA_FOLDER: folder }
    const units = join(folder, 'units.csv')
    writeFileSync(units, '单位编码,单位名称,单位类型,上级编码\n610800,榆林市,团市委,\n')
    const first = await start(env)
    const added = await runProgram('scripts/import-units.ts', [units, '--programme', 'qingnong'], env)
    expect(added).toMatchObject({ status: 0, stdout: '新增单位 1 个，已有 0 个。\n' })
    first.child.kill('SIGKILL')
    await first.ended
    const second = await start(env)
    const again = await runProgram('scripts/import-units.ts', [units, '--programme', 'qingnong'], env)
    expect(again).toMatchObject({ status: 0, stdout: '新增单位 0 个，已有 1 个。\n' })
    second.child.kill('SIGTERM')
    expect((await second.ended).status).toBe(0)
  }, 60_000)
})
