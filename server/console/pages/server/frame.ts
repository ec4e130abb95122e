import { z } from 'zod'
import { type Html, html } from '../../../http/html.ts'
import { page } from '../../layout.ts'
import type { View } from '../../routes.ts'

const parts = [
  { id: 'overview', name: '概况', path: '/console/server' },
  { id: 'updates', name: '回调', path: '/console/server/updates' },
  { id: 'deliveries', name: '发送', path: '/console/server/deliveries' },
  { id: 'calls', name: '接口', path: '/console/server/calls' },
  { id: 'settings', name: '配置', path: '/console/server/settings' },
  { id: 'self-check', name: '自检', path: '/console/server/self-check' },
] as const

export type ServerPart = (typeof parts)[number]['id']

/** A page of the server's part, with the way to the others. */
export function serverPage(
  view: View<unknown>,
  content: { title: string; tab: ServerPart; isBelow?: boolean; fault?: string | null; body: Html },
): Html {
  const tab = parts.find(part => part.id === content.tab)
  const above: [string, string][] = content.tab === 'overview' ? [] : [['运维', '/console/server']]
  if (content.isBelow && tab) above.push([tab.name, tab.path])
  return page(view, {
    title: content.title,
    part: 'server',
    above,
    fault: content.fault ?? null,
    body: html`<nav class="tabs many" aria-label="运维">${parts.map(
      part =>
        html`<a href="${part.path}"${part.id === content.tab ? html` aria-current="page"` : ''}>${part.name}</a>`,
    )}</nav>
${content.body}`,
  })
}

export const PER_PAGE = 50

/** The page of a list that is asked for, from 1; anything else is the first. */
export const pageNumber = z.coerce.number().int().min(1).max(100_000).catch(1)

/** One of the keys of these names, or nothing. */
export function oneOf(names: Readonly<Record<string, string>>) {
  return z
    .string()
    .transform(key => (Object.hasOwn(names, key) ? key : ''))
    .catch('')
}

/** All of these names for a select, with “all” before them. */
export function choicesOf(names: Readonly<Record<string, string>>): [value: string, words: string][] {
  return [['', '全部'], ...Object.entries(names)]
}

/** How long something took, as people say it. */
export function tookWords(ms: number): string {
  if (ms < 1000) return `${ms} 毫秒`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} 秒`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} 分钟` : `${Math.round(ms / 3_600_000)} 小时`
}
