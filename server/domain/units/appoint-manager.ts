import { appendAudit } from '../../../db/queries/platform.ts'
import { holdersOf, setManager, type UnitRow } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'

/**
 * Names the person who looks after a unit's groups and those below from day to day (专人).
 * @throws DomainError `rights.missing`, `person.unknown` for somebody without a role in the unit
 * @source 全国项目办发〔2018〕1号 三.3; 中少办发〔2017〕4号 五.1
 */
export async function appointManager(
  rt: DomainRuntime,
  actor: KnownActor,
  unit: UnitRow,
  personId: number,
): Promise<string> {
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`指定${unit.name}的专人`)
  const holder = (await holdersOf(rt.db, unit.id)).find(each => each.personId === personId)
  if (!holder) throw new DomainError('person.unknown', `${unit.name}的名册里没有这个人。`)
  await inTransaction(rt, async tx => {
    await setManager(tx.db, unit.id, personId)
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'unit.manager_appointed',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { from: unit.managerId, to: personId },
    })
  })
  return holder.name
}
