import { randomInt } from 'node:crypto'
import { insertBindingCode } from '../../../db/queries/identities.ts'
import { personsNamed } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitByCode } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type Actor, managesFromAbove, managesUnit, managingRoles, requireKnown } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'

/** Without letters and digits that are easily confused; eight of them are 39 bits. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const CODE_LENGTH = 8
const CODE_DAYS = 7

export interface IssuedCode {
  code: string
  personName: string
  unitName: string
  title: string
  expiresAt: Date
}

/**
 * Makes a one-time code with which a person binds their account.
 *
 * Codes come from above: for somebody who runs a unit only a unit above it may make one, for all others their own
 * unit may too. Nobody is bound by name and phone, which a whole county knows.
 * @throws DomainError `person.unknown`, `person.ambiguous` (several of that name; `unitName` narrows it), `rights.missing`
 */
export async function issueBindingCode(
  rt: DomainRuntime,
  actor: Actor,
  input: { name: string; unitName?: string },
): Promise<IssuedCode> {
  requireKnown(actor)
  const found: Awaited<ReturnType<typeof personsNamed>> = []
  for (const { unitPath } of managingRoles(rt.templates, actor)) {
    for (const holder of await personsNamed(rt.db, unitPath, nameKey(input.name))) {
      if (input.unitName && !holder.unitName.includes(input.unitName)) continue
      if (!found.some(other => other.personId === holder.personId && other.unitId === holder.unitId))
        found.push(holder)
    }
  }
  const persons = [...new Set(found.map(holder => holder.personId))]
  const holder = found[0]
  if (!holder)
    throw new DomainError(
      'person.unknown',
      `名册里没有找到您所辖单位的“${input.name}”。请核对姓名，或先导入名册。`,
    )
  if (persons.length > 1) {
    const where = found.map(each => `${each.unitName}${each.title ?? ''}`).join('、')
    throw new DomainError(
      'person.ambiguous',
      `有 ${persons.length} 位“${input.name}”（${where}），请写明单位：发码 ${input.name} 单位名称`,
    )
  }
  const runsAUnit = found.filter(each => {
    const role = actor.roles.find(own => each.unitPath.startsWith(own.unitPath))
    return role ? rt.templates.role(role.programme, each.role).manages : false
  })
  const isAllowed =
    runsAUnit.length > 0
      ? runsAUnit.every(each => managesFromAbove(rt.templates, actor, each.unitPath))
      : managesUnit(rt.templates, actor, holder.unitPath)
  if (!isAllowed)
    throw new DomainError('rights.missing', `“${input.name}”与您同级，绑定码要由上一级组织发放。`)
  return makeCode(rt, holder.personId, actor.person.id, {
    personName: holder.name,
    unitName: holder.unitName,
    title: holder.title ?? '',
  })
}

/**
 * A code made on the command line, for the first officers of a programme: nobody is above them.
 * @throws DomainError `unit.unknown`, `person.unknown`, `person.ambiguous`
 */
export async function issueCodeByOperator(
  rt: DomainRuntime,
  input: { programme: string; unitCode: string; name: string },
): Promise<IssuedCode> {
  const unit = await unitByCode(rt.db, input.programme, input.unitCode)
  if (!unit)
    throw new DomainError('unit.unknown', `${input.programme} 里没有编码是 ${input.unitCode} 的单位。`)
  const found = (await personsNamed(rt.db, unit.path, nameKey(input.name))).filter(
    each => each.unitId === unit.id,
  )
  const [holder] = found
  if (!holder) throw new DomainError('person.unknown', `${unit.name}的名册里没有“${input.name}”。`)
  if (new Set(found.map(each => each.personId)).size > 1)
    throw new DomainError('person.ambiguous', `${unit.name}有几位“${input.name}”，请先在名册中区分。`)
  return makeCode(rt, holder.personId, null, {
    personName: holder.name,
    unitName: unit.name,
    title: holder.title ?? '',
  })
}

async function makeCode(
  rt: DomainRuntime,
  personId: number,
  issuedBy: number | null,
  about: { personName: string; unitName: string; title: string },
): Promise<IssuedCode> {
  const code = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  const now = rt.clock.now()
  const expiresAt = new Date(now.getTime() + CODE_DAYS * 86_400_000)
  await insertBindingCode(rt.db, {
    codeIndex: rt.vault.index('binding-code', code),
    personId,
    issuedBy,
    createdAt: now,
    expiresAt,
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: issuedBy,
    action: 'binding_code.issued',
    subjectKind: 'person',
    subjectId: personId,
    details: {},
  })
  return { code, ...about, expiresAt }
}
