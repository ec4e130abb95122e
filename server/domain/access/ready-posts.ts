import { type ListedPost, readyPostById } from '../../../db/queries/ready-posts.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A ready post of a unit that one runs, or of one below it. */
export const readyPostPolicy: Policy<ListedPost> = {
  name: 'ready post',
  param: 'readyPostId',
  async find(rt, viewer, id) {
    const post = await readyPostById(rt.db, id)
    return post && managesUnit(rt.templates, viewer.actor, post.unitPath) ? post : null
  },
}
