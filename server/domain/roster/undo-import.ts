import { personsBeyond, personsChangedBy, putPersonsBack } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  importAfter,
  lockRoster,
  noteImportUndone,
  rolesOfImport,
  rosterImportById,
  turnEntriesBack,
} from '../../../db/queries/roster.ts'
import { unitById } from '../../../db/queries/units.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { followRoster } from './follow-roster.ts'
import { scopeOf } from './scope.ts'

/** Whom another office has taken on since is no longer this one's to change (`scope.ts`, rule 3). @throws DomainError `import.overtaken` */
async function refuseForOthers(
  rt: DomainRuntime,
  importId: number,
  programme: string,
  path: string,
): Promise<void> {
  const top = await unitById(rt.db, Number(path.split('/').at(-2)))
  if (!top) return
  const scope = scopeOf(rt.templates, programme, top)
  const changed = await personsChangedBy(rt.db, importId)
  const beyond = await personsBeyond(rt.db, changed, scope.unit, scope.officeRoles)
  if (beyond.size > 0)
    throw new DomainError(
      'import.overtaken',
      `不能撤销：这次导入改过 ${beyond.size} 个人的姓名或号码，他们现在也在${scope.unit.name}以外的单位登记。请导入一份更正的名册，或联系上级。`,
    )
}

/**
 * Takes an import back: what it had brought is closed, what it had closed stands again, roles follow, and names and
 * numbers of persons become what they were. Persons and units that it had made stay, without entries.
 *
 * Refused when a later import has touched the same units or persons: what it said was a difference to this one. One of
 * the command line is the operator's and is not undone here.
 * @throws DomainError `rights.missing`, `import.undone`, `import.overtaken`
 */
export async function undoImport(rt: DomainRuntime, actor: KnownActor, importId: number): Promise<void> {
  await inTransaction(rt, async tx => {
    const found = await rosterImportById(tx.db, importId)
    if (!found?.programme || found.unitPath === null || !managesUnit(tx.templates, actor, found.unitPath))
      throw notAllowed('撤销这次导入')
    const { programme } = found
    await lockRoster(tx.db, programme)
    // read anew behind the lock: of two who undo at once the second finds it done
    if ((await rosterImportById(tx.db, importId))?.undoneAt)
      throw new DomainError('import.undone', '这次导入已经撤销过了，没有再做什么。')
    const later = await importAfter(tx.db, importId)
    if (later)
      throw new DomainError(
        'import.overtaken',
        `不能撤销：${chineseMoment(later.appliedAt)}${later.unitName ? `${later.unitName}的` : '系统管理员的'}导入动过同样的单位或人员。请先撤销那一次；撤销不了的，请导入一份更正的名册。`,
      )
    await refuseForOthers(tx, importId, programme, found.unitPath)
    // once they are turned back the entries do not say any more what had touched them
    const touched = await rolesOfImport(tx.db, importId)
    await turnEntriesBack(tx.db, importId)
    await putPersonsBack(tx.db, importId)
    await followRoster(tx, importId, touched)
    await noteImportUndone(tx.db, importId, actor.person.id, tx.clock.now())
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'roster.import_undone',
      subjectKind: 'roster_import',
      subjectId: importId,
      details: { programme, roles: touched.length },
    })
  })
}
