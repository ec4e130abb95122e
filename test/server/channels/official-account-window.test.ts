import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createServiceWindows } from '../../../scripts/simulator/service-window.ts'
import {
  mayStillSend,
  type Window,
  type WindowTrigger,
  windowAfter,
} from '../../../server/channels/official-account/window.ts'
import { movableClock } from '../../../server/clock.ts'

const now = new Date('2026-03-05T10:00:00+08:00')
const inMinutes = (minutes: number, left: number): Window => ({
  endsAt: new Date(now.getTime() + minutes * 60_000),
  left,
})
const twoDays = 48 * 60

describe('the customer-service window', () => {
  test.each<[string, WindowTrigger, Window | null, Window]>([
    ['a message opens five in 48 hours', 'message', null, inMinutes(twoDays, 5)],
    ['a menu click three in a minute', 'menu', null, inMinutes(1, 3)],
    ['following three in a minute', 'subscribe', null, inMinutes(1, 3)],
    ['a scan three in a minute', 'scan', null, inMinutes(1, 3)],
    ['a message replaces what is left', 'message', inMinutes(600, 1), inMinutes(twoDays, 5)],
    ['a click takes nothing from a message', 'menu', inMinutes(600, 1), inMinutes(600, 1)],
    ['a click helps when the messages are used up', 'menu', inMinutes(600, 0), inMinutes(1, 3)],
    ['a closed window does not count', 'scan', inMinutes(-1, 5), inMinutes(1, 3)],
    ['one that ends within the minute is replaced', 'menu', inMinutes(0.5, 5), inMinutes(1, 3)],
  ])('%s', (_what, trigger, current, expected) => {
    expect(windowAfter(trigger, now, current)).toEqual(expected)
  })

  test.each<[string, Window | null, boolean]>([
    ['nobody has written', null, false],
    ['open', inMinutes(1, 1), true],
    ['used up', inMinutes(1, 0), false],
    ['at its end', inMinutes(0, 5), false],
  ])('may be used when: %s', (_what, window, expected) => {
    expect(mayStillSend(window, now)).toBe(expected)
  })

  test('never promises a message that the platform would refuse', () => {
    const act = fc.oneof(
      fc.record({ trigger: fc.constantFrom<WindowTrigger>('message', 'menu', 'subscribe', 'scan') }),
      fc.record({ waitMs: fc.integer({ min: 1000, max: 20 * 3_600_000 }) }),
      fc.record({ waitMs: fc.integer({ min: 1000, max: 70_000 }) }),
      fc.constant({ send: true }),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), acts => {
        const clock = movableClock(now)
        const platform = createServiceWindows({
          clock,
          options: { clock },
          limits: {
            has: () => true,
            set: () => {},
            take: () => true,
            takeToday: () => true,
            usedToday: () => 0,
          },
        })
        let window = null as Window | null
        for (const one of acts) {
          if ('trigger' in one) {
            platform.open('o', one.trigger)
            window = windowAfter(one.trigger, clock.now(), window)
          } else if ('waitMs' in one) clock.advance(one.waitMs)
          else if (window && mayStillSend(window, clock.now())) {
            platform.use('o')
            window = { ...window, left: window.left - 1 }
          }
        }
      }),
    )
  })
})
