import { lockNoticeDraft } from '../../../db/queries/notice-drafts.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  lockWorkSchedule,
  putWorkSchedule,
  type ScheduledStep,
  stepsOfSchedules,
  type WorkSchedule,
  workScheduleById,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { mayApprove } from '../notices/approval.ts'
import { absentActor } from '../notices/author.ts'
import { checkOutgoing } from '../notices/check.ts'
import { dropDraft } from '../notices/drafts.ts'
import { noteDeed, passOn } from '../notices/pass-on.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

const MAX_REASON = 200

/** Whether somebody may let a schedule pass that waits for a second person, or send it back. */
export function mayApproveSchedule(
  rt: DomainRuntime,
  actor: KnownActor,
  { status, personId, unitPath }: WorkSchedule,
): boolean {
  return status === 'waiting' && mayApprove(rt, actor, { authorId: personId, unitPath })
}

/**
 * A second person lets a whole schedule pass: all of its notices wait for their time with their word on each of them.
 * What has become too late while it waited is dropped.
 * @param seen when the last of its steps was changed that they have read; another is not what they agree to
 * @returns how many notices wait for their time now
 * @throws DomainError `schedule.settled`, `schedule.changed`, `draft.author_gone`, and as `passOn`, with the title of the step
 */
export function approveSchedule(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  seen?: Date,
): Promise<number> {
  return inTransaction(rt, async tx => {
    const schedule = await lockedToDecide(tx, actor, id)
    const author = await absentActor(tx, schedule.personId)
    if (!author || !managesUnit(tx.templates, author, schedule.unitPath))
      throw new DomainError(
        'draft.author_gone',
        `${schedule.personName}现在不负责${schedule.unitName}了，请由现任同志重新采用。`,
      )
    const now = tx.clock.now()
    const steps = await stepsOfSchedules(tx.db, [id])
    if (seen && steps.some(step => step.status === 'draft' && step.updatedAt > seen))
      throw new DomainError('schedule.changed', '这份日程刚才又改过了，请看过现在的内容再决定。')
    let count = 0
    for (const step of steps) {
      if (step.status !== 'draft') continue
      if (step.toOn < dayOf(now)) await dropDraft(tx, author, step.draftId)
      else {
        await submitApproved(tx, author, step, actor.person.id)
        count++
      }
    }
    await settle(tx, actor, schedule, 'adopted', '')
    await sendToPerson(
      tx,
      schedule.personId,
      'decision',
      `${schedule.unitName}${schedule.year}年的工作日程${actor.person.name}已同意，${count} 步到时自动发通知：${pageOf(tx, schedule)}`,
    )
    return count
  })
}

/** A second person sends a schedule back with words; nothing of it goes out. @throws DomainError `schedule.settled`, `schedule.reason` */
export function returnSchedule(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  reason: string,
): Promise<void> {
  return inTransaction(rt, async tx => {
    const schedule = await lockedToDecide(tx, actor, id)
    const words = [...reason.trim()].slice(0, MAX_REASON).join('')
    if (words === '') throw new DomainError('schedule.reason', '请写上退回的理由。')
    await settle(tx, actor, schedule, 'returned', words)
    await sendToPerson(
      tx,
      schedule.personId,
      'decision',
      `${schedule.unitName}${schedule.year}年的工作日程被${actor.person.name}退回，没有采用。理由：${words}\n改好后重新采用：${tx.publicUrl}/console/schedule/adopt?unit=${schedule.unitId}&schedule=${schedule.schedule}&year=${schedule.year}`,
    )
  })
}

/** Submits the notice of a step on which somebody else's word is given already: nobody is asked or told of it by itself. */
export async function submitApproved(
  rt: DomainRuntime,
  author: KnownActor,
  step: Pick<ScheduledStep, 'draftId' | 'title'>,
  approverId: number,
): Promise<void> {
  const draft = await lockNoticeDraft(rt.db, step.draftId)
  if (draft?.status !== 'draft') return
  if (draft.authorId === approverId)
    throw new DomainError('draft.own', `“${step.title}”是您改的，要由别人审核。`)
  try {
    await checkOutgoing(rt, draft.content)
    await noteDeed(rt, author, 'submitted', draft)
    await passOn(rt, author, { ...draft, decidedBy: approverId, decidedAt: rt.clock.now(), reason: null })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw new DomainError(error.code, `“${step.title}”：${error.message}`)
  }
}

async function lockedToDecide(rt: DomainRuntime, actor: KnownActor, id: number): Promise<WorkSchedule> {
  const found = await workScheduleById(rt.db, id)
  if (found) await lockWorkSchedule(rt.db, found.unitId, found.schedule, found.year)
  const schedule = await workScheduleById(rt.db, id)
  if (!schedule || !mayApproveSchedule(rt, actor, schedule))
    throw new DomainError('schedule.settled', '这份日程现在不等您审核，请刷新看看。')
  return schedule
}

async function settle(
  rt: DomainRuntime,
  actor: KnownActor,
  { unitId, schedule, year, personId }: WorkSchedule,
  status: 'adopted' | 'returned',
  reason: string,
): Promise<void> {
  const now = rt.clock.now()
  await putWorkSchedule(rt.db, {
    unitId,
    schedule,
    year,
    status,
    personId,
    createdAt: now,
    adoptedAt: status === 'adopted' ? now : null,
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: status === 'adopted' ? 'work_schedule.approved' : 'work_schedule.returned',
    subjectKind: 'unit',
    subjectId: unitId,
    details: { schedule, year, ...(reason !== '' && { reason }) },
  })
}

const pageOf = (rt: DomainRuntime, { unitId, year }: WorkSchedule) =>
  `${rt.publicUrl}/console/schedule?unit=${unitId}&year=${year}`
