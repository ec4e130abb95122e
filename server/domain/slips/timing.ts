import type { SlipRow } from '../../../db/queries/slips.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { slipKind } from './rules.ts'

export const HOUR_MS = 3_600_000

/** The moment itself; at night, unless it is an incident, the end of the quiet hours: nobody is woken for what can wait. */
export function wakingMoment(kind: string, moment: Date): Date {
  return afterQuiet(kind === 'incident' ? null : noticeRules.quiet, moment)
}

/** When an office that takes a slip now has to have answered. */
export function dueOf(rt: DomainRuntime, kind: string): Date {
  return wakingMoment(kind, new Date(rt.clock.now().getTime() + slipKind(kind).answerHours * HOUR_MS))
}

/** From when on somebody may be told of a slip that moved by itself or came at night. */
export function tellFrom(rt: DomainRuntime, slip: Pick<SlipRow, 'kind'>): Date {
  return wakingMoment(slip.kind, rt.clock.now())
}
