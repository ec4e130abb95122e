import type { CheckState } from '../../../checks/check.ts'
import { type Checked, lastSelfCheck, type SelfCheck, selfCheck } from '../../../checks/run.ts'
import { type Html, html } from '../../../http/html.ts'
import { deed, emptyState, figure, moment, type Tone, tag } from '../../parts.ts'
import type { Routes } from '../../routes.ts'
import { serverPage, tookWords } from './frame.ts'

const sections: readonly [section: Checked['section'], title: string][] = [
  ['wecom', '企业微信'],
  ['official-account', '公众号'],
  ['server', '服务器'],
]

const states: Record<CheckState, { words: string; tone: Tone }> = {
  mend: { words: '要修', tone: 'bad' },
  unknown: { words: '查不出', tone: 'wait' },
  ok: { words: '正常', tone: 'good' },
}

/** `GET /console/server/self-check`: what the last self-check found; `…/run` does one. */
export function selfCheckPages(routes: Routes): void {
  routes.get('/console/server/self-check', 'administrator', view => {
    const last = lastSelfCheck(view.rt)
    return serverPage(view, {
      title: '自检',
      tab: 'self-check',
      body: html`<p class="soft">逐项查平台、网址、数据库和时间，约十几秒；会调用平台的读取接口，不发消息。哪里不对，就说到哪里点什么。</p>
<div class="deeds">${deed('/console/server/self-check/run', view.formToken, last ? '再检查一次' : '开始检查')}</div>
${last ? results(last, view.rt.clock.now()) : emptyState('服务启动后还没有检查过。点“开始检查”。')}`,
    })
  })

  routes.post('/console/server/self-check/run', 'administrator', async view => {
    const { checked } = await selfCheck(view.rt)
    const toMend = checked.filter(each => each.state === 'mend').length
    return view.goTo(
      '/console/server/self-check',
      toMend === 0 ? '检查完了，没有要修的。' : `检查完了，有 ${toMend} 项要修。`,
    )
  })
}

function results({ at, tookMs, checked }: SelfCheck, now: Date): Html {
  const of = (state: CheckState) => checked.filter(each => each.state === state).length
  return html`<div class="figures">${figure(of('mend'), '项要修', undefined, of('mend') > 0 ? 'bad' : 'good')}
${figure(of('unknown'), '项查不出', undefined, of('unknown') > 0 ? 'wait' : 'good')}
${figure(of('ok'), '项正常', undefined, 'good')}</div>
<p class="soft">${moment(at, now)} 检查的，用了 ${tookWords(tookMs)}。</p>
${sections.map(([section, title]) => {
  const theirs = checked.filter(each => each.section === section)
  if (theirs.length === 0) return ''
  return html`<section class="card"><h2>${title}</h2><ul class="plain">${theirs.map(each => item(each))}</ul></section>`
})}`
}

function item({ state, title, words, click }: Checked): Html {
  const { words: name, tone } = states[state]
  return html`<li>${tag(name, tone)} <b>${title}</b><br>${words}${click ? html`<br><span class="soft">${state === 'mend' ? '怎样修' : '怎样看'}：${click}</span>` : ''}</li>`
}
