import { type Html, html } from '../http/html.ts'
import { moment, tag } from './parts.ts'

// what the pages of an office and those of a person show of a notice alike

interface Followable {
  kind: string
  aboutId: number | null
  withdrawnAt: Date | null
}

/** Marks what follows another notice, and what was taken back. */
export function kindTag({ kind, withdrawnAt }: Omit<Followable, 'aboutId'>): Html {
  const marks = [
    kind === 'correction' ? tag('更正', 'wait') : kind === 'withdrawal' ? tag('撤回通知', 'wait') : '',
    withdrawnAt ? tag('已撤回', 'bad') : '',
  ]
  return html`${marks}`
}

/** Leads from a notice to the one that it corrects or takes back, and from that one to what followed it. */
export function whatFollows(
  notice: Followable,
  following: readonly { id: number; kind: string; issuedAt: Date }[],
  path: string,
  now: Date,
): Html {
  const about =
    notice.aboutId === null
      ? ''
      : html`<p>这是对<a href="${path}/${notice.aboutId}">通知 ${notice.aboutId}</a>的${notice.kind === 'withdrawal' ? '撤回' : '更正'}。</p>`
  const later = following.map(
    each =>
      html`<p>${moment(each.issuedAt, now)}${each.kind === 'withdrawal' ? '撤回' : '更正'}了这个通知，请看<a href="${path}/${each.id}">通知 ${each.id}</a>。</p>`,
  )
  const over = notice.withdrawnAt
    ? html`<p>这个通知在${moment(notice.withdrawnAt, now)}撤回了，请不要再转发。</p>`
    : ''
  if (about === '' && later.length === 0 && over === '') return html``
  return html`<div class="fault">${over}${later}${about}</div>`
}

/** The text as it is now: a correction stands in the place of what it corrects, which can still be looked at. */
export function noticeText(
  notice: Followable & { body: string },
  following: readonly { id: number; kind: string; body: string }[],
): Html {
  const correction =
    notice.kind === 'notice' ? following.findLast(each => each.kind === 'correction') : undefined
  if (!correction) return html`<p class="prose">${notice.body}</p>`
  return html`<p class="prose">${correction.body}</p><details><summary>更正前的正文</summary><p class="prose">${notice.body}</p></details>`
}

/** The address as it is now: a correction may have changed it, or taken it out. */
export function linkNow(
  notice: Followable & { link: string | null },
  following: readonly { kind: string; link: string | null }[],
): string | null {
  const correction =
    notice.kind === 'notice' ? following.findLast(each => each.kind === 'correction') : undefined
  return correction ? correction.link : notice.link
}

/** The address that stands below the text. */
export function linkLine(link: string | null): Html {
  return link === null ? html`` : html`<p><a href="${link}" rel="noopener noreferrer">${link}</a></p>`
}
