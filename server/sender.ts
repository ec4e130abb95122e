import type { AccountKey, OpenedWindow } from '../db/queries/senders.ts'
import type { Update } from './channels/channel.ts'
import { type WindowTrigger, windowAfter } from './channels/official-account/window.ts'

/** The account that an update comes from. A chat robot's users may be the members that the app knows. */
export function accountOf(update: Update): AccountKey {
  return { channel: update.addressSpace, address: update.address }
}

/** The customer-service window that an update opens; null where the channel knows none. */
export function openedBy(update: Update, now: Date): OpenedWindow | null {
  if (update.channel !== 'official-account') return null
  const trigger = triggerOf(update)
  return trigger && windowAfter(trigger, now, null)
}

function triggerOf(update: Update): WindowTrigger | null {
  switch (update.kind) {
    case 'text':
    case 'media':
      return 'message'
    case 'place':
      return update.how === 'sent' ? 'message' : null
    case 'tapped':
      return 'menu'
    case 'followed':
      return update.isScan ? 'scan' : 'subscribe'
    default:
      return null
  }
}
