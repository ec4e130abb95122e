import { spawnSync } from 'node:child_process'
import { connectDatabase, type Db } from '../../db/client.ts'

/** Settings without which a commit may be lost in a power cut. */
const durable = ['fsync', 'synchronous_commit', 'full_page_writes'] as const

/** What is switched off that makes a commit durable: nothing may be, or the figures are worth nothing. */
export async function undurableSettings(db: Db): Promise<string[]> {
  const off: string[] = []
  for (const name of durable) {
    const [row] = await db.execute<Record<string, string>>(`show ${name}`)
    if (row?.[name] !== 'on') off.push(`${name} = ${row?.[name]}`)
  }
  return off
}

/**
 * Puts on disk what was written to get ready: databases that were copied, a run before. Otherwise the kernel writes it out
 * while commits of the measured run wait for the same disk. PostgreSQL also keeps its used WAL files for the run, as it
 * does on a server that has been there for a while, and need not make new ones.
 */
export async function settleDisk(databaseUrl: string): Promise<void> {
  const { db, close } = connectDatabase(databaseUrl, 1)
  try {
    await db.execute('checkpoint')
  } finally {
    await close()
  }
  spawnSync('sync')
}

export interface StoredCounts extends Record<string, unknown> {
  rows: number
  handled: number
  replied: number
  /** Of the message ids, which the load generator numbers without a gap. */
  first: string | null
  last: string | null
}

/** What is in the database after a run. */
export async function storedCounts(db: Db): Promise<StoredCounts> {
  const [row] = await db.execute<StoredCounts>(
    `select count(*)::int as rows, count(*) filter (where status = 'handled')::int as handled,
       count(reply_sealed)::int as replied,
       min(substr(dedupe_key, 4)::numeric)::text as first, max(substr(dedupe_key, 4)::numeric)::text as last
     from updates where dedupe_key like 'id:%'`,
  )
  return row as StoredCounts
}

/** How what is stored differs from the `sent` messages that were all acknowledged; empty when it does not. */
export function storageFaults(counts: StoredCounts, sent: number): string[] {
  const faults: string[] = []
  if (counts.rows !== sent) faults.push(`${sent} acknowledged, ${counts.rows} stored`)
  if (counts.handled !== counts.rows) faults.push(`${counts.rows - counts.handled} not handled`)
  if (counts.replied !== counts.rows) faults.push(`${counts.rows - counts.replied} without their reply`)
  const span = counts.first && counts.last ? BigInt(counts.last) - BigInt(counts.first) + 1n : 0n
  if (span !== BigInt(sent)) faults.push(`ids from ${counts.first} to ${counts.last} for ${sent} messages`)
  return faults
}
