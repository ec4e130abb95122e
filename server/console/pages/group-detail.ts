import { type ListedFinding, listFindings } from '../../../db/queries/findings.ts'
import {
  type GroupWithUnit,
  isReadingAsked,
  listMembers,
  noticesOfGroup,
} from '../../../db/queries/groups.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { waitingRequestsOfGroup } from '../../../db/queries/join-requests.ts'
import { chatActivityOfOwner } from '../../../db/queries/owner-chat-days.ts'
import { type MonthFigure, messagesOfGroupByMonth } from '../../../db/queries/records.ts'
import { addDays, addMonths, dayOf, monthOf } from '../../clock.ts'
import { reachOf } from '../../domain/access/groups.ts'
import { viewPathOf } from '../../domain/access/policy.ts'
import { managesUnit } from '../../domain/actor.ts'
import { standingOwner } from '../../domain/groups/managers.ts'
import { type Reconciliation, reconcileGroup } from '../../domain/groups/reconcile.ts'
import { type Platform, platforms, type possibleOwners } from '../../domain/groups/register.ts'
import { currentRollCall, type OpenRollCall } from '../../domain/groups/roll-call.ts'
import { shownRequest } from '../../domain/join-requests/shown-request.ts'
import { CATEGORIES } from '../../domain/messages/categories.ts'
import { type Html, html } from '../../http/html.ts'
import { chatActivityPart } from '../chat-activity.ts'
import { page } from '../layout.ts'
import {
  agoWords,
  dayWords,
  deed,
  emptyState,
  field,
  moment,
  monthWords,
  pager,
  type Tone,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import type { View } from '../routes.ts'
import { findingsTable } from './findings.ts'

export type GroupInPlay = GroupWithUnit

/** What was filled in on the page, and what came of it. */
export interface Filled {
  fault?: string
  owner?: string
  ownerUnit?: string
  /** Persons of the name that was filled in, to choose from. */
  choices?: Awaited<ReturnType<typeof possibleOwners>>
  joinCode?: string
  pasted?: string
  /** Of the pasted list, instead of what is known. */
  comparison?: Reconciliation
  /** Of the members. */
  page?: number
}

const MEMBERS = 50
const FINDINGS = 100
const MONTHS = 6
/** So many days back the platform's figures of the chat are summed. */
const CHAT_DAYS = 30
/** So many names are shown of those missing or too many; a longer list is not read. */
const NAMES = 200
/** So many of them are shown at once, the others when asked for. */
const FIRST_NAMES = 12

/** How we know who a member is, the strongest first. */
const knownByWords: Record<string, [words: string, tone: Tone]> = {
  join_pass: ['专属入群码，最可靠', 'good'],
  binding: ['绑定的账号，可靠', 'good'],
  unionid: ['公众号绑定（同一个微信），可靠', 'good'],
  roll_call: ['签到（姓名加手机尾号），较可靠', 'good'],
  join_request: ['入群审核，未看到入群', 'wait'],
  word: ['群主答复', 'wait'],
  remark: ['工作人员的备注，仅供核对', 'wait'],
  nickname: ['群昵称或接龙上的名字，仅供核对', 'wait'],
  registration: ['本人登记，未核实', 'wait'],
}

const basisWords: Record<Reconciliation['basis'], string> = {
  platform: '成员由平台读取。',
  known: '这个群读不到成员，按审核登记核对；粘贴群里的接龙或发起签到可以核得更准。',
  pasted: '按粘贴的接龙名单核对。',
  roll_call: '按群里的签到核对。',
}

const routeWords: Record<string, string> = {
  robot: '群机器人',
  appchat: '应用群',
  mass: '群发（群主确认）',
  relay: '群主转发',
}

const statusWords: Record<string, [words: string, tone: Tone]> = {
  pending: ['待发', 'wait'],
  sent: ['已交出，等群里确认', 'wait'],
  posted: ['已到群', 'good'],
  failed: ['没有发出', 'bad'],
  unknown: ['结果不明', 'bad'],
  withdrawn: ['已撤回', 'quiet'],
}

export function isByPlatform(group: GroupWithUnit): boolean {
  return group.platform === 'customer' && group.chatId !== null
}

/** A group that people register in by themselves has no list of who belongs there. */
export function opensToAll({ rt }: View<unknown>, group: GroupWithUnit): boolean {
  return rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration'
}

/** One group: who is in it, who should be, what is to be done, and what was sent. */
export async function groupDetail(
  view: View<unknown>,
  group: GroupWithUnit,
  filled: Filled = {},
): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const months = Array.from({ length: MONTHS }, (_, back) => addMonths(monthOf(now), -back))
  const current = filled.page ?? 1
  const isOpen = opensToAll(view, group)
  const today = dayOf(now)
  const [findings, requests, members, notices, figures, comparison, owner, isReading, rollCall, chat] =
    await Promise.all([
      listFindings(
        rt.db,
        { reach: reachOf(rt.templates, viewer), groupId: group.id, today: dayOf(now) },
        FINDINGS + 1,
        0,
      ),
      waitingRequestsOfGroup(rt.db, group.id, 20),
      listMembers(rt.db, group.id, MEMBERS + 1, (current - 1) * MEMBERS),
      noticesOfGroup(rt.db, group.id, 10),
      messagesOfGroupByMonth(rt.db, group.id, months.at(-1) as string, monthOf(now)),
      isOpen || group.dissolvedAt ? null : (filled.comparison ?? reconcileGroup(rt, group)),
      ownerWords(view, group),
      group.chatId === null ? false : isReadingAsked(rt.db, group.chatId),
      group.dissolvedAt ? null : currentRollCall(rt, group),
      isByPlatform(group) && group.ownerId !== null
        ? chatActivityOfOwner(rt.db, group.ownerId, addDays(today, -CHAT_DAYS), today)
        : null,
    ])
  const isRunByViewer = managesUnit(rt.templates, viewer.actor, group.unitPath)
  const path = `/console/groups/${group.id}`
  return page(view, {
    title: group.name,
    part: 'groups',
    above: [['群', '/console/groups']],
    fault: filled.fault ?? null,
    body: html`${group.dissolvedAt ? html`<p class="fault">这个群在 ${dayWords(dayOf(group.dissolvedAt))} 登记为解散。以往的记录仍计入报表，不能再办别的。</p>` : ''}
<section class="card"><h2>基本情况</h2><dl class="facts">
<dt>群号</dt><dd>${group.id}</dd>
<dt>类型</dt><dd>${rt.templates.groupKind(group.programme, group.kind).name}</dd>
<dt>单位</dt><dd>${isRunByViewer ? html`<a href="/console/units/${group.unitId}">${group.unitName}</a>` : group.unitName}</dd>
<dt>在哪里</dt><dd>${platforms[group.platform as Platform]}</dd>
<dt>人数</dt><dd>${group.size}/${group.capacity} ${group.size >= group.capacity ? tag('已满', 'bad') : ''}</dd>
<dt>群主</dt><dd>${owner}</dd>
<dt>入群码</dt><dd>${group.joinCode ?? html`<span class="soft">${isByPlatform(group) ? '每人一个专属码，由系统发' : '没有，由群主拉人'}</span>`}</dd>
<dt>登记于</dt><dd>${moment(group.createdAt, now)}</dd>
</dl>
${isRunByViewer ? html`<p><a href="/console/audit?unit=${group.unitId}&amp;action=groups">${group.unitName}各群的操作留痕</a></p>` : ''}</section>
${findingsPart(view, group, findings, path)}
${requestsPart(view, requests, now)}
${comparison ? comparisonPart(view, group, comparison, filled, path, rollCall) : ''}
${isOpen ? html`<h2>成员核对</h2><p class="soft">这个群面向青年开放，本人登记即可加入，不按名册核对。</p>` : ''}
${membersPart(view, group, members, current, path, isReading)}
${noticesPart(view, notices, now)}
${monthsPart(group, months, figures)}
${chatActivityPart(chat, `群主名下所有客户群，最近 ${CHAT_DAYS} 天`)}
${group.dissolvedAt ? '' : deedsPart(view, group, filled, path)}`,
  })
}

/** Who the owner is, and whether a notice would find them. */
async function ownerWords({ rt }: View<unknown>, group: GroupWithUnit): Promise<Html> {
  if (group.ownerId === null)
    return html`${tag('没有群主', 'bad')} 通知没有人转发，请在下面“换群主”里指定一位。`
  const [standing, accounts] = await Promise.all([
    standingOwner(rt, group),
    identitiesOf(rt.db, group.ownerId),
  ])
  const state: [string, Tone] =
    standing === null
      ? ['已不在名册，请换群主', 'bad']
      : accounts.length === 0
        ? ['还没有绑定账号，收不到通知', 'bad']
        : accounts.some(account => account.isReachable)
          ? ['收得到通知', 'good']
          : ['已取消关注，收不到通知', 'bad']
  return html`${group.ownerName} ${tag(...state)}`
}

function findingsPart(
  view: View<unknown>,
  group: GroupWithUnit,
  findings: readonly ListedFinding[],
  path: string,
): Html {
  return html`<h2>待办${findings.length > 0 ? `（${findings.length > FINDINGS ? `${FINDINGS} 件以上` : findings.length}）` : ''}</h2>
${findings.length > 0 && isByPlatform(group) ? html`<p class="soft">成员由平台读取，办好后会自动销号。</p>` : ''}
${findingsTable(view, findings.slice(0, FINDINGS), { empty: '没有待办的事。', isOneGroup: true })}
${findings.length > FINDINGS ? html`<p class="soft">只列出最急的 ${FINDINGS} 件。</p>` : ''}
${group.dissolvedAt ? '' : html`<div class="deeds">${deed(`${path}/check`, view.formToken, '现在核对')}</div>`}`
}

function requestsPart(
  { rt }: View<unknown>,
  requests: Awaited<ReturnType<typeof waitingRequestsOfGroup>>,
  now: Date,
): Html | string {
  if (requests.length === 0) return ''
  return html`<h2>等待审核的入群申请（${requests.length}）</h2><section class="card"><ul class="plain">${requests.map(
    request =>
      html`<li><a href="/console/join-requests/${request.id}">申请 ${request.id}</a> ${shownRequest(rt.vault.open(request.textSealed))} <span class="soft">已等 ${agoWords(now.getTime() - request.createdAt.getTime())}；${request.explanation}</span></li>`,
  )}</ul></section>`
}

function comparisonPart(
  view: View<unknown>,
  group: GroupWithUnit,
  { missing, elsewhere, extra, present, basis }: Reconciliation,
  filled: Filled,
  path: string,
  rollCall: OpenRollCall | null,
): Html {
  const now = view.rt.clock.now()
  const names = (title: string, lines: Html[], none: string) =>
    html`<section class="card"><h3>${title}</h3>${
      lines.length === 0
        ? html`<p class="soft">${none}</p>`
        : html`<ul class="plain">${lines.slice(0, FIRST_NAMES)}</ul>${
            lines.length > FIRST_NAMES
              ? html`<details><summary>看其余的人（共 ${lines.length} 人）</summary><ul class="plain">${lines.slice(FIRST_NAMES, NAMES)}</ul>${lines.length > NAMES ? html`<p class="soft">……只列出前 ${NAMES} 人</p>` : ''}</details>`
              : ''
          }`
    }</section>`
  return html`<h2 id="compare">成员核对</h2>
<p>应在并已在群 <b>${present}</b> 人，未进群 <b>${missing.length}</b> 人，不该在群 <b>${extra.length}</b> 人。<span class="soft">${basisWords[basis]}${
    group.membersReadAt ? html`最近一次核对成员：${moment(group.membersReadAt, now)}。` : ''
  }</span></p>
<div class="cards">${names(
    `未进群（${missing.length}）`,
    missing.map(person => html`<li>${person.name} <span class="soft">${person.as}</span></li>`),
    '该进群的都在。',
  )}${
    elsewhere.length > 0
      ? names(
          `在同类的另一个群（${elsewhere.length}）`,
          elsewhere.map(
            person => html`<li>${person.name} <span class="soft">在“${person.groupName}”</span></li>`,
          ),
          '',
        )
      : ''
  }${names(
    `不该在群（${extra.length}）`,
    extra.map(
      person =>
        html`<li>${person.name}${person.personId === null && basis !== 'pasted' ? html` ${tag('还不知道是谁', 'wait')}` : ''}</li>`,
    ),
    '没有多出来的人。',
  )}</div>
${isByPlatform(group) ? '' : readingWays(view, filled, path, rollCall)}`
}

/** The two ways in which the members of an ordinary group can be read. */
function readingWays(view: View<unknown>, filled: Filled, path: string, rollCall: OpenRollCall | null): Html {
  return html`<div class="cards"><form class="card paste" method="post" action="${path}/reconcile#compare">${token(view.formToken)}${textArea(
    'pasted',
    '粘贴接龙名单再核对',
    {
      value: filled.pasted ?? '',
      rows: 5,
      isRequired: true,
      hint: '一行一人，像“1. 单位-姓名”；群里的接龙整段粘贴即可。名单上的人记为在群，名册外的只留名字，供您核实。',
    },
  )}<button class="second">按名单核对</button></form>
<section class="card"><h3>在群里签到</h3>${
    rollCall
      ? html`<p>把链接发到群里，${moment(rollCall.closesAt, view.rt.clock.now())}截止，已有 <b>${rollCall.count}</b> 人签到：</p>
<p class="link">${rollCall.link}</p>${deed(`${path}/roll-call/end`, view.formToken, '现在结束并核对')}`
      : html`<p>发起后把链接发到群里，谁点开签到就算谁在群里；一天后自动结束并核对。</p>${deed(`${path}/roll-call`, view.formToken, '发起签到')}`
  }</section></div>`
}

function membersPart(
  view: View<unknown>,
  group: GroupWithUnit,
  members: Awaited<ReturnType<typeof listMembers>>,
  current: number,
  path: string,
  isReading: boolean,
): Html {
  const now = view.rt.clock.now()
  return html`<h2>成员</h2>
<p class="soft">系统认得的有 ${members[0]?.total ?? 0} 人${isByPlatform(group) ? '，由平台读取' : '；微信群读不到成员，只有审核过和登记过的'}。</p>
${
  isByPlatform(group) && !group.dissolvedAt
    ? isReading
      ? html`<p>${tag('正在等待读取成员', 'wait')}</p>`
      : html`<div class="deeds">${deed(`${path}/read`, view.formToken, '现在读取成员')}</div>`
    : ''
}
${table(
  '成员',
  ['姓名或昵称', '怎么认得的', '入群'],
  members.slice(0, MEMBERS).map(member => {
    const [words, tone] = knownByWords[member.knownBy ?? ''] ?? ['还不知道是谁', 'bad' as const]
    return html`<tr><td>${member.name ?? html`${member.nickname ?? '（没有昵称）'} <span class="soft">昵称</span>`}${
      member.personId !== null && member.personId === group.ownerId ? html` ${tag('群主')}` : ''
    }</td><td>${tag(words, tone)}</td><td class="nowrap">${moment(member.joinedAt, now)}</td></tr>`
  }),
  '还没有认得的成员。',
)}
${pager(path, {}, current, members.length > MEMBERS)}`
}

function noticesPart(
  { rt, viewer }: View<unknown>,
  notices: Awaited<ReturnType<typeof noticesOfGroup>>,
  now: Date,
): Html {
  return html`<h2>最近的通知</h2>
${table(
  '最近的通知',
  ['通知', '发自', '怎么到群', '状况', '截止'],
  notices.map(notice => {
    const [words, tone] = statusWords[notice.status] ?? [notice.status, 'quiet' as const]
    const text = [...notice.body.replace(/\s+/g, ' ')]
    const title = text.length > 24 ? `${text.slice(0, 24).join('')}……` : text.join('')
    // an owner without an office gets notices and has no page of their progress
    const isInView = viewPathOf(rt.templates, viewer.actor, notice.unitPath) !== null
    const isOver = notice.status === 'posted' || notice.status === 'withdrawn'
    const isLate = !isOver && notice.deadlineAt < now
    return html`<tr><td>${isInView ? html`<a href="/console/notices/${notice.noticeId}">${title}</a>` : title}</td><td>${notice.unitName}</td><td>${routeWords[notice.route] ?? notice.route}</td><td>${tag(words, tone)}${isLate ? tag('过期', 'bad') : ''}</td><td class="nowrap">${moment(notice.deadlineAt, now)}</td></tr>`
  }),
  '还没有发给这个群的通知。',
)}`
}

function monthsPart(group: GroupWithUnit, months: string[], figures: MonthFigure[]): Html {
  const count = new Map(figures.map(each => [`${each.month} ${each.category}`, each.count]))
  return html`<h2>每月发了多少</h2>
${table(
  '每月各类消息条数',
  ['月份', ...CATEGORIES.map(name => ({ name, isNumber: true }))],
  months.map(
    month =>
      html`<tr><td class="nowrap">${monthWords(month)}</td>${CATEGORIES.map(category => {
        const messages = count.get(`${month} ${category}`) ?? 0
        return html`<td class="number">${
          messages === 0
            ? 0
            : html`<a href="/console/records?${new URLSearchParams({ group: String(group.id), month, category })}">${messages}</a>`
        }</td>`
      })}</tr>`,
  ),
  '',
)}`
}

function deedsPart(view: View<unknown>, group: GroupWithUnit, filled: Filled, path: string): Html {
  const { choices } = filled
  return html`<h2>办理</h2><div class="cards">
<form class="card" method="post" action="${path}/owner"><h3>换群主</h3>${token(view.formToken)}
${field('owner', '新群主姓名', { value: filled.owner ?? '', isRequired: true, hint: '本单位和上级、下级单位名册里的人' })}
${
  choices
    ? html`<fieldset><legend>是哪一位？</legend>${choices.map(
        each =>
          html`<p><label><input type="radio" name="person" value="${each.personId}" required>${each.name}（${each.unitName}${each.title ?? ''}）</label></p>`,
      )}</fieldset>`
    : field('unit', '单位（重名时写）', { value: filled.ownerUnit ?? '' })
}<button>换群主</button></form>
<form class="card" method="post" action="${path}/join-code"><h3>入群码</h3>${token(view.formToken)}
${field('joinCode', '入群链接或口令', {
  value: filled.joinCode ?? group.joinCode ?? '',
  isRequired: true,
  hint: '审核通过的人凭它入群；300 字以内',
})}<button>更新入群码</button></form>
<section class="card"><h3>解散</h3><p>群不再使用时登记。登记后不再收通知、不计入建群数，以往的记录仍计入报表。不能撤回。</p>
${deed(`${path}/dissolve`, view.formToken, '登记为解散', { isGrave: true, sure: `确定把“${group.name}”登记为解散吗？不能撤回。` })}</section></div>
${isByPlatform(group) ? '' : emptyStateOfReading(group)}`
}

function emptyStateOfReading(group: GroupWithUnit): Html | string {
  return group.platform === 'customer'
    ? emptyState('这个客户群还没有和企业微信的群对上：请群主在企业微信里认领。')
    : ''
}
