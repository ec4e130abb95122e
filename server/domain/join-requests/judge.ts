import { dayOf } from '../../clock.ts'
import { nameTables } from '../names/name-tables.ts'
import { explain } from './explain.ts'
import { isShortFormOf } from './find-name.ts'
import { type ComparedPerson, comparePeople, factorsOf, hasAllFactorsRight, ownsFactor } from './identity.ts'
import { hasMark } from './policy.ts'
import { serviceState } from './service.ts'
import type { Candidate, ClaimedName, Claims, Decision, JoinRequestText, Judgement, Reason } from './types.ts'

export interface JudgeInput {
  request: JoinRequestText
  claims: Claims
  /** Roster rows found by the look-ups of `lookupKeys`, with how they stand to the group. */
  candidates: Candidate[]
  /** `personKey` of the person to whom `request.senderAccount` belongs on the roster; null when nobody. */
  senderIs: string | null
}

interface Case extends JudgeInput {
  people: ComparedPerson[]
  today: string
}

/**
 * Decides one join request: the first rule that fits. Every request is judged by itself.
 *
 * Nobody gets in on what a whole county knows (a name, a unit); nobody real is turned away for a new number or a slip;
 * every refusal is either proven or has no roster identity behind it, and can be asked again.
 *
 * @source 全国项目办发〔2018〕1号 三.3 (strict auditing of who enters); the rules in order: project assumption
 */
export function judgeJoinRequest(input: JudgeInput): Judgement {
  const people = comparePeople(input.candidates, input.claims)
  const current: Case = { ...input, people, today: dayOf(input.request.at) }
  return (
    judgeWhoAsks(current) ??
    judgeProven(current) ??
    judgeNamedInScope(current) ??
    judgeOwnerOfFactor(current) ??
    judgeUnknown(current)
  )
}

function decide(
  current: Case,
  decision: Decision,
  reason: Reason,
  why: string,
  person: ComparedPerson | null = null,
  row: Candidate | null = null,
): Judgement {
  const likeliest = [...current.people].sort((a, b) => likelihood(b) - likelihood(a))
  const ordered = person ? [person, ...likeliest.filter(other => other !== person)] : likeliest
  const plausible = ordered.filter(other => other === person || likelihood(other) > 0)
  const rows = plausible.flatMap(other => other.rows.map(r => r.id))
  const id = row?.id ?? null
  return {
    decision,
    reason,
    row: id,
    explanation: explain(decision, reason, why, person),
    candidates: id === null ? rows : [id, ...rows.filter(other => other !== id)],
  }
}

function likelihood(person: ComparedPerson): number {
  const name = { exact: 3, sound: 2, near: 1, mentioned: 0, absent: 0 }[person.name.match]
  const factor = factorsOf(person).includes('right') ? 3 : factorsOf(person).includes('near') ? 1 : 0
  return (person.isInScope || factor === 3 ? name : 0) + factor
}

/** The row a decision is about: active before not yet begun before expired before left; in scope before elsewhere. */
function bestRow(person: ComparedPerson, today: string): Candidate {
  const order = { active: 0, not_started: 1, expired: 2, left: 3 }
  const rank = (row: Candidate) => (row.inScope ? 0 : 10) + order[serviceState(row, today)]
  return [...person.rows].sort((a, b) => rank(a) - rank(b))[0] as Candidate
}

/** Rule 1. The account that would be let in must be the person who is checked. */
function judgeWhoAsks(current: Case): Judgement | null {
  const { claims, people } = current
  if (claims.asksForTwo || people.filter(isProven).length > 1) {
    return decide(current, 'referred', 'ambiguous', '一份申请里说到两个人，不能确定是谁入群')
  }
  if (asksForAnother(current) || people.some(person => isProven(person) && person.name.isSpokenFor)) {
    return decide(
      current,
      'referred',
      'identity_mismatch',
      '像是替别人申请，入群的账号与被核对的人可能不是同一人',
      people.find(isProven) ?? null,
    )
  }
  if (
    claims.claimsOffice &&
    !people.some(person => person.name.match === 'exact' && (person.isInScope || ownsFactor(person)))
  ) {
    return decide(current, 'referred', 'not_on_roster', '自称有工作职务，名册上没有对应的人')
  }
  return null
}

/** Words of somebody who asks for another; 排日代 申请入群 is a name that ends in 代, so a proven name is left out. */
function asksForAnother({ claims, people }: Case): boolean {
  if (!claims.asksForAnother) return false
  const person = people.find(isProven)
  if (!person) return true
  const typed = Array.from(person.nameKey).join('[^\\p{L}\\p{N}]{0,3}')
  return hasMark('onBehalf', claims.text.replace(new RegExp(typed, 'gu'), '某某某'))
}

/** Rules 2 and 3. Full name and at least one factor; everything supplied agrees. */
function isProven(person: ComparedPerson): boolean {
  return person.name.match === 'exact' && hasAllFactorsRight(person)
}

/** Rules 5 to 8, for somebody whose identity is proven. */
function judgeProven(current: Case): Judgement | null {
  const { people, today, claims, senderIs } = current
  const person = people.find(isProven)
  if (!person) return null
  const row = bestRow(person, today)
  const doubt = doubtAbout(person, current)
  if (doubt) return decide(current, 'referred', 'identity_mismatch', doubt, person, row)
  if (senderIs !== null && senderIs !== person.personKey) {
    return decide(current, 'referred', 'identity_mismatch', '申请所用微信号登记在另一人名下', person, row)
  }
  const state = serviceState(row, today)
  if (row.inScope && state === 'active') return judgeActive(current, person, row)
  if (row.inScope && state === 'not_started') {
    return decide(current, 'referred', 'not_started', '身份属实，服务期尚未开始', person, row)
  }
  if (row.inScope && state === 'expired') {
    return decide(
      current,
      'referred',
      'service_ended',
      '身份属实，名册上的服务期已过，可能已续签',
      person,
      row,
    )
  }
  const elsewhere = person.rows.find(other => !other.inScope && serviceState(other, today) === 'active')
  if (row.inScope && !elsewhere)
    return decide(current, 'rejected', 'service_ended', '身份属实，已经离岗', person, row)
  const place = elsewhere ?? row
  if (claims.statesTransfer) {
    return decide(
      current,
      'referred',
      'wrong_group',
      '身份属实，名册上不在本群范围，自述岗位有变动',
      person,
      place,
    )
  }
  return decide(current, 'rejected', 'wrong_group', '身份属实，名册上不在本群范围', person, place)
}

/** Rule 6. */
function judgeActive(current: Case, person: ComparedPerson, row: Candidate): Judgement {
  const memberships = person.rows.map(other => other.membership)
  if (memberships.includes('this_account')) {
    return decide(current, 'rejected', 'already_member', '身份属实，已在群内', person, row)
  }
  if (memberships.includes('other_account')) {
    return decide(
      current,
      'referred',
      'already_member',
      '身份属实，其登记的微信号已在群内，这次来自另一个账号',
      person,
      row,
    )
  }
  return decide(current, 'approved', 'matched', '在本群范围内且在岗', person, row)
}

/** Phones of one's own, an old one and a new one; who writes more of them may be guessing. */
const MOST_PHONES = 2

/**
 * Why a request that names this person and a right factor may still come from somebody else; null when nothing speaks
 * for that.
 */
function doubtAbout(person: ComparedPerson, { claims, people }: Case): string | null {
  const ownPhones = new Set(person.rows.map(row => row.phone))
  const strangers = people.filter(other => other !== person && !ownPhones.has(other.rows[0]?.phone ?? null))
  if (strangers.some(other => other.phone === 'right' || other.idNumber === 'right'))
    return '所填号码中有一个登记在另一人名下'
  if (new Set([...claims.phones, ...claims.unclearPhones]).size > MOST_PHONES)
    return '一份申请里写了好几个手机号'
  if (claims.mentionsThirdPerson) return '文中提到第三人，不能确定申请人就是本人'
  const others = claims.claimedNames.filter(claimed => isRivalName(claimed, person))
  return others.length > 0 || people.some(other => standsBeside(other, person, claims))
    ? '文中还有另一个姓名，不能确定申请人是哪一位'
    : null
}

/** 我是张伟，王芳，138…: somebody else of the group is named as the applicant is, with nothing that says why. */
function standsBeside(other: ComparedPerson, person: ComparedPerson, { claimedNames }: Claims): boolean {
  if (!other.isInScope || other.nameKey === person.nameKey || other.name.match !== 'exact') return false
  return claimedNames.some(
    claimed =>
      claimed.key === other.nameKey &&
      claimed.shape === 'full' &&
      claimed.isClosed &&
      (person.name.start < 0 ||
        claimed.start + Array.from(claimed.key).length <= person.name.start ||
        claimed.start >= person.name.start + Array.from(person.nameKey).length),
  )
}

/** Another full name that stands as the applicant's own at least as clearly as this person's does. */
function isRivalName(claimed: ClaimedName, { nameKey: key, name }: ComparedPerson): boolean {
  if (claimed.shape !== 'full' || claimed.key === key) return false
  if (claimed.strength === 'placed' && !claimed.isClosed) return false
  if (claimed.strength === 'placed' && (name.strength === 'stated' || name.start < 0)) return false
  // the name was found in a reading without brackets, 王玓(王勺)洁: its first part is no name of its own
  if (claimed.start < 0) return false
  if (name.start < 0) return !key.startsWith(claimed.key)
  const overlaps =
    claimed.start < name.start + Array.from(key).length &&
    name.start < claimed.start + Array.from(claimed.key).length
  return !overlaps
}

/** Rules 2 and 4, for a name that the group's scope knows. */
function judgeNamedInScope(current: Case): Judgement | null {
  const { people, claims, today } = current
  const named = people.filter(
    person => person.isInScope && person.name.match === 'exact' && !isMerelyWord(person, claims),
  )
  const [first] = named
  if (!first) return null
  if (factorsOf(first).length === 0) {
    if (named.length > 1)
      return decide(current, 'referred', 'ambiguous', '本群范围内有同名的人，没有可核对的号码')
    return decide(
      current,
      'referred',
      'insufficient',
      '只有姓名，没有可核对的号码',
      first,
      bestRow(first, today),
    )
  }
  const partly = named.find(person => factorsOf(person).includes('right'))
  if (partly) {
    return decide(
      current,
      'referred',
      'identity_mismatch',
      '所填的号码有一项与名册不符',
      partly,
      bestRow(partly, today),
    )
  }
  const owner = people.find(person => !named.includes(person) && ownsFactor(person))
  if (owner) return judgeStrangersFactor(current, owner, true)
  const nearest = named.find(person => factorsOf(person).includes('near')) ?? first
  const row = named.length === 1 || factorsOf(nearest).includes('near') ? bestRow(nearest, today) : null
  const why =
    claims.unclearPhones.length > 0 ? '号码位数不对或有误' : '所填号码与名册不符，可能换了号码或填错'
  return decide(current, 'referred', 'identity_mismatch', why, nearest, row)
}

/** Rule 4, for a factor of somebody whose name does not stand in the request as the applicant's. */
function judgeOwnerOfFactor(current: Case): Judgement | null {
  const owner =
    current.people.find(
      person => ownsFactor(person) && ['exact', 'sound', 'near'].includes(person.name.match),
    ) ?? current.people.find(ownsFactor)
  return owner ? judgeStrangersFactor(current, owner) : null
}

/** 很高兴认识大家，我是李强: somebody of the group is called 高兴, and the text has the word while it states a name. */
function isMerelyWord(person: ComparedPerson, claims: Claims): boolean {
  if (!nameTables.noise.has(person.nameKey) || person.name.strength === 'stated') return false
  if (factorsOf(person).some(match => match === 'right' || match === 'near')) return false
  return claims.claimedNames.some(name => name.shape === 'full' && name.key !== person.nameKey)
}

/** @param isNamed the applicant's full name is known already. */
function judgeStrangersFactor(current: Case, owner: ComparedPerson, isNamed = false): Judgement {
  const { claims, today } = current
  const row = bestRow(owner, today)
  if (owner.name.match === 'exact') {
    return decide(current, 'referred', 'identity_mismatch', '所填的号码有一项与名册不符', owner, row)
  }
  if (owner.name.match === 'sound' || owner.name.match === 'near') {
    return decide(current, 'referred', 'identity_mismatch', '号码对应的人姓名相近，可能写错了字', owner, row)
  }
  // 我同事麦麦提·阿迪力要进群: a part of the owner's own name is nobody else's
  const fullNames = claims.claimedNames.filter(
    name => name.shape === 'full' && !(owner.name.match === 'mentioned' && owner.nameKey.includes(name.key)),
  )
  if (fullNames.length === 0 && !isNamed) {
    if (owner.name.match === 'mentioned')
      return decide(
        current,
        'referred',
        'identity_mismatch',
        '号码是文中提到的人的，申请人自己没有写明姓名全称',
        owner,
        row,
      )
    const isShort = claims.claimedNames.some(name => isShortFormOf(name.key, owner.nameKey))
    const why = isShort ? '只有简称，没有姓名全称' : '没有写明姓名全称'
    return decide(current, 'referred', 'insufficient', why, owner, row)
  }
  return decide(current, 'rejected', 'identity_mismatch', '所填号码登记在另一人名下')
}

function hasNumber({ phones, unclearPhones, idNumbers, unclearIdNumbers, idTails }: Claims): boolean {
  return [phones, unclearPhones, idNumbers, unclearIdNumbers, idTails].some(list => list.length > 0)
}

/** Rules 2 and 4, for a request that leads to nobody on the roster. */
function judgeUnknown(current: Case): Judgement {
  const { people, claims, today } = current
  const close = people.find(
    person =>
      factorsOf(person).includes('near') &&
      (person.name.match === 'exact' ||
        (person.isInScope && (person.name.match === 'sound' || person.name.match === 'near'))),
  )
  if (close) {
    return decide(
      current,
      'referred',
      'identity_mismatch',
      '姓名和号码都与名册相近',
      close,
      bestRow(close, today),
    )
  }
  if (claims.claimedNames.some(name => name.shape === 'full')) {
    const why = hasNumber(claims) ? '所填号码也不在名册上' : '也没有可核对的号码'
    return decide(current, 'rejected', 'not_on_roster', `本群范围内没有这个姓名，${why}`)
  }
  return decide(current, 'referred', 'insufficient', '没有写明姓名全称，也没有可核对的号码')
}
