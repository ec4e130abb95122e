import { accountSheetForm } from './account-sheet.ts'
import { bimonthlyReportForm } from './bimonthly-report.ts'
import { branchSummaryForm } from './branch-summary.ts'
import { constructionSummaryForm } from './construction-summary.ts'
import type { OfficialForm } from './form.ts'
import { matrixDiagramForms } from './matrix-diagram.ts'
import { matrixSummaryForm } from './matrix-summary.ts'
import { planSheetForm } from './plan-sheet.ts'
import { quotaCheckForm } from './quota-check.ts'
import { trackingSheetForm } from './tracking-sheet.ts'

/** The official forms, in the order of the domain's list. */
export const officialForms: readonly OfficialForm[] = [
  trackingSheetForm,
  planSheetForm,
  accountSheetForm,
  branchSummaryForm,
  matrixSummaryForm,
  ...matrixDiagramForms,
  constructionSummaryForm,
  bimonthlyReportForm,
  quotaCheckForm,
]

/** The forms that a unit fills in itself. */
export function formsOf(unit: { programme: string; level: string }): OfficialForm[] {
  return officialForms.filter(form => form.programme === unit.programme && form.levels.includes(unit.level))
}
