import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openAccount, refusal } from './official-account-stage.ts'

const MINUTE = 60_000
const page = 'https://qunzhen.example.cn/login?from=menu'

describe('网页授权', () => {
  test('gives the ids once, and name and picture where the person agreed', async () => {
    const { sim, channel, fang } = await openAccount({ loginDomain: 'qunzhen.example.cn' })
    const led = new URL(sim.official.login(fang.id, channel.loginUrl(page, 'abc123', 'snsapi_userinfo')))
    expect([led.origin + led.pathname, led.searchParams.get('from'), led.searchParams.get('state')]).toEqual([
      'https://qunzhen.example.cn/login',
      'menu',
      'abc123',
    ])
    const code = led.searchParams.get('code') ?? ''
    const login = await channel.readLogin(code)
    expect(login).toEqual({
      address: 'oWangFang',
      unionId: 'uWang',
      isSnapshot: false,
      profileToken: expect.any(String),
    })
    expect(
      await channel.readProfile({ address: login.address, profileToken: login.profileToken ?? '' }),
    ).toMatchObject({ nickname: '王芳', unionId: 'uWang' })
    expect(await refusal(() => channel.readLogin(code))).toEqual(['rejected', 40163])
  })

  test('asks nobody for the id alone, and then knows no name', async () => {
    const { sim, channel, fang } = await openAccount()
    const led = new URL(sim.official.login(fang.id, channel.loginUrl(page, '', 'snsapi_base')))
    const login = await channel.readLogin(led.searchParams.get('code') ?? '')
    expect(login).toMatchObject({ address: 'oWangFang', profileToken: null })
  })

  test('a visitor of a snapshot is reported as nobody', async () => {
    const { sim, channel, fang } = await openAccount()
    const url = channel.loginUrl(page, 's', 'snsapi_userinfo')
    const led = new URL(sim.official.login(fang.id, url, { snapshot: true }))
    const login = await channel.readLogin(led.searchParams.get('code') ?? '')
    expect(login).toMatchObject({ isSnapshot: true, unionId: null })
    expect(login.address).not.toBe('oWangFang')
  })

  test('a code lasts five minutes; an invented one is refused', async () => {
    const { sim, channel, fang, clock } = await openAccount()
    const led = new URL(sim.official.login(fang.id, channel.loginUrl(page, 's', 'snsapi_base')))
    clock.advance(5 * MINUTE)
    for (const code of [led.searchParams.get('code') ?? '', 'invented'])
      expect(await refusal(() => channel.readLogin(code))).toEqual(['rejected', 40029])
  })

  test('neither code nor secret is traced', async () => {
    const { sim, channel, fang, traces } = await openAccount()
    const led = new URL(sim.official.login(fang.id, channel.loginUrl(page, 's', 'snsapi_base')))
    const code = led.searchParams.get('code') ?? ''
    await channel.readLogin(code)
    expect(traces.map(trace => trace.call)).toEqual(['/sns/oauth2/access_token'])
    expect(JSON.stringify(traces)).not.toMatch(new RegExp(`account-secret|${code}`))
  })

  test.each<[string, (url: string) => string, string]>([
    ['another account', url => url.replace('wxb1152', 'wxb1153'), '10013'],
    ['another scope', url => url.replace('snsapi_base', 'snsapi_login'), 'Scope'],
    ['another host to lead to', url => url.replace('qunzhen.', 'evil.'), '10003'],
    ['no mark at the end', url => url.replace('#wechat_redirect', ''), 'wechat_redirect'],
  ])('WeChat refuses %s', async (_what, spoil, why) => {
    const { sim, channel, fang } = await openAccount({ loginDomain: 'qunzhen.example.cn' })
    const url = spoil(channel.loginUrl(page, 's', 'snsapi_base'))
    expect(() => sim.official.login(fang.id, url)).toThrow(why)
  })

  test('a state that the platform would refuse is refused here', async () => {
    const { channel } = await openAccount()
    expect(await refusal(() => channel.loginUrl(page, 'a b', 'snsapi_base'))).toEqual(['rejected', null])
    expect(await refusal(() => channel.loginUrl(page, 'a'.repeat(129), 'snsapi_base'))).toEqual([
      'rejected',
      null,
    ])
  })
})

describe('JS-SDK', () => {
  test('signs a page with one ticket for two hours', async () => {
    const { channel, clock, tokens, traces, raw } = await openAccount()
    const signed = await channel.signPage('https://a.cn/r/1?x=1#top')
    const { ticket } = await raw('/cgi-bin/ticket/getticket', undefined, { type: 'jsapi' })
    const text = `jsapi_ticket=${ticket}&noncestr=${signed.nonceStr}&timestamp=${signed.timestamp}&url=https://a.cn/r/1?x=1`
    expect(signed).toMatchObject({
      appId: 'wxb11529c136998cb6',
      timestamp: clock.now().getTime() / 1000,
      signature: createHash('sha1').update(text).digest('hex'),
    })
    await channel.signPage('https://a.cn/r/2')
    const asked = () => traces.filter(trace => trace.call === '/cgi-bin/ticket/getticket').length
    expect([asked(), [...tokens.keys()]]).toEqual([1, ['official-account', 'official-account/jsapi']])
    clock.advance(120 * MINUTE)
    await channel.signPage('https://a.cn/r/2')
    expect(asked()).toBe(2)
  })
})
