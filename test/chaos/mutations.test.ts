import { expect, test } from 'vitest'
import { mutateWebhook } from '../../scripts/chaos/mutate-webhook.ts'
import { cloneDatabase } from '../support/database.ts'

/** A sample of `npm run chaos:webhook -- --only mutations`. */
test.each([
  ['secure', 0, 700],
  ['compatible', 2000, 2300],
  ['plain', 2600, 2900],
] as const)(
  'mutated callbacks, Official Account in %s mode',
  async (mode, from, to) => {
    const result = await mutateWebhook({
      databaseUrl: await cloneDatabase(),
      mode,
      from,
      to,
      lanes: 24,
      seed: 20260907,
    })
    expect(result.faults).toEqual([])
    // what somebody else breaks off is no error of ours
    expect(result.loggedErrors).toEqual({})
    // neither side of the check was empty
    expect(result.sent).toBeGreaterThanOrEqual(to - from)
    expect(result.refused).toBeGreaterThan((to - from) * 0.35)
    expect(result.acknowledged).toBeGreaterThan((to - from) * 0.3)
    expect(result.stored.unknown).toBeGreaterThan(20)
  },
  120_000,
)
