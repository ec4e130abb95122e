/**
 * Group commit: calls that arrive while a batch is under way go together in the next one.
 *
 * @param run receives the inputs of a batch and resolves with one result for each, in the same order. When it fails,
 *   every caller of that batch gets the error.
 */
export function batched<Input, Result>(
  run: (inputs: Input[]) => Promise<Result[]>,
  maxBatch = 200,
): (input: Input) => Promise<Result> {
  let waiting: { input: Input; done: (result: Result) => void; fail: (error: unknown) => void }[] = []
  let isRunning = false
  async function drain() {
    isRunning = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch)
      waiting = waiting.slice(maxBatch)
      try {
        const results = await run(batch.map(entry => entry.input))
        if (results.length !== batch.length)
          throw new Error(`a batch of ${batch.length} came back as ${results.length}`)
        for (const [index, entry] of batch.entries()) entry.done(results[index] as Result)
      } catch (error) {
        for (const entry of batch) entry.fail(error)
      }
    }
    isRunning = false
  }
  return input =>
    new Promise((done, fail) => {
      waiting.push({ input, done, fail })
      if (!isRunning) void drain()
    })
}
