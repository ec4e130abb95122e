import { z } from 'zod'
import { standingTokensOf } from '../../../db/queries/api-tokens.ts'
import { openTasksOf } from '../../../db/queries/groups.ts'
import { waitingRequests } from '../../../db/queries/join-requests.ts'
import { noticesFor } from '../../../db/queries/notice-readings.ts'
import {
  accountsOfPerson,
  deedsAbout,
  groupsOfPerson,
  type LookedAt,
  type OwnGroup,
  registrationOf,
  requestsOf,
  rosterOf,
} from '../../../db/queries/own-data.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { sessionsOf } from '../../../db/queries/sessions.ts'
import { keptOfPerson } from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { ownSessionPolicy } from '../../domain/access/sessions.ts'
import { managesGroup } from '../../domain/actor.ts'
import { actionWords } from '../../domain/audit/action-words.ts'
import { agree, consentOf, withdraw } from '../../domain/consents/consent.ts'
import { idNumberConsent } from '../../domain/consents/consent-text.ts'
import { standingWords } from '../../domain/join-requests/admission.ts'
import { openQuestions } from '../../domain/notices/answers.ts'
import { shownNumbers } from '../../domain/persons/shown-numbers.ts'
import { privacyPolicy } from '../../domain/privacy/policy.ts'
import { endOwnSession, endSessionsBut } from '../../domain/sign-in/end-sessions.ts'
import { keepRule } from '../../domain/volunteers/rules.ts'
import { type Stage, stageWords } from '../../domain/volunteers/way.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, deed, emptyState, figure, moment, pager, table, tag, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'
import { ownDutiesCard } from './hand-overs.ts'
import { ownNoticeItem, ownNoticePages, questionItem } from './own-notices.ts'

const PAGE_SIZE = 50
/** Open things of one kind on the first page; the rest is behind its link. */
const SHOWN = 5

const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })
const { retention } = privacyPolicy
const home: [string, string][] = [['我的', '/me']]

/** `GET /me`: what a person is here, what waits for them, what is kept of them, and who looked at it. */
export function mePages(routes: Routes): void {
  routes.get('/me', 'person', homePage)
  routes.get('/me/groups', 'person', groupsPage)
  routes.get('/me/requests', 'person', requestsPage)
  ownNoticePages(routes)
  routes.get('/me/data', 'person', dataPage)
  consentRoutes(routes)
  sessionRoutes(routes)
}

// what waits

async function homePage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { person } = viewer.actor
  const now = rt.clock.now()
  const [roles, questions, open, groups, requests] = await Promise.all([
    rolesOf(rt.db, person.id),
    openQuestions(rt, viewer.actor).then(all => all.filter(each => each.open > 0)),
    noticesFor(rt.db, person.id, 'open', { limit: SHOWN + 1, offset: 0 }),
    groupsOfPerson(rt.db, person.id),
    requestsOf(rt.db, person.id, { limit: SHOWN, offset: 0 }),
  ])
  // an owner who has gone from the roster has no say in the group any more
  const owned = groups.filter(
    group =>
      group.isOwner &&
      managesGroup(rt.templates, viewer.actor, { ownerId: person.id, unitPath: group.unitPath }),
  )
  const [tasks, waiting] = await Promise.all([
    openTasksOf(
      rt.db,
      owned.map(group => group.id),
    ),
    owned.length > 0 ? waitingRequests(rt.db, person.id, []) : [],
  ])
  const names = new Map(groups.map(group => [group.id, group.name]))
  const mine = requests.filter(request => request.decision === 'referred')
  const isQuiet = questions.length + open.length + tasks.length + waiting.length + mine.length === 0
  return page(view, {
    title: `${person.name}，您好`,
    part: 'me',
    body: html`${rolesCard(view, roles, owned.length)}
${await ownDutiesCard(view)}
<h2>等您办的</h2>
${isQuiet ? emptyState('没有等您办的事。') : ''}
${questions.length > 0 ? html`<section class="card"><h3>要答复的</h3><ul class="plain">${questions.slice(0, SHOWN).map(each => questionItem(each, now))}</ul></section>` : ''}
${open.length > 0 ? html`<section class="card"><h3>通知</h3><ul class="plain">${open.slice(0, SHOWN).map(each => ownNoticeItem(each, now))}</ul>${open.length > SHOWN ? html`<p><a href="/me/notices">看全部通知</a></p>` : ''}</section>` : ''}
${
  tasks.length > 0
    ? html`<section class="card"><h3>群里的事（${tasks.length} 件）</h3><ul class="plain">${tasks
        .slice(0, SHOWN)
        .map(
          task =>
            html`<li><a href="/console/groups/${task.groupId}">${names.get(task.groupId) ?? '群'}</a>：${task.why} ${task.dueOn < dayOf(now) ? tag('已过期', 'bad') : html`<span class="soft">${dayWords(task.dueOn)}前</span>`}</li>`,
        )}</ul>${tasks.length > SHOWN ? html`<p><a href="/console/groups?state=tasks">看全部</a></p>` : ''}</section>`
    : ''
}
${waiting.length > 0 ? html`<section class="card"><h3>入群申请</h3><p><a href="/console/join-requests">${waiting.length} 个申请等您核实</a></p></section>` : ''}
${
  mine.length > 0
    ? html`<section class="card"><h3>我的申请</h3><ul class="plain">${mine.map(
        request =>
          html`<li>申请加入“${request.groupName}”${tag('等群主核实', 'wait')} <span class="soft">${moment(request.createdAt, now)}</span></li>`,
      )}</ul></section>`
    : ''
}
<h2>我的</h2>
<div class="figures">${figure('通知', '发给我的通知', '/me/notices')}${figure('群', `我的 ${groups.length} 个群`, '/me/groups')}${figure('申请', '入群申请的结果', '/me/requests')}${figure('上报', '送上去的事办得怎样', '/me/slips')}${figure('补贴', '发给我的补贴', '/me/payments')}${figure('信息', '系统知道我什么、谁看过', '/me/data')}${figure('同意', '身份证号使用说明', '/me/consent')}${figure('登录', '在哪些设备上登录', '/me/sessions')}</div>`,
  })
}

function rolesCard(view: View<null>, roles: Awaited<ReturnType<typeof rolesOf>>, owned: number): Html {
  const { templates } = view.rt
  const tops = topUnits(templates, view.viewer.actor)
  return html`<section class="card"><h2>我在这里是</h2>${
    roles.length === 0 && owned === 0
      ? html`<p>群成员。名册里没有您的职务；有变动请由上级更新名册。</p>`
      : html`<ul class="plain">${roles.map(role => {
          const { name } = templates.role(role.programme, role.role)
          return html`<li>${role.unitName} · ${name}${role.title && role.title !== name ? `（${role.title}）` : ''} <span class="soft">${templates.programme(role.programme).name}</span></li>`
        })}${owned > 0 ? html`<li>${owned} 个群的群主</li>` : ''}</ul>`
  }${tops.length > 0 || owned > 0 ? html`<div class="deeds"><a class="button second" href="/console">进入工作台</a></div>` : ''}</section>`
}

// groups and requests

const knownByWords: Record<string, string> = {
  join_pass: '凭入群码进群',
  binding: '由绑定的账号认出',
  registration: '自己登记',
}

async function groupsPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const groups = await groupsOfPerson(rt.db, viewer.actor.person.id)
  const now = rt.clock.now()
  const list = (own: OwnGroup[]) =>
    html`<div class="card"><ul class="plain">${own.map(group => groupItem(group, now))}</ul></div>`
  const owned = groups.filter(group => group.isOwner)
  const joined = groups.filter(group => !group.isOwner)
  return page(view, {
    title: '我的群',
    part: 'me',
    above: home,
    body: html`${owned.length > 0 ? html`<h2>我做群主的（${owned.length} 个）</h2>${list(owned)}` : ''}
<h2>我在里面的</h2>
${joined.length > 0 ? list(joined) : emptyState('系统还不知道您在哪些群里。普通微信群的成员读不到，只有凭入群码进群或登记过的才会列在这里。')}
<p class="soft">要加入群，请在聊天里发送“入群 群号”。</p>`,
  })
}

function groupItem(group: OwnGroup, now: Date): Html {
  const how = [
    group.unitName,
    `群号 ${group.id}`,
    group.size > 0 ? `${group.size} 人` : '',
    group.knownBy ? (knownByWords[group.knownBy] ?? '') : '',
  ].filter(part => part !== '')
  return html`<li>${group.isOwner ? html`<a href="/console/groups/${group.id}">${group.name}</a>` : html`<b>${group.name}</b>`} <span class="soft">${how.join(' · ')}${group.joinedAt && !group.isOwner ? html` · ${moment(group.joinedAt, now)}起` : ''}</span></li>`
}

async function requestsPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const now = rt.clock.now()
  const found = await requestsOf(rt.db, viewer.actor.person.id, placeOf(number))
  return page(view, {
    title: '我的入群申请',
    part: 'me',
    above: home,
    body: html`${
      found.length === 0
        ? emptyState(
            number > 1 ? '后面没有了。' : '您还没有申请过入群。要加入群，请在聊天里发送“入群 群号”。',
          )
        : html`<div class="card"><ul class="plain">${found
            .slice(0, PAGE_SIZE)
            .map(
              request =>
                html`<li><b>${request.groupName}</b> ${standingTag(request)} <span class="soft">申请 ${request.id} · ${request.unitName} · ${moment(request.createdAt, now)}</span><br>${standingWords(request).words}</li>`,
            )}</ul></div>`
    }${pager('/me/requests', {}, number, found.length > PAGE_SIZE)}`,
  })
}

function standingTag(request: Parameters<typeof standingWords>[0]): Html {
  const { state } = standingWords(request)
  if (state === 'approved') return tag('通过', 'good')
  return state === 'open' ? tag('还没有通过', 'wait') : tag('没有通过', 'bad')
}

// what is known, and who looked

async function dataPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const { id } = viewer.actor.person
  const now = rt.clock.now()
  const [person, roster, accounts, registration, groups, deeds, universities] = await Promise.all([
    personById(rt.db, id),
    rosterOf(rt.db, id),
    accountsOfPerson(rt.db, id),
    registrationOf(rt.db, id),
    groupsOfPerson(rt.db, id),
    deedsAbout(rt.db, id, placeOf(number)),
    keptOfPerson(rt.db, id),
  ])
  const numbers = shownNumbers(rt.vault, person ?? {}, 'self')
  return page(view, {
    title: '我的信息',
    part: 'me',
    above: home,
    body: html`<section class="card"><h2>系统知道我什么</h2><dl class="facts">
<dt>姓名</dt><dd>${person?.name ?? ''}</dd>
<dt>手机号</dt><dd>${numbers.phone ?? '没有登记'}</dd>
<dt>身份证号</dt><dd>${numbers.idNumber ?? '没有登记'}</dd>
<dt>微信号</dt><dd>${numbers.wechat ?? '没有登记'}</dd>
<dt>登记时间</dt><dd>${person ? moment(person.createdAt, now) : ''}</dd></dl>
<p class="soft">号码加密保存，这里只显示打码的。有错请联系所在单位更新名册。</p></section>
<h2>账号</h2>
${table(
  '绑定的账号',
  ['平台', '怎样绑定', '绑定时间', '能不能发消息给您'],
  accounts.map(
    account =>
      html`<tr><td>${channelNames[account.channel] ?? account.channel}</td><td>${boundWords[account.boundBy ?? ''] ?? '—'}</td><td>${account.boundAt ? moment(account.boundAt, now) : '—'}</td><td>${account.isReachable ? '能' : '不能（已取消关注或离开）'}</td></tr>`,
  ),
  '没有绑定账号。请向上级组织要一个绑定码，在聊天里发送“绑定 绑定码”。',
)}
<h2>名册</h2>
${table(
  '名册里的记录',
  ['单位', '角色', '职务、类别', '服务单位', '起止', '状态'],
  roster.map(
    row =>
      html`<tr><td>${row.unitName}<br><span class="soft">${rt.templates.programme(row.programme).name}</span></td><td>${rt.templates.role(row.programme, row.role).name}</td><td>${[row.title, row.category, row.university].filter(Boolean).join('、') || '—'}</td><td>${row.post ?? '—'}</td><td>${row.startsOn ? dayWords(row.startsOn) : ''}${row.startsOn || row.endsOn ? ' 至 ' : '—'}${row.endsOn ? dayWords(row.endsOn) : ''}</td><td>${row.goneImportId === null ? row.status : tag('已不在名册')}</td></tr>`,
  ),
  '名册里没有您。',
)}
${
  registration
    ? html`<section class="card"><h2>自助登记</h2><p>在“${registration.groupName}”登记于${registration.unitName}：${registrationWords(view, registration)} <span class="soft">${moment(registration.registeredAt, now)}</span></p></section>`
    : ''
}
${universities.map(universityCard)}
<p>另外知道您在 <a href="/me/groups">${groups.length} 个群</a>里，和<a href="/me/requests">您的入群申请</a>、<a href="/me/notices">读过的通知</a>、<a href="/me/sessions">登录的设备</a>。</p>
<section class="card"><h2>保存多久</h2><ul>
<li>名册、任职、入群记录是工作档案，离任记下结束时间；最后一段服务或任职结束 ${retention.personMonths.value} 个月后，姓名和号码自动删除，只留单位、角色和起止。</li>
<li>您发给机器人的话加密保存，办完后 ${rt.config.retentionDays} 天删除。</li>
<li>入群申请的原文加密保存，作为审核的凭据，办结 ${retention.requestMonths.value} 个月后删除。</li>
<li>取消关注公众号，账号与您的绑定当时解除。</li>
<li>下面的留痕一直保存，任何人不能改、不能删。</li></ul>
<p class="soft">身份证号的用途和撤回见<a href="/me/consent">身份证号使用说明</a>。不想再留，可以<a href="/me/erase">删除我的信息</a>。</p></section>
<h2 id="who-looked">谁看过、动过我的信息</h2>
${
  deeds.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : '还没有人看过或动过。')
    : html`<div class="card"><ul class="plain">${deeds.slice(0, PAGE_SIZE).map(each => deedItem(view, each, now))}</ul></div>`
}
${pager('/me/data', {}, number, deeds.length > PAGE_SIZE)}`,
  })
}

/** What a sending university knows and keeps of a volunteer. What mentors noted of them is counted, for they are its words. */
function universityCard({
  university,
  college,
  year,
  mentor,
  touches,
  keeps,
  steps,
}: Awaited<ReturnType<typeof keptOfPerson>>[number]): Html {
  const kept = keeps.map(
    ({ what, sinceOn, untilOn }) =>
      `${keepRule(what)?.name ?? what}（${dayWords(sinceOn)}起，${untilOn ? `到${dayWords(untilOn)}` : '没有期限'}）`,
  )
  const way = steps.map(({ step, on }) => `${stageWords[step as Stage] ?? step}（${dayWords(on)}）`)
  return html`<section class="card"><h2>${university}的志愿者数据库</h2><dl class="facts">
<dt>院系、毕业年份</dt><dd>${[college, year].filter(Boolean).join('，') || '没有填'}</dd>
<dt>登记的阶段</dt><dd>${way.join('、') || '没有登记，在岗等由名册给出'}</dd>
<dt>导师</dt><dd>${mentor ?? '没有'}</dd>
<dt>联系的记录</dt><dd>${touches} 次</dd>
<dt>学校为您保留</dt><dd>${kept.join('、') || '没有登记'}</dd></dl></section>`
}

const channelNames: Record<string, string> = {
  wecom: '企业微信',
  'official-account': '公众号',
  aibot: '智能机器人',
}
const boundWords: Record<string, string> = {
  code: '凭绑定码',
  join_request: '入群审核通过',
  registration: '自助登记',
}

function registrationWords(
  { rt }: View<null>,
  { programme, residence, occupation }: { programme: string; residence: string; occupation: string },
): string {
  const place = rt.templates.programme(programme).residences?.find(each => each.id === residence)
  const work = place?.occupations.find(each => each.figure === occupation)
  return `${place?.name ?? residence} ${work?.name ?? occupation}`
}

function deedItem({ rt, viewer }: View<null>, each: LookedAt, now: Date): Html {
  return html`<li><b>${whoDid(each)}</b>${whatWasDone(each)} <span class="soft">${moment(each.at, now)}</span></li>`

  function whatWasDone({ action, details, exported }: LookedAt): string {
    if (exported === null) return actionWords(action, details)
    const often = exported.times > 1 ? `，当天 ${exported.times} 次` : ''
    return `导出${exported.unitName}的名册，里面有您${details.by === 'api' ? '（单位的程序，通过接口令牌）' : ''}${often}`
  }

  function whoDid(by: LookedAt): string {
    if (by.actorId === viewer.actor.person.id) return '您本人：'
    if (by.actorId === null) return '系统：'
    const office =
      by.actorUnit === null || by.actorRole === null || by.actorProgramme === null
        ? ''
        : `（${by.actorUnit}${by.actorTitle ?? rt.templates.role(by.actorProgramme, by.actorRole).name}）`
    return `${by.actorName ?? ''}${office}：`
  }
}

// consent

function consentRoutes(routes: Routes): void {
  routes.get('/me/consent', 'person', view => consentPage(view))

  routes.post('/me/consent', 'person', async view => {
    const { rt, viewer } = view
    const { answer, day } = view.read(
      z.object({
        answer: z.enum(['agree', 'withdraw'], { error: '请点“同意”或“撤回同意”。' }),
        day: z.string().max(10).catch(''),
      }),
    )
    if (answer === 'withdraw') {
      await withdraw(rt, viewer.actor, idNumberConsent)
      return view.goTo(
        '/me/consent',
        '已撤回，系统里您的身份证号和申请原文已经删除。请不要再用身份证号申请。',
      )
    }
    try {
      await agree(rt, viewer.actor, idNumberConsent, day)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return consentPage(view, error.message)
    }
    return view.goTo('/me/consent', '已记下您的同意，随时可以撤回。')
  })
}

async function consentPage(view: View<null>, fault: string | null = null): Promise<Html> {
  const now = view.rt.clock.now()
  const text = idNumberConsent
  const { standing, history } = await consentOf(view.rt, view.viewer.actor, text)
  const last = history[0]
  return page(view, {
    title: text.title,
    part: 'me',
    above: home,
    fault,
    body: html`<div class="card">${text.parts.map(part => html`<h2>${part.head}</h2><p>${part.text}</p>`)}
<p class="soft">本说明自${dayWords(text.day)}起使用。</p></div>
<section class="card"><h2>我的决定</h2>
<p>${
      standing
        ? html`${tag('已同意', 'good')} ${moment(standing.agreedAt, now)}`
        : last?.withdrawnAt
          ? html`${tag('已撤回')} ${moment(last.withdrawnAt, now)}`
          : html`${tag('还没有表示', 'wait')} 不表示也可以用姓名和手机号申请入群。`
    }</p>
<div class="deeds">${
      standing
        ? deed('/me/consent', view.formToken, '撤回同意', {
            fields: { answer: 'withdraw' },
            isGrave: true,
            sure: '撤回会删除系统里您的身份证号和申请原文，不能恢复；还在等核实的申请会作废。确定撤回吗？',
          })
        : deed('/me/consent', view.formToken, '同意', { fields: { answer: 'agree', day: text.day } })
    }</div></section>`,
  })
}

// sessions

const wayWords: Record<string, string> = {
  wecom: '企业微信登录',
  scan: '企业微信扫码登录',
  'official-account': '微信登录',
  link: '聊天里的链接登录',
  demo: '演示登录',
}

function sessionRoutes(routes: Routes): void {
  routes.get('/me/sessions', 'person', async view => {
    const { rt, viewer } = view
    const now = rt.clock.now()
    const sessions = await sessionsOf(rt.db, viewer.actor.person.id, now)
    const tokens = await standingTokensOf(rt.db, viewer.actor.person.id, now)
    return page(view, {
      title: '登录的设备',
      part: 'me',
      above: home,
      body: html`<p class="soft">不认识的设备，请点“让它退出”，并联系上级组织换发绑定码。</p>
<div class="card"><ul class="plain">${sessions
        .slice(0, 100)
        .map(
          session =>
            html`<li class="own-group"><span><b>${session.device}</b> ${session.id === viewer.sessionId ? tag('就是这里', 'good') : ''}<br><span class="soft">${wayWords[session.signedInBy] ?? session.signedInBy} · ${moment(session.createdAt, now)}登录，${moment(session.lastSeenAt, now)}用过</span></span><form method="post" action="/me/sessions/${session.id}/end">${token(view.formToken)}<button class="second">${session.id === viewer.sessionId ? '退出' : '让它退出'}</button></form></li>`,
        )}</ul></div>
<div class="deeds">${sessions.length > 1 ? deed('/me/sessions/end-others', view.formToken, '让其他设备都退出', { sure: '其他设备要重新登录，确定吗？', isGrave: true }) : ''}${
        tokens.length > 0
          ? deed(
              '/me/sessions/end-others',
              view.formToken,
              `都退出，并停用我建的 ${tokens.length} 个接口令牌`,
              {
                fields: { tokens: 'yes' },
                sure: `其他设备要重新登录；用“${tokens.map(each => each.name).join('”“')}”的系统会连不上，要另建令牌。确定吗？`,
                isGrave: true,
              },
            )
          : ''
      }</div>`,
    })
  })

  routes.post('/me/sessions/:sessionId/end', ownSessionPolicy, async view => {
    await endOwnSession(view.rt, view.viewer.actor, view.thing.id)
    return view.goTo('/me/sessions', '那个设备已经退出。')
  })

  routes.post('/me/sessions/end-others', 'person', async view => {
    const { tokens: withTokens } = view.read(
      z.object({ tokens: z.literal('yes').optional().catch(undefined) }),
    )
    const { sessions, tokens } = await endSessionsBut(view.rt, view.viewer.actor, {
      keptId: view.viewer.sessionId,
      withTokens: withTokens === 'yes',
    })
    const words = sessions > 0 ? `其他 ${sessions} 处登录已经退出。` : '没有其他登录。'
    return view.goTo('/me/sessions', tokens > 0 ? `${words}停用了 ${tokens} 个接口令牌。` : words)
  })
}

function placeOf(number: number): { limit: number; offset: number } {
  return { limit: PAGE_SIZE + 1, offset: (number - 1) * PAGE_SIZE }
}
