import policy from '../../../templates/policies/coach.json' with { type: 'json' }
import type { Templates } from '../../templates.ts'

/** `templates/policies/coach.json`. */
export const coachRules = policy

/** The programmes whose messages are counted by category. */
export function coachedProgrammes(templates: Templates): string[] {
  return templates.programmes.flatMap(programme => (programme.messageCategories ? [programme.id] : []))
}
