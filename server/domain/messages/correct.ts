import { groupById } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { recordById, setCategory } from '../../../db/queries/records.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { isOpenMonth } from '../activities/open-month.ts'
import { type KnownActor, managesGroup } from '../actor.ts'
import { isCategory } from './categories.ts'

/**
 * Puts one record's category right by hand, whoever or whatever had decided it. The same category again changes nothing.
 * @throws DomainError `record.none`, `record.closed`, `record.category`, `record.changed`
 */
export async function correctRecord(
  rt: DomainRuntime,
  actor: KnownActor,
  { recordId, category }: { recordId: number; category: string },
): Promise<void> {
  if (!isCategory(category)) throw new DomainError('record.category', '没有这个类别，请从五类里选一类。')
  await inTransaction(rt, async tx => {
    const record = await recordById(tx.db, recordId)
    const group = record && (await groupById(tx.db, record.groupId))
    if (!record || !group || !managesGroup(tx.templates, actor, group))
      throw new DomainError('record.none', '没有这条记录。')
    const now = tx.clock.now()
    if (!isOpenMonth(record.month, now))
      throw new DomainError('record.closed', `${record.month} 的报表已经定了，那个月的记录不能再改。`)
    if (record.category === category) return
    if (!(await setCategory(tx.db, record.id, record.category, category)))
      throw new DomainError('record.changed', '这条记录刚才被别人改过，请刷新后再看。')
    await appendAudit(tx.db, {
      at: now,
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
