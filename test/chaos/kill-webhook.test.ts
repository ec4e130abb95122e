import { expect, test } from 'vitest'
import { killUnderLoad } from '../../scripts/chaos/kill-webhook.ts'
import { cloneDatabase } from '../support/database.ts'

/** A sample of `npm run chaos:webhook -- --only kills`. */
test('killed under load, the server loses nothing it has acknowledged and does nothing twice', async () => {
  const result = await killUnderLoad({ databaseUrl: await cloneDatabase(), kills: 5, lanes: 6, seed: 11 })
  expect(result).toMatchObject({ kills: 5, lost: 0, doubled: 0, unhandled: 0 })
  expect(result.acknowledged).toBeGreaterThan(10)
}, 180_000)
