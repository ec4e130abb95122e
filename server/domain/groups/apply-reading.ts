import { namesOfPersons } from '../../../db/queries/composition.ts'
import {
  closeTasksAbout,
  type GroupWithUnit,
  groupByChat,
  insertMembers,
  joinPassesByStates,
  type MemberRow,
  membersOf,
  type NewMember,
  updateGroup,
  updateJoinPass,
  updateMember,
  upsertUnclaimedChat,
} from '../../../db/queries/groups.ts'
import { identityOf, personsOfAddresses, personsOfUnionIds } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToIdentity, sendToPerson } from '../outgoing/enqueue.ts'
import { compositionOfGroup } from './composition.ts'
import type { Finding } from './findings.ts'
import { type Identified, identifyMembers, isWeak } from './identify.ts'
import type { Opened } from './keep-findings.ts'
import { reconcileGroupNow } from './reconcile-units.ts'
import { giveTo } from './register.ts'

/** A member list as the platform gives it; addresses are the platform's ids. */
export interface Reading {
  name: string
  owner: string
  version: string
  members: {
    address: string
    isStaff: boolean
    state: string | null
    unionId: string | null
    nickname: string
    joinedAt: Date
    /** What staff call the account in WeCom, where it was asked for. */
    remarks?: readonly string[]
  }[]
}

/**
 * Brings what is known of a group's members to a reading. The reading is the truth; events are only its occasion.
 *
 * Whoever came and belongs in the group is noted with how we know them; whoever came and does not, or cannot be named,
 * becomes a task of the owner, closed by a later reading without them. In groups open to anyone nobody is a task.
 */
export async function applyReading(rt: DomainRuntime, chatId: string, reading: Reading): Promise<void> {
  const registered = await groupByChat(rt.db, chatId)
  if (!registered || registered.dissolvedAt) return noteUnclaimed(rt, chatId, reading)
  const group = await followOwner(rt, registered, reading.owner)
  const now = rt.clock.now()
  const isAudited = rt.templates.groupKind(group.programme, group.kind).admission === 'audited'
  const known = await membersOf(rt.db, group.id)
  const identified = await identify(rt, group, known, reading, isAudited)
  await followMembers(rt, group, known, reading, identified, isAudited)
  await updateGroup(rt.db, group.id, {
    size: reading.members.length,
    memberVersion: reading.version,
    name: reading.name || group.name,
    membersReadAt: now,
    membersReadBy: 'platform',
  })
  if (!isAudited) return
  const opened = await reconcileGroupNow(rt, group.id, misusesIn(group, reading, identified))
  await tellAsked(rt, group, opened)
}

/** Who is new or changed, who has gone. */
async function followMembers(
  rt: DomainRuntime,
  group: GroupWithUnit,
  known: readonly MemberRow[],
  reading: Reading,
  identified: ReadonlyMap<string, Identified>,
  isAudited: boolean,
): Promise<void> {
  const now = rt.clock.now()
  const present = new Map(reading.members.map(member => [member.address, member]))
  const byAddress = new Map(known.flatMap(row => (row.address === null ? [] : [[row.address, row] as const])))
  // who was known only as a person is the account that is named for them, and gone when there is none
  const byPerson = new Map(
    known.flatMap(row =>
      row.address === null && row.personId !== null ? [[row.personId, row] as const] : [],
    ),
  )
  const named = new Set([...identified.values()].flatMap(each => each.personId ?? []))
  for (const row of known) {
    const isGone =
      row.address === null
        ? isAudited && (row.personId === null || !named.has(row.personId))
        : !present.has(row.address)
    if (isGone) {
      await updateMember(rt.db, row.id, { leftAt: now })
      await closeTasksAbout(
        rt.db,
        { groupId: group.id, kinds: ['pass_misused'], personId: null, address: row.address },
        'reading',
        now,
      )
    }
    // what was believed gives way before somebody else is named for the person
    else if (
      row.address !== null &&
      row.personId !== identified.get(row.address)?.personId &&
      row.personId !== null
    )
      await updateMember(rt.db, row.id, { personId: null, knownBy: null })
  }
  const fresh: NewMember[] = []
  for (const member of reading.members) {
    const { personId, knownBy, usesPass } = identified.get(member.address) as Identified
    if (usesPass !== undefined && personId !== null)
      await usePass(rt, group, usesPass, personId, member.address)
    const row = byAddress.get(member.address)
    const unseen = personId === null ? undefined : byPerson.get(personId)
    // known as a person and as an account, each for itself, until now: a person is in a group once
    if (row && unseen) await updateMember(rt.db, unseen.id, { leftAt: now })
    const believed = row ? undefined : unseen
    if (row && (row.personId !== personId || row.knownBy !== knownBy || row.nickname !== member.nickname))
      await updateMember(rt.db, row.id, { personId, knownBy, nickname: member.nickname })
    else if (believed)
      await updateMember(rt.db, believed.id, { address: member.address, knownBy, nickname: member.nickname })
    else if (!row)
      fresh.push({
        groupId: group.id,
        personId,
        address: member.address,
        nickname: member.nickname,
        knownBy,
        joinedAt: member.joinedAt,
      })
    // an approved person has come in
    if (isAudited && personId !== null && (!row || row.personId !== personId))
      await closeTasksAbout(
        rt.db,
        { groupId: group.id, kinds: ['invite_member', 'contact_absent'], personId, address: null },
        'reading',
        now,
      )
  }
  await insertMembers(rt.db, fresh)
}

async function usePass(
  rt: DomainRuntime,
  group: GroupWithUnit,
  passId: number,
  personId: number,
  address: string,
): Promise<void> {
  const now = rt.clock.now()
  await updateJoinPass(rt.db, passId, { usedAt: now, usedBy: address })
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'member.joined',
    subjectKind: 'person',
    subjectId: personId,
    details: { groupId: group.id, knownBy: 'join_pass' },
  })
}

/**
 * The chain for all members of a reading (`identifyMembers`), from one look-up for each kind of evidence. Whoever was known
 * by proof stays so; whoever was named by what anybody can write is named anew.
 */
async function identify(
  rt: DomainRuntime,
  group: GroupWithUnit,
  known: readonly MemberRow[],
  reading: Reading,
  isAudited: boolean,
): Promise<Map<string, Identified>> {
  const addresses = reading.members.map(member => member.address)
  const [bound, unions, passes, entitled] = await Promise.all([
    personsOfAddresses(rt.db, 'wecom', addresses),
    personsOfUnionIds(
      rt.db,
      'official-account',
      reading.members.flatMap(member => member.unionId ?? []),
    ),
    joinPassesByStates(
      rt.db,
      reading.members.flatMap(member => member.state ?? []),
    ),
    isAudited ? entitledNames(rt, group) : [],
  ])
  const proved = new Map(
    known.flatMap(row =>
      row.address !== null && row.personId !== null && row.knownBy !== null && !isWeak(row.knownBy)
        ? [[row.address, row] as const]
        : [],
    ),
  )
  const identified = new Map<string, Identified>()
  for (const address of addresses) {
    const row = proved.get(address)
    if (row)
      identified.set(address, { personId: row.personId, knownBy: row.knownBy as Identified['knownBy'] })
  }
  const evidence = reading.members
    .filter(member => !proved.has(member.address))
    .map(member => {
      const pass = member.state === null ? undefined : passes.get(member.state)
      return {
        address: member.address,
        nickname: member.nickname,
        remarks: member.remarks ?? [],
        boundTo: bound.get(member.address) ?? null,
        unionTo: member.unionId === null ? null : (unions.get(member.unionId) ?? null),
        pass: pass
          ? {
              id: pass.id,
              personId: pass.personId,
              isOfGroup: pass.groupId === group.id,
              isEnded: pass.endedAt !== null,
              usedAt: pass.usedAt,
              usedBy: pass.usedBy,
            }
          : null,
      }
    })
  const taken = new Set([...identified.values()].flatMap(each => each.personId ?? []))
  for (const [address, each] of identifyMembers(evidence, entitled, taken)) identified.set(address, each)
  return identified
}

async function entitledNames(rt: DomainRuntime, group: GroupWithUnit) {
  const { entitled } = await compositionOfGroup(rt, group)
  const names = await namesOfPersons(rt.db, [...entitled.keys()])
  return [...entitled.keys()].map(personId => ({ personId, name: names.get(personId) ?? '' }))
}

/** Codes that came with another account than the one they were made for, as findings for the owner. */
function misusesIn(
  group: GroupWithUnit,
  reading: Reading,
  identified: ReadonlyMap<string, Identified>,
): Finding[] {
  return reading.members.flatMap(member => {
    const { misuseOf } = identified.get(member.address) as Identified
    if (misuseOf === undefined) return []
    return {
      kind: 'pass_misused',
      groupId: group.id,
      unitId: null,
      personId: misuseOf,
      address: member.address,
      about: '',
      source: 'project assumption',
      details: { called: member.nickname },
    }
  })
}

/** Names of members go to who is asked about them: the owner while they stand on the roster, else who answers for the unit. */
async function tellAsked(rt: DomainRuntime, group: GroupWithUnit, opened: readonly Opened[]): Promise<void> {
  for (const askedId of new Set(opened.flatMap(each => each.askedId ?? []))) {
    const whys = opened.filter(each => each.askedId === askedId).map(each => each.why)
    await sendToPerson(
      rt,
      askedId,
      'task',
      [
        `【群成员】${group.name}（群号 ${group.id}）有 ${whys.length} 位成员对不上名册：`,
        ...whys.slice(0, 10).map(why => `· ${why}`),
        ...(askedId === group.ownerId ? [] : ['这个群没有在岗的群主，请您安排办理，并另定群主。']),
        '按规定入群要审核（名册之外的人请移出，或请本人向机器人发送“入群”说明身份）。移出后不用回复，系统会自己看到。发送“任务”可看全部。',
      ].join('\n'),
    )
  }
}

/** The owner in the client is the owner, once we know whose account it is: only theirs can confirm a mass task. */
async function followOwner(
  rt: DomainRuntime,
  group: GroupWithUnit,
  ownerAddress: string,
): Promise<GroupWithUnit> {
  const owner = await identityOf(rt.db, 'wecom', ownerAddress)
  if (!owner?.personId || owner.boundBy !== 'code' || owner.personId === group.ownerId) return group
  await giveTo(rt, group, owner.personId, null)
  await sendToPerson(
    rt,
    owner.personId,
    'task',
    `【群移交】“${group.name}”（群号 ${group.id}）已在企业微信里移交给您，今后它的通知和入群申请由您办理。`,
  )
  return { ...group, ownerId: owner.personId }
}

/** A group that nobody has registered: its owner is asked to claim it, once. */
async function noteUnclaimed(rt: DomainRuntime, chatId: string, reading: Reading): Promise<void> {
  const claimId = await upsertUnclaimedChat(rt.db, {
    chatId,
    name: reading.name,
    ownerAddress: reading.owner,
    size: reading.members.length,
    seenAt: rt.clock.now(),
  })
  const owner = await identityOf(rt.db, 'wecom', reading.owner)
  if (claimId === null || !owner) return
  await sendToIdentity(
    rt,
    owner.id,
    'task',
    `【新群】您新建了客户群“${reading.name}”，还没有登记。请回复：认领 ${claimId} 群类型（如：认领 ${claimId} 团青群），登记后才能收到通知、计入报表。`,
  )
}
