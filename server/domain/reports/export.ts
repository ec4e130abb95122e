import { personById } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { collectTrackingSheet } from './collect-tracking-sheet.ts'
import type { TrackingSheet } from './tracking-sheet.ts'
import { writeTrackingSheet } from './write-form.ts'

export interface ExportedSheet {
  file: Buffer
  fileName: string
  sheet: TrackingSheet
}

/** A county's tracking sheet of a month as the printed form, in XLSX. */
export async function exportTrackingSheet(
  rt: DomainRuntime,
  county: UnitRow,
  month: string,
  filledBy: { name: string; contact: string },
): Promise<ExportedSheet> {
  const sheet = await collectTrackingSheet(rt, county, month, filledBy)
  const file = await writeTrackingSheet(rt.templates.form('tracking-sheet'), sheet)
  return { file, fileName: `跟踪摸底表-${county.name}-${month}.xlsx`, sheet }
}

/**
 * The same as somebody fetches it: filled in by them, and noted that they have it.
 * @throws DomainError `rights.missing`, `sheet.none` for a unit that fills in no sheet
 */
export async function fetchTrackingSheet(
  rt: DomainRuntime,
  actor: KnownActor,
  { county, month }: { county: UnitRow; month: string },
): Promise<ExportedSheet> {
  if (!managesUnit(rt.templates, actor, county.path)) throw notAllowed(`导出${county.name}的报表`)
  const layout = rt.templates.form('tracking-sheet')
  if (county.programme !== layout.programme || county.level !== 'county')
    throw new DomainError('sheet.none', `跟踪摸底表由县区团委填报，${county.name}没有这张表。`)
  return inTransaction(rt, async tx => {
    const person = await personById(tx.db, actor.person.id)
    const exported = await exportTrackingSheet(tx, county, month, {
      name: actor.person.name,
      contact: person?.phoneSealed ? tx.vault.open(person.phoneSealed) : '',
    })
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'sheet.exported',
      subjectKind: 'unit',
      subjectId: county.id,
      details: { form: layout.id, layoutVersion: layout.layoutVersion, month },
    })
    return exported
  })
}
