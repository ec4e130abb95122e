import { accountById } from '../../../db/queries/unit-accounts.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A 公共号 of a unit that one runs, or below one that one runs. */
export const unitAccountPolicy: Policy<NonNullable<Awaited<ReturnType<typeof accountById>>>> = {
  name: 'unit account',
  param: 'accountId',
  async find(rt, viewer, id) {
    const account = await accountById(rt.db, id)
    return account && managesUnit(rt.templates, viewer.actor, account.unitPath) ? account : null
  },
}
