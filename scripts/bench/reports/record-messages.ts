import type { Db } from '../../../db/client.ts'
import { insertRecord } from '../../../db/queries/records.ts'
import { median } from '../statistics.ts'
import { RURAL } from './national-records.ts'

/** Statements in a row before the other way has its turn. */
const TURN = 100

export interface WrittenRecords {
  /** Microseconds a record, one statement a transaction; the median of the rounds. */
  us: number
  /** The same rows into an identical table without triggers. */
  bareUs: number
}

/**
 * Records messages as the product does, and the same rows into a copy of the table that keeps no counters: turn and turn
 * about, so that both meet the same disk. The copy has the same columns, indexes, foreign keys and rows.
 */
export async function recordMessages(
  db: Db,
  month: string,
  { records, rounds }: { records: number; rounds: number },
): Promise<WrittenRecords> {
  await copyTable(db)
  const groups = [
    ...(await db.execute<{ id: number; unit_id: number }>(
      `select id::int, unit_id::int from groups where programme = '${RURAL}' order by hashint8(id) limit ${records}`,
    )),
  ]
  const own: number[] = []
  const bare: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const sums = { own: 0, bare: 0 }
    for (let from = 0; from < groups.length; from += TURN) {
      const turn = groups.slice(from, from + TURN)
      // whoever begins is the other one each time
      const ways = (from / TURN + round) % 2 === 0 ? (['own', 'bare'] as const) : (['bare', 'own'] as const)
      for (const way of ways) {
        await swapTables(db, way)
        const started = performance.now()
        for (const group of turn) await insertRecord(db, rowOf(group, month))
        sums[way] += performance.now() - started
      }
      await swapTables(db, 'own')
    }
    if (round === 0) continue
    own.push((sums.own * 1000) / groups.length)
    bare.push((sums.bare * 1000) / groups.length)
  }
  return { us: median(own), bareUs: median(bare) }
}

function rowOf(group: { id: number; unit_id: number }, month: string) {
  return {
    groupId: group.id,
    unitId: group.unit_id,
    month,
    recordedOn: `${month}-20`,
    category: '致富信息',
    count: 1,
    source: 'forwarded',
    decidedBy: 'machine',
    confidence: 0.9,
    excerpt: '消息正文的前几十个字',
    createdAt: new Date(`${month}-20T09:00:00+08:00`),
  }
}

/** In a schema of its own, under the same name: the statement of the product reaches it by the search path alone. */
async function copyTable(db: Db): Promise<void> {
  await db.execute('create schema bare')
  await db.execute(
    'create table bare.message_records (like public.message_records including defaults including identity)',
  )
  await db.execute(
    'insert into bare.message_records overriding system value select * from public.message_records',
  )
  await db.execute(
    "select setval(pg_get_serial_sequence('bare.message_records', 'id'), (select max(id) from bare.message_records))",
  )
  const [keys, indexes] = await Promise.all([
    db.execute<{ definition: string }>(`
      select pg_get_constraintdef(oid) as definition from pg_constraint
      where conrelid = 'public.message_records'::regclass and contype = 'f'`),
    db.execute<{ definition: string }>(
      "select indexdef as definition from pg_indexes where schemaname = 'public' and tablename = 'message_records'",
    ),
  ])
  for (const { definition } of indexes)
    await db.execute(definition.replace(' ON public.message_records', ' ON bare.message_records'))
  for (const { definition } of keys) await db.execute(`alter table bare.message_records add ${definition}`)
  await db.execute('vacuum analyze bare.message_records')
}

/** Which of the two the name `message_records` means, on every connection of this database from now on. */
async function swapTables(db: Db, way: 'own' | 'bare'): Promise<void> {
  await db.execute(`set search_path = ${way === 'own' ? 'public' : 'bare, public'}`)
}
