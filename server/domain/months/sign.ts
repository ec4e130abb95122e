import {
  isAnyUnsignedBelow,
  lockForSigning,
  putSignature,
  unitMonthOf,
  unsignedUnits,
} from '../../../db/queries/months.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { lastFactsOf, upsertFacts } from '../../../db/queries/records.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { sendAlong } from '../forms/send.ts'
import { trackingSheetForm } from '../forms/tracking-sheet.ts'
import { settleCards } from '../outgoing/card.ts'
import type { TrackingFigures } from '../reports/tracking-sheet.ts'
import { unitFigures } from './figures.ts'
import { lateBy } from './late-start.ts'
import { dueAt, monthRules, monthSpan, signingLevels } from './rules.ts'
import { monthState } from './state.ts'
import { monthName } from './words.ts'

export interface Signed {
  unit: UnitRow
  figures: TrackingFigures
  isOnTime: boolean
  /** It had signed before; now these figures stand. */
  isAnew: boolean
  /** The month of which the unit's own words were taken, where it has said nothing new. */
  factsOf: string | null
  /** Units just below that have not signed, some of them by name. */
  missing: string[]
}

/** More names than this nobody reads. */
const MAX_NAMED = 10

/** Whether units of this level sign the months of their programme. */
export function signs(rt: DomainRuntime, unit: Pick<UnitRow, 'programme' | 'level'>): boolean {
  return (
    rt.templates.programme(unit.programme).messageCategories !== undefined &&
    signingLevels.includes(unit.level)
  )
}

/**
 * Somebody who runs a unit signs its month (签报): the figures as they stand now, with all below it. What a unit must say
 * itself and has not said for this month is taken from the month before. Signed anew until the month is closed; what has
 * been signed when it closes stays, whatever is put right later.
 * @throws DomainError `rights.missing`, `month.none`, `month.early`, `month.settled`, `month.closed`, `month.facts`
 */
export function signMonth(
  rt: DomainRuntime,
  actor: KnownActor,
  { unitId, month }: { unitId: number; month: string },
): Promise<Signed> {
  return inTransaction(rt, async tx => {
    await lockForSigning(tx.db, unitId)
    const unit = await unitById(tx.db, unitId)
    if (!unit || !managesUnit(tx.templates, actor, unit.path))
      throw notAllowed(`签报${unit?.name ?? '这个单位'}的数`)
    if (!signs(tx, unit)) throw new DomainError('month.none', `${unit.name}不用签报月度数。`)
    const now = tx.clock.now()
    const { end } = monthSpan(month)
    if (now < end) throw new DomainError('month.early', `${monthName(month)}还没有完，下个月 1 日起签报。`)
    if (unit.createdAt >= end)
      throw new DomainError('month.none', `${unit.name}是${monthName(month)}以后才有的，不用签报这个月。`)
    const state = await monthState(tx, unit.programme, month)
    if (state === 'settled') throw new DomainError('month.settled', '只能签报上个月的数。')
    const before = await unitMonthOf(tx.db, unit.id, month)
    const isAnew = before?.signedAt != null
    if (isAnew && state === 'closed')
      throw new DomainError(
        'month.closed',
        `${monthName(month)}已经关账，${unit.name}签过的数不再改；之后的更正表上会注明。`,
      )
    const factsOf = await carryFacts(tx, actor, unit, month)
    const figures = await unitFigures(tx, unit, month)
    const due = before?.dueAt ?? dueAt(month, unit.level, await lateBy(tx, unit.programme, month))
    const signedAt = before?.signedAt ?? now
    await putSignature(tx.db, {
      unitId: unit.id,
      month,
      askedAt: before?.askedAt ?? now,
      dueAt: due,
      signedAt,
      signedBy: actor.person.id,
      figures,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'month.signed',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { month, isAnew, figures },
    })
    await sendAlong(tx, actor, { form: trackingSheetForm, unit, period: month }, dayOf(due))
    await settleCards(tx, { kind: 'unit_month', id: unit.id }, `已签报：${actor.person.name}`)
    if (unit.parentId !== null && !(await isAnyUnsignedBelow(tx.db, unit.parentId, month)))
      await settleCards(tx, { kind: 'unit_months', id: unit.parentId }, '都已签报')
    return {
      unit,
      figures,
      isOnTime: signedAt <= due,
      isAnew,
      factsOf,
      missing: await missingBelow(tx, unit, month),
    }
  })
}

/** Takes what a unit with a row on the sheet said last as said for this month too. @returns the month it was said for */
async function carryFacts(
  tx: DomainRuntime,
  actor: KnownActor,
  unit: UnitRow,
  month: string,
): Promise<string | null> {
  if (unit.level !== monthRules.rowLevel) return null
  const last = await lastFactsOf(tx.db, unit.id, month)
  if (!last)
    throw new DomainError(
      'month.facts',
      `${unit.name}还没有报过团支部、团干部、团员青年数，请先回复，如：填报 团支部 12 团干部 36 团员青年 480`,
    )
  if (last.month === month) return null
  await upsertFacts(tx.db, { ...last, month, reportedBy: actor.person.id, createdAt: tx.clock.now() })
  return last.month
}

/** The units just below that have not signed, by name. */
export async function missingBelow(
  rt: DomainRuntime,
  unit: Pick<UnitRow, 'path' | 'level'>,
  month: string,
): Promise<string[]> {
  const below = signingLevels.slice(0, signingLevels.indexOf(unit.level))
  const missing = await unsignedUnits(rt.db, unit.path, month, {
    levels: below.slice(-1),
    end: monthSpan(month).end,
    limit: MAX_NAMED,
    offset: 0,
  })
  return missing.map(each => each.name)
}
