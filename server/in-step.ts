/**
 * Callbacks that arrive together go in step: all of them are opened, then all are answered, then all are sealed, and so
 * on. The code and the tables of one step just fit into the processor's nearest caches; callback after callback, each
 * step would find them full of the one before (docs/performance.md: a quarter of what a callback costs).
 */

/** Awaited between two steps: the others that have come as far do the step before, and then all go on. */
export const inStep: Promise<void> = Promise.resolve()

let gathering: Promise<void> | null = null

/** Resolves when all that has arrived by now has been read. */
export function gathered(): Promise<void> {
  gathering ??= new Promise(done =>
    setImmediate(() => {
      gathering = null
      done()
    }),
  )
  return gathering
}
