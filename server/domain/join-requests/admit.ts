import { randomBytes } from 'node:crypto'
import {
  type GroupWithUnit,
  groupsOwnedBy,
  insertJoinPass,
  insertMember,
  openTask,
} from '../../../db/queries/groups.ts'
import { bindIdentity, identityById } from '../../../db/queries/identities.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { accountsOf } from '../../../db/queries/roster.ts'
import { isAdministrator } from '../../../db/queries/sessions.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { askPlatform, sendToPerson } from '../outgoing/enqueue.ts'

/** Days that an owner has to let somebody in by hand. Source: project assumption. */
const TASK_DAYS = 1

/**
 * Lets an approved person in: hands out the way into the group, and notes whose account this is.
 *
 * A customer group gets a join way with a `state` of its own for the person, so that a code that is passed on is
 * noticed. Where there is no code the owner is asked to pull the person in.
 * @returns what to tell the person, in Chinese
 */
export async function admitPerson(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  identityId: number,
): Promise<string> {
  const now = rt.clock.now()
  await bindUnlessOfficer(rt, personId, identityId, now)
  const person = await personById(rt.db, personId)
  const name = person?.name ?? ''
  if (group.size >= group.capacity) {
    if (group.ownerId !== null)
      await sendToPerson(
        rt,
        group.ownerId,
        'task',
        `【群已满】${name}已通过“${group.name}”的入群审核，但群已有 ${group.size} 人（上限 ${group.capacity}）。请清理不再任职的成员，或另建一个群并登记。`,
      )
    return `审核通过。“${group.name}”已满员，已经告诉群主处理，请稍候。`
  }
  if (group.platform === 'customer' && group.chatId) {
    await insertJoinPass(rt.db, {
      groupId: group.id,
      personId,
      state: randomBytes(12).toString('base64url'),
      createdAt: now,
    })
    await askPlatform(rt, { kind: 'join_pass', groupId: group.id, personId, identityId })
    return `审核通过。您的专属入群码马上发来（只供您本人使用），入群后请把群昵称改为“${nicknameFor(group, name)}”。`
  }
  await insertMember(rt.db, {
    groupId: group.id,
    personId,
    address: null,
    nickname: null,
    knownBy: 'join_request',
    joinedAt: now,
  })
  if (group.joinCode)
    return `审核通过。入群方式：${group.joinCode}\n入群后请把群昵称改为“${nicknameFor(group, name)}”。`
  await openTask(rt.db, {
    kind: 'invite_member',
    groupId: group.id,
    personId,
    why: `${name}：已通过审核，请拉入群`,
    dueOn: dayOf(new Date(now.getTime() + TASK_DAYS * 86_400_000)),
    createdAt: now,
  })
  if (group.ownerId !== null)
    await sendToPerson(
      rt,
      group.ownerId,
      'task',
      `【请拉人入群】${name}已通过“${group.name}”（群号 ${group.id}）的审核，请拉入群，群昵称请其改为“${nicknameFor(group, name)}”。办好后发送“任务”查看编号，回复“完成 编号”。`,
    )
  return `审核通过。已经请群主${group.ownerName ?? ''}拉您入群，入群后请把群昵称改为“${nicknameFor(group, name)}”。`
}

/** 单位-姓名, as the groups are asked to have it. Source: project assumption. */
function nicknameFor(group: GroupWithUnit, name: string): string {
  return `${group.unitName}-${name}`
}

/**
 * Binds the account to the person, unless the person runs a unit, owns a group, looks after the server, or the account or person is bound already: officers
 * and owners are bound by a code from above only, because their accounts carry rights.
 */
async function bindUnlessOfficer(
  rt: DomainRuntime,
  personId: number,
  identityId: number,
  now: Date,
): Promise<void> {
  const identity = await identityById(rt.db, identityId)
  if (!identity || identity.personId !== null) return
  const roles = await rolesOf(rt.db, personId)
  if (roles.some(role => rt.templates.role(role.programme, role.role).manages)) return
  if ((await groupsOwnedBy(rt.db, personId)).length > 0) return
  if (await isAdministrator(rt.db, personId)) return
  if ((await accountsOf(rt.db, identity.channel, [personId])).length > 0) return
  await bindIdentity(rt.db, identityId, personId, 'join_request', now)
}
