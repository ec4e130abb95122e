import { loadInBulk } from '../../../db/queries/bulk-load.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { insertRosterImport, isErasedSince, lockRoster } from '../../../db/queries/roster.ts'
import {
  changePersons,
  closeEntries,
  insertNewPersons,
  insertStagedEntries,
  lastLine,
  numberNewPersons,
} from '../../../db/queries/roster-apply.ts'
import type { StagedDifference } from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { importUnits } from '../units/import-units.ts'
import { followRoster } from './follow-roster.ts'
import { branchKind } from './resolve-unit.ts'
import { branchesOf, type Staged } from './stage-file.ts'
import { type DifferenceOptions, differenceOf } from './work-out-difference.ts'

export interface ApplyOptions extends DifferenceOptions {
  fileName: string
  /** SHA-256, hex. */
  fileHash: string
  /** Told now and then how many rows of how many are done. Outside of the import's transaction. */
  onProgress?(done: number, all: number): Promise<void>
  /** Called when it is known what will change and before anything does; it may throw. */
  look?(difference: StagedDifference): Promise<void>
}

const WRONG = '名册里有错误，没有导入任何一行。请看下面列出的问题，改好后重新上传。'

const ERASED =
  '文件上传以后，名册里有人的信息已按要求删除，没有导入任何一行。请从文件里去掉这些人，重新上传。'

/** Rows written with one statement; after each the progress is told. */
const PORTION = 25_000

/**
 * Does what a staged file says, against what stands now. Call it in a transaction of its own: one wrong row, and it
 * throws.
 * @throws DomainError `roster.wrong`, `roster.erased`
 */
export async function applyStaging(
  rt: DomainRuntime,
  staged: Staged,
  options: ApplyOptions,
): Promise<{ difference: StagedDifference; importId: number }> {
  const { programme, within } = options
  // one import at a time: each is a difference to what the one before has left
  await lockRoster(rt.db, programme)
  // an erasure waits for the roster too: behind the lock it is known whether there was one while the file was read
  if (await isErasedSince(rt.db, staged.facts.lastErasure, programme, within ?? null))
    throw new DomainError('roster.erased', ERASED)
  await makeBranches(rt, staged, programme)
  const difference = await differenceOf(rt, staged, options)
  await options.look?.(difference)
  if (difference.errors > 0) throw new DomainError('roster.wrong', WRONG)
  const now = rt.clock.now()
  const importId = await insertRosterImport(rt.db, {
    fileName: options.fileName,
    fileHash: options.fileHash,
    appliedBy: options.actorId === null ? 'operator' : `person:${options.actorId}`,
    appliedAt: now,
    newCount: difference.new,
    changedCount: difference.changed,
    goneCount: difference.gone,
    movedCount: difference.moved,
    programme,
    unitId: within === undefined ? null : Number(within.split('/').at(-2)),
  })
  await loadInBulk(
    rt.db,
    ['persons', 'roster_entries'],
    Math.min(difference.new, difference.newPersons),
    () => write(rt, staged, options, importId),
  )
  await followRoster(rt, importId)
  await appendAudit(rt.db, {
    at: now,
    actorId: options.actorId,
    action: 'roster.imported',
    subjectKind: 'roster_import',
    subjectId: importId,
    details: {
      new: difference.new,
      changed: difference.changed,
      unchanged: difference.unchanged,
      moved: difference.moved,
      gone: difference.gone,
      programme,
    },
  })
  return { difference, importId }
}

async function write(
  rt: DomainRuntime,
  { id, facts }: Staged,
  { programme, onProgress }: ApplyOptions,
  importId: number,
): Promise<void> {
  const now = rt.clock.now()
  const last = await lastLine(rt.db, id)
  // persons, then entries: half of the work each
  const tell = async (line: number, half: 0 | 1) =>
    onProgress?.(Math.floor((facts.rows * (half + Math.min(line / Math.max(last, 1), 1))) / 2), facts.rows)
  await numberNewPersons(rt.db, id)
  for (let after = 0; after < last; after += PORTION) {
    await insertNewPersons(rt.db, id, { after, to: after + PORTION }, now)
    await tell(after + PORTION, 0)
  }
  await changePersons(rt.db, id, importId, now)
  await closeEntries(rt.db, id, importId)
  for (let after = 0; after < last; after += PORTION) {
    await insertStagedEntries(rt.db, id, { after, to: after + PORTION }, programme, importId)
    await tell(after + PORTION, 1)
  }
}

/** Branches are made by the roster that names them first. */
async function makeBranches(rt: DomainRuntime, staged: Staged, programme: string): Promise<void> {
  const kind = branchKind(rt.templates.programme(programme))
  const branches = kind === null ? [] : await branchesOf(rt, staged)
  if (branches.length > 0)
    await importUnits(
      rt,
      programme,
      branches.map(({ code, name, countyCode }) => ({
        code,
        name,
        kind: kind as string,
        parentCode: countyCode,
      })),
    )
}
