import { setTimeout as pause } from 'node:timers/promises'
import { moveDraft, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { dropStagingsOf, type StagedDifference, stagingOfDraft } from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { applyStaging } from './apply-staging.ts'
import { type NoteError, stagedDraft } from './check-draft.ts'
import { progressWriter } from './draft-progress.ts'
import { DRAFT_MS, OPEN, optionsOf, SILENT_MS, waitsUntil } from './drafts.ts'
import { noteOthers } from './work-out-difference.ts'

/** How long whoever asked for it waits: small files are done by then, and their page can say so at once. */
const WAIT_MS = 2500

/**
 * Imports a draft, once however often it is asked for: of two who ask, one wins the draft's state. The work is one
 * transaction and goes on after the answer; the draft's row says how far it is. Applied and imported become true
 * together.
 * @returns when it is done, or after a moment; the draft's state says which
 * @throws DomainError `draft.gone` when it is not waiting to be applied any more
 */
export async function applyDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  draft: RosterDraft,
  noteError: NoteError,
): Promise<void> {
  const isOurs = await moveDraft(rt.db, draft.id, OPEN, {
    status: 'applying',
    error: null,
    doneCount: 0,
    totalCount: 0,
    expiresAt: new Date(rt.clock.now().getTime() + SILENT_MS),
  })
  if (!isOurs)
    throw new DomainError('draft.gone', '这个文件正在核对或导入，或者已经导入、放弃，没有再导入一次。')
  const timer = new AbortController()
  const work = run(rt, actor, draft, noteError).finally(() => timer.abort())
  await Promise.race([work, pause(WAIT_MS, null, { signal: timer.signal, ref: false }).catch(() => null)])
}

/** Never throws: what went wrong stands in the draft. */
async function run(
  rt: DomainRuntime,
  actor: KnownActor,
  draft: RosterDraft,
  noteError: NoteError,
): Promise<void> {
  const options = optionsOf(draft)
  let found: StagedDifference | null = null
  try {
    const seen = (await stagingOfDraft(rt.db, draft.id))?.difference ?? null
    const staged = await stagedDraft(rt, draft, 'applying')
    if (staged.facts.fault !== null) throw new DomainError('roster.columns', staged.facts.fault)
    await inTransaction(rt, async tx => {
      const { importId } = await applyStaging(tx, staged, {
        ...options,
        fileName: draft.fileName,
        fileHash: draft.fileHash,
        actorId: actor.person.id,
        onProgress: progressWriter(rt, draft.id, 'applying'),
        async look(difference) {
          found = difference
          if (seen && !isSame(seen, difference))
            throw new DomainError(
              'draft.changed',
              '名册在您核对之后有变动，没有导入。下面已按现在的名册重新核对，请再看一遍，确认后再导入。',
            )
        },
      })
      const isStillOurs = await moveDraft(tx.db, draft.id, ['applying'], {
        status: 'applied',
        importId,
        fileSealed: null,
        expiresAt: new Date(tx.clock.now().getTime() + DRAFT_MS),
      })
      if (!isStillOurs) throw new DomainError('draft.gone', '导入用了太久，已经当作失败。')
    })
    await dropStagingsOf(rt.db, draft.id)
  } catch (error) {
    await noteOthers(rt, options, found).catch(noteError)
    if (!(error instanceof DomainError)) noteError(error)
    const words =
      error instanceof DomainError
        ? error.message
        : '服务器出错，没有导入任何一行。请再试一次；一直这样请告诉系统管理员。'
    await fail(rt, draft, words).catch(noteError)
  }
}

/** Whether it is what somebody has looked at and agreed to. */
function isSame(
  { version: _seen, ...seen }: StagedDifference,
  { version: _now, ...now }: StagedDifference,
): boolean {
  return (Object.keys(now) as (keyof typeof now)[]).every(key => seen[key] === now[key])
}

async function fail(rt: DomainRuntime, draft: RosterDraft, error: string): Promise<void> {
  const expiresAt = waitsUntil(draft, rt.clock.now())
  await moveDraft(rt.db, draft.id, ['applying'], { status: 'failed', error, expiresAt })
}
