import policy from '../../../templates/policies/work-schedule.json' with { type: 'json' }
import { noticeRules } from '../notices/rules.ts'

/** What happens to a sending that falls on a day of rest. */
export type RestDay = 'working-day-before' | 'working-day-after' | 'same-day'

/** Which days are worked, and when a schedule's notices go out (`templates/policies/work-schedule.json`). */
export interface ScheduleRules {
  /** `HH:MM` in Asia/Shanghai, outside the quiet hours. */
  sendAt: string
  restDay: RestDay
  /** 1 Monday to 7 Sunday. */
  weekend: readonly number[]
  /** `MM-DD`, for years that have no arrangement. */
  fixedHolidays: readonly string[]
  arrangements: readonly {
    year: number
    holidays: readonly (readonly string[])[]
    workdays: readonly string[]
  }[]
  /** `MM-DD`: from when on next year's schedule is proposed. */
  proposeOn: string
}

export const scheduleRules: ScheduleRules = readRules()

/** @throws Error where the policy contradicts itself or the quiet hours of notices */
function readRules(): ScheduleRules {
  const restDay = policy.restDay.value
  if (restDay !== 'working-day-before' && restDay !== 'working-day-after' && restDay !== 'same-day')
    throw new Error(`policies/work-schedule.json: restDay: unknown way ${restDay}`)
  if (new Set(policy.weekend.value).size > 6)
    throw new Error('policies/work-schedule.json: weekend: leaves no day to work')
  const sendAt = policy.sendAt.value
  if (sendAt < noticeRules.quiet.to || sendAt >= noticeRules.quiet.from)
    throw new Error(
      `policies/work-schedule.json: sendAt: ${sendAt} lies in the quiet hours of policies/notices.json`,
    )
  return {
    sendAt,
    restDay,
    weekend: policy.weekend.value,
    fixedHolidays: policy.fixedHolidays.value,
    arrangements: policy.arrangements.value,
    proposeOn: policy.proposeOn.value,
  }
}
