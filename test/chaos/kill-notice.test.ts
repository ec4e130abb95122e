import { expect, test } from 'vitest'
import { holds, killUnderNotice } from '../../scripts/chaos/notice/kill-notice.ts'
import { cloneDatabase } from '../support/database.ts'

/** A sample of `npm run chaos:notice`. */
test('killed while it sends a notice, no process forgets a group or posts twice', async () => {
  const result = await killUnderNotice({
    databaseUrl: await cloneDatabase(),
    kills: 4,
    groups: 150,
    seed: 5,
  })
  expect(result).toMatchObject({ kills: 4, groups: 150, forgotten: 0, doubled: 0, untrue: 0, open: 0 })
  expect(holds(result)).toBe(true)
  expect(result.killsUnderWay).toBeGreaterThan(0)
}, 180_000)
