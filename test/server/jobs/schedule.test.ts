import { PgBoss } from 'pg-boss'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scheduledJobs, startSchedule } from '../../../server/jobs/schedule.ts'
import { openStage, type Stage } from '../../support/stage.ts'

/** Runs that one process does for all. */
const queues = scheduledJobs.filter(job => !job.isShared).map(job => job.name)

describe('runs that are asked for', () => {
  let stage: Stage
  let boss: PgBoss

  beforeAll(async () => {
    stage = await openStage()
    boss = new PgBoss({ connectionString: stage.databaseUrl, max: 2, supervise: false, schedule: false })
    await boss.start()
  })
  afterAll(async () => {
    await boss.stop()
    await stage.close()
  })

  test('are heard of without looking, in queues of an older version, too', async () => {
    const older = queues.slice(0, 3)
    for (const name of older) await boss.createQueue(name, { policy: 'stately' })
    expect((await boss.getQueues(older)).map(queue => queue.notify)).toEqual([false, false, false])

    const schedule = await startSchedule(stage.rt, stage.updates, stage.databaseUrl)
    const kept = await boss.getQueues(queues)
    await schedule.stop()
    expect(kept.map(queue => queue.name).sort()).toEqual([...queues].sort())
    expect(kept.filter(queue => !queue.notify)).toEqual([])
  })

  test('are done without waiting for the next look', async () => {
    const schedules = await Promise.all(
      [1, 2].map(() => startSchedule(stage.rt, stage.updates, stage.databaseUrl)),
    )
    // one that its own time asks for once a day
    const id = await boss.send('check-members')
    await expect
      .poll(async () => (await boss.findJobs('check-members', { id: id ?? '' })).map(job => job.state), {
        timeout: 8000,
      })
      .toEqual(['completed'])
    await Promise.all(schedules.map(schedule => schedule.stop()))
  })
})
