import type { Db } from '../../../db/client.ts'
import type { KnownActor } from '../../../server/domain/actor.ts'
import { issueNotice } from '../../../server/domain/notices/issue.ts'
import { inTransaction, type Runtime } from '../../../server/runtime.ts'
import { median } from '../statistics.ts'

export interface WrittenCascade {
  deliveries: number
  messages: number
  /** Milliseconds, the median of the rounds. */
  ms: number
  /** The same rows by one `INSERT … SELECT` into each of the same tables, in one transaction. */
  baselineMs: number
}

/** Issues a notice to everybody below a unit, and has the database write the same rows once more, in turn. */
export async function writeCascade(
  rt: Runtime,
  actor: KnownActor,
  unitId: number,
  rounds: number,
): Promise<WrittenCascade> {
  const times: number[] = []
  const baselines: number[] = []
  let deliveries = 0
  let messages = 0
  for (let round = 0; round < rounds; round++) {
    await clear(rt.db)
    times.push(
      await timed(() =>
        inTransaction(rt, async tx => {
          const notice = await issueNotice(tx, actor, {
            unitId,
            body: `第 ${round + 1} 轮：请组织收看公开课。`,
            category: '其他',
            importance: 'same-day',
          })
          deliveries = notice.groups
        }),
      ),
    )
    await rt.db.execute('create unlogged table kept_messages as select * from outgoing_messages')
    await rt.db.execute('create unlogged table kept_deliveries as select * from deliveries')
    const [row] = await rt.db.execute<{ count: number }>('select count(*)::int as count from kept_messages')
    messages = row?.count ?? 0
    await rt.db.execute('truncate outgoing_messages, deliveries cascade')
    baselines.push(
      await timed(() =>
        inTransaction(rt, async tx => {
          for (const [table, kept] of [
            ['outgoing_messages', 'kept_messages'],
            ['deliveries', 'kept_deliveries'],
          ])
            await tx.db.execute(
              `insert into ${table} overriding system value select * from ${kept} order by id`,
            )
        }),
      ),
    )
  }
  await clear(rt.db)
  return { deliveries, messages, ms: median(times), baselineMs: median(baselines) }
}

async function clear(db: Db): Promise<void> {
  await db.execute('drop table if exists kept_messages, kept_deliveries')
  await db.execute('truncate outgoing_messages, deliveries, notices cascade')
  await db.execute('checkpoint')
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
