import { createHash } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'
import {
  insertPersonChanges,
  insertPersons,
  type RoleKey,
  updatePersons,
} from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  endEntries,
  insertEntries,
  insertRosterImport,
  lockRoster,
  type RosterEntryRow,
} from '../../../db/queries/roster.ts'
import { unitsOfProgramme } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { importUnits } from '../units/import-units.ts'
import { describePlan, type PlanLists } from './describe-plan.ts'
import { followRoster, type RoleMoves, roleKeyOf } from './follow-roster.ts'
import { parseRows } from './parse-rows.ts'
import { changedColumns, freshColumns } from './place-persons.ts'
import { type NewEntry, planImport, type RosterPlan } from './plan-import.ts'
import { readRosterFile } from './read-roster-file.ts'
import type { RosterProblem } from './roster-row.ts'

export interface RosterFile {
  name: string
  bytes: Uint8Array
}

export interface ImportOptions {
  programme: string
  /** The file is the whole roster of this unit and all below it: whoever is not in it has gone. */
  wholeOf?: string
  /** The path of the unit that the file may touch, with all below it (`scope.ts`); left out: the whole programme. */
  within?: string
  /** What the office says of columns, by header. @see readRosterFile */
  mapping?: Record<string, string>
  /** Works everything out and changes nothing. */
  isDryRun: boolean
  /** Who does it, for the audit log; null: an operator on the command line. */
  actorId: number | null
  /** Told now and then how many rows of how many are done. Outside of the import's transaction. */
  onProgress?(done: number, all: number): Promise<void>
  /** The last step, in the import's transaction: what must be true together with it. */
  finish?(rt: DomainRuntime, importId: number): Promise<void>
}

export interface ImportResult {
  rows: number
  new: number
  changed: number
  unchanged: number
  gone: number
  newUnits: string[]
  problems: RosterProblem[]
  /** false for a dry run and whenever a row is wrong. */
  isApplied: boolean
  lists: PlanLists
  /** The import's own number, where it was applied. */
  importId?: number
}

/** Rows written with one statement; after each the progress is told. */
const PORTION = 1000

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
  const { table, columns, fault } = await readRosterFile(file.bytes, rt.templates.roster, options.mapping)
  if (fault !== null) throw new DomainError('roster.columns', fault)
  const parsed = parseRows(table.rows, columns, rt.templates.roster, dayOf(rt.clock.now()))
  const plan = (on: DomainRuntime) => planImport(on, options, parsed.entries, parsed.problems)
  if (options.isDryRun) return resultOf(rt, await plan(rt))
  return inTransaction(rt, async tx => {
    // one import at a time: each is a difference to what the one before has left
    await lockRoster(tx.db, options.programme)
    const planned = await plan(tx)
    const result = resultOf(tx, planned)
    if (planned.problems.some(problem => problem.severity === 'error')) return result
    const importId = await write(tx, file, options, planned)
    await options.finish?.(tx, importId)
    return { ...result, isApplied: true, importId }
  })
}

function resultOf(rt: DomainRuntime, plan: RosterPlan): ImportResult {
  return {
    rows: plan.rows,
    ...countsOf(plan),
    newUnits: plan.newUnits.map(unit => unit.name),
    problems: plan.problems,
    isApplied: false,
    lists: describePlan(rt, plan),
  }
}

function countsOf(plan: RosterPlan): Record<'new' | 'changed' | 'unchanged' | 'gone', number> {
  return {
    new: plan.fresh.length,
    changed: plan.changed.length,
    unchanged: plan.unchanged.length,
    gone: plan.gone.length,
  }
}

/** Does what was planned. @returns the import's number */
async function write(
  rt: DomainRuntime,
  file: RosterFile,
  options: ImportOptions,
  plan: RosterPlan,
): Promise<number> {
  const now = rt.clock.now()
  const units = options.within === undefined ? null : await unitsOfProgramme(rt.db, plan.programme)
  const counts = countsOf(plan)
  const importId = await insertRosterImport(rt.db, {
    fileName: file.name,
    fileHash: createHash('sha256').update(file.bytes).digest('hex'),
    appliedBy: options.actorId === null ? 'operator' : `person:${options.actorId}`,
    appliedAt: now,
    newCount: counts.new,
    changedCount: counts.changed,
    goneCount: counts.gone,
    programme: plan.programme,
    unitId: units?.find(unit => unit.path === options.within)?.id ?? null,
  })
  const progress = progressOf(plan, options)
  const unitIds = await makeUnits(rt, plan)
  const personIds = await writePersons(rt, plan, importId, progress)
  const real = ({ row: _row, ...entry }: NewEntry) => ({
    ...entry,
    unitId: unitIds.get(entry.unitId) ?? entry.unitId,
    personId: entry.personId < 0 ? (personIds[-entry.personId - 1] as number) : entry.personId,
  })
  const fresh = [...plan.fresh, ...plan.changed.map(each => each.after)].map(real)
  const ended = [...plan.changed.map(each => each.before), ...plan.gone]
  await endEntries(
    rt.db,
    ended.map(entry => entry.id),
    importId,
  )
  for (let from = 0; from < fresh.length; from += PORTION) {
    const part = fresh.slice(from, from + PORTION)
    await insertEntries(
      rt.db,
      part.map(entry => ({ ...entry, importId })),
    )
    await progress(part.length)
  }
  await followRoster(rt, roleMoves(rt, plan, fresh, ended))
  await appendAudit(rt.db, {
    at: now,
    actorId: options.actorId,
    action: 'roster.imported',
    subjectKind: 'roster_import',
    subjectId: importId,
    details: { ...counts, programme: plan.programme },
  })
  return importId
}

/** Counts what is written, persons and entries alike, and tells it as rows of the file. */
function progressOf(plan: RosterPlan, { onProgress }: ImportOptions): (written: number) => Promise<void> {
  const all = plan.persons.fresh.length + plan.persons.changed.size + plan.fresh.length + plan.changed.length
  let done = 0
  return async written => {
    done += written
    await onProgress?.(Math.floor((plan.rows * done) / Math.max(all, 1)), plan.rows)
  }
}

/** Makes the branches that are new. @returns their numbers by those of the plan */
async function makeUnits(rt: DomainRuntime, plan: RosterPlan): Promise<Map<number, number>> {
  if (plan.newUnits.length === 0) return new Map()
  await importUnits(rt, plan.programme, plan.newUnits)
  const byCode = new Map((await unitsOfProgramme(rt.db, plan.programme)).map(unit => [unit.code, unit.id]))
  return new Map(plan.newUnits.map((unit, index) => [-(index + 1), byCode.get(unit.code) as number]))
}

/** Writes persons who are new or have changed. @returns the numbers of the new ones, in their order */
async function writePersons(
  rt: DomainRuntime,
  { persons }: RosterPlan,
  importId: number,
  progress: (written: number) => Promise<void>,
): Promise<number[]> {
  const now = rt.clock.now()
  const ids: number[] = []
  for (let from = 0; from < persons.fresh.length; from += PORTION) {
    const part = persons.fresh.slice(from, from + PORTION)
    ids.push(
      ...(await insertPersons(
        rt.db,
        part.map(row => ({ ...freshColumns(rt.vault, row), createdAt: now })),
      )),
    )
    await progress(part.length)
    await breathe()
  }
  const changed = [...persons.changed.values()]
  for (let from = 0; from < changed.length; from += PORTION) {
    const part = changed.slice(from, from + PORTION).map(each => changedColumns(rt.vault, each))
    await insertPersonChanges(
      rt.db,
      part.map(({ after, before }) => ({ importId, personId: after.id, before, createdAt: now })),
    )
    await updatePersons(
      rt.db,
      part.map(each => each.after),
    )
    await progress(part.length)
    await breathe()
  }
  return ids
}

type Held = Pick<RosterEntryRow, 'personId' | 'unitId' | 'role' | 'title' | 'status'>

/**
 * Who has gone or left loses the role, who is on duty gets it. A term that ended takes nothing from somebody whose next
 * term stands in the same file.
 */
function roleMoves(rt: DomainRuntime, plan: RosterPlan, fresh: Held[], ended: Held[]): RoleMoves {
  const held = new Map<string, RoleKey>()
  for (const entry of fresh) if (entry.status === '在岗') held.set(roleKeyOf(entry), keyOf(entry))
  const kept = new Set(plan.unchanged.filter(entry => entry.status === '在岗').map(roleKeyOf))
  const lost = new Map<string, RoleKey>()
  for (const entry of [...ended, ...fresh])
    if (!held.has(roleKeyOf(entry)) && !kept.has(roleKeyOf(entry))) lost.set(roleKeyOf(entry), keyOf(entry))
  const officers = fresh.filter(
    entry => entry.status === '在岗' && rt.templates.role(plan.programme, entry.role).manages,
  )
  return {
    held: [...held.values()],
    lost: [...lost.values()],
    officers: officers.map(entry => entry.personId),
  }
}

function keyOf({ personId, unitId, role, title }: Held): RoleKey {
  return { personId, unitId, role, title }
}
