import data from '../../../templates/policies/admission.json' with { type: 'json' }
import policy from '../../../templates/policies/join-requests.json' with { type: 'json' }
import { type AdmissionPolicy, type AdmissionReason, admissionSchema } from '../../templates/admission.ts'
import type { Programme } from '../../templates.ts'
import { messageToApplicant, reasonLabel } from './policy.ts'
import type { Judgement, Reason } from './types.ts'

/** What an office may set about letting people in (`templates/policies/admission.json`). */
export const admission: AdmissionPolicy = admissionSchema.parse(data)

/** Why a request stands as it does: the matcher's reason, or the policy's for having a human look all the same. */
export type RequestReason = Reason | AdmissionReason

/** Every reason there is. */
export const requestReasons: readonly string[] = [
  ...Object.keys(policy.reasons),
  ...Object.keys(admission.reasons),
]

/** The reason in a word or two, for officers. */
export function requestReasonLabel(reason: string): string {
  return isAdmissionReason(reason) ? admission.reasons[reason].label : reasonLabel(reason as Reason)
}

function isAdmissionReason(reason: string): reason is AdmissionReason {
  return Object.hasOwn(admission.reasons, reason)
}

export interface KindPolicy {
  approval: 'automatic' | 'human'
  /** Roles that need no human; null: all. */
  people: readonly string[] | null
  nickname: string
  movesOn: boolean
}

/** How a kind of group lets people in: the standard, with what is set for this kind. */
export function kindPolicy(programme: string, kind: string): KindPolicy {
  const own = admission.kinds.find(each => each.programme === programme && each.kind === kind)
  const { approval, nickname, movesOn } = admission.standard
  return {
    approval: own?.approval ?? approval,
    people: own?.people ?? null,
    nickname: own?.nickname ?? nickname,
    movesOn: own?.movesOn ?? movesOn,
  }
}

/** The name that somebody is to have in a group, such as 榆阳区第一团支部-张思雨. */
export function nicknameIn(
  group: { programme: string; kind: string; unitName: string },
  name: string,
): string {
  return kindPolicy(group.programme, group.kind)
    .nickname.replaceAll('{unit}', group.unitName)
    .replaceAll('{name}', name)
}

/** What is known about the person whom a request was approved as, besides the roster. */
export interface Standing {
  /** Roles by which the person belongs in the group. */
  roles: readonly string[]
  /** An account of the person's other than the asking one is bound, in the group, or on its way in. */
  hasOtherAccount: boolean
  /** A human refused this account or this person, or took an approval back, and none has approved since. */
  isDoubted: boolean
  /** Other accounts that asked in this name lately and were not let in. */
  otherAskers: number
}

/**
 * The policy of the group's kind over the matcher's judgement. It only ever turns an approval into a case for a human:
 * what was refused or referred stays so.
 */
export function overrule(
  judgement: Judgement,
  kind: KindPolicy,
  standing: Standing,
  programme: Pick<Programme, 'roles'>,
): { reason: RequestReason; toReviewer: string } | null {
  if (judgement.decision !== 'approved') return null
  const reason = reasonForHuman(kind, standing, programme)
  return reason && { reason, toReviewer: admission.reasons[reason].toReviewer }
}

function reasonForHuman(
  { approval, people }: KindPolicy,
  { roles, hasOtherAccount, isDoubted, otherAskers }: Standing,
  programme: Pick<Programme, 'roles'>,
): AdmissionReason | null {
  if (hasOtherAccount) return 'second_account'
  if (isDoubted) return 'doubted'
  if (otherAskers >= admission.limits.target.accounts) return 'contested'
  if (approval === 'human') return 'human_only'
  const counting = programme.roles.filter(
    role => people?.includes(role.id) || role.countsAs.some(each => people?.includes(each)),
  )
  // by the rules of another kind, which may or may not have been merged into this one
  if (roles.length === 0) return 'other_role'
  if (people && !roles.some(role => counting.some(each => each.id === role))) return 'other_role'
  return null
}

/**
 * What an applicant is told who is not let in. Who has not proven to be anybody is told the same whether they were refused
 * or a human decides, so that the answer does not say who is on the roster.
 */
export function answerTo(outcome: {
  id: number
  groupId: number
  decision: 'rejected' | 'referred'
  reason: RequestReason
}): string {
  const { unproven, referred } = admission.answers
  const fill = (words: string) =>
    words.replaceAll('{id}', String(outcome.id)).replaceAll('{group}', String(outcome.groupId))
  if (unproven.reasons.includes(outcome.reason)) return fill(unproven.words)
  if (outcome.decision === 'rejected') return messageToApplicant(outcome.reason as Reason)
  return isAdmissionReason(outcome.reason)
    ? fill(referred.words)
    : `${fill(referred.words)}\n也可以补充后再发一次“入群 ${outcome.groupId} ……”：${messageToApplicant(outcome.reason)}`
}

/**
 * What an applicant reads of their own request afterwards; the same for all who have not proven who they are, until a human
 * has decided.
 * @param decidedBy null: no human has
 */
export function standingWords(request: {
  id: number
  groupId: number
  decision: string
  reason: string
  decidedBy: number | null
}): { state: 'approved' | 'open' | 'rejected'; words: string } {
  const { id, groupId, decision, reason, decidedBy } = request
  if (decision === 'approved')
    return { state: 'approved', words: '已通过，入群方式发在聊天里；没收到请联系群主。' }
  const isUnproven = admission.answers.unproven.reasons.includes(reason)
  if (decidedBy === null && (isUnproven || decision === 'referred'))
    return {
      state: 'open',
      words: answerTo({ id, groupId, decision: 'referred', reason: reason as RequestReason }),
    }
  const hint = isAdmissionReason(reason) ? '' : messageToApplicant(reason as Reason)
  const who = decidedBy === null ? '' : '由群主或负责同志核实。'
  return { state: 'rejected', words: `${who}${hint}再申请请在聊天里发送“入群 ${groupId}”。` }
}

/**
 * A moment that disturbs nobody at night: itself, or the end of the quiet hours that it falls in.
 * The hours are Shanghai's, which has had no other than UTC+8 since 1992.
 */
export function afterQuietHours(moment: Date): Date {
  const { from, to } = admission.review.quiet
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
  const [start, end] = [minutes(from), minutes(to)]
  const local = Math.floor(moment.getTime() / 60_000) + 8 * 60
  const now = local % 1440
  const isQuiet = start <= end ? now >= start && now < end : now >= start || now < end
  if (!isQuiet) return moment
  const wait = (end - now + 1440) % 1440
  return new Date((local - 8 * 60 + wait) * 60_000)
}
