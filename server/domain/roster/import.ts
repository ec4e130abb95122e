import { createHash } from 'node:crypto'
import { chatsOfMembers, groupsOfOwners, requestReading } from '../../../db/queries/groups.ts'
import { releaseUnvouched } from '../../../db/queries/identities.ts'
import {
  endRoles,
  insertPersons,
  type PersonRow,
  type RoleKey,
  startRoles,
  updatePerson,
} from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  endEntries,
  entriesOfUnits,
  insertEntries,
  insertRosterImport,
  personsByIndexes,
  type RosterEntryRow,
} from '../../../db/queries/roster.ts'
import { type UnitRow, unitByCode, unitsOfProgramme, unitsUnder } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { managersFor, standingOwner } from '../groups/managers.ts'
import { nameKey, soundKey } from '../names/name-key.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { importUnits } from '../units/import-units.ts'
import { isHeaderRow, recogniseColumns } from './columns.ts'
import { parseRows } from './parse-rows.ts'
import { readTable } from './read-table.ts'
import { branchKind, type NewBranch, roleOf, unitFinder } from './resolve-unit.ts'
import type { RosterProblem, RosterRow } from './roster-row.ts'

export interface RosterFile {
  name: string
  bytes: Uint8Array
}

export interface ImportOptions {
  programme: string
  /** The file is the whole roster of this unit and all below it: whoever is not in it has gone. */
  wholeOf?: string
  /** Works everything out and changes nothing. */
  isDryRun: boolean
  /** Who does it, for the audit log; null: an operator on the command line. */
  actorId: number | null
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
}

interface PlannedRow {
  row: RosterRow
  unit: UnitRow
  role: string
}

/**
 * Imports a roster file as a difference to what is there, all or nothing: one wrong row and nothing is changed.
 *
 * Units named in the file are taken to be given whole: their people who are not in it have gone. Nothing is deleted;
 * an entry that has changed or gone is closed and kept.
 * @throws DomainError `table.…` when the file cannot be read as a table, `roster.columns`, `unit.unknown`
 */
export async function importRoster(
  rt: DomainRuntime,
  file: RosterFile,
  options: ImportOptions,
): Promise<ImportResult> {
  const table = await readTable(file.bytes, { isHeader: cells => isHeaderRow(cells, rt.templates.roster) })
  const columns = recogniseColumns(table.headers, rt.templates.roster)
  const faults = [
    ...columns.missing.map(each => `缺少“${each}”列`),
    ...columns.repeated.map(each => `“${each}”列重复`),
  ]
  if (faults.length > 0)
    throw new DomainError('roster.columns', `表头有问题：${faults.join('；')}。请更正后再导入。`)
  const parsed = parseRows(table.rows, columns, rt.templates.roster, dayOf(rt.clock.now()))
  const run = async (tx: DomainRuntime): Promise<ImportResult> => {
    const result = await applyRows(tx, file, options, parsed.entries, [...parsed.problems])
    if (!result.isApplied) throw new Undo(result)
    return result
  }
  try {
    return await inTransaction(rt, run)
  } catch (error) {
    if (error instanceof Undo) return error.result
    throw error
  }
}

/** Carries a result out of a transaction that must leave nothing behind. */
class Undo extends Error {
  readonly result: ImportResult
  constructor(result: ImportResult) {
    super('rolled back')
    this.result = result
  }
}

async function applyRows(
  rt: DomainRuntime,
  file: RosterFile,
  options: ImportOptions,
  entries: RosterRow[],
  problems: RosterProblem[],
): Promise<ImportResult> {
  const { planned, newUnits } = await placeRows(rt, options.programme, entries, problems)
  const covered = new Set(planned.map(each => each.unit.id))
  if (options.wholeOf !== undefined) {
    const top = await unitByCode(rt.db, options.programme, options.wholeOf)
    if (!top) throw new DomainError('unit.unknown', `没有编码是 ${options.wholeOf} 的单位。`)
    for (const unit of await unitsUnder(rt.db, top.path)) covered.add(unit.id)
  }
  const personIds = await placePersons(rt, planned)

  const standing = new Map<string, RosterEntryRow>()
  for (const { entry } of await entriesOfUnits(rt.db, [...covered])) standing.set(entryKey(entry), entry)
  const fresh: Omit<RosterEntryRow, 'id' | 'importId' | 'goneImportId'>[] = []
  const unchanged: RosterEntryRow[] = []
  const ended: RosterEntryRow[] = []
  const counts = { new: 0, changed: 0, unchanged: 0, gone: 0 }
  for (const [index, { row, unit, role }] of planned.entries()) {
    const entry = {
      programme: options.programme,
      unitId: unit.id,
      personId: personIds[index] as number,
      role,
      title: row.title || null,
      category: row.category || null,
      post: row.post || null,
      university: row.university || null,
      startsOn: row.startsOn,
      endsOn: row.endsOn,
      status: row.status ?? '在岗',
      extra: row.extra,
    }
    const key = entryKey(entry)
    const before = standing.get(key)
    standing.delete(key)
    if (before && isSame(before, entry)) {
      counts.unchanged++
      unchanged.push(before)
    } else {
      if (before) {
        counts.changed++
        ended.push(before)
      } else counts.new++
      fresh.push(entry)
    }
  }
  counts.gone = standing.size
  const isApplied = !options.isDryRun && !problems.some(problem => problem.severity === 'error')
  const result = { rows: entries.length, ...counts, newUnits, problems, isApplied }
  if (!isApplied) return result

  const now = rt.clock.now()
  const importId = await insertRosterImport(rt.db, {
    fileName: file.name,
    fileHash: createHash('sha256').update(file.bytes).digest('hex'),
    appliedBy: options.actorId === null ? 'operator' : `person:${options.actorId}`,
    appliedAt: now,
    newCount: counts.new,
    changedCount: counts.changed,
    goneCount: counts.gone,
  })
  await endEntries(
    rt.db,
    [...ended, ...standing.values()].map(entry => entry.id),
    importId,
  )
  await insertEntries(
    rt.db,
    fresh.map(entry => ({ ...entry, importId })),
  )
  const left = await bringRolesUpToDate(
    rt,
    { fresh, unchanged, ended: [...ended, ...standing.values()] },
    now,
  )
  await askForNewOwners(rt, left)
  // 人员变动及时更新 (三.3): the groups that they are in are read again, which makes a task of who does not belong now
  for (const chatId of await chatsOfMembers(rt.db, left)) await requestReading(rt.db, chatId, now)
  // an office needs an account that is bound by a code; one that a join request was believed for lets go
  const officers = fresh.filter(
    entry => entry.status === '在岗' && rt.templates.role(options.programme, entry.role).manages,
  )
  await releaseUnvouched(
    rt.db,
    officers.map(entry => entry.personId),
  )
  await appendAudit(rt.db, {
    at: now,
    actorId: options.actorId,
    action: 'roster.imported',
    subjectKind: 'roster_import',
    subjectId: importId,
    details: { ...counts, programme: options.programme },
  })
  return result
}

/** Finds unit and role of each row; rows that fit none are added to `problems`. */
async function placeRows(
  rt: DomainRuntime,
  programmeId: string,
  entries: RosterRow[],
  problems: RosterProblem[],
): Promise<{ planned: PlannedRow[]; newUnits: string[] }> {
  const programme = rt.templates.programme(programmeId)
  const report = (row: RosterRow, column: string, reason: string) =>
    problems.push({ line: row.line, column, value: '', reason, severity: 'error' })
  const branches = new Map<string, NewBranch>()
  let finder = unitFinder(await unitsOfProgramme(rt.db, programmeId))
  const kind = branchKind(programme)
  for (const row of entries) {
    const found = finder.find(row)
    if ('newBranch' in found && kind)
      branches.set(`${found.newBranch.county.code}/${found.newBranch.name}`, found.newBranch)
  }
  if (branches.size > 0 && kind) {
    await importUnits(
      rt,
      programmeId,
      [...branches.values()].map(branch => ({
        code: `${branch.county.code}-${branch.name}`,
        name: branch.name,
        kind,
        parentCode: branch.county.code,
      })),
    )
    finder = unitFinder(await unitsOfProgramme(rt.db, programmeId))
  }
  const planned: PlannedRow[] = []
  for (const row of entries) {
    const found = finder.find(row)
    if (!('unit' in found)) {
      report(row, '单位', 'reason' in found ? found.reason : `没有找到团支部“${row.branch}”`)
      continue
    }
    const role = roleOf(programme, found.unit.kind, row)
    if (role === null)
      report(
        row,
        '职务',
        `${found.unit.name}没有这种角色，请在“角色”或“职务”列写明（如 ${exampleRole(programme, found.unit.kind)}）`,
      )
    else planned.push({ row, unit: found.unit, role })
  }
  return { planned, newUnits: [...branches.values()].map(branch => branch.name) }
}

function exampleRole(
  programme: ReturnType<DomainRuntime['templates']['programme']>,
  unitKind: string,
): string {
  return programme.roles.find(role => role.unitKinds.includes(unitKind))?.name ?? '工作人员'
}

/**
 * The person of each row: known by ID number, or by phone and name together; otherwise new. A changed phone or name of
 * somebody known by ID number is brought up to date.
 */
async function placePersons(rt: DomainRuntime, planned: PlannedRow[]): Promise<number[]> {
  const { index, seal } = rt.vault
  const keys = planned.map(({ row }) => ({
    idNumberIndex: row.idNumber ? index('id-number', row.idNumber) : null,
    phoneIndex: row.phone ? index('phone', row.phone) : null,
    nameKey: nameKey(row.name),
  }))
  const known = await personsByIndexes(
    rt.db,
    [...new Set(keys.flatMap(key => key.idNumberIndex ?? []))],
    [...new Set(keys.flatMap(key => key.phoneIndex ?? []))],
  )
  const byIdNumber = new Map<string, PersonRow>()
  const byPhoneAndName = new Map<string, PersonRow>()
  for (const person of known) {
    if (person.idNumberIndex) byIdNumber.set(person.idNumberIndex, person)
    if (person.phoneIndex) byPhoneAndName.set(`${person.phoneIndex} ${person.nameKey}`, person)
  }
  const now = rt.clock.now()
  const fresh: Parameters<typeof insertPersons>[1] = []
  const freshAt = new Map<string, number>()
  const places: ({ id: number } | { fresh: number })[] = []
  for (const [at, { row }] of planned.entries()) {
    const key = keys[at] as (typeof keys)[number]
    const columns = {
      name: row.name,
      nameKey: key.nameKey,
      soundKey: soundKey(row.name),
      phoneIndex: key.phoneIndex,
      idNumberIndex: key.idNumberIndex,
      idTailIndex: row.idNumber ? index('id-tail', row.idNumber.slice(-6)) : null,
      wechatIndex: row.wechat ? index('wechat', row.wechat) : null,
    }
    const sealed = () => ({
      phoneSealed: row.phone ? seal(row.phone) : null,
      idNumberSealed: row.idNumber ? seal(row.idNumber) : null,
      wechatSealed: row.wechat ? seal(row.wechat) : null,
    })
    const phoneAndName = key.phoneIndex ? `${key.phoneIndex} ${key.nameKey}` : null
    const person =
      (key.idNumberIndex ? byIdNumber.get(key.idNumberIndex) : undefined) ??
      (phoneAndName ? byPhoneAndName.get(phoneAndName) : undefined)
    if (person) {
      const isChanged = Object.entries(columns).some(
        ([name, value]) => value !== null && person[name as keyof typeof columns] !== value,
      )
      if (isChanged) await updatePerson(rt.db, person.id, withoutNulls({ ...columns, ...sealed() }))
      places.push({ id: person.id })
      continue
    }
    // the same human being twice in one file (an ended term and its extension) is one person
    const own = key.idNumberIndex ?? phoneAndName ?? `line ${row.line}`
    const earlier = freshAt.get(own)
    if (earlier === undefined) {
      freshAt.set(own, fresh.length)
      places.push({ fresh: fresh.length })
      fresh.push({ ...columns, ...sealed(), createdAt: now })
    } else places.push({ fresh: earlier })
  }
  const ids = await insertPersons(rt.db, fresh)
  return places.map(place => ('id' in place ? place.id : (ids[place.fresh] as number)))
}

function withoutNulls<T extends Record<string, unknown>>(row: T): Partial<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Partial<T>
}

type Held = Pick<RosterEntryRow, 'personId' | 'unitId' | 'role' | 'title' | 'status'>

/**
 * Rights follow the roster at once: who has gone or left loses the role, who is on duty gets it (三.3 及时更新). A term
 * that ended takes nothing from somebody whose next term stands in the same file.
 * @returns the persons who lost a role
 */
async function bringRolesUpToDate(
  rt: DomainRuntime,
  { fresh, unchanged, ended }: Record<'fresh' | 'unchanged' | 'ended', Held[]>,
  now: Date,
): Promise<number[]> {
  const keyOf = (entry: { personId: number; unitId: number; role: string }) =>
    `${entry.personId} ${entry.unitId} ${entry.role}`
  const held = new Map<string, RoleKey>()
  for (const { personId, unitId, role, title, status } of fresh)
    if (status === '在岗') held.set(keyOf({ personId, unitId, role }), { personId, unitId, role, title })
  const kept = new Set(unchanged.filter(entry => entry.status === '在岗').map(keyOf))
  const lost = new Map<string, RoleKey>()
  for (const { personId, unitId, role, title } of [...ended, ...fresh])
    if (!held.has(keyOf({ personId, unitId, role })) && !kept.has(keyOf({ personId, unitId, role })))
      lost.set(keyOf({ personId, unitId, role }), { personId, unitId, role, title })
  await endRoles(rt.db, [...lost.values()], now)
  await startRoles(rt.db, [...held.values()], now)
  return [...new Set([...lost.values()].map(each => each.personId))]
}

/** Those who run a unit are told which of its groups have lost their owner: nobody else would relay a notice there. */
async function askForNewOwners(rt: DomainRuntime, left: number[]): Promise<void> {
  for (const group of await groupsOfOwners(rt.db, left)) {
    if ((await standingOwner(rt, group)) !== null) continue
    for (const manager of await managersFor(rt, group))
      await sendToPerson(
        rt,
        manager,
        'task',
        `【群主离岗】“${group.name}”（群号 ${group.id}）的群主${group.ownerName ?? ''}已不在名册上，请定一位新群主并回复：换群主 ${group.id} 姓名`,
      )
  }
}

function entryKey(entry: {
  unitId: number
  personId: number
  role: string
  startsOn: string | null
}): string {
  return `${entry.unitId} ${entry.personId} ${entry.role} ${entry.startsOn ?? ''}`
}

function isSame(
  before: RosterEntryRow,
  after: Omit<RosterEntryRow, 'id' | 'importId' | 'goneImportId'>,
): boolean {
  return (
    before.title === after.title &&
    before.category === after.category &&
    before.post === after.post &&
    before.university === after.university &&
    before.endsOn === after.endsOn &&
    before.status === after.status &&
    JSON.stringify(Object.entries(before.extra).sort()) === JSON.stringify(Object.entries(after.extra).sort())
  )
}
