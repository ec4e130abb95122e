import { describe, expect, test } from 'vitest'
import {
  afterNews,
  afterUnknown,
  type BillFacts,
  type BillStep,
  nextStep,
} from '../../../../server/domain/subsidies/bill-state.ts'
import type { BillNews } from '../../../../server/payments.ts'

const NOW = new Date('2026-09-07T09:00:00+08:00')
const DAY = 24 * 3600_000
const ago = (ms: number) => new Date(NOW.getTime() - ms)
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)

const bill = (change: Partial<BillFacts>): BillFacts => ({
  number: 'QZ1T1',
  fen: 600_000,
  openId: 'o-1',
  state: 'planned',
  isDoubtful: true,
  attempts: 0,
  notFound: 0,
  dueAt: null,
  hasPackage: false,
  waitingSince: null,
  cancelAskedAt: null,
  createdAt: ago(DAY),
  updatedAt: ago(60_000),
  ...change,
})
const news = (change: Partial<BillNews>): BillNews => ({
  number: 'QZ1T1',
  platformNumber: null,
  state: 'processing',
  failReason: null,
  packageInfo: null,
  fen: null,
  openId: null,
  ...change,
})

describe('a payment', () => {
  test.each<[string, Partial<BillFacts>, BillStep]>([
    ['that was never sent is sent', { isDoubtful: false }, 'send'],
    ['that may have been sent is asked for first', {}, 'find_then_send'],
    ['that is called back before it went is not sent any more', { cancelAskedAt: NOW }, 'find'],
    ['that was refused is asked for', { state: 'held' }, 'find'],
    ['that waits with its page is asked for', { state: 'waiting', hasPackage: true }, 'find'],
    ['that waits without its page is repeated', { state: 'waiting' }, 'find_then_repeat'],
    ['that is stuck is repeated', { state: 'processing', updatedAt: ago(600_000) }, 'find_then_repeat'],
    ['that is not stuck yet is asked for', { state: 'processing' }, 'find'],
    ['that waits and is called back is cancelled', { state: 'waiting', cancelAskedAt: NOW }, 'cancel'],
    ['that is on its way is not cancelled', { state: 'transferring', cancelAskedAt: NOW }, 'find'],
    ['that has ended is only asked for', { state: 'cancelled', cancelAskedAt: NOW }, 'find'],
  ])('%s', (_what, facts, step) => {
    expect(nextStep(bill(facts), NOW)).toBe(step)
  })

  test('that has ended is contradicted by another end, or by what the platform says a second time', () => {
    const paid = bill({ state: 'paid', isDoubtful: false })
    expect(afterNews(paid, news({ state: 'paid' }), NOW)).toMatchObject({ alarm: null, dueAt: null })
    const overtaken = afterNews(paid, news({ state: 'waiting' }), NOW)
    expect(overtaken).toMatchObject({ state: 'paid', ledger: null, alarm: null, dueAt: inSeconds(5) })
    const again = afterNews({ ...paid, dueAt: NOW }, news({ state: 'waiting' }), NOW)
    expect(again).toMatchObject({ state: 'paid', ledger: null, dueAt: null })
    expect(again.alarm).toContain('微信支付却说待本人确认收款')
    const other = afterNews(paid, news({ state: 'failed' }), NOW)
    expect(other).toMatchObject({ state: 'paid', ledger: null })
    expect(other.alarm).toContain('微信支付却说未付成')
    expect(afterUnknown({ ...paid, dueAt: NOW }, NOW)).toMatchObject({ alarm: null, dueAt: null })
  })

  test('that is given up has come to nothing when it stays unknown, while the platform still tells of it', () => {
    // nobody has decided yet: an earlier sending may have been taken and not be known everywhere
    expect(afterUnknown(bill({ state: 'held' }), NOW).dueAt).toEqual(inSeconds(300))
    expect(afterUnknown(bill({ state: 'held', notFound: 2 }), NOW)).toMatchObject({
      state: 'held',
      dueAt: null,
    })
    const givenUp = { state: 'held', cancelAskedAt: NOW } as const
    expect(afterUnknown(bill({ ...givenUp, notFound: 1 }), NOW)).toMatchObject({
      state: 'held',
      ledger: null,
      dueAt: inSeconds(300),
    })
    expect(afterUnknown(bill({ ...givenUp, notFound: 2 }), NOW)).toMatchObject({
      state: 'failed',
      failReason: 'NEVER_TAKEN',
      ledger: 'freed',
    })
    // after 30 days it says of every payment that it knows none, of one that was paid as well
    const old = afterUnknown(bill({ ...givenUp, notFound: 9, createdAt: ago(30 * DAY) }), NOW)
    expect(old).toMatchObject({ state: 'held', ledger: null, dueAt: inSeconds(3600) })
    expect(old.alarm).toContain('商户平台')
  })

  test('that was taken and is unknown now is never set free', () => {
    const waiting = bill({ state: 'waiting', cancelAskedAt: NOW, notFound: 9 })
    expect(afterUnknown(waiting, NOW)).toMatchObject({ state: 'waiting', ledger: null, alarm: null })
    const change = afterUnknown({ ...waiting, updatedAt: ago(3600_000) }, NOW)
    expect(change).toMatchObject({ state: 'waiting', ledger: null })
    expect(change.alarm).toContain('查不到')
  })
})
