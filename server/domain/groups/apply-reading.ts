import {
  closeTasksAbout,
  type GroupWithUnit,
  groupByChat,
  insertMember,
  joinPassByState,
  membersOf,
  openTask,
  updateGroup,
  updateJoinPass,
  updateMember,
  upsertUnclaimedChat,
} from '../../../db/queries/groups.ts'
import { identityOf } from '../../../db/queries/identities.ts'
import { personById } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToIdentity, sendToPerson } from '../outgoing/enqueue.ts'
import { entitledPersons } from './composition.ts'
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
  }[]
}

/** Days that an owner has to remove somebody. Source: project assumption. */
const TASK_DAYS = 1

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
  const present = new Map(reading.members.map(member => [member.address, member]))
  const known = await membersOf(rt.db, group.id)

  for (const member of known) {
    if (member.address === null || present.has(member.address)) continue
    await updateMember(rt.db, member.id, { leftAt: now })
    await closeTasksAbout(
      rt.db,
      {
        groupId: group.id,
        kinds: ['remove_member', 'identify_member'],
        personId: member.personId,
        address: member.address,
      },
      'reading',
      now,
    )
  }

  const before = new Map(known.map(member => [member.address, member]))
  const isAudited = rt.templates.groupKind(group.programme, group.kind).admission === 'audited'
  const entitled = isAudited
    ? new Set((await entitledPersons(rt, group)).map(person => person.personId))
    : null
  const asked: string[] = []
  const named = new Set(known.filter(each => present.has(each.address ?? '')).map(each => each.personId))
  for (const member of reading.members) {
    const earlier = before.get(member.address)
    const who = earlier?.personId
      ? { personId: earlier.personId, knownBy: earlier.knownBy }
      : await identify(rt, group, member, now)
    if (!earlier) {
      await insertMember(rt.db, {
        groupId: group.id,
        personId: who.personId,
        address: member.address,
        nickname: member.nickname,
        knownBy: who.knownBy,
        joinedAt: member.joinedAt,
      })
    } else if (who.personId !== earlier.personId && !named.has(who.personId)) {
      // somebody's second account stays unnamed: a person is in a group once
      await updateMember(rt.db, earlier.id, { personId: who.personId, knownBy: who.knownBy })
    }
    if (!entitled) continue
    const belongs = who.personId !== null && (entitled.has(who.personId) || who.personId === group.ownerId)
    if (who.personId !== null)
      await closeTasksAbout(
        rt.db,
        {
          groupId: group.id,
          kinds: ['invite_member', 'identify_member', ...(belongs ? ['remove_member'] : [])],
          personId: who.personId,
          address: member.address,
        },
        'reading',
        now,
      )
    if (belongs) continue
    const why = await askAbout(rt, group, member, who.personId, now)
    if (why) asked.push(why)
  }
  await updateGroup(rt.db, group.id, {
    size: reading.members.length,
    memberVersion: reading.version,
    name: reading.name || group.name,
  })
  if (asked.length > 0 && group.ownerId !== null) {
    const lines = asked.slice(0, 10).map(line => `· ${line}`)
    await sendToPerson(
      rt,
      group.ownerId,
      'task',
      [
        `【群成员】${group.name}（群号 ${group.id}）有 ${asked.length} 位成员对不上名册：`,
        ...lines,
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

/** Who a member is: by their own join code first, then by the account bound to a person. */
async function identify(
  rt: DomainRuntime,
  group: GroupWithUnit,
  member: Reading['members'][number],
  now: Date,
): Promise<{ personId: number | null; knownBy: string | null }> {
  const identity = await identityOf(rt.db, 'wecom', member.address)
  if (member.state) {
    const pass = await joinPassByState(rt.db, member.state)
    // a code that was used before, or comes with somebody else's account, has been passed on: it proves nothing
    const isTheirs = !identity?.personId || identity.personId === pass?.personId
    if (pass && pass.groupId === group.id && pass.usedAt === null && isTheirs) {
      await updateJoinPass(rt.db, pass.id, { usedAt: now })
      await appendAudit(rt.db, {
        at: now,
        actorId: null,
        action: 'member.joined',
        subjectKind: 'person',
        subjectId: pass.personId,
        details: { groupId: group.id, knownBy: 'join_pass' },
      })
      return { personId: pass.personId, knownBy: 'join_pass' }
    }
  }
  return identity?.personId
    ? { personId: identity.personId, knownBy: 'binding' }
    : { personId: null, knownBy: null }
}

/** Opens the owner's task about a member who does not belong; null when it is open already. */
async function askAbout(
  rt: DomainRuntime,
  group: GroupWithUnit,
  member: Reading['members'][number],
  personId: number | null,
  now: Date,
): Promise<string | null> {
  const person = personId === null ? null : await personById(rt.db, personId)
  const called = person?.name ?? (member.nickname || '未填群昵称的成员')
  const why = person
    ? `${called}：不在本群应有成员之列，请移出`
    : `${called}：认不出是谁，请核实，不是名册上的人请移出`
  const opened = await openTask(rt.db, {
    kind: person ? 'remove_member' : 'identify_member',
    groupId: group.id,
    personId,
    address: member.address,
    why,
    dueOn: dayOf(new Date(now.getTime() + TASK_DAYS * 86_400_000)),
    createdAt: now,
  })
  return opened === null ? null : why
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
