/** One configured platform account (渠道): a WeCom app, an Official Account, or a WeCom chat robot (智能机器人). */
export type ChannelName = 'wecom' | 'official-account' | 'aibot'

/** What every update has. */
export interface UpdateBase {
  /** The door it came in by. */
  channel: ChannelName
  /** Two callbacks with the same key are the same update: the platform's message id, or a hash of the decrypted body. */
  dedupeKey: string
  /**
   * The platform account that wrote or acted; `sys` for what the platform itself says. Whose id it is says `addressSpace`.
   */
  address: string
  /** Whose id `address` is: a chat robot's users may be the same members as the app's. */
  addressSpace: ChannelName
  /** Our own id on the platform, which a passive reply names as its sender; empty where the platform gives none. */
  recipient: string
  /** When the platform says it happened; when it arrived where it does not say. */
  at: Date
  /** Lets one answer through afterwards, within the hour (智能机器人). As good as a password. */
  responseUrl?: string
}

/** One inbound thing: a message or an event (消息与事件). */
export type Update = UpdateBase &
  (
    | TextUpdate
    | MediaUpdate
    | PlaceUpdate
    | FollowedUpdate
    | { kind: 'unfollowed' }
    /** Opened the app, or a chat with the robot. */
    | { kind: 'entered' }
    | TappedUpdate
    /** Opened a menu entry that is a link (`view`) or a mini-program. */
    | { kind: 'opened'; target: string }
    /** Used a menu entry that scans a code; `scanType` is `qrcode` or `barcode`. */
    | { kind: 'scanned'; key: string; scanType: string; result: string }
    /** Took pictures through a menu entry. They follow as messages of their own. */
    | { kind: 'pictured'; key: string; count: number }
    | GroupUpdate
    | CustomerUpdate
    | TagUpdate
    | ContactUpdate
    /** An asynchronous job of ours is done: `batch_job_result`, `upload_media_job_finish`. */
    | { kind: 'job'; job: string; jobId: string; errcode: string; message: string }
    /** The platform warns that it may switch the app off, or has. Operators must act. */
    | {
        kind: 'app_state'
        state:
          | 'inactive_alert'
          | 'closed_inactive'
          | 'reopened'
          | 'low_active_alert'
          | 'low_active'
          | 'active_restored'
        effectAt: Date | null
      }
    /** An approval, or the sharing of the app with other corps, has changed. `event` is the platform's name of it. */
    | { kind: 'corp_change'; event: 'open_approval_change' | 'share_chain_change' | 'change_chain' }
    /** What became of a template message. */
    | {
        kind: 'template_result'
        messageId: string
        result: 'delivered' | 'blocked' | 'failed'
        reason: string
      }
    /** What became of a mass message. */
    | MassResultUpdate
    /** What became of a publication (FREEPUBLISHJOBFINISH). */
    | { kind: 'publish_result'; publishId: string; status: string; articleId: string | null }
    | SubscriptionUpdate
    /** Somebody took back an authorisation: what it gave must be deleted. `revoked` are the platform's codes. */
    | {
        kind: 'authorization_revoked'
        openId: string
        revoked: string[]
        /** They closed their account on the platform: nothing of it is left to be bound. */
        isClosed: boolean
      }
    /** A user's judgement of one answer of the robot. Never acted on against anybody. */
    | { kind: 'feedback'; feedbackId: string; rating: string; reasons: string[]; text: string }
    /** Anything else: stored with its decrypted body, acknowledged, not acted on. */
    | { kind: 'unknown'; name: string; body: string }
  )

export interface TextUpdate {
  kind: 'text'
  text: string
  /** Said in a group that the robot is in: everybody there reads the answer. */
  isPublic?: boolean
  /** Id of the internal group it was said in. */
  chatId?: string
}

/** A picture, voice, file, link … */
export interface MediaUpdate {
  kind: 'media'
  /** `image`, `voice`, `video`, `shortvideo`, `file`, `link`, `mixed`. */
  mediaType: string
  mediaId: string | null
  /** Where it can be fetched from, while the platform keeps it. */
  url: string | null
  /** Words where the platform gives any: recognised voice, a link's title. */
  text: string
  isPublic?: boolean
  chatId?: string
}

/** A place: sent as a message, picked through a menu entry, or reported by the client by itself (`reported`). */
export interface PlaceUpdate {
  kind: 'place'
  how: 'sent' | 'picked' | 'reported'
  latitude: string
  longitude: string
  /** Scale of a sent place, precision in metres of a reported one; empty where none is given. */
  detail: string
  label: string
}

/** Somebody began to follow the account or got the app; `scene` from a QR code of ours. */
export interface FollowedUpdate {
  kind: 'followed'
  scene: string | null
  /** Followed before and scanned the code again. */
  isScan: boolean
}

/** A menu entry or a card's button; `key` is ours and holds a command as a person would type it. */
export interface TappedUpdate {
  kind: 'tapped'
  key: string
  /** Lets one update of the card through, for 72 hours. */
  responseCode: string | null
  taskId: string | null
  cardType: string | null
  /** What was chosen in a card's lists. */
  selected: { question: string; options: string[] }[]
  /** Tapped in a group. */
  isPublic?: boolean
  chatId?: string
}

export type GroupChange =
  | 'created'
  | 'dismissed'
  | 'joined'
  | 'left'
  | 'owner_changed'
  | 'renamed'
  | 'notice_changed'
  | 'other'

/** Something changed in a customer group. Only the occasion to read it: events come late, twice, or never. */
export interface GroupUpdate {
  kind: 'group'
  change: GroupChange
  chatId: string
  /** Who joined or left, where the platform says. */
  addresses: string[]
  /** How many, as the platform counts; null where it does not say. */
  count: number | null
  /** `invited` (0), `scanned` (3); the official sample shows 1: anything else is null. */
  joinScene: 'invited' | 'scanned' | null
  quitScene: 'left' | 'removed' | null
  /** The member list's version before and after; empty where none is given. */
  lastVersion: string
  version: string
}

/** A staff member and a customer became acquainted, or no longer are. */
export interface CustomerUpdate {
  kind: 'customer'
  change:
    | 'added'
    | 'half_added'
    | 'edited'
    | 'removed_by_staff'
    | 'removed_by_customer'
    | 'transfer_failed'
    | 'archive_agreed'
    | 'other'
  userId: string
  customerId: string
  state: string | null
  /** Lets one welcome message through within 20 seconds. */
  welcomeCode: string | null
  /** Why, for `transfer_failed`; the source, for `removed_by_staff`. */
  reason: string | null
}

export interface TagUpdate {
  kind: 'tag'
  change: 'created' | 'updated' | 'deleted' | 'shuffled' | 'other'
  tagId: string
  isGroup: boolean
  strategyId: string | null
}

/** The corp's own address book changed. */
export interface ContactUpdate {
  kind: 'contact'
  change:
    | 'user_created'
    | 'user_updated'
    | 'user_deleted'
    | 'department_created'
    | 'department_updated'
    | 'department_deleted'
    | 'tag_updated'
    | 'other'
  /** The member, department or tag it is about. */
  id: string
  /** A member's new userid, where it changed. */
  newUserId: string | null
  /** The other fields as the platform sends them, lists as comma strings. */
  details: Record<string, string>
}

export interface MassResultUpdate {
  kind: 'mass_result'
  messageId: string
  /** `err(NNNNN)` and `send fail` are failures. */
  isSent: boolean
  status: string
  total: number
  filtered: number
  sent: number
  failed: number
}

/** Consent to subscription messages was given, changed, or used up by one that was sent. */
export interface SubscriptionUpdate {
  kind: 'subscription'
  event: 'popup' | 'changed' | 'sent'
  items: {
    templateId: string
    /** `accept` or `reject`, for `popup` and `changed`. */
    status: string
    /** For `sent`. */
    messageId: string
    errorCode: string
    errorStatus: string
  }[]
}
