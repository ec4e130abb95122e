import { upsertFacts } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { monthOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'

export interface UnitFacts {
  branches: number
  cadres: number
  youth: number
}

/**
 * A unit says how many branches, cadres and youth it has; it stands from this month on until it is said anew.
 * @throws DomainError `facts.number`, `rights.missing`
 */
export async function reportFacts(
  rt: DomainRuntime,
  actor: KnownActor,
  unit: UnitRow,
  facts: UnitFacts,
): Promise<void> {
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`填报${unit.name}的基本数据`)
  for (const value of Object.values(facts))
    if (!Number.isInteger(value) || value < 0 || value > 1_000_000)
      throw new DomainError('facts.number', '数字不对，请核对后再填。')
  const now = rt.clock.now()
  await upsertFacts(rt.db, {
    unitId: unit.id,
    month: monthOf(now),
    ...facts,
    reportedBy: actor.person.id,
    createdAt: now,
  })
}
