import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { type GroupWithUnit, groupsOwnedBy } from '../../../db/queries/groups.ts'
import { identitiesOf, lockIdentity } from '../../../db/queries/identities.ts'
import { personById } from '../../../db/queries/persons.ts'
import { unitById } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managersFor } from '../groups/managers.ts'
import { type Platform, platforms } from '../groups/register.ts'
import { leave } from '../identities/leave.ts'
import { renameAccount } from '../identities/rename.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import type { ContactEvent } from './types.ts'

/**
 * The corp's address book changed. Departments and tags mean nothing to us: who is what stands on the roster. A member
 * who was made says nothing either, for their account is bound by a code.
 * @see https://developer.work.weixin.qq.com/document/path/90970
 */
export async function noteContactChange(rt: DomainRuntime, event: ContactEvent): Promise<void> {
  if (event.change === 'user_deleted') await memberLeft(rt, event)
  else if (event.change === 'user_updated' && event.newUserId && event.newUserId !== event.id)
    await nameChanged(rt, event.id, event.newUserId, event.at)
}

/** Whoever had the new userid before is not in the corp under it any more, and nobody told us. */
async function nameChanged(rt: DomainRuntime, from: string, to: string, at: Date): Promise<void> {
  const former = await renameAccount(rt, 'wecom', from, to, at)
  if (former !== null) await askForSuccessors(rt, former)
}

async function memberLeft(rt: DomainRuntime, event: ContactEvent): Promise<void> {
  const account = await lockIdentity(rt.db, 'wecom', event.id)
  if (!account) return
  const personId = await leave(rt, account, event.at, 'left_corp')
  if (personId !== null) await askForSuccessors(rt, personId)
}

/**
 * The groups of somebody who left need another owner: those that live in WeCom in any case, ordinary ones when the person
 * cannot be written to any more. Those who answer for the groups are asked; the owner stays the owner until they do.
 */
async function askForSuccessors(rt: DomainRuntime, personId: number): Promise<void> {
  const isStillReached = (await identitiesOf(rt.db, personId)).some(account => account.isReachable)
  const groups = (await groupsOwnedBy(rt.db, personId)).filter(
    group => group.platform !== 'wechat' || !isStillReached,
  )
  const byManager = new Map<number, GroupWithUnit[]>()
  const orphans: GroupWithUnit[] = []
  for (const group of groups) {
    const managers = await managersBut(rt, group, personId)
    if (managers.length === 0) orphans.push(group)
    for (const manager of managers) byManager.set(manager, [...(byManager.get(manager) ?? []), group])
  }
  const name = (await personById(rt.db, personId))?.name ?? ''
  for (const [manager, theirs] of byManager)
    await sendToPerson(
      rt,
      manager,
      'task',
      [
        `【请换群主】${name}已离开企业微信，名下的群要有人接管：`,
        ...theirs.map(
          group => `· ${group.name}（群号 ${group.id}，${platforms[group.platform as Platform]}）`,
        ),
        '客户群请先由企业微信管理员在后台“客户联系 → 离职继承”分配；然后逐个回复：换群主 群号 姓名',
      ].join('\n'),
    )
  if (orphans.length > 0)
    await raiseAlarm(
      rt.db,
      'group:owner-left',
      `有群的群主离开了企业微信，名册上又没有可以接管的负责同志。请补上名册，再由其安排新群主。群号：${orphans.map(group => group.id).join('、')}`,
      rt.clock.now(),
    )
}

/** Who answers for a group besides the person who left: where they did so themselves, those of the unit above. */
async function managersBut(rt: DomainRuntime, group: GroupWithUnit, personId: number): Promise<number[]> {
  for (let unitId: number | null = group.unitId; unitId !== null; ) {
    const managers = await managersFor(rt, { unitId, programme: group.programme })
    const others = managers.filter(manager => manager !== personId)
    if (others.length > 0) return others
    unitId = (await unitById(rt.db, unitId))?.parentId ?? null
  }
  return []
}
