import { html } from '../../../http/html.ts'
import { type SettingInForce, settingsInForce } from '../../../status/settings.ts'
import { tag } from '../../parts.ts'
import type { Routes } from '../../routes.ts'
import { serverPage } from './frame.ts'

/** `GET /console/server/settings`: the configuration in force. It is changed in `.env`, not here. */
export function settingsPages(routes: Routes): void {
  routes.get('/console/server/settings', 'administrator', view => {
    const sections = settingsInForce(view.rt.config)
    const missing = sections.flatMap(section => section.settings.filter(setting => setting.missing !== null))
    return serverPage(view, {
      title: '配置',
      tab: 'settings',
      body: html`<p class="soft">正在起作用的配置。要改就改 .env 或环境变量，改后重启；密钥不显示。</p>
${
  missing.length > 0
    ? html`<section class="card"><h2>还缺什么</h2><ul class="plain">${missing.map(
        setting => html`<li>${tag('没有设置', 'wait')} <code>${setting.name}</code> ${setting.missing}</li>`,
      )}</ul></section>`
    : ''
}
${sections.map(
  section => html`<h2>${section.title}</h2>
${section.missing === null ? '' : html`<p>${tag('没有配置', 'wait')} ${section.missing}。</p>`}
<section class="card"><dl class="facts">${section.settings.map(
    setting =>
      html`<dt><code>${setting.name}</code></dt><dd><b>${shownValue(setting)}</b><br><span class="soft">${setting.about}</span></dd>`,
  )}</dl></section>`,
)}`,
    })
  })
}

function shownValue({ value, missing }: SettingInForce) {
  if (value !== null) return value
  return missing === null ? html`<span class="soft">没有设置</span>` : tag('没有设置', 'wait')
}
