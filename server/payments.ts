/*
 * Payments by WeChat Pay as plain data: what the domain decides about and the channel carries out.
 */

/**
 * Where a bill is with WeChat Pay: taken, being prepared (the balance may be short), waiting for the receiver's tap, under
 * way; then `paid`, `failed` or `cancelled` for good.
 */
export type PayState =
  | 'accepted'
  | 'processing'
  | 'waiting'
  | 'transferring'
  | 'cancelling'
  | 'paid'
  | 'failed'
  | 'cancelled'

/** All that one payment says, fixed when it is approved: sent again it is the same in every character. */
export interface BillOrder {
  appId: string
  /** The merchant's own number, by which it is paid once at most: 1–32 letters and digits. */
  number: string
  openId: string
  /** The receiver's real name, sent encrypted. */
  name: string
  fen: number
  /** At most 32 characters. */
  remark: string
  /** https, without a query. */
  notifyUrl: string
  sceneId: string
  perception: string
  reports: readonly { type: string; content: string }[]
}

/** What the platform says of a bill. */
export interface BillNews {
  number: string
  /** The platform's number; null where it gives none. */
  platformNumber: string | null
  state: PayState
  /** The platform's word, such as OVERDUE_CLOSE. */
  failReason: string | null
  /** What the receiver's page hands to WeChat while the bill waits for them. */
  packageInfo: string | null
  /** null where this answer does not say. */
  fen: number | null
  openId: string | null
}
