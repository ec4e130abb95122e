import { setTimeout as sleep } from 'node:timers/promises'
import { deliverDue } from '../../server/jobs/deliver.ts'
import type { Runtime } from '../../server/runtime.ts'
import type { Simulator } from '../simulator/index.ts'

const WAITS_MS = 60_000

/**
 * The simulator with people who say one thing at a time and wait for their answer: on a slow machine what takes longer than
 * a callback may comes as a message of its own, a little later.
 */
export function withPatience(sim: Simulator, rt: Runtime): Simulator {
  const saying = new Map<string, Promise<unknown>>()
  const inTurn: Simulator['say'] = (personId, text, via) => {
    const before = saying.get(personId) ?? Promise.resolve()
    const answer = before.then(() => said(personId, text, via))
    saying.set(
      personId,
      answer.catch(() => {}),
    )
    return answer
  }
  const said: Simulator['say'] = async (personId, text, via) => {
    const before = sim.inbox(personId).length
    const replies = await sim.say(personId, text, via)
    if (replies.length > 0) return replies
    const giveUpAt = performance.now() + WAITS_MS
    while (performance.now() < giveUpAt) {
      await deliverDue(rt)
      await sim.idle()
      const late = sim
        .inbox(personId)
        .slice(before)
        .filter(({ from, kind, text: words }) => from === 'bot' && kind === 'text' && words !== '')
      if (late.length > 0) return late
      await sleep(200)
    }
    return replies
  }
  return Object.create(sim, { say: { value: inTurn } }) as Simulator
}
