import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { dailyCounts, updates } from '../../db/schema/index.ts'
import type { FaultName, FaultOptions } from '../../scripts/simulator/index.ts'
import { createChannels } from '../../server/channels/index.ts'
import { type Checked, lastSelfCheck, runChecks, selfCheck } from '../../server/checks/run.ts'
import { dayOf } from '../../server/clock.ts'
import type { Config } from '../../server/config.ts'
import type { Runtime } from '../../server/runtime.ts'
import { randomDataKey } from '../../server/start.ts'
import { createVault } from '../../server/vault.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { accountSettings, openStage, type Stage, wecomSettings } from '../support/stage.ts'

/** Each thing that can be wrong is named, with what to click. */
describe('the self-check', () => {
  let stage: Stage
  let rt: Runtime

  beforeAll(async () => {
    // the platform's clock is the real one
    stage = await openStage({ start: new Date().toISOString() })
    rt = withConfig({ publicUrl: stage.serverUrl })
    await fillMatrix(stage)
    const { sim } = stage
    const gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao', openId: 'o-gao' })
    const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, wang)
    await stage.say(wang.id, '建群 团青群 微信群 86人 镇川群 入群码 https://example.cn/q', 'wecom')
    await stage.say(gao.id, '帮助', 'wecom')
    await stage.say(gao.id, '帮助', 'officialAccount')
    await stage.settle()
  })
  afterAll(() => stage.close())
  afterEach(() => stage.sim.faults.clear())

  /** A server of another configuration over the same database and platforms, with tokens of its own. */
  function withConfig(set: Partial<Config>, more: Partial<Runtime> = {}): Runtime {
    const config = { ...stage.rt.config, ...set }
    const channels = createChannels(config, {
      now: () => stage.clock.now(),
      tokens: { tokenFor: (_account, _rejected, refresh) => refresh() },
      trace: () => {},
      freshnessSeconds: 600,
    })
    return { ...stage.rt, config, channels, isDemo: false, ...more }
  }
  const check = async (of: Runtime = rt, lastsMs?: number) => {
    const { checked } = await runChecks(of, lastsMs)
    const found = new Map<string, Checked>(checked.map(each => [each.id, each]))
    return (id: string) => {
      const one = found.get(id)
      if (!one) throw new Error(`no check ${id}: ${[...found.keys()].join(' ')}`)
      return one
    }
  }
  const said = ({ words, click = '' }: Checked) => `${words} ${click}`

  test('all is well: each says so in a sentence, and nothing but what cannot be told or is a test’s', async () => {
    const { checked } = await runChecks(rt)
    const states = Object.fromEntries(checked.map(each => [each.id, each.state]))
    expect(checked.find(each => each.id === 'server.disk')?.words).toMatch(/还有 [\d.]+ GB/)
    expect(states).toEqual({
      'wecom.token': 'ok',
      'wecom.callback': 'ok',
      'wecom.visible': 'ok',
      'wecom.customers': 'ok',
      'wecom.verified': 'ok',
      'wecom.quota': 'ok',
      'official.token': 'ok',
      'official.callback': 'ok',
      'official.mode': 'ok',
      'official.verified': 'ok',
      'official.template': 'ok',
      'official.quota': 'ok',
      // no TLS, no files of the platforms and no syncing to disk in a test; domains cannot be asked for
      'server.public-url': 'mend',
      'server.domains': 'unknown',
      'server.verify-files': 'mend',
      'server.clock': 'ok',
      'server.database': 'mend',
      'server.data-key': 'ok',
      'server.disk': expect.stringMatching(/ok|mend/),
    })
    for (const each of checked) expect([each.id, /。$/.test(each.words)]).toEqual([each.id, true])
    for (const each of checked.filter(one => one.state !== 'ok'))
      expect([each.id, (each.click ?? '').length > 3]).toEqual([each.id, true])
  })

  test('no secret and no account is in what it finds', async () => {
    stage.sim.faults.on('ip-refused')
    const text = JSON.stringify(await runChecks(rt))
    for (const secret of [
      wecomSettings.secret,
      wecomSettings.token,
      wecomSettings.aesKey,
      accountSettings.secret,
      accountSettings.token,
      stage.rt.config.dataKey,
      'access_token=',
    ])
      expect(text).not.toContain(secret)
  })

  test.each<[FaultName, FaultOptions, Record<string, RegExp>]>([
    [
      'ip-refused',
      {},
      {
        'wecom.token': /60020.*平台看到的出口 IP 是 127\.0\.0\.1.*企业可信 IP → 配置/,
        'official.token': /40164.*平台看到的出口 IP 是 127\.0\.0\.1.*API IP 白名单/,
      },
    ],
    [
      'no-permission',
      {},
      {
        'wecom.customers': /48002.*客户联系 → API → 可调用接口的应用/,
        'official.template': /48001.*接口权限/,
      },
    ],
    [
      'quota-exhausted',
      {},
      { 'wecom.token': /45009.*WECOM_ACCOUNT_CAP/, 'official.quota': /45009.*接口权限清零/ },
    ],
    [
      'token-void',
      { times: 100 },
      {
        'wecom.token': /access_token 刚换就失效.*别的程序/,
        'official.token': /access_token 刚换就失效.*stable_token/,
      },
    ],
    ['http-500', {}, { 'wecom.token': /HTTP 500.*外网/, 'official.token': /HTTP 500.*外网/ }],
  ])('%s is named, with what to click', async (fault, options, expected) => {
    const server = withConfig({ publicUrl: stage.serverUrl })
    stage.sim.faults.on(fault, options)
    const found = await check(server)
    for (const [id, words] of Object.entries(expected)) {
      expect(found(id).state).toBe('mend')
      expect(said(found(id))).toMatch(words)
    }
  })

  test('a platform that does not answer keeps nobody waiting, and the other checks say what they found', async () => {
    stage.sim.faults.on('slow-answers', { path: '/cgi-bin/getcallbackip', ms: 3000 })
    const started = performance.now()
    const found = await check(rt, 700)
    expect(performance.now() - started).toBeLessThan(2500)
    expect(found('wecom.token')).toMatchObject({
      state: 'unknown',
      words: expect.stringContaining('没有结果'),
    })
    expect(found('wecom.customers').state).toBe('ok')
  })

  test.each<[string, Partial<Config['wecom'] & object>, RegExp]>([
    ['secret', { secret: 'wrong' }, /40001.*WECOM_SECRET.*Secret → 查看/],
    ['corp', { corpId: 'ww0' }, /40013.*WECOM_CORP_ID/],
  ])('a wrong %s of the app', async (_name, set, words) => {
    const wecom = stage.rt.config.wecom && { ...stage.rt.config.wecom, ...set }
    expect(said((await check(withConfig({ wecom })))('wecom.token'))).toMatch(words)
  })

  test.each<[string, Partial<Config['officialAccount'] & object>, string, RegExp]>([
    ['a wrong secret', { secret: 'wrong' }, 'official.token', /40125.*AppSecret → 重置/],
    [
      'a template that is not there',
      { noticeTemplate: 'gone' },
      'official.template',
      /不在公众号的模板里.*模板库/,
    ],
    [
      'no template',
      { noticeTemplate: null },
      'official.template',
      /没有设置通知模板.*OFFICIAL_ACCOUNT_NOTICE_TEMPLATE/,
    ],
    ['plain mode', { mode: 'plain' }, 'official.mode', /明文模式.*改为安全模式/],
    [
      'an account that is not verified',
      { isVerified: false },
      'official.verified',
      /未认证的服务号.*客服消息.*微信认证/,
    ],
    [
      'a subscription account',
      { kind: 'subscription' },
      'official.verified',
      /订阅号配置，用不了：模板消息.*另申请一个服务号/,
    ],
  ])('%s', async (_name, set, id, words) => {
    const officialAccount = stage.rt.config.officialAccount && { ...stage.rt.config.officialAccount, ...set }
    expect(said((await check(withConfig({ officialAccount })))(id))).toMatch(words)
  })

  test('a template without the fields that a notice fills in', async () => {
    stage.sim.addOfficialAccount({
      ...accountSettings,
      appId: 'wx-other',
      mode: 'secure',
      kind: 'service',
      templates: { other: ['first', 'time2'] },
    })
    const officialAccount = stage.rt.config.officialAccount && {
      ...stage.rt.config.officialAccount,
      appId: 'wx-other',
      noticeTemplate: 'other',
    }
    expect((await check(withConfig({ officialAccount })))('official.template').words).toMatch(
      /没有字段 thing1、thing3/,
    )
  })

  test('owners whom the app does not see are named', async () => {
    stage.sim.addWecomApp({ ...wecomSettings, corpId: 'ww-narrow', secret: 'narrow', visible: ['gao'] })
    const wecom = stage.rt.config.wecom && { ...stage.rt.config.wecom, corpId: 'ww-narrow', secret: 'narrow' }
    const found = (await check(withConfig({ wecom })))('wecom.visible')
    expect(found).toMatchObject({ state: 'mend', words: expect.stringContaining('王镇川') })
    expect(found.click).toContain('可见范围 → 编辑')
  })

  test('a corp that is not verified says what it cannot do', async () => {
    const wecom = stage.rt.config.wecom && { ...stage.rt.config.wecom, isVerified: false }
    const found = await check(withConfig({ wecom }))
    expect(said(found('wecom.verified'))).toMatch(/客户群、入群码.*WECOM_VERIFIED=yes/)
    expect(found('wecom.customers').state).toBe('mend')
  })

  test('a used-up account quota', async () => {
    await stage.rt.db
      .insert(dailyCounts)
      .values({ key: 'wecom.app.day', day: dayOf(stage.clock.now()), count: 39_000 })
      .onConflictDoUpdate({ target: [dailyCounts.key, dailyCounts.day], set: { count: 39_000 } })
    expect(said((await check())('wecom.quota'))).toMatch(/39000 人次，上限 40000.*WECOM_ACCOUNT_CAP/)
  })

  test('the public address: none, one that does not answer, one that is somebody else’s', async () => {
    const of = async (publicUrl: string | null) =>
      (await check(withConfig({ publicUrl })))('server.public-url')
    expect(said(await of(null))).toMatch(/没有设置 PUBLIC_URL/)
    expect(said(await of('https://127.0.0.1:9'))).toMatch(/打不开.*反向代理/)
    expect(said(await of(stage.sim.baseUrls.wecom))).toMatch(/不是本服务的回答|打不开/)
    expect(said(await of(stage.serverUrl))).toMatch(/能打开，但不是 https/)
  })

  test('the files by which the platforms know a domain', async () => {
    const verifyFolder = mkdtempSync(join(tmpdir(), 'qunzhen-verify-'))
    const of = async () => (await check(withConfig({ verifyFolder })))('server.verify-files')
    writeFileSync(join(verifyFolder, 'WW_verify_abcdefgh.txt'), 'abcdefgh')
    expect(said(await of())).toMatch(/没有公众号的校验文件.*MP_verify_….txt，放进这个目录/)
    writeFileSync(join(verifyFolder, 'MP_verify_abcdefgh.txt'), 'abcdefgh')
    expect((await of()).state).toBe('ok')
    rmSync(verifyFolder, { recursive: true })
  })

  test('a callback that never came, and one that has not come for a week', async () => {
    const later = withConfig({ publicUrl: 'https://qz.example.cn' })
    later.clock = { now: () => new Date(stage.clock.now().getTime() + 8 * 86_400_000) }
    const silent = (await check(later))('official.callback')
    expect(said(silent)).toMatch(/一周没有收到.*https:\/\/qz\.example\.cn\/webhooks\/official-account/)
    await stage.rt.db.delete(updates)
    expect(said((await check())('wecom.callback'))).toMatch(/还没有收到过回调.*接收消息/)
  })

  test('a clock that is wrong', async () => {
    const ahead = withConfig({}, { clock: { now: () => new Date(stage.clock.now().getTime() + 300_000) } })
    const found = (await check(ahead))('server.clock')
    expect(found.words).toMatch(/比平台快 \d{3} 秒/)
    expect(found.click).toContain('timedatectl')
  })

  test('a key that does not open what is there', async () => {
    const other = withConfig({}, { vault: createVault(randomDataKey()) })
    expect(said((await check(other))('server.data-key'))).toMatch(/打不开.*原来的那一把/)
  })

  test('what is off in the database is named', async () => {
    const [row] = await stage.rt.db.execute<{ fsync: string }>(sql`show fsync`)
    expect(row?.fsync).toBe('off')
    expect((await check())('server.database').words).toContain('fsync')
  })

  test('two who ask at once share one check; the last one is kept', async () => {
    const [one, other] = await Promise.all([selfCheck(rt), selfCheck(rt)])
    expect(other).toBe(one)
    expect(lastSelfCheck(rt)).toBe(one)
    expect(await selfCheck(rt)).not.toBe(one)
  })
})
