import { lineOfSlip, type SlipRow, slipById } from '../../../db/queries/slips.ts'
import { runsVeryUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

export type SlipInView = SlipRow & {
  /** `own`: who wrote it; `turn`: the office that is to answer; `line`: one that has had it. */
  as: 'own' | 'turn' | 'line'
}

/**
 * A slip is read by who wrote it and by those who run the offices that have had it, each of which the reporter was shown:
 * no office above or beside reads along, nor does the one that a complaint is about.
 */
export const slipPolicy: Policy<SlipInView> = {
  name: 'slip',
  param: 'slipId',
  async find(rt, viewer, id) {
    const slip = await slipById(rt.db, id)
    if (!slip) return null
    if (slip.reporterId === viewer.actor.person.id) return { ...slip, as: 'own' }
    if (runsVeryUnit(rt.templates, viewer.actor, slip.officeId)) return { ...slip, as: 'turn' }
    // 1+100: the contact whom the reporter has addressed
    if (slip.copyToId === viewer.actor.person.id) return { ...slip, as: 'line' }
    const line = await lineOfSlip(rt.db, id)
    return line.some(officeId => runsVeryUnit(rt.templates, viewer.actor, officeId))
      ? { ...slip, as: 'line' }
      : null
  },
}

/** What the office whose turn it is does with a slip. */
export const slipToAnswerPolicy: Policy<SlipInView> = {
  name: 'slip to answer',
  param: 'slipId',
  async find(rt, viewer, id) {
    const slip = await slipPolicy.find(rt, viewer, id)
    return slip?.as === 'turn' ? slip : null
  },
}

/** What only its reporter does with a slip. */
export const ownSlipPolicy: Policy<SlipInView> = {
  name: 'own slip',
  param: 'slipId',
  async find(rt, viewer, id) {
    const slip = await slipPolicy.find(rt, viewer, id)
    return slip?.as === 'own' ? slip : null
  },
}
