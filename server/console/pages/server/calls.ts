import { z } from 'zod'
import { type CallRow, listCalls } from '../../../../db/queries/troubles.ts'
import { remedyFor } from '../../../channels/remedies.ts'
import { type Html, html } from '../../../http/html.ts'
import { channelNames, nameIn } from '../../../status/names.ts'
import { moment, pager, select, table, tag } from '../../parts.ts'
import type { Routes } from '../../routes.ts'
import { choicesOf, oneOf, PER_PAGE, pageNumber, serverPage, tookWords } from './frame.ts'

const asked = z.object({
  channel: oneOf(channelNames),
  failed: z.enum(['yes']).or(z.literal('')).catch(''),
  page: pageNumber,
})

/** `GET /console/server/calls`: what we asked the platforms and what they answered. */
export function callPages(routes: Routes): void {
  routes.get('/console/server/calls', 'administrator', async view => {
    const { channel, failed, page } = view.read(asked)
    const found = await listCalls(
      view.rt.db,
      { channel, isFailed: failed === 'yes' },
      (page - 1) * PER_PAGE,
      PER_PAGE + 1,
    )
    return serverPage(view, {
      title: '接口调用',
      tab: 'calls',
      body: html`<p class="soft">每次调用平台的路径、返回码和耗时，保留 ${view.rt.config.retentionDays} 天；不存参数、密钥和内容。</p>
<section class="card"><form class="row" method="get" action="/console/server/calls">${select('channel', '渠道', choicesOf(channelNames), { value: channel, attributes: html`data-auto` })}${select(
        'failed',
        '结果',
        [
          ['', '全部'],
          ['yes', '只看没成功的'],
        ],
        { value: failed, attributes: html`data-auto` },
      )}<button class="second">查看</button></form></section>
${remedies(found.slice(0, PER_PAGE))}
${callTable(found.slice(0, PER_PAGE), view.rt.clock.now(), '没有这样的调用。')}
${pager('/console/server/calls', { channel, failed }, page, found.length > PER_PAGE)}`,
    })
  })
}

export function callTable(calls: CallRow[], now: Date, empty: string): Html {
  return table(
    '接口调用',
    ['时间', '结果', '渠道', '接口', { name: '耗时', isNumber: true }, '消息'],
    calls.map(
      call =>
        html`<tr><td class="nowrap">${moment(call.at, now)}</td><td>${outcomeOf(call)}</td><td class="nowrap">${nameIn(channelNames, call.channel)}</td><td class="nowrap">${pathOf(call)}</td><td class="number nowrap">${tookWords(call.tookMs)}</td><td>${call.outgoingId === null ? '' : html`<a href="/console/server/deliveries/${call.outgoingId}">${call.outgoingId}</a>`}</td></tr>`,
    ),
    empty,
  )
}

/** How to mend what stands in the table below, each once. */
function remedies(calls: CallRow[]): Html | string {
  const found = new Map(
    calls.flatMap(call => {
      const words = remedyOf(call)
      return words === null ? [] : [[words, `${nameIn(channelNames, call.channel)} ${call.errcode}`] as const]
    }),
  )
  if (found.size === 0) return ''
  return html`<section class="card"><h2>怎样修</h2><ul class="plain">${[...found].map(
    ([words, code]) => html`<li>${tag(code, 'bad')} ${words}</li>`,
  )}</ul></section>`
}

/** The path without a query, which would hold the token; none is stored, and none is shown. */
function pathOf({ call }: CallRow): string {
  return call.split('?')[0] ?? ''
}

function outcomeOf({ errcode, message }: CallRow): Html {
  if (errcode === 0) return tag('成功', 'good')
  if (errcode !== null) return tag(String(errcode), 'bad')
  return tag(noAnswerWords(message), 'bad')
}

/** Our own words of `server/channels/http.ts`, and nothing else: whatever else stood there might quote somebody. */
function noAnswerWords(message: string | null): string {
  if (message === 'no connection') return '连不上'
  if (message === 'no answer') return '没有应答'
  if (message === 'answer too large' || message === 'file too large') return '应答太大'
  const [, status] = /^HTTP (\d{3})/.exec(message ?? '') ?? []
  return status === undefined ? '没有应答' : `HTTP ${status}`
}

/** What to do about a refused call; null when it succeeded, or mends itself. */
export function remedyOf({
  channel,
  errcode,
  call,
}: Pick<CallRow, 'channel' | 'errcode' | 'call'>): string | null {
  return errcode === null || errcode === 0 ? null : (remedyFor(channel, errcode, call)?.words ?? null)
}
