import { expect, test } from 'vitest'
import { createOwnRuns } from '../../../server/jobs/own-runs.ts'

test('what is asked for while it is done is done once more, never twice at once', async () => {
  const opened: (() => void)[] = []
  let atOnce = 0
  let most = 0
  let done = 0
  const runs = createOwnRuns(async () => {
    most = Math.max(most, ++atOnce)
    await new Promise<void>(open => opened.push(open))
    atOnce--
    done++
  })
  await runs.ended()
  runs.ask()
  runs.ask()
  runs.ask()
  opened.shift()?.()
  await new Promise(setImmediate)
  expect([done, opened.length]).toEqual([1, 1])
  const ended = runs.ended()
  opened.shift()?.()
  await ended
  expect([done, most]).toEqual([2, 1])
  runs.ask()
  opened.shift()?.()
  await runs.ended()
  expect([done, most]).toEqual([3, 1])
})
