/**
 * What the effects of events need to know of an update. The channels' `Update` is assignable to it (a test checks that,
 * and that no kind is missing); it is not imported, because the domain does not know the platforms' edge.
 */
export type DomainUpdate = EventBase &
  (
    | { kind: 'text' | 'media' | 'tapped' }
    | { kind: 'followed' | 'unfollowed' | 'entered' }
    | { kind: 'place'; how: 'sent' | 'picked' | 'reported' }
    | { kind: 'opened' | 'scanned' | 'pictured' | 'tag' | 'subscription' | 'feedback' | 'unknown' }
    | ({ kind: 'group' } & GroupEvent)
    | ({ kind: 'customer' } & CustomerEvent)
    | ({ kind: 'contact' } & ContactEvent)
    | ({ kind: 'template_result' } & TemplateResult)
    | { kind: 'mass_result'; messageId: string; isSent: boolean; status: string }
    | { kind: 'publish_result'; publishId: string; status: string }
    | { kind: 'authorization_revoked'; openId: string; revoked: string[]; isClosed: boolean }
    | ({ kind: 'job' } & JobResult)
    | ({ kind: 'app_state' } & AppState)
    | { kind: 'corp_change'; event: CorpChange }
  )

export interface EventBase {
  /** The door it came in by. */
  channel: string
  address: string
  /** Whose id `address` is: the `channel` of the identity. */
  addressSpace: string
  /** When it happened, in whole seconds of the platform's clock. */
  at: Date
}

/** A change in a customer group. @see server/domain/groups/note-event.ts */
export interface GroupEvent {
  at: Date
  change: string
  chatId: string
  /** The member list's version before and after; empty where the platform gives none. */
  lastVersion: string
  version: string
}

export interface CustomerEvent {
  at: Date
  change: string
  customerId: string
  welcomeCode: string | null
  reason: string | null
}

export interface ContactEvent {
  at: Date
  change: string
  id: string
  newUserId: string | null
}

export interface TemplateResult {
  addressSpace: string
  address: string
  messageId: string
  result: 'delivered' | 'blocked' | 'failed'
}

export interface JobResult {
  job: string
  errcode: string
}

export interface AppState {
  at: Date
  state:
    | 'inactive_alert'
    | 'closed_inactive'
    | 'reopened'
    | 'low_active_alert'
    | 'low_active'
    | 'active_restored'
  effectAt: Date | null
}

export type CorpChange = 'open_approval_change' | 'share_chain_change' | 'change_chain'
