import { unitsAfter } from '../../../db/queries/composition.ts'
import { noteReconciledUpTo, reconciledUpTo, voidOfDissolved } from '../../../db/queries/findings.ts'
import { groupById } from '../../../db/queries/groups.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { checkUnit } from './check-composition.ts'
import { emptyCache, type FactsCache, loadFacts } from './facts.ts'
import type { Finding } from './findings.ts'
import { type Kept, keepFindings, type Opened } from './keep-findings.ts'

/** Units in one transaction: enough to spend little on asking, few enough to hold little in memory. */
const BATCH = 500

/** The mark of a day's reconcile that has come to its end. */
const DONE = 0

/** Checks units with all groups that they have, and brings the open tasks to what was found. */
export async function reconcileUnits(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  cache: FactsCache = emptyCache(),
): Promise<Kept> {
  const now = rt.clock.now()
  const kept: Kept = { opened: 0, closed: 0, open: 0 }
  for (const programmeId of new Set(units.map(unit => unit.programme))) {
    const programme = rt.templates.programme(programmeId)
    const own = units.filter(unit => unit.programme === programmeId)
    const facts = await loadFacts(rt, own, cache)
    const findings = facts.flatMap(each => checkUnit(programme, each, now))
    const done = await keepFindings(rt, programme, facts, findings)
    kept.opened += done.opened
    kept.closed += done.closed
    kept.open += done.open
  }
  return kept
}

/** The same for one unit, on demand. */
export async function reconcileUnit(rt: DomainRuntime, unitId: number): Promise<Kept> {
  const unit = await unitById(rt.db, unitId)
  return unit ? reconcileUnits(rt, [unit]) : { opened: 0, closed: 0, open: 0 }
}

/** What is asked for as soon as it is seen; whoever is missing is asked for by night, when a new group had time to fill. */
const atOnce = ['remove_member', 'identify_member', 'pass_misused'] as const

/**
 * Holds one group against the rules after its members were read: what is gone is closed, and whoever does not belong is
 * asked about at once.
 * @param found besides, by the reading itself: codes that were passed on
 * @returns what was opened; the caller tells those who are asked
 */
export async function reconcileGroupNow(
  rt: DomainRuntime,
  groupId: number,
  found: readonly Finding[] = [],
): Promise<Opened[]> {
  const group = await groupById(rt.db, groupId)
  const unit = group && (await unitById(rt.db, group.unitId))
  if (!group || !unit) return []
  const programme = rt.templates.programme(unit.programme)
  const facts = await loadFacts(rt, [unit])
  const findings = facts.flatMap(each => checkUnit(programme, each, rt.clock.now()))
  const { fresh } = await keepFindings(rt, programme, facts, [...findings, ...found], {
    groupId,
    opens: atOnce,
  })
  return fresh
}

/**
 * The nightly reconcile of all units and groups. It goes from unit to unit, a batch to a transaction, and notes how far
 * it has come with each: a run that was killed goes on there, and one that has finished is not done again that day.
 */
export async function reconcileAll(
  rt: DomainRuntime,
  signal?: AbortSignal,
): Promise<Kept & { units: number; isDone: boolean }> {
  const day = dayOf(rt.clock.now())
  const cache = emptyCache()
  const all = { units: 0, opened: 0, closed: 0, open: 0 }
  let after = await reconciledUpTo(rt.db, day)
  if (after === DONE) return { ...all, isDone: true }
  if (after === null) await voidOfDissolved(rt.db, rt.clock.now())
  while (!signal?.aborted) {
    const from: number = after ?? 0
    const batch = await inTransaction(rt, async tx => {
      const units = await unitsAfter(tx.db, from, BATCH)
      const kept = await reconcileUnits(tx, units, cache)
      const last = units.at(-1)?.id ?? DONE
      await noteReconciledUpTo(tx.db, day, last)
      return { kept, last, units: units.length }
    })
    all.units += batch.units
    all.opened += batch.kept.opened
    all.closed += batch.kept.closed
    all.open += batch.kept.open
    if (batch.last === DONE) return { ...all, isDone: true }
    after = batch.last
  }
  return { ...all, isDone: false }
}
