import { describe, expect, test } from 'vitest'
import { storageFaults } from '../../scripts/bench/database-checks.ts'
import { readResult } from '../../scripts/bench/load.ts'
import { HAND_WRITTEN, OURS, tablesOf, targetsOf, targetTable } from '../../scripts/bench/report.ts'
import { addressesOf } from '../../scripts/bench/senders.ts'
import { type Measured, median, speedAgainst, summaries } from '../../scripts/bench/statistics.ts'

function run(changes: Partial<Measured>): Measured {
  return {
    server: OURS,
    mode: 'wecom',
    round: 1,
    rps: 1000,
    p50_ms: 1,
    p99_ms: 10,
    max_ms: 20,
    server_us: 100,
    peak_mb: 200,
    errors: 0,
    ...changes,
  }
}

test.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2],
  [[10, 9, 100], 10],
])('the median of %j is %i', (values, middle) => {
  expect(median(values)).toBe(middle)
})

describe('speed against others', () => {
  const runs = [
    run({ round: 1, rps: 3000 }),
    run({ round: 1, rps: 1000, server: 'a' }),
    run({ round: 1, rps: 1500, server: 'b' }),
    // the machine is at half its speed in this round: ratios do not mind
    run({ round: 2, rps: 1500 }),
    run({ round: 2, rps: 500, server: 'a' }),
    run({ round: 2, rps: 600, server: 'b' }),
    run({ round: 3, rps: 3000 }),
    run({ round: 3, rps: 1000, server: 'a' }),
    run({ round: 3, rps: 2000, server: 'b' }),
  ]

  test('is the median of the ratios to the fastest of each round', () => {
    expect(speedAgainst(runs, 'wecom', OURS, ['a', 'b'])).toBe(2)
    expect(speedAgainst(runs, 'wecom', OURS, ['a'])).toBe(3)
  })

  test('does not count runs that went wrong, nor other modes', () => {
    const withErrors = runs.map(each => (each.server === 'b' ? { ...each, errors: 1 } : each))
    expect(speedAgainst(withErrors, 'wecom', OURS, ['a', 'b'])).toBe(3)
    expect(speedAgainst(runs, 'oa-aes', OURS, ['a', 'b'])).toBeNull()
    expect(speedAgainst(runs, 'wecom', OURS, ['c'])).toBeNull()
  })

  test('is summed up by server, the fastest first', () => {
    expect(
      summaries(runs, 'wecom').map(({ server, rps, lowest, highest }) => [server, rps, lowest, highest]),
    ).toEqual([
      [OURS, 3000, 1500, 3000],
      ['b', 1500, 600, 2000],
      ['a', 1000, 500, 1000],
    ])
  })
})

describe('targets', () => {
  const good = [
    run({ rps: 6000 }),
    run({ server: 'wechat-enterprise', rps: 4000 }),
    run({ server: HAND_WRITTEN, rps: 12_000 }),
    run({ mode: 'oa-aes', rps: 5400 }),
    run({ mode: 'oa-aes', server: 'co-wechat', rps: 6000 }),
    // the hand-written server is no peer
    run({ mode: 'oa-aes', server: HAND_WRITTEN, rps: 12_000 }),
  ]
  const halfRate = [run({ p99_ms: 49.9 })]
  const verdicts = (...[figures]: Parameters<typeof targetsOf>) =>
    Object.fromEntries(targetsOf(figures).map(each => [each.name, each.holds]))

  test('all hold just at their limits', () => {
    const targets = targetsOf({ runs: good, halfRate, storageFaults: 0 })
    expect(targets.map(({ name, value, target, holds }) => [name, value, target, holds])).toEqual([
      ['wecom_vs_fastest_peer', 1.5, '>=1.5', true],
      ['oa_vs_fastest_peer', 0.9, '>=0.9', true],
      ['vs_hand_written_durable', 0.5, '>=0.5', true],
      ['p99_ms_at_half_rate', 49.9, '<50', true],
      ['worst_ms_full_load', 20, '<1000', true],
      ['rss_mb', 200, '<=256', true],
      ['wrong_replies', 0, '<=0', true],
      ['storage_faults', 0, '<=0', true],
    ])
  })

  test.each<[name: string, changes: Partial<Measured>, half: Partial<Measured>, storageFaults: number]>([
    ['wecom_vs_fastest_peer', { rps: 5999 }, {}, 0],
    ['p99_ms_at_half_rate', {}, { p99_ms: 50 }, 0],
    ['worst_ms_full_load', { max_ms: 1000 }, {}, 0],
    ['rss_mb', { peak_mb: 256.1 }, {}, 0],
    ['rss_mb', {}, { peak_mb: 300 }, 0],
    ['wrong_replies', {}, { errors: 1 }, 0],
    ['storage_faults', {}, {}, 1],
  ])('%s does not hold', (name, changes, half, faults) => {
    const [first, ...others] = good
    const figures = {
      runs: [{ ...(first as Measured), ...changes }, ...others],
      halfRate: [run({ p99_ms: 5, ...half })],
      storageFaults: faults,
    }
    expect(verdicts(figures)[name]).toBe(false)
  })

  test('at half rate the rounds have their middle, and the slower mode counts', () => {
    const halfRate = [
      ...[30, 90, 40].map(p99_ms => run({ p99_ms })),
      ...[55, 20, 45].map(p99_ms => run({ mode: 'oa-aes', p99_ms })),
    ]
    const found = targetsOf({ runs: good, halfRate, storageFaults: 0 })
    expect(found.find(each => each.name === 'p99_ms_at_half_rate')).toMatchObject({ value: 45, holds: true })
  })

  test('what was not measured is not said to hold', () => {
    expect(verdicts({ runs: [run({})], halfRate: [], storageFaults: 0 })).toMatchObject({
      wecom_vs_fastest_peer: null,
      oa_vs_fastest_peer: null,
      vs_hand_written_durable: null,
      p99_ms_at_half_rate: null,
      worst_ms_full_load: true,
    })
  })

  test('tables have a row for each server and each target', () => {
    const tables = tablesOf(good)
    expect(tables).toContain('| qunzhen | 6000 | 6000–6000 | 100 | 1 | 10 | 20 | 200 | 0 |')
    expect(tables.match(/^\| limit-durable/gm)).toHaveLength(2)
    const targets = targetTable(targetsOf({ runs: good, halfRate, storageFaults: 0 }))
    expect(targets).toContain('| oa_vs_fastest_peer | 0.9 | >=0.9 | 达到 |')
  })
})

describe('what is stored after a run', () => {
  const right = {
    rows: 100,
    handled: 100,
    replied: 100,
    first: '1000000000000000000',
    last: '1000000000000000099',
  }

  test('is as it should be', () => {
    expect(storageFaults(right, 100)).toEqual([])
  })

  test.each([
    ['one is lost', { ...right, rows: 99, handled: 99, replied: 99 }],
    ['one is not handled', { ...right, handled: 99 }],
    ['one has no reply', { ...right, replied: 99 }],
    ['one is another', { ...right, last: '1000000000000000100' }],
    ['none are there', { rows: 0, handled: 0, replied: 0, first: null, last: null }],
  ])('%s', (_, counts) => {
    expect(storageFaults(counts, 100)).not.toEqual([])
  })
})

describe('the load generator', () => {
  test('a run that broke off has its errors and no figures', () => {
    expect(readResult('{"mode":"wecom","errors":1,"first_error":"stalled"}\n')).toMatchObject({
      rps: 0,
      n: 0,
      errors: 1,
      first_error: 'stalled',
    })
    expect(readResult('')).toBeNull()
  })

  test('its users have the addresses that are seeded', () => {
    expect(addressesOf(7).wecom).toBe('user00007')
    // as long as an openid
    expect(addressesOf(7).account).toMatch(/^o[\w-]{27}$/)
  })
})
