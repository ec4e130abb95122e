import {
  type ScheduledStep,
  stepById,
  type WorkSchedule,
  workScheduleById,
} from '../../../db/queries/work-schedule.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A work schedule of a unit that one runs, or below one that one runs. */
export const workSchedulePolicy: Policy<WorkSchedule> = {
  name: 'work schedule',
  param: 'scheduleId',
  async find(rt, viewer, id) {
    const schedule = await workScheduleById(rt.db, id)
    return schedule && managesUnit(rt.templates, viewer.actor, schedule.unitPath) ? schedule : null
  },
}

/** A step of such a schedule. */
export const workScheduleStepPolicy: Policy<ScheduledStep> = {
  name: 'work schedule step',
  param: 'stepId',
  async find(rt, viewer, id) {
    const step = await stepById(rt.db, id)
    return step && managesUnit(rt.templates, viewer.actor, step.schedule.unitPath) ? step : null
  },
}
