import { type GroupWithUnit, groupsOwnedBy } from '../../../db/queries/groups.ts'
import {
  everRolesIn,
  type HandOverRow,
  handOverById,
  insertHandOver,
  insertHandOverItems,
  lockOpenHandOver,
  moveContacts,
  moveTasks,
  openWorkOf,
  unitsManagedBy,
  updateHandOver,
} from '../../../db/queries/hand-overs.ts'
import { identitiesOf, releaseUnvouched } from '../../../db/queries/identities.ts'
import { openDeliveriesOf } from '../../../db/queries/notices.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { setManager, type UnitRow } from '../../../db/queries/units.ts'
import { addDays, dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { isInLine, type KnownActor, managesGroup, managesUnit } from '../actor.ts'
import { askContactsIn, mayKeepContact } from '../contacts/membership.ts'
import { giveTo } from '../groups/register.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { handOverRules, stepsFor } from './policy.ts'
import { closeIfDone } from './tick.ts'

export interface HandOverInput {
  unit: UnitRow
  /** Who gives: somebody who is or was something in the unit. */
  fromId: number
  /** Who takes: somebody on the roster in the unit's line. */
  toId: number
}

/**
 * Hands over what somebody has charge of in a unit and below it: groups with their notices, requests and tasks, the duty of
 * its manager (专人), 1+100 branches. What no program can do becomes a checklist of the one who takes over.
 *
 * Nothing is given that could not be given one by one: the actor runs the unit, a group goes only to somebody in its
 * line (`changeOwner`), the manager's duty only to somebody of that very unit (`appointManager`), a branch only to somebody
 * of the same office. An account that is bound by less than a code lets go of who takes over.
 * @throws DomainError `rights.missing`, `person.unknown`, `hand_over.same`, `hand_over.open`
 */
export async function startHandOver(
  rt: DomainRuntime,
  actor: KnownActor,
  { unit, fromId, toId }: HandOverInput,
): Promise<HandOverRow> {
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`办理${unit.name}的交接`)
  if (fromId === toId) throw new DomainError('hand_over.same', '交出和接手的是同一个人，请另选一位。')
  const takes = await rolesOf(rt.db, toId)
  if (!takes.some(role => role.programme === unit.programme && isInLine(role, { unitPath: unit.path })))
    throw new DomainError(
      'person.unknown',
      `接手的同志要在${unit.name}或它的上级、下级单位的名册上。请核对，或先更新名册。`,
    )
  const was = await everRolesIn(rt.db, fromId, unit.id)
  if (was.length === 0)
    throw new DomainError('person.unknown', `${unit.name}的名册里没有过这位同志，没有可交接的。`)
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const open = await lockOpenHandOver(tx.db, unit.id, fromId)
    if (open?.status === 'open')
      throw new DomainError('hand_over.open', `这位同志在${unit.name}的交接已经开始了（编号 ${open.id}）。`)
    const set = {
      toId,
      status: 'open',
      startedBy: actor.person.id,
      startedAt: now,
      dueOn: addDays(dayOf(now), handOverRules.doneWithinDays.value),
      askedAt: null,
    }
    const id = open?.id ?? (await insertHandOver(tx.db, { unitId: unit.id, fromId, createdAt: now, ...set }))
    if (open) await updateHandOver(tx.db, id, set)
    const isOffice = was.some(role => tx.templates.role(unit.programme, role.role).manages)
    const items = await move(tx, actor, { unit, fromId, toId }, takes, isOffice)
    await insertHandOverItems(
      tx.db,
      items.map(item => ({ handOverId: id, groupId: null, count: 0, ...item })),
    )
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'hand_over.started',
      subjectKind: 'person',
      subjectId: fromId,
      details: { unitId: unit.id, to: toId, handOver: id },
    })
    await closeIfDone(tx, id)
    const started = (await handOverById(tx.db, id)) as HandOverRow
    await tell(tx, started, items)
    return started
  })
}

interface Item {
  kind: string
  isByHand: boolean
  groupId?: number
  count?: number
}

type Roles = Awaited<ReturnType<typeof rolesOf>>

/** Moves what the system can move. @returns the checklist */
async function move(
  rt: DomainRuntime,
  actor: KnownActor,
  { unit, fromId, toId }: HandOverInput,
  takes: Roles,
  isOffice: boolean,
): Promise<Item[]> {
  const owned = (await groupsOwnedBy(rt.db, fromId)).filter(
    group => isInLine({ unitPath: unit.path }, group) && managesGroup(rt.templates, actor, group),
  )
  const [moved, left] = parted(owned, group => takes.some(role => isInLine(role, group)))
  const relays = (await openDeliveriesOf(rt.db, fromId)).filter(each =>
    moved.some(group => group.id === each.groupId),
  ).length
  const work = await openWorkOf(
    rt.db,
    moved.map(group => group.id),
  )
  for (const group of moved) await giveTo(rt, group, toId, actor.person.id)
  await moveTasks(rt.db, {
    fromId,
    toId,
    groupIds: moved.map(group => group.id),
    unitPath: unit.path,
  })
  const duties = await moveDuties(rt, actor, { unit, fromId, toId }, takes)
  const branches = await moveBranches(rt, actor, { unit, fromId, toId })
  const counted: [string, number][] = [
    ['groups', moved.length],
    ['relays', relays],
    ['requests', work.requests],
    ['tasks', work.tasks],
    ['manager', duties.moved],
    ['contacts', branches],
  ]
  return [
    ...counted.filter(([, count]) => count > 0).map(([kind, count]) => ({ kind, isByHand: false, count })),
    ...moved.flatMap(group => steps(stepsFor('group', group.platform), group)),
    ...left.flatMap(group => steps(stepsFor('group-left'), group)),
    ...(duties.left > 0 ? steps(stepsFor('manager-left')) : []),
    ...(isOffice ? steps(stepsFor('office')) : []),
  ]
}

function steps(kinds: string[], group?: GroupWithUnit): Item[] {
  return kinds.map(kind => ({ kind, isByHand: true, ...(group ? { groupId: group.id } : {}) }))
}

function parted<Each>(list: Each[], isFirst: (each: Each) => boolean): [Each[], Each[]] {
  return [list.filter(isFirst), list.filter(each => !isFirst(each))]
}

/** 专人 of the unit and those below it: only somebody of the very unit can be. */
async function moveDuties(
  rt: DomainRuntime,
  actor: KnownActor,
  { unit, fromId, toId }: HandOverInput,
  takes: Roles,
): Promise<{ moved: number; left: number }> {
  const managed = await unitsManagedBy(rt.db, fromId, unit.path)
  const [mine, others] = parted(managed, each => takes.some(role => role.unitId === each.id))
  for (const each of mine) {
    await setManager(rt.db, each.id, toId)
    await appendAudit(rt.db, {
      at: rt.clock.now(),
      actorId: actor.person.id,
      action: 'unit.manager_appointed',
      subjectKind: 'unit',
      subjectId: each.id,
      details: { from: fromId, to: toId },
    })
  }
  if (mine.length > 0) await releaseUnvouched(rt.db, [toId])
  return { moved: mine.length, left: others.length }
}

/** 1+100 branches of the office, where the one who takes over is of it. @returns how many */
async function moveBranches(
  rt: DomainRuntime,
  actor: KnownActor,
  { unit, fromId, toId }: HandOverInput,
): Promise<number> {
  if (!(await mayKeepContact(rt, toId, unit))) return 0
  const unitIds = await moveContacts(rt.db, {
    fromId,
    toId,
    officeId: unit.id,
    actorId: actor.person.id,
    today: dayOf(rt.clock.now()),
  })
  for (const unitId of unitIds) {
    await askContactsIn(rt, toId, unitId)
    await askContactsIn(rt, fromId, unitId)
  }
  return unitIds.length
}

async function tell(rt: DomainRuntime, started: HandOverRow, items: Item[]): Promise<void> {
  const byHand = items.filter(item => item.isByHand).length
  const groups = items.find(item => item.kind === 'groups')?.count ?? 0
  const due = `${Number(started.dueOn.slice(5, 7))}月${Number(started.dueOn.slice(8))}日`
  await sendToPerson(
    rt,
    started.toId as number,
    'task',
    [
      `【交接】${started.unitName}${started.fromName}的工作交由您接手${groups > 0 ? `，${groups} 个群的通知、申请和待办今后由您办理` : ''}。`,
      byHand > 0
        ? `还有 ${byHand} 件事系统办不了，请在${due}前办好并逐项点“已办好”：${rt.publicUrl}/me/hand-overs/${started.id}，或发送“交接”看清单。`
        : '系统里的都移交好了，没有要手工办的。',
    ].join('\n'),
  )
  if ((await identitiesOf(rt.db, started.fromId)).length === 0) return
  const to = await personById(rt.db, started.toId as number)
  await sendToPerson(
    rt,
    started.fromId,
    'task',
    `【交接】您在${started.unitName}的工作交由${to?.name ?? ''}接手。请把微信群的群主、公众号管理员和工作文件移交给对方，谢谢您一直以来的工作。`,
  )
}
