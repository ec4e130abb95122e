import type { UnitRow } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
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
