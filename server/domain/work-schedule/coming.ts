import {
  answeredBy,
  type ScheduledStep,
  stepsAhead,
  type WorkSchedule,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import type { KnownActor } from '../actor.ts'

/** Steps that are read to find those that concern somebody. */
const LOOKED_AT = 200

export interface ComingStep extends ScheduledStep {
  /** What somebody still has to do about it: null where nothing is asked of their units, or not yet. */
  answer: 'open' | 'done' | null
}

/** The ids of a unit and of all above it. @param path of the unit */
export function lineOf(path: string): number[] {
  return path.split('/').filter(Boolean).map(Number)
}

/** Whether a step is for a level or one below it. */
export function concernsLevel(
  templates: Templates,
  { levels, schedule }: { levels: string[]; schedule: Pick<WorkSchedule, 'programme'> },
  level: string,
): boolean {
  if (levels.length === 0) return true
  const order = templates.programme(schedule.programme).levels.map(each => each.id)
  return levels.some(each => order.indexOf(each) >= order.indexOf(level))
}

/** What is coming to somebody by the schedules of their own units and those above, the next day first. */
export async function comingTo(rt: DomainRuntime, actor: KnownActor, limit: number): Promise<ComingStep[]> {
  const line = [...new Set(actor.roles.flatMap(role => lineOf(role.unitPath)))]
  const ahead = await stepsAhead(rt.db, line, dayOf(rt.clock.now()), LOOKED_AT)
  const own = new Set(actor.roles.map(role => role.unitId))
  const concerning = ahead
    .filter(step =>
      actor.roles.some(
        role =>
          role.unitId === step.schedule.unitId ||
          (role.unitPath.startsWith(step.schedule.unitPath) && concernsLevel(rt.templates, step, role.level)),
      ),
    )
    .slice(0, limit)
  const answered = await answeredBy(
    rt.db,
    concerning.flatMap(step => (step.noticeId !== null && step.content.ask ? [step.noticeId] : [])),
    [...own],
  )
  return concerning.map(step => ({ ...step, answer: answerOf(step, actor, answered) }))
}

function answerOf(
  { noticeId, content, levels }: ScheduledStep,
  actor: KnownActor,
  answered: ReadonlySet<string>,
): ComingStep['answer'] {
  if (noticeId === null || !content.ask) return null
  const asked = actor.roles.filter(role => levels.length === 0 || levels.includes(role.level))
  if (asked.length === 0) return null
  return asked.every(role => answered.has(`${noticeId} ${role.unitId}`)) ? 'done' : 'open'
}
