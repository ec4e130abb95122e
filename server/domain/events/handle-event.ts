import type { DomainRuntime } from '../../runtime.ts'
import { noteGroupEvent } from '../groups/note-event.ts'
import { revokeAuthorization } from '../identities/revoke.ts'
import { noteEntered, noteFollowed, noteHidden, noteUnfollowed } from './accounts.ts'
import { noteAppState, noteCorpChange, noteJob } from './alarms.ts'
import { noteContactChange } from './contacts.ts'
import { noteCustomerChange } from './customers.ts'
import { noteMassResult, notePublishResult, noteTemplateResult } from './results.ts'
import type { DomainUpdate } from './types.ts'

/**
 * Does what follows from an update without anybody being answered. Runs within the update's transaction; every effect may
 * be asked for twice, late or out of order and ends in the same state.
 * @returns false: somebody said or did something, and the bot answers it
 */
export async function handleEvent(rt: DomainRuntime, update: DomainUpdate): Promise<boolean> {
  const isForBot = await takeEffect(rt, update)
  // what the platform itself says has no sender whom the bot could answer
  return !isForBot || update.address === 'sys'
}

/** @returns whether the bot is to answer */
async function takeEffect(rt: DomainRuntime, update: DomainUpdate): Promise<boolean> {
  switch (update.kind) {
    case 'text':
    case 'media':
    case 'tapped':
      return true
    case 'place':
      // one that is picked through the menu appears in the chat as sent, and comes again as that; a reported one was sent
      // by nobody
      return update.how === 'sent'
    case 'followed':
      return noteFollowed(rt, update)
    case 'entered':
      return noteEntered(rt, update)
    case 'unfollowed':
      await (update.addressSpace === 'wecom' ? noteHidden(rt, update) : noteUnfollowed(rt, update))
      return false
    case 'group':
      await noteGroupEvent(rt, update)
      return false
    case 'customer':
      await noteCustomerChange(rt, update)
      return false
    case 'contact':
      await noteContactChange(rt, update)
      return false
    case 'authorization_revoked':
      await revokeAuthorization(rt, { ...update, channel: update.addressSpace })
      if (update.isClosed) await noteUnfollowed(rt, { ...update, address: update.openId })
      return false
    case 'template_result':
      await noteTemplateResult(rt, update)
      return false
    case 'mass_result':
      noteMassResult(rt, update)
      return false
    case 'publish_result':
      notePublishResult(rt, update)
      return false
    case 'job':
      await noteJob(rt, update)
      return false
    case 'app_state':
      await noteAppState(rt, update)
      return false
    case 'corp_change':
      await noteCorpChange(rt, update.event)
      return false
    // kept as updates; nothing follows. A judgement of the robot (feedback) is held against nobody, and consent to
    // subscription messages is asked of the platform when one is sent
    case 'opened':
    case 'scanned':
    case 'pictured':
    case 'tag':
    case 'subscription':
    case 'feedback':
    case 'unknown':
      return false
    default:
      return update satisfies never
  }
}
