import { type ContactRow, contactById, insertVisit } from '../../../db/queries/contacts.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { maySeeContact } from './assign.ts'

export interface VisitInput {
  contactId: number
  /** `YYYY-MM-DD`, of this year or the last. */
  visitedOn: string
  place: string | null
  note: string | null
}

/**
 * Records that a contact has been at their branch (走访调研, 全国项目办发〔2018〕1号 三.4), entered by themself or by who runs
 * the office. A day counts once.
 * @throws DomainError `contact.unknown`, `visit.day`, `visit.text`
 */
export async function recordVisit(
  rt: DomainRuntime,
  actor: KnownActor,
  { contactId, visitedOn, place, note }: VisitInput,
): Promise<{ contact: ContactRow; isNew: boolean }> {
  const contact = await contactById(rt.db, contactId)
  if (!contact || contact.untilOn !== null || !maySeeContact(rt, actor, contact))
    throw new DomainError('contact.unknown', '没有这个联系点。')
  const today = dayOf(rt.clock.now())
  if (!isVisitDay(visitedOn, today))
    throw new DomainError('visit.day', '走访日期要在今天或以前、去年一月以后，如：9月12日。')
  if ([...(place ?? '')].length > 50 || [...(note ?? '')].length > 500)
    throw new DomainError('visit.text', '地点请在 50 字以内，情况请在 500 字以内。')
  return inTransaction(rt, async tx => {
    const isNew = await insertVisit(tx.db, {
      personId: contact.personId,
      unitId: contact.unitId,
      visitedOn,
      place: place?.trim() || null,
      note: note?.trim() || null,
      enteredBy: actor.person.id,
      createdAt: tx.clock.now(),
    })
    if (isNew)
      await appendAudit(tx.db, {
        at: tx.clock.now(),
        actorId: actor.person.id,
        action: 'contact.visited',
        subjectKind: 'person',
        subjectId: contact.personId,
        details: { unitId: contact.unitId, day: visitedOn },
      })
    return { contact, isNew }
  })
}

/** Whether a visit of that day can be recorded today. */
export function isVisitDay(day: string, today: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  const isReal = Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day
  return isReal && day <= today && day >= `${Number(today.slice(0, 4)) - 1}-01-01`
}
