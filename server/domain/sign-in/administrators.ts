import { insertPersons } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { administratorsNamed, endAdministrator } from '../../../db/queries/sessions.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { personOfUnit } from '../identities/issue-code.ts'
import { nameKey, soundKey } from '../names/name-key.ts'
import { makeAdministrator } from './sessions.ts'

/** Who is meant on the command line: somebody of a unit's roster, or by name alone somebody who only runs the server. */
export interface MeantAdministrator {
  name: string
  unit: { programme: string; code: string } | null
}

/**
 * Makes somebody an administrator on the command line. By name alone, an administrator of that name is taken; else a new
 * person without any office is made, who can do nothing but look after the server.
 * @returns the link with which they sign in first, once
 * @throws DomainError `unit.unknown`, `person.unknown`, `person.ambiguous`
 */
export function makeAdministratorByOperator(
  rt: DomainRuntime,
  meant: MeantAdministrator,
): Promise<{ name: string; unitName: string | null; isNew: boolean; link: string }> {
  return inTransaction(rt, async tx => {
    const known = await knownPerson(tx, meant)
    const personId = known?.personId ?? (await newPerson(tx, meant.name))
    const link = await makeAdministrator(tx, personId)
    return {
      name: known?.name ?? meant.name,
      unitName: known?.unitName ?? null,
      isNew: known === null,
      link,
    }
  })
}

/**
 * Takes an administrator's right away; their sessions and open links end at once.
 * @throws DomainError `administrator.unknown`, and what finding them throws
 */
export function endAdministratorByOperator(rt: DomainRuntime, meant: MeantAdministrator): Promise<string> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const person = await knownPerson(tx, meant)
    if (!person || !(await endAdministrator(tx.db, person.personId, now)))
      throw new DomainError('administrator.unknown', `“${meant.name}”不是系统管理员。`)
    await appendAudit(tx.db, {
      at: now,
      actorId: null,
      action: 'administrator.ended',
      subjectKind: 'person',
      subjectId: person.personId,
      details: {},
    })
    return person.name
  })
}

async function knownPerson(
  rt: DomainRuntime,
  { name, unit }: MeantAdministrator,
): Promise<{ personId: number; name: string; unitName: string | null } | null> {
  if (unit) return personOfUnit(rt, { programme: unit.programme, unitCode: unit.code, name })
  const [found, another] = await administratorsNamed(rt.db, nameKey(name))
  if (another)
    throw new DomainError('person.ambiguous', `有几位系统管理员叫“${name}”，请写明 --programme 和 --unit。`)
  return found ? { ...found, unitName: null } : null
}

async function newPerson(rt: DomainRuntime, name: string): Promise<number> {
  const [id] = await insertPersons(rt.db, [
    { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: rt.clock.now() },
  ])
  return id as number
}
