import { apiTokenById, type TokenInList } from '../../../db/queries/api-tokens.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A token of a unit that one runs, or below one that one runs. Whoever comes after its maker can end it. */
export const apiTokenPolicy: Policy<TokenInList> = {
  name: 'API token',
  param: 'tokenId',
  async find(rt, viewer, id) {
    const token = await apiTokenById(rt.db, id)
    return token && managesUnit(rt.templates, viewer.actor, token.unitPath) ? token : null
  },
}
