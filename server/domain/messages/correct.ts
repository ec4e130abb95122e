import { groupById } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { recordById, setCategory } from '../../../db/queries/records.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesGroup, managesUnit } from '../actor.ts'
import { noteLateChange } from '../months/late-change.ts'
import { monthState } from '../months/state.ts'
import { isCategory } from './categories.ts'
import { figureOfCategory } from './record-rules.ts'

/**
 * Puts one record's category right by hand, whoever or whatever had decided it. The same category again changes nothing.
 * In a month that is closed only who manages the unit does so, with a reason, and the month says that it was changed.
 * @param correction.reason needed in a closed month alone
 * @throws DomainError `record.none`, `record.closed`, `record.category`, `record.changed`, `late_change.reason`
 */
export async function correctRecord(
  rt: DomainRuntime,
  actor: KnownActor,
  { recordId, category, reason = '' }: { recordId: number; category: string; reason?: string },
): Promise<void> {
  if (!isCategory(category)) throw new DomainError('record.category', '没有这个类别，请从五类里选一类。')
  await inTransaction(rt, async tx => {
    const record = await recordById(tx.db, recordId)
    const group = record && (await groupById(tx.db, record.groupId))
    if (!record || !group || !managesGroup(tx.templates, actor, group))
      throw new DomainError('record.none', '没有这条记录。')
    // whose figures they are: the group may have moved since
    const unit = await unitById(tx.db, record.unitId)
    const state = await monthState(tx, group.programme, record.month)
    const mayLate = state === 'closed' && unit !== null && managesUnit(tx.templates, actor, unit.path)
    if (state !== 'open' && !mayLate)
      throw new DomainError('record.closed', `${record.month} 的报表已经定了，那个月的记录不能再改。`)
    if (record.category === category) return
    if (!(await setCategory(tx.db, record.id, record.category, category)))
      throw new DomainError('record.changed', '这条记录刚才被别人改过，请刷新后再看。')
    if (state === 'closed')
      await noteLateChange(tx, actor, {
        unitId: record.unitId,
        month: record.month,
        subjectKind: 'record',
        subjectId: record.id,
        effect: {
          [figureOfCategory(tx.templates, record.category)]: -record.count,
          [figureOfCategory(tx.templates, category)]: record.count,
        },
        reason,
      })
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'record.recategorised',
      subjectKind: 'group',
      subjectId: group.id,
      details: {
        record: record.id,
        month: record.month,
        from: record.category,
        to: category,
        wasDecidedBy: record.decidedBy,
      },
    })
  })
}
