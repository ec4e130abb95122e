/** How many more notices of one template a person has agreed to; Infinity for a long-term one (长期订阅). */
export type Consent = number

/** What the updates `subscription` say of one template: `accept` and `reject`, or that one was sent. */
export type ConsentEvent = 'accept' | 'reject' | 'sent'

/**
 * The consent that is left after an event. Each agreement to a one-off template lets one notice through and adds up with
 * those before; refusing in the account's settings takes all of them back; a refusal in the pop-up does not.
 * @see https://developers.weixin.qq.com/doc/service/guide/product/subscription_messages/intro.html
 */
export function consentAfter(
  current: Consent,
  event: ConsentEvent,
  template: { isLongTerm: boolean; askedBy: 'popup' | 'settings' },
): Consent {
  switch (event) {
    case 'accept':
      return template.isLongTerm ? Number.POSITIVE_INFINITY : current + 1
    case 'reject':
      return template.askedBy === 'settings' ? 0 : current
    case 'sent':
      return Math.max(0, current - 1)
  }
}
