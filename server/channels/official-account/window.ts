/** What opens the customer-service window (客服消息时窗) of a follower. */
export type WindowTrigger = 'message' | 'menu' | 'subscribe' | 'scan'

/** Until when, and how many more, customer-service messages may be sent. */
export interface Window {
  endsAt: Date
  left: number
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** @see https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage.html */
export const windowRules: Record<WindowTrigger, { messages: number; lastsMs: number }> = {
  message: { messages: 5, lastsMs: 48 * HOUR_MS },
  menu: { messages: 3, lastsMs: MINUTE_MS },
  subscribe: { messages: 3, lastsMs: MINUTE_MS },
  scan: { messages: 3, lastsMs: MINUTE_MS },
}

/**
 * The window after something that the follower did.
 *
 * One that is open, lasts longer and has messages left stays as it is: how the platform adds up two is not documented, and
 * to believe in less than there is costs a template message, in more a refusal. One that is used up hides no other.
 */
export function windowAfter(trigger: WindowTrigger, now: Date, current: Window | null): Window {
  const { messages, lastsMs } = windowRules[trigger]
  const endsAt = new Date(now.getTime() + lastsMs)
  return current && mayStillSend(current, now) && current.endsAt > endsAt
    ? current
    : { endsAt, left: messages }
}

/** Whether a customer-service message may be sent now. */
export function mayStillSend(window: Window | null, now: Date): boolean {
  return window !== null && window.left > 0 && window.endsAt > now
}
