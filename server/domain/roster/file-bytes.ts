import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { FileSource } from './table.ts'

const PART_BYTES = 128 * 1024

/** The bytes of a file from its beginning, in parts. */
export async function* bytesOf(file: FileSource): AsyncGenerator<Uint8Array> {
  if ('path' in file) {
    yield* createReadStream(file.path, { highWaterMark: PART_BYTES }) as AsyncIterable<Buffer>
    return
  }
  for (let from = 0; from < file.bytes.length; from += PART_BYTES)
    yield file.bytes.subarray(from, from + PART_BYTES)
}

export async function sizeOf(file: FileSource): Promise<number> {
  return 'path' in file ? (await stat(file.path)).size : file.bytes.length
}

/** The first bytes, by which kinds of files are told apart. */
export async function headOf(file: FileSource, length: number): Promise<Uint8Array> {
  if ('bytes' in file) return file.bytes.subarray(0, length)
  const handle = await open(file.path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** SHA-256 in hex. */
export async function hashOf(file: FileSource): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of bytesOf(file)) hash.update(part)
  return hash.digest('hex')
}
