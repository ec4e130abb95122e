import { Readable } from 'node:stream'
import { createInflateRaw } from 'node:zlib'

/** The few facts about ZIP files that XLSX and DOCX need. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3 */

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const HEADER_LENGTH = 30
const END_LENGTH = 22
const MAX_COMMENT_BYTES = 0xffff
/** 1980-01-01 00:00:00 as a DOS date, the earliest that the format knows. */
const FIRST_DOS_DATE = 0x21

const STORED = 0
const DEFLATED = 8

interface ZipEntry {
  name: string
  /** Position of the entry in the directory, and of the header before its data. */
  directoryAt: number
  headerAt: number
  method: number
  packedBytes: number
  unpackedBytes: number
}

/** True when the bytes begin as a ZIP file (and so an XLSX) does. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04
}

/** What the file says it would take unpacked, in bytes; null when it has no readable directory. */
export function unpackedBytes(file: Uint8Array): number | null {
  const entries = zipEntries(Buffer.from(file.buffer, file.byteOffset, file.byteLength))
  return entries?.reduce((sum, entry) => sum + entry.unpackedBytes, 0) ?? null
}

/**
 * Whether every entry unpacks to no more than its directory says. Unpacks each of them once, bit by bit, and keeps
 * nothing: a library that unpacks them whole would find out too late.
 */
export async function isAsLargeAsItSays(file: Uint8Array): Promise<boolean> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  for (const entry of zipEntries(bytes) ?? []) if (!(await isHonest(bytes, entry))) return false
  return true
}

/**
 * Unpacks some entries of a file, bit by bit, and never more than they say they are or than fits.
 * @param maxBytes of all of them together
 * @returns `broken`: it cannot be read; `too_large`: it would unpack to more
 */
export async function unpackEntries(
  file: Uint8Array,
  isWanted: (name: string) => boolean,
  maxBytes: number,
): Promise<{ name: string; bytes: Buffer }[] | 'broken' | 'too_large'> {
  const whole = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const wanted = zipEntries(whole)?.filter(entry => isWanted(entry.name))
  if (!wanted) return 'broken'
  if (wanted.reduce((sum, entry) => sum + entry.unpackedBytes, 0) > maxBytes) return 'too_large'
  const unpacked: { name: string; bytes: Buffer }[] = []
  for (const entry of wanted) {
    const parts: Buffer[] = []
    if (!(await unpack(whole, entry, part => void parts.push(part)))) return 'broken'
    unpacked.push({ name: entry.name, bytes: Buffer.concat(parts) })
  }
  return unpacked
}

const isHonest = (file: Buffer, entry: ZipEntry): Promise<boolean> => unpack(file, entry, () => {})

/** @returns false: it is broken, or unpacks to something else than its directory says; what was taken is not to be used */
async function unpack(file: Buffer, entry: ZipEntry, take: (part: Buffer) => void): Promise<boolean> {
  const { headerAt, method, packedBytes, unpackedBytes } = entry
  if (headerAt + HEADER_LENGTH > file.length) return false
  const from = headerAt + HEADER_LENGTH + file.readUInt16LE(headerAt + 26) + file.readUInt16LE(headerAt + 28)
  if (from + packedBytes > file.length) return false
  const packed = file.subarray(from, from + packedBytes)
  if (method === STORED) {
    take(packed)
    return packedBytes === unpackedBytes
  }
  if (method !== DEFLATED) return false
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 })
  let count = 0
  try {
    for await (const part of Readable.from([packed]).pipe(inflate)) {
      count += (part as Buffer).length
      if (count > unpackedBytes) return false
      take(part as Buffer)
    }
  } catch {
    return false
  } finally {
    inflate.destroy()
  }
  return count === unpackedBytes
}

/** Replaces the time of every entry by one fixed moment, so that equal contents make equal files. */
export function withoutTimes(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  for (const { directoryAt, headerAt } of zipEntries(copy) ?? []) {
    for (const timeAt of [directoryAt + 12, headerAt + 10]) {
      copy.writeUInt16LE(0, timeAt)
      copy.writeUInt16LE(FIRST_DOS_DATE, timeAt + 2)
    }
  }
  return copy
}

/** null too where the directory does not lie right before its end: readers differ over which one such a file has. */
function zipEntries(file: Buffer): ZipEntry[] | null {
  const endAt = findEnd(file)
  if (endAt === null) return null
  const entries: ZipEntry[] = []
  let at = file.readUInt32LE(endAt + 16)
  for (let left = file.readUInt16LE(endAt + 10); left > 0; left -= 1) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== DIRECTORY_ENTRY) return null
    entries.push({
      name: file.toString('utf8', at + 46, at + 46 + file.readUInt16LE(at + 28)),
      directoryAt: at,
      headerAt: file.readUInt32LE(at + 42),
      method: file.readUInt16LE(at + 10),
      packedBytes: file.readUInt32LE(at + 20),
      unpackedBytes: file.readUInt32LE(at + 24),
    })
    at += 46 + file.readUInt16LE(at + 28) + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
  return at === endAt ? entries : null
}

function findEnd(file: Buffer): number | null {
  const earliest = Math.max(0, file.length - END_LENGTH - MAX_COMMENT_BYTES)
  for (let at = file.length - END_LENGTH; at >= earliest; at -= 1)
    if (file.readUInt32LE(at) === END_OF_DIRECTORY) return at
  return null
}
