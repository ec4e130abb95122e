import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { callPlatform } from '../../../server/channels/http.ts'
import { officialAccountCodes } from '../../../server/channels/official-account/codes.ts'
import { createTokenSource } from '../../../server/channels/official-account/stable-token.ts'
import { movableClock } from '../../../server/clock.ts'
import { openAccount, picture, refusal } from './official-account-stage.ts'

const DAY = 24 * 3_600_000

describe('media', () => {
  test('go up, come down and last three days', async () => {
    const { channel, clock } = await openAccount()
    const { mediaId } = await channel.uploadMedia('image', { name: '活动 "1".png', bytes: picture })
    const fetched = await channel.fetchMedia(mediaId)
    expect([Buffer.from(fetched.bytes).equals(picture), fetched.contentType]).toEqual([true, 'image/png'])
    clock.advance(3 * DAY + 1000)
    expect(await refusal(() => channel.fetchMedia(mediaId))).toEqual(['rejected', 40007])
  })

  test('what a follower sent can be fetched', async () => {
    const { sim, channel, fang, told } = await openAccount()
    await sim.sendImage(fang.id)
    const [mediaId = ''] = (await told('MediaId'))[0] ?? []
    expect((await channel.fetchMedia(mediaId)).bytes.length).toBeGreaterThan(0)
  })

  test.each<[string, 'image' | 'thumb', Uint8Array, [string, number | null]]>([
    ['an empty file', 'image', Buffer.alloc(0), ['rejected', null]],
    ['a thumb over 64 KB', 'thumb', Buffer.alloc(64 * 1024 + 1), ['rejected', null]],
    ['what is no picture', 'image', Buffer.from('not a picture'), ['rejected', 40005]],
  ])('are refused: %s', async (_what, type, bytes, expected) => {
    const { channel } = await openAccount()
    expect(await refusal(() => channel.uploadMedia(type, { name: 'a', bytes }))).toEqual(expected)
  })
})

describe('the access token', () => {
  const stableCalls = (traces: { call: string }[]) =>
    traces.filter(trace => trace.call === '/cgi-bin/stable_token').length

  test('is fetched once for many calls, and once more when it is void', async () => {
    const { sim, channel, traces } = await openAccount()
    await Promise.all([channel.callbackAddresses(), channel.callbackAddresses(), channel.listTags()])
    expect(stableCalls(traces)).toBe(1)
    sim.faults.on('token-void')
    expect(await channel.callbackAddresses()).toEqual(['127.0.0.1', '101.226.103.0/25'])
    expect(stableCalls(traces)).toBe(2)
  })

  test('a wrong secret is a matter for the operator, not for trying again', async () => {
    const { sim, channel, clock } = await openAccount({ secret: 'another secret' })
    expect(await refusal(() => channel.callbackAddresses())).toEqual(['config', 40125])
    // asked again only after a while: too many wrong ones and the platform blocks the address
    clock.advance(30_000)
    sim.faults.on('ip-refused')
    expect(await refusal(() => channel.callbackAddresses())).toEqual(['config', 40164])
  })

  test('one that is void but still handed out is renewed by force, at most every 30 seconds', async () => {
    const asked: boolean[] = []
    let valid = 'b'
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', chunk => {
        text += chunk
      })
      request.on('end', () => {
        const url = new URL(request.url ?? '', 'http://localhost')
        if (url.pathname.endsWith('stable_token')) {
          const force = JSON.parse(text).force_refresh === true
          asked.push(force)
          response.end(JSON.stringify({ access_token: force ? valid : 'a', expires_in: 7200 }))
        } else {
          const isValid = url.searchParams.get('access_token') === valid
          response.end(JSON.stringify({ errcode: isValid ? 0 : 40001, errmsg: '' }))
        }
      })
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const http = {
      channel: 'official-account' as const,
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      trace: () => {},
      codes: officialAccountCodes,
    }
    const clock = movableClock(new Date('2026-03-05T10:00:00+08:00'))
    const source = createTokenSource(
      http,
      { appId: 'wx', secret: 's' },
      {
        now: () => clock.now(),
        tokens: { tokenFor: (_account, _rejected, refresh) => refresh() },
      },
    )
    const call = () =>
      source.with(token => callPlatform(http, { path: '/x', query: { access_token: token } }))
    const forced = () => asked.filter(force => force).length
    await call()
    expect([asked[0], forced()]).toEqual([false, 1])
    valid = 'c'
    for (let index = 0; index < 2; index += 1) {
      expect(await refusal(call)).toEqual(['token', 40001])
      expect(forced()).toBe(1)
    }
    clock.advance(30_000)
    await call()
    expect(forced()).toBe(2)
  })
})

describe('each error says what it means', () => {
  test.each<[reason: string, codes: number[]]>([
    ['unreachable', [-1]],
    ['token', [40001, 40014, 41001, 42001]],
    ['config', [40013, 40037, 40125, 40164, 48001, 48004, 50002]],
    ['recipient', [40003, 43004, 43019, 48002, 50005]],
    ['window_closed', [43101, 45015, 45047]],
    ['throttled', [45009, 45011, 45028, 45066, 48006]],
    ['rejected', [40029, 40163, 45065, 45067]],
  ])('%s: %j', (reason, codes) => {
    for (const code of codes) expect([code, officialAccountCodes.get(code)]).toEqual([code, reason])
  })

  test.each<[fault: 'quota-exhausted' | 'no-permission' | 'ip-refused' | 'http-500', string, number | null]>([
    ['quota-exhausted', 'throttled', 45009],
    ['no-permission', 'config', 48001],
    ['ip-refused', 'config', 40164],
    ['http-500', 'unreachable', null],
  ])('the fault %s is %s', async (fault, reason, code) => {
    const { sim, channel } = await openAccount()
    await channel.callbackAddresses()
    sim.faults.on(fault)
    expect(await refusal(() => channel.sendText('oWangFang', '在吗'))).toEqual([reason, code])
    sim.faults.clear()
    expect(await channel.callbackAddresses()).not.toEqual([])
  })
})
