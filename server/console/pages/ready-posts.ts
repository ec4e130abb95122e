import { z } from 'zod'
import { type ListedPost, listReadyPosts, spreadPractices } from '../../../db/queries/ready-posts.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { readyPostPolicy } from '../../domain/access/ready-posts.ts'
import { managingRoles } from '../../domain/actor.ts'
import { coachedProgrammes, coachRules } from '../../domain/coach/rules.ts'
import { suggestCategory, withdrawReadyPost, writeReadyPost } from '../../domain/coach/write-post.ts'
import { CATEGORIES } from '../../domain/messages/categories.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, emptyState, field, moment, pager, select, table, tag, textArea, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

const PAGE = 30
const MOST_PRACTICES = 5

const listQuery = z.object({
  over: z.string().optional().catch(undefined),
  practice: z.coerce.number().int().positive().optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const form = z.object({
  unit: z.coerce.number().int().positive().catch(0),
  body: z.string().max(6000).catch(''),
  link: z.string().max(600).catch(''),
  category: z.string().max(20).catch(''),
  days: z.coerce.number().int().catch(0),
})
type Form = z.output<typeof form>

/** `/console/ready-posts`: what a level offers to the groups below to be passed on with one tap. */
export function readyPostPages(routes: Routes): void {
  routes.get('/console/ready-posts', 'manager', view => listPage(view))
  routes.post('/console/ready-posts', 'manager', async view => {
    const input = view.read(form)
    if (input.category === '' && input.body.trim() !== '') {
      const { category, because } = suggestCategory(input.body)
      const why = because.length > 0 ? `（因为有“${because.join('”“')}”）` : ''
      return listPage(
        view,
        { ...input, category },
        { hint: `看内容像“${category}”${why}，核对后再点“备好”。` },
      )
    }
    try {
      const id = await writeReadyPost(view.rt, view.viewer.actor, {
        unitId: input.unit,
        body: input.body,
        link: input.link.trim() === '' ? null : input.link.trim(),
        category: input.category,
        days: input.days,
      })
      return view.goTo(
        '/console/ready-posts',
        `备选 ${id} 已备好，缺这一类的群主会看到，回复“发 ${id}”就能转。`,
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return listPage(view, input, { fault: error.message })
    }
  })
  routes.post('/console/ready-posts/:readyPostId/end', readyPostPolicy, async view => {
    await withdrawReadyPost(view.rt, view.viewer.actor, view.thing)
    return view.goTo('/console/ready-posts', `备选 ${view.thing.id} 已停用；已经转发的照样计数。`)
  })
}

/** The units for which somebody can write: those that they run, of programmes that count by category. */
function ownUnits({ rt, viewer }: View<null>): { id: number; name: string }[] {
  const programmes = coachedProgrammes(rt.templates)
  const units = new Map<number, string>()
  for (const role of managingRoles(rt.templates, viewer.actor).sort(
    (a, b) => a.unitPath.length - b.unitPath.length,
  ))
    if (programmes.includes(role.programme)) units.set(role.unitId, role.unitName)
  return [...units].map(([id, name]) => ({ id, name }))
}

/** @param filled what was typed, shown again with its fault or with what to look at before it is done */
async function listPage(
  view: View<null>,
  filled: Partial<Form> = {},
  said: { fault?: string; hint?: string } = {},
): Promise<Html> {
  const { rt, viewer } = view
  const asked = view.request.method === 'GET' ? view.read(listQuery) : listQuery.parse({})
  const isOver = asked.over !== undefined
  const now = rt.clock.now()
  const units = ownUnits(view)
  const unitIds = units.map(unit => unit.id)
  const [posts, practices] = await Promise.all([
    listReadyPosts(
      rt.db,
      topUnits(rt.templates, viewer.actor).map(unit => unit.path),
      now,
      { isOver, limit: PAGE + 1, offset: (asked.page - 1) * PAGE },
    ),
    spreadPractices(rt.db, unitIds, MOST_PRACTICES),
  ])
  const practice = practices.find(each => each.id === asked.practice)
  const values: Partial<Form> = practice ? { body: practice.body, unit: practice.unitId, ...filled } : filled
  return page(view, {
    title: '备选消息',
    part: 'records',
    above: [['记录', '/console/records']],
    fault: said.fault ?? null,
    body: html`<p class="soft">备好的消息，下面的群主在聊天里回复“推荐”就能看到，一点就转；本月群里缺这一类的，一周至多提醒一次。只帮忙，不排名。</p>
${units.length === 0 ? emptyState('您管理的单位没有分类统计的群，不用备消息。') : writeForm(view, units, values, said.hint)}
${
  practices.length > 0
    ? html`<details><summary>从推广过的好做法里选</summary><ul class="plain">${practices.map(
        each =>
          html`<li><a href="/console/ready-posts?practice=${each.id}">${[...each.body].slice(0, 40).join('')}…</a></li>`,
      )}</ul></details>`
    : ''
}
<h2>${isOver ? '已经停用的' : '正在提供的'}</h2>
<p><a href="/console/ready-posts${isOver ? '' : '?over=1'}">${isOver ? '看正在提供的' : '看停用和到期的'}</a></p>
${table(
  isOver ? '已经停用的备选消息' : '正在提供的备选消息',
  ['编号', '内容', '类别', '单位', isOver ? '停用' : '提供到', { name: '转发的群', isNumber: true }, '办理'],
  posts.slice(0, PAGE).map(post => postRow(view, post, isOver)),
  isOver ? '没有停用的。' : '现在没有提供的备选消息。',
)}
${pager('/console/ready-posts', isOver ? { over: '1' } : {}, asked.page, posts.length > PAGE)}`,
  })
}

function writeForm(
  view: View<null>,
  units: { id: number; name: string }[],
  values: Partial<Form>,
  hint: string | undefined,
): Html {
  return html`<form class="card" method="post" action="/console/ready-posts"><h2>备一条消息</h2>${token(view.formToken)}
${hint ? html`<p class="said" role="status">${hint}</p>` : ''}
${
  units.length === 1
    ? html`<input type="hidden" name="unit" value="${units[0]?.id}">`
    : select(
        'unit',
        '谁备的',
        units.map(unit => [String(unit.id), unit.name] as const),
        { value: String(values.unit ?? units[0]?.id) },
      )
}
${textArea('body', '内容', { value: values.body ?? '', rows: 6, isRequired: true, hint: '一条消息，约 670 个汉字以内；和通知一样检查涉密内容和个人信息。' })}
${field('link', '链接（可以不填）', { value: values.link ?? '', type: 'url', placeholder: 'https://' })}
${select('category', '类别', [['', '按内容判断，我再核对'], ...CATEGORIES.map(each => [each, each] as const)], { value: values.category ?? '' })}
${select(
  'days',
  '提供',
  coachRules.days.value.map(days => [String(days), `${days} 天`] as const),
  { value: String(values.days || coachRules.days.value[1]) },
)}
<div class="deeds"><button>备好</button></div></form>`
}

function postRow({ formToken, rt }: View<null>, post: ListedPost, isOver: boolean): Html {
  return html`<tr><td class="number">${post.id}</td><td class="excerpt"><details><summary>${[...post.body].slice(0, 30).join('')}${[...post.body].length > 30 ? '…' : ''}</summary><p class="prose">${post.body}</p>${post.link ? html`<p><a href="${post.link}" rel="noreferrer">${post.link}</a></p>` : ''}</details></td><td class="nowrap">${tag(post.category)}</td><td>${post.unitName}<br><span class="soft">${post.writerName}</span></td><td class="nowrap">${moment(post.endsAt, rt.clock.now())}</td><td class="number">${post.uses}</td><td>${isOver ? '' : deed(`/console/ready-posts/${post.id}/end`, formToken, '停用')}</td></tr>`
}
