import { contactsWith } from '../../../db/queries/contacts.ts'
import { type SlipRow, slipById, stepsOfSlip } from '../../../db/queries/slips.ts'
import { runsVeryUnit } from '../actor.ts'
import { isForActor, isMeant } from '../slips/offices.ts'
import type { Policy } from './policy.ts'

export type SlipInView = SlipRow & {
  /**
   * `own`: who wrote it; `turn`: the office that is to answer; `line`: one that has had it; `contact`: 1+100, reads the
   * first text only.
   */
  as: 'own' | 'turn' | 'line' | 'contact'
  /** The step by which the viewer's office lost it: what came later is not theirs to see. */
  lost: { stepId: number; at: Date } | null
}

/**
 * A slip is read by who wrote it and by those who run the offices that have had it, each of which the reporter was shown:
 * no office above or beside reads along, nor does anybody who runs the one that a complaint is about.
 */
export const slipPolicy: Policy<SlipInView> = {
  name: 'slip',
  param: 'slipId',
  async find(rt, viewer, id) {
    const { actor } = viewer
    const slip = await slipById(rt.db, id)
    if (!slip) return null
    if (slip.reporterId === actor.person.id) return { ...slip, as: 'own', lost: null }
    if (isMeant(rt, actor, slip)) return null
    if (isForActor(rt, actor, slip)) return { ...slip, as: 'turn', lost: null }
    const steps = await stepsOfSlip(rt.db, id)
    const had = steps.findLastIndex(step => runsVeryUnit(rt.templates, actor, step.officeId))
    const losing = steps[had + 1]
    if (had >= 0 && losing) return { ...slip, as: 'line', lost: { stepId: losing.id, at: losing.at } }
    if (slip.copyToId !== actor.person.id) return null
    const isContact = (await contactsWith(rt.db, slip.unitId)).some(each => each.personId === actor.person.id)
    return isContact ? { ...slip, as: 'contact', lost: null } : null
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
