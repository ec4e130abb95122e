import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const THREADS = '/proc/self/task'
/** A third of a core that callbacks want as well; all of one that nobody wants. */
const NICENESS = 3

/**
 * Lets V8's own threads stand back, which compile what runs often and mark garbage. They have up to a quarter of a second
 * of work at a time; as equals of the thread that answers they would take half of a core that is the only one, and
 * callbacks would queue up behind them (docs/performance.md). Linux only: elsewhere nothing is changed.
 * @returns how many threads stand back
 */
export function lowerHelperThreads(): number {
  let count = 0
  try {
    for (const id of readdirSync(THREADS)) {
      if (readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() !== 'V8Worker') continue
      setPriority(Number(id), NICENESS)
      count++
    }
  } catch {
    // a thread that has ended meanwhile, or a system without /proc: the answers are right all the same
  }
  return count
}
