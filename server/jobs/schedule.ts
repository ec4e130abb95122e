import cron from 'node-cron'
import { PgBoss } from 'pg-boss'
import { describeError } from '../../db/errors.ts'
import { tellOwners } from '../domain/coach/tell.ts'
import { climbDueCalls } from '../domain/danger/settle.ts'
import { askForDutyReports } from '../domain/duty-reports/ask.ts'
import { remindOfForms } from '../domain/forms/remind.ts'
import { tellFindings } from '../domain/groups/tell-findings.ts'
import { askForPosts } from '../domain/messages/ask.ts'
import { beginMissedLevels } from '../domain/notices/by-level.ts'
import { escalateDue } from '../domain/notices/escalate.ts'
import { deleteDrafts } from '../domain/roster/drafts.ts'
import { raiseDueSlips, tellOverdueSlips } from '../domain/slips/follow-time.ts'
import { keepVolunteerFiles } from '../domain/volunteers/files.ts'
import { remindOfVolunteers } from '../domain/volunteers/remind.ts'
import { sendDueReminders } from '../domain/work-schedule/remind.ts'
import { inTransaction, type Runtime } from '../runtime.ts'
import type { UpdateHandler } from '../updates.ts'
import { askPeople } from './ask-people.ts'
import { checkMembers } from './check-members.ts'
import { countNotices, recountEnded } from './count-notices.ts'
import { recoverInFlight } from './deliver/recover.ts'
import { deliverDue } from './deliver.ts'
import { fetchPictures } from './fetch-pictures.ts'
import { foldCounts } from './fold-counts.ts'
import { followServiceDays } from './follow-service-days.ts'
import { deleteExpired, reportTroubles } from './housekeeping.ts'
import { lookAfterActivities } from './look-after-activities.ts'
import { runRequests } from './look-after-requests.ts'
import { lookAfterSubsidies } from './look-after-subsidies.ts'
import { createOwnRuns, type OwnRuns } from './own-runs.ts'
import { payDueBills } from './pay-bills.ts'
import { pollMassTasks } from './poll-mass-tasks.ts'
import { raiseAlarms } from './raise-alarms.ts'
import { readChatStatistics } from './read-chat-statistics.ts'
import { readAllGroups, readDueGroups } from './read-groups.ts'
import { readUnionIds } from './read-union-ids.ts'
import { endDueRollCalls, reconcileGroups } from './reconcile-groups.ts'
import { runRehearsals } from './rehearse.ts'
import { runMonth } from './run-month.ts'
import { sendDrafts } from './send-drafts.ts'
import { takeBackDue } from './take-back.ts'
import { lookAfterSchedules } from './work-schedule.ts'

interface ScheduledJob {
  name: string
  /** When a run is asked for (seconds first), in Asia/Shanghai. */
  when: string
  /** Every process does it, sharing the work, from when it starts; otherwise one of them does it for all. */
  isShared?: true
  /** @param signal the server stops: finish what is under way and take no more */
  run: (rt: Runtime, updates: UpdateHandler, signal: AbortSignal) => Promise<unknown>
}

/** Everything that happens by itself. */
export const scheduledJobs: readonly ScheduledJob[] = [
  {
    name: 'deliver',
    when: '*/2 * * * * *',
    isShared: true,
    run: (rt, _updates, signal) => deliverDue(rt, { signal }),
  },
  { name: 'escalate', when: '*/2 * * * * *', run: (rt, _updates, signal) => escalateAllDue(rt, signal) },
  { name: 'rehearse', when: '*/15 * * * * *', run: (rt, _updates, signal) => runRehearsals(rt, signal) },
  { name: 'begin-levels', when: '40 */2 * * * *', run: rt => beginMissedLevels(rt) },
  { name: 'read-groups', when: '*/3 * * * * *', run: rt => readDueGroups(rt) },
  {
    name: 'handle-left-behind',
    when: '*/5 * * * * *',
    // while processes die one after the other nobody else would do it
    isShared: true,
    run: (_rt, updates, signal) => updates.handleLeftBehind(signal),
  },
  { name: 'take-back', when: '*/2 * * * * *', run: (rt, _updates, signal) => takeBackDue(rt, signal) },
  { name: 'send-drafts', when: '10 * * * * *', run: (rt, _updates, signal) => sendDrafts(rt, signal) },
  { name: 'poll-mass-tasks', when: '0 * * * * *', run: rt => pollMassTasks(rt) },
  { name: 'look-after-requests', when: '20 * * * * *', run: rt => runRequests(rt) },
  { name: 'count-notices', when: '*/20 * * * * *', run: rt => countNotices(rt) },
  { name: 'recount-notices', when: '0 40 1 * * *', run: rt => recountEnded(rt) },
  {
    name: 'pay-bills',
    when: '*/2 * * * * *',
    isShared: true,
    run: (rt, _updates, signal) => payDueBills(rt, signal),
  },
  {
    name: 'look-after-subsidies',
    when: '0 40 8 * * *',
    run: (rt, _updates, signal) => lookAfterSubsidies(rt, signal),
  },
  {
    name: 'recover-in-flight',
    when: '*/5 * * * * *',
    // one alone would be lost with the process that has it, and what others left behind with it
    isShared: true,
    run: rt => recoverInFlight(rt),
  },
  { name: 'end-roll-calls', when: '45 * * * * *', run: rt => endDueRollCalls(rt) },
  {
    name: 'remind-of-schedule',
    when: '5 * * * * *',
    run: (rt, _updates, signal) => sendDueReminders(rt, signal),
  },
  { name: 'look-after-schedules', when: '0 50 8 * * *', run: rt => lookAfterSchedules(rt) },
  { name: 'fetch-pictures', when: '*/3 * * * * *', run: rt => fetchPictures(rt) },
  // at the hour of the rules and after it, so that an evening is not lost with one run
  {
    name: 'ask-for-posts',
    when: '0 0,30 16-21 * * *',
    run: (rt, _updates, signal) => askForPosts(rt, signal),
  },
  { name: 'look-after-activities', when: '0 5 8-21 * * *', run: rt => lookAfterActivities(rt) },
  // the platform has the figures of a day on the next morning
  {
    name: 'read-chat-statistics',
    when: '0 20 10 * * *',
    run: (rt, _updates, signal) => readChatStatistics(rt, signal),
  },
  { name: 'read-union-ids', when: '0 10 2 * * *', run: rt => readUnionIds(rt) },
  { name: 'read-all-groups', when: '0 30 2 * * *', run: rt => readAllGroups(rt) },
  // after the readings; what was stopped goes on at the next of these
  {
    name: 'reconcile-groups',
    when: '0 30 3-7 * * *',
    run: (rt, _updates, signal) => reconcileGroups(rt, signal),
  },
  { name: 'tell-findings', when: '0 40 8 * * *', run: (rt, _updates, signal) => tellFindings(rt, signal) },
  { name: 'follow-service-days', when: '0 5 * * * *', run: rt => followServiceDays(rt) },
  { name: 'ask-people', when: '0 15 9 * * *', run: rt => askPeople(rt) },
  { name: 'check-members', when: '0 45 2 * * *', run: rt => checkMembers(rt) },
  { name: 'delete-expired', when: '0 15 3 * * *', run: rt => deleteExpired(rt) },
  { name: 'delete-drafts', when: '0 25 * * * *', run: rt => deleteDrafts(rt) },
  { name: 'climb-danger-calls', when: '*/15 * * * * *', run: rt => climbDueCalls(rt) },
  { name: 'raise-slips', when: '35 * * * * *', run: rt => raiseDueSlips(rt) },
  { name: 'ask-for-duty-reports', when: '0 10 9 * * *', run: rt => askForDutyReports(rt) },
  { name: 'remind-of-forms', when: '0 20 9 * * *', run: rt => remindOfForms(rt) },
  { name: 'keep-volunteer-files', when: '0 35 4 * * *', run: rt => keepVolunteerFiles(rt) },
  { name: 'remind-of-volunteers', when: '0 40 9 * * *', run: rt => remindOfVolunteers(rt) },
  { name: 'tell-overdue-slips', when: '0 5 9 * * *', run: rt => tellOverdueSlips(rt) },
  { name: 'coach-owners', when: '0 20 10 * * *', run: (rt, _updates, signal) => tellOwners(rt, signal) },
  { name: 'raise-alarms', when: '15 */5 * * * *', run: rt => raiseAlarms(rt) },
  { name: 'report-troubles', when: '0 5 * * * *', run: rt => reportTroubles(rt) },
  { name: 'run-month', when: '25 */5 * * * *', run: (rt, _updates, signal) => runMonth(rt, signal) },
  { name: 'fold-counts', when: '*/5 * * * * *', run: (rt, _updates, signal) => foldCounts(rt, signal) },
]

/** Batch after batch, each in a transaction of its own. */
async function escalateAllDue(rt: Runtime, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await inTransaction(rt, escalateDue)).deliveries > 0);
}

/**
 * Far above the longest run: a job that expires while it runs would be given out a second time. A process that died is
 * noticed by its heartbeat, not by this.
 */
const LONGEST_RUN_SECONDS = 4 * 3600

/**
 * Every process hears of a run that is asked for from the database (LISTEN), at once. It looks by itself as well, for one
 * that it has not heard of: asked for while another process had the last one, and left when that process died.
 * Where nothing can be heard (a pooler that gives each transaction another connection) looking is all there is.
 */
const LOOK_SECONDS = { whenHearing: 10, otherwise: 0.5 }

/**
 * Runs the schedule. Most ticks only ask for a run through pg-boss, which gives it to one server process: any number of
 * processes do the work once. Shared work asks nobody: a run that another process could take would be lost with that
 * process for ten seconds or more, and what it should have done with it.
 */
export async function startSchedule(
  rt: Runtime,
  updates: UpdateHandler,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    max: 4,
    // how soon a job is taken from a process that was killed with it (measured: 10 s); another run is asked for after that
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    // forty queues that each process looks into twice a second are a tenth of a core, day and night
    useListenNotify: true,
  })
  boss.on('error', error => rt.log.error(describeError(error), 'pg-boss'))
  boss.on('warning', warning => rt.log.warn({ about: warning.message }, 'pg-boss'))
  await boss.start()
  // queues that an older version has made: nobody is told of what is asked for in them
  const silent = new Set((await boss.getQueues()).filter(queue => !queue.notify).map(queue => queue.name))
  const stopping = new AbortController()
  /** @returns whether it was done without an error, which is logged */
  const runJob = async (job: ScheduledJob): Promise<boolean> => {
    try {
      await job.run(rt, updates, stopping.signal)
      return true
    } catch (error) {
      rt.log.error({ job: job.name, ...describeError(error) }, 'a job failed')
      return false
    }
  }
  const ticks: { destroy(): unknown }[] = []
  const ownRuns: OwnRuns[] = []
  for (const job of scheduledJobs) {
    let ask: () => unknown
    if (job.isShared) {
      const runs = createOwnRuns(async () => void (await runJob(job)))
      ownRuns.push(runs)
      ask = runs.ask
      ask()
    } else {
      await boss.createQueue(job.name, {
        policy: 'stately',
        retryLimit: 0,
        // a process that is killed falls silent: without this its job would be held until it expires
        heartbeatSeconds: 10,
        expireInSeconds: LONGEST_RUN_SECONDS,
        deleteAfterSeconds: 3600,
        notify: true,
      })
      if (silent.has(job.name)) await boss.updateQueue(job.name, { notify: true })
      await boss.work(
        job.name,
        {
          pollingIntervalSeconds: LOOK_SECONDS.otherwise,
          notifyPollingIntervalSeconds: LOOK_SECONDS.whenHearing,
        },
        async () => {
          if (!(await runJob(job))) throw new Error(`${job.name} failed`)
        },
      )
      ask = () =>
        boss
          .send(job.name)
          .catch(error => rt.log.warn({ job: job.name, ...describeError(error) }, 'a tick was lost'))
    }
    ticks.push(cron.schedule(job.when, () => void ask(), { timezone: 'Asia/Shanghai' }))
  }
  return {
    async stop() {
      for (const tick of ticks) tick.destroy()
      stopping.abort()
      await Promise.all([
        boss.stop({ graceful: true, timeout: 20_000 }),
        ...ownRuns.map(runs => runs.ended()),
      ])
    },
  }
}
