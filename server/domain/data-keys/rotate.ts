import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import {
  beginRotation,
  countSealed,
  countSealedBehindWriters,
  dropStagingsBefore,
  endRotation,
  type HeldCount,
  heldSince,
  lastRotation,
  loneAccounts,
  putSealed,
  reindexAccounts,
  remembersAccounts,
  type SealedRow,
  type SealedTable,
  type SealedValue,
  sealedTables,
  takeSealed,
  withRostersHeld,
} from '../../../db/queries/data-keys.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { IndexField, Vault } from '../../vault.ts'

export interface RotationProgress {
  table: string
  /** Rows sealed anew so far. */
  done: number
}

export interface RotationResult {
  /** Rows that were sealed anew, by table. */
  done: Record<string, number>
  /** Rows that still hold something of another key, by table. Empty: no other key is needed for what is stored. */
  left: Record<string, number>
  /** Rows that none of the keys opens, by table: no key that is known would help. */
  unreadable: Record<string, number>
  /** What is found by an index that only its holder can have made anew: it ends with the old key, or by itself before. */
  held: HeldCount[]
}

export interface RotationOptions {
  onProgress?(progress: RotationProgress): void
  /** How long to wait for rows that others are at, and for those who write to persons. */
  patienceMs?: number
}

/** Portions under way at once: while one is being written the next is sealed. */
const LANES = 2
/** Lone accounts that are indexed at once. */
const ACCOUNTS = 5000
/** How long before rows that somebody else was at are tried again. */
const AGAIN_MS = 500
const PATIENCE_MS = 120_000
/** Others wait behind us while we wait: not for long. */
const LOCK_MS = 2000

/**
 * Seals everything anew with the current key and makes the indexes anew, portion by portion, while the server works. Done
 * again, or after it was killed, it goes on with what is left.
 *
 * Whoever looks somebody up asks under all keys. Persons come first, and imports wait for them: what an import has read of
 * its file is sealed already. What people hold (a session's cookie, an API token) is indexed anew when they show it (`sign-in/sessions.ts`,
 * `api-tokens/read.ts`); a code, a link or a page that is not used any more lives out its days.
 */
export async function rotateKeys(rt: DomainRuntime, options: RotationOptions = {}): Promise<RotationResult> {
  const rotation = await rotationOf(rt)
  const result: RotationResult = { done: {}, left: {}, unreadable: {}, held: [] }
  const one = (table: SealedTable) => rotateTable(rt, table, result, options)
  const [persons, changes, ...others] = sealedTables as [SealedTable, SealedTable, ...SealedTable[]]
  const programmes = rt.templates.programmes.map(programme => programme.id)
  await withRostersHeld(rt.db, programmes, async () => {
    if (rotation) await dropStagingsBefore(rt.db, rotation.beganAt)
    // what an import has put aside comes back by undoing it: first where it comes from, then where it goes
    await one(changes)
    await one(persons)
    await reindexLoneAccounts(rt)
    await checkBehindWriters(rt, [persons, changes], result, options)
  })
  for (const table of others) await one(table)
  const now = rt.clock.now()
  if (!rotation) return result
  result.held = await heldSince(rt.db, rotation.beganAt, now)
  const isDone = Object.keys({ ...result.left, ...result.unreadable }).length === 0
  if (isDone && rotation.doneAt === null) await endRotation(rt.db, rotation.id, now)
  return result
}

/** The rotation to the current key, begun now unless it has been; null where there is no other key to come from. */
async function rotationOf(rt: DomainRuntime) {
  const [keyName = '', ...others] = rt.vault.keyNames
  const last = await lastRotation(rt.db)
  if (last?.keyName === keyName) return last
  if (others.length === 0) return null
  await beginRotation(rt.db, keyName, rt.clock.now())
  return lastRotation(rt.db)
}

async function rotateTable(
  rt: DomainRuntime,
  table: SealedTable,
  result: RotationResult,
  { onProgress, patienceMs = PATIENCE_MS }: RotationOptions,
): Promise<void> {
  const unreadable = new Set<string>()
  let done = 0
  for (let waited = 0; ; waited += AGAIN_MS) {
    const before = done
    await goThrough(rt, table, unreadable, count => {
      done += count
      onProgress?.({ table: table.table, done })
    })
    const left = (await countSealed(rt.db, table, rt.vault.currentPrefix)) - unreadable.size
    // rows that somebody else was at, or that came meanwhile from a process with the former key
    if (left > 0 && waited < patienceMs) {
      if (done > before) waited = 0
      await pause(AGAIN_MS)
      continue
    }
    if (done > 0) result.done[table.table] = done
    if (left > 0) result.left[table.table] = left
    if (unreadable.size > 0) result.unreadable[table.table] = unreadable.size
    return
  }
}

/** Once from the beginning to the end of a table, in lanes that take one portion after the other. */
async function goThrough(
  rt: DomainRuntime,
  table: SealedTable,
  unreadable: Set<string>,
  tell: (count: number) => void,
): Promise<void> {
  let after: string | null = null
  let taking: Promise<unknown> = Promise.resolve()
  const take = (tx: DomainRuntime): Promise<SealedRow[]> => {
    const taken = taking.then(async () => {
      const rows = await takeSealed(tx.db, table, tx.vault.currentPrefix, after, table.portion)
      after = rows.at(-1)?.key ?? after
      return rows
    })
    taking = taken.catch(() => {})
    return taken
  }
  const lane = async () => {
    for (let more = true; more; ) {
      const [seen, count] = await inTransaction(rt, async tx => {
        const rows = await take(tx)
        const fresh = rows.filter(row => {
          const isReadable = sealAnew(tx.vault, table, row)
          if (!isReadable) unreadable.add(row.key)
          return isReadable
        })
        await putSealed(tx.db, table, fresh)
        return [rows.length, fresh.length] as const
      })
      if (count > 0) tell(count)
      more = seen > 0
      // sealing a portion takes some ten milliseconds, in which nobody else is served
      await breathe()
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

/** Puts a row under the current key, in place. @returns false, and the row as it was, when something in it opens with no key */
function sealAnew(vault: Vault, { columns, json }: SealedTable, row: SealedRow): boolean {
  const values = { ...row.values }
  try {
    renew(vault, values, columns)
    for (const { column, values: named } of json) {
      const object = { ...(values[column] as Record<string, unknown>) }
      const others = Object.entries(object).filter(
        ([key, value]) => isSealed(value) && !named.some(each => each.name === key),
      )
      renew(vault, object, [...named, ...others.map(([name]) => ({ name, indexes: [] }))])
      values[column] = object
    }
  } catch {
    return false
  }
  row.values = values
  return true
}

function renew(vault: Vault, values: Record<string, unknown>, columns: readonly SealedValue[]): void {
  for (const { name, indexes } of columns) {
    const sealed = values[name]
    if (typeof sealed !== 'string' || sealed === '' || sealed.startsWith(vault.currentPrefix)) continue
    const text = vault.open(sealed)
    values[name] = vault.seal(text)
    for (const index of indexes)
      values[index.name] = vault.index(
        index.field as IndexField,
        index.tail === undefined ? text : text.slice(-index.tail),
      )
  }
}

function isSealed(value: unknown): boolean {
  return typeof value === 'string' && /^k[0-9a-f]+\.[A-Za-z0-9+/=]+$/.test(value)
}

/** Accounts that registered themselves and left are known by an index alone; what it was made of stands in `identities`. */
async function reindexLoneAccounts(rt: DomainRuntime): Promise<void> {
  if (!(await remembersAccounts(rt.db))) return
  for (let after = 0; ; ) {
    const accounts = await loneAccounts(rt.db, after, ACCOUNTS)
    const last = accounts.at(-1)
    if (!last) return
    after = last.id
    await reindexAccounts(
      rt.db,
      accounts.flatMap(({ channel, address }) => {
        const [to = '', ...older] = rt.vault.indexes('wechat', `${channel}:${address}`)
        return older.map(from => ({ from, to }))
      }),
    )
    await breathe()
  }
}

async function checkBehindWriters(
  rt: DomainRuntime,
  tables: readonly SealedTable[],
  result: RotationResult,
  { patienceMs = PATIENCE_MS }: RotationOptions,
): Promise<void> {
  const known = tables.reduce((sum, { table }) => sum + (result.unreadable[table] ?? 0), 0)
  const lockMs = Math.min(LOCK_MS, patienceMs)
  for (let waited = 0; ; waited += lockMs) {
    const count = await countSealedBehindWriters(rt.db, tables, rt.vault.currentPrefix, lockMs)
    if (count !== null) {
      if (count > known) result.left.persons = count - known
      return
    }
    if (waited >= patienceMs) {
      // nobody knows what they are writing
      result.left.persons = 1
      return
    }
    await pause(AGAIN_MS)
  }
}
