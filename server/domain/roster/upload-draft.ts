import { createHash } from 'node:crypto'
import { appendAudit } from '../../../db/queries/platform.ts'
import { insertDraft } from '../../../db/queries/roster-drafts.ts'
import { notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { topUnits } from '../access/policy.ts'
import type { KnownActor } from '../actor.ts'
import { DRAFT_MS } from './drafts.ts'
import { headOfRoster } from './read-in-threads.ts'

/**
 * Takes in a roster file of one of the units that the actor runs, to be looked at before it is applied. It is kept
 * sealed, for a day.
 * @param input.isWhole the file is the whole roster of the unit and all below it
 * @returns the draft's number
 * @throws DomainError `table.…` when it cannot be read as a table, `rights.missing`
 */
export async function uploadDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { unitId: number; file: { name: string; bytes: Uint8Array }; isWhole: boolean },
): Promise<number> {
  const unit = topUnits(rt.templates, actor).find(each => each.id === input.unitId)
  if (!unit) throw notAllowed('为这个单位导入名册')
  const { bytes, name } = input.file
  await headOfRoster(rt, { bytes }, unit.programme)
  const now = rt.clock.now()
  return inTransaction(rt, async tx => {
    const id = await insertDraft(tx.db, {
      programme: unit.programme,
      unitId: unit.id,
      personId: actor.person.id,
      fileName: name.slice(0, 120) || '名册',
      fileHash: createHash('sha256').update(bytes).digest('hex'),
      fileSealed: tx.vault.seal(Buffer.from(bytes).toString('base64')),
      mapping: {},
      isWhole: input.isWhole,
      status: 'uploaded',
      createdAt: now,
      expiresAt: new Date(now.getTime() + DRAFT_MS),
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'roster_draft.uploaded',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { draft: id, isWhole: input.isWhole },
    })
    return id
  })
}
