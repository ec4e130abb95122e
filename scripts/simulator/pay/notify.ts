import type { Core } from '../core.ts'
import { HOUR, MINUTE } from '../limits.ts'
import type { Push } from '../push.ts'
import { sealResource } from './keys.ts'
import { type Merchant, payTime } from './merchant.ts'
import { signedHeads } from './signing.ts'

const SECOND = 1000
/** Waits between the tries of one notification, on the clock: about 24 hours in all. */
export const LADDER = [
  15 * SECOND,
  15 * SECOND,
  30 * SECOND,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
]

export interface NotificationInput {
  merchant: Merchant
  url: string
  /** For example MCHTRANSFER.BILL.FINISHED. */
  event: string
  summary: string
  /** `original_type` and the associated data. */
  type: string
  plain: object
}

interface Notification {
  input: NotificationInput
  body: string
  tries: number
  dueAt: number
}

export interface Notifier {
  add(input: NotificationInput): void
  /** Sends what is due by the clock, one try each. */
  sendDue(): Promise<void>
  waiting(): { event: string; tries: number; dueAt: Date }[]
  /** Sends one body with a probe's signature. @returns whether it was refused, as it must be. */
  probe(input: NotificationInput): Promise<boolean>
}

/** Notifications: encrypted for the merchant, signed by the platform, tried until the server takes them. */
export function createNotifier(core: Core, push: Push): Notifier {
  let waiting: Notification[] = []
  const now = () => core.clock.now().getTime()
  const labelOf = (input: NotificationInput) => `pay/notify/${input.event}`

  function bodyOf({ merchant, event, summary, type, plain }: NotificationInput): string {
    const { ciphertext, associated_data, nonce, algorithm } = sealResource(
      merchant.settings.apiV3Key,
      JSON.stringify(plain),
      type,
    )
    return JSON.stringify({
      id: `EV-${core.ids.letters(32)}`,
      create_time: payTime(now()),
      resource_type: 'encrypt-resource',
      event_type: event,
      summary,
      resource: { original_type: type, algorithm, ciphertext, associated_data, nonce },
    })
  }

  /** One exchange. @returns whether the answer was 200 or 204. */
  async function send(notification: Notification, isProbe: boolean): Promise<boolean> {
    const { input, body, tries } = notification
    const began = performance.now()
    let status: number | string
    try {
      const headers = {
        'content-type': 'application/json',
        ...signedHeads(core, input.merchant, body, isProbe),
      }
      const url = reachable(input.merchant, input.url)
      const answer = await push.request(url, { headers, body }, core.options.callbackTimeoutMs ?? 5000)
      status = answer.status
    } catch (error) {
      status = error instanceof Error ? error.message : 'failed'
    }
    core.log.add('callback', {
      which: 'pay',
      label: labelOf(input),
      try: tries,
      status,
      ms: Math.round(performance.now() - began),
      ...(isProbe ? { probe: true } : {}),
    })
    return status === 200 || status === 204
  }

  async function probe(notification: Notification): Promise<boolean> {
    const taken = await send(notification, true)
    if (taken)
      core.log.add('error', {
        where: labelOf(notification.input),
        message: 'the server took a SIGNTEST probe',
      })
    return !taken
  }

  async function attempt(notification: Notification): Promise<void> {
    const label = labelOf(notification.input)
    notification.tries += 1
    let isTaken = false
    if (core.faults.strikes('pay-sign-test', label)) await probe(notification)
    await push.underFaults('pay', label, async () => {
      isTaken = (await send(notification, false)) || isTaken
    })
    if (isTaken || push.stopped) return
    const wait = LADDER[notification.tries - 1]
    if (wait === undefined) {
      core.log.add('callback_lost', { which: 'pay', label })
      return
    }
    notification.dueAt = now() + wait
    waiting.push(notification)
  }

  return {
    add(input) {
      waiting.push({ input, body: bodyOf(input), tries: 0, dueAt: now() })
    },
    async sendDue() {
      const due = waiting.filter(notification => notification.dueAt <= now())
      waiting = waiting.filter(notification => !due.includes(notification))
      await Promise.all(due.map(attempt))
    },
    waiting: () =>
      waiting.map(({ input, tries, dueAt }) => ({ event: input.event, tries, dueAt: new Date(dueAt) })),
    probe: input => probe({ input, body: bodyOf(input), tries: 1, dueAt: now() }),
  }
}

/** Where an address lies in the simulator's world: `reach` stands for DNS and TLS. */
function reachable({ settings }: Merchant, address: string): URL {
  const url = new URL(address)
  const instead = settings.reach?.[url.origin]
  return instead === undefined ? url : new URL(`${url.pathname}`, instead)
}
