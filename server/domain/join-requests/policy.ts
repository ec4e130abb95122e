import policy from '../../../templates/policies/join-requests.json' with { type: 'json' }
import type { Reason } from './types.ts'

type Mark = Exclude<keyof typeof policy.marks, 'note' | 'source'>

const compiled = new Map<Mark, RegExp>()
for (const [mark, patterns] of Object.entries(policy.marks)) {
  if (Array.isArray(patterns))
    compiled.set(mark as Mark, new RegExp(patterns.map(p => `(?:${p})`).join('|'), 'iu'))
}

/** Whether `text`, cleaned, carries one of the policy's marks (`templates/policies/join-requests.json` `marks`). */
export function hasMark(mark: Mark, text: string): boolean {
  return compiled.get(mark)?.test(text) ?? false
}

/** The reason class in Chinese, for officers. */
export function reasonLabel(reason: Reason): string {
  return policy.reasons[reason].label
}

/**
 * What the applicant is told. A refusal helps an honest person to ask again and tells an impostor nothing about anybody:
 * the words depend on the reason class alone, never on which field was wrong. Whether a phone or a name is on the
 * roster makes no difference either (`identity_mismatch` and `not_on_roster`, `insufficient` and `ambiguous` have one
 * wording each); only a proven identity hears of its service, its group or its membership.
 */
export function messageToApplicant(reason: Reason): string {
  return policy.reasons[reason].toApplicant
}
