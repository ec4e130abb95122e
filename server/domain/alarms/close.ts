import { closeAlarm } from '../../../db/queries/alarms.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/**
 * Closes an alarm that has been seen to. Should it happen again, it is a new one.
 * @param actor null: whoever may run command lines on the server
 * @throws DomainError `alarm.not_open`
 */
export function closeOneAlarm(rt: DomainRuntime, actor: KnownActor | null, id: number): Promise<void> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    if (!(await closeAlarm(tx.db, id, now)))
      throw new DomainError('alarm.not_open', `没有未关闭的告警 ${id}。`)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor?.person.id ?? null,
      action: 'alarm.closed',
      subjectKind: 'alarm',
      subjectId: id,
      details: {},
    })
  })
}
