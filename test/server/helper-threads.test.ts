import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { lowerHelperThreads } from '../../server/helper-threads.ts'

/** How nice each of V8's threads is, by /proc; the name stands in brackets and may hold anything. */
const niceness = () =>
  readdirSync('/proc/self/task')
    .map(id => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))
    .filter(stat => stat.includes('(V8Worker)'))
    .map(stat => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))

test.runIf(process.platform === 'linux')('V8’s own threads stand behind the one that answers', () => {
  const count = lowerHelperThreads()
  expect(count).toBeGreaterThan(0)
  expect(niceness()).toEqual(Array.from({ length: count }, () => 3))
})
