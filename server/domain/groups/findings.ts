import policy from '../../../templates/policies/findings.json' with { type: 'json' }
import { dayOf } from '../../clock.ts'

/** What the reconcile can find (成员核对的发现): the kinds of `templates/policies/findings.json`. */
export type FindingKind = keyof typeof policy.kinds

export const findingKinds = Object.keys(policy.kinds) as FindingKind[]

/** Days after which the pasted or signed-in member list of a group is too old to be believed. */
export const READING_MAX_AGE_DAYS = policy.readings.maxAgeDays
/** How long a roll call is open, and how often one account or address may try in an hour. */
export const rollCallPolicy = policy.rollCalls

/**
 * One fact that is not as the rules have it. `groupId` is null where it is about a unit as such; `unitId` names the unit
 * that it is about besides the group's own. Two findings with the same key are the same fact.
 */
export interface Finding {
  kind: FindingKind
  groupId: number | null
  unitId: number | null
  personId: number | null
  address: string | null
  /** Tells facts of one kind apart: the id of a role, a group kind or an account, or a name that nobody could be named for. */
  about: string
  /** The rule, such as `全国项目办发〔2018〕1号 二.4`, or `project assumption`. */
  source: string
  /** Numbers and words for the sentence (`findingWords`). */
  details: FindingDetails
}

export interface FindingDetails {
  found?: number
  wanted?: string
  /** What the rule calls those who are meant, such as 各服务省项目办负责同志2名. */
  note?: string
  /** A name as it stands in the group. */
  called?: string
  /** The unit and role by which a missing person belongs. */
  unitId?: number
  role?: string
  isFull?: boolean
}

export function findingName(kind: string): string {
  return isFindingKind(kind) ? policy.kinds[kind].name : kind
}

export function isFindingKind(kind: string): kind is FindingKind {
  return Object.hasOwn(policy.kinds, kind)
}

/** The day (Asia/Shanghai) by which a finding of today is to be seen to. */
export function dueDayOf(kind: FindingKind, now: Date): string {
  return dayOf(new Date(now.getTime() + policy.kinds[kind].dueDays * 86_400_000))
}

/** The rule's number in brackets; what is ours says so. */
export function sourceWords(source: string): string {
  return source === 'project assumption' ? '系统设定' : source
}

/** What a finding's sentence names: loaded only for findings that are new. */
export interface FindingNames {
  person(id: number | null): string
  unit(id: number | null): string
  role(id: string): string
  /** As what a person belongs, such as 延安市项目办负责同志. */
  title(personId: number, unitId: number, role: string): string
}

/** One sentence in Chinese: what is not in order, and what to do. Never a number or a phone of anybody. */
export function findingWords(finding: Omit<Finding, 'source'>, names: FindingNames): string {
  const { kind, personId, unitId, details } = finding
  const { found = 0, wanted = '', note = '', called = '' } = details
  const who = names.person(personId)
  const unit = names.unit(unitId)
  switch (kind) {
    case 'invite_member':
      return `${who}${inBrackets(asWhat(finding, names))}：应在群里，还不在，请拉入或请本人申请入群`
    case 'contact_absent':
      return `${who}：长期联系本支部（1+100），还不在群里，请拉入`
    case 'remove_member':
      return `${who}：不在本群应有成员之列，请移出`
    case 'identify_member':
      return `${called || '未填群昵称的成员'}：认不出是谁，请核实，不是名册上的人请移出`
    case 'pass_misused':
      return `发给${who}本人的入群码，被另一个账号${called ? `（群昵称“${called}”）` : ''}用了：请核实进群的是不是本人，不是请移出，并提醒本人不要转发`
    case 'owner_missing':
      return '还没有群主，通知没有人转发，请定一位'
    case 'owner_left':
      return `群主${who}已不在名册上（或服务期已满），请换群主`
    case 'owner_wrong':
      return `群主${who}不是规定的人：应由本单位的${names.role(details.role ?? '')}担任，请换群主或核对名册`
    case 'over_capacity':
      return details.isFull
        ? `群已满（${wanted}人），还有 ${found} 位该进的人进不来：请清理，或另建一个群`
        : `有 ${found} 人，超过群的容量 ${wanted} 人：请清理，或另建一个群`
    case 'too_many_in_group':
      return `${unit}在群里的${names.role(details.role ?? '')}有 ${found} 人，规定${wanted}：请核对留下谁`
    case 'too_few_in_group':
      return `${unit}在群里的${names.role(details.role ?? '')}只有 ${found} 人，规定${wanted}：请拉入`
    case 'name_rule':
      return `群名称“${called}”不合规定，要像“${wanted}”这样：请改名`
    case 'members_unread':
      return found > 0
        ? `上次核对成员是 ${found} 天前：请在群里发接龙或签到链接，把结果发给机器人`
        : '还没有核对过成员：请在群里发接龙或签到链接，把结果发给机器人'
    case 'manager_missing':
      return `${unit}还没有管群的专人：请指定一位`
    case 'group_missing':
      return `${unit}还没有${called}：请建群并登记`
    case 'too_few_groups':
      return `${unit}（含下级）有${called} ${found} 个，原则上不少于 ${wanted} 个：请继续建群并登记`
    case 'branch_too_big':
      return `${unit}有 ${found} 人，原则上不超过 ${wanted} 人：请考虑分设支部`
    case 'too_few_holders':
      return `名册上${unit}的${names.role(details.role ?? '')}有 ${found} 人，${wanted}${inBrackets(note)}：请补上名册`
    case 'contact_missing':
      return `${unit}的${who}还没有长期联系的团支部：请认一个`
    case 'followers_missing':
      return `${unit}应关注公众号“${called}”的有 ${wanted} 人，已关注并绑定 ${found} 人：请提醒其余的人关注`
  }
}

function asWhat({ personId, details }: Pick<Finding, 'personId' | 'details'>, names: FindingNames): string {
  if (personId === null || details.unitId === undefined || details.role === undefined) return ''
  return names.title(personId, details.unitId, details.role)
}

function inBrackets(words: string): string {
  return words === '' ? '' : `（${words}）`
}

/** Tells two findings apart; the unique index `tasks_open` has the same columns. */
export function keyOf(
  fact: Pick<Finding, 'groupId' | 'unitId' | 'personId' | 'address' | 'about'> & { kind: string },
): string {
  return [
    fact.kind,
    fact.groupId ?? 0,
    fact.unitId ?? 0,
    fact.personId ?? 0,
    fact.address ?? '',
    fact.about,
  ].join('\u001f')
}
