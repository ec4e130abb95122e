import { appendAudit } from '../../../db/queries/platform.ts'
import { upsertFacts } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { differences, unitFigures } from '../months/figures.ts'
import { noteLateChange } from '../months/late-change.ts'
import { draftAt } from '../months/rules.ts'
import { isSigned } from '../months/signed.ts'
import { monthState } from '../months/state.ts'
import { TRACKING_FIGURES } from './tracking-sheet.ts'

export interface UnitFacts {
  branches: number
  cadres: number
  youth: number
  /** Groups that the product does not know; null: not said. */
  otherGroups?: number | null
  /** Members by figure of the sheet, where people do not register themselves; null: those who registered are counted. */
  members?: Record<string, number> | null
}

const memberFigures: ReadonlySet<string> = new Set(
  TRACKING_FIGURES.filter(figure => figure.startsWith('members')),
)

/**
 * A unit says how many branches, cadres and youth it has, and what else no record holds; it stands from that month on until
 * it is said anew. In a closed month that needs a reason, and the month says that it was changed.
 * @param month the one that is being reported when left out (`monthToFill`)
 * @returns the month that it was written down for
 * @throws DomainError `facts.number`, `facts.month`, `rights.missing`, `late_change.reason`
 */
export async function reportFacts(
  rt: DomainRuntime,
  actor: KnownActor,
  unit: UnitRow,
  facts: UnitFacts,
  { month, reason = '' }: { month?: string; reason?: string } = {},
): Promise<string> {
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`填报${unit.name}的基本数据`)
  const { branches, cadres, youth, otherGroups = null, members = null } = facts
  for (const value of [branches, cadres, youth, otherGroups ?? 0, ...Object.values(members ?? {})])
    if (!Number.isInteger(value) || value < 0 || value > 1_000_000)
      throw new DomainError('facts.number', '数字不对，请核对后再填。')
  if (members && Object.keys(members).some(figure => !memberFigures.has(figure)))
    throw new DomainError('facts.number', '没有这一类成员，请核对后再填。')
  return inTransaction(rt, async tx => {
    const of = month ?? (await monthToFill(tx, unit))
    const state = of > monthOf(tx.clock.now()) ? 'settled' : await monthState(tx, unit.programme, of)
    if (state === 'settled') throw new DomainError('facts.month', '只能填报本月和上月的数。')
    const isLate = state === 'closed'
    const before = isLate ? await unitFigures(tx, unit, of) : null
    const now = tx.clock.now()
    await upsertFacts(tx.db, {
      unitId: unit.id,
      month: of,
      branches,
      cadres,
      youth,
      otherGroups,
      members,
      reportedBy: actor.person.id,
      createdAt: now,
    })
    if (before)
      await noteLateChange(tx, actor, {
        unitId: unit.id,
        month: of,
        subjectKind: 'facts',
        subjectId: null,
        // counted, and not worked out: what it says of members takes the place of those who registered
        effect: differences(before, await unitFigures(tx, unit, of)),
        reason,
      })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'unit_facts.reported',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { month: of },
    })
    return of
  })
}

/**
 * The month that a unit fills in now: last month's while it is being reported and the unit has not signed it, else this
 * month's.
 */
export async function monthToFill(
  rt: DomainRuntime,
  unit: Pick<UnitRow, 'id' | 'programme' | 'createdAt'>,
): Promise<string> {
  const current = monthOf(rt.clock.now())
  const last = addMonths(current, -1)
  const isReported =
    rt.clock.now() >= draftAt(last) &&
    monthOf(unit.createdAt) <= last &&
    (await monthState(rt, unit.programme, last)) === 'open' &&
    !(await isSigned(rt, unit.id, last))
  return isReported ? last : current
}
