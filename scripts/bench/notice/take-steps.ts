import type { KnownActor } from '../../../server/domain/actor.ts'
import { issueNotice } from '../../../server/domain/notices/issue.ts'
import { startSchedule } from '../../../server/jobs/schedule.ts'
import { inTransaction, type Runtime } from '../../../server/runtime.ts'
import type { UpdateHandler } from '../../../server/updates.ts'

/** Groups of which the next step falls due together. */
const DUE_TOGETHER = 20
/** How often one looks whether the reminder is there. */
const LOOK_MS = 50
const PATIENCE_MS = 60_000

/**
 * With a step waiting for every group, lets those of some come due at a moment, and measures how long after it their
 * reminders are on their way out, with the real schedule running.
 * @returns seconds until the last of a round
 */
export async function takeSteps(
  rt: Runtime,
  updates: UpdateHandler,
  databaseUrl: string,
  actor: KnownActor,
  unitId: number,
  rounds: number,
): Promise<{ waiting: number; seconds: number[] }> {
  await inTransaction(rt, tx =>
    issueNotice(tx, actor, { unitId, body: '请组织收看公开课。', category: '其他', importance: 'same-day' }),
  )
  // nothing of it leaves meanwhile: the first messages are another figure
  await rt.db.execute(`update outgoing_messages set status = 'sent', sent_at = created_at`)
  await rt.db.execute(
    `update deliveries set status = 'sent', due_at = now() + interval '1 day' where route = 'relay'`,
  )
  await rt.db.execute('vacuum analyze deliveries')
  const [waiting] = await rt.db.execute<{ count: number }>(
    'select count(*)::int as count from deliveries where due_at is not null',
  )
  const schedule = await startSchedule(rt, updates, databaseUrl)
  try {
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) {
      const dueAt = new Date(rt.clock.now().getTime() + 500)
      const [before] = await rt.db.execute<{ id: string }>(
        'select coalesce(max(id), 0) as id from outgoing_messages',
      )
      await rt.db.execute(`
        update deliveries set due_at = '${dueAt.toISOString()}'::timestamptz where id in (
          select id from deliveries where route = 'relay' and step = 0 and due_at > now() + interval '1 hour'
          order by id desc limit ${DUE_TOGETHER})`)
      let count = 0
      const started = performance.now()
      while (count < DUE_TOGETHER && performance.now() - started < PATIENCE_MS) {
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
        const [row] = await rt.db.execute<{ count: number }>(
          `select count(*)::int as count from outgoing_messages where purpose = 'reminder' and id > ${before?.id ?? 0}`,
        )
        count = row?.count ?? 0
      }
      seconds.push((rt.clock.now().getTime() - dueAt.getTime()) / 1000)
    }
    return { waiting: waiting?.count ?? 0, seconds }
  } finally {
    await schedule.stop()
  }
}
