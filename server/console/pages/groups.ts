import { z } from 'zod'
import { listGroups } from '../../../db/queries/groups.ts'
import { addMonths, dayOf, shanghaiMoment } from '../../clock.ts'
import { groupPolicy, reachOf } from '../../domain/access/groups.ts'
import { taskPolicy } from '../../domain/access/tasks.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managingRoles } from '../../domain/actor.ts'
import { askForReading } from '../../domain/groups/ask-reading.ts'
import { finishTask } from '../../domain/groups/finish-task.ts'
import { readPasted } from '../../domain/groups/reconcile.ts'
import { reconcileUnit } from '../../domain/groups/reconcile-units.ts'
import {
  changeOwner,
  dissolveGroup,
  type Platform,
  platforms,
  possibleOwners,
  setJoinCode,
} from '../../domain/groups/register.ts'
import { endRollCall, openRollCall } from '../../domain/groups/roll-call.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import { dayWords, field, monthWords, pager, select, table, tag } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { outcomeWords } from './findings.ts'
import { type GroupInPlay, groupDetail, isByPlatform, opensToAll } from './group-detail.ts'
import { groupFormPages } from './group-form.ts'

const PAGE = 50

const pageNumber = z.coerce.number().int().min(1).max(100_000).catch(1)
const words = z.string().trim().max(400).catch('')
const asked = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  state: z.enum(['tasks', 'ownerless', 'requests']).optional().catch(undefined),
  month: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .optional()
    .catch(undefined),
  search: words,
  page: pageNumber,
})

const states = [
  ['', '全部'],
  ['tasks', '有待办'],
  ['ownerless', '没有群主'],
  ['requests', '有申请待审'],
] as const

/** `GET /console/groups` and one group with what can be done about it. */
export function groupPages(routes: Routes): void {
  routes.get('/console/groups', 'keeper', list)
  groupFormPages(routes)

  routes.get('/console/groups/:groupId', groupPolicy, view =>
    groupDetail(view, view.thing, { page: view.read(z.object({ page: pageNumber })).page }),
  )

  routes.post('/console/groups/:groupId/owner', groupPolicy, async view => {
    const asked = view.read(
      z.object({
        owner: words,
        unit: words,
        person: z.coerce.number().int().positive().optional().catch(undefined),
      }),
    )
    return answerOf(view, { owner: asked.owner, ownerUnit: asked.unit }, async () => {
      if (asked.owner === '') throw new DomainError('person.unknown', '请填写新群主的姓名。')
      const { ownerName, isAboard } = await inTransaction(view.rt, tx =>
        changeOwner(tx, view.viewer.actor, view.thing.id, {
          name: asked.owner,
          ...(asked.unit === '' ? {} : { unitName: asked.unit }),
          ...(asked.person === undefined ? {} : { personId: asked.person }),
        }),
      )
      return `群主已改为${ownerName}。请在微信里也移交群主（群管理 → 群主管理权转让）。${
        isAboard ? '' : `\n${ownerName}还没有用绑定码绑定账号，收不到通知：请其上级发码。`
      }`
    })
  })

  routes.post('/console/groups/:groupId/join-code', groupPolicy, async view => {
    const { joinCode } = view.read(z.object({ joinCode: z.string().trim().max(2000).catch('') }))
    return answerOf(view, { joinCode }, async () => {
      if (joinCode === '') throw new DomainError('group.join_code', '请填写入群链接或口令。')
      await inTransaction(view.rt, tx => setJoinCode(tx, view.viewer.actor, view.thing.id, joinCode))
      return '入群码已更新，审核通过的人会收到它。'
    })
  })

  routes.post('/console/groups/:groupId/dissolve', groupPolicy, view =>
    answerOf(view, {}, async () => {
      await inTransaction(view.rt, tx => dissolveGroup(tx, view.viewer.actor, view.thing.id))
      return '已登记为解散：从现在起不再收通知、不计入建群数，以往的记录仍计入报表。'
    }),
  )

  routes.post('/console/groups/:groupId/read', groupPolicy, view =>
    answerOf(view, {}, async () => {
      await inTransaction(view.rt, tx => askForReading(tx, view.viewer.actor, view.thing.id))
      return '已安排读取成员，通常一分钟内完成，请稍后刷新。'
    }),
  )

  routes.post('/console/groups/:groupId/tasks/:taskId/done', taskPolicy, async view => {
    const { task, group } = view.thing
    if ((view.request.params as { groupId: string }).groupId !== String(group.id)) throw new NotFound()
    return answerOf({ ...view, thing: group }, {}, async () => {
      const { outcome } = await inTransaction(view.rt, tx => finishTask(tx, view.viewer.actor, task.id))
      return `任务 ${task.id} ${outcomeWords[outcome]}`
    })
  })

  routes.post('/console/groups/:groupId/check', groupPolicy, view =>
    answerOf(view, {}, async () => {
      const { opened, closed } = await inTransaction(view.rt, tx => reconcileUnit(tx, view.thing.unitId))
      return `按名册和规定核对过了：新发现 ${opened} 件，销号 ${closed} 件。`
    }),
  )

  routes.post('/console/groups/:groupId/roll-call', groupPolicy, view =>
    answerOf(view, {}, async () => {
      await inTransaction(view.rt, tx => openRollCall(tx, view.viewer.actor, view.thing.id))
      return '签到已发起，请把下面的链接发到群里。'
    }),
  )

  routes.post('/console/groups/:groupId/roll-call/end', groupPolicy, view =>
    answerOf(view, {}, async () => {
      const { result } = await inTransaction(view.rt, tx => endRollCall(tx, view.viewer.actor, view.thing.id))
      return `签到结束：应在并已签到 ${result.present} 人，没有签到 ${result.missing.length} 人。`
    }),
  )

  routes.post('/console/groups/:groupId/reconcile', groupPolicy, async view => {
    const { pasted } = view.read(z.object({ pasted: z.string().max(100_000).catch('') }))
    const refuse = (fault: string) => {
      view.reply.code(422)
      return groupDetail(view, view.thing, { fault, pasted })
    }
    if (pasted.trim() === '') return refuse('请粘贴群里的接龙或成员名单。')
    if (opensToAll(view, view.thing)) return refuse('这个群面向青年开放，不按名册核对。')
    if (view.thing.dissolvedAt) return refuse(`“${view.thing.name}”已经解散，不能再办。`)
    try {
      const comparison = await inTransaction(view.rt, tx =>
        readPasted(tx, view.viewer.actor, view.thing, pasted),
      )
      const group = (await groupPolicy.find(view.rt, view.viewer, view.thing.id)) ?? view.thing
      return groupDetail(view, group, { pasted, comparison })
    } catch (error) {
      if (error instanceof DomainError) return refuse(error.message)
      throw error
    }
  })
}

/**
 * Does a deed about a group and says so on its page; a rule's refusal shows the page again with all that was filled in.
 * Whoever has given the group away may not see it any more and goes back to their list.
 */
async function answerOf(
  view: View<GroupInPlay>,
  filled: Parameters<typeof groupDetail>[2],
  deed: () => Promise<string>,
) {
  const { rt, viewer, thing: group } = view
  try {
    const words = await deed()
    const still = await groupPolicy.find(rt, viewer, group.id)
    return view.goTo(still ? `/console/groups/${group.id}` : '/console/groups', `“${group.name}”：${words}`)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    if (error.code === 'group.unknown')
      return groupDetail(view, group, { ...filled, fault: `“${group.name}”已经解散，不能再办。` })
    if (error.code !== 'person.ambiguous')
      return groupDetail(view, group, { ...filled, fault: error.message })
    const choices = await possibleOwners(rt, group, filled?.owner ?? '', filled?.ownerUnit || undefined)
    return groupDetail(view, group, {
      ...filled,
      choices,
      fault: `有 ${choices.length} 位“${filled?.owner}”，请选一位，再点“换群主”。`,
    })
  }
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const query = view.read(asked)
  const unit = query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit)
  if (query.unit !== undefined && !unit) throw new NotFound()
  const now = rt.clock.now()
  const monthEnd = query.month === undefined ? undefined : shanghaiMoment(`${addMonths(query.month, 1)}-01`)
  // the running month counts what stands now, as its sheet does
  const stoodAt = monthEnd && (monthEnd < now ? monthEnd : new Date(now.getTime() + 1))
  const found = await listGroups(
    rt.db,
    {
      reach: reachOf(rt.templates, viewer),
      unitPath: unit?.path,
      state: query.state,
      search: query.search,
      stoodAt,
      today: dayOf(now),
    },
    PAGE + 1,
    (query.page - 1) * PAGE,
  )
  const rows = found.slice(0, PAGE)
  const mayRegister = managingRoles(rt.templates, viewer.actor).length > 0
  const kept: Record<string, string> = {
    ...(unit ? { unit: String(unit.id) } : {}),
    ...(query.state ? { state: query.state } : {}),
    ...(query.month ? { month: query.month } : {}),
    ...(query.search ? { search: query.search } : {}),
  }
  return page(view, {
    title: unit ? `${unit.name}的群` : '群',
    part: 'groups',
    ...(unit ? { above: [['群', '/console/groups']] } : {}),
    body: html`<form class="card row" method="get" action="/console/groups">
${unit ? html`<input type="hidden" name="unit" value="${unit.id}">` : ''}${query.month ? html`<input type="hidden" name="month" value="${query.month}">` : ''}
${field('search', '找群', { value: query.search, placeholder: '群名称、群主或群号' })}
${select('state', '只看', states, { value: query.state ?? '', attributes: html`data-auto` })}<button class="second">查找</button></form>
<p class="soft">${unit ? `${unit.name}（含下级）` : '您管理的和您做群主的群'}${
      query.month ? `，${monthWords(query.month)}末仍在用的` : ''
    }，共 ${found[0]?.total ?? 0} 个。${Object.keys(kept).length > 0 ? html` <a href="/console/groups">看全部</a>` : ''}</p>
${table(
  '群',
  ['群号', '群名称', '类型', '单位', '在哪里', '群主', { name: '人数', isNumber: true }, '状况'],
  rows.map(
    group =>
      html`<tr><td>${group.id}</td><td><a href="/console/groups/${group.id}">${group.name}</a></td><td>${
        rt.templates.groupKind(group.programme, group.kind).name
      }</td><td>${group.unitName}</td><td class="nowrap">${platforms[group.platform as Platform]}</td><td class="nowrap">${
        group.ownerName ?? tag('没有群主', 'bad')
      }</td><td class="number nowrap">${group.size}/${group.capacity}</td><td>${standing(group)}</td></tr>`,
  ),
  Object.keys(kept).length > 0 ? '没有这样的群。' : '还没有登记过群。',
)}
${pager('/console/groups', kept, query.page, found.length > PAGE)}
${mayRegister ? html`<div class="deeds"><a class="button" href="/console/groups/new${unit ? `?unit=${unit.id}` : ''}">登记一个群</a></div>` : ''}`,
  })
}

function standing(group: Awaited<ReturnType<typeof listGroups>>[number]): Html {
  const open = group.openTasks - group.overdueTasks
  const tags = [
    group.dissolvedAt ? tag(`${dayWords(dayOf(group.dissolvedAt))}解散`) : '',
    group.overdueTasks > 0 ? tag(`待办过期 ${group.overdueTasks}`, 'bad') : '',
    open > 0 ? tag(`待办 ${open}`, 'wait') : '',
    group.waitingRequests > 0 ? tag(`待审 ${group.waitingRequests}`, 'wait') : '',
    group.size >= group.capacity ? tag('已满', 'bad') : '',
  ].filter(each => each !== '')
  return tags.length > 0
    ? html`${tags}`
    : isByPlatform(group)
      ? tag('成员由平台读取', 'good')
      : tag('无待办', 'good')
}
