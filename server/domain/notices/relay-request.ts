import { carriedNotice, insertOutgoing } from '../../../db/queries/notices.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** Groups that are named in one request; the rest is a number. */
const MAX_NAMED = 8

/**
 * What a message that carries a notice says: the text itself, and to somebody who relays it what is asked of them.
 * Written when it goes out, so that a notice to half a million groups is not half a million texts.
 * @returns null when it carries none
 */
export async function textsOfCarried(
  rt: DomainRuntime,
  outgoing: { id: number; kind: string; noticeId: number | null },
): Promise<string[] | null> {
  const carried = await carriedNotice(rt.db, outgoing)
  if (!carried) return null
  const { notice, groups } = carried
  return outgoing.kind === 'person' ? [notice.body, relayRequest(notice, groups)] : [notice.body]
}

/** Asks an owner to relay a notice; its groups are those whose deliveries the message then carries. */
export async function insertRelayRequest(
  rt: DomainRuntime,
  noticeId: number,
  ownerId: number,
): Promise<number> {
  const now = rt.clock.now()
  const [id] = await insertOutgoing(rt.db, [
    {
      kind: 'person',
      personId: ownerId,
      noticeId,
      purpose: 'relay',
      textsSealed: '',
      status: 'pending',
      nextAttemptAt: now,
      createdAt: now,
    },
  ])
  return id as number
}

/** What the owner is asked to do with the text just above it. */
function relayRequest(
  notice: { id: number; unitName: string; deadlineAt: Date },
  groups: { id: number; name: string }[],
): string {
  const names = groups.slice(0, MAX_NAMED).map(group => `${group.name}（${group.id}）`)
  const more = groups.length > names.length ? `等 ${groups.length} 个群` : ''
  return [
    `【通知 ${notice.id}】${notice.unitName}：请把上面这段话转发到${names.join('、')}${more}，${chineseMoment(notice.deadlineAt)}前完成。`,
    `转好后回复：转 ${notice.id}（或只回“转”）。先告知收到请回：收`,
  ].join('\n')
}
