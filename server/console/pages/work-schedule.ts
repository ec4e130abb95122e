import { z } from 'zod'
import { reachOfNotices } from '../../../db/queries/notice-counts.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import {
  type PlannedReminder,
  remindersOf,
  type ScheduledStep,
  stepsOfSchedules,
  type WorkSchedule,
  workSchedulesOf,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { workSchedulePolicy, workScheduleStepPolicy } from '../../domain/access/work-schedule.ts'
import { managesUnit } from '../../domain/actor.ts'
import { runningAbove, schedulesFor } from '../../domain/work-schedule/adopt.ts'
import { approveSchedule, mayApproveSchedule, returnSchedule } from '../../domain/work-schedule/approve.ts'
import { dropStep, isOpen, moveStep } from '../../domain/work-schedule/change.ts'
import { concernsLevel, lineOf } from '../../domain/work-schedule/coming.ts'
import { daysWords, shortDay } from '../../domain/work-schedule/days.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { orSay } from '../or-say.ts'
import {
  deed,
  emptyState,
  field,
  figure,
  moment,
  monthWords,
  progress,
  select,
  tag,
  textArea,
  token,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const yearQuery = z.object({
  unit: z.string().max(15).catch(''),
  year: z.coerce.number().int().min(2000).max(2200).optional().catch(undefined),
})

/**
 * The work schedule (工作日程) of a year: `/console/schedule` by months, for who runs it and for the units below it; a step
 * that has not gone out is moved or dropped at `…/steps/:stepId`. Adopting is in `work-schedule-adopt.ts`.
 */
export function workSchedulePages(routes: Routes): void {
  routes.get('/console/schedule', 'manager', view => yearPage(view))

  routes.post('/console/schedule/:scheduleId/approve', workSchedulePolicy, view =>
    orSay(
      view,
      async () => {
        const { seen } = view.read(z.object({ seen: z.coerce.number().int().min(0).max(8e15).catch(0) }))
        const count = await approveSchedule(view.rt, view.viewer.actor, view.thing.id, new Date(seen))
        return view.goTo(pathOf(view.thing), `已同意，${count} 步到时自动发通知。`)
      },
      fault => yearPage(view, fault, view.thing),
    ),
  )
  routes.post('/console/schedule/:scheduleId/return', workSchedulePolicy, view =>
    orSay(
      view,
      async () => {
        const { reason } = view.read(z.object({ reason: z.string().max(2000).catch('') }))
        await returnSchedule(view.rt, view.viewer.actor, view.thing.id, reason)
        return view.goTo(pathOf(view.thing), '已退回，请采用的同志改好后再提交。')
      },
      fault => yearPage(view, fault, view.thing),
    ),
  )

  routes.get('/console/schedule/steps/:stepId', workScheduleStepPolicy, view => stepPage(view))
  routes.post('/console/schedule/steps/:stepId', workScheduleStepPolicy, view =>
    orSay(
      view,
      async () => {
        const { outcome } = await moveStep(view.rt, view.viewer.actor, view.thing.id, readStep(view))
        return view.goTo(
          `/console/schedule/steps/${view.thing.id}`,
          outcome === 'waiting' ? '已改，等第二人审核。' : '已改，到时自动发通知。',
        )
      },
      fault => stepPage(view, fault),
    ),
  )
  routes.post('/console/schedule/steps/:stepId/drop', workScheduleStepPolicy, view =>
    orSay(
      view,
      async () => {
        await dropStep(view.rt, view.viewer.actor, view.thing.id)
        return view.goTo(pathOf(view.thing.schedule), `“${view.thing.title}”已取消，不会发出。`)
      },
      fault => stepPage(view, fault),
    ),
  )
}

const pathOf = ({ unitId, year }: Pick<WorkSchedule, 'unitId' | 'year'>) =>
  `/console/schedule?unit=${unitId}&year=${year}`

// a year

interface YearOfUnit {
  unit: UnitRow
  year: number
  schedules: WorkSchedule[]
  steps: ScheduledStep[]
}

async function yearPage(view: View<unknown>, fault: string | null = null, at?: WorkSchedule): Promise<Html> {
  const { rt, viewer } = view
  const query = yearQuery.parse(view.request.query ?? {})
  const tops = topUnits(rt.templates, viewer.actor)
  const unit = await unitOf(view, at ? String(at.unitId) : query.unit, tops)
  const year = at?.year ?? query.year ?? Number(dayOf(rt.clock.now()).slice(0, 4))
  const found = await yearOf(view, unit, year)
  return page(view, {
    title: `工作日程（${year}年）`,
    part: 'notices',
    above: [['通知', '/console/notices']],
    fault,
    body: html`${unitChoice(view, tops, unit, year)}
<p class="soft">${unit.name}和上级采用的日程。每一步到时自动发通知；要答复的，到期前只提醒还没有答复的单位。</p>
${await adoptLinks(view, found)}
${found.schedules.map(schedule => approvalCard(view, schedule, found.steps))}
${found.steps.length === 0 ? emptyState('这一年还没有日程。') : await monthsOf(view, found)}
<nav class="pager" aria-label="换一年"><a rel="prev" href="${pathOf({ unitId: unit.id, year: year - 1 })}">${year - 1}年</a><span>${year}年</span><a rel="next" href="${pathOf({ unitId: unit.id, year: year + 1 })}">${year + 1}年</a></nav>`,
  })
}

/** The unit that is asked for, or the viewer's own. @throws NotFound */
export async function unitOf(
  { rt, viewer }: View<unknown>,
  asked: string,
  tops: { id: number }[],
): Promise<UnitRow> {
  const written = asked === '' ? String(tops[0]?.id ?? '') : asked
  const unit = /^\d{1,15}$/.test(written) ? await unitPolicy.find(rt, viewer, Number(written)) : null
  if (!unit) throw new NotFound()
  return unit
}

async function yearOf({ rt }: View<unknown>, unit: UnitRow, year: number): Promise<YearOfUnit> {
  const schedules = (await workSchedulesOf(rt.db, lineOf(unit.path), year)).filter(
    each => each.year === year && (each.unitId === unit.id || each.status === 'adopted'),
  )
  const steps = await stepsOfSchedules(
    rt.db,
    schedules.map(each => each.id),
  )
  return {
    unit,
    year,
    schedules,
    steps: steps.filter(
      step =>
        step.schedule.unitId === unit.id ||
        (step.status !== 'dropped' &&
          step.status !== 'draft' &&
          concernsLevel(rt.templates, step, unit.level)),
    ),
  }
}

function unitChoice(
  view: View<unknown>,
  tops: { id: number; name: string; programme: string }[],
  unit: UnitRow,
  year: number,
): Html {
  const choices = tops.some(top => top.id === unit.id)
    ? tops
    : [...tops, { id: unit.id, name: unit.name, programme: unit.programme }]
  if (choices.length < 2) return html``
  return html`<form class="row" method="get" action="/console/schedule"><input type="hidden" name="year" value="${year}">${select(
    'unit',
    '单位',
    choices.map(
      each =>
        [String(each.id), `${each.name}（${view.rt.templates.programme(each.programme).name}）`] as const,
    ),
    { value: String(unit.id) },
  )}<button class="second">看</button></form>`
}

async function adoptLinks({ rt }: View<unknown>, { unit, year, schedules }: YearOfUnit): Promise<Html> {
  const thisYear = Number(dayOf(rt.clock.now()).slice(0, 4))
  if (year < thisYear || year > thisYear + 1) return html``
  const links: Html[] = []
  for (const schedule of schedulesFor(rt.templates, unit)) {
    if (await runningAbove(rt, unit, schedule, year)) continue
    const own = schedules.find(each => each.unitId === unit.id && each.schedule === schedule.id)
    links.push(
      html`<a class="button${own ? ' second' : ''}" href="/console/schedule/adopt?unit=${unit.id}&amp;schedule=${schedule.id}&amp;year=${year}">${own ? '再选几步' : `采用${year}年的“${schedule.title}”`}</a>`,
    )
  }
  return links.length > 0 ? html`<div class="deeds">${links}</div>` : html``
}

function approvalCard(view: View<unknown>, schedule: WorkSchedule, steps: ScheduledStep[]): Html {
  if (schedule.status !== 'waiting') return html``
  if (!mayApproveSchedule(view.rt, view.viewer.actor, schedule))
    return html`<section class="card"><p>${tag('等第二人审核', 'wait')} ${schedule.personName}采用的，另一位负责同志同意后才会发。</p></section>`
  const waiting = steps.filter(each => each.schedule.id === schedule.id && each.status === 'draft')
  const count = waiting.length
  const seen = Math.max(0, ...waiting.map(each => each.updatedAt.getTime()))
  return html`<section class="card"><h2>请您审核</h2><p>${schedule.personName}替${schedule.unitName}采用了${schedule.year}年的日程，共 ${count} 步。请看过下面各步的日子和正文；同意后到时自动发出，不再逐条问。</p>
<div class="deeds">${deed(`/console/schedule/${schedule.id}/approve`, view.formToken, '同意', { fields: { seen: String(seen) } })}</div>
<details><summary>退回</summary><form method="post" action="/console/schedule/${schedule.id}/return">${token(view.formToken)}${textArea('reason', '理由', { rows: 2, isRequired: true })}<button class="second">退回</button></form></details></section>`
}

async function monthsOf(view: View<unknown>, { unit, steps }: YearOfUnit): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const sent = steps.filter(each => each.noticeId !== null)
  const [reach, reminders] = await Promise.all([
    reachOfNotices(
      rt.db,
      sent.map(({ noticeId, schedule }) => ({
        id: noticeId as number,
        unitPath: schedule.unitPath.length > unit.path.length ? schedule.unitPath : unit.path,
      })),
    ),
    remindersOf(
      rt.db,
      steps.map(each => each.id),
    ),
  ])
  const next = steps.find(each => isOpen(each) && each.status !== 'failed')
  const months = Map.groupBy(steps, each => each.fromOn.slice(0, 7))
  const failed = steps.filter(each => each.status === 'failed').length
  const open = steps.filter(isOpen).length - failed
  return html`<div class="figures">${figure(sent.length, '步已发通知', undefined, 'good')}${figure(open, '步还没有到')}${failed > 0 ? figure(failed, '步没有发成', undefined, 'bad') : ''}</div>
${[...months].map(
  ([month, own]) =>
    html`<h2>${monthWords(month)}</h2><div class="card"><ul class="plain">${own.map(step =>
      stepItem(step, {
        isNext: step === next,
        mayChange: isOpen(step) && managesUnit(rt.templates, viewer.actor, step.schedule.unitPath),
        isFromAbove: step.schedule.unitId !== unit.id,
        isToApprove: step.status === 'draft' && mayApproveSchedule(rt, viewer.actor, step.schedule),
        reach: step.noticeId === null ? undefined : reach.get(step.noticeId),
        reminders: reminders.filter(each => each.stepId === step.id),
        now,
      }),
    )}</ul></div>`,
)}`
}

interface StepState {
  isNext: boolean
  mayChange: boolean
  isFromAbove: boolean
  /** The viewer is to read its words before it is let pass. */
  isToApprove: boolean
  reach: { groups: number; posted: number } | undefined
  reminders: PlannedReminder[]
  now: Date
}

function stepItem(step: ScheduledStep, state: StepState): Html {
  const { schedule, title, noticeId } = step
  const { year } = schedule
  const name = state.mayChange
    ? html`<a href="/console/schedule/steps/${step.id}">${title}</a>`
    : noticeId !== null
      ? html`<a href="/console/notices/${noticeId}">${title}</a>`
      : html`<b>${title}</b>`
  const { groups = 0, posted = 0 } = state.reach ?? {}
  return html`<li class="listed-step"><span><b class="nowrap">${daysWords(step, year)}</b> ${name} ${stateTag(step, state.isNext)}</span>
<span>${
    noticeId !== null && groups > 0
      ? html`${progress(posted, groups, `${title}到达的群`)} <a href="/console/notices/${noticeId}">通知 ${noticeId}</a>`
      : ''
  }</span>
<span class="soft">${[
    ...(state.isFromAbove ? [`${schedule.unitName}发`] : []),
    ...(step.sendAt && noticeId === null && step.status !== 'dropped'
      ? [`${shortDay(dayOf(step.sendAt), year)}发通知`]
      : []),
    ...reminderWords(state.reminders, year),
    ...(step.content.ask ? [`要答复：${step.content.ask.question}`] : []),
    ...(step.reason ? [step.reason] : []),
  ].join(' · ')}</span>${state.isToApprove ? html`<p class="look prose">${step.content.body}</p>` : ''}</li>`
}

function stateTag({ status, schedule }: ScheduledStep, isNext: boolean): Html {
  switch (status) {
    case 'sent':
      return tag('已发', 'good')
    case 'ready':
      return isNext ? tag('下一步', 'wait') : tag('到时发')
    case 'waiting':
      return tag('等审核', 'wait')
    case 'dropped':
      return tag('已取消')
    case 'failed':
      return tag('没有发成', 'bad')
    default:
      return schedule.status === 'waiting' ? tag('等审核', 'wait') : tag('退回待改', 'bad')
  }
}

function reminderWords(reminders: PlannedReminder[], year: number): string[] {
  const days = (status: string) =>
    reminders
      .filter(each => each.status === status)
      .map(each => shortDay(dayOf(each.dueAt), year))
      .join('、')
  const words: [status: string, words: string][] = [
    ['sent', '已提醒'],
    ['planned', '提醒'],
    ['unneeded', '不用提醒'],
    ['failed', '没有提醒成'],
  ]
  return words.flatMap(([status, name]) => (days(status) === '' ? [] : [`${days(status)}${name}`]))
}

// one step

const stepForm = z.object({
  from: z.string().max(10).catch(''),
  to: z.string().max(10).catch(''),
  text: z.string().max(5000).catch(''),
})

function readStep(view: View<ScheduledStep>): { fromOn: string; toOn: string; text: string } {
  const { from, to, text } = view.read(stepForm)
  // a step of one day has one field
  return { fromOn: from === '' ? to : from, toOn: to, text: text.replace(/\r\n?/g, '\n') }
}

async function stepPage(view: View<ScheduledStep>, fault: string | null = null): Promise<Html> {
  const { rt, thing: step } = view
  const now = rt.clock.now()
  const { year } = step.schedule
  const reminders = await remindersOf(rt.db, [step.id])
  const written = fault === null ? { fromOn: step.fromOn, toOn: step.toOn, text: step.text } : readStep(view)
  return page(view, {
    title: step.title,
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ['工作日程', pathOf(step.schedule)],
    ],
    fault,
    body: html`<section class="card"><dl class="facts"><dt>日子</dt><dd>${daysWords(step, year)}</dd>
<dt>状态</dt><dd>${stateTag(step, false)} ${step.noticeId === null ? '' : html`<a href="/console/notices/${step.noticeId}">通知 ${step.noticeId}</a>`}</dd>
<dt>发通知</dt><dd>${step.sendAt ? moment(step.sendAt, now) : '审核后马上发'}</dd>
<dt>提醒</dt><dd>${reminderWords(reminders, year).join('，') || '没有'}</dd>
<dt>依据</dt><dd>${step.source === 'project assumption' ? '系统设定' : step.source}</dd></dl>
<p class="look prose">${step.content.body}</p></section>
${isOpen(step) ? changeForm(view, written) : ''}`,
  })
}

function changeForm(
  { thing: step, formToken }: View<ScheduledStep>,
  written: { fromOn: string; toOn: string; text: string },
): Html {
  const path = `/console/schedule/steps/${step.id}`
  const isStretch = step.fromOn !== step.toOn
  return html`<form class="card" method="post" action="${path}"><h2>改日子或正文</h2>${token(formToken)}
${isStretch ? field('from', '从', { type: 'date', value: written.fromOn, isRequired: true }) : ''}
${field('to', isStretch ? '到' : '期限', { type: 'date', value: written.toOn, isRequired: true, hint: '通知和提醒跟着改；发送日遇到休息日提前到前一个工作日 9:00。' })}
${textArea('text', '正文', { value: written.text, rows: 5, isRequired: true, hint: placesHint })}
<div class="deeds"><button>保存</button></div></form>
<div class="deeds">${deed(`${path}/drop`, formToken, '取消这一步', { isGrave: true, sure: `确定取消“${step.title}”吗？不会发通知。` })}</div>`
}

export const placesHint = '{日期}、{起}、{止}、{本月}、{上月}、{年}、{下年} 会换成实际的日子。'
