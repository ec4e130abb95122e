import { randomBytes } from 'node:crypto'
import {
  type GroupWithUnit,
  groupById,
  insertJoinPass,
  insertMember,
  openTask,
} from '../../../db/queries/groups.ts'
import { countAttempt, identitiesOf } from '../../../db/queries/identities.ts'
import { endPasses, groupWithRoom } from '../../../db/queries/join-passes.ts'
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
import { askPlatform, sendCard, sendToPerson } from '../outgoing/enqueue.ts'
import { admission, kindPolicy, nicknameIn } from './admission.ts'

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
  const hasBound = await bindPlainPerson(rt.db, identityId, personId, managingPairs(rt.templates), now)
  const name = (await personById(rt.db, personId))?.name ?? ''
  const roomIn = await groupWithRoom(rt.db, group, kindPolicy(group.programme, group.kind).movesOn)
  const into = roomIn === group.id ? group : roomIn === null ? null : await groupById(rt.db, roomIn)
  const note = (step: string, effects: StepEffects) =>
    insertStep(rt.db, { requestId, step, at: now, personId, reason, seen: [], effects })
  if (!into && admitted.isWaiting) return null
  if (!into) {
    await changeRequest(rt.db, requestId, 'approved', { awaitsRoomSince: now })
    await note('awaits_room', { hasBound })
    await tellFull(rt, group, now)
    return `审核通过。“${group.name}”已满员，已经告诉群主；有空位时会自动把入群方式发给您，不用再申请。`
  }
  await changeRequest(rt.db, requestId, 'approved', { awaitsRoomSince: null, admittedTo: into.id })
  await note('admitted', { hasBound, groupId: into.id })
  const moved = into.id === group.id ? '' : `“${group.name}”已满员，请进同一单位的“${into.name}”。`
  return `审核通过。${moved}${await handOver(rt, into, { personId, identityId, name })}`
}

/** The way in, by what the platform allows. @returns the rest of what to tell the person */
async function handOver(
  rt: DomainRuntime,
  group: GroupWithUnit,
  { personId, identityId, name }: { personId: number; identityId: number; name: string },
): Promise<string> {
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
    return `您的专属入群码马上发来（只供您本人使用，${admission.pass.days} 天内有效），入群后请把群昵称改为“${nickname}”。`
  }
  await insertMember(rt.db, {
    groupId: group.id,
    personId,
    address: null,
    nickname: null,
    knownBy: 'join_request',
    joinedAt: now,
  })
  if (group.platform === 'appchat' && group.chatId && (await isMemberOfCorp(rt, personId))) {
    await askPlatform(rt, { kind: 'add_to_appchat', groupId: group.id, personId })
    return `系统马上把您加进群，在企业微信里就能看到。入群后请把群昵称改为“${nickname}”。`
  }
  if (group.joinCode) return `入群方式：${group.joinCode}\n入群后请把群昵称改为“${nickname}”。`
  await askInvitation(rt, group, personId, name)
  return `已经请群主${group.ownerName ?? ''}拉您入群，入群后请把群昵称改为“${nickname}”。`
}

/** Whether the person is known by an account of the corp; ids of people from outside begin with wm or wo. */
async function isMemberOfCorp(rt: DomainRuntime, personId: number): Promise<boolean> {
  const accounts = await identitiesOf(rt.db, personId)
  return accounts.some(({ channel, address }) => channel === 'wecom' && !/^w[mo]/.test(address))
}

/** Where nobody but the owner can let the person in: the name, the nickname to set, and one tap to say done. */
async function askInvitation(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  name: string,
): Promise<void> {
  const now = rt.clock.now()
  const nickname = nicknameIn(group, name)
  const taskId = await openTask(rt.db, {
    kind: 'invite_member',
    groupId: group.id,
    personId,
    why: `${name}：已通过审核，请拉入群，群昵称请改为“${nickname}”`,
    dueOn: dayOf(new Date(now.getTime() + admission.invitation.days * DAY_MS)),
    createdAt: now,
  })
  if (taskId === null || group.ownerId === null) return
  await sendCard(
    rt,
    group.ownerId,
    'task',
    {
      about: { kind: 'task', id: taskId },
      title: `【请拉人入群】${name}`,
      description: '已按规定通过入群审核。拉进群后点一下“已拉入群”。',
      rows: [
        { name: '群', value: group.name },
        { name: '姓名', value: name },
        { name: '群昵称', value: nickname },
      ],
      buttons: [{ text: '已拉入群', isMain: true, command: `完成 ${taskId}` }],
    },
    `【请拉人入群】${name}已通过“${group.name}”（群号 ${group.id}）的审核，请拉入群，群昵称请其改为“${nickname}”。办好后回复：完成 ${taskId}`,
  )
}

/** The owner of a full group is told once a day, with how many wait. */
async function tellFull(rt: DomainRuntime, group: GroupWithUnit, now: Date): Promise<void> {
  if (group.ownerId === null) return
  if ((await countAttempt(rt.db, `full:${group.id}`, now, DAY_MS)) > 1) return
  const waiting = await countAwaitingRoom(rt.db, group.id)
  await sendToPerson(
    rt,
    group.ownerId,
    'task',
    `【群已满】“${group.name}”有 ${group.size} 人（上限 ${group.capacity}），${waiting} 位已通过审核的同志在等空位。请移出不再任职的成员，或另建一个同类的群并登记；有空位后系统自动放行，不用再审。`,
  )
}
