import { setTimeout as pause } from 'node:timers/promises'
import { moveDraft, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { DRAFT_MS, OPEN, openDraftFile, SILENT_MS } from './drafts.ts'
import { importRoster } from './import.ts'
import { optionsOf } from './preview-draft.ts'

/** How long whoever asked for it waits: small files are done by then, and their page can say so at once. */
const WAIT_MS = 1500
/** The progress is written at most so often. */
const PROGRESS_MS = 500

/** Told of an error that is no rule's; it must leave personal data out of what it writes. */
export type NoteError = (error: unknown) => void

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
  if (!isOurs) throw new DomainError('draft.gone', '这个文件正在导入，或者已经导入、放弃，没有再导入一次。')
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
  try {
    const file = await openDraftFile(rt, draft)
    const result = await importRoster(rt, file, {
      ...optionsOf(draft),
      isDryRun: false,
      actorId: actor.person.id,
      onProgress: progressOf(rt, draft.id),
      async finish(tx, importId) {
        const isStillOurs = await moveDraft(tx.db, draft.id, ['applying'], {
          status: 'applied',
          importId,
          fileSealed: null,
          expiresAt: new Date(tx.clock.now().getTime() + DRAFT_MS),
        })
        if (!isStillOurs) throw new DomainError('draft.gone', '导入用了太久，已经当作失败。')
      },
    })
    if (!result.isApplied)
      await fail(rt, draft.id, '名册里有错误，没有导入任何一行。请看下面列出的问题，改好后重新上传。')
  } catch (error) {
    if (!(error instanceof DomainError)) noteError(error)
    const words =
      error instanceof DomainError
        ? error.message
        : '服务器出错，没有导入任何一行。请再试一次；一直这样请告诉系统管理员。'
    await fail(rt, draft.id, words).catch(noteError)
  }
}

async function fail(rt: DomainRuntime, id: number, error: string): Promise<void> {
  const expiresAt = new Date(rt.clock.now().getTime() + DRAFT_MS)
  await moveDraft(rt.db, id, ['applying'], { status: 'failed', error, expiresAt })
}

/** Writes the progress on a connection of its own, for inside the transaction nobody would see it. */
function progressOf(rt: DomainRuntime, id: number): (done: number, all: number) => Promise<void> {
  let last = 0
  return async (doneCount, totalCount) => {
    const now = rt.clock.now().getTime()
    if (now - last < PROGRESS_MS) return
    last = now
    await moveDraft(rt.db, id, ['applying'], {
      doneCount,
      totalCount,
      expiresAt: new Date(now + SILENT_MS),
    })
  }
}
