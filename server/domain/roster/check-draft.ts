import { setTimeout as pause } from 'node:timers/promises'
import { rosterVersion } from '../../../db/queries/roster-difference.ts'
import { isAtWork, moveDraft, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import {
  dropStaging,
  dropStagingsOf,
  noteFacts,
  openStaging,
  type Staging,
  stagingOfDraft,
} from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { progressWriter } from './draft-progress.ts'
import { DRAFT_MS, OPEN, openDraftFile, optionsOf, SILENT_CHECK_MS } from './drafts.ts'
import { type Staged, stageFile } from './stage-file.ts'
import { differenceOf, noteOthers } from './work-out-difference.ts'
import { workOutEffects } from './work-out-effects.ts'

/** How long whoever looks at it waits: small files are done by then, and their page can show them at once. */
const WAIT_MS = 2500

/** Told of an error that is no rule's; it must leave personal data out of what it writes. */
export type NoteError = (error: unknown) => void

/**
 * Sees to it that what a draft would do is worked out, against what stands now: its file is read into tables once, and
 * compared anew whenever the roster has changed. The work goes on after the answer; the draft's row says how far it is.
 * @returns when it is done, or after a moment; the draft's state says which
 */
export async function checkDraft(rt: DomainRuntime, draft: RosterDraft, noteError: NoteError): Promise<void> {
  if (!OPEN.includes(draft.status) || (await isChecked(rt, draft))) return
  const isOurs = await moveDraft(rt.db, draft.id, OPEN, {
    status: 'checking',
    doneCount: 0,
    totalCount: 0,
    expiresAt: new Date(rt.clock.now().getTime() + SILENT_CHECK_MS),
  })
  if (!isOurs) return
  const timer = new AbortController()
  const work = run(rt, draft, noteError).finally(() => timer.abort())
  await Promise.race([work, pause(WAIT_MS, null, { signal: timer.signal, ref: false }).catch(() => null)])
}

async function isChecked(rt: DomainRuntime, draft: RosterDraft): Promise<boolean> {
  const staging = await stagingOfDraft(rt.db, draft.id)
  if (!staging?.facts) return false
  if (staging.facts.fault !== null) return true
  return staging.difference?.version === (await rosterVersion(rt.db, draft.programme))
}

/** Never throws: what went wrong is told where the draft is looked at. */
async function run(rt: DomainRuntime, draft: RosterDraft, noteError: NoteError): Promise<void> {
  try {
    const staged = await stagedDraft(rt, draft, 'checking')
    const options = optionsOf(draft)
    if (staged.facts.fault === null)
      await inTransaction(rt, async tx => {
        await noteOthers(tx, options, await differenceOf(tx, staged, options))
        await workOutEffects(tx, staged.id, draft.programme)
      })
  } catch (error) {
    if (!(error instanceof DomainError)) noteError(error)
    const words =
      error instanceof DomainError
        ? error.message
        : '服务器出错，没能核对这个文件。请重新上传；一直这样请告诉系统管理员。'
    await keepFault(rt, draft, words).catch(noteError)
  }
  await moveDraft(rt.db, draft.id, ['checking'], {
    // what a failed import has said stays to be read
    status: draft.error === null ? 'uploaded' : 'failed',
    expiresAt: draft.expiresAt,
  }).catch(noteError)
}

/** A file that cannot be read through is not read again each time that somebody looks. */
async function keepFault(rt: DomainRuntime, draft: RosterDraft, fault: string): Promise<void> {
  const now = rt.clock.now()
  await dropStagingsOf(rt.db, draft.id)
  const id = await openStaging(rt.db, {
    draftId: draft.id,
    createdAt: now,
    expiresAt: new Date(now.getTime() + DRAFT_MS),
  })
  const nothing = { columns: [], mapping: {}, rows: 0, errors: 0, warnings: 0, wrong: 0, lastErasure: 0 }
  await noteFacts(rt.db, id, { ...nothing, fault })
  if (!(await isAtWork(rt.db, draft.id))) await dropStaging(rt.db, id)
}

/** The rows of a draft's file, read in now unless they are there. @throws DomainError `draft.gone`, `table.…` */
export async function stagedDraft(
  rt: DomainRuntime,
  draft: RosterDraft,
  status: 'checking' | 'applying',
): Promise<Staged> {
  const present = await stagingOfDraft(rt.db, draft.id)
  if (present?.facts) return { id: present.id, facts: present.facts }
  await dropStagingsOf(rt.db, draft.id)
  const file = await openDraftFile(rt, draft)
  const onProgress = progressWriter(rt, draft.id, status)
  const { programme, within, mapping } = optionsOf(draft)
  return stageFile(
    rt,
    file,
    { programme, mapping, onRead: rows => onProgress(rows, 0), ...(within === undefined ? {} : { within }) },
    draft.id,
  )
}

export type { Staging }
