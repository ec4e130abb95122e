import { z } from 'zod'
import type { AuditEntry } from '../../../db/queries/audit.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { actionWords } from '../../domain/audit/action-words.ts'
import { type AuditKind, auditKinds } from '../../domain/audit/kinds.ts'
import { listAudit } from '../../domain/audit/list.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { moment, monthWords, select, table } from '../parts.ts'
import { NotFound, type Routes } from '../routes.ts'

const number = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined)
const kindIds = auditKinds.map(kind => kind.id) as [AuditKind, ...AuditKind[]]
const asked = z.object({
  unit: number,
  person: number,
  action: z.enum(kindIds).optional().catch(undefined),
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/)
    .optional()
    .catch(undefined),
  /** Only entries older than this number: how the list is paged. */
  before: number,
})

/** How many months back the choice of months goes. */
const MONTHS = 24

/** `GET /console/audit`: who did what in one's units (操作留痕), the newest first. */
export function auditPages(routes: Routes): void {
  routes.get('/console/audit', 'manager', async view => {
    const { rt, viewer } = view
    const query = view.read(asked)
    const unit = query.unit === undefined ? undefined : await unitPolicy.find(rt, viewer, query.unit)
    if (unit === null) throw new NotFound()
    const { entries, olderThan } = await listAudit(rt, viewer, {
      unit,
      personId: query.person,
      kind: query.action,
      month: query.month,
      before: query.before,
    })
    const person = entries.find(entry => entry.actorId === query.person)?.actorName ?? '一个人'
    const kept = {
      ...(unit ? { unit: String(unit.id) } : {}),
      ...(query.person === undefined ? {} : { person: String(query.person) }),
    }
    const chosen = {
      ...kept,
      ...(query.action === undefined ? {} : { action: query.action }),
      ...(query.month === undefined ? {} : { month: query.month }),
    }
    return page(view, {
      title: '操作留痕',
      part: 'audit',
      above: unit ? [[unit.name, `/console/units/${unit.id}`]] : [],
      body: html`<p class="soft">谁在什么时候做了什么，记下后任何人都不能改。这里有您负责的单位里的人做的事，以及与这些单位、群、通知、名册有关的事。</p>
<div class="deeds"><a class="button second" href="/console/audit?action=views">谁查看和导出过个人信息</a>
<a class="button second" href="/console/api-tokens">接口令牌</a></div>
${query.person === undefined ? '' : html`<p>只看${person}的。<a href="/console/audit">看全部</a></p>`}
${unit ? html`<p>只看${unit.name}及下级的。<a href="/console/audit">看全部</a></p>` : ''}
<form class="row" method="get" action="/console/audit">${Object.entries(kept).map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
      )}
${select('action', '做了什么', [['', '全部'], ...auditKinds.map(kind => [kind.id, kind.name] as const)], {
  value: query.action ?? '',
  attributes: html`data-auto`,
})}
${select('month', '月份', months(monthOf(rt.clock.now()), query.month), {
  value: query.month ?? '',
  attributes: html`data-auto`,
})}<button class="second">查看</button></form>
<h2>${query.month === undefined ? '最近的' : monthWords(query.month)}${query.action === undefined ? '' : `：${auditKinds.find(kind => kind.id === query.action)?.name}`}</h2>
${table(
  '操作留痕',
  ['时间', '谁', '做了什么', '关于'],
  entries.map(entry => row(entry, rt.clock.now())),
  Object.keys(chosen).length === 0 ? '还没有留痕。' : '没有符合条件的留痕，请换个月份或类别。',
)}
${older(chosen, query.before, olderThan)}`,
    })
  })
}

function months(now: string, chosen: string | undefined): [string, string][] {
  const list = Array.from({ length: MONTHS }, (_, back) => addMonths(now, -back))
  if (chosen !== undefined && !list.includes(chosen)) list.push(chosen)
  return [['', '不限'], ...list.map((month): [string, string] => [month, monthWords(month)])]
}

function row(entry: AuditEntry, now: Date): Html {
  const { details } = entry
  const token =
    details.by === 'api' && typeof details.tokenName === 'string' && details.tokenName !== ''
      ? html`<br><span class="soft">经接口令牌“${details.tokenName}”</span>`
      : ''
  return html`<tr><td class="nowrap">${moment(entry.at, now)}</td><td>${who(entry)}</td><td>${actionWords(entry.action, details)}${token}</td><td class="about">${about(entry)}</td></tr>`
}

function who({ actorId, actorName, actorUnitName }: AuditEntry): Html {
  if (actorId === null) return html`<span class="soft">系统</span>`
  return html`<a href="/console/audit?person=${actorId}">${actorName ?? '（已不在）'}</a>${actorUnitName === null ? '' : html`<br><span class="soft">${actorUnitName}</span>`}`
}

/** What an entry can be about: its word, and the page where it is. */
const subjects: Readonly<Record<string, { word: string; path?: (id: number) => string }>> = {
  unit: { word: '单位', path: id => `/console/units/${id}` },
  group: { word: '群', path: id => `/console/groups/${id}` },
  notice: { word: '通知', path: id => `/console/notices/${id}` },
  join_request: { word: '入群申请', path: id => `/console/join-requests/${id}` },
  person: { word: '人员', path: id => `/console/persons/${id}` },
  roster_import: { word: '名册导入', path: id => `/console/imports/${id}` },
  api_token: { word: '接口令牌', path: () => '/console/api-tokens' },
  identity: { word: '账号' },
}

/** What it is about; what lies outside the reader's units has neither name nor link. */
function about({ subjectKind, subjectId, subjectName, hasPage, actorId }: AuditEntry): Html | string {
  const subject = subjects[subjectKind]
  if (!subject || subjectId === null) return ''
  if (subjectKind === 'person' && subjectId === actorId) return '本人'
  if (subjectName === null) return html`<span class="soft">${subject.word}（不在您的范围）</span>`
  const name =
    subjectKind === 'notice' || subjectKind === 'join_request'
      ? `${subject.word} ${subjectId}：${shortened(subjectName)}`
      : subjectKind === 'person' || subjectKind === 'unit'
        ? subjectName
        : `${subject.word}：${subjectName}`
  return subject.path && hasPage ? html`<a href="${subject.path(subjectId)}">${name}</a>` : name
}

const NAME = 20

function shortened(name: string): string {
  const line = [...name.replace(/\s+/g, ' ')]
  return line.length > NAME ? `${line.slice(0, NAME).join('')}…` : line.join('')
}

/** By number, not by page: what is added meanwhile moves nothing. */
function older(
  chosen: Record<string, string>,
  before: number | undefined,
  olderThan: number | null,
): Html | string {
  if (before === undefined && olderThan === null) return ''
  const to = (more: Record<string, string>) => `/console/audit?${new URLSearchParams({ ...chosen, ...more })}`
  return html`<nav class="pager" aria-label="翻页">${before === undefined ? html`<span></span>` : html`<a href="${to({})}">回到最新的</a>`}${olderThan === null ? html`<span></span>` : html`<a rel="next" href="${to({ before: String(olderThan) })}">更早的</a>`}</nav>`
}
