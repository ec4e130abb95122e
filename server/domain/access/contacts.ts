import { type ContactRow, contactById } from '../../../db/queries/contacts.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A 1+100 contact that lasts, of an office that one runs. */
export const contactPolicy: Policy<ContactRow> = {
  name: 'contact',
  param: 'contactId',
  async find(rt, viewer, id) {
    const contact = await contactById(rt.db, id)
    return contact?.untilOn === null && managesUnit(rt.templates, viewer.actor, contact.officePath)
      ? contact
      : null
  },
}

/** A 1+100 contact of one's own that lasts. */
export const ownContactPolicy: Policy<ContactRow> = {
  name: 'own contact',
  param: 'contactId',
  async find(rt, viewer, id) {
    const contact = await contactById(rt.db, id)
    return contact?.untilOn === null && contact.personId === viewer.actor.person.id ? contact : null
  },
}
