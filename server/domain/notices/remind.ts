import { claimTimers, missingDeliveries, noticeById } from '../../../db/queries/notices.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managersFor } from '../groups/managers.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

const ALL = 1_000_000

/**
 * Does what is due: reminds owners who have not relayed, and tells those who run the unit (催办). A timer and the messages
 * that come of it are one transaction, so a timer that fires twice reminds once.
 * @returns counts, for the log
 */
export async function fireDueTimers(
  rt: DomainRuntime,
): Promise<{ timers: number; reminders: number; escalations: number }> {
  const counts = { timers: 0, reminders: 0, escalations: 0 }
  for (const timer of await claimTimers(rt.db, rt.clock.now(), 20)) {
    counts.timers++
    if (timer.kind === 'remind_owner') counts.reminders += await remindOwners(rt, timer.noticeId)
    else counts.escalations += await tellManagers(rt, timer.noticeId)
  }
  return counts
}

/** One message to each owner who has groups without the notice; nobody is chased after they relayed. */
async function remindOwners(rt: DomainRuntime, noticeId: number): Promise<number> {
  const notice = await noticeById(rt.db, noticeId)
  if (!notice) return 0
  const byOwner = new Map<number, { names: string[]; hasRelay: boolean }>()
  for (const missing of await missingDeliveries(rt.db, noticeId, notice.unitPath, ALL)) {
    if (missing.ownerId === null || (missing.route !== 'relay' && missing.route !== 'mass')) continue
    const what =
      missing.route === 'mass'
        ? `${missing.groupName}（请在企业微信“客户联系”中确认群发）`
        : missing.groupName
    const theirs = byOwner.get(missing.ownerId) ?? { names: [], hasRelay: false }
    theirs.names.push(what)
    theirs.hasRelay ||= missing.route === 'relay'
    byOwner.set(missing.ownerId, theirs)
  }
  for (const [ownerId, { names: groups, hasRelay }] of byOwner) {
    const names = groups.slice(0, 5).join('、') + (groups.length > 5 ? `等 ${groups.length} 个群` : '')
    // a confirmed mass message is seen by itself; only what was forwarded by hand needs a word
    const how = hasRelay
      ? `转好后回复：转 ${noticeId}（没收到原文请回：通知 ${noticeId}）`
      : '确认后不用回复。'
    await sendToPerson(
      rt,
      ownerId,
      'reminder',
      `【提醒】${notice.unitName}的通知 ${noticeId} 要在${chineseMoment(notice.deadlineAt)}前传达到群，您的${names}还没有传达。${how}`,
    )
  }
  return byOwner.size
}

/** One message to each person who runs a unit where the notice is missing, or the unit above when nobody does. */
async function tellManagers(rt: DomainRuntime, noticeId: number): Promise<number> {
  const notice = await noticeById(rt.db, noticeId)
  if (!notice) return 0
  const byManager = new Map<number, string[]>()
  const managersOf = new Map<number, number[]>()
  for (const missing of await missingDeliveries(rt.db, noticeId, notice.unitPath, ALL)) {
    let managers = managersOf.get(missing.unitId)
    if (!managers) {
      managers = await managersFor(rt, { unitId: missing.unitId, programme: notice.programme })
      managersOf.set(missing.unitId, managers)
    }
    const who = missing.ownerName ? `群主${missing.ownerName}` : '没有群主'
    for (const manager of managers)
      if (manager !== missing.ownerId)
        listOf(byManager, manager).push(`${missing.unitName}“${missing.groupName}”（${who}）`)
  }
  for (const [manager, lines] of byManager) {
    const more = lines.length > 10 ? [`……共 ${lines.length} 个群，发送“回执 ${noticeId}”看全部。`] : []
    await sendToPerson(
      rt,
      manager,
      'escalation',
      [
        `【请协助】通知 ${noticeId}（${notice.unitName}，${chineseMoment(notice.deadlineAt)}截止）还没有传达到您负责的这些群，请联系群主：`,
        ...lines.slice(0, 10).map(line => `· ${line}`),
        ...more,
      ].join('\n'),
    )
  }
  return byManager.size
}

function listOf(lists: Map<number, string[]>, key: number): string[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}
