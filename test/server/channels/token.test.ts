import { describe, expect, test } from 'vitest'
import { ChannelError } from '../../../server/channels/errors.ts'
import { readToken, TokenSource, type TokenStore } from '../../../server/channels/token.ts'
import { movableClock } from '../../../server/clock.ts'
import { verdict } from './envelopes.ts'

/** A token source over a store in memory, with a platform that numbers its tokens. */
function setUp() {
  const clock = movableClock(new Date('2026-03-05T10:00:00+08:00'))
  const fetched: string[] = []
  const log: string[] = []
  let stored: { token: string; expiresAt: Date } | null = null
  const store: TokenStore = {
    async tokenFor(account, rejected, refresh) {
      log.push(`${account} ${rejected}`)
      if (stored && stored.token !== rejected && stored.expiresAt > clock.now()) return stored
      stored = await refresh()
      return stored
    },
  }
  const open = () =>
    new TokenSource('wecom', store, clock.now, async () => {
      fetched.push(`t${fetched.length + 1}`)
      await Promise.resolve()
      return { token: fetched.at(-1) as string, expiresInSeconds: 7200 }
    })
  return { clock, fetched, log, open }
}

/** A call that the platform refuses while `isVoid` says so of its token. */
function callWith(isVoid: (token: string) => boolean, code = 40014) {
  const seen: string[] = []
  const call = async (token: string) => {
    seen.push(token)
    if (isVoid(token)) throw new ChannelError('token', 'void', { platformCode: code })
    return `done with ${token}`
  }
  return { seen, call }
}

describe('a token', () => {
  test('is fetched once for many calls', async () => {
    const { fetched, open } = setUp()
    const source = open()
    expect(await Promise.all(Array.from({ length: 20 }, () => source.with(async token => token)))).toEqual(
      Array(20).fill('t1'),
    )
    expect(await source.with(async token => token)).toBe('t1')
    expect(fetched).toEqual(['t1'])
  })

  test('is fetched anew a minute before it ends', async () => {
    const { clock, open } = setUp()
    const source = open()
    await source.with(async token => token)
    clock.advance(7139_000)
    expect(await source.with(async token => token)).toBe('t1')
    clock.advance(1000)
    expect(await source.with(async token => token)).toBe('t2')
  })

  test.each([40014, 42001])('that is void (%d) is replaced, and the call is made once more', async code => {
    const { fetched, log, open } = setUp()
    const { call, seen } = callWith(token => token === 't1', code)
    expect(await open().with(call)).toBe('done with t2')
    expect(seen).toEqual(['t1', 't2'])
    expect(fetched).toEqual(['t1', 't2'])
    expect(log).toEqual(['wecom null', 'wecom t1'])
  })

  test('is replaced once although twenty calls find it void', async () => {
    const { fetched, open } = setUp()
    const { call, seen } = callWith(token => token === 't1')
    const source = open()
    const answers = await Promise.all(Array.from({ length: 20 }, () => source.with(call)))
    expect(answers).toEqual(Array(20).fill('done with t2'))
    expect(seen).toHaveLength(40)
    expect(fetched).toEqual(['t1', 't2'])
  })

  test('that another process has replaced is taken from the store', async () => {
    const { fetched, open } = setUp()
    const [here, there] = [open(), open()]
    await here.with(async token => token)
    await there.with(callWith(token => token === 't1').call)
    expect(await here.with(callWith(token => token === 't1').call)).toBe('done with t2')
    expect(fetched).toEqual(['t1', 't2'])
  })

  test('that stays void is not asked for without end', async () => {
    const { open } = setUp()
    const { call, seen } = callWith(() => true)
    await expect(open().with(call)).rejects.toMatchObject({ reason: 'token', retryable: true })
    expect(seen).toEqual(['t1', 't2'])
  })

  test('is left alone by any other failure', async () => {
    const { fetched, open } = setUp()
    const source = open()
    const failure = new ChannelError('throttled', 'slow down')
    await expect(source.with(() => Promise.reject(failure))).rejects.toBe(failure)
    await source.with(async token => token)
    expect(fetched).toEqual(['t1'])
  })

  test('that could not be fetched is tried again at the next call', async () => {
    const { clock } = setUp()
    let tries = 0
    const store: TokenStore = { tokenFor: (_account, _rejected, refresh) => refresh() }
    const source = new TokenSource('wecom', store, clock.now, async () => {
      if (++tries === 1) throw new ChannelError('unreachable', 'down')
      return { token: 't', expiresInSeconds: 7200 }
    })
    await expect(source.with(async token => token)).rejects.toMatchObject({ reason: 'unreachable' })
    expect(await source.with(async token => token)).toBe('t')
  })
})

describe('the answer that should hold a token', () => {
  test.each([
    [{ access_token: 't', expires_in: 7200 }, 'taken'],
    [{ access_token: 't', expires_in: '7200' }, 'taken'],
    [{}, 'unreachable'],
    [{ access_token: '' }, 'unreachable'],
    [{ access_token: '', expires_in: 7200 }, 'unreachable'],
    [{ access_token: 't' }, 'unreachable'],
    [{ access_token: 't', expires_in: 'soon' }, 'unreachable'],
    [{ access_token: 't', expires_in: 0 }, 'unreachable'],
    [{ access_token: 7, expires_in: 7200 }, 'unreachable'],
  ])('%j', (answer, expected) => {
    expect(verdict(() => readToken(answer))).toBe(expected)
  })
})
