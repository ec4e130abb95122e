import { describe, expect, it } from 'vitest'
import { account, openAccount } from '../../server/channels/official-account-stage.ts'

type Raw = Awaited<ReturnType<typeof openAccount>>['raw']

const preview = (raw: Raw) => async () =>
  (
    await raw('/cgi-bin/message/mass/preview', {
      touser: 'oWangFang',
      msgtype: 'text',
      text: { content: '看' },
    })
  ).errcode

/** Calls at once so often; their codes, each once. */
async function codesOf(times: number, call: () => Promise<number>): Promise<number[]> {
  return [...new Set(await Promise.all(Array.from({ length: times }, call)))]
}

describe('the quotas of an Official Account', () => {
  it.each<[string, most: number, beyond: number, (raw: Raw) => () => Promise<number>]>([
    ['deletions', 10, 45009, raw => async () => (await raw('/cgi-bin/message/mass/delete', {})).errcode],
    ['previews', 100, 45009, preview],
    [
      'mass messages in a minute',
      60,
      45011,
      raw => async () =>
        (await raw('/cgi-bin/message/mass/sendall', { filter: { is_to_all: true }, msgtype: 'none' }))
          .errcode,
    ],
  ])('allow %s %i times', async (_what, most, beyond, callOf) => {
    const call = callOf((await openAccount()).raw)
    expect(await call()).not.toBe(beyond)
    expect(await codesOf(most - 1, call)).not.toContain(beyond)
    expect(await call()).toBe(beyond)
  })

  it('begin anew the next day, or with clear_quota, which is there ten times a month', async () => {
    const { raw, clock } = await openAccount()
    const call = preview(raw)
    const clear = async () => (await raw('/cgi-bin/clear_quota', { appid: account.appId })).errcode
    await call()
    await codesOf(99, call)
    expect([await call(), await clear(), await call()]).toEqual([45009, 0, 0])
    for (let index = 1; index < 10; index += 1) expect(await clear()).toBe(0)
    expect(await clear()).toBe(48006)
    await codesOf(100, call)
    expect(await call()).toBe(45009)
    clock.advance(24 * 3_600_000)
    expect(await call()).toBe(0)
  })

  it('do not apply when they are switched off', async () => {
    const { sim, raw } = await openAccount()
    sim.limits.set('officialQuota', false)
    const call = preview(raw)
    await call()
    expect(await codesOf(101, call)).toEqual([0])
  })

  it('allow twenty messages for one of a follower where an older account has them', async () => {
    const { sim, raw, fang } = await openAccount({}, { serviceMessagesPerMessage: 20 })
    await sim.say(fang.id, '你好')
    const message = { touser: 'oWangFang', msgtype: 'text', text: { content: '好' } }
    const codes = []
    for (let index = 0; index < 21; index += 1)
      codes.push((await raw('/cgi-bin/message/custom/send', message)).errcode)
    expect(codes).toEqual([...Array.from({ length: 20 }, () => 0), 45047])
  })
})
