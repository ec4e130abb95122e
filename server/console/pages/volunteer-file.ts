import { z } from 'zod'
import { groupsJoinedBy } from '../../../db/queries/groups.ts'
import { childUnits } from '../../../db/queries/units.ts'
import { keepsOf, mentorsOf, subsidyOf, type VolunteerKeepRow } from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { volunteerPolicy } from '../../domain/access/volunteers.ts'
import { runsVeryUnit } from '../../domain/actor.ts'
import { yuan } from '../../domain/subsidies/rules.ts'
import { type Volunteer, volunteerOf } from '../../domain/volunteers/list.ts'
import type { VolunteerFile } from '../../domain/volunteers/offices.ts'
import { keepRule, volunteerRules } from '../../domain/volunteers/rules.ts'
import { noteTouch, readTouches } from '../../domain/volunteers/touch.ts'
import { type Stage, stageWords, type Way, WRITTEN_STEPS } from '../../domain/volunteers/way.ts'
import {
  assignMentor,
  endKeeping,
  keepFor,
  mentorsFor,
  setPlace,
  takeStepBack,
  writeStep,
} from '../../domain/volunteers/write.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, emptyState, field, select, type Tone, table, tag, textArea, token } from '../parts.ts'
import { type Answer, NotFound, type Routes, type View } from '../routes.ts'

const TOUCHES = 30
const path = (fileId: number) => `/console/volunteers/${fileId}`

const day = z.string().max(10, { error: '请选日期。' }).default('')
const choice = z.union([z.literal('').transform(() => null), z.coerce.number().int().positive()])
const forms = {
  step: z.object({ step: z.string().max(20).default(''), on: day }),
  stepBack: z.object({ step: z.string().max(20).default('') }),
  place: z.object({
    college: choice.optional(),
    year: z.union(
      [z.literal('').transform(() => null), z.coerce.number({ error: '毕业年份请写数字。' }).int()],
      {
        error: '毕业年份请写数字。',
      },
    ),
  }),
  mentor: z.object({ mentor: choice }),
  touch: z.object({ on: day, note: z.string().trim().max(2000).default('') }),
  keep: z.object({ what: z.string().max(20).default(''), since: day }),
  endKeep: z.object({ keep: z.coerce.number().int().positive() }),
}

/** One volunteer: their whole way, where they are, who looks after them, and what the university keeps for them. */
export function volunteerFilePages(routes: Routes): void {
  routes.get('/console/volunteers/:volunteerId', volunteerPolicy, view => filePage(view))

  const post = (what: string, work: (view: View<VolunteerFile>) => Promise<string>) =>
    routes.post(
      `/console/volunteers/:volunteerId/${what}`,
      volunteerPolicy,
      async (view): Promise<Answer> => {
        try {
          const said = await work(view)
          return view.goTo(path(view.thing.id), said)
        } catch (error) {
          if (!(error instanceof DomainError)) throw error
          view.reply.code(422)
          return filePage(view, error.message)
        }
      },
    )

  post('steps', async view => {
    const input = view.read(forms.step)
    await writeStep(view.rt, view.viewer.actor, { fileId: view.thing.id, ...input })
    return '这一步记下了。'
  })
  post('steps/back', async view => {
    const { step } = view.read(forms.stepBack)
    await takeStepBack(view.rt, view.viewer.actor, { fileId: view.thing.id, step })
    return '这一步已经撤回。'
  })
  post('place', async view => {
    const { college, year } = view.read(forms.place)
    await setPlace(view.rt, view.viewer.actor, {
      fileId: view.thing.id,
      collegeId: college === undefined ? view.thing.collegeId : college,
      year,
    })
    return '院系和毕业年份已经改好。'
  })
  post('mentor', async view => {
    const { mentor } = view.read(forms.mentor)
    await assignMentor(view.rt, view.viewer.actor, { fileId: view.thing.id, mentorId: mentor })
    return mentor === null ? '已免去导师，请另请一位。' : '导师请好了，已告诉导师和本人（绑定了账号的）。'
  })
  post('touches', async view => {
    const { on, note } = view.read(forms.touch)
    await noteTouch(view.rt, view.viewer.actor, {
      file: { fileId: view.thing.id },
      on,
      text: note,
      updateId: null,
    })
    return '联系记下了。'
  })
  post('keeps', async view => {
    const { what, since } = view.read(forms.keep)
    await keepFor(view.rt, view.viewer.actor, { fileId: view.thing.id, what, sinceOn: since })
    return `${keepRule(what)?.name ?? ''}的保留记下了，到期以前会提醒。`
  })
  post('keeps/end', async view => {
    const { keep } = view.read(forms.endKeep)
    await endKeeping(view.rt, view.viewer.actor, { fileId: view.thing.id, keepId: keep })
    return '已登记不再保留。'
  })
}

async function filePage(view: View<VolunteerFile>, fault: string | null = null): Promise<Html> {
  const { rt, viewer, thing: file } = view
  const isUniversity = runsVeryUnit(rt.templates, viewer.actor, file.unitId)
  const [volunteer, groups, mentors, possible, touches, keeps, subsidy, colleges] = await Promise.all([
    volunteerOf(rt, file),
    groupsJoinedBy(rt.db, file.personId),
    mentorsOf(rt.db, file.id),
    mentorsFor(rt, file),
    readTouches(rt, viewer.actor, file, TOUCHES),
    keepsOf(rt.db, file.id),
    subsidyOf(rt.db, file),
    isUniversity ? childUnits(rt.db, file.unitId) : [],
  ])
  if (!volunteer) throw new NotFound()
  const { way } = volunteer
  const today = dayOf(rt.clock.now())
  const body = (fault === null ? {} : (view.request.body ?? {})) as Record<string, string>
  return page(view, {
    title: file.personName,
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['志愿者', '/console/volunteers'],
    ],
    fault,
    body: html`<section class="card"><dl class="facts">
<dt>现在</dt><dd>${stageTag(way.stage)}</dd>
<dt>院系</dt><dd>${volunteer.college ?? '没有填'}</dd>
<dt>毕业年份</dt><dd>${file.year ?? '没有填'}</dd>
<dt>服务县区</dt><dd>${way.last?.county ?? '—'}</dd>
<dt>服务单位</dt><dd>${way.last?.post ?? '—'}</dd>
<dt>团支部</dt><dd>${way.last?.branch ?? '—'}</dd>
<dt>所在的群</dt><dd>${groups.length > 0 ? groups.map(each => each.name).join('、') : '系统还不知道在哪些群里'}</dd>
<dt>导师</dt><dd>${mentorWords(volunteer) || '没有'}</dd>
<dt>生活补贴</dt><dd>${subsidyWords(subsidy, isUniversity)}</dd></dl></section>
<h2>经过</h2>
${wayTable(view, way)}
<div class="cards">
${stepForm(view, body, today)}
${placeForm(view, body, colleges, isUniversity)}
${mentorForm(view, volunteer.mentorId, possible, mentors)}
</div>
<h2>联系</h2>
${touchForm(view, body, today)}
${table(
  '联系的记录',
  ['日期', '谁记的', '情况'],
  touches.map(
    each =>
      html`<tr><td class="nowrap">${dayWords(each.on)}</td><td class="nowrap">${each.notedBy}${each.notedById === file.personId ? html` <span class="soft">本人</span>` : ''}</td><td class="words">${each.note}</td></tr>`,
  ),
  `还没有联系的记录。导师、本人在聊天里写一句就记下，如：联系 ${file.personName} 今天电话，一切都好`,
)}
<h2>学校保留的</h2>
${keepsTable(view, keeps, today)}
${keepForm(view, body, keeps, today)}`,
  })
}

/** The mentor, or what is wrong with it. One who is no longer of the university looks after nobody. */
export function mentorWords({ mentor, mentorStands, way }: Volunteer): Html | string {
  if (mentor === null) return way.isServing ? tag('还没有', 'wait') : ''
  return mentorStands ? mentor : html`${mentor} ${tag('已不在学校任职', way.isServing ? 'wait' : 'quiet')}`
}

/** Where somebody stands, in a word. */
export function stageTag(stage: Stage): Html {
  const tones: Partial<Record<Stage, Tone>> = { in_service: 'good', extended: 'good', assigned: 'wait' }
  return tag(stageWords[stage], tones[stage] ?? 'quiet')
}

/** One line; how much is only for those who pay it. */
function subsidyWords(subsidy: Awaited<ReturnType<typeof subsidyOf>>, mayKnow: boolean): string {
  if (!subsidy) return '没有在发放名单里'
  const amount = mayKnow ? `，${yuan(subsidy.fen)}` : ''
  if (subsidy.status !== 'approved') return `在还没有批准的名单里${amount}`
  if (subsidy.isReturnedByBank) return `银行退回，待重新列入名单${amount}`
  if (subsidy.way === 'bank') return `已批准，由银行发放${amount}`
  if (subsidy.state === 'paid') return `已发放${amount}`
  if (subsidy.state === 'failed' || subsidy.state === 'cancelled') return `没有发成，待重新列入名单${amount}`
  return `已批准，正在发放${amount}`
}

/** A small deed in the row of a table. */
function quietDeed(
  view: View<VolunteerFile>,
  what: string,
  words: string,
  fields: Record<string, string>,
  sure?: string,
): Html {
  return html`<form method="post" action="${path(view.thing.id)}/${what}"${sure ? html` data-sure="${sure}"` : ''}>${token(view.formToken)}${Object.entries(
    fields,
  ).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="second">${words}</button></form>`
}

function wayTable(view: View<VolunteerFile>, way: Way): Html {
  return table(
    '从培育到校友',
    ['阶段', '日期', '地点', '办理'],
    way.points.map(
      point =>
        html`<tr><td>${stageWords[point.what]}</td><td class="nowrap">${point.on ? dayWords(point.on) : '—'}</td><td>${point.place ?? ''}</td><td>${point.isWritten ? quietDeed(view, 'steps/back', '撤回', { step: point.what }) : html`<span class="soft">名册</span>`}</td></tr>`,
    ),
    '还没有登记过阶段，名册里也还没有服务。',
  )
}

function stepForm(view: View<VolunteerFile>, body: Record<string, string>, today: string): Html {
  return html`<section class="card"><h2>登记一步</h2><form method="post" action="${path(view.thing.id)}/steps">${token(view.formToken)}
${select(
  'step',
  '哪一步',
  WRITTEN_STEPS.map(step => [step, stageWords[step]] as const),
  { value: body.step ?? null, hint: '在岗、延期、服务期满由名册给出。' },
)}
${field('on', '日期', { type: 'date', value: body.step === undefined ? today : (body.on ?? today), isRequired: true })}
<button class="second">登记</button></form></section>`
}

function placeForm(
  view: View<VolunteerFile>,
  body: Record<string, string>,
  colleges: Awaited<ReturnType<typeof childUnits>>,
  isUniversity: boolean,
): Html {
  const { thing: file } = view
  const own = colleges.filter(each => each.kind === volunteerRules.collegeKind)
  return html`<section class="card"><h2>院系和年份</h2><form method="post" action="${path(file.id)}/place">${token(view.formToken)}
${
  isUniversity
    ? select('college', '院系', [['', '没有填'], ...own.map(each => [String(each.id), each.name] as const)], {
        value: body.college ?? String(file.collegeId ?? ''),
        ...(own.length === 0 ? { hint: '本校还没有登记院系项目办。' } : {}),
      })
    : html`<p class="soft">院系由校项目办改。</p>`
}
${field('year', '毕业年份', { type: 'number', value: body.year ?? String(file.year ?? '') })}
<button class="second">保存</button></form></section>`
}

function mentorForm(
  view: View<VolunteerFile>,
  mentorId: number | null,
  possible: Awaited<ReturnType<typeof mentorsFor>>,
  past: Awaited<ReturnType<typeof mentorsOf>>,
): Html {
  const others = possible.filter(each => each.personId !== view.thing.personId)
  return html`<section class="card"><h2>导师</h2><form method="post" action="${path(view.thing.id)}/mentor">${token(view.formToken)}
${select(
  'mentor',
  '请哪一位',
  [
    ['', '没有'],
    ...others.map(each => [String(each.personId), `${each.name}（${each.title ?? ''}）`] as const),
  ],
  { value: String(mentorId ?? ''), hint: '学校的导师和项目办的同志。' },
)}
<button class="second">确定</button></form>${
    past.length > 0
      ? html`<ul class="plain">${past.map(
          each =>
            html`<li>${each.name} <span class="soft">${dayWords(each.sinceOn)}起${each.untilOn ? `，到${dayWords(each.untilOn)}` : ''}</span></li>`,
        )}</ul>`
      : ''
  }</section>`
}

function touchForm(view: View<VolunteerFile>, body: Record<string, string>, today: string): Html {
  const isThis = body.note !== undefined
  return html`<details class="card"${isThis ? html` open` : ''}><summary>记一次联系</summary><form method="post" action="${path(view.thing.id)}/touches">${token(view.formToken)}
<p class="field"><label for="f-touched">哪天</label><input id="f-touched" name="on" type="date" value="${isThis ? (body.on ?? today) : today}" required></p>
${textArea('note', '情况', { value: body.note ?? '', rows: 3, hint: '工作、生活、想法和困难，一两句就行。不要写涉密内容。' })}
<button class="second">记下</button></form></details>`
}

function keepsTable(view: View<VolunteerFile>, keeps: readonly VolunteerKeepRow[], today: string): Html {
  return table(
    '学校为本人保留的',
    ['什么', '从哪天', '到哪天', '情况', '办理'],
    keeps.map(keep => {
      const rule = keepRule(keep.what)
      return html`<tr><td>${rule?.name ?? keep.what}</td><td class="nowrap">${dayWords(keep.sinceOn)}</td><td class="nowrap">${keep.untilOn ? dayWords(keep.untilOn) : '没有期限'}</td><td>${keepTag(keep, today)}<br><span class="soft nowrap">${rule?.source ?? ''}</span></td><td>${keep.endedOn === null ? quietDeed(view, 'keeps/end', '不再保留', { keep: String(keep.id) }, '已经转出、移交或入学了吗？登记后不再提醒。') : ''}</td></tr>`
    }),
    '学校没有为本人保留什么。',
  )
}

function keepTag({ endedOn, untilOn }: VolunteerKeepRow, today: string): Html {
  if (endedOn !== null) return tag(`${dayWords(endedOn)}办结`)
  return untilOn !== null && untilOn < today ? tag('已到期', 'bad') : tag('保留中', 'good')
}

function keepForm(
  view: View<VolunteerFile>,
  body: Record<string, string>,
  keeps: readonly VolunteerKeepRow[],
  today: string,
): Html {
  const standing = new Set(keeps.filter(each => each.endedOn === null).map(each => each.what))
  const open = volunteerRules.keeps.filter(each => !standing.has(each.id))
  if (open.length === 0) return emptyState('户口、入学资格、档案都在保留。')
  return html`<details class="card"${body.what === undefined ? '' : html` open`}><summary>登记为本人保留</summary><form method="post" action="${path(view.thing.id)}/keeps">${token(view.formToken)}
${select(
  'what',
  '保留什么',
  open.map(
    each => [each.id, `${each.name}（${each.years === null ? '没有期限' : `${each.years} 年`}）`] as const,
  ),
  { value: body.what ?? null },
)}
${field('since', '从哪天', { type: 'date', value: body.since ?? today, isRequired: true, hint: '毕业的那天，或本人申请的那天。到哪天由文件定。' })}
<button class="second">登记</button></form></details>`
}
