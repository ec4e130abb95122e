import { z } from 'zod'
import { countFindings, type ListedFinding, listFindings } from '../../../db/queries/findings.ts'
import { dayOf } from '../../clock.ts'
import { reachOf } from '../../domain/access/groups.ts'
import { findingPolicy } from '../../domain/access/tasks.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { findingKinds, findingName, isFindingKind, sourceWords } from '../../domain/groups/findings.ts'
import { finishTask } from '../../domain/groups/finish-task.ts'
import { reconcileUnit } from '../../domain/groups/reconcile-units.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import { agoWords, dayWords, deed, figure, pager, select, table, tag } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50

const asked = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  kind: z.string().refine(isFindingKind).optional().catch(undefined),
  due: z.enum(['overdue']).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})

/** What the person is told of a task that they said is done. */
export const outcomeWords: Record<Awaited<ReturnType<typeof finishTask>>['outcome'], string> = {
  word: '已登记为完成（以您的答复为准）。',
  was_closed: '已经销号了。',
  platform: '成员由平台读取，看到变化后会自动销号，不用登记。已安排读取。',
  checked: '系统核对过，已经办好，销号了。',
  stands: '系统核对过，情况还没有变，不能销号。',
}

/** `GET /console/findings`: what the reconcile has found in the groups and units that one looks after. */
export function findingPages(routes: Routes): void {
  routes.get('/console/findings', 'keeper', list)

  routes.post('/console/findings/:findingId/done', findingPolicy, async view => {
    const { outcome, placeName } = await inTransaction(view.rt, tx =>
      finishTask(tx, view.viewer.actor, view.thing.id),
    )
    return view.goTo('/console/findings', `“${placeName}”的第 ${view.thing.id} 件：${outcomeWords[outcome]}`)
  })

  routes.post('/console/units/:unitId/reconcile', unitPolicy, async view => {
    const { opened, closed, open } = await inTransaction(view.rt, tx => reconcileUnit(tx, view.thing.id))
    return view.goTo(
      `/console/findings?unit=${view.thing.id}`,
      `${view.thing.name}和它的群核对过了：新发现 ${opened} 件，销号 ${closed} 件，还有 ${open} 件没办完。`,
    )
  })
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const query = view.read(asked)
  const unit = query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit)
  if (query.unit !== undefined && !unit) throw new NotFound()
  const now = rt.clock.now()
  const today = dayOf(now)
  const filter = {
    reach: reachOf(rt.templates, viewer),
    unitPath: unit?.path,
    kind: query.kind,
    isOverdue: query.due === 'overdue',
    today,
  }
  const [rows, counts] = await Promise.all([
    listFindings(rt.db, filter, PAGE + 1, (query.page - 1) * PAGE),
    countFindings(rt.db, { ...filter, kind: undefined, isOverdue: false }),
  ])
  const sum = (read: (count: (typeof counts)[number]) => number) =>
    counts.reduce((total, count) => total + read(count), 0)
  const [open, overdue] = [sum(count => count.open), sum(count => count.overdue)]
  const kept: Record<string, string> = {
    ...(unit ? { unit: String(unit.id) } : {}),
    ...(query.kind ? { kind: query.kind } : {}),
    ...(query.due ? { due: query.due } : {}),
  }
  const within = unit ? `&unit=${unit.id}` : ''
  const ofKind = new Map(counts.map(count => [count.kind, count.open]))
  return page(view, {
    title: unit ? `${unit.name}的核对发现` : '成员核对的发现',
    part: 'groups',
    above: [
      ['群', '/console/groups'],
      ...(unit ? [['成员核对的发现', '/console/findings'] as [string, string]] : []),
    ],
    body: html`<p class="soft">每天夜里按名册和建群的规定核对一遍：谁该进没进、谁不该在群、群主和专人是不是规定的人。能读到的，办好后自动销号。</p>
<div class="figures">${figure(open, '件没办完', `/console/findings${unit ? `?unit=${unit.id}` : ''}`, open > 0 ? 'wait' : 'good')}
${figure(overdue, '件已过期', `/console/findings?due=overdue${within}`, overdue > 0 ? 'bad' : 'good')}</div>
<form class="card row" method="get" action="/console/findings">${unit ? html`<input type="hidden" name="unit" value="${unit.id}">` : ''}
${select(
  'kind',
  '哪一种',
  [
    ['', '全部'],
    ...findingKinds
      .filter(kind => ofKind.has(kind) || kind === query.kind)
      .map((kind): [string, string] => [kind, `${findingName(kind)}（${ofKind.get(kind) ?? 0}）`]),
  ],
  { value: query.kind ?? '', attributes: html`data-auto` },
)}
${select(
  'due',
  '期限',
  [
    ['', '全部'],
    ['overdue', '已过期'],
  ],
  { value: query.due ?? '', attributes: html`data-auto` },
)}<button class="second">查看</button></form>
${unit ? html`<div class="deeds">${deed(`/console/units/${unit.id}/reconcile`, view.formToken, '现在核对本单位')}</div>` : ''}
${findingsTable(view, rows.slice(0, PAGE), {
  empty:
    Object.keys(kept).length > 0 ? '没有这样的发现。' : '没有发现：群里的人、群主和专人都与名册和规定相符。',
})}
${pager('/console/findings', kept, query.page, rows.length > PAGE)}`,
  })
}

/** A list of findings: what each is and by which rule, where, who is asked, until when and since when. */
export function findingsTable(
  view: View<unknown>,
  rows: readonly ListedFinding[],
  { empty, isOneGroup = false }: { empty: string; isOneGroup?: boolean },
): Html {
  const now = view.rt.clock.now()
  const today = dayOf(now)
  return table(
    '成员核对的发现',
    ['编号', '情况和办法', ...(isOneGroup ? [] : ['在哪里']), '请谁办', '期限', '办理'],
    rows.map(
      row =>
        html`<tr><td>${row.id}</td><td class="finding">${tag(findingName(row.kind), row.dueOn < today ? 'bad' : 'wait')} ${row.why} <small class="soft">${row.source === null ? '入群审核' : `依据：${sourceWords(row.source)}`}</small></td>${
          isOneGroup
            ? ''
            : html`<td>${
                row.groupId === null
                  ? html`<a href="/console/units/${row.placeId}">${row.unitName}</a>`
                  : html`<a href="/console/groups/${row.groupId}">${row.groupName}</a> <span class="soft">${row.unitName}</span>`
              }</td>`
        }<td class="nowrap">${row.askedName ?? tag('没有人', 'bad')}</td><td class="nowrap">${dayWords(row.dueOn).slice(5)} ${row.dueOn < today ? tag('过期', 'bad') : ''}<br><small class="soft">已 ${agoWords(now.getTime() - row.createdAt.getTime())}</small></td><td class="nowrap">${deed(`/console/findings/${row.id}/done`, view.formToken, '已办好')}</td></tr>`,
    ),
    empty,
  )
}
