import {
  type DutyReportRow,
  dutyReportOf,
  lastDutyReport,
  lockForReport,
  putDutyReport,
  rosterFigures,
} from '../../../db/queries/duty-reports.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { bimonthlyReportForm } from '../forms/bimonthly-report.ts'
import { sendAlong } from '../forms/send.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { dutyReportRules, periodAt, periodWords } from './rules.ts'
import { incidentWords, tellLevelsAbove } from './tell-incident.ts'

export interface DutyFigures {
  onDuty: number
  left: number
  onLeave: number
  incidents: number
}

/** What is offered to a county that reports: what it has said already, what the roster says, and what it said last time. */
export async function offerFor(
  rt: DomainRuntime,
  unit: { id: number; path: string },
): Promise<{
  period: string
  /** The day that the roster's figures are of. */
  lastDay: string
  said: DutyReportRow | null
  /** Null: the roster has no branches there, so that it can say nothing. */
  roster: { onDuty: number; left: number } | null
  last: DutyReportRow | null
}> {
  const { period, firstDay, lastDay } = periodAt(rt.clock.now())
  const [said, roster, last] = await Promise.all([
    dutyReportOf(rt.db, unit.id, period),
    rosterFigures(rt.db, { path: unit.path, branchKind: dutyReportRules.branchKind }, firstDay, lastDay),
    lastDutyReport(rt.db, unit.id, period),
  ])
  return { period, lastDay, said, roster, last }
}

const MOST = 100_000

/**
 * A county reports its two months (双月报告, 全国项目办发〔2020〕3号 三.7), or a level above does it for the county. Said again
 * it takes the place of what was said; the very same again changes nothing. Serious incidents go to every level above at
 * once, with their story, and so does every change of them.
 * @param input.period that was shown to whoever reports
 * @throws DomainError `duty_report.unit`, `duty_report.period`, `duty_report.figures`, `duty_report.note`, `rights.missing`
 */
export function reportDuty(
  rt: DomainRuntime,
  actor: KnownActor,
  input: DutyFigures & { unitId: number; period: string; note: string },
): Promise<{ isChange: boolean; period: string; told: number }> {
  const { onDuty, left, onLeave, incidents } = input
  checkFigures(input)
  const note = maskPersonalData(input.note.trim())
  return inTransaction(rt, async tx => {
    await lockForReport(tx.db, input.unitId)
    const unit = await unitById(tx.db, input.unitId)
    if (!unit || !managesUnit(tx.templates, actor, unit.path)) throw notAllowed('报送这个单位的双月报告')
    if (unit.programme !== dutyReportRules.programme || unit.level !== dutyReportRules.unitLevel)
      throw new DomainError('duty_report.unit', '双月报告由西部计划县区项目办报送。')
    const now = tx.clock.now()
    const { period } = periodAt(now)
    if (input.period !== period)
      throw new DomainError(
        'duty_report.period',
        `这期间到了新的一期，现在报的是${periodWords(period)}，刚才填的没有报上。请按新的一期核对后再报。`,
      )
    const row = await dutyReportOf(tx.db, unit.id, period)
    const before = row && { ...row, note: row.noteSealed === null ? '' : tx.vault.open(row.noteSealed) }
    if (
      before?.onDuty === onDuty &&
      before.leftCount === left &&
      before.onLeave === onLeave &&
      before.incidents === incidents &&
      before.note === note
    )
      return { isChange: false, period, told: 0 }
    await putDutyReport(tx.db, {
      unitId: unit.id,
      period,
      onDuty,
      leftCount: left,
      onLeave,
      incidents,
      noteSealed: note === '' ? null : tx.vault.seal(note),
      reportedBy: actor.person.id,
      reportedAt: now,
    })
    const isChange = before !== null
    const text = incidentWords(unit.name, period, { incidents, note }, before, now)
    const told = text === null ? 0 : await tellLevelsAbove(tx, unit, text, actor.person.id)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'duty_report.sent',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { period, isChange },
    })
    await sendAlong(tx, actor, { form: bimonthlyReportForm, unit, period })
    return { isChange, period, told }
  })
}

/** @throws DomainError `duty_report.figures`, `duty_report.note` */
function checkFigures({ onDuty, left, onLeave, incidents, note }: DutyFigures & { note: string }): void {
  for (const figure of [onDuty, left, onLeave, incidents])
    if (!Number.isInteger(figure) || figure < 0 || figure > MOST)
      throw new DomainError('duty_report.figures', '人数和起数请写 0 以上的整数。')
  if (onLeave > onDuty)
    throw new DomainError(
      'duty_report.figures',
      `请假的 ${onLeave} 人比在岗的 ${onDuty} 人还多，请核对（请假的也算在岗）。`,
    )
  if (incidents > 0 && note.trim() === '')
    throw new DomainError('duty_report.note', '有重大安全事故，请写明时间、地点、经过和处置。')
  if ([...note].length > 1000) throw new DomainError('duty_report.note', '情况请在 1000 字以内。')
}
