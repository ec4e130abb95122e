import { expect, test } from 'vitest'
import type { KnownSender } from '../../db/queries/senders.ts'
import { createRecentSenders } from '../../server/recent-senders.ts'

const sender = (digest: string) => ({ digest }) as KnownSender
const account = (address: string, channel = 'wecom') => ({ channel, address })

test('the account of one channel is not that of another', () => {
  const recent = createRecentSenders()
  recent.set(account('a'), sender('1'))
  expect(recent.get(account('a', 'official-account'))).toBeUndefined()
  expect(recent.get(account('a'))?.digest).toBe('1')
})

test('what was set last is remembered, until it is forgotten', () => {
  const recent = createRecentSenders()
  recent.set(account('a'), sender('1'))
  recent.set(account('a'), sender('2'))
  expect(recent.get(account('a'))?.digest).toBe('2')
  recent.forget(account('a'))
  expect(recent.get(account('a'))).toBeUndefined()
})

test('no more than so many are kept, and those who write often are kept longest', () => {
  const recent = createRecentSenders(10)
  for (let i = 0; i < 1000; i++) {
    recent.set(account(`n${i}`), sender(`${i}`))
    if (i > 0) expect(recent.get(account('n0'))?.digest).toBe('0')
  }
  const kept = Array.from({ length: 1000 }, (_, i) => recent.get(account(`n${i}`))).filter(Boolean)
  expect(kept.length).toBeLessThanOrEqual(10)
  expect(recent.get(account('n999'))).toBeDefined()
})

test('one that is forgotten does not come back from the older half', () => {
  const recent = createRecentSenders(4)
  recent.set(account('a'), sender('1'))
  recent.set(account('b'), sender('1'))
  recent.set(account('c'), sender('1'))
  recent.forget(account('a'))
  expect(recent.get(account('a'))).toBeUndefined()
})
