import { dropStaging, problemsOf, type StagedDifference } from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { applyStaging } from './apply-staging.ts'
import { type ChangedLine, describeEntries, describePersons, type EntryLine } from './describe-difference.ts'
import { hashOf } from './file-bytes.ts'
import type { RosterProblem } from './roster-row.ts'
import { branchesOf, type Staged, stageFile } from './stage-file.ts'
import type { FileSource } from './table.ts'
import { type DifferenceOptions, differenceOf, noteOthers } from './work-out-difference.ts'

export type RosterFile = FileSource & { name: string }

export interface ImportOptions extends DifferenceOptions {
  /** What the office says of columns, by header. @see openRosterFile */
  mapping?: Record<string, string>
  /** Works everything out and changes nothing. */
  isDryRun: boolean
  /** Told now and then how many rows are read, and then how many of how many are done. */
  onProgress?(done: number, all: number | null): Promise<void>
  /** The last step, in the import's transaction: what must be true together with it. */
  finish?(rt: DomainRuntime, importId: number): Promise<void>
}

/** The beginning of each list of a difference. Numbers are masked. */
export interface DifferenceLists {
  new: EntryLine[]
  changed: ChangedLine[]
  moved: ChangedLine[]
  unchanged: EntryLine[]
  gone: EntryLine[]
  /** Persons whose name or numbers are brought up to date. */
  persons: ChangedLine[]
  newPersonCount: number
  changedPersonCount: number
}

export interface ImportResult {
  /** Sound rows. */
  rows: number
  new: number
  changed: number
  moved: number
  unchanged: number
  gone: number
  newUnits: string[]
  /** Of very many the first ones. */
  problems: RosterProblem[]
  /** false for a dry run and whenever a row is wrong. */
  isApplied: boolean
  lists: DifferenceLists
  /** The import's own number, where it was applied. */
  importId?: number
}

const LISTED = 50
const PROBLEMS = 20_000

/** Carries out of a transaction what was worked out in it, when it is rolled back for wrong rows. */
class NotApplied extends Error {
  readonly result: ImportResult
  readonly difference: StagedDifference
  constructor(result: ImportResult, difference: StagedDifference) {
    super('a row is wrong')
    this.result = result
    this.difference = difference
  }
}

/**
 * Imports a roster file as a difference to what is there, all or nothing: one wrong row and nothing is changed.
 *
 * Units named in the file are taken to be given whole: their people who are not in it have gone. Nothing is deleted;
 * an entry that has changed or gone is closed and kept, and what persons were before is kept for `undoImport`.
 * @throws DomainError `table.…` when the file cannot be read as a table, `roster.columns`, `unit.unknown`
 */
export async function importRoster(
  rt: DomainRuntime,
  file: RosterFile,
  options: ImportOptions,
): Promise<ImportResult> {
  const { onProgress } = options
  const staged = await stageFile(
    rt,
    file,
    { ...options, ...(onProgress ? { onRead: rows => onProgress(rows, null) } : {}) },
    null,
  )
  try {
    if (staged.facts.fault !== null) throw new DomainError('roster.columns', staged.facts.fault)
    if (options.isDryRun || staged.facts.errors > 0)
      return await inTransaction(rt, async tx => {
        const difference = await differenceOf(tx, staged, options)
        await noteOthers(tx, options, difference)
        return resultOf(tx, staged, options, difference)
      })
    const fileHash = await hashOf(file)
    return await inTransaction(rt, async tx => {
      let result: ImportResult | null = null
      const { importId } = await applyStaging(tx, staged, {
        ...options,
        fileName: file.name,
        fileHash,
        async look(difference) {
          result = await resultOf(tx, staged, options, difference)
          if (difference.errors > 0) throw new NotApplied(result, difference)
        },
      })
      await options.finish?.(tx, importId)
      return { ...(result as unknown as ImportResult), isApplied: true, importId }
    })
  } catch (error) {
    if (!(error instanceof NotApplied)) throw error
    await noteOthers(rt, options, error.difference)
    return error.result
  } finally {
    await dropStaging(rt.db, staged.id)
  }
}

async function resultOf(
  rt: DomainRuntime,
  staged: Staged,
  { programme }: ImportOptions,
  difference: StagedDifference,
): Promise<ImportResult> {
  const entries = (outcome: Parameters<typeof describeEntries>[3]) =>
    describeEntries(rt, staged.id, programme, outcome, LISTED, 0)
  const { rows, changed, moved, unchanged, gone } = difference
  return {
    rows,
    new: difference.new,
    changed,
    moved,
    unchanged,
    gone,
    newUnits: (await branchesOf(rt, staged)).map(branch => branch.name),
    problems: await problemsOf(rt.db, staged.id, null, PROBLEMS, 0),
    isApplied: false,
    lists: {
      new: await entries('new'),
      changed: await entries('changed'),
      moved: await entries('moved'),
      unchanged: await entries('same'),
      gone: await entries('gone'),
      persons: await describePersons(rt, staged.id, LISTED, 0),
      newPersonCount: difference.newPersons,
      changedPersonCount: difference.changedPersons,
    },
  }
}
