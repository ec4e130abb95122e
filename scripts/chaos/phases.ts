import type { AccountMode } from './doors.ts'

/** A stretch of the cases of one run that meets one configuration of the Official Account. */
export interface Phase {
  mode: AccountMode
  from: number
  to: number
}

const shares: readonly [mode: AccountMode, share: number][] = [
  ['secure', 0.6],
  ['compatible', 0.2],
  ['plain', 0.2],
]

/** Divides `count` cases among the modes of the Official Account, in turns: one server each. */
export function phasesOf(count: number): Phase[] {
  let from = 0
  return shares.map(([mode, share], at) => {
    const to = at === shares.length - 1 ? count : from + Math.round(count * share)
    const phase = { mode, from, to }
    from = to
    return phase
  })
}
