import { randomInt } from 'node:crypto'
import { insertBindingCode } from '../../../db/queries/identities.ts'
import { personsByIds, personsNamed, rolesOf, standingsOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { isAdministrator } from '../../../db/queries/sessions.ts'
import { unitByCode } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import {
  type Actor,
  type KnownActor,
  managesFromAbove,
  managesUnit,
  managingRoles,
  requireKnown,
} from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { hadLongest, isHeld } from './had-longest.ts'

/** Without letters and digits that are easily confused; eight of them are 39 bits. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const CODE_LENGTH = 8
const CODE_DAYS = 7
/** The levels that the programmes share, the highest first; whatever lies below a county is of one rank. */
const RANKS = ['national', 'province', 'city', 'county']

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
 * unit may too. Nobody is bound by name and phone, which a whole county knows. A code gives all that the person may do,
 * so it is their highest office, in whatever programme, that must be below the one who makes it.
 * @param input.unitName and `phoneTail` (four digits) tell people of one name apart
 * @throws DomainError `person.unknown`, `person.ambiguous`, `rights.missing`
 */
export async function issueBindingCode(
  rt: DomainRuntime,
  actor: Actor,
  input: { name: string; unitName?: string; phoneTail?: string },
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
  const tails = new Map<number, string>()
  for (const person of await personsByIds(rt.db, [...new Set(found.map(each => each.personId))]))
    tails.set(person.id, person.phoneSealed ? rt.vault.open(person.phoneSealed).slice(-4) : '')
  const meant = found.filter(each => !input.phoneTail || tails.get(each.personId) === input.phoneTail)
  const persons = [...new Set(meant.map(holder => holder.personId))]
  const holder = meant[0]
  if (!holder)
    throw new DomainError(
      'person.unknown',
      `名册里没有找到您所辖单位的“${input.name}”。请核对姓名，或先导入名册。`,
    )
  if (persons.length > 1) {
    const where = meant.map(each => {
      const tail = tails.get(each.personId)
      return `${each.unitName}${each.title ?? ''}${tail ? ` 手机尾号 ${tail}` : ''}`
    })
    throw new DomainError(
      'person.ambiguous',
      `有 ${persons.length} 位“${input.name}”（${where.join('、')}），请写明单位或手机尾号，如：发码 ${input.name} ${meant[0]?.unitName}`,
    )
  }
  return issueFor(rt, actor, holder)
}

/**
 * The same for somebody whom the actor has before them on a page.
 * @throws DomainError `person.unknown` when they have no role in a unit that the actor runs, `rights.missing`
 */
export async function issueBindingCodeFor(
  rt: DomainRuntime,
  actor: KnownActor,
  person: { id: number; name: string },
): Promise<IssuedCode> {
  const holder = (await rolesOf(rt.db, person.id)).find(role =>
    managesUnit(rt.templates, actor, role.unitPath),
  )
  if (!holder)
    throw new DomainError(
      'person.unknown',
      `“${person.name}”在您所辖的单位没有在岗的职务，不能发绑定码。请先更新名册。`,
    )
  return issueFor(rt, actor, { ...holder, personId: person.id, name: person.name })
}

/** @throws DomainError `rights.missing` when the code must come from somebody above */
async function issueFor(
  rt: DomainRuntime,
  actor: KnownActor,
  holder: { personId: number; name: string; unitName: string; unitPath: string; title: string | null },
): Promise<IssuedCode> {
  const now = rt.clock.now()
  const standings = await standingsOf(rt.db, holder.personId)
  const offices = standings.filter(
    each => isHeld(each, now) && rt.templates.role(each.programme, each.role).manages,
  )
  const rank = ({ level }: { level: string }) => (RANKS.includes(level) ? RANKS.indexOf(level) : RANKS.length)
  const top = Math.min(...offices.map(rank))
  const highest = offices.filter(office => rank(office) === top)
  const isOurs = (path: string) => managesUnit(rt.templates, actor, path)
  const isBelow = (path: string) => managesFromAbove(rt.templates, actor, path)
  // an office is held against other offices: being a member next door from before does not count
  const isAtIssue = ({ unitPath }: { unitPath: string }) =>
    isBelow(unitPath) || highest.some(office => office.unitPath === unitPath)
  const isAllowed =
    hadLongest(standings, isOurs, now) &&
    (highest.length === 0 ||
      (highest.some(office => isBelow(office.unitPath)) &&
        hadLongest(standings.filter(isAtIssue), isBelow, now)))
  if (await isAdministrator(rt.db, holder.personId))
    throw new DomainError('rights.missing', `“${holder.name}”照看系统，绑定码要在服务器上发放。`)
  if (!isAllowed)
    throw new DomainError(
      'rights.missing',
      `“${holder.name}”${highest[0] ? `担任${highest[0].unitName}职务` : '还在别的单位'}，不在您的下级，绑定码要由其上一级组织发放。`,
    )
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
  const holder = await personOfUnit(rt, input)
  return makeCode(rt, holder.personId, null, {
    personName: holder.name,
    unitName: holder.unitName,
    title: holder.title ?? '',
  })
}

/**
 * The one person of this name in a unit's own roster, for the command lines.
 * @throws DomainError `unit.unknown`, `person.unknown`, `person.ambiguous`
 */
export async function personOfUnit(
  rt: DomainRuntime,
  input: { programme: string; unitCode: string; name: string },
) {
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
  return holder
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
