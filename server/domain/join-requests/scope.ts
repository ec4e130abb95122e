import type { CandidateRow, FoundRows, ScopeRule } from '../../../db/queries/join-requests.ts'
import type { GroupKind, Programme, Templates } from '../../templates.ts'
import { categoryNames, rolesMeant, sentCategories } from '../groups/entitlement.ts'
import { universityKey } from '../groups/facts.ts'

/** One composition rule of a group's kind, as the audit asks it. */
export interface MemberScope extends ScopeRule {
  /** Names of 人员类别; null: all. */
  categories: ReadonlySet<string> | null
  /** Of a kind that may be merged into this one (中少办发〔2017〕4号 一.2): a human sees whether it has been. */
  isMerged: boolean
}

/** The composition rules of a kind of group (such as 全国项目办发〔2018〕1号 二.4) with the roles that count for each. */
export function scopeRules(templates: Templates, programmeId: string, kindId: string): MemberScope[] {
  const programme = templates.programme(programmeId)
  const merged = programme.groupKinds.filter(each => each.mayMergeWith === kindId)
  return [
    ...rulesOf(programme, templates.groupKind(programmeId, kindId), false),
    ...merged.flatMap(kind => rulesOf(programme, kind, true)),
  ]
}

function rulesOf(programme: Programme, kind: GroupKind, isMerged: boolean): MemberScope[] {
  return kind.members.map(rule => ({
    from: rule.from,
    roles: rule.role ? [...rolesMeant(programme, rule.role)] : [],
    unitKinds: rule.unitKinds ?? null,
    categories: rule.categories ? categoryNames(programme, rule.categories) : null,
    sentCategories: rule.from === 'sending-units' ? sentCategories(kind, programme) : [],
    isMerged,
  }))
}

type Placed = Pick<
  CandidateRow,
  'role' | 'category' | 'unitId' | 'unitName' | 'unitPath' | 'unitKind' | 'parentId' | 'isContact'
>

/**
 * The rule by which a roster row makes its person one of those whom the group is for; null: none. Only the row is looked at,
 * not whether it stands today: who has left the group's own scope is told so, and not that they never belonged.
 */
export function scopeOf(
  row: Placed,
  group: { unitId: number; unitPath: string },
  rules: readonly MemberScope[],
  universities: FoundRows['universities'],
): MemberScope | null {
  const sent = new Set(universities.map(universityKey))
  const fitting = rules.filter(rule => {
    if (rule.from === 'unit-decides') return row.unitPath.startsWith(group.unitPath)
    if (!rule.roles.includes(row.role)) return false
    if (!isPlaced(row, group, rule.from, sent)) return false
    if (rule.unitKinds && !rule.unitKinds.includes(row.unitKind)) return false
    return rule.categories === null || rule.categories.has(row.category ?? '')
  })
  return fitting.find(rule => !rule.isMerged) ?? fitting[0] ?? null
}

function isPlaced(
  row: Placed,
  group: { unitId: number; unitPath: string },
  from: string,
  sent: ReadonlySet<string>,
): boolean {
  switch (from) {
    case 'own-unit':
      return row.unitId === group.unitId
    case 'parent-unit':
      return group.unitPath.endsWith(`/${row.unitId}/${group.unitId}/`)
    case 'child-units':
      return row.parentId === group.unitId
    case 'descendant-units':
      return row.unitId !== group.unitId && row.unitPath.startsWith(group.unitPath)
    case 'contacts':
      return row.isContact
    case 'sending-units':
      return sent.has(universityKey(row.unitName))
    default:
      return false
  }
}
