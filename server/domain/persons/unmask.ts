import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import {
  type NumberColumn,
  personById,
  personsInLine,
  placesOf,
  unitOfNumber,
} from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { topUnits } from '../access/policy.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { managersFor } from '../groups/managers.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { privacyPolicy } from '../privacy/policy.ts'

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
  /** Numbers that there are and that this actor is not shown; the unit to ask instead, null: the one above. */
  withheld: { fields: ('phone' | 'idNumber')[]; askWhom: string | null } | null
}

/** Longer words are no reason but a text. */
const MAX_WORDS = 100
const DAY_MS = 86_400_000

/**
 * Shows somebody's numbers in full, once, and writes it where they see it themselves (`audit_log`, subject `person`):
 * 个人信息保护法 第四十四条、第四十五条. Who may see the person at all is the policy's to say.
 *
 * A number is shown to those in whose line it came onto the roster, and to no other office that has entered the person
 * since: whoever knows an ID number could put its bearer on a roster of their own and read off the rest. The ID number of
 * somebody who stands in a unit that the actor does not run as well is not shown either. How many people one may look at
 * in a day is limited, and the unit above is told before that. source: project assumption
 * @param input.words for `other` what it is; no numbers of anybody are kept of it
 * @throws DomainError `unmask.reason`, `unmask.too_many`, `person.unknown`
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
    const paths = topUnits(tx.templates, actor).map(unit => unit.path)
    const isInLine = async (column: NumberColumn) =>
      (await personsInLine(tx.db, [person.id], paths, column)).has(person.id)
    const seesPhone = await isInLine('phoneIndex')
    const seesNumber = !isShared && (await isInLine('idNumberIndex'))
    const shown = {
      phone: seesPhone ? open(person.phoneSealed) : null,
      idNumber: seesNumber ? open(person.idNumberSealed) : null,
    }
    const hidden: ('phone' | 'idNumber')[] = []
    if (!seesPhone && person.phoneSealed !== null) hidden.push('phone')
    if (!seesNumber && person.idNumberSealed !== null) hidden.push('idNumber')
    const fields = [shown.phone && 'phone', shown.idNumber && 'idNumber'].filter(Boolean)
    if (fields.length > 0) await limit(tx, actor)
    const named = UNMASK_REASONS.find(([id]) => id === input.reason)?.[1] ?? input.reason
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: fields.length > 0 ? 'person.unmasked' : 'person.unmask_refused',
      subjectKind: 'person',
      subjectId: person.id,
      details: { fields, reason: input.reason === 'other' ? words : words ? `${named}：${words}` : named },
    })
    const from = await unitOfNumber(
      tx.db,
      person.id,
      hidden.includes('phone') ? 'phoneIndex' : 'idNumberIndex',
    )
    return {
      ...shown,
      withheld: hidden.length === 0 ? null : { fields: hidden, askWhom: from?.name ?? null },
    }
  })
}

/** @throws DomainError `unmask.too_many` */
async function limit(tx: DomainRuntime, actor: KnownActor): Promise<void> {
  const { mostADay, alarmAt } = privacyPolicy.unmasking
  const count = await countAttempt(tx.db, `unmask:${actor.person.id}`, tx.clock.now(), DAY_MS)
  if (count > mostADay.value)
    throw new DomainError(
      'unmask.too_many',
      `您一天里已经查看了 ${mostADay.value} 次完整号码，到了上限。请明天再看；要联系很多人，请发通知。`,
    )
  if (count !== alarmAt.value) return
  const [top] = topUnits(tx.templates, actor)
  const unit = top ? await unitById(tx.db, top.id) : null
  const above =
    unit && unit.parentId !== null
      ? await managersFor(tx, { unitId: unit.parentId, programme: unit.programme })
      : []
  for (const manager of above)
    await sendToPerson(
      tx,
      manager,
      'task',
      `【请留意】${unit?.name ?? ''}的${actor.person.name}一天里查看了 ${count} 次完整的手机号、身份证号。请了解是否工作需要；每一次的理由在网页“留痕”里。`,
    )
  if (above.length === 0)
    await raiseAlarm(
      tx.db,
      'unmasking:many',
      `有人一天里查看了 ${count} 次完整号码，上面没有单位可以告知。请在网页“留痕”里看是谁、为什么。`,
      tx.clock.now(),
    )
}
