import { z } from 'zod'
import {
  branchCoverage,
  branchesOf,
  type ContactRow,
  contactsUnder,
  countOfficers,
  type KeptBranch,
  listOfficers,
  type Officer,
  type OfficerState,
  officesOf,
  visitsOf,
} from '../../../db/queries/contacts.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { contactPolicy, ownContactPolicy } from '../../domain/access/contacts.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { managesUnit } from '../../domain/actor.ts'
import { assignContact, endContactBy, suggestFor } from '../../domain/contacts/assign.ts'
import { type ContactRules, contactRules, contactRulesOf } from '../../domain/contacts/rules.ts'
import { recordVisit } from '../../domain/contacts/visit.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import {
  dayWords,
  deed,
  emptyState,
  field,
  figure,
  pager,
  select,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import type { Answer, Routes, View } from '../routes.ts'

const PAGE_SIZE = 50

const listQuery = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  state: z.enum(['no-branch', 'not-in-group', 'not-visited']).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const visitForm = z.object({
  day: z.string().max(10).catch(''),
  place: z.string().max(200).catch(''),
  note: z.string().max(2000).catch(''),
})
const number = (error: string) => z.coerce.number({ error }).int().positive(error)

const stateWords: Record<OfficerState, string> = {
  'no-branch': '还没有联系点',
  'not-in-group': '不在支部群',
  'not-visited': '今年没走访',
}

/**
 * 1+100 (全国项目办发〔2018〕1号 三.4): `/console/contacts` for who runs an office, `/me/contacts` for each of its people, who
 * record a visit by one tap.
 */
export function contactPages(routes: Routes): void {
  routes.get('/console/contacts', 'manager', view => officePage(view))
  routes.post('/console/contacts', 'manager', async view => {
    const input = view.read(
      z.object({
        office: number('请选单位。'),
        person: number('请选一位同志。'),
        branch: number('请选一个团支部。'),
      }),
    )
    return orSay(
      view,
      async () => {
        const contact = await assignContact(view.rt, view.viewer.actor, {
          officeId: input.office,
          personId: input.person,
          unitId: input.branch,
        })
        return view.goTo(
          `/console/contacts?unit=${input.office}`,
          `${contact.personName}从今天起联系${contact.unitName}。`,
        )
      },
      fault => officePage(view, fault),
    )
  })
  routes.post('/console/contacts/:contactId/end', contactPolicy, async view => {
    const contact = await endContactBy(view.rt, view.viewer.actor, view.thing.id)
    return view.goTo(
      `/console/contacts?unit=${contact.officeId}`,
      `${contact.personName}不再联系${contact.unitName}。`,
    )
  })
  routes.post('/console/contacts/:contactId/visits', contactPolicy, async view => {
    const { isNew } = await recordVisit(view.rt, view.viewer.actor, visitOf(view))
    return view.goTo(
      `/console/contacts?unit=${view.thing.officeId}`,
      isNew ? `已登记${view.thing.personName}的走访。` : '这一天已经登记过了。',
    )
  })

  routes.get('/me/contacts', 'person', view => ownPage(view))
  routes.post('/me/contacts', 'person', async view => {
    const input = view.read(z.object({ office: number('请选单位。'), branch: number('请选一个团支部。') }))
    return orSay(
      view,
      async () => {
        const contact = await assignContact(view.rt, view.viewer.actor, {
          officeId: input.office,
          personId: view.viewer.actor.person.id,
          unitId: input.branch,
        })
        return view.goTo('/me/contacts', `您从今天起联系${contact.unitName}，请加入它的群。`)
      },
      fault => ownPage(view, fault),
    )
  })
  routes.post('/me/contacts/:contactId/end', ownContactPolicy, async view => {
    const contact = await endContactBy(view.rt, view.viewer.actor, view.thing.id)
    return view.goTo('/me/contacts', `不再联系${contact.unitName}，请另选一个。`)
  })
  routes.post('/me/contacts/:contactId/visits', ownContactPolicy, async view =>
    orSay(
      view,
      async () => {
        const { isNew, contact } = await recordVisit(view.rt, view.viewer.actor, visitOf(view))
        return view.goTo(
          '/me/contacts',
          isNew ? `已登记走访${contact.unitName}，辛苦了。` : '这一天已经登记过了。',
        )
      },
      fault => ownPage(view, fault),
    ),
  )
}

function visitOf(view: View<ContactRow>) {
  const { day, place, note } = view.read(visitForm)
  const visitedOn = day === '' ? dayOf(view.rt.clock.now()) : day
  return { contactId: view.thing.id, visitedOn, place, note }
}

async function orSay(
  view: View<unknown>,
  work: () => Promise<Answer>,
  again: (fault: string) => Promise<Html>,
) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return again(error.message)
  }
}

// an office

async function officePage(view: View<unknown>, fault: string | null = null): Promise<Html> {
  const { rt, viewer } = view
  const query = listQuery.parse(view.request.query ?? {})
  const tops = topUnits(rt.templates, viewer.actor).filter(top => contactRulesOf(rt.templates, top.programme))
  const asked = query.unit === undefined ? null : await unitById(rt.db, query.unit)
  const unit =
    asked &&
    contactRulesOf(rt.templates, asked.programme) &&
    managesUnit(rt.templates, viewer.actor, asked.path)
      ? asked
      : tops[0]
        ? await unitById(rt.db, tops[0].id)
        : null
  const rules = unit && contactRulesOf(rt.templates, unit.programme)
  const shell = (body: Html) =>
    page(view, {
      title: '1+100 联系点',
      part: 'roster',
      above: [['名册', '/console/roster']],
      fault,
      body: html`<p class="soft">全国、省、地市项目办的每位同志至少长期联系一个志愿者团支部，加入它的群，原则上每年走访一次（全国项目办发〔2018〕1号 三.4）。</p>${body}`,
    })
  if (!unit || !rules) return shell(emptyState('您负责的单位没有这项工作：它是西部计划各级项目办的。'))
  const isOffice = rules.scope.officeKinds.includes(unit.kind)
  return shell(
    isOffice ? await officeBody(view, unit, rules, query) : await branchBody(view, unit, query.page),
  )
}

async function officeBody(
  view: View<unknown>,
  unit: UnitRow,
  rules: ContactRules,
  query: z.output<typeof listQuery>,
): Promise<Html> {
  const { rt } = view
  const today = dayOf(rt.clock.now())
  const filter = {
    scope: rules.scope,
    path: unit.path,
    year: today.slice(0, 4),
    visits: rules.visits,
    state: query.state,
  }
  const [counts, coverage, officers] = await Promise.all([
    countOfficers(rt.db, filter),
    branchCoverage(rt.db, rules.scope, unit.path),
    listOfficers(rt.db, filter, { limit: PAGE_SIZE + 1, offset: (query.page - 1) * PAGE_SIZE }),
  ])
  const shown = officers.slice(0, PAGE_SIZE)
  const to = (state: string) => `/console/contacts?unit=${unit.id}${state ? `&state=${state}` : ''}`
  return html`<h2>${unit.name}和下级项目办${query.state ? `：${stateWords[query.state]}` : ''}</h2>
<div class="figures">${figure(counts.all, '位同志', to(''))}
${figure(counts['no-branch'], '位还没有联系点', to('no-branch'), counts['no-branch'] > 0 ? 'wait' : 'good')}
${figure(counts['not-in-group'], '位不在支部群', to('not-in-group'), counts['not-in-group'] > 0 ? 'wait' : 'good')}
${figure(counts['not-visited'], '位今年没走访', to('not-visited'), counts['not-visited'] > 0 ? 'wait' : 'good')}
${figure(`${coverage.kept}/${coverage.branches}`, '个团支部有人联系')}</div>
${table(
  '各位同志的联系点',
  ['姓名', '单位', '联系的团支部', '在群里', '最近走访', '今年'],
  shown.flatMap(officer => officerRows(officer, rules.visits)),
  query.page > 1 ? '后面没有了。' : query.state ? '没有这样的同志。' : '名册里还没有项目办的同志。',
)}
${pager('/console/contacts', { unit: String(unit.id), ...(query.state ? { state: query.state } : {}) }, query.page, officers.length > PAGE_SIZE)}
${await assignForm(view, unit, shown)}`
}

function officerRows(officer: Officer, visits: number): Html[] {
  const who = html`<td>${officer.name}${officer.title ? html` <span class="soft">${officer.title}</span>` : ''}</td><td>${officer.officeName}</td>`
  if (officer.branches.length === 0)
    return [html`<tr>${who}<td colspan="4">${tag('还没有联系点', 'wait')}</td></tr>`]
  return officer.branches.map(
    branch =>
      html`<tr>${who}<td>${branch.unitName}</td><td>${groupTag(branch)}</td><td>${branch.lastVisitOn ? dayWords(branch.lastVisitOn) : '—'}</td><td>${visitTag(branch, visits)}</td></tr>`,
  )
}

function groupTag({ isInGroup }: KeptBranch): Html {
  if (isInGroup === null) return tag('支部还没有群')
  return isInGroup ? tag('在', 'good') : tag('不在', 'wait')
}

function visitTag({ visitsThisYear }: KeptBranch, visits: number): Html {
  return visitsThisYear >= visits
    ? tag(`走访 ${visitsThisYear} 次`, 'good')
    : tag(visitsThisYear > 0 ? `走访 ${visitsThisYear}/${visits} 次` : '待走访', 'wait')
}

/** Who runs the office names a branch for somebody of it; those that nobody keeps contact with are offered first. */
async function assignForm(view: View<unknown>, unit: UnitRow, officers: Officer[]): Promise<Html> {
  const own = officers.filter(officer => officer.officeId === unit.id)
  if (own.length === 0) return html``
  const branches = await suggestFor(view.rt, unit, 0)
  const body = (view.request.body ?? {}) as Record<string, string>
  const lacking = own.toSorted((a, b) => a.branches.length - b.branches.length)
  return html`<section class="card"><h2>安排联系点</h2>${
    branches.length === 0
      ? emptyState('范围内还没有团支部。')
      : html`<form class="row" method="post" action="/console/contacts?unit=${unit.id}">${token(view.formToken)}<input type="hidden" name="office" value="${unit.id}">
${select(
  'person',
  '哪位同志',
  lacking.map(
    each => [String(each.personId), `${each.name}${each.branches.length === 0 ? '（还没有）' : ''}`] as const,
  ),
  { value: body.person ?? null },
)}
${select(
  'branch',
  '联系哪个团支部',
  branches.map(each => [String(each.id), branchWords(each)] as const),
  { value: body.branch ?? null },
)}<button class="second">确定</button></form>
<p class="soft">先列没有人联系的团支部；各位同志也可以在“我的”里自己选。</p>`
  }</section>`
}

const branchWords = (each: { name: string; parentName: string; contacts: number }) =>
  `${each.name}（${each.parentName}${each.contacts > 0 ? `，已有 ${each.contacts} 位联系` : '，还没有人联系'}）`

/** For a county or a branch: who keeps contact with the branches there. */
async function branchBody(view: View<unknown>, unit: UnitRow, current: number): Promise<Html> {
  const found = await contactsUnder(view.rt.db, unit.path, {
    limit: PAGE_SIZE + 1,
    offset: (current - 1) * PAGE_SIZE,
  })
  return html`<h2>${unit.name}的团支部由谁联系</h2>
${table(
  '联系各团支部的同志',
  ['团支部', '联系的同志', '单位', '起', '最近走访'],
  found
    .slice(0, PAGE_SIZE)
    .map(
      each =>
        html`<tr><td>${each.unitName}</td><td>${each.personName}</td><td>${each.officeName}</td><td>${dayWords(each.sinceOn)}</td><td>${each.lastVisitOn ? dayWords(each.lastVisitOn) : '—'}</td></tr>`,
    ),
  current > 1 ? '后面没有了。' : '还没有上级项目办的同志联系这里的团支部。',
)}
${pager('/console/contacts', { unit: String(unit.id) }, current, found.length > PAGE_SIZE)}`
}

// one's own

async function ownPage(view: View<unknown>, fault: string | null = null): Promise<Html> {
  const { rt, viewer } = view
  const { search } = z
    .object({ search: z.string().trim().max(40).catch('') })
    .parse((view.request.query ?? {}) as object)
  const personId = viewer.actor.person.id
  const today = dayOf(rt.clock.now())
  const sections: Html[] = []
  for (const rules of contactRules(rt.templates)) {
    const [offices, branches] = await Promise.all([
      officesOf(rt.db, personId, rules.scope),
      branchesOf(rt.db, personId, rules.scope, today.slice(0, 4)),
    ])
    if (offices.length === 0 && branches.length === 0) continue
    sections.push(
      html`${branches.map(branch => branchCard(view, branch, rules.visits, today))}`,
      ...(await Promise.all(
        offices.map(async office =>
          suggestions(
            view,
            office,
            await suggestFor(
              rt,
              { path: office.path, programme: rules.scope.programme },
              personId,
              search === '' ? undefined : search,
            ),
            branches.length >= rules.branches,
            search,
          ),
        ),
      )),
    )
  }
  const visits = sections.length > 0 ? await visitsOf(rt.db, personId, 10) : []
  return page(view, {
    title: '我联系的团支部',
    part: 'me',
    above: [['我的', '/me']],
    fault,
    body: html`${
      sections.length === 0
        ? emptyState('1+100 长期联系团支部，是西部计划全国、省、地市项目办同志的工作，您没有这样的职务。')
        : sections
    }${
      visits.length > 0
        ? html`<h2>走访记录</h2><div class="card"><ul class="plain">${visits.map(
            visit =>
              html`<li><b>${dayWords(visit.visitedOn)}</b> ${visit.unitName}${visit.place ? `，${visit.place}` : ''}${visit.note ? html`<br><span class="soft">${visit.note}</span>` : ''}</li>`,
          )}</ul></div>`
        : ''
    }`,
  })
}

function branchCard(view: View<unknown>, branch: KeptBranch, visits: number, today: string): Html {
  const path = `/me/contacts/${branch.contactId}`
  const body = (view.request.body ?? {}) as Record<string, string>
  const isThis = view.request.url.startsWith(path)
  return html`<section class="card"><h2>${branch.unitName}</h2>
<p>${branch.isInGroup === null ? tag('支部还没有群') : branch.isInGroup ? tag('在支部群里', 'good') : tag('还不在支部群里', 'wait')} ${visitTag(branch, visits)}</p>
<p class="soft">${dayWords(branch.sinceOn)}起联系${branch.lastVisitOn ? `，最近走访 ${dayWords(branch.lastVisitOn)}` : ''}</p>
<div class="deeds">${deed(`${path}/visits`, view.formToken, '今天走访了')}</div>
<details${isThis ? html` open` : ''}><summary>登记别的日期、地点和情况</summary>
<form method="post" action="${path}/visits">${token(view.formToken)}
${field('day', '日期', { type: 'date', value: isThis ? (body.day ?? '') : today, isRequired: true })}
${field('place', '地点', { value: isThis ? (body.place ?? '') : '' })}
${textArea('note', '情况', { value: isThis ? (body.note ?? '') : '', rows: 3, hint: '志愿者的工作、生活和思想情况，能帮着解决的困难。不要写涉密内容。' })}
<button class="second">登记</button></form></details>
<details><summary>换一个团支部</summary><p>先在下面另选一个，再点：</p>${deed(`${path}/end`, view.formToken, '不再联系这个支部', { isGrave: true, sure: `确定不再联系${branch.unitName}吗？` })}</details></section>`
}

function suggestions(
  view: View<unknown>,
  office: { id: number; name: string },
  branches: { id: number; name: string; parentName: string; contacts: number }[],
  hasEnough: boolean,
  search: string,
): Html {
  const list = html`<form class="row" method="get" action="/me/contacts">${field('search', '按团支部或县区名称找', { value: search, attributes: html`maxlength="40"` })}<button class="second">找</button></form>
${
  branches.length === 0
    ? emptyState(search === '' ? '范围内没有别的团支部。' : '没有找到，换个名称试试。')
    : html`<ul class="plain">${branches.map(
        branch =>
          html`<li class="own-group"><span>${branch.name} <span class="soft">${branch.parentName}，${branch.contacts > 0 ? `已有 ${branch.contacts} 位联系` : '还没有人联系'}</span></span>${deed('/me/contacts', view.formToken, '我来联系', { fields: { office: String(office.id), branch: String(branch.id) } })}</li>`,
      )}</ul>`
}`
  return hasEnough
    ? html`<details${search === '' ? '' : html` open`}><summary>再选一个团支部（${office.name}）</summary><div class="card">${list}</div></details>`
    : html`<section class="card"><h2>选一个团支部（${office.name}）</h2><p class="soft">先列没有人联系的。</p>${list}</section>`
}
