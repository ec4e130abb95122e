import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { type VolunteerFileRow, volunteerFileById } from '../../../db/queries/volunteers.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managingRoles, runsVeryUnit } from '../actor.ts'
import { volunteerRules } from './rules.ts'

/** An office that looks after volunteers, as somebody runs it. */
export interface VolunteerOffice {
  /** 校项目办 */
  university: UnitRow
  /** 院系项目办: only its own people; null: the whole university. */
  college: UnitRow | null
}

export type VolunteerFile = VolunteerFileRow & { personName: string; unitName: string }

/** The offices of universities and colleges that somebody runs, universities first. */
export async function volunteerOfficesOf(
  rt: DomainRuntime,
  actor: Pick<KnownActor, 'roles'>,
): Promise<VolunteerOffice[]> {
  const { programme, universityKind, collegeKind } = volunteerRules
  const found: VolunteerOffice[] = []
  const ids = managingRoles(rt.templates, actor)
    .filter(role => role.programme === programme)
    .map(role => role.unitId)
  for (const id of new Set(ids)) {
    const unit = await unitById(rt.db, id)
    if (unit?.kind === universityKind) found.push({ university: unit, college: null })
    if (unit?.kind !== collegeKind || unit.parentId === null) continue
    const university = await unitById(rt.db, unit.parentId)
    if (university) found.push({ university, college: unit })
  }
  return found.sort((a, b) => Number(a.college !== null) - Number(b.college !== null))
}

/** Whether somebody runs 校项目办 of a file, or 院系项目办 of its college. No office above or beside looks in. */
export function keepsFile(
  rt: Pick<DomainRuntime, 'templates'>,
  actor: Pick<KnownActor, 'roles'>,
  file: Pick<VolunteerFileRow, 'unitId' | 'collegeId'>,
): boolean {
  return (
    runsVeryUnit(rt.templates, actor, file.unitId) ||
    (file.collegeId !== null && runsVeryUnit(rt.templates, actor, file.collegeId))
  )
}

/** A file that the actor may work on. @throws DomainError `volunteer.unknown` */
export async function requireFile(
  rt: DomainRuntime,
  actor: KnownActor,
  fileId: number,
): Promise<VolunteerFile> {
  const file = await volunteerFileById(rt.db, fileId)
  if (!file || !keepsFile(rt, actor, file)) throw new DomainError('volunteer.unknown', '没有这位志愿者。')
  return file
}

/** An office that the actor runs, by its number. @throws DomainError `rights.missing` */
export async function requireOffice(
  rt: DomainRuntime,
  actor: KnownActor,
  officeId: number,
): Promise<VolunteerOffice> {
  const office = (await volunteerOfficesOf(rt, actor)).find(
    each => (each.college ?? each.university).id === officeId,
  )
  if (!office) throw notAllowed('办理这个单位的志愿者')
  return office
}
