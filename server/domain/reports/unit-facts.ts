import { appendAudit } from '../../../db/queries/platform.ts'
import { lastFactsOf, upsertFacts } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { noteLateChange } from '../months/late-change.ts'
import { draftAt, monthRules } from '../months/rules.ts'
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
    const said = { branches, cadres, youth, otherGroups, members }
    if (state === 'closed') {
      const before = await lastFactsOf(tx.db, unit.id, of)
      await noteLateChange(tx, actor, {
        unitId: unit.id,
        month: of,
        subjectKind: 'facts',
        subjectId: null,
        effect: unit.level === monthRules.rowLevel ? effectOf(before, said) : {},
        reason,
      })
    }
    const now = tx.clock.now()
    await upsertFacts(tx.db, {
      unitId: unit.id,
      month: of,
      ...said,
      reportedBy: actor.person.id,
      createdAt: now,
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

type Said = Required<UnitFacts>

/** What other words do to the figures of the sheet. */
function effectOf(before: Said | undefined, after: Said): Record<string, number> {
  const figures = (said: Said | undefined): Record<string, number> => ({
    branches: said?.branches ?? 0,
    cadres: said?.cadres ?? 0,
    youth: said?.youth ?? 0,
    groups: said?.otherGroups ?? 0,
    ...said?.members,
  })
  const [old, fresh] = [figures(before), figures(after)]
  const names = new Set([...Object.keys(old), ...Object.keys(fresh)])
  return Object.fromEntries(
    [...names]
      .map(name => [name, (fresh[name] ?? 0) - (old[name] ?? 0)] as const)
      .filter(([, by]) => by !== 0),
  )
}
