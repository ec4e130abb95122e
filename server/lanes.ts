/** Work that goes one after the other for each key, and not too much of it at once over all keys. */
export interface Lanes {
  /** Whether anything of this key is under way or waiting. */
  isBusy(key: string): boolean
  /** Runs `work` when everything of its key that came before is done and there is room. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** @param atOnce how much may be under way over all keys */
export function createLanes(atOnce: number): Lanes {
  const lasts = new Map<string, Promise<unknown>>()
  const waiting: (() => void)[] = []
  let underWay = 0

  async function inRoom<T>(work: () => Promise<T>): Promise<T> {
    if (underWay >= atOnce) await new Promise<void>(done => waiting.push(done))
    else underWay++
    try {
      return await work()
    } finally {
      // the room goes straight to who has waited longest
      const next = waiting.shift()
      if (next) next()
      else underWay--
    }
  }

  return {
    isBusy: key => lasts.has(key),
    run(key, work) {
      const before = lasts.get(key)
      const result = before ? before.then(() => inRoom(work)) : inRoom(work)
      const last = result.then(
        () => {},
        () => {},
      )
      lasts.set(key, last)
      last.then(() => {
        if (lasts.get(key) === last) lasts.delete(key)
      })
      return result
    },
  }
}
