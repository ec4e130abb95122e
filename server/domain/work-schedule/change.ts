import { appendAudit } from '../../../db/queries/platform.ts'
import { changeStep, lockStep, putReminders, type ScheduledStep } from '../../../db/queries/work-schedule.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { ScheduleStep } from '../../templates.ts'
import type { KnownActor } from '../actor.ts'
import { dropDraft, saveDraft, submitDraft } from '../notices/drafts.ts'
import type { SubmitOutcome } from '../notices/pass-on.ts'
import { type Days, sendingOf } from './days.ts'
import { bodyOf, checkDays } from './preview.ts'
import { scheduleRules } from './rules.ts'

/** Whether a step can still be moved, reworded and dropped: its notice has not gone out. */
export function isOpen({ status }: Pick<ScheduledStep, 'status'>): boolean {
  return ['draft', 'waiting', 'ready', 'failed'].includes(status)
}

/**
 * Moves a step that was not sent yet, or puts it into other words; its reminders move along. Where a second person must
 * look at the unit's notices, they look at the changed one again.
 * @throws DomainError `schedule.sent`, `schedule.day`, `schedule.late`, and as `saveDraft` and `submitDraft`
 */
export function moveStep(
  rt: DomainRuntime,
  actor: KnownActor,
  stepId: number,
  change: Days & { text: string },
): Promise<SubmitOutcome> {
  return inTransaction(rt, async tx => {
    const step = await lockedOpen(tx, stepId)
    const { year } = step.schedule
    const days = { fromOn: change.fromOn, toOn: change.toOn }
    checkDays(days, year, step.title)
    const sending = sendingOf(scheduleRules, sendingRule(tx, step), days, tx.clock.now())
    if (sending === null)
      throw new DomainError('schedule.late', '这个日子已经来不及发通知了，请改晚一些，或取消这一步。')
    const text = change.text.trim()
    await saveDraft(tx, actor, {
      draftId: step.draftId,
      unitId: step.schedule.unitId,
      content: { ...step.content, body: bodyOf(step, text, days, year) },
      sendAt: sending.sendAt,
    })
    await changeStep(tx.db, step.id, { ...days, text })
    await putReminders(tx.db, step.id, sending.reminders)
    await note(tx, actor, step, 'moved')
    // before the whole is let pass there is nothing to submit by itself
    if (step.schedule.status !== 'adopted') return { outcome: 'waiting', askedIds: [] }
    return submitDraft(tx, actor, step.draftId)
  })
}

/** A step is not to be sent at all. Dropped twice it is dropped once. @throws DomainError `schedule.sent` */
export function dropStep(rt: DomainRuntime, actor: KnownActor, stepId: number): Promise<void> {
  return inTransaction(rt, async tx => {
    const step = await lockStep(tx.db, stepId)
    if (step?.status === 'dropped') return
    const open = await lockedOpen(tx, stepId)
    await dropDraft(tx, actor, open.draftId)
    await putReminders(tx.db, open.id, [])
    await note(tx, actor, open, 'dropped')
  })
}

async function lockedOpen(rt: DomainRuntime, stepId: number): Promise<ScheduledStep> {
  const step = await lockStep(rt.db, stepId)
  if (!step || !isOpen(step))
    throw new DomainError('schedule.sent', '这一步的通知已经发出或取消，不能再改。要更正请打开通知。')
  return step
}

/** How long before its day a step is sent and reminded of: as its template says, or its neighbours' if that has gone. */
function sendingRule(
  { templates }: DomainRuntime,
  { key, schedule }: ScheduledStep,
): Pick<ScheduleStep, 'noticeDays' | 'reminders' | 'remindOf'> {
  const id = key.split(':').at(-1) ?? ''
  const steps = templates.schedules.find(each => each.id === schedule.schedule)?.steps ?? []
  return (
    steps.find(each => each.id === id || ('months' in each.when && id.startsWith(`${each.id}-`))) ?? {
      noticeDays: 7,
      reminders: [1],
    }
  )
}

function note(
  rt: DomainRuntime,
  actor: KnownActor,
  { title, schedule }: ScheduledStep,
  deed: 'moved' | 'dropped',
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: `work_schedule_step.${deed}`,
    subjectKind: 'unit',
    subjectId: schedule.unitId,
    details: { title },
  })
}
