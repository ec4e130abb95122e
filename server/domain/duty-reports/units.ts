import { type NamedUnit, unitsCalled } from '../../../db/queries/duty-reports.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { topUnits } from '../access/policy.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { dutyReportRules } from './rules.ts'

/** The levels that report or see reports: the county and those above it. */
function reportLevels(templates: Templates): string[] {
  const levels = templates.programme(dutyReportRules.programme).levels.map(level => level.id)
  return levels.slice(0, levels.indexOf(dutyReportRules.unitLevel) + 1)
}

/** The highest units that somebody reports for or sees the reports of. */
export function reportingUnits(templates: Templates, actor: Pick<KnownActor, 'roles'>) {
  const levels = reportLevels(templates)
  return topUnits(templates, actor).filter(
    unit => unit.programme === dutyReportRules.programme && levels.includes(unit.level),
  )
}

/** A unit whose reports the actor may see, and write where it is a county; null otherwise. */
export async function reportingUnit(
  rt: DomainRuntime,
  actor: KnownActor,
  unitId: number,
): Promise<UnitRow | null> {
  const unit = await unitById(rt.db, unitId)
  if (!unit || unit.programme !== dutyReportRules.programme) return null
  if (!reportLevels(rt.templates).includes(unit.level)) return null
  return managesUnit(rt.templates, actor, unit.path) ? unit : null
}

/**
 * The units that somebody means by a name or a code, with a word of a unit above before it where there are several
 * (榆林市 榆阳区): one, when one is called exactly so.
 */
export async function reportingUnitsCalled(
  rt: DomainRuntime,
  actor: KnownActor,
  words: string,
): Promise<NamedUnit[]> {
  const parts = words.split(/\s+/)
  const name = parts.pop() ?? ''
  const paths = reportingUnits(rt.templates, actor).map(unit => unit.path)
  const found = await unitsCalled(rt.db, paths, name, parts.at(-1) ?? '', reportLevels(rt.templates))
  const exact = found.filter(unit => unit.name === name || unit.code === name)
  return exact.length > 0 ? exact : found
}
