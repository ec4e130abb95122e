import { createHash } from 'node:crypto'
import { lockUnitForForms, putReturn, returnsOf } from '../../../db/queries/form-returns.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { dueDayOf } from './due-day.ts'
import { checkForm, detailsOf, type FormAsked, filledByActor, writeForm } from './export.ts'
import { isOnTime } from './rates.ts'
import { sendsUp } from './senders.ts'

export interface SentForm {
  /** False: the very same was sent before, and nothing changed. */
  isNew: boolean
  /** Something else was sent before; it stays in the files. */
  isReplaced: boolean
  dueOn: string | null
  /** Whether the first that was sent of this period came by its day. */
  isOnTime: boolean
}

/**
 * Whoever runs a unit sends its form of a period up: from now on the levels above see it as received. Sent anew it takes
 * the place of what was sent; the very same sent twice counts once.
 * @param ownDue the day (`YYYY-MM-DD`) that was set for this unit, where it is another than the form's
 * @throws DomainError `rights.missing`, `form.none`, `form.not_sent` for what is only looked at
 */
export function sendForm(
  rt: DomainRuntime,
  actor: KnownActor,
  asked: FormAsked,
  ownDue?: string,
): Promise<SentForm> {
  checkForm(rt, actor, asked, '报送')
  const { form, period } = asked
  if (!rt.templates.formBasics(form.id).due)
    throw new DomainError('form.not_sent', `${form.name}只供查看和打印，不用报送。`)
  return inTransaction(rt, async tx => {
    await lockUnitForForms(tx.db, asked.unit.id)
    const unit = await unitById(tx.db, asked.unit.id)
    if (!unit) throw new DomainError('form.none', '没有这个单位。')
    if (!sendsUp(form, unit))
      throw new DomainError('form.not_sent', `${unit.name}的${form.name}是本级汇总，不用再往上报送。`)
    const { file } = await writeForm(tx, { ...asked, unit }, await filledByActor(tx, actor))
    const hash = createHash('sha256').update(file).digest('hex')
    const before = await returnsOf(tx.db, form.id, unit.id, period)
    const now = tx.clock.now()
    const due = ownDue ?? (await dueDayOf(tx, form, period))
    const isTimely = [...before.map(each => each.sentAt), now].some(at => isOnTime(at, due))
    const isReplaced = before.length > 0
    if (before[0]?.hash === hash) return { isNew: false, isReplaced, dueOn: due, isOnTime: isTimely }
    await putReturn(tx.db, {
      form: form.id,
      unitId: unit.id,
      period,
      dueOn: due,
      sentAt: now,
      sentBy: actor.person.id,
      hash,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'form.sent',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { ...detailsOf(tx, asked), isReplaced },
    })
    return { isNew: true, isReplaced, dueOn: due, isOnTime: isTimely }
  })
}

/**
 * Sends a form along with the deed that confirms its figures (签报, 双月报告), in the caller's transaction: nobody reports
 * the same twice. Units that have no such form, and those with nothing above them, send none.
 */
export async function sendAlong(
  rt: DomainRuntime,
  actor: KnownActor,
  asked: FormAsked,
  ownDue?: string,
): Promise<void> {
  const { form, unit } = asked
  if (unit.programme === form.programme && sendsUp(form, unit)) await sendForm(rt, actor, asked, ownDue)
}
