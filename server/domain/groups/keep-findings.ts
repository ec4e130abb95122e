import { namesOfPersons, titlesOf, unitsByIds } from '../../../db/queries/composition.ts'
import {
  closeFindings,
  type FindingRow,
  insertFindings,
  openFindings,
  refreshFindings,
  removalsProved,
  saidDone,
} from '../../../db/queries/findings.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Programme } from '../../templates.ts'
import type { UnitFacts } from './facts.ts'
import {
  dueDayOf,
  type Finding,
  type FindingKind,
  type FindingNames,
  findingKinds,
  findingWords,
  keyOf,
  READING_MAX_AGE_DAYS,
} from './findings.ts'
import { answerersFor } from './managers.ts'

export interface Kept {
  opened: number
  closed: number
  /** All that is open now about these units and their groups. */
  open: number
}

/** A check between the nights: of one group, which opens these kinds only; whoever asked for it tells what it has opened. */
export interface Occasion {
  groupId: number
  opens: readonly FindingKind[]
}

/** What a check has opened, for whoever is asked; `askedId` is null while there is nobody. */
export interface Opened {
  askedId: number | null
  why: string
}

/**
 * What only a person can say they have seen to: a check would find it again the next night, so their word stands as long
 * as a member list does. Who is in a group is put down when they say it (`finish-task.ts`) and needs no such rest.
 */
export const restingKinds: readonly FindingKind[] = [
  'pass_misused',
  'followers_missing',
  'branch_too_big',
  'name_rule',
  'over_capacity',
]

/** The owner is not asked about themself. */
const aboutOwner: readonly string[] = ['owner_missing', 'owner_left', 'owner_wrong']

/**
 * Brings the open tasks about these units and their groups to what a check has found: one open row for each fact, which
 * keeps its age; what is gone is closed as proved, what is new is opened with a due day and somebody who is asked.
 */
export async function keepFindings(
  rt: DomainRuntime,
  programme: Programme,
  checked: readonly UnitFacts[],
  findings: readonly Finding[],
  occasion: Occasion | null = null,
): Promise<Kept & { fresh: Opened[] }> {
  const now = rt.clock.now()
  const about = occasion
    ? { groupIds: [occasion.groupId], unitIds: [] }
    : {
        groupIds: checked.flatMap(facts => facts.groups.map(group => group.row.id)),
        unitIds: checked.map(facts => facts.unit.id),
      }
  const rest = new Date(now.getTime() - READING_MAX_AGE_DAYS * 86_400_000)
  const [open, resting] = await Promise.all([
    openFindings(rt.db, about, findingKinds),
    saidDone(rt.db, about, [...restingKinds], rest),
  ])
  const known = new Map(open.map(row => [keyOf(row), row]))
  const rested = new Set(resting.map(keyOf))
  // who came by a change of people was asked for as a member, whatever rule wants them there: that is the same fact
  const rowOf = (finding: Finding) =>
    known.get(keyOf(finding)) ??
    (finding.kind === 'contact_absent' ? known.get(keyOf({ ...finding, kind: 'invite_member' })) : undefined)
  const still = findings.flatMap(finding => {
    const row = rowOf(finding)
    return row ? [{ finding, row }] : []
  })
  const stands = new Set(still.map(({ row }) => row.id))
  // who came by another's code is asked about by that, and not as a stranger besides
  const misused = new Set(
    [...open, ...findings]
      .filter(each => each.kind === 'pass_misused')
      .map(each => `${each.groupId} ${each.address}`),
  )
  const fresh = findings
    .filter(
      ({ kind, groupId, address }) => kind !== 'identify_member' || !misused.has(`${groupId} ${address}`),
    )
    .filter(finding => !rowOf(finding) && !rested.has(keyOf(finding)))
    .filter(
      ({ kind, groupId }) => !occasion || (groupId === occasion.groupId && occasion.opens.includes(kind)),
    )
  const read = new Set(
    checked.flatMap(facts =>
      facts.groups.flatMap(group => (group.row.membersReadAt === null ? [] : [group.row.id])),
    ),
  )
  const lost = open.filter(row => !stands.has(row.id))
  const removed = await removalsProved(
    rt.db,
    lost.filter(isRemovalByWord).map(row => row.id),
  )
  const gone = lost.filter(row => isProvedGone(row, read, removed))

  const askedFor = await whoIsAsked(rt, checked, [...fresh, ...still.map(each => each.finding)])
  const names = await loadNames(rt, programme, fresh, still)
  await closeFindings(
    rt.db,
    gone.map(row => row.id),
    'reading',
    now,
  )
  const changed = still
    .map(({ finding, row }) => ({
      id: row.id,
      // what is said of a person was true when it was said; numbers change
      why: finding.personId === null && finding.address === null ? findingWords(finding, names) : row.why,
      askedId: askedFor(finding),
      row,
    }))
    .filter(({ row, why, askedId }) => row.why !== why || row.askedId !== askedId)
  await refreshFindings(rt.db, changed)
  const opened = await insertFindings(
    rt.db,
    fresh.map(finding => ({
      kind: finding.kind,
      groupId: finding.groupId,
      unitId: finding.unitId,
      personId: finding.personId,
      address: finding.address,
      about: finding.about,
      why: findingWords(finding, names),
      source: finding.source,
      dueOn: dueDayOf(finding.kind, now),
      askedId: askedFor(finding),
      // officers are asked for their branch by the 1+100 itself
      toldAt:
        finding.kind === 'contact_missing' || (occasion !== null && askedFor(finding) !== null) ? now : null,
      createdAt: now,
    })),
  )
  return {
    opened,
    closed: gone.length,
    open: still.length + opened,
    fresh: fresh.map(finding => ({ askedId: askedFor(finding), why: findingWords(finding, names) })),
  }
}

/** Somebody decided that a member is to go (撤销审核): by the rules the name may well belong, so no check finds it again. */
function isRemovalByWord(row: FindingRow): boolean {
  return row.kind === 'remove_member' && row.source === null
}

/**
 * Whether a check could have seen the fact, so that not finding it proves that it is gone.
 * @param read groups whose members have been read
 * @param removed tasks about members whom a reading has not found any more
 */
function isProvedGone(row: FindingRow, read: ReadonlySet<number>, removed: ReadonlySet<number>): boolean {
  if (row.kind === 'pass_misused') return false
  if (isRemovalByWord(row)) return removed.has(row.id)
  if (row.kind !== 'invite_member') return true
  // an approved person is in when a reading has seen them, or the owner says so
  return row.source !== null && row.groupId !== null && read.has(row.groupId)
}

/** The group's owner while they stand on the roster; else, and about the owner, whoever answers for the unit. */
async function whoIsAsked(
  rt: DomainRuntime,
  checked: readonly UnitFacts[],
  findings: readonly Finding[],
): Promise<(finding: Finding) => number | null> {
  const groupOf = new Map(
    checked.flatMap(facts =>
      facts.groups.map(group => [group.row.id, { group, unitId: facts.unit.id }] as const),
    ),
  )
  const ownerOf = ({ kind, groupId }: Finding): number | null => {
    const place = groupId === null ? undefined : groupOf.get(groupId)
    return place?.group.isOwnerStanding && !aboutOwner.includes(kind) ? place.group.row.ownerId : null
  }
  const placeOf = ({ groupId, unitId }: Finding): number | null =>
    groupId === null ? unitId : (groupOf.get(groupId)?.unitId ?? null)
  const unitIds = new Set<number>()
  for (const finding of findings) {
    const unitId = placeOf(finding)
    if (unitId !== null && ownerOf(finding) === null) unitIds.add(unitId)
  }
  const answerers = await answerersFor(rt, [...unitIds])
  return finding => {
    if (finding.kind === 'contact_missing') return finding.personId
    const unitId = placeOf(finding)
    return ownerOf(finding) ?? (unitId === null ? null : (answerers.get(unitId)?.[0] ?? null))
  }
}

async function loadNames(
  rt: DomainRuntime,
  programme: Programme,
  fresh: readonly Finding[],
  still: readonly { finding: Finding }[],
): Promise<FindingNames> {
  const all = [...fresh, ...still.map(each => each.finding).filter(each => each.personId === null)]
  const titled = fresh.flatMap(({ personId, details }) =>
    personId !== null && details.unitId !== undefined ? [{ personId, unitId: details.unitId }] : [],
  )
  const [persons, units, titles] = await Promise.all([
    namesOfPersons(rt.db, [...new Set(fresh.flatMap(each => each.personId ?? []))]),
    unitsByIds(rt.db, [
      ...new Set(all.flatMap(each => [each.unitId, each.details.unitId].flatMap(id => id ?? []))),
    ]),
    titlesOf(rt.db, titled),
  ])
  const unitNames = new Map(units.map(unit => [unit.id, unit.name]))
  const roleNames = new Map(programme.roles.map(role => [role.id, role.name]))
  return {
    person: id => (id === null ? '' : (persons.get(id) ?? '')),
    unit: id => (id === null ? '' : (unitNames.get(id) ?? '')),
    role: id => roleNames.get(id) ?? '',
    title: (personId, unitId, role) =>
      `${unitNames.get(unitId) ?? ''}${titles.get(`${unitId} ${personId} ${role}`) ?? roleNames.get(role) ?? ''}`,
  }
}
