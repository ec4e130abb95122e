import { type StagedRow, stagedLine } from '../../../db/queries/staged-row.ts'
import type { RosterColumn, RosterVocabulary } from '../../templates/roster-columns.ts'
import type { Programme } from '../../templates.ts'
import type { IndexField, Vault } from '../../vault.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { nameKey, soundOfKey } from '../names/name-key.ts'
import { headerLabel } from './columns.ts'
import { type ParsedRow, rowParser } from './parse-row.ts'
import { openRosterFile } from './read-roster-file.ts'
import { branchKind, type KnownUnit, roleOf, unitFinder } from './resolve-unit.ts'
import type { RosterProblem, RosterRow } from './roster-row.ts'
import type { FileSource, TableRow } from './table.ts'

/** All that is needed to read a file into rows, as data: it may go to another thread. */
export interface StagingJob {
  file: FileSource
  programme: Programme
  vocabulary: RosterVocabulary
  /** What the office says of columns, by header. @see openRosterFile */
  mapping?: Record<string, string>
  /** `YYYY-MM-DD` */
  today: string
  units: KnownUnit[]
  /** The top of what the file may touch. @see RosterScope, rule 1 */
  top?: { path: string; name: string }
  /** Of several that read one file, each takes every `of`th portion of its rows. */
  share: { own: number; of: number }
}

/** What is known once the heading has been read. */
export interface StagedHead {
  /** The file's columns in their order, each with what it is taken for; null: only kept. */
  columns: { label: string; is: RosterColumn | null }[]
  /** What is wrong with the heading; then no rows come. */
  fault: string | null
}

export interface StagedPart {
  /** Whole lines of COPY's text format. */
  bytes: Uint8Array<ArrayBuffer>
  rows: number
  problems: RosterProblem[]
}

/** Rows taken by one reader before the next one's turn. */
const TURN_ROWS = 1000

/**
 * Reads a roster file into rows that are checked, sealed and know their unit. Nothing here asks the database, so that it
 * can be done in a thread of its own.
 * @throws DomainError `table.…`, at once or while the parts are read
 */
export async function stageRows(
  job: StagingJob,
  vault: Vault,
): Promise<{ head: StagedHead; parts: AsyncGenerator<StagedPart> }> {
  const { table, columns, fault } = await openRosterFile(job.file, job.vocabulary, job.mapping)
  const head: StagedHead = {
    columns: table.headers.map((header, position) => ({
      label: headerLabel(header, position),
      is: job.vocabulary.columns.find(({ id }) => columns.at[id] === position)?.id ?? null,
    })),
    fault,
  }
  const parse = rowParser(columns, job.vocabulary, job.today)
  const place = placerOf(job)
  const { own, of } = job.share
  async function* parts(): AsyncGenerator<StagedPart> {
    if (fault !== null) return
    for await (const batch of table.rows) {
      const mine = of === 1 ? batch : batch.filter(row => Math.floor(row.line / TURN_ROWS) % of === own)
      if (mine.length > 0) yield partOf(mine, parse, place, vault)
    }
  }
  return { head, parts: parts() }
}

type Place = Pick<StagedRow, 'unitId' | 'branchName' | 'countyId' | 'role'>
const NOWHERE: Place = { unitId: null, branchName: null, countyId: null, role: null }

function partOf(
  rows: TableRow[],
  parse: (row: TableRow) => ParsedRow,
  place: (row: RosterRow) => Place | RosterProblem,
  vault: Vault,
): StagedPart {
  let lines = ''
  const problems: RosterProblem[] = []
  for (const row of rows) {
    const { entry, problems: found } = parse(row)
    const isUnreadable = found.some(problem => problem.severity === 'error')
    // what cannot be read is told first, and its unit once it can
    const placed = isUnreadable ? NOWHERE : place(entry)
    const isLost = 'reason' in placed
    if (isLost) found.push(placed)
    lines += stagedLine(stagedRow(entry, isLost ? NOWHERE : placed, isUnreadable || isLost, vault))
    if (found.length > 0) problems.push(...found)
  }
  return { bytes: new TextEncoder().encode(lines), rows: rows.length, problems }
}

/** Finds unit and role of a row, or says why there is none. */
function placerOf({ programme, units, top }: StagingJob): (row: RosterRow) => Place | RosterProblem {
  const finder = unitFinder(units, top?.path)
  const kind = branchKind(programme)
  return row => {
    const problem = (column: string, value: string, reason: string): RosterProblem => ({
      line: row.line,
      column,
      value,
      reason,
      severity: 'error',
    })
    const found = finder.find(row)
    if ('reason' in found) return problem('单位', '', found.reason)
    const isNew = 'newBranch' in found
    const at = isNew ? found.newBranch.county : found.unit
    if (top && !at.path.startsWith(top.path))
      return problem(
        '单位',
        isNew ? found.newBranch.name : at.name,
        `不在${top.name}的范围内，请删去这一行，由那里或其上级导入。`,
      )
    if (isNew && !kind) return problem('单位', '', `没有找到团支部“${row.branch}”`)
    const unitKind = isNew ? (kind as string) : at.kind
    const role = roleOf(programme, unitKind, row)
    if (role === null) {
      const name = isNew ? found.newBranch.name : at.name
      const example = programme.roles.find(each => each.unitKinds.includes(unitKind))?.name ?? '工作人员'
      return problem('职务', '', `${name}没有这种角色，请在“角色”或“职务”列写明（如 ${example}）`)
    }
    return isNew
      ? { unitId: null, branchName: found.newBranch.name, countyId: at.id, role }
      : { unitId: at.id, branchName: null, countyId: null, role }
  }
}

function stagedRow(row: RosterRow, place: Place, isFaulty: boolean, vault: Vault): StagedRow {
  const key = nameKey(row.name)
  const { phone, idNumber, wechat } = row
  const extra: Record<string, string> = {}
  // a column that is only kept may hold a second phone; numbers lie nowhere in the clear
  for (const [header, value] of Object.entries(row.extra)) extra[header] = maskPersonalData(value)
  return {
    line: row.line,
    isFaulty,
    name: row.name,
    nameKey: key,
    soundKey: soundOfKey(key),
    phoneIndex: phone ? vault.index('phone', phone) : null,
    phoneSealed: phone ? vault.seal(phone) : null,
    idNumberIndex: idNumber ? vault.index('id-number', idNumber) : null,
    idNumberSealed: idNumber ? vault.seal(idNumber) : null,
    idTailIndex: idNumber ? vault.index('id-tail', idNumber.slice(-6)) : null,
    wechatIndex: wechat ? vault.index('wechat', wechat) : null,
    wechatSealed: wechat ? vault.seal(wechat) : null,
    phoneOthers: phone ? othersOf(vault, 'phone', phone) : null,
    idNumberOthers: idNumber ? othersOf(vault, 'id-number', idNumber) : null,
    wechatOthers: wechat ? othersOf(vault, 'wechat', wechat) : null,
    ...place,
    title: row.title || null,
    category: row.category || null,
    post: row.post || null,
    university: row.university || null,
    startsOn: row.startsOn,
    endsOn: row.endsOn,
    status: row.status ?? '在岗',
    extra,
  }
}

function othersOf(vault: Vault, field: IndexField, value: string): string[] | null {
  return vault.keyNames.length > 1 ? vault.indexes(field, value).slice(1) : null
}
