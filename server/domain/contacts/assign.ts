import {
  type ContactRow,
  contactById,
  endContact,
  insertContact,
  type SuggestedBranch,
  suggestBranches,
} from '../../../db/queries/contacts.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { askContactsIn, mayKeepContact } from './membership.ts'
import { contactPolicy, contactRulesOf } from './rules.ts'

export interface ContactInput {
  /** The office that the person is of. */
  officeId: number
  personId: number
  /** A branch in the office's area. */
  unitId: number
}

/**
 * Somebody of an office keeps contact with a branch of its area from today (1+100, 全国项目办发〔2018〕1号 三.4): chosen by
 * themself or by who runs the office. Done twice it is once.
 * @throws DomainError `rights.missing`, `person.unknown`, `contact.branch`
 */
export async function assignContact(
  rt: DomainRuntime,
  actor: KnownActor,
  { officeId, personId, unitId }: ContactInput,
): Promise<ContactRow> {
  const office = await unitById(rt.db, officeId)
  const isOwn = actor.person.id === personId
  if (!office || !(isOwn || managesUnit(rt.templates, actor, office.path)))
    throw notAllowed('安排这个项目办的联系点')
  if (!(await mayKeepContact(rt, personId, office)))
    throw new DomainError(
      'person.unknown',
      `${isOwn ? '您' : '这位同志'}不在${office.name}需要长期联系团支部的同志之列。`,
    )
  const unit = await unitById(rt.db, unitId)
  const rules = contactRulesOf(rt.templates, office.programme)
  if (!unit?.path.startsWith(office.path) || !rules?.scope.branchKinds.includes(unit.kind))
    throw new DomainError('contact.branch', `请选${office.name}范围内的一个团支部。`)
  return inTransaction(rt, async tx => {
    const id = await insertContact(tx.db, {
      personId,
      officeId,
      unitId,
      sinceOn: dayOf(tx.clock.now()),
      assignedBy: actor.person.id,
    })
    if (id === null)
      throw new DomainError(
        'contact.exists',
        `${isOwn ? '您' : '这位同志'}已经联系着${unit.name}，没有再登记。`,
      )
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'contact.assigned',
      subjectKind: 'person',
      subjectId: personId,
      details: { unitId, officeId },
    })
    if (!isOwn && (await identitiesOf(tx.db, personId)).length > 0)
      await sendToPerson(
        tx,
        personId,
        'task',
        `【1+100】请您长期联系${unit.name}：加入它的群，主动了解志愿者的工作、生活和思想动态，每年走访一次。走访后请回复：走访 日期 地点`,
      )
    await askContactsIn(tx, personId, unitId)
    return (await contactById(tx.db, id)) as ContactRow
  })
}

/**
 * Ends a contact, by the word of the person or of who runs the office.
 * @throws DomainError `contact.unknown`
 */
export async function endContactBy(
  rt: DomainRuntime,
  actor: KnownActor,
  contactId: number,
): Promise<ContactRow> {
  const contact = await contactById(rt.db, contactId)
  if (!contact || !maySeeContact(rt, actor, contact))
    throw new DomainError('contact.unknown', '没有这个联系点。')
  await inTransaction(rt, async tx => {
    if (!(await endContact(tx.db, contactId, dayOf(tx.clock.now())))) return
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'contact.ended',
      subjectKind: 'person',
      subjectId: contact.personId,
      details: { unitId: contact.unitId },
    })
    await askContactsIn(tx, contact.personId, contact.unitId)
  })
  return contact
}

/** Whether a contact is the actor's own or of an office that they run. */
export function maySeeContact(
  rt: Pick<DomainRuntime, 'templates'>,
  actor: KnownActor,
  contact: { personId: number; officePath: string },
): boolean {
  return contact.personId === actor.person.id || managesUnit(rt.templates, actor, contact.officePath)
}

/** Branches for somebody of an office to choose from: those that nobody keeps contact with first, spread evenly. */
export async function suggestFor(
  rt: DomainRuntime,
  office: { path: string; programme: string },
  personId: number,
  name?: string,
): Promise<SuggestedBranch[]> {
  const rules = contactRulesOf(rt.templates, office.programme)
  if (!rules) return []
  return suggestBranches(rt.db, rules.scope, office.path, personId, contactPolicy.suggested.value, name)
}
