/** Repeatable chance, so that two runs of the demo tell the same story. */
export interface Chance {
  /** 0 ≤ x < 1 */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
}

/** mulberry32: small, fast, good enough for names and moods. */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: list => list[Math.floor(next() * list.length)] as (typeof list)[number],
  }
}

/** Runs `work` over all items, `lanes` at a time, and tells how far it is now and then. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T, index: number) => Promise<void>,
  tell?: (done: number) => void,
): Promise<void> {
  let at = 0
  let done = 0
  await Promise.all(
    Array.from({ length: Math.min(lanes, items.length) }, async () => {
      while (at < items.length) {
        const index = at++
        await work(items[index] as T, index)
        done++
        if (done % 2500 === 0) tell?.(done)
      }
    }),
  )
}
