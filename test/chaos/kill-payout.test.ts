import { expect, test } from 'vitest'
import { killUnderPayout } from '../../scripts/chaos/payout/kill-payout.ts'
import { cloneDatabase } from '../support/database.ts'

/** A sample of `npm run chaos:payout`. */
test('killed while it pays a list, nobody is paid twice and nobody is forgotten', async () => {
  const result = await killUnderPayout({
    databaseUrl: await cloneDatabase(),
    kills: 2,
    payments: 20,
    seed: 4,
  })
  expect(result.faults).toEqual([])
  expect(result).toMatchObject({ payments: 20, paidTwice: 0, forgotten: 0, differing: 0 })
  expect(result.ledgerPaid).toBe(result.balanceSpent)
  expect(result.killsUnderWay).toBeGreaterThan(0)
}, 240_000)
