import { moveDraft } from '../../../db/queries/roster-drafts.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { SILENT_CHECK_MS, SILENT_MS } from './drafts.ts'

/** The progress is written at most so often. */
const PROGRESS_MS = 500

/** Writes the progress of a draft on a connection of its own, for inside the transaction nobody would see it. */
export function progressWriter(
  rt: DomainRuntime,
  id: number,
  status: 'checking' | 'applying',
): (done: number, all: number) => Promise<void> {
  let last = 0
  const silentMs = status === 'checking' ? SILENT_CHECK_MS : SILENT_MS
  return async (doneCount, totalCount) => {
    const now = rt.clock.now().getTime()
    if (now - last < PROGRESS_MS) return
    last = now
    await moveDraft(rt.db, id, [status], {
      doneCount,
      totalCount,
      expiresAt: new Date(now + silentMs),
    })
  }
}
