import { z } from 'zod'
import { groupsOwnedBy } from '../../../db/queries/groups.ts'
import { type TreeNode, treeNodes } from '../../../db/queries/matrix.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managesGroup } from '../../domain/actor.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, figure, monthWords, progress, type Tone, tag } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

/** What the tree is coloured by: what matters now. */
const lenses = [
  { id: 'members', name: '成员' },
  { id: 'notices', name: '通知' },
  { id: 'records', name: '上月登记' },
] as const
type Lens = (typeof lenses)[number]['id']

const asked = z.object({ by: z.enum(['members', 'notices', 'records']).catch('members') })

/** `GET /console`: the matrix as a map of levels (框架图), coloured by what matters now; `…/children` is what is unfolded. */
export function matrixPages(routes: Routes): void {
  routes.get('/console', 'keeper', async view => {
    const { rt, viewer } = view
    const { by } = view.read(asked)
    const tops = topUnits(rt.templates, viewer.actor)
    const nodes = (await Promise.all(tops.map(unit => nodesOf(view, unit, 'self')))).flat()
    const owned = (await groupsOwnedBy(rt.db, viewer.actor.person.id)).filter(group =>
      managesGroup(rt.templates, viewer.actor, group),
    )
    return page(view, {
      title: '矩阵',
      part: 'overview',
      body: html`${tops.length > 0 ? summary(nodes) : ''}
${
  owned.length > 0
    ? html`<section class="card"><h2>我做群主的群</h2><ul class="plain">${owned
        .slice(0, 50)
        .map(
          group =>
            html`<li><a href="/console/groups/${group.id}">${group.name}</a> <span class="soft">群号 ${group.id} · ${group.unitName}</span></li>`,
        )}</ul></section>`
    : ''
}
${
  tops.length > 0
    ? html`<nav class="tabs" aria-label="按什么看">${lenses.map(
        lens =>
          html`<a href="/console?by=${lens.id}"${lens.id === by ? html` aria-current="page"` : ''}>按${lens.name}看</a>`,
      )}</nav>
<p class="soft">${legend(by, monthWords(lastMonth(view)))}</p>
<ul class="tree">${await Promise.all(
        nodes.map(async (node, at) => {
          const top = tops[at]
          const open = top && node.hasChildren ? await nodesOf(view, top, 'children') : []
          return treeItem(node, by, open)
        }),
      )}</ul>`
    : owned.length === 0
      ? emptyState('您名下还没有单位或群。')
      : ''
}`,
    })
  })

  routes.get('/console/units/:unitId/children', unitPolicy, async view => {
    const { by } = view.read(asked)
    return html`${(await nodesOf(view, view.thing, 'children')).map(node => treeItem(node, by))}`
  })
}

function nodesOf(
  view: View<unknown>,
  unit: { id: number; path: string },
  which: 'self' | 'children',
): Promise<TreeNode[]> {
  return treeNodes(view.rt.db, unit, which, view.rt.clock.now(), lastMonth(view))
}

function lastMonth({ rt }: View<unknown>): string {
  return addMonths(monthOf(rt.clock.now()), -1)
}

function summary(nodes: TreeNode[]): Html {
  const sum = (of: (node: TreeNode) => number) => nodes.reduce((total, node) => total + of(node), 0)
  const [tasks, overdue] = [sum(node => node.openTasks), sum(node => node.overdueTasks)]
  const [waiting, dry] = [sum(node => node.waitingRequests), sum(node => node.dryGroups)]
  const ownerless = sum(node => node.ownerless)
  return html`<div class="figures">
${figure(
  sum(node => node.groups),
  '个群',
  '/console/groups',
)}
${figure(waiting, '个入群申请待审', '/console/join-requests', waiting > 0 ? 'wait' : 'good')}
${figure(dry, '个群没收到近 7 天的通知', '/console/notices', sum(node => node.lateGroups) > 0 ? 'bad' : dry > 0 ? 'wait' : 'good')}
${figure(tasks, `项成员待办${overdue > 0 ? `（${overdue} 项过期）` : ''}`, '/console/groups?state=tasks', overdue > 0 ? 'bad' : tasks > 0 ? 'wait' : 'good')}
${ownerless > 0 ? figure(ownerless, '个群没有群主', '/console/groups?state=ownerless', 'bad') : ''}
</div>`
}

function legend(by: Lens, month: string): string {
  switch (by) {
    case 'members':
      return '绿：成员都对上；黄：有待办或待审；红：待办过期，或有群没有群主。'
    case 'notices':
      return '绿：近 7 天的通知都到了；黄：还有群没到；红：过了截止时间还没到。'
    case 'records':
      return `绿：${month}各单位都有登记；黄：有的单位还没有；红：都没有。`
  }
}

/** One unit; what lies below it is fetched when it is unfolded. */
function treeItem(node: TreeNode, by: Lens, open: TreeNode[] = []): Html {
  const { tone, words } = standing(node, by)
  const line = html`<a class="name" href="/console/units/${node.id}">${node.name}</a> ${words}
<span class="soft">${node.groups} 个群${node.managerName ? ` · 专人 ${node.managerName}` : ''}</span>`
  const isOpen = open.length > 0
  const fold = node.hasChildren
    ? html`<button type="button" class="fold" data-fold aria-expanded="${isOpen}" aria-label="${node.name}的下级"${
        isOpen
          ? ''
          : html` hx-get="/console/units/${node.id}/children?by=${by}" hx-trigger="click once" hx-target="next ul"`
      }></button>`
    : html`<span class="fold"></span>`
  return html`<li><div class="node ${tone}">${fold}${line}</div>${
    node.hasChildren
      ? html`<ul${isOpen ? '' : html` hidden`}>${isOpen ? open.map(child => treeItem(child, by)) : html`<li class="loading">正在读取……</li>`}</ul>`
      : ''
  }</li>`
}

function standing(node: TreeNode, by: Lens): { tone: Tone; words: Html | string } {
  if (node.groups === 0) return { tone: 'quiet', words: tag('还没有群') }
  switch (by) {
    case 'members': {
      const words = [
        node.overdueTasks > 0 ? tag(`待办过期 ${node.overdueTasks}`, 'bad') : '',
        node.ownerless > 0 ? tag(`无群主 ${node.ownerless}`, 'bad') : '',
        node.openTasks > node.overdueTasks ? tag(`待办 ${node.openTasks - node.overdueTasks}`, 'wait') : '',
        node.waitingRequests > 0 ? tag(`待审 ${node.waitingRequests}`, 'wait') : '',
      ]
      if (node.overdueTasks > 0 || node.ownerless > 0) return { tone: 'bad', words: html`${words}` }
      if (node.openTasks > 0 || node.waitingRequests > 0) return { tone: 'wait', words: html`${words}` }
      return { tone: 'good', words: tag('成员对上', 'good') }
    }
    case 'notices': {
      if (node.noticeGroups === 0) return { tone: 'quiet', words: tag('近 7 天没有通知') }
      const tone: Tone = node.lateGroups > 0 ? 'bad' : node.dryGroups > 0 ? 'wait' : 'good'
      const words = progress(
        node.noticeGroups - node.dryGroups,
        node.noticeGroups,
        `${node.name}收到通知的群`,
      )
      return {
        tone,
        words: html`${words}${node.lateGroups > 0 ? tag(`过期未到 ${node.lateGroups}`, 'bad') : ''}`,
      }
    }
    case 'records': {
      const tone: Tone = node.reported === node.reporting ? 'good' : node.reported === 0 ? 'bad' : 'wait'
      return { tone, words: progress(node.reported, node.reporting, `${node.name}有登记的单位`) }
    }
  }
}
