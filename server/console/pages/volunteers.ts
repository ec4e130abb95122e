import { z } from 'zod'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { addCandidate } from '../../domain/volunteers/files.ts'
import {
  exportVolunteers,
  figuresOfOffice,
  listVolunteers,
  stagesOf,
  type Volunteer,
  type VolunteerFigures,
  type VolunteerFilter,
  type VolunteerList,
  yearWords,
} from '../../domain/volunteers/list.ts'
import { type VolunteerOffice, volunteerOfficesOf } from '../../domain/volunteers/offices.ts'
import { placeMany } from '../../domain/volunteers/place-many.ts'
import { volunteerRules } from '../../domain/volunteers/rules.ts'
import { type Stage, stageWords } from '../../domain/volunteers/way.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, field, figure, pager, select, table, tag, textArea, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { sendWorkbook } from '../send-workbook.ts'
import { mentorWords, stageTag, volunteerFilePages } from './volunteer-file.ts'

const PAGE = 50
/** Years that the figures show; the older ones are in the workbook. */
const YEARS = 6
const LIST = '/console/volunteers'

const STAGES = Object.keys(stageWords) as Stage[]
const number = z.coerce.number().int().positive().max(1e15).optional().catch(undefined)
const listQuery = z.object({
  office: number,
  year: number,
  college: number,
  stage: z.enum(STAGES).optional().catch(undefined),
  search: z.string().trim().max(40).catch(''),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type ListQuery = z.output<typeof listQuery>
const candidateForm = z.object({
  office: z.coerce.number({ error: '请选单位。' }).int(),
  name: z.string().max(60, { error: '姓名太长。' }).default(''),
  phone: z.string().max(30, { error: '手机号太长。' }).default(''),
  year: z.coerce.number({ error: '请写毕业年份。' }).int({ error: '请写毕业年份。' }),
})

const manyForm = z.object({
  office: z.coerce.number({ error: '请选单位。' }).int(),
  lines: z.string().max(100_000, { error: '太长了，请分几次粘贴。' }).default(''),
})

/** The volunteer database of a university over all years (山科大党发〔2021〕52号 三.(四)). */
export function volunteerPages(routes: Routes): void {
  routes.get(LIST, 'manager', view => listPage(view))
  routes.get('/console/volunteers.xlsx', 'manager', async view => {
    const query = view.read(listQuery)
    const office = await officeAsked(view, query.office)
    if (!office) return view.goTo(LIST)
    return sendWorkbook(
      view,
      await exportVolunteers(view.rt, view.viewer.actor, office, filterOf(query, office)),
    )
  })
  routes.post(LIST, 'manager', async view => {
    // who runs no such office finds no form here
    if ((await volunteerOfficesOf(view.rt, view.viewer.actor)).length === 0) throw new NotFound()
    try {
      const { office, ...input } = view.read(candidateForm)
      const fileId = await addCandidate(view.rt, view.viewer.actor, { officeId: office, ...input })
      return view.goTo(`${LIST}/${fileId}`, `已记入${input.name.trim()}，从低年级培育开始。`)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return listPage(view, error.message)
    }
  })
  routes.post(`${LIST}/many`, 'manager', async view => {
    if ((await volunteerOfficesOf(view.rt, view.viewer.actor)).length === 0) throw new NotFound()
    try {
      const { office, lines } = view.read(manyForm)
      const count = await placeMany(view.rt, view.viewer.actor, { officeId: office, text: lines })
      return view.goTo(`${LIST}?office=${office}`, `${count} 位的院系、毕业年份、导师已经按表格写好。`)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return listPage(view, error.message)
    }
  })
  volunteerFilePages(routes)
}

const officeUnit = ({ university, college }: VolunteerOffice): UnitRow => college ?? university

/** The office that is asked for, or the first that the viewer runs; null: they run none. */
async function officeAsked(view: View<unknown>, id: number | undefined): Promise<VolunteerOffice | null> {
  const own = await volunteerOfficesOf(view.rt, view.viewer.actor)
  return own.find(each => officeUnit(each).id === id) ?? own[0] ?? null
}

function filterOf(query: ListQuery, { college }: VolunteerOffice): VolunteerFilter {
  return {
    year: query.year,
    collegeId: college?.id ?? query.college,
    stage: query.stage,
    name: query.search,
  }
}

async function listPage(view: View<unknown>, fault: string | null = null): Promise<Html> {
  const { rt, viewer } = view
  const query = listQuery.parse(view.request.method === 'GET' ? (view.request.query ?? {}) : {})
  const own = await volunteerOfficesOf(rt, viewer.actor)
  const office = await officeAsked(view, query.office)
  if (!office)
    return page(view, {
      title: '志愿者',
      part: 'roster',
      above: [['名册', '/console/roster']],
      body: emptyState('志愿者数据库由高校的校项目办、院系项目办用，您名下没有这样的单位。'),
    })
  const unit = officeUnit(office)
  const filter = filterOf(query, office)
  const from = (query.page - 1) * PAGE
  const [figures, list, colleges] = await Promise.all([
    figuresOfOffice(rt, office),
    listVolunteers(rt, office, filter, { from, limit: PAGE }),
    office.college ? [] : collegesOf(view, office.university.id),
  ])
  const isFiltered = query.year !== undefined || query.college !== undefined || query.search !== ''
  const kept = keptOf(query, unit.id)
  return page(view, {
    title: `${unit.name}的志愿者`,
    part: 'roster',
    above: [['名册', '/console/roster']],
    fault,
    body: html`<p class="soft">历年志愿者：名册里写明由学校派出的自动记入，一人一份（${volunteerRules.source}）。</p>
${stageFigures(list.counts, kept)}
${filterForm(query, own, unit.id, figures.years, colleges)}
<div class="deeds"><a class="button second" href="/console/volunteers.xlsx?${new URLSearchParams(kept)}">下载 XLSX</a><span class="soft">共 ${list.length} 人</span></div>
${table(
  '志愿者',
  ['姓名', '阶段', '院系、毕业年份', '服务地', '导师', '最近联系'],
  list.shown.map(each => volunteerRow(each, dayOf(rt.clock.now()))),
  query.page > 1
    ? '后面没有了。'
    : isFiltered || query.stage
      ? '没有符合的人。'
      : '还没有志愿者。名册里派出高校写的是本校的，每天夜里自动记入。',
)}
${pager(LIST, kept, query.page, list.length > from + PAGE)}
${collegeFigures(figures)}
${manyCard(view, own, unit.id, fault === null ? {} : bodyOf(view))}
${candidateCard(view, own, unit.id, fault === null ? {} : bodyOf(view))}`,
  })
}

async function collegesOf({ rt }: View<unknown>, universityId: number): Promise<UnitRow[]> {
  return (await childUnits(rt.db, universityId)).filter(unit => unit.kind === volunteerRules.collegeKind)
}

function keptOf(query: ListQuery, officeId: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries({
      office: officeId,
      year: query.year,
      college: query.college,
      stage: query.stage,
      search: query.search || undefined,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  )
}

function stageFigures(counts: VolunteerList['counts'], kept: Record<string, string>): Html {
  const stages = stagesOf(counts)
  const { stage: _stage, ...rest } = kept
  const all = counts.reduce((sum, each) => sum + each.count, 0)
  return html`<div class="figures">${figure(all, '全部', `${LIST}?${new URLSearchParams(rest)}`)}${STAGES.filter(
    stage => (stages.get(stage) ?? 0) > 0,
  ).map(stage =>
    figure(
      stages.get(stage) ?? 0,
      stageWords[stage],
      `${LIST}?${new URLSearchParams({ ...rest, stage })}`,
      stage === 'in_service' || stage === 'extended' ? 'good' : 'quiet',
    ),
  )}</div>`
}

function filterForm(
  query: ListQuery,
  own: readonly VolunteerOffice[],
  officeId: number,
  years: readonly (number | null)[],
  colleges: readonly UnitRow[],
): Html {
  return html`<form class="row card" method="get" action="${LIST}" role="search">${field('search', '姓名', { value: query.search, type: 'search', attributes: html`maxlength="40"` })}
${own.length > 1 ? select('office', '单位', officeChoices(own), { value: String(officeId), attributes: html`data-auto` }) : ''}
${select('year', '毕业年份', [['', '全部'], ...years.flatMap(year => (year === null ? [] : [[String(year), yearWords(year)] as const]))], { value: String(query.year ?? ''), attributes: html`data-auto` })}
${colleges.length > 0 ? select('college', '院系', [['', '全部'], ...colleges.map(each => [String(each.id), each.name] as const)], { value: String(query.college ?? ''), attributes: html`data-auto` }) : ''}
${select('stage', '阶段', [['', '全部'], ...STAGES.map(stage => [stage, stageWords[stage]] as const)], { value: query.stage ?? '', attributes: html`data-auto` })}
<button class="second">查找</button></form>`
}

const officeChoices = (own: readonly VolunteerOffice[]) =>
  own.map(each => [String(officeUnit(each).id), officeUnit(each).name] as const)

function volunteerRow(each: Volunteer, today: string): Html {
  const { fileId, name, college, year, way, lastTouch } = each
  const { afterDays } = volunteerRules.touch
  const since = [lastTouch, way.servingSince]
    .filter(day => day !== null)
    .sort()
    .at(-1)
  const days = since ? daysBetween(since, today) : null
  const isQuiet = way.isServing && days !== null && days >= afterDays.value
  const where = [way.last?.county, way.last?.branch].filter(Boolean)
  return html`<tr><td class="nowrap"><a href="${LIST}/${fileId}">${name}</a></td><td class="nowrap">${stageTag(way.stage)}</td><td>${college ?? ''}${college && year ? html`<br>` : ''}${year ? html`<span class="soft nowrap">${yearWords(year)}</span>` : ''}</td><td>${where.map((place, index) => html`${index > 0 ? html`<br>` : ''}<span class="nowrap">${place}</span>`)}</td><td class="nowrap">${mentorWords(each)}</td><td class="nowrap">${lastTouch ?? '—'}${isQuiet ? html` ${tag(`${days} 天没联系`, 'wait')}` : ''}</td></tr>`
}

function daysBetween(day: string, today: string): number {
  return Math.round((Date.parse(today) - Date.parse(day)) / 86_400_000)
}

function collegeFigures({ years, colleges }: VolunteerFigures): Html {
  if (colleges.length === 0) return html``
  const shown = years.slice(0, YEARS)
  return html`<h2>按院系和毕业年份</h2>${table(
    '各院系各年的志愿者人数',
    [
      '院系',
      ...shown.map(year => ({ name: yearWords(year), isNumber: true })),
      ...(years.length > YEARS ? [{ name: '更早', isNumber: true }] : []),
      { name: '合计', isNumber: true },
    ],
    colleges.map(({ name, counts, all: sum }) => {
      const older = counts.slice(YEARS).reduce((total, count) => total + count, 0)
      return html`<tr><td>${name}</td>${counts.slice(0, YEARS).map(count => html`<td class="number">${count}</td>`)}${years.length > YEARS ? html`<td class="number">${older}</td>` : ''}<td class="number"><b>${sum}</b></td></tr>`
    }),
    '',
  )}`
}

const bodyOf = (view: View<unknown>) => (view.request.body ?? {}) as Record<string, string>

function officeField(
  own: readonly VolunteerOffice[],
  officeId: number,
  body: Record<string, string>,
  form: 'many' | 'candidate',
): Html {
  return own.length > 1
    ? select('office', '哪个单位', officeChoices(own), {
        value: body.office ?? String(officeId),
        id: `office-${form}`,
      })
    : html`<input type="hidden" name="office" value="${officeId}">`
}

/** Columns of a spreadsheet, for an office that has hundreds. */
function manyCard(
  view: View<unknown>,
  own: readonly VolunteerOffice[],
  officeId: number,
  body: Record<string, string>,
): Html {
  return html`<details class="card"${body.lines === undefined ? '' : html` open`}><summary>成批填院系、毕业年份、导师</summary>
<p class="soft">在 Excel 里选中姓名、院系、毕业年份、导师四列，复制，粘贴到这里。不改的留空；有一行不对，就都不写。</p>
<form method="post" action="${LIST}/many">${token(view.formToken)}${officeField(own, officeId, body, 'many')}
${textArea('lines', '一行一位', { value: body.lines ?? '', rows: 6, hint: '姓名、院系、毕业年份、导师，用制表符或逗号隔开。' })}
<button class="second">写入</button></form></details>`
}

function candidateCard(
  view: View<unknown>,
  own: readonly VolunteerOffice[],
  officeId: number,
  body: Record<string, string>,
): Html {
  return html`<details class="card"${body.name === undefined ? '' : html` open`}><summary>记入低年级的苗子</summary>
<p class="soft">对品学兼优、志愿服务意识较强的低年级学生重点关注和引导（山科大党发〔2021〕52号 三(二)）。以后名册里有了他，按姓名和手机号接上，不会有两份。</p>
<form method="post" action="${LIST}">${token(view.formToken)}${officeField(own, officeId, body, 'candidate')}
${field('name', '姓名', { value: body.name ?? '', isRequired: true, attributes: html`autocomplete="off" maxlength="30"` })}
${field('phone', '手机号', { value: body.phone ?? '', isRequired: true, type: 'tel', attributes: html`autocomplete="off"` })}
${field('year', '毕业年份', { value: body.year ?? '', isRequired: true, type: 'number', id: 'year-candidate' })}
<button>记入</button></form></details>`
}
