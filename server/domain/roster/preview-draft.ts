import type { RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { ROSTER_COLUMNS, type RosterColumn } from '../../templates/roster-columns.ts'
import { headerLabel } from './columns.ts'
import { openDraftFile } from './drafts.ts'
import { type ImportOptions, type ImportResult, importRoster } from './import.ts'
import { readRosterFile } from './read-roster-file.ts'

export interface DraftPreview {
  /** The file's columns in their order, each with what it is taken for; null: only kept. */
  columns: { label: string; is: RosterColumn | null }[]
  /** What is wrong with the heading; then there is no result. */
  fault: string | null
  result: ImportResult | null
}

/** What a draft would do, against what stands now. Changes nothing. @throws DomainError `draft.gone` */
export async function previewDraft(rt: DomainRuntime, draft: RosterDraft): Promise<DraftPreview> {
  const file = await openDraftFile(rt, draft)
  const { table, columns, fault } = await readRosterFile(file.bytes, rt.templates.roster, draft.mapping)
  const preview: DraftPreview = {
    columns: table.headers.map((header, position) => ({
      label: headerLabel(header, position),
      is: ROSTER_COLUMNS.find(id => columns.at[id] === position) ?? null,
    })),
    fault,
    result: null,
  }
  if (fault !== null) return preview
  try {
    preview.result = await importRoster(rt, file, { ...optionsOf(draft), isDryRun: true, actorId: null })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    preview.fault = error.message
  }
  return preview
}

/** How a draft is imported: within the unit of its office, and as its whole where the office said so. */
export function optionsOf(
  draft: RosterDraft,
): Pick<ImportOptions, 'programme' | 'within' | 'wholeOf' | 'mapping'> {
  return {
    programme: draft.programme,
    within: draft.unitPath,
    mapping: draft.mapping,
    ...(draft.isWhole ? { wholeOf: draft.unitCode } : {}),
  }
}
