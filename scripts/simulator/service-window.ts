import { refuse } from './api-error.ts'
import type { Core } from './core.ts'
import { HOUR, MINUTE } from './limits.ts'

export type Trigger = 'message' | 'menu' | 'subscribe' | 'scan'

/** Messages and time that each act of a follower opens. @see developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage */
const OPENS: Record<Trigger, { messages: number; ms: number }> = {
  message: { messages: 5, ms: 48 * HOUR },
  menu: { messages: 3, ms: MINUTE },
  subscribe: { messages: 3, ms: MINUTE },
  scan: { messages: 3, ms: MINUTE },
}

interface Window {
  trigger: Trigger
  expiresAt: number
  remaining: number
}

/** The ledger of 客服消息: what an Official Account may still send to each follower. */
export interface ServiceWindows {
  open(openId: string, trigger: Trigger): void
  /** @throws ApiError 45015 outside every window, 45047 when the open ones are used up. */
  use(openId: string): void
}

export function createServiceWindows(core: Pick<Core, 'clock' | 'limits' | 'options'>): ServiceWindows {
  const ledger = new Map<string, Window[]>()
  const now = () => core.clock.now().getTime()
  const openWindows = (openId: string) =>
    (ledger.get(openId) ?? []).filter(window => window.expiresAt > now())
  return {
    open(openId, trigger) {
      const { ms, ...usual } = OPENS[trigger]
      const messages =
        (trigger === 'message' ? core.options.serviceMessagesPerMessage : undefined) ?? usual.messages
      const others = openWindows(openId).filter(window => window.trigger !== trigger)
      ledger.set(openId, [...others, { trigger, expiresAt: now() + ms, remaining: messages }])
    },
    use(openId) {
      if (!core.limits.has('serviceWindow')) return
      const windows = openWindows(openId)
      if (windows.length === 0) refuse(45015, 'response out of time limit or subscription is canceled')
      const usable = windows.filter(window => window.remaining > 0)
      const first = usable.reduce<Window | undefined>(
        (best, window) => (best && best.expiresAt <= window.expiresAt ? best : window),
        undefined,
      )
      if (!first) refuse(45047, 'out of response count limit')
      first.remaining -= 1
    },
  }
}
