import type { PersonColumns, PersonRow } from '../../../db/queries/persons.ts'
import { personsByIndexes } from '../../../db/queries/roster.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Vault } from '../../vault.ts'
import { nameKey, soundKey } from '../names/name-key.ts'
import type { RosterRow } from './roster-row.ts'

/** The columns of a person that are compared; the sealed ones follow their indexes. */
type Compared = Pick<
  PersonRow,
  'name' | 'nameKey' | 'soundKey' | 'phoneIndex' | 'idNumberIndex' | 'idTailIndex' | 'wechatIndex'
>

export interface ChangedPerson {
  person: PersonRow
  /** The columns that become another value; never null, for a file that leaves something out deletes nothing. */
  set: Partial<Record<keyof Compared, string>>
  /** The row that says so. */
  row: RosterRow
}

export interface PlacedPersons {
  /** Of each row the person's id; `-1`, `-2`, … for the first, second, … of `fresh`. */
  ids: number[]
  /** The row of each person who is not known yet. */
  fresh: RosterRow[]
  changed: Map<number, ChangedPerson>
}

/**
 * The person of each row: known by ID number, or by phone and name together; otherwise new. Reads only.
 *
 * The same human being twice in one file (an ended term and its extension) is one person.
 */
export async function placePersons(rt: DomainRuntime, rows: readonly RosterRow[]): Promise<PlacedPersons> {
  const columns = rows.map(row => comparedColumns(rt.vault, row))
  const found = await personsByIndexes(
    rt.db,
    [...new Set(columns.flatMap(each => each.idNumberIndex ?? []))],
    [...new Set(columns.flatMap(each => each.phoneIndex ?? []))],
  )
  const byIdNumber = new Map<string, PersonRow>()
  const byPhoneAndName = new Map<string, PersonRow>()
  for (const person of found) {
    if (person.idNumberIndex) byIdNumber.set(person.idNumberIndex, person)
    if (person.phoneIndex) byPhoneAndName.set(`${person.phoneIndex} ${person.nameKey}`, person)
  }
  const placed: PlacedPersons = { ids: [], fresh: [], changed: new Map() }
  const freshAt = new Map<string, number>()
  for (const [at, row] of rows.entries()) {
    const wanted = columns[at] as Compared
    const phoneAndName = wanted.phoneIndex ? `${wanted.phoneIndex} ${wanted.nameKey}` : null
    const person =
      (wanted.idNumberIndex ? byIdNumber.get(wanted.idNumberIndex) : undefined) ??
      (phoneAndName ? byPhoneAndName.get(phoneAndName) : undefined)
    if (person) {
      placed.ids.push(person.id)
      const set = Object.fromEntries(
        Object.entries(wanted).filter(
          ([column, value]) => value !== null && person[column as keyof Compared] !== value,
        ),
      ) as ChangedPerson['set']
      const earlier = placed.changed.get(person.id)
      if (Object.keys(set).length > 0)
        placed.changed.set(person.id, {
          person,
          row: earlier ? joined(earlier.row, row) : row,
          set: { ...earlier?.set, ...set },
        })
      continue
    }
    const own = wanted.idNumberIndex ?? phoneAndName ?? `line ${row.line}`
    let number = freshAt.get(own)
    if (number === undefined) {
      number = placed.fresh.push(row)
      freshAt.set(own, number)
    }
    placed.ids.push(-number)
  }
  return placed
}

/** What two rows say of one person: the later one, and of what it leaves out the earlier one. */
function joined(earlier: RosterRow, row: RosterRow): RosterRow {
  return {
    ...row,
    phone: row.phone || earlier.phone,
    idNumber: row.idNumber || earlier.idNumber,
    wechat: row.wechat || earlier.wechat,
  }
}

function comparedColumns({ index }: Vault, row: RosterRow): Compared {
  return {
    name: row.name,
    nameKey: nameKey(row.name),
    soundKey: soundKey(row.name),
    phoneIndex: row.phone ? index('phone', row.phone) : null,
    idNumberIndex: row.idNumber ? index('id-number', row.idNumber) : null,
    idTailIndex: row.idNumber ? index('id-tail', row.idNumber.slice(-6)) : null,
    wechatIndex: row.wechat ? index('wechat', row.wechat) : null,
  }
}

/** The columns of somebody new. */
export function freshColumns(vault: Vault, row: RosterRow): PersonColumns {
  return {
    ...comparedColumns(vault, row),
    phoneSealed: row.phone ? vault.seal(row.phone) : null,
    idNumberSealed: row.idNumber ? vault.seal(row.idNumber) : null,
    wechatSealed: row.wechat ? vault.seal(row.wechat) : null,
  }
}

/** All columns of somebody known as they become, and those that change as they were. */
export function changedColumns(
  vault: Vault,
  { person, set, row }: ChangedPerson,
): { after: { id: number } & PersonColumns; before: Record<string, string | null> } {
  const sealed: Partial<PersonColumns> = {
    ...(set.phoneIndex ? { phoneSealed: vault.seal(row.phone) } : {}),
    ...(set.idNumberIndex ? { idNumberSealed: vault.seal(row.idNumber) } : {}),
    ...(set.wechatIndex ? { wechatSealed: vault.seal(row.wechat) } : {}),
  }
  const changes = { ...set, ...sealed }
  const { createdAt: _made, ...columns } = person
  const before = Object.fromEntries(
    Object.keys(changes).map(column => [column, person[column as keyof PersonColumns]]),
  )
  // they stand and fall together: the end of an ID number with the number
  if (set.idNumberIndex) before.idTailIndex = person.idTailIndex
  return { after: { ...columns, ...changes }, before }
}
