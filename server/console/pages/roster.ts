import { z } from 'zod'
import { type RosterFilter, rosterCounts, rosterPage } from '../../../db/queries/roster.ts'
import { childUnits, type UnitRow, unitsAbove } from '../../../db/queries/units.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { nameKey } from '../../domain/names/name-key.ts'
import { shownNumbers } from '../../domain/persons/shown-numbers.ts'
import { isValidIdNumber, normaliseIdNumber } from '../../domain/roster/id-number.ts'
import { normalisePhone } from '../../domain/roster/phone.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, field, pager, select, type Tone, table, tag } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
const STATUSES = ['在岗', '待派遣', '离岗'] as const

const asked = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  search: z.string().trim().max(60).catch(''),
  status: z.enum(STATUSES).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})

/** `GET /console/roster`: who should be where in the units that one runs. */
export function rosterPages(routes: Routes): void {
  routes.get('/console/roster', 'manager', async view => {
    const { rt, viewer } = view
    const query = view.read(asked)
    const tops = topUnits(rt.templates, viewer.actor)
    const unit = query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit)
    if (query.unit !== undefined && !unit) throw new NotFound()
    const paths = unit ? [unit.path] : tops.map(top => top.path)
    const filter: RosterFilter = { paths, ...searched(view, query.search) }
    const [counts, found, choices, above] = await Promise.all([
      rosterCounts(rt.db, filter),
      rosterPage(
        rt.db,
        query.status ? { ...filter, status: query.status } : filter,
        PAGE + 1,
        (query.page - 1) * PAGE,
      ),
      unitChoices(view, unit),
      unit ? unitsAbove(rt.db, unit.path) : [],
    ])
    const kept = {
      ...(unit ? { unit: String(unit.id) } : {}),
      ...(query.search ? { search: query.search } : {}),
      ...(query.status ? { status: query.status } : {}),
    }
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return page(view, {
      title: unit ? `${unit.name}的名册` : '名册',
      part: 'roster',
      above: unit
        ? [
            ['名册', '/console/roster'],
            ...above
              .filter(each => each.id !== unit.id && tops.some(top => each.path.startsWith(top.path)))
              .map((each): [string, string] => [each.name, `/console/roster?unit=${each.id}`]),
          ]
        : [],
      body: html`<form class="row card" method="get" action="/console/roster" role="search">
${field('search', '姓名或完整的号码', { value: query.search, type: 'search' })}
${select('unit', '单位', choices, { value: unit ? String(unit.id) : '', attributes: html`data-auto` })}
${select('status', '状态', [['', '全部'], ...STATUSES.map(each => [each, each] as const)], { value: query.status ?? '', attributes: html`data-auto` })}
<button class="second">查找</button></form>
<div class="deeds"><a class="button" href="/console/imports/new">导入名册</a>
<a class="button second" href="/console/imports">导入记录</a>
<a class="button second" href="/console/hand-overs">交接</a>
<a class="button second" href="/console/contacts">1+100 联系点</a>
${tops.some(top => top.level === 'university' || top.level === 'college') ? html`<a class="button second" href="/console/volunteers">志愿者</a>` : ''}
<span class="soft">共 ${all} 条${STATUSES.filter(each => counts.has(each)).map(each => ` · ${each} ${counts.get(each)}`)}</span></div>
${table(
  '名册',
  ['姓名', '单位', '角色和职务', '人员类别', '服务期', '状态', '手机号'],
  found
    .slice(0, PAGE)
    .map(
      ({ entry, name, phoneSealed, unitName }) =>
        html`<tr><td class="nowrap"><a href="/console/persons/${entry.personId}">${name}</a></td><td>${unitName}</td><td>${roleWords(rt.templates.role(entry.programme, entry.role).name, entry.title)}</td><td>${entry.category ?? ''}</td><td class="nowrap">${termWords(entry.startsOn, entry.endsOn)}</td><td>${statusTag(entry.status)}</td><td class="nowrap">${shownNumbers(rt.vault, { phoneSealed }, 'office').phone ?? tag('没有', 'wait')}</td></tr>`,
    ),
  query.search || query.status
    ? '没有符合的人。姓名可以只写一部分；手机号和身份证号要写完整。'
    : '名册里还没有人。请先导入名册。',
)}
${pager('/console/roster', kept, query.page, found.length > PAGE)}`,
    })
  })
}

/** What was typed: a phone or an ID number is looked up by its index, all else is part of a name. */
function searched({ rt }: View<unknown>, search: string): Partial<RosterFilter> {
  if (search === '') return {}
  const phone = normalisePhone(search)
  if (phone) return { phoneIndexes: rt.vault.indexes('phone', phone) }
  const idNumber = normaliseIdNumber(search)
  if (isValidIdNumber(idNumber)) return { idNumberIndexes: rt.vault.indexes('id-number', idNumber) }
  // digits and signs are no part of a name; what is left of them must not find everybody
  return { nameKey: nameKey(search) || search }
}

/** One's own units and what lies right below them; and around the unit that is asked for. */
async function unitChoices(view: View<unknown>, unit: UnitRow | null): Promise<[string, string][]> {
  const { rt, viewer } = view
  const tops = topUnits(rt.templates, viewer.actor)
  const choices: [string, string][] = [['', '我管的全部单位']]
  const roots: { id: number; name: string }[] = [...tops]
  if (unit && !roots.some(each => each.id === unit.id)) roots.push(unit)
  for (const root of roots) {
    if (!choices.some(([id]) => id === String(root.id))) choices.push([String(root.id), root.name])
    for (const child of await childUnits(rt.db, root.id))
      if (!choices.some(([id]) => id === String(child.id)))
        choices.push([String(child.id), `　${child.name}`])
  }
  return choices
}

export function roleWords(role: string, title: string | null): string {
  return title && title !== role ? `${role}（${title}）` : role
}

export function termWords(startsOn: string | null, endsOn: string | null): string {
  if (!startsOn && !endsOn) return ''
  return `${startsOn ? dayWords(startsOn) : ''} 至 ${endsOn ? dayWords(endsOn) : '今'}`
}

const tones: Record<string, Tone> = { 在岗: 'good', 待派遣: 'wait', 离岗: 'quiet' }

export function statusTag(status: string): Html {
  return tag(status, tones[status] ?? 'quiet')
}
