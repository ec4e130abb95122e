import type { OfficialForm } from './form.ts'

/** The levels whose units send a form up; the other levels that have it only look at theirs. */
export function senderLevels(form: OfficialForm): readonly string[] {
  return form.senders ?? form.levels
}

/** Whether a unit sends its form up: there is nobody above the topmost. */
export function sendsUp(form: OfficialForm, unit: { level: string; parentId: number | null }): boolean {
  return unit.parentId !== null && senderLevels(form).includes(unit.level)
}
