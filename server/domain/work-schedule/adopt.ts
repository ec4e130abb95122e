import { isDeepStrictEqual } from 'node:util'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import {
  lockWorkSchedule,
  putReminders,
  putStep,
  putWorkSchedule,
  releaseStep,
  type ScheduledStep,
  stepsOfSchedules,
  type WorkSchedule,
  workScheduleOf,
  workSchedulesOf,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { Schedule, Templates } from '../../templates.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { approversToAsk, levelOfAuthor, needsApproval } from '../notices/approval.ts'
import { dropDraft, saveDraft, submitDraft } from '../notices/drafts.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import type { Days } from './days.ts'
import { takeSchedule } from './give.ts'
import { checkDays, isYearToAdopt, type PreviewedStep, previewSchedule } from './preview.ts'

export interface AdoptInput {
  unitId: number
  /** The template, such as `xibu-2020`. */
  schedule: string
  year: number
  /** The occurrences that are wanted. */
  chosen: ReadonlySet<string>
  /** Other days and texts than the template's, by the ids of occurrences and of steps. */
  days: ReadonlyMap<string, Days>
  texts: ReadonlyMap<string, string>
}

export interface Adopted {
  id: number
  /** Steps that were adopted now; those that were before are not touched. */
  count: number
  /** A second person has to let it pass first. */
  isWaiting: boolean
}

/** The schedules that a unit may run. */
export function schedulesFor(
  templates: Templates,
  unit: Pick<UnitRow, 'programme' | 'kind'>,
): readonly Schedule[] {
  return templates.schedules.filter(
    each => each.programme === unit.programme && each.runBy.includes(unit.kind),
  )
}

/**
 * Adopts a schedule for a year: each chosen step becomes a notice that waits for its time, with its reminders. Adopting
 * again adds what was left out before, and nothing a second time. Where a second person must look at the unit's notices,
 * they look at the schedule as a whole.
 * @throws DomainError `rights.missing`, `schedule.unknown`, `schedule.year`, `schedule.above`, `schedule.none`,
 *   `schedule.day`, and as `submitDraft`, with the title of the step
 */
export function adoptSchedule(rt: DomainRuntime, actor: KnownActor, input: AdoptInput): Promise<Adopted> {
  return inTransaction(rt, async tx => {
    const { unit, schedule } = await requireRunner(tx, actor, input)
    const { year } = input
    await lockWorkSchedule(tx.db, unit.id, schedule.id, year)
    const own = await workScheduleOf(tx.db, unit.id, schedule.id, year)
    const before = own ? await stepsOfSchedules(tx.db, [own.id]) : []
    const steps = await previewSchedule(tx, unit, schedule, year, input)
    const wanted = steps.filter(each => input.chosen.has(each.id) && each.adopted === null)
    checkWanted(wanted, year, before.length > 0)
    if (own?.status === 'waiting' && isSame(before, wanted)) return { id: own.id, count: 0, isWaiting: true }
    const isAdopted = own?.status === 'adopted'
    if (isAdopted && wanted.length === 0) return { id: own.id, count: 0, isWaiting: false }
    // what is added to one that was let pass is looked at notice by notice
    const isWaiting =
      !isAdopted &&
      needsApproval(noticeRules, {
        level: levelOfAuthor(tx.templates, actor, unit),
        groups: Math.max(...wanted.map(each => each.groups)),
      })
    const now = tx.clock.now()
    const id = await putWorkSchedule(tx.db, {
      unitId: unit.id,
      schedule: schedule.id,
      year,
      status: isWaiting ? 'waiting' : 'adopted',
      personId: actor.person.id,
      createdAt: now,
      adoptedAt: isWaiting ? null : now,
    })
    if (own) await takeSchedule(tx, actor, id)
    const keys = new Set(wanted.map(each => each.key))
    if (!isAdopted)
      for (const step of before)
        if (step.status === 'draft' && !keys.has(step.key)) await dropDraft(tx, actor, step.draftId)
    for (const step of wanted) {
      const kept = before.find(each => each.key === step.key)
      const draftId = await keepStep(tx, actor, { id, unit, step, kept })
      if (!isWaiting) await naming(step, () => submitDraft(tx, actor, draftId))
    }
    if (isWaiting) await askForSchedule(tx, actor, unit, schedule, year)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'work_schedule.adopted',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { schedule: schedule.id, year, steps: wanted.length },
    })
    return { id, count: wanted.length, isWaiting }
  })
}

/** Whether a form that was sent twice asks for what waits already. */
function isSame(before: ScheduledStep[], wanted: PreviewedStep[]): boolean {
  const kept = before.filter(each => each.status === 'draft')
  return (
    kept.length === wanted.length &&
    wanted.every(step =>
      kept.some(
        each =>
          each.key === step.key &&
          each.toOn === step.toOn &&
          each.fromOn === step.fromOn &&
          isDeepStrictEqual(each.content, step.content),
      ),
    )
  )
}

async function requireRunner(
  rt: DomainRuntime,
  actor: KnownActor,
  input: AdoptInput,
): Promise<{ unit: UnitRow; schedule: Schedule }> {
  const unit = await unitById(rt.db, input.unitId)
  if (!unit || !managesUnit(rt.templates, actor, unit.path)) throw notAllowed('替这个单位采用工作日程')
  const schedule = schedulesFor(rt.templates, unit).find(each => each.id === input.schedule)
  if (!schedule) throw new DomainError('schedule.unknown', `${unit.name}没有这个工作日程。`)
  if (!isYearToAdopt(input.year, dayOf(rt.clock.now())))
    throw new DomainError('schedule.year', '只能采用今年和明年的工作日程。')
  const above = await runningAbove(rt, unit, schedule, input.year)
  if (above)
    throw new DomainError(
      'schedule.above',
      `${above.unitName}已经采用了${input.year}年的这个日程，到时会发到你们这里，不用重复采用。`,
    )
  return { unit, schedule }
}

/** The unit above that runs the same schedule, whose notices come down anyhow. */
export async function runningAbove(
  rt: DomainRuntime,
  unit: UnitRow,
  schedule: Schedule,
  year: number,
): Promise<WorkSchedule | null> {
  const above = unit.path
    .split('/')
    .filter(Boolean)
    .map(Number)
    .filter(id => id !== unit.id)
  const found = await workSchedulesOf(rt.db, above, year)
  return found.find(each => each.schedule === schedule.id && each.year === year) ?? null
}

function checkWanted(wanted: PreviewedStep[], year: number, hasBefore: boolean): void {
  if (wanted.length === 0 && !hasBefore)
    throw new DomainError('schedule.none', '一步都没有选，请至少选一步。')
  for (const { step, sending, groups, ...days } of wanted) {
    checkDays(days, year, step.title)
    if (sending === null)
      throw new DomainError('schedule.late', `“${step.title}”的日子已经过了，请改日期或不选。`)
    if (groups === 0)
      throw new DomainError('notice.no_groups', `“${step.title}”要发到的层级还没有群，请先不选。`)
  }
}

/** Keeps a step as a draft with its time and its reminders. @returns the draft */
async function keepStep(
  rt: DomainRuntime,
  actor: KnownActor,
  {
    id,
    unit,
    step,
    kept,
  }: { id: number; unit: UnitRow; step: PreviewedStep; kept: ScheduledStep | undefined },
): Promise<number> {
  const { sending } = step
  if (sending === null) throw new Error(`${step.key} is over`)
  const isDraft = kept?.status === 'draft'
  if (!isDraft) await releaseStep(rt.db, unit.id, step.key)
  const draftId = await naming(step, () =>
    saveDraft(rt, actor, {
      ...(isDraft && { draftId: kept.draftId }),
      unitId: unit.id,
      content: step.content,
      sendAt: sending.sendAt,
      scheduleStep: step.key,
    }),
  )
  const stepId = await putStep(rt.db, {
    workScheduleId: id,
    key: step.key,
    title: step.step.title,
    text: step.text,
    source: step.step.source,
    fromOn: step.fromOn,
    toOn: step.toOn,
    draftId,
    levels: step.step.audience.levels ?? [],
  })
  await putReminders(rt.db, stepId, sending.reminders)
  return draftId
}

/** Says of which step a rule said no. */
async function naming<T>({ step }: PreviewedStep, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw new DomainError(error.code, `“${step.title}”：${error.message}`)
  }
}

/** One message for the whole year, not one for each notice. */
async function askForSchedule(
  rt: DomainRuntime,
  actor: KnownActor,
  unit: UnitRow,
  schedule: Schedule,
  year: number,
): Promise<void> {
  const approvers = await approversToAsk(rt, {
    authorId: actor.person.id,
    unitId: unit.id,
    unitName: unit.name,
    unitPath: unit.path,
    programme: unit.programme,
  })
  const text = `【请审核工作日程】${unit.name}：${actor.person.name}采用了${year}年“${schedule.title}”，各步到时自动发通知，要有第二人审核一次。请逐步看过后同意或退回：${rt.publicUrl}/console/schedule?unit=${unit.id}&year=${year}`
  await sendToPersons(
    rt,
    approvers.map(({ personId }) => ({ personId, text })),
    'review',
    afterQuiet(noticeRules.quiet, rt.clock.now()),
  )
}
