import { z } from 'zod'
import type { UnitRow } from '../../../db/queries/units.ts'
import { unitsRunningBelow } from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { describeAudience } from '../../domain/notices/audience.ts'
import { importanceRule } from '../../domain/notices/rules.ts'
import { adoptSchedule, runningAbove, schedulesFor } from '../../domain/work-schedule/adopt.ts'
import { type Days, daysWords, shortDay } from '../../domain/work-schedule/days.ts'
import {
  checkDays,
  isYearToAdopt,
  type PreviewedStep,
  previewSchedule,
  type ScheduleChanges,
} from '../../domain/work-schedule/preview.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import type { Schedule, ScheduleStep } from '../../templates.ts'
import { page } from '../layout.ts'
import { orSay } from '../or-say.ts'
import { emptyState, tag, textArea, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { placesHint, unitOf } from './work-schedule.ts'

/** Units below that are named when they run the same for themselves. */
const MAX_NAMED = 5

const askFor = z.object({
  unit: z.string().max(15).catch(''),
  schedule: z.string().max(60).catch(''),
  year: z.coerce.number().int().optional().catch(undefined),
})

/** What the form says: the chosen occurrences, and days and texts that are not the template's. */
interface Wish extends ScheduleChanges {
  /** null: nobody has chosen yet. */
  chosen: ReadonlySet<string> | null
}

/**
 * `/console/schedule/adopt`: all steps of a year with their real days, to be left out, moved and reworded, and then adopted.
 * `look` works the days out again and keeps what was filled in.
 */
export function workScheduleAdoptPages(routes: Routes): void {
  routes.get('/console/schedule/adopt', 'manager', view =>
    adoptPage(view, askFor.parse(view.request.query ?? {}), {
      days: new Map(),
      texts: new Map(),
      chosen: null,
    }),
  )

  routes.post('/console/schedule/adopt', 'manager', async view => {
    const fields = view.read(z.record(z.string(), z.string().catch('')))
    const asked = askFor.parse(fields)
    const { unit, schedule, year } = await placeOf(view, asked)
    if (!schedule) throw new NotFound()
    const wish = readWish(schedule, fields)
    return orSay(
      view,
      async () => {
        for (const [id, days] of wish.days) checkDays(days, year, titleOf(schedule, id))
        if (fields.deed !== 'adopt') return adoptPage(view, asked, wish)
        const { count, isWaiting } = await adoptSchedule(view.rt, view.viewer.actor, {
          unitId: unit.id,
          schedule: schedule.id,
          year,
          chosen: wish.chosen ?? new Set(),
          days: wish.days,
          texts: wish.texts,
        })
        return view.goTo(
          `/console/schedule?unit=${unit.id}&year=${year}`,
          isWaiting
            ? '已提交，另一位负责同志同意一次后，各步到时自动发通知。'
            : count === 0
              ? '选的几步之前都采用过了，没有重复。'
              : `已采用 ${count} 步，到时自动发通知。`,
        )
      },
      fault => adoptPage(view, asked, wish, fault),
    )
  })
}

/** Unit, template and year that are asked for; what is left out is the first that fits. @throws NotFound */
async function placeOf(
  view: View<unknown>,
  asked: z.output<typeof askFor>,
): Promise<{ unit: UnitRow; schedule: Schedule | undefined; year: number }> {
  const { rt, viewer } = view
  const unit = await unitOf(view, asked.unit, topUnits(rt.templates, viewer.actor))
  const schedules = schedulesFor(rt.templates, unit)
  const today = dayOf(rt.clock.now())
  const year =
    asked.year !== undefined && isYearToAdopt(asked.year, today) ? asked.year : Number(today.slice(0, 4))
  return {
    unit,
    schedule: asked.schedule === '' ? schedules[0] : schedules.find(each => each.id === asked.schedule),
    year,
  }
}

/** Days count as changed where they are not those that the form was made with. */
function readWish(schedule: Schedule, fields: Record<string, string>): Wish {
  const days = new Map<string, Days>()
  const chosen = new Set<string>()
  for (const [name, value] of Object.entries(fields)) {
    const [, what, id = ''] = /^(on|to)-(.+)$/.exec(name) ?? []
    if (what === 'on') chosen.add(id)
    if (what !== 'to') continue
    const fromOn = fields[`from-${id}`] ?? value
    if (`${fromOn} ${value}` !== fields[`was-${id}`]) days.set(id, { fromOn, toOn: value })
  }
  const texts = new Map(
    schedule.steps.flatMap(step => {
      const text = fields[`text-${step.id}`]?.replace(/\r\n?/g, '\n').trim()
      return text !== undefined && text !== step.text ? [[step.id, text] as const] : []
    }),
  )
  return { days, texts, chosen }
}

function titleOf(schedule: Schedule, occurrenceId: string): string {
  const step = schedule.steps.find(each => occurrenceId === each.id || occurrenceId.startsWith(`${each.id}-`))
  return step?.title ?? occurrenceId
}

async function adoptPage(
  view: View<unknown>,
  asked: z.output<typeof askFor>,
  wish: Wish,
  fault: string | null = null,
): Promise<Html> {
  const { rt } = view
  const { unit, schedule, year } = await placeOf(view, asked)
  const shell = (body: Html) =>
    page(view, {
      title: schedule ? `采用${year}年的“${schedule.title}”` : '采用工作日程',
      part: 'notices',
      above: [
        ['通知', '/console/notices'],
        ['工作日程', `/console/schedule?unit=${unit.id}&year=${year}`],
      ],
      fault,
      body,
    })
  if (!schedule)
    return shell(
      emptyState(
        `${unit.name}没有可以采用的日程：它们由上级单位采用，到时会发到你们的群，在“工作日程”里看得到。`,
      ),
    )
  const above = await runningAbove(rt, unit, schedule, year)
  if (above)
    return shell(
      emptyState(`${above.unitName}已经采用了${year}年的这个日程，到时会发到你们这里，不用重复采用。`),
    )
  // days that are no days are shown as they were written, and counted as the template has them
  const days = new Map([...wish.days].filter(([id, each]) => isDay(each, year, titleOf(schedule, id))))
  const [steps, below] = await Promise.all([
    previewSchedule(rt, unit, schedule, year, { days, texts: wish.texts }),
    unitsRunningBelow(rt.db, unit.path, schedule.id, year, MAX_NAMED + 1),
  ])
  const cardsOf = (list: ScheduleStep[]) =>
    Promise.all(
      list.map(step =>
        stepCard(view, unit, step, {
          year,
          wish,
          occurrences: steps.filter(each => each.step.id === step.id),
        }),
      ),
    )
  // in the order of the days on which each comes next, those that are only offered at the end
  const ahead = [...new Set(steps.filter(each => each.sending !== null).map(each => each.step))]
  const inOrder = [...ahead.filter(step => !step.isOptional), ...ahead.filter(step => step.isOptional)]
  const over = schedule.steps.filter(step => !inOrder.includes(step))
  const [cards, overCards] = await Promise.all([cardsOf(inOrder), cardsOf(over)])
  return shell(html`<p class="soft">替${unit.name}采用。选好的每一步到时自动发通知，可以先改日子和正文；发送日遇到休息日提前到前一个工作日 9:00。${schedule.note ?? ''}</p>
${
  below.length > 0
    ? html`<p class="fault">${below.slice(0, MAX_NAMED).join('、')}${below.length > MAX_NAMED ? '等' : ''}自己采用了这个日程，会再收到一遍，请先和他们说好。</p>`
    : ''
}
<form method="post" action="/console/schedule/adopt">${token(view.formToken)}<input type="hidden" name="unit" value="${unit.id}"><input type="hidden" name="schedule" value="${schedule.id}"><input type="hidden" name="year" value="${year}">
${cards.length === 0 ? emptyState('这一年的各步都过了，请采用明年的。') : cards}
${over.length > 0 ? html`<details><summary>已经过了的 ${over.length} 步（改日子可以再选）</summary>${overCards}</details>` : ''}
<div class="deeds sticky"><button name="deed" value="adopt">采用选中的各步</button><button class="second" name="deed" value="look">按改过的重新算</button></div></form>`)
}

function isDay(days: Days, year: number, title: string): boolean {
  try {
    checkDays(days, year, title)
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}

interface CardState {
  year: number
  wish: Wish
  occurrences: PreviewedStep[]
}

async function stepCard(
  { rt }: View<unknown>,
  unit: UnitRow,
  step: ScheduleStep,
  { year, wish, occurrences }: CardState,
): Promise<Html> {
  const audience = await describeAudience(rt, unit.programme, step.audience)
  const shown = occurrences.find(each => each.sending !== null) ?? occurrences[0]
  const isChanged = wish.texts.has(step.id) || occurrences.some(each => wish.days.has(each.id))
  const open = occurrences.filter(each => each.adopted === null)
  const timely = open.filter(each => each.sending !== null || wish.days.has(each.id))
  return html`<section class="card"><h2>${step.title}</h2>
${occurrenceList(occurrences, step, wish, year)}
<p class="look prose">${shown?.content.body ?? ''}</p>
<p class="soft">发到${audience}（${shown?.groups ?? 0} 个群） · ${importanceRule(step.importance).name} · ${step.category}${
    step.ask
      ? ` · 要答复：${step.ask.question}${step.ask.choices ? `（${step.ask.choices.join('／')}）` : ''}`
      : ''
  }${step.whenSource === 'project assumption' ? ' · 日子为系统设定' : ''}</p>
${
  open.length === 0
    ? ''
    : html`<details${isChanged ? html` open` : ''}><summary>改日子或正文</summary>
<div class="columns">${(timely.length > 0 ? timely : open).map(each => dayFields(each, wish, year))}</div>
${textArea(`text-${step.id}`, '正文', { value: wish.texts.get(step.id) ?? step.text, rows: 5, hint: placesHint })}</details>`
}</section>`
}

/** Each time of the step that can be chosen; those that are over, or were adopted before, in one line. */
function occurrenceList(occurrences: PreviewedStep[], step: ScheduleStep, wish: Wish, year: number): Html {
  const words = (list: PreviewedStep[]) => list.map(each => daysWords(each, year)).join('、')
  const adopted = occurrences.filter(each => each.adopted !== null)
  const open = occurrences.filter(each => each.adopted === null && each.sending !== null)
  const over = occurrences.filter(each => each.adopted === null && each.sending === null)
  return html`<ul class="plain times">${adopted.length > 0 ? html`<li>${tag('已采用', 'good')} ${words(adopted)}</li>` : ''}${
    over.length > 0 ? html`<li class="soft">${tag('已过')} ${words(over)}</li>` : ''
  }${open.map(each => openItem(each, step, wish, year))}</ul>`
}

function openItem(
  { id, sending, groups, ...days }: PreviewedStep,
  step: ScheduleStep,
  wish: Wish,
  year: number,
): Html {
  const isOn = wish.chosen ? wish.chosen.has(id) : !step.isOptional && groups > 0
  const reminders = (sending?.reminders ?? []).map(({ dueAt }) => shortDay(dayOf(dueAt), year)).join('、')
  const sends = sending ? `${shortDay(dayOf(sending.sendAt), year)}发通知` : ''
  return html`<li><label><input type="checkbox" name="on-${id}" value="yes"${isOn ? html` checked` : ''}><b>${daysWords(days, year)}</b> <span class="soft">${sends}${
    reminders === '' ? '' : `，${reminders}提醒${step.ask ? '还没答复的' : ''}`
  }</span></label>${groups === 0 ? html` ${tag('还没有这样的群', 'wait')}` : ''}</li>`
}

function dayFields(each: PreviewedStep, wish: Wish, year: number): Html {
  const { id, fromOn, toOn } = each
  const written = wish.days.get(id) ?? { fromOn, toOn }
  const words = `${daysWords(each, year)}`
  const input = (name: 'from' | 'to', label: string, value: string) =>
    html`<p class="field"><label for="f-${name}-${id}">${label}</label><input id="f-${name}-${id}" name="${name}-${id}" type="date" value="${value}"></p>`
  const was = html`<input type="hidden" name="was-${id}" value="${fromOn} ${toOn}">`
  return fromOn === toOn
    ? html`${was}${input('to', `期限（${words}）`, written.toOn)}`
    : html`${was}${input('from', '从', written.fromOn)}${input('to', '到', written.toOn)}`
}
