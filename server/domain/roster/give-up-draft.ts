import { appendAudit } from '../../../db/queries/platform.ts'
import { moveDraft, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { dropStagingsOf } from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { OPEN } from './drafts.ts'

/** Gives a draft up: its file is deleted at once. @throws DomainError `draft.gone` when it is not waiting any more */
export async function giveUpDraft(rt: DomainRuntime, actor: KnownActor, draft: RosterDraft): Promise<void> {
  await inTransaction(rt, async tx => {
    if (!(await moveDraft(tx.db, draft.id, OPEN, { status: 'given_up', fileSealed: null })))
      throw new DomainError('draft.gone', '这个文件正在核对或导入，或者已经导入、放弃。')
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'roster_draft.given_up',
      subjectKind: 'unit',
      subjectId: draft.unitId,
      details: { draft: draft.id },
    })
    await dropStagingsOf(tx.db, draft.id)
  })
}
