import policy from '../../../templates/policies/privacy.json' with { type: 'json' }

/** A kind of what is known of a person, as an erasure names it. */
export type ErasedKind =
  | 'phone'
  | 'id-number'
  | 'wechat'
  | 'name'
  | 'requests'
  | 'registration'
  | 'accounts'
  | 'messages'
  | 'pictures'
  | 'volunteer'
  | 'import-history'

export interface PrivacyPolicy {
  kinds: readonly { id: string; name: string }[]
  /** What an erasure leaves, and why. */
  kept: readonly { what: string; why: string }[]
  retention: Readonly<Record<'personMonths' | 'requestMonths' | 'excerptMonths' | 'sessionMonths', Figure>>
  unmasking: Readonly<Record<'mostADay' | 'alarmAt', Figure>>
}

interface Figure {
  value: number
  note: string
  source: string
}

/** How long what is kept, who may look how often, and what an erasure takes. */
export const privacyPolicy: PrivacyPolicy = policy

/** What is said of kinds: 手机号、身份证号. */
export function kindWords(kinds: readonly string[]): string {
  return kinds.map(id => privacyPolicy.kinds.find(kind => kind.id === id)?.name ?? id).join('、')
}
