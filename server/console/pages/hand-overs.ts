import { z } from 'zod'
import { officesOf } from '../../../db/queries/contacts.ts'
import {
  type HandOverItemRow,
  type HandOverRow,
  handOversUnder,
  itemsOfHandOver,
  type ListedHandOver,
  openHandOversTo,
  personsInLine,
} from '../../../db/queries/hand-overs.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { handOverPolicy, ownHandOverPolicy } from '../../domain/access/hand-overs.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { contactRules } from '../../domain/contacts/rules.ts'
import { handOverRules, itemWords } from '../../domain/hand-over/policy.ts'
import { startHandOver } from '../../domain/hand-over/start.ts'
import { tick } from '../../domain/hand-over/tick.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, deed, emptyState, moment, pager, progress, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE_SIZE = 50
const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })
const chosen = z.object({
  from: z.coerce.number({ error: '请选交出工作的同志。' }).int().positive('请选交出工作的同志。'),
  to: z.coerce.number({ error: '请选接手的同志。' }).int().positive('请选接手的同志。'),
})

/** `/console/hand-overs`: 交接 in the units one runs, and `/me/hand-overs/:handOverId`, the checklist of who takes over. */
export function handOverPages(routes: Routes): void {
  routes.get('/console/hand-overs', 'manager', listPage)

  routes.get('/console/units/:unitId/hand-over', unitPolicy, view => newPage(view))
  routes.post('/console/units/:unitId/hand-over', unitPolicy, view => start(view, view.thing, newPage))

  routes.get('/console/hand-overs/:handOverId', handOverPolicy, view => onePage(view))
  routes.post('/console/hand-overs/:handOverId/start', handOverPolicy, async view => {
    const unit = (await unitById(view.rt.db, view.thing.unitId)) as UnitRow
    return start(view, unit, onePage, view.thing.fromId)
  })
  routes.post('/console/hand-overs/:handOverId/done', handOverPolicy, view =>
    done(view, `/console/hand-overs/${view.thing.id}`),
  )

  routes.get('/me/hand-overs/:handOverId', ownHandOverPolicy, async view =>
    page(view, {
      title: `接手${view.thing.fromName}的工作`,
      part: 'me',
      above: [['我的', '/me']],
      body: html`<p class="soft">${view.thing.unitName}</p>${await checklist(view, `/me/hand-overs/${view.thing.id}`)}`,
    }),
  )
  routes.post('/me/hand-overs/:handOverId/done', ownHandOverPolicy, view =>
    done(view, `/me/hand-overs/${view.thing.id}`),
  )
}

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const tops = topUnits(rt.templates, viewer.actor)
  const found = await handOversUnder(
    rt.db,
    tops.map(top => top.path),
    { limit: PAGE_SIZE + 1, offset: (number - 1) * PAGE_SIZE },
  )
  const today = dayOf(rt.clock.now())
  return page(view, {
    title: '交接',
    part: 'roster',
    above: [['名册', '/console/roster']],
    body: html`<p class="soft">群主或工作人员变动，要有人接手：群、待办、待审的申请、待转的通知和联系的团支部一次移交，微信里的群主、公众号管理员等按清单逐项办。</p>
<div class="deeds">${tops
      .slice(0, 3)
      .map(
        top =>
          html`<a class="button second" href="/console/units/${top.id}/hand-over">${top.name}办理交接</a>`,
      )}</div>
${table(
  '交接',
  ['谁的工作', '接手的同志', '进度', '期限'],
  found.slice(0, PAGE_SIZE).map(each => row(each, today)),
  number > 1 ? '后面没有了。' : '没有要办的交接。有人从名册上离开，而名下有群或负责一个单位时，会列在这里。',
)}
${pager('/console/hand-overs', {}, number, found.length > PAGE_SIZE)}`,
  })
}

function row(each: ListedHandOver, today: string): Html {
  const isLate = each.status !== 'closed' && each.dueOn < today
  return html`<tr><td><a href="/console/hand-overs/${each.id}">${each.fromName}</a><br><span class="soft">${each.unitName}</span></td><td class="nowrap">${each.toName ?? tag('还没有定', isLate ? 'bad' : 'wait')}</td><td>${
    each.status === 'closed'
      ? tag('办完', 'good')
      : each.status === 'proposed'
        ? '等定人'
        : progress(each.done, each.byHand, `${each.fromName}的交接`)
  }</td><td class="nowrap">${each.status === 'closed' ? '' : isLate ? tag('已过期', 'bad') : dayWords(each.dueOn).slice(5)}</td></tr>`
}

async function newPage(view: View<UnitRow>, fault: string | null = null): Promise<Html> {
  const { rt, thing: unit } = view
  const source = (fault === null ? view.request.query : view.request.body) as Record<string, string>
  const persons = await personsInLine(rt.db, unit.path, 500)
  const own = persons.filter(each => each.unitId === unit.id)
  return page(view, {
    title: '办理交接',
    part: 'roster',
    above: [
      [unit.name, `/console/units/${unit.id}`],
      ['交接', '/console/hand-overs'],
    ],
    fault,
    body:
      own.length === 0
        ? emptyState('名册里还没有这个单位的人，先导入名册。')
        : html`<form class="card" method="post" action="/console/units/${unit.id}/hand-over">${token(view.formToken)}
${select('from', `交出工作的同志（${unit.name}）`, choices(own, false), { value: source.from ?? null, isRequired: true })}
${select('to', '接手的同志', choices(persons, true), { value: source.to ?? null, isRequired: true })}
<button>开始交接</button>
<p class="soft">要在${handOverRules.doneWithinDays.value}天内办完。已经离开名册的同志，在“交接”里选他的那一条。</p></form>`,
  })
}

type Choice = Awaited<ReturnType<typeof personsInLine>>[number]

function choices(persons: Choice[], withUnit: boolean): [string, string][] {
  return [
    ['', '请选择'],
    ...persons.map((each): [string, string] => [
      String(each.personId),
      [each.name, withUnit ? each.unitName : '', each.title ?? ''].filter(part => part !== '').join(' '),
    ]),
  ]
}

/** @param fromId whose work it is where that is settled */
async function start<Thing>(
  view: View<Thing>,
  unit: UnitRow,
  again: (view: View<Thing>, fault: string) => Promise<Html>,
  fromId?: number,
) {
  try {
    const body = (view.request.body ?? {}) as Record<string, unknown>
    const parsed = chosen.safeParse(fromId === undefined ? body : { ...body, from: fromId })
    if (!parsed.success)
      throw new DomainError('form.invalid', parsed.error.issues[0]?.message ?? '请选择两位同志。')
    const started = await startHandOver(view.rt, view.viewer.actor, {
      unit,
      fromId: parsed.data.from,
      toId: parsed.data.to,
    })
    return view.goTo(
      `/console/hand-overs/${started.id}`,
      `已移交给${started.toName ?? ''}，清单也发给了对方。`,
    )
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return again(view, error.message)
  }
}

async function onePage(view: View<HandOverRow>, fault: string | null = null): Promise<Html> {
  const { rt, thing: handOver } = view
  const now = rt.clock.now()
  const isLate = handOver.dueOn < dayOf(now)
  return page(view, {
    title: `${handOver.fromName}的交接`,
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['交接', '/console/hand-overs'],
    ],
    fault,
    body: html`<p class="soft"><a href="/console/units/${handOver.unitId}">${handOver.unitName}</a> · 交接 ${handOver.id}${
      handOver.startedAt
        ? html` · ${handOver.startedByName ?? ''}${moment(handOver.startedAt, now)}开始`
        : html` · ${moment(handOver.createdAt, now)}名册变动后提出`
    }</p>
${
  handOver.status === 'proposed'
    ? html`<section class="card"><h2>定接手的同志</h2>
<p>${handOver.fromName}已不在${handOver.unitName}的名册上。没有人接，群里的通知和申请就没人办。${isLate ? tag(`${dayWords(handOver.dueOn)}已过期`, 'bad') : html`请在${dayWords(handOver.dueOn)}前定下。`}</p>
<form class="row" method="post" action="/console/hand-overs/${handOver.id}/start">${token(view.formToken)}
${select(
  'to',
  '接手的同志',
  choices(
    (await personsInLine(rt.db, handOver.unitPath, 500)).filter(each => each.personId !== handOver.fromId),
    true,
  ),
  {
    value: String((view.request.body as { to?: string } | undefined)?.to ?? ''),
    isRequired: true,
  },
)}<button>开始交接</button></form></section>`
    : html`<p>由 <b>${handOver.toName}</b> 接手。${handOver.status === 'closed' ? tag('办完', 'good') : isLate ? tag(`${dayWords(handOver.dueOn)}已过期`, 'bad') : html`<span class="soft">${dayWords(handOver.dueOn)}前办完</span>`}</p>
${await checklist(view, `/console/hand-overs/${handOver.id}`)}`
}`,
  })
}

async function checklist(view: View<HandOverRow>, path: string): Promise<Html> {
  const items = await itemsOfHandOver(view.rt.db, view.thing.id)
  const now = view.rt.clock.now()
  const byHand = items.filter(item => item.isByHand)
  const moved = items.filter(item => !item.isByHand)
  return html`<h2>要手工办的（${byHand.filter(item => item.doneAt).length}/${byHand.length}）</h2>
${
  byHand.length === 0
    ? emptyState('没有要手工办的。')
    : html`<div class="card"><ul class="plain">${byHand.map(
        item =>
          html`<li class="own-group"><span>${item.groupName === null ? '' : html`<b>${item.groupName}</b>：`}${itemWords(item.kind)}</span>${
            item.doneAt
              ? html`<span class="soft">${tag('已办好', 'good')} ${item.doneByName ?? ''} ${moment(item.doneAt, now)}</span>`
              : deed(`${path}/done`, view.formToken, '已办好', { fields: { item: String(item.id) } })
          }</li>`,
      )}</ul></div>`
}
<h2>系统已经移交的</h2>
${moved.length === 0 ? emptyState('名下没有群、待办和联系的团支部。') : html`<div class="card"><ul class="plain">${moved.map(movedItem)}</ul></div>`}`
}

function movedItem(item: HandOverItemRow): Html {
  return html`<li>${itemWords(item.kind)} <b>${item.count}</b> 项</li>`
}

async function done(view: View<HandOverRow>, path: string) {
  const { item } = view.read(z.object({ item: z.coerce.number({ error: '请点一项。' }).int().positive() }))
  const mine = (await itemsOfHandOver(view.rt.db, view.thing.id)).some(each => each.id === item)
  if (!mine) throw new NotFound()
  const { left } = await tick(view.rt, view.viewer.actor, item)
  return view.goTo(path, left > 0 ? `已记下。还有 ${left} 项。` : '都办好了，交接办完，谢谢！')
}

/** For the first page of somebody's own: what they take over, and the branches that they keep contact with. */
export async function ownDutiesCard(view: View<null>): Promise<Html | string> {
  const { rt, viewer } = view
  const { id } = viewer.actor.person
  const taking = await openHandOversTo(rt.db, id)
  const offices = await Promise.all(
    contactRules(rt.templates).map(({ scope }) => officesOf(rt.db, id, scope)),
  )
  const today = dayOf(rt.clock.now())
  const isContact = offices.flat().length > 0
  if (taking.length === 0 && !isContact) return ''
  return html`<section class="card"><h2>我的工作</h2><ul class="plain">${taking.map(
    each =>
      html`<li><a href="/me/hand-overs/${each.id}">接手${each.fromName}的工作</a>：还有 ${each.byHand - each.done} 项 ${each.dueOn < today ? tag('已过期', 'bad') : html`<span class="soft">${dayWords(each.dueOn)}前</span>`}</li>`,
  )}${isContact ? html`<li><a href="/me/contacts">我联系的团支部</a> <span class="soft">1+100，走访一点就登记</span></li>` : ''}</ul></section>`
}
