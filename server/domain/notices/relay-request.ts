import { chasesHad, countChases, pairKey } from '../../../db/queries/cascade.ts'
import type { NoticeAsk } from '../../../db/queries/notices.ts'
import {
  type CarriedFile,
  type CarriedNotice,
  carriedNotice,
  groupsOfMessage,
  hadRelayRequest,
  insertRelay,
  waitingRelayRequest,
} from '../../../db/queries/relay-requests.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { copyOf, type Mark, markWords, provinceOf } from './mark.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'

/** Groups that are named in one request; the rest is a number. */
const MAX_NAMED = 8

/** What a message that carries a notice says. */
export interface Carried {
  noticeId: number
  /** `withdrawn`: the notice was taken back; `settled`: every group that it is for has the notice, or is another's now. */
  isVoid: 'withdrawn' | 'settled' | null
  /** In the quiet hours it waits until then; in the past otherwise. */
  startsAt: Date
  /** The words for the group; with its mark where they are relayed by hand. */
  text: string
  /** Stands below the words already, except in a mass task, which has links as such. */
  link: string | null
  files: CarriedFile[]
  /** What somebody who relays it is asked to do with the above; null where it goes into the group by itself. */
  request: string | null
}

/**
 * What a message that carries a notice says: the text itself, and to somebody who relays it what is asked of them.
 * Written when it goes out, so that a notice to half a million groups is not half a million texts, and so that what was
 * corrected or taken back meanwhile does not go out as it was.
 * @returns null when it carries none
 */
export async function carriedBy(
  rt: DomainRuntime,
  outgoing: {
    id: number
    kind: string
    noticeId: number | null
    mark: number | null
    sentCount: number
  },
): Promise<Carried | null> {
  if (outgoing.noticeId === null) return null
  const notice = await carriedNotice(rt.db, outgoing.noticeId, { asWritten: outgoing.sentCount > 0 })
  if (!notice) return null
  const carried = {
    noticeId: notice.id,
    isVoid: notice.isWithdrawn ? ('withdrawn' as const) : null,
    startsAt: nextWakingMoment(noticeRules, importanceRule(notice.importance), rt.clock.now()),
    link: notice.link,
    files: notice.files,
    request: null,
  }
  const door = `${rt.publicUrl}/n/${notice.id}`
  // its link goes as such, not in the text
  if (outgoing.kind === 'mass') return { ...carried, text: copyOf({ ...notice, link: null }, null, door) }
  if (outgoing.kind !== 'person') return { ...carried, text: copyOf(notice, null, door) }
  const { groups, line } = await groupsOfMessage(rt.db, outgoing.id)
  const mark = outgoing.mark === null ? null : { province: provinceOf(line), number: outgoing.mark }
  return {
    ...carried,
    isVoid: carried.isVoid ?? (groups.length === 0 ? 'settled' : null),
    text: copyOf(notice, mark, door),
    request: relayRequest(notice, groups, mark, door),
  }
}

/**
 * Asks an owner to relay a notice; its groups are those whose deliveries the message then carries. What has not left yet
 * takes them along. In the quiet hours it waits until they are over, unless the notice is urgent.
 * @returns the message; null when the owner has had as many messages about this notice as anybody gets
 */
export async function requestRelay(
  rt: DomainRuntime,
  notice: { id: number; importance: string },
  ownerId: number,
): Promise<number | null> {
  const now = rt.clock.now()
  const startsAt = nextWakingMoment(noticeRules, importanceRule(notice.importance), now)
  const waiting = await waitingRelayRequest(rt.db, notice.id, ownerId, startsAt)
  if (waiting !== null) return waiting
  if (await hadRelayRequest(rt.db, notice.id, ownerId)) {
    const pair = { noticeId: notice.id, personId: ownerId }
    const chases = (await chasesHad(rt.db, [pair])).get(pairKey(pair)) ?? 0
    if (1 + chases >= noticeRules.maxMessages.value) return null
    await countChases(rt.db, [pair], now)
  }
  return insertRelay(rt.db, { noticeId: notice.id, ownerId, startsAt, now })
}

/** What the owner is asked to do with the text just above it. */
function relayRequest(
  notice: CarriedNotice,
  groups: { id: number; name: string }[],
  mark: Mark | null,
  pageUrl: string,
): string {
  const names = groups.slice(0, MAX_NAMED).map(group => `${group.name}（${group.id}）`)
  const more = groups.length > names.length ? `等 ${groups.length} 个群` : ''
  const what = notice.files.length > 0 ? '上面这段话和附件' : '上面这段话'
  const keep = mark === null ? '' : `（末尾的${markWords(mark)}是这一份的记号，请保留）`
  return [
    `【通知 ${notice.id}】${notice.unitName}：请把${what}转发到${names.join('、')}${more}，${chineseMoment(notice.deadlineAt)}前完成${keep}。`,
    ...(notice.ask === null ? [] : [askWords(notice.id, notice.ask, pageUrl)]),
    `转好后回复：转 ${notice.id}（或只回“转”），或点开登记：${pageUrl} 。先告知收到请回：收`,
  ].join('\n')
}

/** What a notice asks back, and how to answer. @param pageUrl where a file can be handed in */
export function askWords(
  id: number,
  { kind, question, choices = [], measure }: NoticeAsk,
  pageUrl: string,
): string {
  const how = {
    text: `答 ${id} 内容`,
    number: `答 ${id} 数字${measure ? `（${measure}）` : ''}`,
    choice: `答 ${id} 选项（${choices.map((choice, index) => `${index + 1} ${choice}`).join('、')}）`,
    file: '',
  }[kind]
  return kind === 'file'
    ? `请答复：${question}（在这里交文件：${pageUrl}）`
    : `请答复：${question}（回复：${how}）`
}
