import {
  closedSinceTold,
  noteTold,
  openOfAsked,
  personsToTell,
  type ToldFinding,
} from '../../../db/queries/findings.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { sourceWords } from './findings.ts'

/** Persons in one transaction. */
const BATCH = 200
/** Lines in one message; the rest is in 任务 and on the page. */
const LINES = 8
/** Days after which somebody is reminded of what is overdue. Source: project assumption. */
const REMIND_DAYS = 7

/**
 * Tells everybody in one message what the reconcile has newly found for them, with what is still open and what has been
 * closed since; reminds of what is overdue once a week. Run in the morning, so that nobody is woken. A run that was killed
 * goes on with those who were not told.
 * @returns how many persons were told
 */
export async function tellFindings(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  const now = rt.clock.now()
  const when = { today: dayOf(now), toldBefore: new Date(now.getTime() - REMIND_DAYS * 86_400_000) }
  let told = 0
  while (!signal?.aborted) {
    const count = await inTransaction(rt, async tx => {
      const personIds = await personsToTell(tx.db, when, BATCH)
      if (personIds.length === 0) return 0
      const [open, closed] = await Promise.all([
        openOfAsked(tx.db, personIds),
        closedSinceTold(tx.db, personIds),
      ])
      for (const personId of personIds) {
        const theirs = open.filter(each => each.askedId === personId)
        await sendToPerson(tx, personId, 'task', message(theirs, closed.get(personId) ?? 0, when.today))
      }
      await noteTold(tx.db, personIds, now)
      return personIds.length
    })
    told += count
    if (count === 0) break
  }
  return told
}

function message(open: readonly ToldFinding[], closed: number, today: string): string {
  const fresh = open.filter(each => each.isNew)
  const overdue = open.filter(each => !each.isNew && each.dueOn < today)
  const rest = open.length - fresh.length
  const shown = [...fresh, ...overdue].slice(0, LINES)
  const counts = [
    fresh.length > 0 ? `新发现 ${fresh.length} 件` : '',
    rest > 0 ? `还没办完 ${rest} 件${overdue.length > 0 ? `（过期 ${overdue.length} 件）` : ''}` : '',
    closed > 0 ? `已销号 ${closed} 件` : '',
  ].filter(words => words !== '')
  const more = fresh.length + overdue.length - shown.length
  return [
    `【成员核对】${counts.join('，')}：`,
    ...shown.map(
      each => `· ${each.groupName ? `${each.groupName}：` : ''}${each.why}（${dueWords(each, today)}）`,
    ),
    ...(more > 0 ? [`……还有 ${more} 件`] : []),
    `依据：${[...new Set(shown.flatMap(each => (each.source ? [sourceWords(each.source)] : [])))].join('、')}。发送“任务”看全部；能读到的，办好后系统自己会看到。`,
  ].join('\n')
}

function dueWords({ dueOn }: ToldFinding, today: string): string {
  const day = `${Number(dueOn.slice(5, 7))}月${Number(dueOn.slice(8))}日`
  return dueOn < today ? `${day}已到期` : `${day}前`
}
