import { describe, expect, it } from 'vitest'
import { officialSettings, simulate, wecomSettings } from './setup.ts'

const MINUTE = 60_000

describe('WeCom tokens', () => {
  it('stay the same until they expire after 7200 seconds', async () => {
    const { clock, wecomToken, rawWecom } = await simulate()
    const token = await wecomToken()
    clock.advance(7199_000)
    expect(await wecomToken()).toBe(token)
    expect((await rawWecom('getcallbackip', { access_token: token })).errcode).toBe(0)
    clock.advance(1000)
    expect((await rawWecom('getcallbackip', { access_token: token })).errcode).toBe(42001)
    expect(await wecomToken()).not.toBe(token)
  })

  it('are refused when missing, unknown or void', async () => {
    const { sim, wecomToken, rawWecom } = await simulate()
    const token = await wecomToken()
    expect((await rawWecom('getcallbackip', {})).errcode).toBe(41001)
    expect((await rawWecom('getcallbackip', { access_token: 'nonsense' })).errcode).toBe(40014)
    sim.faults.on('token-void')
    expect((await rawWecom('getcallbackip', { access_token: token })).errcode).toBe(40014)
    const fresh = await wecomToken()
    expect(fresh).not.toBe(token)
    expect((await rawWecom('getcallbackip', { access_token: fresh })).errcode).toBe(0)
  })

  it('need the right corp and secret', async () => {
    const { rawWecom } = await simulate()
    const corpid = wecomSettings.receiveId
    expect((await rawWecom('gettoken', { corpid: 'ww0', corpsecret: 'app-secret' })).errcode).toBe(40013)
    expect((await rawWecom('gettoken', { corpid, corpsecret: 'wrong' })).errcode).toBe(40001)
    expect((await rawWecom('gettoken', { corpid })).errcode).toBe(41004)
  })

  it('belong to one app', async () => {
    const { sim, wecom } = await simulate()
    sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
    const message = { touser: 'LiMing', msgtype: 'text', text: { content: '你好' } }
    expect((await wecom('message/send', { ...message, agentid: 1000003 })).errcode).toBe(301002)
    expect((await wecom('message/send', { ...message, agentid: '1000002' })).errcode).toBe(40056)
    expect((await wecom('message/send', { ...message, agentid: 1000002 })).errcode).toBe(0)
  })

  it('do not expire when that limit is off', async () => {
    const { clock, wecomToken, rawWecom } = await simulate({ limits: { tokenExpiry: false } })
    const token = await wecomToken()
    clock.advance(100 * 3600_000)
    expect((await rawWecom('getcallbackip', { access_token: token })).errcode).toBe(0)
  })
})

describe('Official Account tokens', () => {
  const credential = {
    grant_type: 'client_credential',
    appid: officialSettings.receiveId,
    secret: 'account-secret',
  }

  it('overlap for five minutes in the stable form', async () => {
    const { clock, officialToken, rawOfficial } = await simulate()
    const token = await officialToken()
    expect(await officialToken()).toBe(token)
    clock.advance(116 * MINUTE)
    const next = await officialToken()
    expect(next).not.toBe(token)
    expect((await rawOfficial('getcallbackip', { access_token: token })).errcode).toBe(0)
    clock.advance(5 * MINUTE)
    expect((await rawOfficial('getcallbackip', { access_token: token })).errcode).toBe(42001)
    expect((await rawOfficial('getcallbackip', { access_token: next })).errcode).toBe(0)
  })

  it('can be forced at most every 30 seconds, which kills the one before', async () => {
    const { officialToken, rawOfficial } = await simulate()
    const token = await officialToken()
    const forced = await rawOfficial('stable_token', {}, { ...credential, force_refresh: true })
    expect(forced.access_token).not.toBe(token)
    expect((await rawOfficial('getcallbackip', { access_token: token })).errcode).toBe(40001)
    expect((await rawOfficial('stable_token', {}, { ...credential, force_refresh: true })).errcode).toBe(
      45011,
    )
  })

  it('of the older interface are apart from the stable ones', async () => {
    const { clock, officialToken, rawOfficial } = await simulate()
    const stable = await officialToken()
    const first = String((await rawOfficial('token', credential)).access_token)
    const second = String((await rawOfficial('token', credential)).access_token)
    expect(second).not.toBe(first)
    clock.advance(6 * MINUTE)
    expect((await rawOfficial('getcallbackip', { access_token: first })).errcode).toBe(42001)
    expect((await rawOfficial('getcallbackip', { access_token: second })).errcode).toBe(0)
    expect((await rawOfficial('getcallbackip', { access_token: stable })).errcode).toBe(0)
  })
})
