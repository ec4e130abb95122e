import { personById, placesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { maskPersonalData } from '../messages/mask.ts'

/** Why an office may need a number in full. source: project assumption */
export const UNMASK_REASONS = [
  ['contact', '工作联系'],
  ['emergency', '紧急情况'],
  ['roster', '核对名册'],
  ['insurance', '办理保险或补贴'],
  ['other', '其他（请写明）'],
] as const

export type UnmaskReason = (typeof UNMASK_REASONS)[number][0]

export interface UnmaskedNumbers {
  phone: string | null
  idNumber: string | null
  /** There is an ID number that this actor is not shown. */
  isWithheld: boolean
}

/** Longer words are no reason but a text. */
const MAX_WORDS = 100

/**
 * Shows somebody's numbers in full, once, and writes it where they see it themselves (`audit_log`, subject `person`):
 * 个人信息保护法 第四十四条、第四十五条. Who may see the person at all is the policy's to say.
 *
 * The ID number of somebody who stands in a unit that the actor does not run as well is not shown: whoever knows a name
 * and a phone could put them on a roster of their own and read it off (source: project assumption).
 * @param input.words for `other` what it is; no numbers of anybody are kept of it
 * @throws DomainError `unmask.reason`, `person.unknown`
 */
export async function unmaskPerson(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { personId: number; reason: UnmaskReason; words: string },
): Promise<UnmaskedNumbers> {
  const words = maskPersonalData(input.words.trim()).slice(0, MAX_WORDS)
  if (input.reason === 'other' && words === '')
    throw new DomainError('unmask.reason', '选了“其他”，请写明为什么要查看。')
  return inTransaction(rt, async tx => {
    const person = await personById(tx.db, input.personId)
    if (!person) throw new DomainError('person.unknown', '没有这个人。')
    const open = (sealed: string | null) => (sealed === null ? null : tx.vault.open(sealed))
    const isShared = (await placesOf(tx.db, person.id)).some(
      place => place.isCurrent && !managesUnit(tx.templates, actor, place.unitPath),
    )
    const shown: UnmaskedNumbers = {
      phone: open(person.phoneSealed),
      idNumber: isShared ? null : open(person.idNumberSealed),
      isWithheld: isShared && person.idNumberSealed !== null,
    }
    const fields = [shown.phone && 'phone', shown.idNumber && 'idNumber'].filter(Boolean)
    const named = UNMASK_REASONS.find(([id]) => id === input.reason)?.[1] ?? input.reason
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'person.unmasked',
      subjectKind: 'person',
      subjectId: person.id,
      details: { fields, reason: input.reason === 'other' ? words : words ? `${named}：${words}` : named },
    })
    return shown
  })
}
