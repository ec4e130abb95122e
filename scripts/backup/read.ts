import { createHash, timingSafeEqual } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { z } from 'zod'
import type { TableShape } from '../../db/backup.ts'
import { DomainError } from '../../server/errors.ts'
import {
  backupKey,
  type CopiedTable,
  countLines,
  damaged,
  endShape,
  FORMAT,
  type Head,
  headShape,
  keyCheckOf,
  type Manifest,
  macOf,
  sealShape,
  tableShape,
} from './format.ts'
import { LineReader } from './line-reader.ts'

/** What comes out of a backup one after the other. The rows of a table must be read before the next part is asked for. */
export type Part =
  | { kind: 'head'; head: Head }
  | { kind: 'table'; table: TableShape; rows: AsyncGenerator<Buffer> }
  | { kind: 'end'; manifest: Manifest }

/**
 * Reads a backup from its beginning to its end. Only the last part says that what came before it was right, so whoever
 * acts on the parts must be able to undo it.
 * @param dataKeys when one of them is the backup's own, the seal is checked, too
 * @throws DomainError `backup.damaged`, `backup.unknown_format`
 */
export function readBackup(file: string, ...dataKeys: string[]): AsyncGenerator<Part> {
  return partsOf(new LineReader(unpack(file)), dataKeys.map(backupKey))
}

async function* unpack(file: string): AsyncGenerator<Buffer> {
  const unpacked = createGunzip({ chunkSize: 65_536 })
  const input = pipeline(createReadStream(file), unpacked, () => {})
  try {
    yield* input
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw code.startsWith('Z_') ? damaged(code === 'Z_BUF_ERROR' ? '文件到一半就没了' : '解不开') : error
  }
}

/** Reads a whole backup for what it says about itself, and so that it is known to be whole. @throws as `readBackup` */
export async function checkBackup(file: string, ...dataKeys: string[]): Promise<Manifest> {
  for await (const part of readBackup(file, ...dataKeys)) {
    if (part.kind === 'table') for await (const _rows of part.rows);
    if (part.kind === 'end') return part.manifest
  }
  throw damaged('没有结尾')
}

/** Whether these keys open all values in a backup: the one of the time, and those that were being changed for it. */
export function areOfKeys(head: Head, dataKeys: readonly string[]): boolean {
  const given = dataKeys.map(dataKey => keyCheckOf(backupKey(dataKey)))
  return [head.keyCheck, ...head.otherKeyChecks].every(check => given.includes(check))
}

async function* partsOf(reader: LineReader, keys: Buffer[]): AsyncGenerator<Part> {
  const lines = createHash('sha256')
  const nextLine = async () => {
    const line = await reader.line()
    lines.update(line)
    return parse(line)
  }
  const head = shaped(headShape, await nextLine(), '不是群阵的备份')
  if (head.format !== FORMAT)
    throw new DomainError(
      'backup.unknown_format',
      `备份的格式是第 ${head.format} 版，本程序只认第 ${FORMAT} 版：请用写这份备份的版本或更新的版本恢复。没有动数据库。`,
    )
  yield { kind: 'head', head }
  const found: CopiedTable[] = []
  for (;;) {
    const value = await nextLine()
    const table = tableShape.safeParse(value)
    if (table.success) {
      const { table: name, columns } = table.data
      const rows = counted(reader.rows(), name, copied => found.push(copied))
      yield { kind: 'table', table: { name, columns }, rows }
      continue
    }
    const end = shaped(endShape, value, '认不出的一行')
    const sha256 = lines.digest('hex')
    const seal = shaped(sealShape, parse(await reader.line()), '没有封签')
    await reader.end()
    if (seal.sha256 !== sha256) throw damaged('目录和封签不符')
    const wrong = end.tables.find((table, index) => !isSame(table, found[index]))
    if (wrong || found.length !== end.tables.length) throw damaged(`${wrong?.name ?? '表'} 和校验值不符`)
    const key = keys.find(each => keyCheckOf(each) === head.keyCheck)
    if (key && !isSameDigest(seal.mac, macOf(key, sha256))) throw damaged('封签不是用 DATA_KEY 作的')
    yield { kind: 'end', manifest: { ...head, ...end, sha256 } }
    return
  }
}

async function* counted(
  rows: AsyncGenerator<Buffer>,
  name: string,
  finish: (copied: CopiedTable) => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let [count, bytes] = [0, 0]
  for await (const chunk of rows) {
    hash.update(chunk)
    count += countLines(chunk)
    bytes += chunk.length
    yield chunk
  }
  finish({ name, rows: count, bytes, sha256: hash.digest('hex') })
}

function isSame(said: CopiedTable, found: CopiedTable | undefined): boolean {
  return (
    said.name === found?.name &&
    said.rows === found.rows &&
    said.bytes === found.bytes &&
    said.sha256 === found.sha256
  )
}

function isSameDigest(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'))
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    throw damaged('认不出的一行')
  }
}

function shaped<T>(shape: z.ZodType<T>, value: unknown, otherwise: string): T {
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw damaged(otherwise)
  return parsed.data
}
