import { randomBytes } from 'node:crypto'
import { type GroupWithUnit, groupById, insertJoinPass, openTask } from '../../../db/queries/groups.ts'
import { countAttempt, identitiesOf } from '../../../db/queries/identities.ts'
import { endPasses, groupWithRoom, noteApproved } from '../../../db/queries/join-passes.ts'
import {
  bindPlainPerson,
  changeRequest,
  countAwaitingRoom,
  insertStep,
  type StepEffects,
} from '../../../db/queries/join-requests.ts'
import { personById } from '../../../db/queries/persons.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managingPairs } from '../groups/managers.ts'
import type { ActionCard } from '../outgoing/card.ts'
import { askPlatform, sendCard, sendToPerson } from '../outgoing/enqueue.ts'
import { admission, kindPolicy, nicknameIn } from './admission.ts'
import { firstReviewers } from './ask-review.ts'
import { termsOf } from './terms.ts'

const DAY_MS = 86_400_000

/** An approved request on its way into a group. */
export interface Admission {
  requestId: number
  /** The group asked for. */
  group: GroupWithUnit
  personId: number
  identityId: number
  reason: string
  /** It waits for room already: where there is none it goes on waiting, and nothing is said. */
  isWaiting?: boolean
}

/**
 * Lets an approved person in: notes whose account this is and hands out the way into the group, or into the next one of its
 * kind at the same unit when it is full. Where all are full the request waits, and is taken up when there is room.
 * @returns what to tell the person, in Chinese; null: it waits as before
 */
export async function admitPerson(
  rt: DomainRuntime,
  admitted: Admission & { isWaiting: true },
): Promise<string | null>
export async function admitPerson(rt: DomainRuntime, admitted: Admission): Promise<string>
export async function admitPerson(rt: DomainRuntime, admitted: Admission): Promise<string | null> {
  const { requestId, group, personId, identityId, reason } = admitted
  const now = rt.clock.now()
  const name = (await personById(rt.db, personId))?.name ?? ''
  const roomIn = await groupWithRoom(rt.db, group, kindPolicy(group.programme, group.kind).movesOn)
  const into = roomIn === group.id ? group : roomIn === null ? null : await groupById(rt.db, roomIn)
  const note = (step: string, effects: StepEffects) =>
    insertStep(rt.db, { requestId, step, at: now, personId, reason, seen: [], effects })
  if (!into && admitted.isWaiting) return null
  const hasBound = await bindPlainPerson(rt.db, identityId, personId, managingPairs(rt.templates), now)
  if (!into) {
    await changeRequest(rt.db, requestId, 'approved', { awaitsRoomSince: now })
    await note('awaits_room', { hasBound, terms: await termsOf(rt, group, personId) })
    await tellFull(rt, group, now)
    return `审核通过。“${group.name}”已满员，已经告诉群主；有空位时会自动把入群方式发给您，不用再申请。`
  }
  await changeRequest(rt.db, requestId, 'approved', { awaitsRoomSince: null, admittedTo: into.id })
  const { words, member } = await handOver(rt, into, { personId, identityId, name })
  await note('admitted', { hasBound, groupId: into.id, ...(member && { member }) })
  const moved = into.id === group.id ? '' : `“${group.name}”已满员，请进同一单位的“${into.name}”。`
  return `审核通过。${moved}${words}`
}

/** The way in, by what the platform allows. @returns the rest of what to tell the person, and the membership noted */
async function handOver(
  rt: DomainRuntime,
  group: GroupWithUnit,
  who: { personId: number; identityId: number; name: string },
): Promise<{ words: string; member: StepEffects['member'] | null }> {
  const { personId, identityId, name } = who
  const now = rt.clock.now()
  const nickname = nicknameIn(group, name)
  if (group.platform === 'customer' && group.chatId) {
    // one that was lost or ran out is good for nobody any more
    await endPasses(rt.db, { personId, groupId: group.id }, 'replaced', now)
    await insertJoinPass(rt.db, {
      groupId: group.id,
      personId,
      identityId,
      state: randomBytes(12).toString('base64url'),
      createdAt: now,
      expiresAt: new Date(now.getTime() + admission.pass.days * DAY_MS),
    })
    await askPlatform(rt, { kind: 'join_pass', groupId: group.id, personId, identityId })
    const words = `您的专属入群码马上发来（只供您本人使用，${admission.pass.days} 天内有效），入群后请把群昵称改为“${nickname}”。`
    return { words, member: null }
  }
  const noted = await noteApproved(rt.db, group.id, personId, now)
  return {
    words: `${await tellWay(rt, group, personId, name)}入群后请把群昵称改为“${nickname}”。`,
    member: noted && { id: noted.memberId, was: noted.was },
  }
}

/** Into a group that has no join codes of one's own. @returns what to tell the person, to which the nickname is added */
async function tellWay(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  name: string,
): Promise<string> {
  if (group.platform === 'appchat' && group.chatId && (await isMemberOfCorp(rt, personId))) {
    await askPlatform(rt, { kind: 'add_to_appchat', groupId: group.id, personId })
    return '系统马上把您加进群，在企业微信里就能看到。'
  }
  if (group.joinCode) return `入群方式：${group.joinCode}\n`
  const asked = await askInvitation(rt, group, personId, name)
  return `已经请${asked === 'owner' ? `群主${group.ownerName ?? ''}` : '本单位负责同志'}拉您入群，`
}

/** Whether the person is known by an account of the corp; ids of people from outside begin with wm or wo. */
async function isMemberOfCorp(rt: DomainRuntime, personId: number): Promise<boolean> {
  const accounts = await identitiesOf(rt.db, personId)
  return accounts.some(({ channel, address }) => channel === 'wecom' && !/^w[mo]/.test(address))
}

/**
 * Where nobody but the owner can let the person in: the name, the nickname to set, and one tap to say done. An owner who has
 * gone from the roster is told no names: whoever answers for the unit is.
 * @returns who was asked
 */
async function askInvitation(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  name: string,
): Promise<'owner' | 'unit'> {
  const now = rt.clock.now()
  const nickname = nicknameIn(group, name)
  const reviewers = await firstReviewers(rt, group)
  const asked = reviewers?.unitId === null ? 'owner' : 'unit'
  const taskId = await openTask(rt.db, {
    kind: 'invite_member',
    groupId: group.id,
    personId,
    why: `${name}：已通过审核，请拉入群，群昵称请改为“${nickname}”`,
    dueOn: dayOf(new Date(now.getTime() + admission.invitation.days * DAY_MS)),
    askedId: reviewers?.personIds[0] ?? null,
    createdAt: now,
  })
  if (taskId === null) return asked
  const card: ActionCard = {
    about: { kind: 'task', id: taskId },
    title: `【请拉人入群】${name}`,
    description: '已按规定通过入群审核。拉进群后点一下“已拉入群”。',
    rows: [
      { name: '群', value: group.name },
      { name: '姓名', value: name },
      { name: '群昵称', value: nickname },
    ],
    buttons: [{ text: '已拉入群', isMain: true, command: `完成 ${taskId}` }],
  }
  const slip = `【请拉人入群】${name}已通过“${group.name}”（群号 ${group.id}）的审核，请拉入群，群昵称请其改为“${nickname}”。办好后回复：完成 ${taskId}`
  for (const each of reviewers?.personIds ?? []) await sendCard(rt, each, 'task', card, slip)
  return asked
}

/** The owner of a full group, or whoever answers for its unit, is told once a day, with how many wait. */
async function tellFull(rt: DomainRuntime, group: GroupWithUnit, now: Date): Promise<void> {
  const reviewers = await firstReviewers(rt, group)
  if (!reviewers) return
  if ((await countAttempt(rt.db, `full:${group.id}`, now, DAY_MS)) > 1) return
  const waiting = await countAwaitingRoom(rt.db, group.id)
  const words = `【群已满】“${group.name}”有 ${group.size} 人（上限 ${group.capacity}），${waiting} 位已通过审核的同志在等空位。请移出不再任职的成员，或另建一个同类的群并登记；有空位后系统自动放行，不用再审。`
  for (const personId of reviewers.personIds) await sendToPerson(rt, personId, 'task', words)
}
