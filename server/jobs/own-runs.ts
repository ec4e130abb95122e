/** Work that this process does again and again. */
export interface OwnRuns {
  /** Has it done: now, or once more when it is done, if it is under way. */
  ask(): void
  /** Resolves when nothing is under way and nothing waits. */
  ended(): Promise<void>
}

/** @param work never under way twice at once in this process. It must not reject. */
export function createOwnRuns(work: () => Promise<void>): OwnRuns {
  let underWay: Promise<void> | null = null
  let isAsked = false

  async function run(): Promise<void> {
    while (isAsked) {
      isAsked = false
      await work()
    }
    underWay = null
  }

  return {
    ask() {
      isAsked = true
      underWay ??= run()
    },
    ended: () => underWay ?? Promise.resolve(),
  }
}
