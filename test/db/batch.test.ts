import { describe, expect, test } from 'vitest'
import { batched } from '../../db/batch.ts'

/** A run that the test lets go on by hand. */
function held(maxBatch?: number) {
  const batches: number[][] = []
  const gates: { open: () => void; fail: (error: Error) => void }[] = []
  const call = batched<number, string>(
    inputs => {
      batches.push(inputs)
      return new Promise((done, fail) => gates.push({ open: () => done(inputs.map(n => `r${n}`)), fail }))
    },
    maxBatch === undefined ? {} : { maxBatch },
  )
  const next = async () => {
    // the next batch begins some microtasks after the last one ended
    for (let turn = 0; turn < 10 && gates.length === 0; turn++) await Promise.resolve()
    return gates.shift() as (typeof gates)[number]
  }
  return { call, batches, next }
}

describe('calls', () => {
  test('that arrive during a batch go together in the next, each with its own result', async () => {
    const { call, batches, next } = held()
    const results = [1, 2, 3].map(call)
    ;(await next()).open()
    ;(await next()).open()
    expect(await Promise.all(results)).toEqual(['r1', 'r2', 'r3'])
    expect(batches).toEqual([[1], [2, 3]])
  })

  test('go in portions no larger than the limit', async () => {
    const { call, batches, next } = held(2)
    const results = [1, 2, 3, 4, 5, 6].map(call)
    for (let turn = 0; turn < 4; turn++) (await next()).open()
    await Promise.all(results)
    expect(batches).toEqual([[1], [2, 3], [4, 5], [6]])
  })

  test('keep to the pace when there is one: the first goes at once, the others gather', async () => {
    const batches: number[][] = []
    const starts: number[] = []
    const call = batched<number, number>(
      async inputs => {
        batches.push(inputs)
        starts.push(performance.now())
        return inputs
      },
      { paceMs: 30 },
    )
    expect(await call(1)).toBe(1)
    expect(await Promise.all([call(2), call(3)])).toEqual([2, 3])
    expect(batches).toEqual([[1], [2, 3]])
    // the timer may fire a fraction of a millisecond early
    expect((starts[1] as number) - (starts[0] as number)).toBeGreaterThan(29)
  })

  test('go beside a batch that is under way when there are enough of them, and no more than allowed', async () => {
    const batches: number[][] = []
    const gates: (() => void)[] = []
    const call = batched<number, number>(
      inputs => {
        batches.push(inputs)
        return new Promise(done => gates.push(() => done(inputs)))
      },
      { inFlight: 2, worthwhile: 3 },
    )
    const results = [1, 2, 3, 4, 5, 6, 7, 8].map(call)
    expect(batches).toEqual([[1], [2, 3, 4]])
    gates[1]?.()
    expect(await Promise.all(results.slice(1, 4))).toEqual([2, 3, 4])
    expect(batches).toEqual([[1], [2, 3, 4], [5, 6, 7, 8]])
    gates[0]?.()
    gates[2]?.()
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('that are too few for a batch beside another wait for it to end', async () => {
    const batches: number[][] = []
    const gates: (() => void)[] = []
    const call = batched<number, number>(
      inputs => {
        batches.push(inputs)
        return new Promise(done => gates.push(() => done(inputs)))
      },
      { inFlight: 2, worthwhile: 3 },
    )
    const results = [1, 2, 3].map(call)
    expect(batches).toEqual([[1]])
    gates[0]?.()
    await results[0]
    expect(batches).toEqual([[1], [2, 3]])
    gates[1]?.()
    expect(await Promise.all(results)).toEqual([1, 2, 3])
  })

  test('fail with their own batch only', async () => {
    const { call, next } = held(2)
    const results = Promise.allSettled([1, 2, 3, 4].map(call))
    ;(await next()).open()
    ;(await next()).fail(new Error('disk full'))
    ;(await next()).open()
    expect((await results).map(result => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
  })

  test('that come after quiet, or after a failure, start anew', async () => {
    const { call, batches, next } = held()
    const first = call(1)
    ;(await next()).fail(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    const second = call(2)
    ;(await next()).open()
    expect(await second).toBe('r2')
    expect(batches).toEqual([[1], [2]])
  })

  test('are not lost when the run throws at once', async () => {
    const call = batched<number, number>(() => {
      throw new Error('at once')
    })
    await expect(Promise.allSettled([call(1), call(2)])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ])
  })

  test('fail rather than wait when the run leaves out a result', async () => {
    const call = batched<number, number>(async inputs => inputs.slice(1))
    await expect(call(1)).rejects.toThrow('a batch of 1 came back as 0')
  })
})
