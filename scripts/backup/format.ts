import { createHmac, hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { dayOf, timeOf } from '../../server/clock.ts'
import { DomainError } from '../../server/errors.ts'

/**
 * A backup is one gzip file of lines, so that `zcat` shows it to anybody:
 *
 *     {"qunzhen":"backup","format":1,"at":…,"migrations":[…],"keyCheck":…}     the head
 *     {"table":"public.activities","columns":["id",…]}                          a table, and behind it
 *     1	12	…                                                                   its rows in COPY's text format
 *     \.                                                                        and their end; then the next table
 *     {"tables":[{"name":…,"rows":…,"bytes":…,"sha256":…}],"sequences":[…]}     what has to have come
 *     {"sha256":…,"mac":…}                                                      the seal over all lines but the rows
 *
 * The seal covers the lines, and through the checksums in them the rows: a file that was cut or altered is known by it.
 * `mac` is made with a key derived from DATA_KEY, so that whoever alters a file on purpose cannot seal it anew.
 */
export const FORMAT = 1

/** Ends the rows of a table; COPY doubles every backslash, so no row looks like it. */
export const END_OF_ROWS = Buffer.from('\\.\n')

const digest = z.string().regex(/^[0-9a-f]{64}$/)

export const headShape = z.object({
  qunzhen: z.literal('backup'),
  format: z.number(),
  /** When it was begun. */
  at: z.iso.datetime(),
  /** Those that the database had had, by their times in the journal. */
  migrations: z.array(z.number().int()).min(1),
  /** Tells whether a key is the DATA_KEY of the time, which the values were sealed and the file was signed with. */
  keyCheck: digest,
  /** The same of DATA_KEYS_OTHER: the key was being changed, and some values are still of these. */
  otherKeyChecks: z.array(digest).default([]),
})
export const tableShape = z.object({ table: z.string(), columns: z.array(z.string()) })
export const endShape = z.object({
  tables: z.array(
    z.object({
      name: z.string(),
      rows: z.number().int(),
      /** Of the rows as they stand in the file, unpacked. */
      bytes: z.number().int(),
      sha256: digest,
    }),
  ),
  sequences: z.array(
    z.object({ name: z.string(), value: z.string().regex(/^-?\d{1,19}$/), isCalled: z.boolean() }),
  ),
})
export const sealShape = z.object({ sha256: digest, mac: digest })

export type Head = z.output<typeof headShape>
export type End = z.output<typeof endShape>
export type CopiedTable = End['tables'][number]

/** What a backup says about itself. */
export interface Manifest extends Head, End {
  /** The checksum of the seal: names this very content. */
  sha256: string
}

/** A file that is no backup, or not all of one, or not as it was written. */
export function damaged(why: string): DomainError {
  return new DomainError(
    'backup.damaged',
    `备份文件不完整或被改动过（${why}），没有动数据库。请换一份备份，或从别处重新复制这一份。`,
  )
}

/** The key of backups, derived as `server/vault.ts` derives its own: it gives away neither those nor DATA_KEY. */
export function backupKey(dataKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(dataKey, 'base64'), 'qunzhen', 'backup', 32))
}

export function keyCheckOf(key: Buffer): string {
  return createHmac('sha256', key).update('key check').digest('hex')
}

export function macOf(key: Buffer, sha256: string): string {
  return createHmac('sha256', key).update(`seal ${sha256}`).digest('hex')
}

/** When, and how much, for people. */
export function summaryOf(manifest: Manifest): string {
  const at = new Date(manifest.at)
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
  return `${dayOf(at)} ${timeOf(at)} 的数据，${manifest.tables.length} 张表、${rows} 行`
}

export function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++
  return count
}
