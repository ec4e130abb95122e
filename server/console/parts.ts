import { dayOf, timeOf } from '../clock.ts'
import { type Html, html } from '../http/html.ts'

// pieces that pages are made of

/** A table that scrolls within itself. @param caption says what it holds, for those who do not see it */
export function table(
  caption: string,
  heads: (string | { name: string; isNumber?: boolean })[],
  rows: Html[],
  empty: string,
): Html {
  if (rows.length === 0) return emptyState(empty)
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${heads.map(
    head =>
      typeof head === 'string'
        ? html`<th scope="col">${head}</th>`
        : html`<th scope="col"${head.isNumber ? html` class="number"` : ''}>${head.name}</th>`,
  )}</tr></thead><tbody>${rows}</tbody></table></div>`
}

export function emptyState(words: string): Html {
  return html`<p class="empty">${words}</p>`
}

/** How urgent something is: `good`, `wait` (somebody is to act), `bad` (late or failed), `quiet`. */
export type Tone = 'good' | 'wait' | 'bad' | 'quiet'

/** A short word with a colour; the word says it all, the colour only helps. */
export function tag(words: string, tone: Tone = 'quiet'): Html {
  return html`<span class="tag ${tone}">${words}</span>`
}

/** So many of so many, as a bar and in figures. */
export function progress(done: number, all: number, label: string): Html {
  return html`<span class="progress"><progress max="${Math.max(all, 1)}" value="${done}" aria-label="${label}"></progress> <span>${done}/${all}</span></span>`
}

/** A figure that matters, with what it is; a link where there is more to see. */
export function figure(value: number | string, name: string, path?: string, tone: Tone = 'quiet'): Html {
  const inner = html`<b>${value}</b><span>${name}</span>`
  return path === undefined
    ? html`<div class="figure ${tone}">${inner}</div>`
    : html`<a class="figure ${tone}" href="${path}">${inner}</a>`
}

/** A moment as people write it: 今天 14:05, 昨天 9:30, 9月3日 14:05, 2025年12月3日. */
export function moment(at: Date, now: Date): Html {
  return html`<time datetime="${at.toISOString()}">${momentWords(at, now)}</time>`
}

export function momentWords(at: Date, now: Date): string {
  const day = dayOf(at)
  const yesterday = dayOf(new Date(now.getTime() - 86_400_000))
  if (day === dayOf(now)) return `今天 ${timeOf(at)}`
  if (day === yesterday) return `昨天 ${timeOf(at)}`
  return day.slice(0, 4) === dayOf(now).slice(0, 4)
    ? `${dayWords(day).slice(5)} ${timeOf(at)}`
    : at > now
      ? `${dayWords(day)} ${timeOf(at)}`
      : dayWords(day)
}

/** `2026-09-03` as 2026年9月3日. */
export function dayWords(day: string): string {
  return `${day.slice(0, 4)}年${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日`
}

/** `2026-09` as 2026年9月. */
export function monthWords(month: string): string {
  return `${month.slice(0, 4)}年${Number(month.slice(5, 7))}月`
}

/** How long ago, in one unit: 3 天, 5 小时, 12 分钟. */
export function agoWords(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 60) return `${minutes} 分钟`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} 小时` : `${Math.round(minutes / 1440)} 天`
}

export interface FieldOptions {
  value?: string | null
  /** Says what is expected, below the field. */
  hint?: string
  type?: string
  isRequired?: boolean
  placeholder?: string
  attributes?: Html
  /** What tells it from a field of the same name in another form of the page. */
  id?: string
}

/** A labelled field of a form. */
export function field(name: string, label: string, options: FieldOptions = {}): Html {
  const { value, hint, type = 'text', isRequired = false, placeholder, attributes = html`` } = options
  const id = options.id ?? name
  return html`<p class="field"><label for="f-${id}">${label}</label>
<input id="f-${id}" name="${name}" type="${type}" value="${value ?? ''}"${placeholder ? html` placeholder="${placeholder}"` : ''}${isRequired ? html` required` : ''}${hint ? html` aria-describedby="h-${id}"` : ''} ${attributes}>
${hint ? html`<small id="h-${id}">${hint}</small>` : ''}</p>`
}

export function textArea(name: string, label: string, options: FieldOptions & { rows?: number } = {}): Html {
  const { value, hint, isRequired = false, rows = 6 } = options
  const id = options.id ?? name
  return html`<p class="field"><label for="f-${id}">${label}</label>
<textarea id="f-${id}" name="${name}" rows="${rows}"${isRequired ? html` required` : ''}${hint ? html` aria-describedby="h-${id}"` : ''}>${value ?? ''}</textarea>
${hint ? html`<small id="h-${id}">${hint}</small>` : ''}</p>`
}

export function select(
  name: string,
  label: string,
  choices: readonly (readonly [value: string, words: string])[],
  options: FieldOptions = {},
): Html {
  const id = options.id ?? name
  return html`<p class="field"><label for="f-${id}">${label}</label>
<select id="f-${id}" name="${name}"${options.isRequired ? html` required` : ''} ${options.attributes ?? ''}>${choices.map(
    ([value, words]) =>
      html`<option value="${value}"${value === options.value ? html` selected` : ''}>${words}</option>`,
  )}</select>
${options.hint ? html`<small>${options.hint}</small>` : ''}</p>`
}

/** The hidden field without which no form is taken. */
export function token(formToken: string): Html {
  return html`<input type="hidden" name="_token" value="${formToken}">`
}

/** A button that is a form of its own: for deeds without fields. @param sure is asked before */
export function deed(
  path: string,
  formToken: string,
  words: string,
  options: { fields?: Record<string, string>; isGrave?: boolean; isSecond?: boolean; sure?: string } = {},
): Html {
  return html`<form class="deed" method="post" action="${path}"${options.sure ? html` data-sure="${options.sure}"` : ''}>${token(formToken)}${Object.entries(
    options.fields ?? {},
  ).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button${options.isGrave ? html` class="grave"` : options.isSecond ? html` class="second"` : ''}>${words}</button></form>`
}

/** Pages of a long list. @param query what else the list is asked for, without `page` */
export function pager(path: string, query: Record<string, string>, current: number, hasMore: boolean): Html {
  const to = (number: number) => `${path}?${new URLSearchParams({ ...query, page: String(number) })}`
  if (current === 1 && !hasMore) return html``
  return html`<nav class="pager" aria-label="翻页">${current > 1 ? html`<a rel="prev" href="${to(current - 1)}">上一页</a>` : html`<span></span>`}<span>第 ${current} 页</span>${hasMore ? html`<a rel="next" href="${to(current + 1)}">下一页</a>` : html`<span></span>`}</nav>`
}
