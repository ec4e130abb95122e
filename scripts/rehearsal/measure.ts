import type { Matrix } from '../../db/queries/rehearsal-matrix.ts'
import type { GroupOutcome, Sent } from '../../db/queries/rehearsal-run.ts'
import {
  type RehearsalResult,
  type UnreachedWhy,
  type Weakness,
  type WeaknessId,
  weaknessIds,
} from '../../server/domain/rehearsals/result.ts'
import type { Played } from './play.ts'

/** Groups and units that are named; of more only the number is said. */
const MOST_NAMED = 200

/**
 * What about a matrix makes its groups hard to reach, whatever people do.
 * @param managing the roles by which somebody runs a unit
 */
export function weaknessesOf(matrix: Matrix, managing: ReadonlySet<string>): Map<number, WeaknessId[]> {
  const paths = new Map(matrix.units.map(unit => [unit.id, unit.path]))
  const managers = new Map(matrix.units.map(unit => [unit.id, unit.managerId]))
  const accounts = Map.groupBy(
    matrix.accounts.filter(
      account => account.isReachable && (account.isMember || account.channel !== 'wecom'),
    ),
    account => account.personId,
  )
  const roles = Map.groupBy(matrix.roles, role => role.personId)
  const answering = new Map<number, Set<number>>()
  for (const { personId, unitId, role } of matrix.roles) {
    const isAnswering = managing.has(role) || managers.get(unitId) === personId
    if (!accounts.has(personId) || !isAnswering) continue
    answering.set(unitId, (answering.get(unitId) ?? new Set()).add(personId))
  }
  const isInLine = (ownerId: number, path: string) =>
    (roles.get(ownerId) ?? []).some(role => {
      const own = paths.get(role.unitId) ?? ''
      return path.startsWith(own) || own.startsWith(path)
    })
  const found = new Map<number, WeaknessId[]>()
  for (const { id, unitId, ownerId } of matrix.groups) {
    const weak: WeaknessId[] = []
    const others = [...(answering.get(unitId) ?? [])].filter(personId => personId !== ownerId)
    if (ownerId === null) weak.push('no-owner')
    else if (!isInLine(ownerId, paths.get(unitId) ?? '')) weak.push('owner-gone')
    const own = ownerId === null ? [] : (accounts.get(ownerId) ?? [])
    if (ownerId !== null && own.length === 0) weak.push('owner-no-account')
    if (others.length === 0) weak.push('no-second-contact')
    if (own.length > 0 && own.every(account => account.channel === 'official-account' && !account.isOpen))
      weak.push('owner-called-only')
    found.set(id, weak)
  }
  return found
}

/** Puts the figures of a rehearsal together. */
export function measure(
  matrix: Matrix,
  managing: ReadonlySet<string>,
  played: Played,
  outcomes: GroupOutcome[],
  sent: ReadonlyMap<number, Sent>,
  about: { persons: number; seconds: number },
): RehearsalResult {
  const weak = weaknessesOf(matrix, managing)
  const levels = new Map(matrix.units.map(unit => [unit.id, unit.level]))
  const dry = outcomes.filter(each => each.status !== 'posted')
  const reached = outcomes.length - dry.length
  const minuteOf = (share: number) =>
    played.curve.find(([, had]) => had >= share * outcomes.length)?.[0] ?? null
  const counts = [...sent.values()].reduce(
    (all, { messages }) => all.set(messages, (all.get(messages) ?? 0) + 1),
    new Map<number, number>(),
  )
  return {
    issuedAt: played.issuedAt.toISOString(),
    deadlineAt: played.deadlineAt.toISOString(),
    groups: outcomes.length,
    groupsInAll: matrix.groupsInAll,
    persons: about.persons,
    reached,
    curve: played.curve,
    minutesTo: { half: minuteOf(0.5), ninety: minuteOf(0.9), ninetyNine: minuteOf(0.99) },
    levels: [...Map.groupBy(outcomes, each => levels.get(each.unitId) ?? '')].map(([level, own]) => ({
      level,
      groups: own.length,
      reached: own.filter(each => each.status === 'posted').length,
    })),
    dryUnits: [...Map.groupBy(outcomes, each => each.unitId)]
      .map(([unitId, own]) => ({
        unitId,
        groups: own.length,
        dry: own.filter(each => each.status !== 'posted').length,
      }))
      .filter(unit => unit.dry > 0)
      .sort((a, b) => b.dry - a.dry || a.unitId - b.unitId)
      .slice(0, MOST_NAMED),
    messages: [...counts].map(([count, persons]) => ({ count, persons })).sort((a, b) => a.count - b.count),
    mostMessages: Math.max(0, ...counts.keys()),
    mostParts: Math.max(0, ...[...sent.values()].map(each => each.parts)),
    unreached: dry
      .slice(0, MOST_NAMED)
      .map(({ groupId, status }) => ({ groupId, why: whyDry(status, weak.get(groupId) ?? []) })),
    mend: mendList(weak, new Set(dry.map(each => each.groupId))),
    refused: played.refused,
    seconds: about.seconds,
  }
}

function whyDry(status: string, weak: WeaknessId[]): UnreachedWhy {
  if (status === 'unknown') return 'unknown'
  return weak.find(each => each !== 'owner-called-only') ?? 'nobody-acted'
}

/** The weaknesses that there are, those first that have cost most groups. */
function mendList(weak: ReadonlyMap<number, WeaknessId[]>, dry: ReadonlySet<number>): Weakness[] {
  return weaknessIds
    .map(id => {
      const groupIds = [...weak].filter(([, own]) => own.includes(id)).map(([groupId]) => groupId)
      const first = groupIds.filter(groupId => dry.has(groupId))
      return {
        id,
        groups: groupIds.length,
        dry: first.length,
        groupIds: [...first, ...groupIds.filter(groupId => !dry.has(groupId))].slice(0, MOST_NAMED),
      }
    })
    .filter(each => each.groups > 0)
    .sort((a, b) => b.dry - a.dry)
}
