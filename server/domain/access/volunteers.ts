import { volunteerFileById } from '../../../db/queries/volunteers.ts'
import { keepsFile, type VolunteerFile } from '../volunteers/offices.ts'
import type { Policy } from './policy.ts'

/**
 * A volunteer's file: for those who run 校项目办 of the university, and 院系项目办 of the college that is said in it. No
 * office above sees it, and no mentor: these note in the chat.
 */
export const volunteerPolicy: Policy<VolunteerFile> = {
  name: 'volunteer',
  param: 'volunteerId',
  async find(rt, viewer, id) {
    const file = await volunteerFileById(rt.db, id)
    return file && keepsFile(rt, viewer.actor, file) ? file : null
  },
}
