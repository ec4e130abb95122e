import { type AlertVerdict, alertVerdictById } from '../../../db/queries/alert-verdicts.ts'
import { mayJudge } from '../messages/claim-false-alarm.ts'
import type { Policy } from './policy.ts'

/** A text that was stopped, and whose writer says that it was a false alarm: for those who were asked to decide. */
export const alertClaimPolicy: Policy<AlertVerdict> = {
  name: 'alert claim',
  param: 'claimId',
  async find(rt, viewer, id) {
    const claim = await alertVerdictById(rt.db, id)
    return claim && mayJudge(rt, viewer.actor, claim) ? claim : null
  },
}
