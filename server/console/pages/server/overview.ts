import { alarmPolicy } from '../../../domain/access/alarms.ts'
import { closeOneAlarm } from '../../../domain/alarms/close.ts'
import { retryMessages } from '../../../domain/outgoing/settle.ts'
import { retryAllUpdates } from '../../../domain/updates/retry.ts'
import { type Html, html } from '../../../http/html.ts'
import { collectStatus, MOST_ROWS, type Status } from '../../../status/collect.ts'
import {
  channelNames,
  kindNames,
  nameIn,
  purposeNames,
  statusNames,
  updateKindNames,
} from '../../../status/names.ts'
import { dayWords, deed, emptyState, figure, moment, progress, table, tag } from '../../parts.ts'
import type { Routes, View } from '../../routes.ts'
import { serverPage } from './frame.ts'
import { say } from './say.ts'
import { toneOf } from './tones.ts'

/** What an alarm is about where the pages have a place for it: the words for the terminal name its commands instead. */
const places: Record<string, { title: string; words?: string; path: string; link: string }> = {
  'updates:set_aside': {
    title: '搁置的回调',
    words: '有回调处理了五次都不成，已搁置，不影响其他人。看清原因，修好后放回重做。',
    path: '/console/server/updates?status=set_aside',
    link: '看搁置的回调',
  },
  'updates:unknown': {
    title: '不认识的回调',
    path: '/console/server/updates?kind=unknown',
    link: '看不认识的',
  },
  'messages:failed': {
    title: '没发出的消息',
    words: '有消息没有发出去（对方没有绑定账号、已取消关注，或平台拒绝）。看清是哪一类，能再发的再发。',
    path: '/console/server/deliveries?status=failed',
    link: '看没发出的消息',
  },
  'messages:unknown': {
    title: '不知是否发出的消息',
    path: '/console/server/deliveries?status=unknown',
    link: '看这些消息',
  },
}

/** The cause of an alarm as people say it: a platform with its code, what the pages have a place for, or its own name. */
function titleOf(cause: string): string {
  const [, channel, code] = /^platform:([\w-]+):(-?\d+)$/.exec(cause) ?? []
  if (channel !== undefined) return `${nameIn(channelNames, channel)} ${code}`
  return places[cause]?.title ?? (cause.startsWith('quota:') ? '额度' : cause)
}

/** `GET /console/server`: how things stand, as `npm run status` says it, with the deeds. */
export function overviewPages(routes: Routes): void {
  routes.get('/console/server', 'administrator', view => overview(view))

  routes.post('/console/server/alarms/:alarmId/close', alarmPolicy, view =>
    say(
      view,
      '/console/server',
      async () => {
        await closeOneAlarm(view.rt, view.viewer.actor, view.thing.id)
        return `告警 ${view.thing.id} 已关闭；再发生会另开一条。`
      },
      fault => overview(view, fault),
    ),
  )
  routes.post('/console/server/updates/retry', 'administrator', view =>
    say(
      view,
      '/console/server',
      async () => {
        const count = await retryAllUpdates(view.rt, view.viewer.actor)
        return count === 0 ? '没有可以放回的回调。' : `${count} 条回调已放回，十几秒内会再处理。`
      },
      fault => overview(view, fault),
    ),
  )
  routes.post('/console/server/deliveries/retry', 'administrator', view =>
    say(
      view,
      '/console/server',
      async () => {
        const { hastened, putBack } = await retryMessages(view.rt, view.viewer.actor)
        return `${hastened} 条重试中的消息现在就发，${putBack} 条没发出的已放回。`
      },
      fault => overview(view, fault),
    ),
  )
}

async function overview(view: View<unknown>, fault: string | null = null): Promise<Html> {
  const { rt } = view
  const status = await collectStatus(rt, rt.config.wecom?.accountCap ?? null)
  return serverPage(view, {
    title: '运维',
    tab: 'overview',
    fault,
    body: html`${figures(status)}
<h2>没关的告警</h2>
${alarms(view, status)}
<h2>搁置的回调</h2>
${setAside(view, status)}
<h2>没发完的消息</h2>
${messages(view, status)}
<div class="cards"><section class="card"><h2>今天的额度</h2>${quotas(status)}</section>
<section class="card"><h2>公众号还能到谁</h2>${reach(status)}</section></div>
<h2>平台没有成功应答的调用（24 小时内）</h2>
${refusedCalls(status)}
<h2>不认识的消息和事件（近 7 天）</h2>
${table(
  '不认识的消息和事件',
  ['日期', '名字', { name: '次数', isNumber: true }],
  status.unknownUpdates.map(
    ({ day, name, count }) =>
      html`<tr><td>${dayWords(day)}</td><td>${name}</td><td class="number">${count}</td></tr>`,
  ),
  '没有。平台发来的都认识。',
)}`,
  })
}

function figures(status: Status): Html {
  const of = (wanted: string) =>
    status.messages.filter(row => row.status === wanted).reduce((sum, row) => sum + row.count, 0)
  const [failed, unknown, retrying] = [of('failed'), of('unknown'), of('retrying')]
  const aside = status.updatesSetAside.length
  const asideWords = aside < MOST_ROWS ? aside : `${aside} 多`
  return html`<div class="figures">
${figure(status.alarms.length, '个没关的告警', undefined, status.alarms.length > 0 ? 'bad' : 'good')}
${figure(asideWords, '条搁置的回调', '/console/server/updates?status=set_aside', aside > 0 ? 'bad' : 'good')}
${figure(unknown, '条不知是否发出', '/console/server/deliveries?status=unknown', unknown > 0 ? 'bad' : 'good')}
${figure(failed, '条没发出（24 小时）', '/console/server/deliveries?status=failed', failed > 0 ? 'wait' : 'good')}
${figure(retrying, '条在重试', '/console/server/deliveries?status=retrying', retrying > 0 ? 'wait' : 'good')}
</div>`
}

function alarms(view: View<unknown>, { alarms: open, at }: Status): Html {
  if (open.length === 0) return emptyState('没有告警，一切正常。')
  return html`${open.map(alarm => {
    const place = places[alarm.cause]
    return html`<section class="card"><p>${tag(titleOf(alarm.cause), 'bad')} <span class="soft">${alarm.times} 次，${moment(alarm.firstAt, at)} 至 ${moment(alarm.lastAt, at)}</span></p>
<p>${place?.words ?? alarm.words}</p>
<div class="deeds">${place ? html`<a class="button second" href="${place.path}">${place.link}</a>` : ''}${deed(
      `/console/server/alarms/${alarm.id}/close`,
      view.formToken,
      '处理好了，关闭',
    )}</div></section>`
  })}`
}

function setAside(view: View<unknown>, { updatesSetAside, at }: Status): Html {
  return html`${table(
    '搁置的回调',
    ['编号', '渠道', '种类', '收到', '原因'],
    updatesSetAside.map(
      update =>
        html`<tr><td><a href="/console/server/updates/${update.id}">${update.id}</a></td><td>${nameIn(channelNames, update.channel)}</td><td>${nameIn(updateKindNames, update.kind)}</td><td class="nowrap">${moment(update.receivedAt, at)}</td><td>${update.error}</td></tr>`,
    ),
    '没有。处理五次都不成的才会搁置。',
  )}
${
  updatesSetAside.length > 0
    ? html`<div class="deeds">${deed(
        '/console/server/updates/retry',
        view.formToken,
        '修好了，全部放回重做',
        {
          sure: `把搁置的 ${updatesSetAside.length} 条回调都放回去再处理一次？`,
        },
      )}</div>`
    : ''
}`
}

function messages(view: View<unknown>, { messages: unfinished, at }: Status): Html {
  const canRetry = unfinished.some(row => row.status === 'retrying' || row.status === 'failed')
  return html`${table(
    '没发完的消息',
    ['状态', '发法', '为什么发', { name: '条数', isNumber: true }, '最早什么时候发'],
    unfinished.map(row => {
      const isDue = row.status === 'pending' || row.status === 'retrying'
      return html`<tr><td>${tag(nameIn(statusNames, row.status), toneOf(row.status))}</td><td>${nameIn(kindNames, row.kind)}</td><td>${nameIn(purposeNames, row.purpose)}</td><td class="number"><a href="/console/server/deliveries?status=${row.status}&purpose=${row.purpose}">${row.count}</a></td><td class="nowrap">${isDue ? moment(row.nextAt, at) : ''}</td></tr>`
    }),
    '没有，都发完了。没发出的只数 24 小时内的。',
  )}
${
  canRetry
    ? html`<div class="deeds">${deed(
        '/console/server/deliveries/retry',
        view.formToken,
        '平台修好了，现在重发',
        {
          sure: '重试中的现在就发，近三天没发出的个人消息和入群码也放回再发？',
        },
      )}</div>`
    : ''
}`
}

function quotas({ quotas: used }: Status): Html {
  if (used.length === 0) return html`<p class="soft">今天还没有用。</p>`
  return html`<ul class="plain">${used.map(
    quota =>
      html`<li>${quota.words}${quota.per === 'month' ? '（本月，用得最多的一个群）' : ''}<br>${
        quota.limit === null ? quota.used : progress(quota.used, quota.limit, quota.words)
      }</li>`,
  )}</ul>`
}

function reach({ officialAccount }: Status): Html {
  return html`<dl class="facts"><dt>可直接发消息</dt><dd>${officialAccount.byMessage} 人，共还能发 ${officialAccount.messagesLeft} 条</dd>
<dt>只能先用模板消息叫</dt><dd>${officialAccount.byTemplateOnly} 人</dd>
<dt>到不了（已取消关注）</dt><dd>${officialAccount.notAtAll} 人</dd></dl>`
}

/** What has one code is mended in one way, whichever call it was. */
function refusedCalls({ refusedCalls: refused, at }: Status): Html {
  if (refused.length === 0) return emptyState('没有，平台都应答了。')
  const byCode = Map.groupBy(
    refused,
    call => `${nameIn(channelNames, call.channel)} ${call.errcode ?? '没有应答'}`,
  )
  return html`<section class="card"><ul class="plain">${[...byCode].map(([code, calls]) => {
    const last = calls.reduce((one, other) => (other.lastAt > one.lastAt ? other : one))
    const words = calls.find(call => call.words !== null)?.words
    return html`<li>${tag(code, 'bad')} <a href="/console/server/calls?channel=${last.channel}&failed=yes">${sum(calls)} 次</a> <span class="soft">最近 ${moment(last.lastAt, at)}：${calls.map(call => call.call).join('、')}</span>${words ? html`<br>${words}` : ''}</li>`
  })}</ul></section>`
}

function sum(calls: { times: number }[]): number {
  return calls.reduce((total, call) => total + call.times, 0)
}
