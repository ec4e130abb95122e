import { z } from 'zod'
import { listOutgoing, type OutgoingInView, outgoingById } from '../../../../db/queries/outgoing.ts'
import { type CallRow, callsFor } from '../../../../db/queries/troubles.ts'
import { outgoingPolicy } from '../../../domain/access/outgoing.ts'
import { deedsFor, giveUp, markSent, sendAgain } from '../../../domain/outgoing/settle.ts'
import { type Html, html } from '../../../http/html.ts'
import { channelNames, kindNames, nameIn, purposeNames, statusNames } from '../../../status/names.ts'
import { deed, moment, pager, select, table, tag, token } from '../../parts.ts'
import type { Routes, View } from '../../routes.ts'
import { callTable, remedyOf } from './calls.ts'
import { choicesOf, oneOf, PER_PAGE, pageNumber, serverPage } from './frame.ts'
import { say } from './say.ts'
import { toneOf } from './tones.ts'

const asked = z.object({ status: oneOf(statusNames), purpose: oneOf(purposeNames), page: pageNumber })
const decided = z.object({ hasNotArrived: z.string().optional() })

/** Calls of one message that are shown. */
const MOST_CALLS = 50
/** A message is tried for a day; what waits for its reader may go out much later. */
const CALLS_FOR_MS = 4 * 86_400_000
const AROUND_MS = 60_000

type Outgoing = OutgoingInView & { personName: string | null; groupName: string | null }

/** `GET /console/server/deliveries`: what goes out, to whom, and what became of it; never what it says. */
export function deliveryPages(routes: Routes): void {
  routes.get('/console/server/deliveries', 'administrator', async view => {
    const { status, purpose, page } = view.read(asked)
    const now = view.rt.clock.now()
    const found = await listOutgoing(view.rt.db, { status, purpose }, (page - 1) * PER_PAGE, PER_PAGE + 1)
    return serverPage(view, {
      title: '发送',
      tab: 'deliveries',
      body: html`<p class="soft">要发给人和群的消息。正文加密保存，这里不显示。</p>
<section class="card"><form class="row" method="get" action="/console/server/deliveries">${select('status', '状态', choicesOf(statusNames), { value: status, attributes: html`data-auto` })}${select('purpose', '为什么发', choicesOf(purposeNames), { value: purpose, attributes: html`data-auto` })}<button class="second">查看</button></form></section>
${table(
  '消息',
  ['编号', '状态', '发法', '为什么发', '给谁', { name: '试了', isNumber: true }, '写下', '下次', '原因'],
  found
    .slice(0, PER_PAGE)
    .map(
      message =>
        html`<tr><td><a href="/console/server/deliveries/${message.id}">${message.id}</a></td><td>${statusTag(message)}</td><td class="nowrap">${nameIn(kindNames, message.kind)}</td><td class="nowrap">${nameIn(purposeNames, message.purpose)}</td><td>${targetOf(message)}</td><td class="number">${message.attempts}</td><td class="nowrap">${moment(message.createdAt, now)}</td><td class="nowrap">${isOpen(message) ? moment(message.nextAttemptAt, now) : ''}</td><td class="words">${message.error ?? ''}</td></tr>`,
    ),
  '没有这样的消息。',
)}
${pager('/console/server/deliveries', { status, purpose }, page, found.length > PER_PAGE)}`,
    })
  })

  routes.get('/console/server/deliveries/:outgoingId', outgoingPolicy, view => detail(view))

  routes.post('/console/server/deliveries/:outgoingId/send-again', outgoingPolicy, view => {
    const { hasNotArrived } = view.read(decided)
    return say(
      view,
      pathOf(view.thing),
      async () => {
        await sendAgain(view.rt, view.viewer.actor, {
          message: view.thing,
          hasNotArrived: hasNotArrived === 'yes',
        })
        return '已放回，马上再发一次。'
      },
      fault => again(view, fault),
    )
  })
  routes.post('/console/server/deliveries/:outgoingId/mark-sent', outgoingPolicy, view =>
    say(
      view,
      pathOf(view.thing),
      async () => {
        await markSent(view.rt, view.viewer.actor, view.thing)
        return view.thing.kind === 'mass'
          ? '已记为发出，等群主在手机上确认群发。'
          : '已记为发到群里，回执也记上了。'
      },
      fault => again(view, fault),
    ),
  )
  routes.post('/console/server/deliveries/:outgoingId/give-up', outgoingPolicy, view =>
    say(
      view,
      pathOf(view.thing),
      async () => {
        await giveUp(view.rt, view.viewer.actor, view.thing)
        return isGroupPost(view.thing) ? '不再发送；有群主的群已改请群主转发。' : '不再发送。'
      },
      fault => again(view, fault),
    ),
  )
}

/** The message as it stands now: it may have been decided meanwhile, which is why the deed was refused. */
async function again(view: View<Outgoing>, fault: string): Promise<Html> {
  const message = (await outgoingById(view.rt.db, view.thing.id)) ?? view.thing
  return detail({ ...view, thing: message }, fault)
}

async function detail(view: View<Outgoing>, fault: string | null = null): Promise<Html> {
  const { rt, thing: message } = view
  const now = rt.clock.now()
  const until = message.sentAt ?? new Date(message.createdAt.getTime() + CALLS_FOR_MS)
  const calls = await callsFor(
    rt.db,
    {
      id: message.id,
      from: new Date(message.createdAt.getTime() - AROUND_MS),
      until: new Date(until.getTime() + AROUND_MS),
    },
    MOST_CALLS,
  )
  return serverPage(view, {
    title: `消息 ${message.id}`,
    tab: 'deliveries',
    isBelow: true,
    fault,
    body: html`<section class="card"><dl class="facts"><dt>发法</dt><dd>${nameIn(kindNames, message.kind)}</dd>
<dt>为什么发</dt><dd>${nameIn(purposeNames, message.purpose)}</dd>
<dt>给谁</dt><dd>${whom(message)}</dd>
<dt>状态</dt><dd>${statusTag(message)}</dd>
<dt>试了</dt><dd>${message.attempts} 次${message.sentCount > 0 ? `，前 ${message.sentCount} 段已经发出` : ''}</dd>
<dt>写下</dt><dd>${moment(message.createdAt, now)}</dd>
${isOpen(message) ? html`<dt>下次</dt><dd>${moment(message.nextAttemptAt, now)}</dd>` : ''}
${message.sentAt ? html`<dt>发出</dt><dd>${moment(message.sentAt, now)}</dd>` : ''}
${message.expiresAt ? html`<dt>过了就不发</dt><dd>${moment(message.expiresAt, now)}</dd>` : ''}
${message.error ? html`<dt>原因</dt><dd>${message.error}</dd>` : ''}</dl></section>
${whatToDo(view, calls)}
<h2>为它调用的接口</h2>
${callTable(calls, now, '还没有调用过，或记录已按保留期删除。')}`,
  })
}

/** What can be decided, with what it means; nothing that might put a message into a group twice without a look. */
function whatToDo(view: View<Outgoing>, calls: CallRow[]): Html | string {
  const { thing: message, formToken } = view
  const deeds = deedsFor(message, view.rt.clock.now())
  const remedy = message.status === 'sent' ? null : (calls.map(remedyOf).find(each => each !== null) ?? null)
  const words = wordsFor(message)
  if (deeds.length === 0 && remedy === null && words === '') return ''
  const path = pathOf(message)
  return html`<section class="card"><h2>怎么办</h2>
${remedy === null ? '' : html`<p>${remedy}</p>`}${words === '' ? '' : html`<p>${words}</p>`}
${
  message.status === 'unknown' && deeds.includes('send_again')
    ? html`<form method="post" action="${path}/send-again" data-sure="群里确实没有这一条？再发一次，群里可能看到两遍。">${token(formToken)}
<p><label><input type="checkbox" name="hasNotArrived" value="yes" required>确认没有收到：已到群里看过，或问过群主</label></p>
<div class="deeds"><button>再发一次</button></div></form>`
    : ''
}
<div class="deeds">${
    message.status !== 'unknown' && deeds.includes('send_again')
      ? deed(`${path}/send-again`, formToken, '现在再发一次')
      : ''
  }${
    deeds.includes('mark_sent')
      ? deed(`${path}/mark-sent`, formToken, '群里有，记为已发', { sure: '已到群里看过，确实有这一条？' })
      : ''
  }${
    deeds.includes('give_up')
      ? deed(`${path}/give-up`, formToken, isGroupPost(message) ? '不再发，请群主转发' : '不再发', {
          isGrave: true,
          sure: isGroupPost(message)
            ? '不再由系统发送，改请群主手工转发？'
            : '不再发送这条消息？对方就收不到了。',
        })
      : ''
  }</div></section>`
}

function wordsFor({ status, kind, hasContent }: Outgoing): string {
  switch (status) {
    case 'unknown':
      return '发送时中断，平台没有办法查询是否已发出。请先到群里看一眼，或问群主。'
    case 'waiting':
      return '对方在公众号里超过 48 小时没有说话，已用模板消息叫过；一开口就发给他。'
    case 'failed':
      if (!hasContent) return '正文已按保留期删除，不能再发。'
      return isGroupPost({ kind }) ? '发不进群，有群主的群已改请群主转发。' : ''
    default:
      return ''
  }
}

function isGroupPost({ kind }: Pick<Outgoing, 'kind'>): boolean {
  return kind === 'robot' || kind === 'appchat' || kind === 'mass'
}

function isOpen({ status }: OutgoingInView): boolean {
  return status === 'pending' || status === 'retrying'
}

function pathOf({ id }: Outgoing): string {
  return `/console/server/deliveries/${id}`
}

function statusTag(message: OutgoingInView): Html {
  return tag(nameIn(statusNames, message.status), toneOf(message.status))
}

/** In a list only numbers: whoever looks after the server needs a name when something has gone wrong, one by one. */
function targetOf({ personId, groupId, groupCount, channel }: OutgoingInView): string {
  const account = channel === null ? '' : `（${nameIn(channelNames, channel)}）`
  if (groupCount !== null) return `${groupCount} 个群`
  if (groupId !== null) return `群 ${groupId}`
  return personId === null ? `没有绑定的账号${account}` : `人员 ${personId}${account}`
}

function whom(message: Outgoing): string {
  const { personName, groupName, groupId, groupCount, channel, kind } = message
  if (kind === 'response' || kind === 'welcome') return '当时说话的那个账号'
  const account = channel === null ? '任一已绑定的账号' : `${nameIn(channelNames, channel)}账号`
  const parts = [
    personName === null ? '' : `${personName}（${account}）`,
    groupName === null ? '' : `群“${groupName}”（群号 ${groupId}）`,
    groupCount === null ? '' : `${groupCount} 个客户群`,
  ].filter(part => part !== '')
  return parts.length > 0 ? parts.join('，') : `没有绑定的${account}`
}
