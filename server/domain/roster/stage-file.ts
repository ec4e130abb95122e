import { lastErasure } from '../../../db/queries/roster.ts'
import { withMemoryForSets } from '../../../db/queries/roster-difference.ts'
import { isAtWork } from '../../../db/queries/roster-drafts.ts'
import {
  copyStagedRows,
  type Duplicate,
  dropStaging,
  duplicatesIn,
  indexStagedRows,
  insertProblems,
  markFaulty,
  newBranches,
  noteFacts,
  openStaging,
  type StagingFacts,
  stagedCounts,
} from '../../../db/queries/roster-staging.ts'
import { unitsOfProgramme } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { inTransaction } from '../../runtime.ts'
import type { Vault } from '../../vault.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'
import { openReaders, type Reader } from './read-in-threads.ts'
import type { RosterProblem } from './roster-row.ts'
import type { StagedPart } from './stage-rows.ts'
import type { FileSource } from './table.ts'
import { maskName } from './text.ts'

export interface StagingOptions {
  programme: string
  /** The path of the unit that the file may touch, with all below it. */
  within?: string
  mapping?: Record<string, string>
  /** Told now and then how many rows are read. */
  onRead?(rows: number): Promise<void>
}

export interface Staged {
  id: number
  facts: StagingFacts
  /** Known once they were asked for: going through a million rows takes a second. */
  branches?: Awaited<ReturnType<typeof newBranches>>
}

/** The branches that the file names for the first time, in its order. */
export async function branchesOf(
  rt: DomainRuntime,
  staged: Staged,
): Promise<NonNullable<Staged['branches']>> {
  staged.branches ??= await newBranches(rt.db, staged.id)
  return staged.branches
}

/** So many problems of a file are kept; whoever mends these will find what is behind them the next time. */
const MOST_PROBLEMS = 10_000
/** Longer than any import takes and any draft waits; what is left after that is nobody's. */
const KEPT_MS = 25 * 3600_000

/**
 * Reads a roster file into tables of its own, checked and sealed, where it can be compared set-wise. Nothing of the roster
 * is touched. A file whose heading is wrong has no rows and says so in its facts.
 * @param draftId the draft that it belongs to; null: an import that is made at once, which drops it afterwards
 * @throws DomainError `table.…`; `draft.gone` when the draft has been given up meanwhile
 */
export async function stageFile(
  rt: DomainRuntime,
  file: FileSource,
  options: StagingOptions,
  draftId: number | null,
): Promise<Staged> {
  const now = rt.clock.now()
  const { programme, within, mapping } = options
  const last = await lastErasure(rt.db)
  const units = await unitsOfProgramme(rt.db, programme)
  const top = within === undefined ? undefined : units.find(unit => unit.path === within)
  const readers = await openReaders(rt, file, {
    programme,
    today: dayOf(now),
    units: units.map(({ id, code, name, kind, parentId, path }) => ({
      id,
      code,
      name,
      kind,
      parentId,
      path,
    })),
    ...(mapping === undefined ? {} : { mapping }),
    ...(top === undefined ? {} : { top: { path: top.path, name: top.name } }),
  })
  try {
    const id = await openStaging(rt.db, {
      draftId,
      createdAt: now,
      expiresAt: new Date(now.getTime() + KEPT_MS),
    })
    try {
      if (draftId !== null && !(await isAtWork(rt.db, draftId)))
        throw new DomainError('draft.gone', '这个文件已经放弃，没有再核对。')
      return { id, facts: await fill(rt, id, readers, last, options) }
    } catch (error) {
      await dropStaging(rt.db, id)
      throw error
    }
  } finally {
    // a reader whose parts nobody has asked for would wait for ever
    for (const reader of readers) reader.close()
  }
}

async function fill(
  rt: DomainRuntime,
  id: number,
  readers: Reader[],
  last: number,
  { mapping = {}, onRead }: StagingOptions,
): Promise<StagingFacts> {
  const head = readers[0]?.head as Reader['head']
  const problems = problemList()
  let rows = 0
  async function* bytesOf(parts: AsyncIterable<StagedPart>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      rows += part.rows
      problems.add(part.problems)
      yield part.bytes
      await onRead?.(rows)
    }
  }
  const copies = readers.map(reader => copyStagedRows(rt.db, id, bytesOf(reader.parts)))
  // one that fails must not leave the other at work
  const failed = (await Promise.allSettled(copies)).find(each => each.status === 'rejected')
  if (failed) throw failed.reason
  await indexStagedRows(rt.db, id)
  const found = await inTransaction(rt, async tx => {
    await withMemoryForSets(tx.db)
    return duplicatesIn(tx.db, id)
  })
  problems.add(found.map(each => problemOf(each, rt.vault)))
  await markFaulty(
    rt.db,
    id,
    found.filter(each => each.kind !== 'shared-phone').map(each => each.line),
  )
  await insertProblems(rt.db, id, problems.kept, false)
  const { faulty } = await stagedCounts(rt.db, id)
  const { errors, warnings } = problems
  const facts: StagingFacts = { ...head, mapping, rows, errors, warnings, wrong: faulty, lastErasure: last }
  await noteFacts(rt.db, id, facts)
  return facts
}

/** Counts problems and keeps the first ones, errors before warnings. */
function problemList() {
  const list = {
    errors: 0,
    warnings: 0,
    kept: [] as RosterProblem[],
    add(problems: readonly RosterProblem[]) {
      for (const problem of problems) {
        const kind = problem.severity === 'error' ? 'errors' : 'warnings'
        list[kind] += 1
        if (list[kind] <= MOST_PROBLEMS) list.kept.push(problem)
      }
    },
  }
  return list
}

function problemOf(
  { line, earlier, kind, name, phoneSealed, idNumberSealed }: Duplicate,
  vault: Vault,
): RosterProblem {
  const opened = (sealed: string | null, mask: (text: string) => string) =>
    sealed === null ? '' : mask(vault.open(sealed))
  switch (kind) {
    case 'same-person':
      return {
        line,
        column: '姓名',
        value: maskName(name),
        reason: `与第 ${earlier} 行是同一人，单位相同且服务日期重叠，请只留一行。`,
        severity: 'error',
      }
    case 'other-name':
      return {
        line,
        column: '身份证号',
        value: opened(idNumberSealed, maskIdNumber),
        reason: `与第 ${earlier} 行身份证号相同而姓名不同，请核对。`,
        severity: 'error',
      }
    case 'shared-phone':
      return {
        line,
        column: '手机号',
        value: opened(phoneSealed, maskPhone),
        reason: `与第 ${earlier} 行手机号相同而人不同，请核对。`,
        severity: 'warning',
      }
  }
}
