import type { Viewer } from '../domain/access/policy.ts'
import { type Html, html } from '../http/html.ts'
import { assetPath } from './assets.ts'
import { isOf, type View } from './routes.ts'

/** The parts of the console, in the order of the navigation. */
const parts = [
  { id: 'overview', name: '矩阵', path: '/console', audience: 'keeper' },
  { id: 'groups', name: '群', path: '/console/groups', audience: 'keeper' },
  { id: 'requests', name: '入群申请', path: '/console/join-requests', audience: 'keeper' },
  { id: 'notices', name: '通知', path: '/console/notices', audience: 'manager' },
  { id: 'slips', name: '上报', path: '/console/slips', audience: 'manager' },
  { id: 'records', name: '记录', path: '/console/records', audience: 'keeper' },
  { id: 'sheets', name: '报表', path: '/console/forms', audience: 'manager' },
  { id: 'subsidies', name: '补贴', path: '/console/subsidies', audience: 'university' },
  { id: 'roster', name: '名册', path: '/console/roster', audience: 'manager' },
  { id: 'audit', name: '留痕', path: '/console/audit', audience: 'manager' },
  { id: 'server', name: '运维', path: '/console/server', audience: 'administrator' },
  { id: 'me', name: '我的', path: '/me', audience: 'person' },
] as const

export type Part = (typeof parts)[number]['id']

export interface Page {
  title: string
  part: Part
  /** The way down to this page: name and path of each page above it. */
  above?: [name: string, path: string][]
  body: Html
  /** A fault of what was filled in, at the top. */
  fault?: string | null
}

/** A whole page, or its main part alone when only that is asked for. */
export function page(view: View<unknown>, content: Page): Html {
  const main = html`${crumbs(content)}<h1>${content.title}</h1>
${view.flash ? html`<p class="said" role="status">${view.flash}</p>` : ''}
${content.fault ? html`<p class="fault" role="alert">${content.fault}</p>${view.remedy ?? ''}` : ''}
${content.body}`
  return document(
    content.title,
    html`<header class="top">
<a class="brand" href="/">群阵</a>
<nav aria-label="主导航">${parts
      .filter(part => isOf(view.rt, view.viewer, part.audience))
      .map(
        part =>
          html`<a href="${part.path}"${part.id === content.part ? html` aria-current="page"` : ''}>${part.name}</a>`,
      )}</nav>
${who(view.viewer, view.formToken)}
</header>
<main id="main">${main}</main>
<footer class="foot">群阵 · 内容仅供工作使用，请勿外传 · <a href="/me/data">谁看过我的信息</a></footer>`,
  )
}

function who({ actor }: Viewer, formToken: string): Html {
  return html`<form class="who" method="post" action="/sign-out"><input type="hidden" name="_token" value="${formToken}">
<a href="/me">${actor.person.name}</a> <button class="plain">退出</button></form>`
}

function crumbs({ above = [], title }: Page): Html | string {
  if (above.length === 0) return ''
  return html`<nav class="crumbs" aria-label="位置"><ol>${above.map(
    ([name, path]) => html`<li><a href="${path}">${name}</a></li>`,
  )}<li aria-current="page">${title}</li></ol></nav>`
}

/** A page for somebody who is not signed in, or an error: without navigation. */
export function barePage(title: string, body: Html): Html {
  return document(
    title,
    html`<header class="top"><a class="brand" href="/">群阵</a></header><main id="main" class="narrow"><h1>${title}</h1>${body}</main>`,
  )
}

/** `eval` is off in htmx: the content security policy forbids it. */
const htmxSettings = JSON.stringify({
  allowEval: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
})

function document(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="format-detection" content="telephone=no">
<meta name="htmx-config" content="${htmxSettings}">
<title>${title} · 群阵</title>
<link rel="stylesheet" href="${assetPath('console.css')}">
<script defer src="${assetPath('htmx.js')}"></script>
<script defer src="${assetPath('sse.js')}"></script>
<script defer src="${assetPath('console.js')}"></script>
</head>
<body>
<a class="skip" href="#main">跳到正文</a>
${body}
</body>
</html>
`
}
