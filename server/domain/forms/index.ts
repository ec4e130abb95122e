import type { OfficialForm } from './form.ts'
import { trackingSheetForm } from './tracking-sheet.ts'

/** The official forms, in the order of the domain's list. */
export const officialForms: readonly OfficialForm[] = [trackingSheetForm]

/** @throws Error for an id that no form has */
export function officialForm(id: string): OfficialForm {
  const found = officialForms.find(form => form.id === id)
  if (!found) throw new Error(`there is no form ${id}`)
  return found
}
