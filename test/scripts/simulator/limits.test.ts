import { describe, expect, it } from 'vitest'
import { chinaMonth, createLimits } from '../../../scripts/simulator/limits.ts'
import { movableClock } from '../../../server/clock.ts'
import { simulate } from './setup.ts'

const MINUTE = 60_000
const start = new Date('2026-02-28T23:59:00+08:00')

describe('limits', () => {
  it('slide when they are small', () => {
    const clock = movableClock(start)
    const limits = createLimits(clock)
    expect(limits.take('key', 2, MINUTE)).toBe(true)
    clock.advance(40_000)
    expect(limits.take('key', 2, MINUTE)).toBe(true)
    expect(limits.take('key', 2, MINUTE)).toBe(false)
    clock.advance(20_000)
    expect(limits.take('key', 2, MINUTE)).toBe(true)
    expect(limits.take('key', 2, MINUTE)).toBe(false)
  })

  it('last for their window when they are large', () => {
    const clock = movableClock(start)
    const limits = createLimits(clock)
    for (let index = 0; index < 10_000; index += 1) expect(limits.take('key', 10_000, MINUTE)).toBe(true)
    expect(limits.take('key', 10_000, MINUTE)).toBe(false)
    clock.advance(MINUTE)
    expect(limits.take('key', 10_000, MINUTE)).toBe(true)
  })

  it('begin anew when the clock is set back', () => {
    const clock = movableClock(start)
    const limits = createLimits(clock)
    limits.take('key', 1, MINUTE)
    clock.advance(-3_600_000)
    expect(limits.take('key', 1, MINUTE)).toBe(true)
  })

  it('count days and months as China does', () => {
    const clock = movableClock(start)
    const limits = createLimits(clock)
    expect(limits.takeToday('key', 1)).toBe(true)
    expect(limits.takeToday('key', 1)).toBe(false)
    expect(chinaMonth(clock.now())).toEqual({ month: '2026-02', days: 28 })
    clock.advance(MINUTE)
    expect(limits.takeToday('key', 1)).toBe(true)
    expect(chinaMonth(clock.now())).toEqual({ month: '2026-03', days: 31 })
    expect(chinaMonth(new Date('2028-02-10T00:00:00Z')).days).toBe(29)
  })

  it('can be switched while it runs', async () => {
    const { sim, wecom } = await simulate({ limits: { memberFrequency: false } })
    const person = sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
    const send = (content: string) =>
      wecom('message/send', { touser: 'LiMing', agentid: 1000002, msgtype: 'text', text: { content } })
    for (let index = 0; index < 31; index += 1) await send(`第${index}条`)
    expect(sim.inbox(person.id)).toHaveLength(31)
    sim.limits.set('memberFrequency', true)
    for (let index = 0; index < 31; index += 1) await send(`又${index}条`)
    expect(sim.inbox(person.id)).toHaveLength(61)
    sim.limits.set('contentSize', false)
    sim.limits.set('memberFrequency', false)
    await send('团'.repeat(800))
    expect(sim.inbox(person.id).at(-1)?.text).toHaveLength(800)
  })
})
