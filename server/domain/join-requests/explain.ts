import type { ComparedPerson, FactorMatch } from './identity.ts'
import { reasonLabel } from './policy.ts'
import type { Decision, Reason } from './types.ts'

/** How a name agrees with the roster's, in words. */
export const NAME_WORDS: Record<ComparedPerson['name']['match'], string> = {
  exact: '姓名与名册一致',
  sound: '姓名与名册同音不同字',
  near: '姓名与名册相近但不相同',
  mentioned: '名册姓名在文中出现但不像申请人自称',
  absent: '姓名与名册不同',
}

/** How a number agrees with the roster's, in words. */
export const FACTOR_WORDS: Record<Exclude<FactorMatch, 'absent'>, string> = {
  right: '一致',
  near: '只差一位',
  wrong: '不一致',
}

const DECISION_WORDS: Record<Decision, string> = {
  approved: '予以通过',
  rejected: '不予通过',
  referred: '转人工审核',
}

/** Which fields of the request agree with this person's roster row, in Chinese. */
export function describeMatch(person: ComparedPerson): string {
  const parts = [NAME_WORDS[person.name.match]]
  if (person.phone !== 'absent') parts.push(`手机号${FACTOR_WORDS[person.phone]}`)
  if (person.idNumber !== 'absent') parts.push(`身份证号${FACTOR_WORDS[person.idNumber]}`)
  if (person.idTail !== 'absent') parts.push(`身份证号后六位${FACTOR_WORDS[person.idTail]}`)
  if (person.isContradicted) parts.push('所写的尾号与名册不符')
  return parts.join('，')
}

/** One sentence for the reviewer. It names fields and never their contents. */
export function explain(
  decision: Decision,
  reason: Reason,
  why: string,
  person: ComparedPerson | null,
): string {
  const match = person ? `${describeMatch(person)}；` : ''
  return `${match}${why}，${DECISION_WORDS[decision]}（${reasonLabel(reason)}）。`
}
