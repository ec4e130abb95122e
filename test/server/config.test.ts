import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError, readConfig, readDataConfig, settingNames } from '../../server/config.ts'

const dataKey = randomBytes(32).toString('base64')
const wecom = {
  WECOM_CORP_ID: 'ww1',
  WECOM_AGENT_ID: '1000002',
  WECOM_SECRET: 'wecom-secret',
  WECOM_TOKEN: 'token',
  WECOM_AES_KEY: 'a'.repeat(43),
}
const account = {
  OFFICIAL_ACCOUNT_APP_ID: 'wx1',
  OFFICIAL_ACCOUNT_SECRET: 'account-secret',
  OFFICIAL_ACCOUNT_TOKEN: 'token',
  OFFICIAL_ACCOUNT_AES_KEY: 'b'.repeat(43),
}
const whole = { DATA_KEY: dataKey, ...wecom }

function problemsOf(
  environment: Record<string, string | undefined>,
  read: (env: typeof environment) => unknown = readConfig,
): string[] {
  try {
    read(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'value')
  writeFileSync(path, text)
  return path
}

describe('a configuration', () => {
  test('needs a data key and one channel; the rest has a value of its own', () => {
    expect(readConfig(whole)).toEqual({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: null,
      databaseUrl: null,
      databasePool: 10,
      dataFolder: '.data',
      dataKey,
      otherDataKeys: [],
      logLevel: 'info',
      callbackFreshnessSeconds: 600,
      callbackDeadlineMs: 4000,
      retentionDays: 60,
      metricsToken: null,
      verifyFolder: '.data/verify',
      wecom: {
        baseUrl: 'https://qyapi.weixin.qq.com',
        corpId: 'ww1',
        agentId: 1000002,
        secret: 'wecom-secret',
        token: 'token',
        aesKey: 'a'.repeat(43),
        isVerified: true,
        accountCap: 200,
      },
      wecomBaseUrl: 'https://qyapi.weixin.qq.com',
      aibot: null,
      officialAccount: null,
      wechatPay: null,
    })
  })

  test.each([
    ['the Official Account alone', { DATA_KEY: dataKey, ...account }],
    ['both', { ...whole, ...account }],
    [
      'plain mode without a key',
      { DATA_KEY: dataKey, ...account, OFFICIAL_ACCOUNT_AES_KEY: '', OFFICIAL_ACCOUNT_MODE: 'plain' },
    ],
    [
      'empty settings, which count as absent',
      {
        ...whole,
        PORT: '',
        PUBLIC_URL: '',
        ...Object.fromEntries(Object.keys(account).map(name => [name, ''])),
      },
    ],
  ])('is fine with %s', (_name, environment) => {
    expect(problemsOf(environment)).toEqual([])
  })

  test.each([
    [
      'PUBLIC_URL',
      'https://example.cn/',
      (config: ReturnType<typeof readConfig>) => config.publicUrl,
      'https://example.cn',
    ],
    [
      'WECOM_BASE_URL',
      'http://127.0.0.1:4000/wecom/',
      (config: ReturnType<typeof readConfig>) => config.wecom?.baseUrl,
      'http://127.0.0.1:4000/wecom',
    ],
  ])('%s loses the slash at its end', (name, value, read, expected) => {
    expect(read(readConfig({ ...whole, [name]: value }))).toBe(expected)
  })

  test('shows every problem at once, one line each', () => {
    const problems = problemsOf({
      PORT: '99999',
      LOG_LEVEL: 'loud',
      PUBLIC_URL: 'example.cn',
      WECOM_CORP_ID: 'ww1',
      WECOM_AES_KEY: 'short',
      OFFICIAL_ACCOUNT_TOKEN: 'not allowed!',
    })
    expect(problems.map(line => line.split(':')[0]).sort()).toEqual([
      'DATA_KEY',
      'LOG_LEVEL',
      'OFFICIAL_ACCOUNT_AES_KEY',
      'OFFICIAL_ACCOUNT_APP_ID',
      'OFFICIAL_ACCOUNT_SECRET',
      'OFFICIAL_ACCOUNT_TOKEN',
      'PORT',
      'PUBLIC_URL',
      'WECOM_AES_KEY',
      'WECOM_AGENT_ID',
      'WECOM_SECRET',
      'WECOM_TOKEN',
    ])
    expect(new ConfigError(problems).message.split('\n')).toHaveLength(problems.length + 1)
    for (const line of problems) expect(line).not.toContain('\n')
  })

  test.each([
    ['nothing at all', {}, ['DATA_KEY', 'set the WECOM_…']],
    ['no channel', { DATA_KEY: dataKey }, ['set the WECOM_…']],
    ['a data key of 16 bytes', { ...whole, DATA_KEY: randomBytes(16).toString('base64') }, ['DATA_KEY']],
    ['a data key in hexadecimal', { ...whole, DATA_KEY: randomBytes(32).toString('hex') }, ['DATA_KEY']],
    ['a data key with something else in it', { ...whole, DATA_KEY: `"${dataKey}"` }, ['DATA_KEY']],
    ['another key that is none', { ...whole, DATA_KEYS_OTHER: `${dataKey},short` }, ['DATA_KEYS_OTHER']],
    ['other keys with an empty one', { ...whole, DATA_KEYS_OTHER: `${dataKey},` }, ['DATA_KEYS_OTHER']],
    ['a port that is no number', { ...whole, PORT: 'http' }, ['PORT']],
    ['a negative port', { ...whole, PORT: '-1' }, ['PORT']],
    ['a public address without a scheme', { ...whole, PUBLIC_URL: 'example.cn' }, ['PUBLIC_URL']],
    ['a public address that is a script', { ...whole, PUBLIC_URL: 'javascript:alert(1)' }, ['PUBLIC_URL']],
    ['a public address with a query', { ...whole, PUBLIC_URL: 'https://example.cn/?a=1' }, ['PUBLIC_URL']],
    ['another kind of database', { ...whole, DATABASE_URL: 'mysql://localhost/x' }, ['DATABASE_URL']],
    ['a pool of none', { ...whole, DATABASE_POOL: '0' }, ['DATABASE_POOL']],
    [
      "a deadline beyond the platforms' own",
      { ...whole, CALLBACK_DEADLINE_MS: '5000' },
      ['CALLBACK_DEADLINE_MS'],
    ],
    ['a key of 42 letters', { ...whole, WECOM_AES_KEY: 'a'.repeat(42) }, ['WECOM_AES_KEY']],
    ['a key with an equal sign', { ...whole, WECOM_AES_KEY: `${'a'.repeat(42)}=` }, ['WECOM_AES_KEY']],
    ['a token of 33 letters', { ...whole, WECOM_TOKEN: 'a'.repeat(33) }, ['WECOM_TOKEN']],
    ['an agent that is no number', { ...whole, WECOM_AGENT_ID: 'x' }, ['WECOM_AGENT_ID']],
    ['half a channel', { ...whole, WECOM_SECRET: undefined }, ['WECOM_SECRET']],
    [
      'secure mode without its key',
      { DATA_KEY: dataKey, ...account, OFFICIAL_ACCOUNT_AES_KEY: undefined },
      ['OFFICIAL_ACCOUNT_AES_KEY'],
    ],
    [
      'a mode that there is not',
      { DATA_KEY: dataKey, ...account, OFFICIAL_ACCOUNT_MODE: 'mixed' },
      ['OFFICIAL_ACCOUNT_MODE'],
    ],
    ['a metrics token that can be guessed', { ...whole, METRICS_TOKEN: 'secret' }, ['METRICS_TOKEN']],
    ['half of a robot', { ...whole, WECOM_BOT_TOKEN: 'token' }, ['WECOM_BOT_AES_KEY']],
    ['a verification that is neither yes nor no', { ...whole, WECOM_VERIFIED: 'true' }, ['WECOM_VERIFIED']],
  ])('with %s says so', (_name, environment, expected) => {
    const problems = problemsOf(environment)
    expect(problems).toHaveLength(expected.length)
    for (const [index, start] of expected.entries()) expect(problems[index]).toMatch(new RegExp(`^${start}`))
  })

  test('of WeChat Pay is whole, with an address that WeChat Pay can tell, or is not there', () => {
    const pem = (what: string) => `-----BEGIN ${what}-----\nabc\n-----END ${what}-----`
    const pay = {
      PUBLIC_URL: 'https://qunzhen.example.cn',
      WECHAT_PAY_MCH_ID: '1900000001',
      WECHAT_PAY_UNIT_CODES: '10424, 10425',
      WECHAT_PAY_APP_ID: 'wx1',
      WECHAT_PAY_CERTIFICATE: pem('CERTIFICATE'),
      WECHAT_PAY_PRIVATE_KEY: pem('PRIVATE KEY'),
      WECHAT_PAY_API_KEY: 'k'.repeat(32),
    }
    expect(readConfig({ ...whole, ...pay }).wechatPay).toMatchObject({
      mchId: '1900000001',
      unitCodes: ['10424', '10425'],
      platformKey: null,
      interface: 'bills',
      // far below 6000 yuan, as new merchants have it
      limits: { bill: 20_000, personDay: 200_000, day: 5_000_000 },
    })
    const problems = (change: Record<string, string | undefined>) =>
      problemsOf({ ...whole, ...pay, ...change }).join('\n')
    expect(problems({ WECHAT_PAY_API_KEY: undefined })).toContain('WECHAT_PAY_API_KEY: is missing')
    expect(problems({ WECHAT_PAY_UNIT_CODES: undefined })).toContain('WECHAT_PAY_UNIT_CODES: is missing')
    expect(problems({ WECHAT_PAY_UNIT_CODES: '10424,' })).toContain('parted by commas')
    expect(problems({ WECHAT_PAY_API_KEY: 'short' })).toContain('exactly 32 characters')
    expect(problems({ WECHAT_PAY_PRIVATE_KEY: 'apiclient_key.pem' })).toContain('name its file with _FILE')
    expect(problems({ WECHAT_PAY_APP_ID: undefined })).toContain('WECHAT_PAY_APP_ID: is missing')
    expect(problems({ PUBLIC_URL: 'http://qunzhen.example.cn' })).toContain('must begin with https://')
    expect(problems({ WECHAT_PAY_PUBLIC_KEY: pem('PUBLIC KEY') })).toContain('WECHAT_PAY_PUBLIC_KEY_ID')
  })

  test('never repeats a value: it may be a secret', () => {
    const secret = 'S3cret!Value'
    const environment = Object.fromEntries(settingNames.map(name => [name, secret]))
    const told = problemsOf(environment)
    expect(told.length).toBeGreaterThan(5)
    expect(told.join('\n')).not.toContain(secret)
  })
})

test('the verification files lie with the data, wherever that is, or where they are put', () => {
  expect(readConfig({ ...whole, DATA_FOLDER: '/srv/data' }).verifyFolder).toBe('/srv/data/verify')
  expect(readConfig({ ...whole, VERIFY_FOLDER: '/srv/verify' }).verifyFolder).toBe('/srv/verify')
})

describe('a setting in a file', () => {
  test('is read without the line end and goes before the plain one', () => {
    const config = readConfig({ ...whole, WECOM_SECRET: 'plain', WECOM_SECRET_FILE: fileWith('from-file\n') })
    expect(config.wecom?.secret).toBe('from-file')
  })

  test('that cannot be read is a problem, with the others', () => {
    const problems = problemsOf({ ...whole, PORT: 'x', WECOM_SECRET_FILE: '/nowhere/secret' })
    expect(problems).toContain('WECOM_SECRET_FILE: cannot read /nowhere/secret')
    expect(problems.join('\n')).toContain('PORT: ')
  })

  test('that is empty counts as absent', () => {
    expect(problemsOf({ ...whole, WECOM_SECRET: undefined, WECOM_SECRET_FILE: fileWith('\n') })[0]).toMatch(
      /^WECOM_SECRET: is missing/,
    )
  })
})

describe('the command lines', () => {
  test('need the data key only', () => {
    expect(readDataConfig({ DATA_KEY: dataKey })).toEqual({
      databaseUrl: null,
      databasePool: 10,
      dataFolder: '.data',
      dataKey,
      otherDataKeys: [],
      logLevel: 'info',
    })
  })

  test('are told every problem of theirs', () => {
    const problems = problemsOf(
      { DATABASE_URL: 'x', LOG_LEVEL: 'loud', DATA_FOLDER_FILE: '/nowhere' },
      readDataConfig,
    )
    expect(problems.map(line => line.split(':')[0]).sort()).toEqual([
      'DATABASE_URL',
      'DATA_FOLDER_FILE',
      'DATA_KEY',
      'LOG_LEVEL',
    ])
  })
})
