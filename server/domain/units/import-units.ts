import { insertUnits, placeUnits, unitsOfProgramme } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'

export interface UnitInput {
  code: string
  name: string
  /** A unit kind of the programme. */
  kind: string
  /** null for the top of the programme. */
  parentCode: string | null
}

/**
 * Adds units to a programme's tree, parents and children in any order; units that are there stay as they are.
 * @returns how many were new
 * @throws DomainError `unit.kind`, `unit.parent` naming the first unit that does not fit
 */
export async function importUnits(
  rt: DomainRuntime,
  programme: string,
  inputs: UnitInput[],
): Promise<number> {
  const present = new Map((await unitsOfProgramme(rt.db, programme)).map(unit => [unit.code, unit.kind]))
  const kinds = new Map([...present, ...inputs.map((input): [string, string] => [input.code, input.kind])])
  for (const { code, name, kind, parentCode } of inputs) {
    const allowed = rt.templates.unitKind(programme, kind).parents
    if (parentCode === null) continue
    const parentKind = kinds.get(parentCode)
    if (parentKind === undefined)
      throw new DomainError('unit.parent', `${name}（${code}）的上级 ${parentCode} 不存在。`)
    if (!allowed.includes(parentKind))
      throw new DomainError('unit.kind', `${name}（${code}）不能设在 ${parentCode} 之下。`)
  }
  const fresh = [...new Map(inputs.map(input => [input.code, input])).values()].filter(
    input => !present.has(input.code),
  )
  const now = rt.clock.now()
  await insertUnits(
    rt.db,
    fresh.map(({ code, name, kind }) => ({
      programme,
      code,
      name,
      kind,
      level: rt.templates.unitKind(programme, kind).level,
      createdAt: now,
    })),
  )
  await placeUnits(rt.db, programme, new Map(fresh.map(input => [input.code, input.parentCode])))
  return fresh.length
}
