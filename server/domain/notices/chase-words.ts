import type { NoticeAsk } from '../../../db/queries/notices.ts'
import { chineseMoment } from '../../clock.ts'
import { askWords } from './relay-request.ts'
import type { Ask } from './whom-to-ask.ts'

export interface ChasedNotice {
  id: number
  unitName: string
  unitPath: string
  authorId: number
  deadlineAt: Date
  importance: string
  ask: NoticeAsk | null
}

const MAX_OWN = 5
const MAX_OTHERS = 10

/** What somebody is asked in one message; every chase says why, and what is expected. */
export function chaseText(
  asks: readonly Ask[],
  notices: ReadonlyMap<number, ChasedNotice>,
  publicUrl: string,
): string {
  const parts: string[] = []
  for (const [noticeId, theirs] of Map.groupBy(asks, ask => ask.delivery.noticeId)) {
    const notice = notices.get(noticeId)
    if (!notice) continue
    const own = theirs.filter(ask => ask.as === 'owner')
    const others = theirs.filter(ask => ask.as !== 'owner')
    if (own.length > 0) parts.push(reminder(notice, own))
    if (others.length > 0) parts.push(request(notice, others))
    if (notice.ask !== null) parts.push(askWords(noticeId, notice.ask, `${publicUrl}/n/${noticeId}`))
  }
  return parts.join('\n\n')
}

function reminder({ id, unitName, deadlineAt }: ChasedNotice, own: Ask[]): string {
  const names = own.slice(0, MAX_OWN).map(({ delivery }) => {
    return delivery.route === 'mass'
      ? `${delivery.groupName}（请在企业微信“客户联系”中确认群发）`
      : delivery.groupName
  })
  const more = own.length > MAX_OWN ? `等 ${own.length} 个群` : ''
  // a confirmed mass message is seen by itself; only what was forwarded by hand needs a word
  const how = own.some(({ delivery }) => delivery.route !== 'mass')
    ? `转好后回复：转 ${id}（没收到原文请回：通知 ${id}）`
    : '确认后不用回复。'
  return `【提醒】${unitName}的通知 ${id} 要在${chineseMoment(deadlineAt)}前传达到群，您的${names.join('、')}${more}还没有传达。${how}`
}

function request({ id, unitName, deadlineAt }: ChasedNotice, others: Ask[]): string {
  const lines = others.slice(0, MAX_OTHERS).map(({ delivery }) => {
    const who = delivery.ownerName ? `群主${delivery.ownerName}` : '没有群主'
    return `· ${delivery.unitName}“${delivery.groupName}”（群号 ${delivery.groupId}，${who}）`
  })
  const more = others.length > lines.length ? [`……共 ${others.length} 个群，发送“回执 ${id}”看全部。`] : []
  const [first] = others
  return [
    `【请协助】通知 ${id}（${unitName}，${chineseMoment(deadlineAt)}截止）还没有传达到您负责的这些群：`,
    ...lines,
    ...more,
    `请联系群主；您在群里的，也可以代转，转好后回复：转 ${id} ${first?.delivery.groupId}（看原文：通知 ${id}）`,
  ].join('\n')
}
