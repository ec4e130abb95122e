import { z } from 'zod'
import { listUpdates, type UpdateInView } from '../../../../db/queries/updates.ts'
import { updatePolicy } from '../../../domain/access/updates.ts'
import { retryUpdate } from '../../../domain/updates/retry.ts'
import { type Html, html } from '../../../http/html.ts'
import type { Runtime } from '../../../runtime.ts'
import { errorWords } from '../../../status/collect.ts'
import { channelNames, nameIn, updateKindNames, updateStatusNames } from '../../../status/names.ts'
import { type FieldShape, shapeOf } from '../../../status/structure.ts'
import { deed, moment, pager, select, table, tag } from '../../parts.ts'
import type { Routes, View } from '../../routes.ts'
import { choicesOf, oneOf, PER_PAGE, pageNumber, serverPage, tookWords } from './frame.ts'
import { say } from './say.ts'
import { toneOf } from './tones.ts'

const asked = z.object({
  status: oneOf(updateStatusNames),
  kind: oneOf(updateKindNames),
  page: pageNumber,
})

type Update = UpdateInView & { payloadSealed: string; hasReply: boolean }

/** `GET /console/server/updates`: what came in and what became of it; never what it said. */
export function updatePages(routes: Routes): void {
  routes.get('/console/server/updates', 'administrator', async view => {
    const { status, kind, page } = view.read(asked)
    const now = view.rt.clock.now()
    const found = await listUpdates(view.rt.db, { status, kind }, (page - 1) * PER_PAGE, PER_PAGE + 1)
    return serverPage(view, {
      title: '回调',
      tab: 'updates',
      body: html`<p class="soft">平台发来的消息和事件。内容是个人信息，加密保存，这里不显示。</p>
<section class="card"><form class="row" method="get" action="/console/server/updates">${select('status', '状态', choicesOf(updateStatusNames), { value: status, attributes: html`data-auto` })}${select('kind', '种类', choicesOf(updateKindNames), { value: kind, attributes: html`data-auto` })}<button class="second">查看</button></form></section>
${table(
  '回调',
  [
    '编号',
    '渠道',
    '种类',
    '收到',
    '状态',
    { name: '失败', isNumber: true },
    { name: '办了多久', isNumber: true },
    '原因',
  ],
  found
    .slice(0, PER_PAGE)
    .map(
      update =>
        html`<tr><td><a href="/console/server/updates/${update.id}">${update.id}</a></td><td class="nowrap">${nameIn(channelNames, update.channel)}</td><td>${nameIn(updateKindNames, update.kind)}</td><td class="nowrap">${moment(update.receivedAt, now)}</td><td>${statusTag(update)}</td><td class="number">${update.attempts}</td><td class="number nowrap">${handlingWords(update)}</td><td>${update.error === null ? '' : errorWords(update.error)}</td></tr>`,
    ),
  '没有这样的回调。',
)}
${pager('/console/server/updates', { status, kind }, page, found.length > PER_PAGE)}`,
    })
  })

  routes.get('/console/server/updates/:updateId', updatePolicy, view => detail(view))

  routes.post('/console/server/updates/:updateId/retry', updatePolicy, view =>
    say(
      view,
      `/console/server/updates/${view.thing.id}`,
      async () => {
        await retryUpdate(view.rt, view.viewer.actor, view.thing.id)
        return `回调 ${view.thing.id} 已放回，十几秒内会再处理。`
      },
      async fault => detail(view, fault),
    ),
  )
}

function detail(view: View<Update>, fault: string | null = null): Html {
  const { rt, thing: update } = view
  const now = rt.clock.now()
  return serverPage(view, {
    title: `回调 ${update.id}`,
    tab: 'updates',
    isBelow: true,
    fault,
    body: html`<section class="card"><dl class="facts"><dt>渠道</dt><dd>${nameIn(channelNames, update.channel)}</dd>
<dt>种类</dt><dd>${nameIn(updateKindNames, update.kind)}（${update.kind}）</dd>
<dt>收到</dt><dd>${moment(update.receivedAt, now)}</dd>
<dt>状态</dt><dd>${statusTag(update)}</dd>
<dt>失败次数</dt><dd>${update.attempts}</dd>
<dt>办了多久</dt><dd>${handlingWords(update) || '还没办完'}</dd>
<dt>当场答复</dt><dd>${update.hasReply ? '有（内容不显示）' : '没有'}</dd>
${update.error === null ? '' : html`<dt>原因</dt><dd>${errorWords(update.error)}</dd>`}</dl>
${retryDeed(view.formToken, update)}</section>
<h2>由什么组成</h2>
<p class="soft">只列字段、种类和长度，供开发者查原因；说了什么不显示，系统管理员无权看。</p>
${table(
  '由什么组成',
  ['字段', '是什么'],
  shapesOf(rt, update.payloadSealed).map(
    ({ name, words }) => html`<tr><td>${name}</td><td>${words}</td></tr>`,
  ),
  '内容已按保留期删除。',
)}`,
  })
}

function statusTag(update: UpdateInView): Html {
  return tag(nameIn(updateStatusNames, update.status), toneOf(update.status))
}

function handlingWords({ receivedAt, handledAt }: UpdateInView): string {
  return handledAt === null ? '' : tookWords(Math.max(0, handledAt.getTime() - receivedAt.getTime()))
}

function retryDeed(formToken: string, update: UpdateInView & { payloadSealed: string }): Html | string {
  if (update.status !== 'set_aside') return ''
  if (update.payloadSealed === '') return html`<p>内容已按保留期删除，不能再处理了。</p>`
  return html`<div class="deeds">${deed(`/console/server/updates/${update.id}/retry`, formToken, '修好了，放回重做')}</div>`
}

function shapesOf({ vault }: Pick<Runtime, 'vault'>, payloadSealed: string): FieldShape[] {
  if (payloadSealed === '') return []
  try {
    return shapeOf(vault.open(payloadSealed))
  } catch {
    return [{ name: '（整体）', words: '解不开：DATA_KEY 不是当初的那一把' }]
  }
}
