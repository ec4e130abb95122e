import { type ChasedDelivery, chasedBy } from '../../../db/queries/chases.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { askWords } from './relay-request.ts'

const MAX_OWN = 5
const MAX_OTHERS = 10

/**
 * What a message that chases says (催办), written when it goes out: only of what is open then. It may have waited for the
 * morning, or for the person to write.
 * @returns null when nothing of it is open any more: then nobody is asked
 */
export async function chaseText(
  rt: DomainRuntime,
  outgoing: { id: number; sentCount: number },
): Promise<string | null> {
  const chased = await chasedBy(rt.db, outgoing.id)
  // of a message that is out in part the rest goes as it was
  const open = outgoing.sentCount > 0 ? chased : chased.filter(each => each.isOpen)
  return open.length === 0 ? null : chaseWords(open, rt.publicUrl)
}

/** What somebody is asked in one message; every chase says why, and what is expected. */
export function chaseWords(chased: readonly ChasedDelivery[], publicUrl: string): string {
  const parts: string[] = []
  for (const theirs of Map.groupBy(chased, each => each.notice.id).values()) {
    const [{ notice }] = theirs as [ChasedDelivery]
    const own = theirs.filter(each => each.isOwn)
    const others = theirs.filter(each => !each.isOwn)
    if (own.length > 0) parts.push(reminder(notice, own))
    if (others.length > 0) parts.push(request(notice, others))
    if (notice.ask !== null && theirs.some(each => !each.hasAnswered))
      parts.push(askWords(notice.id, notice.ask, `${publicUrl}/n/${notice.id}`))
  }
  return parts.join('\n\n')
}

type ChasedNotice = ChasedDelivery['notice']

function reminder({ id, unitName, deadlineAt }: ChasedNotice, own: ChasedDelivery[]): string {
  const names = own.slice(0, MAX_OWN).map(({ route, groupName }) => {
    return route === 'mass' ? `${groupName}（请在企业微信“客户联系”中确认群发）` : groupName
  })
  const more = own.length > MAX_OWN ? `等 ${own.length} 个群` : ''
  // a confirmed mass message is seen by itself; only what was forwarded by hand needs a word
  const how = own.some(({ route }) => route !== 'mass')
    ? `转好后回复：转 ${id}（没收到原文请回：通知 ${id}）`
    : '确认后不用回复。'
  return `【提醒】${unitName}的通知 ${id} 要在${chineseMoment(deadlineAt)}前传达到群，您的${names.join('、')}${more}还没有传达。${how}`
}

function request({ id, unitName, deadlineAt }: ChasedNotice, others: ChasedDelivery[]): string {
  const lines = others.slice(0, MAX_OTHERS).map(each => {
    const who = each.ownerName ? `群主${each.ownerName}` : '没有群主'
    return `· ${each.unitName}“${each.groupName}”（群号 ${each.groupId}，${who}）`
  })
  const more = others.length > lines.length ? [`……共 ${others.length} 个群，发送“回执 ${id}”看全部。`] : []
  const [first] = others
  return [
    `【请协助】通知 ${id}（${unitName}，${chineseMoment(deadlineAt)}截止）还没有传达到您负责的这些群：`,
    ...lines,
    ...more,
    `请联系群主；您在群里的，也可以代转，转好后回复：转 ${id} ${first?.groupId}（看原文：通知 ${id}）`,
  ].join('\n')
}
