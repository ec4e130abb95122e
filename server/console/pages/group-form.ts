import { z } from 'zod'
import type { UnitRow } from '../../../db/queries/units.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managesUnit } from '../../domain/actor.ts'
import { type Platform, platforms, reachableUnits, registerGroupOnce } from '../../domain/groups/register.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import type { GroupKind } from '../../templates.ts'
import { page } from '../layout.ts'
import { emptyState, field, select, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

/** 客户群 is told by the platform and claimed, so it is not registered by hand. */
const choosable = (Object.keys(platforms) as Platform[]).filter(platform => platform !== 'customer')

const words = z.string().trim().max(2000).catch('')
const form = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  kind: words,
  platform: words,
  name: words,
  size: words,
  joinCode: words,
  webhook: words,
  /** The webhook of an earlier try, sealed: it is never shown again, and not lost either. */
  webhookKept: words,
})
type Form = z.output<typeof form>

/** `GET /console/groups/new`: which unit; then the form of registering a group of it. */
export function groupFormPages(routes: Routes): void {
  routes.get('/console/groups/new', 'manager', async view => {
    const filled = view.read(form)
    if (filled.unit === undefined) return chooseUnit(view)
    return groupForm(view, await unitOf(view, filled.unit), filled)
  })

  routes.post('/console/groups/new', 'manager', async view => {
    const filled = view.read(form)
    const unit = await unitOf(view, filled.unit)
    try {
      const group = await registerGroupOnce(view.rt, view.viewer.actor, {
        kind: kindOf(view, unit, filled.kind),
        unit,
        platform: platformOf(filled.platform),
        name: filled.name,
        size: /^\d{1,5}$/.test(filled.size) ? Number(filled.size) : Number.NaN,
        joinCode: filled.joinCode || null,
        webhook: filled.webhook || openKept(view, filled.webhookKept),
      })
      return view.goTo(
        `/console/groups/${group.id}`,
        `已登记：${group.name}，群号 ${group.id}（${group.unitName}，${group.size} 人），群主 ${group.ownerName}。${how[platformOf(filled.platform)]}`,
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return groupForm(view, unit, filled, error.message)
    }
  })
}

const how: Record<Platform, string> = {
  wechat: '通知会发给群主，请转发到群后在聊天里回一个字“转”。',
  internal: '通知会由群机器人直接发进群。',
  appchat: '正在创建，建好后通知直接发进群。',
  customer: '',
}

async function unitOf(view: View<unknown>, id: number | undefined): Promise<UnitRow> {
  const unit = id === undefined ? null : await unitPolicy.find(view.rt, view.viewer, id)
  if (!unit) throw new NotFound()
  return unit
}

function kindsFor({ rt }: View<unknown>, unit: UnitRow): GroupKind[] {
  return rt.templates.programme(unit.programme).groupKinds.filter(kind => kind.unitKinds.includes(unit.kind))
}

function kindOf(view: View<unknown>, unit: UnitRow, id: string): GroupKind {
  const kind = kindsFor(view, unit).find(each => each.id === id)
  if (!kind) throw new DomainError('group.unit_kind', '请选择群的类型。')
  return kind
}

function platformOf(id: string): Platform {
  const platform = choosable.find(each => each === id)
  if (!platform) throw new DomainError('group.platform', '请选择群在哪里。')
  return platform
}

/** Not ours or altered: as if it had not been filled in. */
function openKept({ rt }: View<unknown>, sealed: string): string | null {
  try {
    return sealed === '' ? null : rt.vault.open(sealed)
  } catch {
    return null
  }
}

async function chooseUnit(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { search } = view.read(z.object({ search: words }))
  const found: { id: number; name: string; path: string }[] =
    search === '' ? topUnits(rt.templates, viewer.actor) : await reachableUnits(rt, viewer.actor, search)
  const units = found.filter(unit => managesUnit(rt.templates, viewer.actor, unit.path))
  return page(view, {
    title: '登记一个群',
    part: 'groups',
    above: [['群', '/console/groups']],
    body: html`<p>先选是哪个单位的群。</p>
<form class="card row" method="get" action="/console/groups/new">${field('search', '单位名称', { value: search, placeholder: '如：镇川镇' })}<button class="second">查找</button></form>
${
  units.length === 0
    ? emptyState(`您的单位和下级里没有叫“${search}”的。请换个写法再找。`)
    : html`<ul class="plain card">${units.map(unit => html`<li><a href="/console/groups/new?unit=${unit.id}">${unit.name}</a></li>`)}</ul>`
}`,
  })
}

function groupForm(view: View<unknown>, unit: UnitRow, filled: Form, fault?: string): Html {
  const kinds = kindsFor(view, unit)
  const kept = filled.webhook !== '' ? view.rt.vault.seal(filled.webhook) : filled.webhookKept
  const rules = kinds.flatMap(kind =>
    kind.naming ? [`${kind.name}要像“${kind.naming.example}”（${kind.naming.source}）`] : [],
  )
  return page(view, {
    title: `登记${unit.name}的群`,
    part: 'groups',
    above: [
      ['群', '/console/groups'],
      [unit.name, `/console/units/${unit.id}`],
    ],
    fault: fault ?? null,
    body:
      kinds.length === 0
        ? emptyState(`${unit.name}不设群。`)
        : html`<form class="card" method="post" action="/console/groups/new">${token(view.formToken)}<input type="hidden" name="unit" value="${unit.id}">
${select('kind', '类型', choices(kinds.map(kind => [kind.id, kind.name] as const)), { value: filled.kind, isRequired: true })}
${select('platform', '在哪里', choices(choosable.map(id => [id, platformHint[id]] as const)), {
  value: filled.platform,
  isRequired: true,
  hint: '企业微信客户群不用在这里登记：建好后机器人会请群主认领。',
})}
${field('name', '群名称', {
  value: filled.name,
  isRequired: true,
  hint: ['与微信里一致，40 个字以内', ...rules].join('；'),
  attributes: html`maxlength="60"`,
})}
${field('size', '现在的人数', { value: filled.size, isRequired: true, attributes: html`inputmode="numeric"` })}
${field('joinCode', '入群链接或口令（微信群填）', {
  value: filled.joinCode,
  hint: '审核通过的人凭它入群；由群主拉人就不用填。二维码图片几天就失效，不保存。',
})}
${field('webhook', '群机器人的 Webhook 地址（机器人群填）', {
  type: 'password',
  hint: `群设置 → 消息推送 → 复制地址。加密保存，不再显示。${kept === '' ? '' : '刚才填的还在，不用再填；要换请重新粘贴。'}`,
  attributes: html`autocomplete="off"`,
})}
${kept === '' ? '' : html`<input type="hidden" name="webhookKept" value="${kept}">`}
<p class="soft">登记后群主先记为您本人，可以在群的页面上换。</p>
<button>登记</button></form>`,
  })
}

const platformHint: Record<Platform, string> = {
  wechat: '微信群',
  internal: '机器人群（企业微信内部群，已添加消息推送机器人）',
  appchat: '应用群（由本应用创建）',
  customer: '客户群',
}

function choices(all: (readonly [string, string])[]): (readonly [string, string])[] {
  return all.length === 1 ? all : [['', '请选择'], ...all]
}
