import {
  type ErasedWords,
  endAccess,
  eraseActivity,
  eraseDanger,
  eraseIdNumber,
  eraseMessages,
  eraseNames,
  eraseNumbers,
  eraseRegistrations,
  eraseRequests,
  eraseSlips,
  giveUpDraftsWith,
  insertErasures,
  standsAnywhere,
} from '../../../db/queries/erasures.ts'
import { groupsOwnedBy } from '../../../db/queries/groups.ts'
import { type PersonRow, placesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { eraseVolunteers } from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { holdRosters } from '../roster/hold-rosters.ts'
import { type ErasedKind, kindWords, privacyPolicy } from './policy.ts'

export type WhyErased = 'request' | 'office' | 'retention' | 'consent'

/** What is called a person whose name was taken. No roster row of theirs stands, so no form shows it. */
export const ERASED_NAME = '已删除'
const ERASED_TEXT = '（内容已按要求删除）'
const ALL: readonly ErasedKind[] = privacyPolicy.kinds.map(kind => kind.id as ErasedKind)
const WITH_ID_NUMBER: readonly ErasedKind[] = ['id-number', 'requests', 'import-history']

/** What erasing would do to somebody, before they say that they want it. */
export interface ErasureOutlook {
  /** The kinds that go, in words. */
  goes: string
  /** They are on the roster: their name stays with it. */
  stands: boolean
  /** Groups that they own and will not be reached for any more. */
  ownedGroups: number
}

export async function outlookOf(rt: DomainRuntime, personId: number): Promise<ErasureOutlook> {
  const [stands, owned] = await Promise.all([standsAnywhere(rt.db, personId), groupsOwnedBy(rt.db, personId)])
  return {
    goes: kindWords(ALL.filter(kind => !(stands && kind === 'name'))),
    stands,
    ownedGroups: owned.length,
  }
}

/**
 * Erases what is known of a person at their own wish (个人信息保护法 第四十七条): numbers, what they wrote, what was sent to
 * them, and every way in. The roster is their office's: while it has them, their name and service stay. The audit log
 * stays; it names nobody.
 */
export async function eraseOwn(rt: DomainRuntime, actor: KnownActor): Promise<void> {
  await erase(rt, [actor.person.id], { why: 'request', byId: actor.person.id })
}

/**
 * The same for somebody who has left, by the office that they left or one above it. Whoever was in the units of several
 * offices is erased by one that has all of these below it: nobody erases another's people by entering them once.
 * @param said the person's name, typed once more
 * @throws DomainError `rights.missing`, `erasure.elsewhere`, `erasure.stands`, `erasure.unsure`
 */
export async function eraseForOffice(
  rt: DomainRuntime,
  actor: KnownActor,
  { person, said }: { person: PersonRow; said: string },
): Promise<void> {
  await inTransaction(rt, async tx => {
    // where they are and were is read behind the imports that are under way
    await holdRosters(tx)
    const places = await placesOf(tx.db, person.id)
    const isOurs = ({ unitPath }: { unitPath: string }) => managesUnit(tx.templates, actor, unitPath)
    if (!places.some(isOurs)) throw notAllowed('删除这个人的信息')
    if (await standsAnywhere(tx.db, person.id))
      throw new DomainError(
        'erasure.stands',
        `${person.name}还在名册上或还是群主，不能由单位删除。离开后先更新名册、换群主；本人可以随时自己删除。`,
      )
    if (!places.every(isOurs))
      throw new DomainError(
        'erasure.elsewhere',
        `${person.name}也在您所辖以外的单位登记过，不能由您这一级删除。请联系共同的上级组织；本人可以随时自己删除。`,
      )
    if (said.trim() !== person.name)
      throw new DomainError('erasure.unsure', '请照写这个人的姓名，以免删错。什么也没有删除。')
    await eraseHeld(tx, [person.id], { why: 'office', byId: actor.person.id })
  })
}

/**
 * Erases many at once, all of them or none. Imports wait for it, and it for them: one that was under way brings nothing
 * back, and a file that waits to be applied is given up.
 * @param stillMeant picks those who are meant from what stands once the imports have ended; left out: all of them
 * @returns how many were erased
 */
export function erase(
  rt: DomainRuntime,
  personIds: number[],
  how: Erasing,
  stillMeant?: (tx: DomainRuntime) => Promise<number[]>,
): Promise<number> {
  if (personIds.length === 0) return Promise.resolve(0)
  return inTransaction(rt, async tx => {
    await holdRosters(tx)
    const meant = stillMeant ? await stillMeant(tx) : personIds
    await eraseHeld(tx, meant, how)
    return meant.length
  })
}

interface Erasing {
  why: WhyErased
  byId: number | null
}

/** In a transaction that holds the rosters. */
async function eraseHeld(tx: DomainRuntime, personIds: number[], { why, byId }: Erasing): Promise<void> {
  if (personIds.length === 0) return
  const now = tx.clock.now()
  const words = erasedWords(tx)
  await eraseRequests(tx.db, personIds, words, now)
  await eraseSlips(tx.db, personIds, words, now)
  await eraseDanger(tx.db, personIds, now)
  await eraseMessages(tx.db, personIds)
  await eraseActivity(tx.db, personIds)
  await eraseRegistrations(tx.db, personIds, now)
  await eraseVolunteers(tx.db, personIds, dayOf(now))
  await giveUpDraftsWith(tx.db, personIds, '名册里有人的信息已删除，请重新整理文件再上传。')
  await eraseNumbers(tx.db, personIds)
  await endAccess(tx.db, personIds, now)
  const nameless = new Set(await eraseNames(tx.db, personIds, words, now))
  const kindsOf = (id: number) => ALL.filter(kind => kind !== 'name' || nameless.has(id))
  await insertErasures(
    tx.db,
    personIds.map(personId => ({ personId, at: now, why, byId, kinds: kindsOf(personId) })),
  )
  for (const personId of personIds)
    await appendAudit(tx.db, {
      at: now,
      actorId: byId,
      action: 'person.erased',
      subjectKind: 'person',
      subjectId: personId,
      details: { why, kinds: kindsOf(personId) },
    })
}

/**
 * Erases a person's ID number wherever it stands, with the consent to it (第十五条): on the roster, in what imports had put
 * aside, and in what they wrote to be let into groups. Belongs in the transaction of the withdrawal.
 */
export async function eraseUnderConsent(tx: DomainRuntime, personId: number): Promise<void> {
  const now = tx.clock.now()
  await holdRosters(tx)
  await eraseIdNumber(tx.db, personId)
  await eraseRequests(tx.db, [personId], erasedWords(tx), now)
  await giveUpDraftsWith(tx.db, [personId], '名册里有人撤回了身份证号的同意，请重新整理文件再上传。')
  await insertErasures(tx.db, [
    { personId, at: now, why: 'consent', byId: personId, kinds: [...WITH_ID_NUMBER] },
  ])
}

export function erasedWords({ vault }: Pick<DomainRuntime, 'vault'>): ErasedWords {
  return { name: ERASED_NAME, text: ERASED_TEXT, sealedText: vault.seal(ERASED_TEXT) }
}
