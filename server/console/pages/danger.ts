import { z } from 'zod'
import { callsToldTo, type DangerCall, type DangerStep, stepsOfCall } from '../../../db/queries/danger.ts'
import { dangerCallPolicy } from '../../domain/access/danger-calls.ts'
import { placesOfCall } from '../../domain/danger/audience.ts'
import { maskedPhoneOf, showPhone } from '../../domain/danger/phone.ts'
import { answerDanger } from '../../domain/danger/report.ts'
import { type DangerWord, settleDanger } from '../../domain/danger/settle.ts'
import { isUnconfirmed } from '../../domain/danger/tell.ts'
import { maskPersonalData } from '../../domain/messages/mask.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import { deed, emptyState, moment, pager, type Tone, tag } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

const PAGE_SIZE = 30
const states: Record<string, [words: string, tone: Tone]> = {
  open: ['还没有人应答', 'bad'],
  answered: ['有人应答', 'wait'],
  confirmed: ['已核实', 'bad'],
  false_alarm: ['误报', 'quiet'],
  closed: ['平安', 'good'],
}
const steps: Record<string, string> = {
  said: '本人说',
  told: '通知',
  asked: '问本人有没有危险',
  affirmed: '本人回答：有危险',
  silent: '本人没有回答，先通知，没有核实',
  answered: '我来处理',
  confirmed: '属实',
  false_alarm: '误报',
  closed: '平安',
  safe: '本人说平安',
}
const ended = ['false_alarm', 'closed']

/**
 * Calls for help: `/console/danger` for the officers who were told of them, and the answer to the question whether anybody
 * is in danger, for who wrote a slip on a page.
 */
export function dangerPages(routes: Routes): void {
  routes.get('/console/danger', 'manager', listPage)
  routes.get('/console/danger/:callId', dangerCallPolicy, view => callPage(view))
  routes.post('/console/danger/:callId/phone', dangerCallPolicy, view =>
    orSay(view, async () => callPage(view, await showPhone(view.rt, view.viewer.actor, view.thing.id))),
  )
  routes.post('/console/danger/:callId/settle', dangerCallPolicy, view =>
    orSay(view, async () => {
      const { word } = view.read(
        z.object({ word: z.enum(['answered', 'confirmed', 'false_alarm', 'closed']) }),
      )
      await settleDanger(view.rt, view.viewer.actor, { callId: view.thing.id, word })
      return view.goTo(`/console/danger/${view.thing.id}`, '已登记，已告诉本人和通知过的同志。')
    }),
  )
  routes.post('/me/danger', 'person', async view => {
    const { answer } = view.read(z.object({ answer: z.enum(['yes', 'no']) }))
    const done = await inTransaction(view.rt, tx => answerDanger(tx, view.viewer.actor, answer === 'yes'))
    return view.goTo('/me/slips', done ?? '已经处理过了。有人受伤、有危险请打 110、120、119。')
  })
}

/** The question whether anybody is in danger, as buttons on a page. */
export function dangerQuestion(view: View<unknown>): Html {
  return html`<div class="deeds">${deed('/me/danger', view.formToken, '有危险，马上通知', { fields: { answer: 'yes' }, isGrave: true })}${deed('/me/danger', view.formToken, '没有危险', { fields: { answer: 'no' } })}</div>`
}

async function orSay<Thing>(view: View<DangerCall>, work: () => Promise<Thing>): Promise<Thing | Html> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return callPage(view, null, error.message)
  }
}

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) }))
  const now = rt.clock.now()
  const found = await callsToldTo(rt.db, viewer.actor.person.id, {
    limit: PAGE_SIZE + 1,
    offset: (number - 1) * PAGE_SIZE,
  })
  return page(view, {
    title: '求助',
    part: 'slips',
    above: [['上报', '/console/slips']],
    body: html`<p class="soft">通知过您的求助。</p>
${
  found.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : '没有通知过您的求助。')
    : html`<div class="card"><ul class="plain">${found
        .slice(0, PAGE_SIZE)
        .map(
          call =>
            html`<li class="listed-notice"><a href="/console/danger/${call.id}">${call.id} 号：${call.personName ?? '还没有绑定的微信用户'}</a><span class="soft">${call.unitName ?? ''} · ${moment(call.createdAt, now)}</span><span class="deeds-line">${stateTag(call)}</span></li>`,
        )}</ul></div>`
}
${pager('/console/danger', {}, number, found.length > PAGE_SIZE)}`,
  })
}

function stateTag(call: DangerCall): Html {
  const [words, tone] = states[call.status] ?? [call.status, 'quiet']
  return tag(words, tone)
}

async function callPage(
  view: View<DangerCall>,
  phone: string | null = null,
  fault: string | null = null,
): Promise<Html> {
  const { rt, thing: call, formToken } = view
  const now = rt.clock.now()
  const own = `/console/danger/${call.id}`
  const [all, places, masked] = await Promise.all([
    stepsOfCall(rt.db, call.id),
    placesOfCall(rt, call),
    maskedPhoneOf(rt, call),
  ])
  const isOpen = !ended.includes(call.status)
  const word = (name: DangerWord, words: string, isGrave = false) =>
    deed(`${own}/settle`, formToken, words, { fields: { word: name }, isGrave })
  return page(view, {
    title: `求助 ${call.id}`,
    part: 'slips',
    above: [
      ['上报', '/console/slips'],
      ['求助', '/console/danger'],
    ],
    fault,
    body: html`<section class="card"><h2>${call.personName ?? '还没有绑定的微信用户'} ${stateTag(call)}${isUnconfirmed(all) ? tag('没有核实', 'wait') : ''}</h2>
<dl class="facts"><dt>哪里</dt><dd>${places.map(place => [place.unitName, ...place.groups].join('，')).join('；') || '不知道'}</dd>
<dt>手机</dt><dd>${phone ?? masked ?? '名册上没有'}</dd></dl>
${phone === null && masked !== null && isOpen ? deed(`${own}/phone`, formToken, '看完整号码', { sure: '会留痕，本人看得到谁看过。' }) : ''}</section>
${isOpen ? html`<div class="deeds">${word('answered', '我来处理')}${word('confirmed', '属实', true)}${word('closed', '平安')}${word('false_alarm', '误报')}</div>` : ''}
<h2>经过</h2><div class="card"><ol class="plain">${all.filter(step => step.kind !== 'passed').map(step => stepItem(view, step, now))}</ol></div>`,
  })
}

/** Words are shown with phones, which whoever helps must be able to ring up. */
function stepItem({ rt }: View<DangerCall>, step: DangerStep, now: Date): Html {
  const who = step.kind === 'said' ? '' : `${step.personName ?? ''} · `
  return html`<li>${steps[step.kind] ?? step.kind} <span class="soft">${who}${moment(step.at, now)}</span>${step.textSealed ? html`<p class="prose">${maskPersonalData(rt.vault.open(step.textSealed), ['mobile'])}</p>` : ''}</li>`
}
