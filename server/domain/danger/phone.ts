import type { DangerCall } from '../../../db/queries/danger.ts'
import { lockDangerCall, toldOf } from '../../../db/queries/danger.ts'
import { personById } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { shownNumbers } from '../persons/shown-numbers.ts'
import { isOfficerOf } from './audience.ts'

const ended = ['false_alarm', 'closed']

/** Whether somebody is an officer who was told of a call. */
export async function wasCalled(rt: DomainRuntime, call: DangerCall, personId: number): Promise<boolean> {
  return (await toldOf(rt.db, call.id)).has(personId) && (await isOfficerOf(rt, call, personId))
}

/** The phone of who called as it stands in messages and on pages; null: none is known. */
export async function maskedPhoneOf(rt: DomainRuntime, call: DangerCall): Promise<string | null> {
  const person = call.personId === null ? null : await personById(rt.db, call.personId)
  return person && shownNumbers(rt.vault, person, 'office').phone
}

/**
 * Shows the phone of who called for help, once, to an officer who was told of it, while it has not ended; the person sees
 * who has looked (个人信息保护法 第十三条第四项、第四十四条). Not counted among an officer's other looks: nobody who helps is
 * held up.
 * @throws DomainError `danger.unknown`, `danger.ended`, `danger.no_phone`
 */
export function showPhone(rt: DomainRuntime, actor: KnownActor, callId: number): Promise<string> {
  return inTransaction(rt, async tx => {
    const call = await lockDangerCall(tx.db, callId)
    if (!call || !(await wasCalled(tx, call, actor.person.id)))
      throw new DomainError('danger.unknown', `没有编号是 ${callId} 的求助，或没有通知过您。`)
    if (ended.includes(call.status))
      throw new DomainError('danger.ended', `${callId} 号已经结束，不再显示电话。`)
    const person = call.personId === null ? null : await personById(tx.db, call.personId)
    if (!person?.phoneSealed)
      throw new DomainError('danger.no_phone', '名册上没有本人的电话，请在聊天里问，或问当地同志。')
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'person.unmasked',
      subjectKind: 'person',
      subjectId: person.id,
      details: { fields: ['phone'], reason: `紧急情况：本人求助（${callId} 号）` },
    })
    return tx.vault.open(person.phoneSealed)
  })
}
