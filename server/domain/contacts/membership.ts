import { contactsOf, isMemberOf, officesOf } from '../../../db/queries/contacts.ts'
import { type GroupWithUnit, groupsOfUnit, openTask } from '../../../db/queries/groups.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { unitById } from '../../../db/queries/units.ts'
import { addDays, dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { standingOwner } from '../groups/managers.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { contactRulesOf } from './rules.ts'

/** Days in which a branch's group follows a change of its contacts. Source: project assumption. */
const TASK_DAYS = 1

/** Whether somebody is of an office whose people keep contact with branches. */
export async function mayKeepContact(
  rt: DomainRuntime,
  personId: number,
  office: { id: number; programme: string },
): Promise<boolean> {
  const rules = contactRulesOf(rt.templates, office.programme)
  if (!rules) return false
  return (await officesOf(rt.db, personId, rules.scope)).some(each => each.id === office.id)
}

/**
 * A branch's groups follow its contacts: who is one now is told the way in, or the owner is asked to invite them; who is
 * one no longer, and nothing else there, is to leave.
 */
export async function askContactsIn(rt: DomainRuntime, personId: number, unitId: number): Promise<void> {
  const unit = await unitById(rt.db, unitId)
  const rules = unit && contactRulesOf(rt.templates, unit.programme)
  if (!unit || !rules) return
  const groups = (await groupsOfUnit(rt.db, unitId)).filter(group =>
    rules.scope.groupKinds.includes(group.kind),
  )
  const isContact = (await contactsOf(rt.db, personId)).some(each => each.unitId === unitId)
  const isOfCounty = (await rolesOf(rt.db, personId)).some(
    role => role.unitId === unitId || role.unitId === unit.parentId,
  )
  for (const group of groups) {
    if (group.ownerId === personId) continue
    const isMember = await isMemberOf(rt.db, group.id, personId)
    if (isContact && !isMember) await askIn(rt, group, personId)
    else if (!isContact && !isOfCounty && isMember) await askOut(rt, group, personId)
  }
}

async function askIn(rt: DomainRuntime, group: GroupWithUnit, personId: number): Promise<void> {
  const isBound = (await identitiesOf(rt.db, personId)).some(
    account => account.isReachable && account.boundBy === 'code',
  )
  if (isBound && (group.chatId || group.joinCode)) {
    const way = group.chatId ? `回复“入群 ${group.id}”领取您的入群码` : `入群方式：${group.joinCode}`
    await sendToPerson(
      rt,
      personId,
      'task',
      `【1+100】您长期联系${group.unitName}，请加入“${group.name}”，主动了解志愿者的工作、生活和思想动态。${way}`,
    )
    return
  }
  await ask(rt, group, personId, 'contact_absent', '长期联系本支部（1+100），请拉入群')
}

function askOut(rt: DomainRuntime, group: GroupWithUnit, personId: number): Promise<void> {
  return ask(rt, group, personId, 'remove_member', '不再联系本支部（1+100），请移出')
}

async function ask(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  kind: string,
  why: string,
): Promise<void> {
  const now = rt.clock.now()
  const person = await personById(rt.db, personId)
  const owner = await standingOwner(rt, group)
  const taskId = await openTask(rt.db, {
    kind,
    groupId: group.id,
    personId,
    why: `${person?.name ?? ''}：${why}`,
    source: '全国项目办发〔2018〕1号 三.4',
    dueOn: addDays(dayOf(now), TASK_DAYS),
    askedId: owner,
    toldAt: owner === null ? null : now,
    createdAt: now,
  })
  if (taskId === null || owner === null) return
  await sendToPerson(
    rt,
    owner,
    'task',
    `【1+100】${group.name}（群号 ${group.id}）：${person?.name ?? ''}${why}。办好后请回复：完成 ${taskId}`,
  )
}
