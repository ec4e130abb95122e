import type { BillNews, BillOrder, PayState } from '../../payments.ts'
import { ChannelError, type ChannelErrorCode } from '../errors.ts'

/** 商家转账 in one of its two forms. */
export interface PayPort {
  appId: string
  mchId: string
  /** Whether the receiver must confirm each bill within 24 hours. */
  needsConfirmation: boolean
  /** Sends a bill, or the same again. @throws PayRefusal, ChannelError `unreachable` when in doubt */
  pay(order: BillOrder): Promise<BillNews>
  /** @returns null: the platform does not know it (yet) */
  find(number: string): Promise<BillNews | null>
  /** @throws PayRefusal when it is too late, or this interface cannot */
  cancel(number: string): Promise<PayState>
}

/** WeChat Pay said no, in a signed answer or with a plain HTTP code: nothing has come of this request. */
export class PayRefusal extends ChannelError {
  /** WeChat Pay's own word, such as NOT_FOUND. */
  readonly word: string
  constructor(reason: ChannelErrorCode, word: string) {
    super(reason, `微信支付拒绝（${word}）`)
    this.word = word
  }
}
