import { reachOfNotices } from '../../../db/queries/notice-counts.ts'
import { type NoticeDraft, readyDraftsOf } from '../../../db/queries/notice-drafts.ts'
import { unapprovedNoticesOf } from '../../../db/queries/notices.ts'
import { unitById } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { planReach } from './issue.ts'
import { noticeRules } from './rules.ts'

/** What a notice is together with others of its author that say nearly the same (拆开发). */
export interface Together {
  /** Of all of them; a group that several go to counts for each. */
  groups: number
  /** Numbers of those that are out, and drafts that wait for their time. */
  noticeIds: number[]
  draftIds: number[]
}

/**
 * How many groups a notice reaches together with what its author has sent shortly before, or has planned for about the same
 * time, in nearly the same words and without a second person: what is split in pieces is judged as one.
 */
export async function groupsTogether(
  rt: DomainRuntime,
  notice: { authorId: number; body: string; sendAt: Date | null; draftId: number | null },
  groups: number,
): Promise<Together> {
  const { minutes, likeness } = noticeRules.split
  const now = rt.clock.now()
  const at = notice.sendAt !== null && notice.sendAt > now ? notice.sendAt : now
  const spanMs = minutes * 60_000
  const isLike = (body: string) => likenessOf(body, notice.body) >= likeness
  const sent = (await unapprovedNoticesOf(rt.db, notice.authorId, new Date(at.getTime() - spanMs))).filter(
    each => isLike(each.body),
  )
  const planned = (
    await readyDraftsOf(rt.db, notice.authorId, {
      from: new Date(at.getTime() - spanMs),
      to: new Date(at.getTime() + spanMs),
    })
  ).filter(each => each.id !== notice.draftId && isLike(each.content.body))
  const reach = await reachOfNotices(rt.db, sent)
  let sum = groups
  for (const { id } of sent) sum += reach.get(id)?.groups ?? 0
  for (const draft of planned) sum += await groupsOfDraft(rt, draft)
  return { groups: sum, noticeIds: sent.map(each => each.id), draftIds: planned.map(each => each.id) }
}

async function groupsOfDraft(rt: DomainRuntime, draft: NoticeDraft): Promise<number> {
  const unit = await unitById(rt.db, draft.unitId)
  return unit ? (await planReach(rt, unit, draft.content.audience)).groups : 0
}

/** How alike two texts are, 0 to 1, by the pairs of characters that they share; spaces and signs count for nothing. */
export function likenessOf(one: string, other: string): number {
  const pairs = pairsOf(one)
  const others = pairsOf(other)
  if (pairs.size + others.size === 0) return one.trim() === other.trim() ? 1 : 0
  let shared = 0
  for (const pair of pairs) if (others.has(pair)) shared++
  return (2 * shared) / (pairs.size + others.size)
}

function pairsOf(text: string): Set<string> {
  const letters = [...text.normalize('NFKC').replace(/[^\p{L}\p{N}]/gu, '')]
  return new Set(letters.slice(1).map((letter, index) => `${letters[index]}${letter}`))
}
