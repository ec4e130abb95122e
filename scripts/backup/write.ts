import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Snapshot, TableShape } from '../../db/backup.ts'
import { DomainError } from '../../server/errors.ts'
import {
  backupKey,
  type CopiedTable,
  countLines,
  END_OF_ROWS,
  FORMAT,
  type Head,
  keyCheckOf,
  type Manifest,
  macOf,
} from './format.ts'

/** Most of a backup is sealed values, which no level makes smaller than their base64: a higher one costs time only. */
const LEVEL = 3

/**
 * Writes a snapshot into a file, which is there when all of it is on disk, and not before: until then it has another name
 * beside it. Rows pass through; nothing is kept.
 */
export async function writeBackup(
  snapshot: Snapshot,
  file: string,
  { at, dataKey, otherKeys = [] }: { at: Date; dataKey: string; otherKeys?: readonly string[] },
): Promise<Manifest> {
  // two runs at a time, as when a slow one meets the next night's, do not write into each other
  const partial = `${file}.${process.pid}.partial`
  // persons' names are in it
  const handle = await open(partial, 'wx', 0o600)
  try {
    const manifests: Manifest[] = []
    await pipeline(
      backupOf(snapshot, at, [dataKey, ...otherKeys].map(backupKey), manifest => manifests.push(manifest)),
      createGzip({ level: LEVEL, chunkSize: 65_536 }),
      chunks => handle.writeFile(chunks),
    )
    await handle.sync()
    await handle.close()
    await rename(partial, file)
    await syncFolder(dirname(file))
    return manifests[0] as Manifest
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(partial, { force: true })
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new DomainError('backup.no_space', `磁盘满了，备份没有写成：${file}。请腾出空间，或写到别的盘。`)
    throw error
  }
}

/** The bytes of a backup, as `format.ts` describes them. */
async function* backupOf(
  snapshot: Snapshot,
  at: Date,
  keys: Buffer[],
  finish: (manifest: Manifest) => void,
): AsyncGenerator<Buffer> {
  const lines = createHash('sha256')
  const line = (value: unknown) => {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
    lines.update(bytes)
    return bytes
  }
  const [key, ...others] = keys as [Buffer, ...Buffer[]]
  const head: Head = {
    qunzhen: 'backup',
    format: FORMAT,
    at: at.toISOString(),
    migrations: snapshot.migrations,
    keyCheck: keyCheckOf(key),
    otherKeyChecks: others.map(keyCheckOf),
  }
  yield line(head)
  const tables: CopiedTable[] = []
  for (const table of snapshot.tables) {
    yield line({ table: table.name, columns: table.columns })
    tables.push(yield* rowsOf(snapshot, table))
    yield END_OF_ROWS
  }
  const end = { tables, sequences: await snapshot.sequences() }
  yield line(end)
  const sha256 = lines.digest('hex')
  yield Buffer.from(`${JSON.stringify({ sha256, mac: macOf(key, sha256) })}\n`)
  finish({ ...head, ...end, sha256 })
}

async function* rowsOf(snapshot: Snapshot, table: TableShape): AsyncGenerator<Buffer, CopiedTable> {
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  for await (const chunk of snapshot.copyOut(table)) {
    hash.update(chunk)
    rows += countLines(chunk)
    bytes += chunk.length
    yield chunk
  }
  return { name: table.name, rows, bytes, sha256: hash.digest('hex') }
}

/** The new name itself outlives a power cut only when the folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
