import type { Decision, Judgement } from '../../server/domain/join-requests/types.ts'
import { PRINTED } from '../support/join-set.ts'
import type { LabelledRequest } from './make-set.ts'

/** One request and what became of it. */
export interface Outcome extends LabelledRequest {
  judgement: Judgement
}

/** Counts with the meaning they have in `score-join.mjs`. */
export interface Score {
  requests: number
  /** Approved where the label does not allow it. Must be 0. */
  falseApprove: Outcome[]
  /** Approved rightly, as somebody else. Must be 0. */
  wrongPerson: Outcome[]
  /** Rejected where approving was right. */
  falseReject: Outcome[]
  /** Rejected where only a person may decide. */
  overReject: Outcome[]
  /** Left to a person where approving was right and a person is not tolerated. */
  missedApprove: Outcome[]
  /** Neither the label's decision nor one of `also`. */
  wrong: Outcome[]
  /** Decided as labelled, of the requests that need no person. */
  decidedRight: number
  decidable: number
  /** Of the reviews about somebody known: the right person is shown first. */
  shownFirst: number
  shownFirstOf: number
}

const decisionOf = ({ judgement }: Outcome) => PRINTED[judgement.decision as Decision]

export function isWrong(outcome: Outcome): boolean {
  const { label } = outcome
  const decision = decisionOf(outcome)
  return decision !== label.decision && !label.also.includes(decision)
}

/** Decided as labelled, whatever else would be tolerated. */
export function isAsLabelled(outcome: Outcome): boolean {
  return decisionOf(outcome) === outcome.label.decision
}

/** Whether one of those who may be meant stands first; where one number agrees the label names that person alone. */
export function isShownFirst({ label, judgement }: Outcome): boolean {
  return label.candidates.includes(judgement.candidates[0] ?? 0)
}

/** A review about exactly one known person; of several any may stand first. */
export function asksForFirst({ label }: Outcome): boolean {
  return (
    label.decision === 'review' &&
    label.candidates.length > 0 &&
    !['ambiguous', 'not_on_roster'].includes(label.reason)
  )
}

export function score(outcomes: Outcome[]): Score {
  const wrong = outcomes.filter(isWrong)
  const approved = outcomes.filter(outcome => decisionOf(outcome) === 'approve')
  const decidable = outcomes.filter(({ label }) => label.decision !== 'review')
  const asked = outcomes.filter(asksForFirst)
  return {
    requests: outcomes.length,
    wrong,
    falseApprove: approved.filter(isWrong),
    wrongPerson: approved.filter(
      ({ label, judgement }) =>
        label.decision === 'approve' && !label.candidates.includes(judgement.row ?? 0),
    ),
    falseReject: outcomes.filter(o => o.label.decision === 'approve' && decisionOf(o) === 'reject'),
    overReject: wrong.filter(o => o.label.decision === 'review' && decisionOf(o) === 'reject'),
    missedApprove: wrong.filter(o => o.label.decision === 'approve' && decisionOf(o) === 'review'),
    decidable: decidable.length,
    decidedRight: decidable.filter(o => decisionOf(o) === o.label.decision).length,
    shownFirstOf: asked.length,
    shownFirst: asked.filter(o => isShownFirst(o)).length,
  }
}

const percent = (part: number, whole: number) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)}%`)

/** The figures in words, with a table by scene. */
export function report(outcomes: Outcome[]): string {
  const all = score(outcomes)
  const lines = [
    `requests ${all.requests}`,
    `FALSE APPROVE        ${all.falseApprove.length}   (must be 0)`,
    `WRONG-PERSON APPROVE ${all.wrongPerson.length}   (must be 0)`,
    `false reject         ${all.falseReject.length}   ${percent(all.falseReject.length, all.requests)}`,
    `over-reject          ${all.overReject.length}`,
    `missed approve       ${all.missedApprove.length}`,
    `decision accuracy    ${percent(all.requests - all.wrong.length, all.requests)} counting 'also'`,
    `decided rightly      ${percent(all.decidedRight, all.decidable)} of the ${all.decidable} decidable`,
    `shown first          ${percent(all.shownFirst, all.shownFirstOf)} of ${all.shownFirstOf} reviews about somebody known`,
    '',
    `${'scene'.padEnd(46)}     n  accuracy  decided   first`,
  ]
  const scenes = new Map<string, Outcome[]>()
  for (const outcome of outcomes) scenes.set(outcome.scene, [...(scenes.get(outcome.scene) ?? []), outcome])
  for (const [name, list] of scenes) {
    const part = score(list)
    lines.push(
      `${name.padEnd(46)}${String(part.requests).padStart(6)}${percent(part.requests - part.wrong.length, part.requests).padStart(10)}${percent(part.decidedRight, part.decidable).padStart(9)}${percent(part.shownFirst, part.shownFirstOf).padStart(9)}`,
    )
  }
  return lines.join('\n')
}
