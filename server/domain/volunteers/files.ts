import { insertPersons } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { personsByIndexes } from '../../../db/queries/roster.ts'
import {
  insertVolunteerFile,
  makeVolunteerFiles,
  officesOfKind,
  type SendingUniversity,
  volunteerUniversities,
  writeVolunteerStep,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { universityKey } from '../groups/facts.ts'
import { nameKey, soundKey } from '../names/name-key.ts'
import { normalisePhone } from '../roster/phone.ts'
import { requireOffice } from './offices.ts'
import { volunteerRoles, volunteerRules } from './rules.ts'

const MOST_NAME = 30

/**
 * Makes files for everybody whom the rosters of all years say a university has sent (历年志愿者, 山科大党发〔2021〕52号
 * 三.(四)). Done twice it makes nothing the second time.
 * @returns how many were made
 */
export async function keepVolunteerFiles(rt: DomainRuntime): Promise<number> {
  const scope = { programme: volunteerRules.programme, roles: volunteerRoles(rt.templates) }
  const sent = (await sendingUniversities(rt)).flatMap(({ unitId, universities }) =>
    universities.map(university => ({ university, unitId })),
  )
  return makeVolunteerFiles(rt.db, scope, sent, rt.clock.now())
}

/** Every university that has an office, and the ways in which rows of all years write it. */
export async function sendingUniversities(rt: DomainRuntime): Promise<SendingUniversity[]> {
  const { programme, universityKind } = volunteerRules
  const offices = await officesOfKind(rt.db, programme, universityKind)
  if (offices.length === 0) return []
  const scope = { programme, roles: volunteerRoles(rt.templates) }
  const written = Map.groupBy(await volunteerUniversities(rt.db, scope), universityKey)
  return offices.map(({ id, name }) => ({ unitId: id, universities: written.get(universityKey(name)) ?? [] }))
}

export interface CandidateInput {
  /** 校项目办 or 院系项目办 */
  officeId: number
  name: string
  /** By name and phone the roster finds the same person again. */
  phone: string
  year: number
}

/**
 * Opens a file for somebody of the lower years (低年级培育): the same person where name and phone are known already.
 * @throws DomainError `rights.missing`, `volunteer.name`, `volunteer.phone`, `volunteer.year`, `volunteer.exists`
 */
export async function addCandidate(
  rt: DomainRuntime,
  actor: KnownActor,
  { officeId, name, phone, year }: CandidateInput,
): Promise<number> {
  const { university, college } = await requireOffice(rt, actor, officeId)
  const written = name.replace(/(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu, '').trim()
  if (written === '' || /\d/.test(written) || [...written].length > MOST_NAME)
    throw new DomainError('volunteer.name', '请写姓名，不含数字。')
  const number = normalisePhone(phone)
  if (!number)
    throw new DomainError('volunteer.phone', '请写 11 位手机号：以后名册里有了，靠它认出是同一个人。')
  checkYear(rt, year)
  const key = nameKey(written)
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const known = await personsByIndexes(tx.db, [], tx.vault.indexes('phone', number))
    const same = known.find(person => person.nameKey === key)
    const [made] = same
      ? [same.id]
      : await insertPersons(tx.db, [
          {
            name: written,
            nameKey: key,
            soundKey: soundKey(written),
            phoneSealed: tx.vault.seal(number),
            phoneIndex: tx.vault.index('phone', number),
            createdAt: now,
          },
        ])
    const personId = made as number
    const fileId = await insertVolunteerFile(tx.db, {
      unitId: university.id,
      personId,
      collegeId: college?.id ?? null,
      year,
      createdBy: actor.person.id,
      createdAt: now,
    })
    if (fileId === null)
      throw new DomainError('volunteer.exists', `${written}已经在学校的志愿者数据库里，没有再建。`)
    await writeVolunteerStep(tx.db, {
      fileId,
      step: 'candidate',
      on: dayOf(now),
      writtenBy: actor.person.id,
      writtenAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'volunteer.added',
      subjectKind: 'person',
      subjectId: personId,
      details: { unitId: university.id },
    })
    return fileId
  })
}

/** @throws DomainError `volunteer.year` */
export function checkYear(rt: DomainRuntime, year: number): void {
  const now = Number(dayOf(rt.clock.now()).slice(0, 4))
  // the programme began in 2003
  if (!Number.isInteger(year) || year < 2003 || year > now + 6)
    throw new DomainError('volunteer.year', `毕业年份请写 2003 到 ${now + 6} 之间的年份。`)
}
