import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/client.ts'
import { countsOf, deleteOldSlots, takeCalls } from '../../db/queries/limits.ts'
import { callBlocks, dailyCounts, pacing } from '../../db/schema/index.ts'
import { movableClock } from '../../server/clock.ts'
import type { Config } from '../../server/config.ts'
import {
  intervalMs,
  type LimitedCall,
  MustWait,
  paces,
  takeMassPlaces,
  takePlace,
  windows,
} from '../../server/limits.ts'
import { cloneDatabase } from '../support/database.ts'

const NOON = new Date('2026-09-07T12:00:00+08:00')

let database: Database
beforeAll(async () => {
  database = connectDatabase(await cloneDatabase(), 10)
})
beforeEach(async () => {
  await database.db.delete(pacing)
  await database.db.delete(dailyCounts)
  await database.db.delete(callBlocks)
})
afterAll(() => database.close())

function openLimits(accountCap = 200) {
  const { db } = database
  const clock = movableClock(NOON)
  const rt = { db, clock, config: { wecom: { accountCap } } as Config }
  return {
    ...rt,
    rt,
    /** When to come back; null when there was a place. */
    async take(call: LimitedCall, isUrgent = false): Promise<MustWait | null> {
      try {
        await takePlace(rt, call, isUrgent)
        return null
      } catch (error) {
        if (error instanceof MustWait) return error
        throw error
      }
    },
    /** How many of `tries` find a place now. */
    async burst(call: LimitedCall, tries: number, isUrgent = false): Promise<number> {
      let taken = 0
      for (let index = 0; index < tries; index++) if (!(await this.take(call, isUrgent))) taken++
      return taken
    },
  }
}

const zhang: LimitedCall = { to: 'member', userId: 'zhangsan' }
const li: LimitedCall = { to: 'member', userId: 'lisi' }

/** The most of `moments` (ms, ascending) within any span of `span` ms, both ends counted. */
function mostWithin(moments: number[], span: number): number {
  let from = 0
  return moments.reduce((most, moment, index) => {
    while ((moments[from] as number) < moment - span) from++
    return Math.max(most, index - from + 1)
  }, 0)
}

describe('how fast we may be', () => {
  test.each(Object.entries(paces))(
    '%s: the burst and the even rate stay below the limit together',
    (_name, pace) => {
      const { count, seconds, burst, reserve } = pace
      // fifteen seconds more: calls under way, clocks that differ
      expect(burst + ((seconds + 15) * 1000) / intervalMs(pace)).toBeLessThanOrEqual(count)
      expect(reserve).toBeLessThan(burst)
    },
  )

  test('a person gets a burst, then the moment to come back, which is the right one', async () => {
    const limits = openLimits()
    const { burst, reserve } = paces['wecom.member.minute']
    expect(await limits.burst(zhang, 30)).toBe(burst - reserve)
    const wait = await limits.take(zhang)
    expect(wait).toMatchObject({ limit: 'wecom.member.minute', isQuota: false })
    limits.clock.set(new Date((wait?.until.getTime() as number) - 1))
    expect(await limits.take(zhang)).not.toBeNull()
    limits.clock.set(wait?.until as Date)
    expect(await limits.take(zhang)).toBeNull()
    expect(await limits.take(zhang)).not.toBeNull()
  })

  test('what is urgent finds places when nothing else does', async () => {
    const limits = openLimits()
    expect(await limits.burst(zhang, 30)).toBe(15)
    expect(await limits.burst(zhang, 30, true)).toBe(5)
    expect(await limits.take(zhang, true)).toMatchObject({ limit: 'wecom.member.minute' })
  })

  test('one person’s messages do not slow down another’s; case does not make another person', async () => {
    const limits = openLimits()
    expect(await limits.burst(zhang, 30)).toBe(15)
    expect(await limits.burst(li, 30)).toBe(15)
    expect(await limits.take({ to: 'member', userId: 'ZhangSan' })).not.toBeNull()
  })

  test('several limits of one call are taken together or not at all', async () => {
    const limits = openLimits()
    await limits.burst(zhang, 15)
    const before = await limits.db.select().from(pacing).orderBy(pacing.key)
    expect(before.map(row => row.key)).toEqual(['wecom.member.hour:zhangsan', 'wecom.member.minute:zhangsan'])
    expect(await limits.burst(zhang, 5)).toBe(0)
    expect(await limits.db.select().from(pacing).orderBy(pacing.key)).toEqual(before)
    expect(await countsOf(limits.db, ['2026-09-07'])).toMatchObject([{ key: 'wecom.app.day', count: 15 }])
  })

  test('many processes at once take no more than one would', async () => {
    const limits = openLimits()
    const calls = Array.from({ length: 60 }, (_, index) => (index % 2 ? zhang : li))
    const waits = await Promise.all(calls.map(call => limits.take(call, true)))
    expect(waits.filter(wait => wait === null)).toHaveLength(40)
  })

  test('nor where nothing was ever taken before', async () => {
    const limits = openLimits()
    for (let round = 0; round < 10; round++) {
      const call: LimitedCall = { to: 'robot', key: `key ${round}` }
      const waits = await Promise.all(Array.from({ length: 30 }, () => limits.take(call)))
      expect(waits.filter(wait => wait === null)).toHaveLength(10)
    }
  })

  test.each<[string, LimitedCall, number]>([
    ['a robot', { to: 'robot', key: '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa' }, 10],
    ['an app’s groups', { to: 'appchat', size: 3 }, 100],
    ['an app’s large groups', { to: 'appchat', size: 2000 }, 5],
  ])('%s', async (_name, call, expected) => {
    const limits = openLimits()
    expect(await limits.burst(call, expected + 5)).toBe(expected)
  })

  test('an interface takes nearly all that its minute and its hour allow, and never more', async () => {
    const inMinute = { key: 'minute', lengthMs: 60_000, count: 1000 }
    const inHour = { key: 'hour', lengthMs: 3_600_000, count: 6000 }
    const taken: number[] = []
    let now = NOON
    while (now.getTime() < NOON.getTime() + 2 * 3_600_000) {
      const full = await takeCalls(database.db, '/cgi-bin/message/send', 50, [inMinute, inHour], now)
      if (full) now = full.freeAt
      else taken.push(now.getTime())
    }
    // a block leaves a window at its very end
    expect(mostWithin(taken, inMinute.lengthMs - 1) * 50).toBe(inMinute.count)
    expect(mostWithin(taken, inHour.lengthMs - 1) * 50).toBe(inHour.count)
    expect(taken).toHaveLength((2 * inHour.count) / 50)
  })

  test.each(Object.entries(windows))('%s gives out 95 % of what there is, to anybody', (_name, window) => {
    const { count, slack, reserve } = window
    expect((count - slack - reserve) / count).toBeGreaterThan(0.95 * (60.8 / 60))
  })

  test('a robot’s key is not kept', async () => {
    const limits = openLimits()
    await limits.take({ to: 'robot', key: 'secret-key-of-a-robot' })
    expect(JSON.stringify(await limits.db.select().from(pacing))).not.toContain('secret-key')
  })
})

describe('whenever people are written to', () => {
  /** Gaps between messages in ms: floods, trickles and pauses, as they come. */
  const arrivals = fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 4000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 4000, max: 180_000 }) },
      ),
      fc.boolean(),
    ),
    { minLength: 60, maxLength: 140 },
  )

  test('no 60 seconds hold more than 30 messages to one member, and no hour more than 1000', async () => {
    const limits = openLimits()
    let member = 0
    await fc.assert(
      fc.asyncProperty(arrivals, async pattern => {
        const call: LimitedCall = { to: 'member', userId: `member${member++}` }
        const sent: number[] = []
        for (const [gap, isUrgent] of pattern) {
          limits.clock.advance(gap)
          if (!(await limits.take(call, isUrgent))) sent.push(limits.clock.now().getTime())
        }
        expect(mostWithin(sent, 60_000)).toBeLessThanOrEqual(30)
        expect(mostWithin(sent, 75_000)).toBeLessThanOrEqual(30)
        expect(mostWithin(sent, 3_600_000)).toBeLessThanOrEqual(1000)
      }),
      { numRuns: 12 },
    )
  })

  test('somebody who is written to without a pause is written to as often as may be', async () => {
    const limits = openLimits()
    const sent: number[] = []
    while (limits.clock.now().getTime() < NOON.getTime() + 10 * 60_000) {
      const wait = await limits.take(zhang, true)
      if (wait) limits.clock.set(wait.until)
      else sent.push(limits.clock.now().getTime())
    }
    expect(mostWithin(sent, 60_000)).toBe(20 + 8)
    expect(mostWithin(sent, 75_000)).toBe(30)
    expect(sent.length).toBe(20 + 79)
  })
})

describe('what a day or a month allows', () => {
  test('the app’s day ends at midnight in China, and is for all members together', async () => {
    const limits = openLimits(1)
    const members = Array.from(
      { length: 201 },
      (_, index) => ({ to: 'member', userId: `m${index}` }) as const,
    )
    const waits = []
    for (const member of members) waits.push(await limits.take(member))
    expect(waits.filter(wait => wait === null)).toHaveLength(190)
    // the last of it is for who waits for an answer
    expect(await limits.burst({ to: 'member', userId: 'asks' }, 11, true)).toBe(10)
    expect(waits.at(-1)).toMatchObject({
      limit: 'wecom.app.day',
      isQuota: true,
      until: new Date('2026-09-08T00:00:00+08:00'),
    })
    limits.clock.set(new Date('2026-09-08T00:00:00+08:00'))
    expect(await limits.take(zhang)).toBeNull()
  })

  test.each([
    ['2026-09-07', 30],
    ['2026-10-31', 31],
    ['2028-02-29', 29],
  ])('a customer group gets as many mass messages as its month has days (%s)', async (day, days) => {
    const limits = openLimits()
    limits.clock.set(new Date(`${day}T23:30:00+08:00`))
    for (let index = 0; index < days; index++)
      expect(await takeMassPlaces(limits.rt, ['wr1', 'wr2'])).toEqual([])
    expect(await takeMassPlaces(limits.rt, ['wr1', 'wr2', 'wr3'])).toEqual(['wr1', 'wr2'])
    limits.clock.set(new Date(`${day.slice(0, 7)}-28T12:00:00+08:00`))
    limits.clock.advance(4 * 86_400_000)
    expect(await takeMassPlaces(limits.rt, ['wr1', 'wr2', 'wr3'])).toEqual([])
  })

  test.each<[LimitedCall['to'], string, number]>([
    ['official-custom', 'official.custom.day', 500_000],
    ['official-template', 'official.template.day', 100_000],
    ['official-mass', 'official.mass.day', 100],
    ['new-appchat', 'appchat.create.day', 1000],
  ])('%s', async (to, key, count) => {
    const limits = openLimits()
    await limits.db.insert(dailyCounts).values({ key, day: '2026-09-07', count: count - 1 })
    expect(await limits.take({ to } as LimitedCall)).toBeNull()
    expect(await limits.take({ to } as LimitedCall)).toMatchObject({ limit: key, isQuota: true })
  })

  test('what limits nothing any more is deleted', async () => {
    const limits = openLimits()
    await limits.take(zhang)
    await takeMassPlaces(limits.rt, ['wr1'])
    await deleteOldSlots(limits.db, NOON, '2026-09-01')
    expect([await limits.db.select().from(pacing), await limits.db.select().from(dailyCounts)]).toMatchObject(
      [{ length: 2 }, { length: 2 }],
    )
    await deleteOldSlots(limits.db, new Date(NOON.getTime() + 60_000), '2026-09-02')
    expect(await limits.db.select().from(pacing)).toEqual([])
    expect(await limits.db.select().from(dailyCounts)).toMatchObject([{ key: 'wecom.app.day' }])
  })
})
