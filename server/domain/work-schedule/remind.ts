import { noticeById } from '../../../db/queries/notices.ts'
import { unitById } from '../../../db/queries/units.ts'
import {
  type ScheduledStep,
  settleReminder,
  stepById,
  takeDueReminder,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { absentActor } from '../notices/author.ts'
import { saveDraft, submitDraft } from '../notices/drafts.ts'
import { planReach } from '../notices/issue.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { submitApproved } from './approve.ts'
import { daysWords } from './days.ts'

const DAY_MS = 86_400_000

type Outcome = { status: 'sent'; draftId: number } | { status: 'unneeded' | 'dropped' }

/**
 * Sends the reminders that are due, each in a transaction of its own: as a notice to those who have not answered by now,
 * or, where the step asks nothing, to all concerned. Where all have answered nothing goes out.
 * @returns how many were sent
 */
export async function sendDueReminders(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  let sent = 0
  const taken: number[] = []
  while (!signal?.aborted) {
    let id: number | null = null
    try {
      await inTransaction(rt, async tx => {
        const due = await takeDueReminder(tx.db, tx.clock.now(), taken)
        id = due?.id ?? null
        if (due && (await sendDue(tx, due))) sent++
      })
    } catch (error) {
      // what cannot be settled now must not hold up the others
      if (id === null) throw error
      const name = error instanceof Error ? error.name : 'unknown'
      rt.log.error({ reminderId: id, error: name }, 'a reminder of a work schedule could not be sent')
    }
    if (id === null) break
    taken.push(id)
  }
  return sent
}

async function sendDue(
  rt: DomainRuntime,
  due: { id: number; stepId: number; daysBefore: number },
): Promise<boolean> {
  const step = await stepById(rt.db, due.stepId)
  if (!step) throw new Error(`the step of reminder ${due.id} is gone`)
  try {
    // a rule that says no takes back what was begun, and no more
    const outcome = await inTransaction(rt, tx => remind(tx, step, due.daysBefore))
    await settleReminder(rt.db, due.id, outcome)
    return outcome.status === 'sent'
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    await settleReminder(rt.db, due.id, { status: 'failed', reason: error.message })
    await tellFailure(rt, step, error.message)
    return false
  }
}

/** Whoever answers for the step hears that its reminder did not go, and why. */
async function tellFailure(rt: DomainRuntime, { title, authorId, schedule }: ScheduledStep, reason: string) {
  const text = `【工作日程】“${title}”的提醒没有发出：${reason.replace(/。$/, '')}。还要提醒，请另写一个通知：${rt.publicUrl}/console/schedule?unit=${schedule.unitId}&year=${schedule.year}`
  await sendToPersons(
    rt,
    [...new Set([authorId, schedule.personId])].map(personId => ({ personId, text })),
    'decision',
    afterQuiet(noticeRules.quiet, rt.clock.now()),
  )
}

/** Who wrote the step's notice, or who has the schedule now, while they run the unit. */
async function authorOf(
  rt: DomainRuntime,
  { authorId, schedule }: ScheduledStep,
): Promise<KnownActor | null> {
  for (const personId of [authorId, schedule.personId]) {
    const actor = await absentActor(rt, personId)
    if (actor && managesUnit(rt.templates, actor, schedule.unitPath)) return actor
  }
  return null
}

/** @throws DomainError as `submitDraft` */
async function remind(rt: DomainRuntime, step: ScheduledStep, daysBefore: number): Promise<Outcome> {
  const { schedule } = step
  if (step.status === 'dropped') return { status: 'dropped' }
  const notice = step.noticeId === null ? null : await noticeById(rt.db, step.noticeId)
  // nobody can be behind with what they were never told, or was taken back
  if (!notice || notice.withdrawnAt) return { status: 'unneeded' }
  const unit = await unitById(rt.db, schedule.unitId)
  if (!unit) throw new Error(`the unit of schedule ${schedule.id} is gone`)
  const audience = { ...step.content.audience, ...(notice.ask && { unansweredOf: notice.id }) }
  if ((await planReach(rt, unit, audience)).groups === 0) return { status: 'unneeded' }
  const author = await authorOf(rt, step)
  if (!author) throw new DomainError('draft.author_gone', `采用日程的同志现在不负责${unit.name}了`)
  const draftId = await saveDraft(rt, author, {
    unitId: unit.id,
    content: {
      ...step.content,
      body: reminderBody(step, notice, dayOf(rt.clock.now())),
      audience,
      ask: null,
    },
    sendAt: null,
    scheduleStep: `${step.key}:reminder-${daysBefore}`,
  })
  // who let the notice pass saw its reminders with it; when they write now, somebody else has to look
  if (notice.approvedBy !== null && notice.approvedBy !== author.person.id)
    await submitApproved(rt, author, { draftId, title: step.title }, notice.approvedBy)
  else await submitDraft(rt, author, draftId)
  return { status: 'sent', draftId }
}

/** Says why it comes and what is expected. */
function reminderBody(
  { title, fromOn, toOn, schedule }: ScheduledStep,
  { id, ask }: { id: number; ask: ScheduledStep['content']['ask'] },
  today: string,
): string {
  const left = Math.round((Date.parse(toOn) - Date.parse(today)) / DAY_MS)
  const when = left <= 0 ? '今天截止' : left === 1 ? '明天截止' : `还有 ${left} 天`
  const days = daysWords({ fromOn, toOn }, schedule.year)
  if (!ask)
    return `【提醒】${title}：${days}，${when}，请抓紧。原文见通知 ${id}（负责同志可发送：通知 ${id}）。`
  return `【提醒】${title}：${days}，${when}，您单位还没有答复通知 ${id}（${ask.question}）。请负责同志回复：答 ${id} ${exampleOf(ask)}`
}

function exampleOf(ask: NonNullable<ScheduledStep['content']['ask']>): string {
  switch (ask.kind) {
    case 'number':
      return '数字'
    case 'choice':
      return ask.choices?.[0] ?? '内容'
    default:
      return '内容'
  }
}
