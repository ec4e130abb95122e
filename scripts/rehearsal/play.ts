import { noticeById } from '../../db/queries/notices.ts'
import { nextDue, reachNow } from '../../db/queries/rehearsal-run.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { issueNotice } from '../../server/domain/notices/issue.ts'
import type { CurvePoint } from '../../server/domain/rehearsals/result.ts'
import type { RehearsalSettings } from '../../server/domain/rehearsals/settings.ts'
import { deliverDue } from '../../server/jobs/deliver.ts'
import { pollMassTasks } from '../../server/jobs/poll-mass-tasks.ts'
import { scheduledJobs } from '../../server/jobs/schedule.ts'
import { inTransaction } from '../../server/runtime.ts'
import type { FaultName, FaultOptions } from '../simulator/index.ts'
import { People } from './people.ts'
import type { RehearsalStage } from './stage.ts'

const MINUTE_MS = 60_000
/** People's doings within a stretch are taken together: as many stretches as groups make the whole time, within these bounds. */
const STRETCHES = [30, 300] as const
/** Something happens by itself no later than this: whatever the service does without being asked is seen. */
const LONGEST_STEP_MS = 10 * MINUTE_MS
/** What waits for a place at the platform is not looked at for every one. */
const SHORTEST_STEP_MS = 30_000
/** Asking about every mass task costs a call each; what their owners did keeps its own time. */
const POLL_EVERY_MS = 30 * MINUTE_MS
const OUTAGE_MS = 2 * 3600_000

/** What fails while a platform is down. Calls to the other one have other paths. */
const failing: Record<RehearsalSettings['outage'], [FaultName, FaultOptions][]> = {
  none: [],
  wecom: [
    ['http-500', { path: '/message/send' }],
    ['busy', { path: '/externalcontact/' }],
  ],
  'official-account': [
    ['http-500', { path: '/message/custom/' }],
    ['busy', { path: '/message/template/' }],
  ],
  both: [['busy', {}]],
}

/** Jobs that have no part in a notice, or a pace of their own here. */
const otherJobs = new Set([
  'deliver',
  'poll-mass-tasks',
  'rehearse',
  'read-groups',
  'look-after-requests',
  'end-roll-calls',
  'follow-service-days',
  'delete-drafts',
  'raise-alarms',
  'report-troubles',
  'send-drafts',
  'remind-of-schedule',
  'climb-danger-calls',
  'raise-slips',
  'fetch-pictures',
])
/** What runs all the time; what runs once a night has no part in one notice. */
const constantJobs = scheduledJobs.filter(job => / \* \* \* \*$/.test(job.when) && !otherJobs.has(job.name))

export interface Played {
  issuedAt: Date
  deadlineAt: Date
  curve: CurvePoint[]
  refused: number
}

/**
 * Sends the notice and lets the day go by, as quickly as the machine can: the clock goes from one moment at which
 * something happens to the next, and the service's own jobs run at each.
 * @throws the signal's reason when it is aborted
 */
export async function play(
  stage: RehearsalStage,
  settings: RehearsalSettings,
  author: KnownActor,
  { unitId, groupCount }: { unitId: number; groupCount: number },
  signal: AbortSignal,
): Promise<Played> {
  const { server, sim, clock } = stage
  const { rt } = server
  const issuedAt = clock.now()
  // a rehearsal has no second person: nobody real is written to
  const { id } = await inTransaction(rt, tx =>
    issueNotice(tx, author, {
      unitId,
      body: settings.text,
      category: '其他',
      importance: settings.importance,
      mode: settings.mode,
    }),
  )
  const notice = await noticeById(rt.db, id)
  if (!notice) throw new Error('the notice was not written')
  const { deadlineAt } = notice
  const people = new People(stage, settings, { id, issuedAt, deadlineAt })
  const stretches = Math.min(Math.max(groupCount, STRETCHES[0]), STRETCHES[1])
  const stretchMs = Math.ceil((deadlineAt.getTime() - issuedAt.getTime()) / stretches / MINUTE_MS) * MINUTE_MS
  for (const [name, options] of failing[settings.outage]) sim.faults.on(name, options)
  const curve: CurvePoint[] = []
  let polledAt = issuedAt.getTime()
  for (;;) {
    signal.throwIfAborted()
    const now = clock.now().getTime()
    if (settings.outage !== 'none' && now >= issuedAt.getTime() + OUTAGE_MS) sim.faults.clear()
    await people.act()
    if (now - polledAt >= POLL_EVERY_MS || now >= deadlineAt.getTime()) {
      polledAt = now
      await pollMassTasks(rt)
    }
    await settle(stage, signal)
    await people.look()
    const { reached, relayed, handed } = await reachNow(rt.db)
    curve.push([Math.round((now - issuedAt.getTime()) / MINUTE_MS), reached, relayed, handed])
    if (now >= deadlineAt.getTime()) break
    const next = await nextMoment(stage, people, stretchMs)
    clock.set(new Date(Math.min(next, deadlineAt.getTime())))
  }
  return { issuedAt, deadlineAt, curve, refused: people.refused }
}

/** Everything that is due happens, until nothing more does. */
async function settle({ server: { rt, updates }, sim }: RehearsalStage, signal: AbortSignal): Promise<void> {
  do {
    await sim.idle()
    for (const job of constantJobs) await job.run(rt, updates, signal)
  } while ((await deliverDue(rt, { signal })) > 0)
}

async function nextMoment(stage: RehearsalStage, people: People, stretchMs: number): Promise<number> {
  const now = stage.clock.now().getTime()
  const due = (await nextDue(stage.server.rt.db, stage.clock.now()))?.getTime() ?? Number.POSITIVE_INFINITY
  const act = people.nextAt()?.getTime() ?? Number.POSITIVE_INFINITY
  return Math.min(
    now + LONGEST_STEP_MS,
    Math.max(due, now + SHORTEST_STEP_MS),
    // at the end of the stretch that it falls into
    Math.max(Math.ceil(act / stretchMs) * stretchMs, now + SHORTEST_STEP_MS),
  )
}
