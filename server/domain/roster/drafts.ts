import {
  deleteOldDrafts,
  draftFile,
  type RosterDraft,
  settleStale,
} from '../../../db/queries/roster-drafts.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { DifferenceOptions } from './work-out-difference.ts'

/** How long a file that was uploaded waits to be applied. */
export const DRAFT_MS = 24 * 3600_000
/** How long an import that has failed can be looked at, at least. */
const READ_MS = 3600_000
/** How long an import may say nothing before it is taken for dead; its transaction has rolled back then. */
export const SILENT_MS = 15 * 60_000

/** How long a check may say nothing before it is taken for dead, and made again. */
export const SILENT_CHECK_MS = 2 * 60_000

/** The states in which a draft can still be looked at, changed and applied. */
export const OPEN = ['uploaded', 'failed']

/** @throws DomainError `draft.gone` once the file has been applied, given up or deleted */
export async function openDraftFile(
  rt: DomainRuntime,
  draft: RosterDraft,
): Promise<{ name: string; bytes: Uint8Array }> {
  const sealed = await draftFile(rt.db, draft.id)
  if (sealed === null) throw new DomainError('draft.gone', '这个文件已经导入或放弃，请重新上传。')
  return { name: draft.fileName, bytes: Buffer.from(rt.vault.open(sealed), 'base64') }
}

/** Until when a draft waits that has failed now: for the rest of its time, and long enough for its words to be read. */
export function waitsUntil({ createdAt }: { createdAt: Date }, now: Date): Date {
  return new Date(Math.max(createdAt.getTime() + DRAFT_MS, now.getTime() + READ_MS))
}

/** Whether the time of a draft is over, be its file deleted yet or not. What is at work ends first. */
export function isOver(draft: RosterDraft, now: Date): boolean {
  if (draft.status === 'applying') return false
  const end = draft.status === 'checking' ? draft.createdAt.getTime() + DRAFT_MS : draft.expiresAt.getTime()
  return end <= now.getTime()
}

/** A draft whose import or check has said nothing for long has died: nothing of it was done. */
export async function settleStaleDraft(rt: DomainRuntime, draft: RosterDraft | null): Promise<void> {
  const now = rt.clock.now()
  await settleStale(rt.db, draft?.id ?? null, now, DRAFT_MS, {
    error: '导入中途停了（服务器可能重启过），没有导入任何一行。可以再试一次。',
    until: new Date(now.getTime() + READ_MS),
  })
}

/** Deletes drafts whose time is over, with their files. */
export async function deleteDrafts(rt: DomainRuntime): Promise<void> {
  await settleStaleDraft(rt, null)
  await deleteOldDrafts(rt.db, rt.clock.now())
}

/** How a draft is imported: within the unit of its office, and as its whole where the office said so. */
export function optionsOf(draft: RosterDraft): DifferenceOptions & { mapping: Record<string, string> } {
  return {
    programme: draft.programme,
    within: draft.unitPath,
    mapping: draft.mapping,
    actorId: draft.personId,
    ...(draft.isWhole ? { wholeOf: draft.unitCode } : {}),
  }
}
