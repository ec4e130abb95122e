import { z } from 'zod'
import { groupsOfUnit } from '../../../db/queries/groups.ts'
import { treeNodes } from '../../../db/queries/matrix.ts'
import { holdersOf, type UnitRow, unitsAbove } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managesUnit } from '../../domain/actor.ts'
import { formsOf } from '../../domain/forms/index.ts'
import { appointManager } from '../../domain/units/appoint-manager.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, figure, select, table, tag, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

/** `GET /console/units/:unitId`: a unit with its matrix manager, people, groups, and what lies below. */
export function unitPages(routes: Routes): void {
  routes.get('/console/units/:unitId', unitPolicy, async view => {
    const { rt, thing: unit } = view
    const month = addMonths(monthOf(rt.clock.now()), -1)
    const [above, groups, holders, children, [whole]] = await Promise.all([
      unitsAbove(rt.db, unit.path),
      groupsOfUnit(rt.db, unit.id),
      holdersOf(rt.db, unit.id),
      treeNodes(rt.db, unit, 'children', rt.clock.now(), month),
      treeNodes(rt.db, unit, 'self', rt.clock.now(), month),
    ])
    const programme = rt.templates.programme(unit.programme)
    const kind = programme.unitKinds.find(each => each.id === unit.kind)
    return page(view, {
      title: unit.name,
      part: 'overview',
      above: [
        ['矩阵', '/console'],
        ...above
          .filter(each => each.id !== unit.id && managesUnit(rt.templates, view.viewer.actor, each.path))
          .map((each): [string, string] => [each.name, `/console/units/${each.id}`]),
      ],
      body: html`<p class="soft">${programme.name} · ${kind?.name ?? unit.kind} · 编码 ${unit.code}</p>
${
  whole
    ? html`<div class="figures">${figure(whole.groups, '个群（含下级）', `/console/groups?unit=${unit.id}`)}
${figure(whole.openTasks, '项成员待办', `/console/groups?unit=${unit.id}&state=tasks`, whole.overdueTasks > 0 ? 'bad' : whole.openTasks > 0 ? 'wait' : 'good')}
${figure(whole.waitingRequests, '个申请待审', '/console/join-requests', whole.waitingRequests > 0 ? 'wait' : 'good')}
${figure(`${whole.reported}/${whole.reporting}`, '个单位上月有登记')}</div>`
    : ''
}
<div class="deeds"><a class="button second" href="/console/groups/new?unit=${unit.id}">登记一个群</a>
<a class="button second" href="/console/notices/new?unit=${unit.id}">发通知</a>
<a class="button second" href="/console/roster?unit=${unit.id}">名册</a>
<a class="button second" href="/console/findings?unit=${unit.id}">核对发现</a>
<a class="button second" href="/console/units/${unit.id}/hand-over">交接</a>
<a class="button second" href="/console/records?unit=${unit.id}">记录</a>
${diagramLink(unit, monthOf(rt.clock.now()))}</div>
${managerCard(view, unit.managerId, holders)}
<h2>群</h2>
${table(
  `${unit.name}的群`,
  ['群号', '群名称', '类型', '群主', { name: '人数', isNumber: true }],
  groups.map(
    group =>
      html`<tr><td>${group.id}</td><td><a href="/console/groups/${group.id}">${group.name}</a></td><td>${programme.groupKinds.find(each => each.id === group.kind)?.name ?? group.kind}</td><td>${group.ownerName ?? tag('没有群主', 'bad')}</td><td class="number">${group.size}</td></tr>`,
  ),
  '这个单位还没有登记过群。',
)}
<h2>人员</h2>
${table(
  `${unit.name}的人员`,
  ['姓名', '角色', '职务'],
  holders.map(
    holder =>
      html`<tr><td><a href="/console/persons/${holder.personId}">${holder.name}</a></td><td>${rt.templates.role(unit.programme, holder.role).name}</td><td>${holder.title ?? ''}</td></tr>`,
  ),
  '名册里还没有这个单位的人。',
)}
${
  children.length > 0
    ? html`<h2>下级单位</h2>${table(
        `${unit.name}的下级单位`,
        [
          '名称',
          { name: '群', isNumber: true },
          { name: '待办', isNumber: true },
          { name: '待审', isNumber: true },
          '专人',
        ],
        children.map(
          child =>
            html`<tr><td><a href="/console/units/${child.id}">${child.name}</a></td><td class="number">${child.groups}</td><td class="number">${child.openTasks}</td><td class="number">${child.waitingRequests}</td><td>${child.managerName ?? tag('还没有', 'wait')}</td></tr>`,
        ),
        '',
      )}`
    : ''
}`,
    })
  })

  routes.post('/console/units/:unitId/manager', unitPolicy, async view => {
    const { person } = view.read(z.object({ person: z.coerce.number({ error: '请选一个人。' }).int() }))
    const name = await appointManager(view.rt, view.viewer.actor, view.thing, person)
    return view.goTo(`/console/units/${view.thing.id}`, `${view.thing.name}的专人现在是${name}。`)
  })
}

/** 框架图 of the unit, where its level has groups of its own. */
function diagramLink(unit: UnitRow, month: string): Html | string {
  const form = formsOf(unit).find(each => each.picture)
  return form
    ? html`<a class="button second" href="/console/forms/${form.id}/${unit.id}/${month}">${form.name}</a>`
    : ''
}

/** 专人 (全国项目办发〔2018〕1号 三.3, 中少办发〔2017〕4号 五.1): a unit without one is a finding. */
function managerCard(
  view: View<{ id: number; name: string }>,
  managerId: number | null,
  holders: { personId: number; name: string; title: string | null }[],
): Html {
  const persons = [...new Map(holders.map(each => [each.personId, each])).values()]
  const manager = persons.find(each => each.personId === managerId)
  return html`<section class="card"><h2>专人</h2>
<p>${
    managerId === null
      ? html`${tag('还没有专人', 'wait')} 规定要有专人负责本级和下级各群的日常管理（全国项目办发〔2018〕1号 三.3；中少办发〔2017〕4号 五.1）。`
      : html`<b>${manager?.name ?? '（已不在这个单位）'}</b> 负责本级和下级各群的日常管理。`
  }</p>
${
  persons.length === 0
    ? emptyState('名册里还没有这个单位的人，先导入名册。')
    : html`<form class="row" method="post" action="/console/units/${view.thing.id}/manager">${token(view.formToken)}
${select(
  'person',
  '换成',
  persons.map(each => [String(each.personId), `${each.name} ${each.title ?? ''}`] as const),
  { value: String(managerId ?? '') },
)}<button class="second">确定</button></form>`
}</section>`
}
