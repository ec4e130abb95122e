import { appendAudit } from '../../../db/queries/platform.ts'
import {
  countRehearsals,
  countWaitingRehearsals,
  groupsUnder,
  insertRehearsal,
  lockRehearsalsOf,
} from '../../../db/queries/rehearsals.ts'
import { unitById } from '../../../db/queries/units.ts'
import { dayOf, shanghaiMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { checkOutgoing } from '../notices/check.ts'
import { noticeRules } from '../notices/rules.ts'
import type { RehearsalSettings } from './settings.ts'

/** Each takes minutes of a processor. Source: project assumption. */
const MOST_A_DAY = 3

/**
 * Asks for a rehearsal (演练) of a unit's matrix, which the job takes up in its turn.
 * @throws DomainError `rights.missing`, `rehearsal.too_many`, `rehearsal.waiting`, `notice.no_groups`, and those of `checkNotice`: the text is
 * written down
 */
export function askForRehearsal(
  rt: DomainRuntime,
  actor: KnownActor,
  unitId: number,
  settings: RehearsalSettings,
): Promise<number> {
  return inTransaction(rt, async tx => {
    const unit = await unitById(tx.db, unitId)
    if (!unit || !managesUnit(tx.templates, actor, unit.path)) throw notAllowed('演练这个单位的通知')
    await checkOutgoing(tx, settings.text)
    await lockRehearsalsOf(tx.db, unitId)
    const now = tx.clock.now()
    if ((await countRehearsals(tx.db, unitId, shanghaiMoment(dayOf(now)))) >= MOST_A_DAY)
      throw new DomainError(
        'rehearsal.too_many',
        `${unit.name}今天已经演练了 ${MOST_A_DAY} 次，请明天再来；结果都在下面的列表里。`,
      )
    const most = noticeRules.floods.rehearsalsWaiting
    if ((await countWaitingRehearsals(tx.db, unitId, actor.person.id)) >= most)
      throw new DomainError(
        'rehearsal.waiting',
        `${unit.name}（或您）已经有 ${most} 次演练在排队，请等前面的演练完再来。`,
      )
    const groups = await groupsUnder(tx.db, unit.path)
    if (groups === 0) throw new DomainError('notice.no_groups', `${unit.name}及下级还没有登记过群。`)
    const id = await insertRehearsal(tx.db, {
      unitId,
      askedBy: actor.person.id,
      status: 'waiting',
      settings,
      createdAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'rehearsal.asked',
      subjectKind: 'unit',
      subjectId: unitId,
      details: { rehearsalId: id, groups },
    })
    return id
  })
}
