import type { Db } from '../../db/client.ts'

export interface StoredUpdate extends Record<string, unknown> {
  id: number
  channel: string
  dedupe_key: string
  kind: string
  status: string
  payload_sealed: string
  has_reply: boolean
}

/** Every row of `updates`, some thousands at a time. */
export async function* storedUpdates(db: Db): AsyncGenerator<StoredUpdate> {
  for (let after = 0; ; ) {
    const rows = await db.execute<StoredUpdate & { id: string }>(
      `select id, channel, dedupe_key, kind, status, payload_sealed, reply_sealed is not null as has_reply
       from updates where id > ${after} order by id limit 2000`,
    )
    if (rows.length === 0) return
    for (const row of rows) yield { ...row, id: Number(row.id) }
    after = Number(rows.at(-1)?.id)
  }
}

/** How many accounts there are whose address begins with `beginning` (letters only). */
export async function countAccounts(db: Db, beginning: string): Promise<number> {
  if (!/^[a-z]+$/.test(beginning)) throw new Error('letters only')
  const [row] = await db.execute<{ count: number }>(
    `select count(*)::int as count from identities where address like '%${beginning}%'`,
  )
  return Number(row?.count)
}
