import { z } from 'zod'
import { type ErasureRow, erasuresOf } from '../../../db/queries/erasures.ts'
import { type GroupWithUnit, groupsJoinedBy, groupsOwnedBy } from '../../../db/queries/groups.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { entryHistoryOf, type PersonRow, rolesOf } from '../../../db/queries/persons.ts'
import { personPolicy } from '../../domain/access/persons.ts'
import { managesGroup, managesUnit } from '../../domain/actor.ts'
import { issueBindingCodeFor } from '../../domain/identities/issue-code.ts'
import { shownNumbers } from '../../domain/persons/shown-numbers.ts'
import { UNMASK_REASONS, type UnmaskedNumbers, unmaskPerson } from '../../domain/persons/unmask.ts'
import { eraseForOffice, outlookOf, type WhyErased } from '../../domain/privacy/erase.ts'
import { kindWords, privacyPolicy } from '../../domain/privacy/policy.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, emptyState, field, moment, momentWords, select, table, tag, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'
import { roleWords, statusTag, termWords } from './roster.ts'

/** Something that a page shows once: numbers in full, or a code that was just made. */
interface Once {
  numbers?: UnmaskedNumbers
  code?: Html
  fault?: string
  fields?: { reason?: string; words?: string }
  /** What was typed to have somebody's data deleted. */
  said?: string
}

const unmasking = z.object({
  reason: z.enum(
    UNMASK_REASONS.map(([id]) => id),
    { error: '请选择为什么要查看。' },
  ),
  words: z.string().max(200, { error: '说明请在 200 字以内。' }).default(''),
})

/** `GET /console/persons/:personId` and what can be done there. */
export function personPages(routes: Routes): void {
  routes.get('/console/persons/:personId', personPolicy, view => personPage(view))

  routes.post('/console/persons/:personId/unmask', personPolicy, async view => {
    const { rt, viewer, thing: person } = view
    try {
      const { reason, words } = view.read(unmasking)
      const numbers = await unmaskPerson(rt, viewer.actor, { personId: person.id, reason, words })
      return await personPage(view, { numbers })
    } catch (error) {
      return refuse(view, error, valuesOf(view))
    }
  })

  eraseRoute(routes)

  routes.post('/console/persons/:personId/binding-code', personPolicy, async view => {
    const { rt, viewer, thing: person } = view
    try {
      const issued = await issueBindingCodeFor(rt, viewer.actor, person)
      const code = html`<p class="said" role="status">绑定码：<b class="code">${issued.code}</b>
请当面或用您信得过的方式告诉${person.name}，让本人在聊天里发送：绑定 ${issued.code}
${momentWords(issued.expiresAt, rt.clock.now())} 前有效，只能用一次；离开这一页就看不到了。</p>`
      return await personPage(view, { code })
    } catch (error) {
      return refuse(view, error)
    }
  })
}

function eraseRoute(routes: Routes): void {
  routes.post('/console/persons/:personId/erase', personPolicy, async view => {
    const { rt, viewer, thing: person } = view
    const { name } = (view.request.body ?? {}) as { name?: unknown }
    const said = typeof name === 'string' ? name.slice(0, 100) : ''
    try {
      await eraseForOffice(rt, viewer.actor, { person, said })
      return view.goTo(`/console/persons/${person.id}`, '已删除这个人的信息。')
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return personPage(view, { fault: error.message, said })
    }
  })
}

function refuse(view: View<PersonRow>, error: unknown, fields?: Once['fields']): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  view.reply.code(422)
  return personPage(view, { fault: error.message, ...(fields ? { fields } : {}) })
}

function valuesOf({ request }: View<unknown>): Once['fields'] {
  const { reason, words } = (request.body ?? {}) as Record<string, unknown>
  return {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof words === 'string' ? { words: words.slice(0, 200) } : {}),
  }
}

async function personPage(view: View<PersonRow>, once: Once = {}): Promise<Html> {
  const { rt, viewer, thing: person } = view
  const now = rt.clock.now()
  const [roles, history, joined, owned, accounts, erasures, outlook] = await Promise.all([
    rolesOf(rt.db, person.id),
    entryHistoryOf(rt.db, person.id),
    groupsJoinedBy(rt.db, person.id),
    groupsOwnedBy(rt.db, person.id),
    identitiesOf(rt.db, person.id),
    erasuresOf(rt.db, person.id),
    outlookOf(rt, person.id),
  ])
  // what they are elsewhere is the business of those who run it
  const isOurs = (each: { unitPath: string }) => managesUnit(rt.templates, viewer.actor, each.unitPath)
  const ownRoles = roles.filter(isOurs)
  const ownHistory = history.filter(isOurs)
  return page(view, {
    title: person.name,
    part: 'roster',
    above: [['名册', '/console/roster']],
    fault: once.fault ?? null,
    body: html`${once.code ?? ''}
<div class="cards"><section class="card"><h2>联系方式</h2>${numbersCard(view, once, erasures.length > 0)}</section>
<section class="card"><h2>账号</h2>
${
  accounts.length === 0
    ? html`<p>${tag('还没有绑定账号', 'wait')} 收不到通知，也不能登录。请发一个绑定码。</p>`
    : html`<ul class="plain">${accounts.map(
        account =>
          html`<li>${platformNames[account.channel] ?? account.channel} ${account.isReachable ? tag('能收到消息', 'good') : tag('收不到消息', 'bad')} <span class="soft">${boundWords[account.boundBy ?? ''] ?? ''}${account.lastSeenAt ? html`，最近来过 ${moment(account.lastSeenAt, now)}` : ''}</span></li>`,
      )}</ul>`
}
${deed(`/console/persons/${person.id}/binding-code`, view.formToken, '发绑定码', { sure: `给${person.name}发一个新的绑定码？凭码绑定的账号能办${person.name}能办的一切。` })}
</section></div>
<h2>现任职务</h2>
${table(
  `${person.name}的职务`,
  ['单位', '角色和职务'],
  ownRoles.map(
    each =>
      html`<tr><td><a href="/console/units/${each.unitId}">${each.unitName}</a></td><td>${roleWords(rt.templates.role(each.programme, each.role).name, each.title)}</td></tr>`,
  ),
  '现在没有在岗的职务。',
)}${elsewhere(roles.length - ownRoles.length, '项职务')}
<h2>名册记录</h2>
${table(
  `${person.name}的名册记录`,
  ['单位', '角色和职务', '人员类别', '服务单位', '服务期', '状态', '由来'],
  ownHistory.map(({ entry, unitName, ...each }) => {
    const isUndone = entry.goneImportId === entry.importId
    return html`<tr><td>${unitName}</td><td>${roleWords(rt.templates.role(entry.programme, entry.role).name, entry.title)}</td><td>${entry.category ?? ''}</td><td>${entry.post ?? ''}</td><td class="nowrap">${termWords(entry.startsOn, entry.endsOn)}</td><td>${entry.goneImportId === null ? statusTag(entry.status) : tag('已不在册')}</td><td class="nowrap">${importWords(view, '导入', entry.importId, each.broughtAt, each.broughtPath)}${
      isUndone
        ? html`<br>这次导入已撤销`
        : entry.goneImportId !== null && each.closedAt
          ? html`<br>${importWords(view, '更新或去掉', entry.goneImportId, each.closedAt, each.closedPath)}`
          : ''
    }</td></tr>`
  }),
  '名册里没有记录。',
)}${elsewhere(history.length - ownHistory.length, '条名册记录')}
<h2>群</h2>
${groupsCard(view, person, owned, joined)}
${erasures.length > 0 ? erasedCard(erasures, now) : ''}
${outlook.stands || erasures.some(each => each.kinds.includes('name')) ? '' : eraseCard(view, outlook.goes, once)}`,
  })
}

const platformNames: Record<string, string> = {
  wecom: '企业微信',
  'official-account': '公众号',
  aibot: '智能机器人',
}

const boundWords: Record<string, string> = {
  code: '凭绑定码绑定',
  join_request: '入群审核时认出',
  registration: '本人自助登记',
}

const whyErased: Record<WhyErased, string> = {
  request: '本人要求',
  office: '单位办理',
  retention: '保存期满',
  consent: '本人撤回同意',
}

function erasedCard(erasures: ErasureRow[], now: Date): Html {
  return html`<section class="card"><h2>删除记录</h2><ul class="plain">${erasures.map(
    each =>
      html`<li>${moment(each.at, now)} ${whyErased[each.why as WhyErased] ?? each.why}：${kindWords(each.kinds)}</li>`,
  )}</ul></section>`
}

/** For somebody who has left; whoever is on the roster can have it done themselves only. */
function eraseCard(view: View<PersonRow>, goes: string, { said }: Once): Html {
  const { id, name } = view.thing
  return html`<details class="card"${said === undefined ? '' : html` open`}><summary>删除${name}的信息</summary>
<p>${name}已不在名册上。到最后一段服务或任职结束 ${privacyPolicy.retention.personMonths.value} 个月时会自动删除；现在就删除的话，删掉：${goes}。不能恢复。</p>
<ul>${privacyPolicy.kept.slice(0, 2).map(each => html`<li class="soft">留下${each.what}：${each.why}。</li>`)}</ul>
<form method="post" action="/console/persons/${id}/erase">${token(view.formToken)}
${field('name', `请照写姓名“${name}”`, { value: said ?? '', isRequired: true })}
<button class="grave">删除，不能恢复</button></form></details>`
}

function numbersCard(view: View<PersonRow>, { numbers, fields }: Once, isErased: boolean): Html {
  const { rt, thing: person } = view
  if (!person.phoneSealed && !person.idNumberSealed && isErased)
    return html`<p>${tag('号码已删除')} 见下面的删除记录。还要入群，请群主当面核对。</p>`
  if (!person.phoneSealed && !person.idNumberSealed)
    return html`<p>${tag('没有手机号和身份证号', 'wait')} 入群申请无法核对，请在名册里补上后导入。</p>`
  if (numbers) {
    const withheld = (field: 'phone' | 'idNumber') => numbers.withheld?.fields.includes(field)
    const asked = numbers.withheld?.askWhom
    const notShown = `不是您所辖的单位登记的，或还在别的单位登记，请向${asked ? `${asked}或共同的上级` : '上级'}查询`
    return html`<dl class="facts"><dt>手机号</dt><dd>${numbers.phone ? html`<a href="tel:${numbers.phone}">${numbers.phone}</a>` : withheld('phone') ? notShown : '没有登记'}</dd>
<dt>身份证号</dt><dd>${numbers.idNumber ?? (withheld('idNumber') ? notShown : '没有登记')}</dd></dl>
<p class="soft">只显示这一次。这次查看已经留痕，${person.name}本人也看得到。</p>`
  }
  const shown = shownNumbers(rt.vault, person, 'office')
  return html`<dl class="facts"><dt>手机号</dt><dd>${shown.phone ?? '没有登记'}</dd>
<dt>身份证号</dt><dd>${shown.idNumber ?? '没有登记'}</dd></dl>
<details${fields ? html` open` : ''}><summary>查看完整号码</summary>
<p class="soft">会记下谁、什么时候、为什么查看，${person.name}本人看得到。</p>
<form method="post" action="/console/persons/${person.id}/unmask">${token(view.formToken)}
${select('reason', '为什么要看', [['', '请选择'], ...UNMASK_REASONS], { value: fields?.reason ?? '', isRequired: true })}
${field('words', '说明', { value: fields?.words ?? '', hint: '选“其他”时必须写。请不要写号码。' })}
<button>查看并留痕</button></form></details>`
}

function elsewhere(count: number, what: string): Html | string {
  return count > 0 ? html`<p class="soft">另有 ${count} ${what}不在您管的单位，这里不显示。</p>` : ''
}

/** When an import did something, with a link for those who may look at it. */
function importWords(
  { rt, viewer }: View<unknown>,
  what: string,
  id: number,
  at: Date,
  path: string | null,
): Html {
  const words = html`${moment(at, rt.clock.now())} ${what}`
  return path !== null && managesUnit(rt.templates, viewer.actor, path)
    ? html`<a href="/console/imports/${id}">${words}</a>`
    : words
}

function groupsCard(
  view: View<unknown>,
  person: PersonRow,
  owned: GroupWithUnit[],
  joined: GroupWithUnit[],
): Html {
  const ids = new Set(owned.map(group => group.id))
  const all = [...owned, ...joined.filter(group => !ids.has(group.id))]
  const ours = all.filter(group => managesGroup(view.rt.templates, view.viewer.actor, group))
  if (all.length === 0) return emptyState('还没有群。')
  return html`${table(
    `${person.name}的群`,
    ['群号', '群名称', '单位', '在群里'],
    ours
      .slice(0, 100)
      .map(
        group =>
          html`<tr><td>${group.id}</td><td><a href="/console/groups/${group.id}">${group.name}</a></td><td>${group.unitName}</td><td>${group.ownerId === person.id ? tag('群主', 'good') : '成员'}</td></tr>`,
      ),
    '在您管的单位里没有群。',
  )}${elsewhere(all.length - ours.length, '个群')}`
}
