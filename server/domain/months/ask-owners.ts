import { groupsToShow, insertGroupMonths, takeOwnersToRemind } from '../../../db/queries/months.ts'
import { inTransaction, type Runtime } from '../../runtime.ts'
import type { ActionCard } from '../outgoing/card.ts'
import { sendCards, sendToPersons } from '../outgoing/enqueue.ts'
import { figuresOf } from './confirm.ts'
import { lateBy } from './late-start.ts'
import { closeAt, monthRules, monthSpan } from './rules.ts'
import { countsWords, momentName, monthName } from './words.ts'

/** Owners in one transaction. */
const PORTION = 300
/** More groups than this are told as a number: the rest stands on the page. */
const MAX_NAMED = 15
const HOUR_MS = 3_600_000

/**
 * Lays the month of their groups before the owners who have not seen it, all groups of one in one message: whoever runs the
 * job again, or later, asks those who are left. @returns how many owners were asked
 */
export async function askOwners(
  rt: Runtime,
  programme: string,
  month: string,
  signal?: AbortSignal,
): Promise<number> {
  const span = monthSpan(month)
  const closesAt = closeAt(month, await lateBy(rt, programme, month))
  let asked = 0
  for (let after = 0; !signal?.aborted; ) {
    const last = await inTransaction(rt, async tx => {
      const groups = await groupsToShow(tx.db, programme, month, span, after, PORTION)
      if (groups.length === 0) return null
      const figures = await figuresOf(
        tx,
        groups.map(group => group.groupId),
        month,
      )
      const now = tx.clock.now()
      const isNew = await insertGroupMonths(
        tx.db,
        groups.map(({ groupId, ownerId }) => ({
          groupId,
          month,
          ownerId,
          figures: figures.get(groupId) ?? {},
          askedAt: now,
        })),
      )
      const byOwner = Map.groupBy(
        groups.filter(group => isNew.has(group.groupId)),
        group => group.ownerId,
      )
      await sendCards(
        tx,
        [...byOwner].map(([personId, own]) =>
          question(
            month,
            closesAt,
            personId,
            own.map(({ groupId, name }) => ({ groupId, name, counts: figures.get(groupId) ?? {} })),
            tx.publicUrl,
          ),
        ),
        'task',
        closesAt,
      )
      asked += byOwner.size
      return groups.at(-1)?.ownerId ?? null
    })
    if (last === null) break
    after = last
  }
  return asked
}

interface ShownGroup {
  groupId: number
  name: string
  counts: Record<string, number>
}

function question(
  month: string,
  closesAt: Date,
  personId: number,
  groups: ShownGroup[],
  publicUrl: string,
): { personId: number; card: ActionCard; text: string } {
  const name = monthName(month)
  const until = momentName(closesAt)
  const total: Record<string, number> = {}
  for (const { counts } of groups)
    for (const [category, count] of Object.entries(counts)) total[category] = (total[category] ?? 0) + count
  const lines = groups
    .slice(0, MAX_NAMED)
    .map(group => `${group.groupId}　${group.name}：${countsWords(group.counts)}`)
  const more = groups.length - lines.length
  const page = `${publicUrl}/console/records?month=${month}`
  return {
    personId,
    text: [
      `【${name}核对】您的 ${groups.length} 个群${name}发送微信的数，要报上级，请看一看：`,
      ...lines,
      ...(more > 0 ? [`另有 ${more} 个群，合计 ${countsWords(total)}`] : []),
      `都对，请回复：确认 ${name}`,
      `漏了的，请登记，如：登记 ${groups[0]?.groupId} 致富 3条 ${Number(month.slice(5))}月28日；归错类的，请在网页上改：${page}`,
      `不回复也按这些数计入。${until}关账，之后不能再改。`,
    ].join('\n'),
    card: {
      about: { kind: 'group_month', id: personId },
      title: `【${name}核对】您的 ${groups.length} 个群${name}发送微信的数`,
      description: `${lines.slice(0, 3).join('；')}${groups.length > 3 ? '……' : ''}。漏了的请登记，归错类的请在网页上改；${until}关账。`,
      rows: Object.entries(total).map(([category, count]) => ({ name: category, value: `${count} 条` })),
      buttons: [
        { text: '确认', isMain: true, command: `确认 ${month}` },
        { text: '看记录、更正', url: page },
      ],
    },
  }
}

/** Asks owners who have said nothing once more. @returns how many */
export async function remindOwners(
  rt: Runtime,
  programme: string,
  month: string,
  signal?: AbortSignal,
): Promise<number> {
  const closesAt = closeAt(month, await lateBy(rt, programme, month))
  let reminded = 0
  for (let more = PORTION; more === PORTION && !signal?.aborted; reminded += more)
    more = await inTransaction(rt, async tx => {
      const now = tx.clock.now()
      const before = new Date(now.getTime() - monthRules.remind.afterHours * HOUR_MS)
      const owners = await takeOwnersToRemind(tx.db, programme, month, before, PORTION, now)
      await sendToPersons(
        tx,
        owners.map(({ ownerId, groups }) => ({
          personId: ownerId,
          text: `【提醒】您的 ${groups} 个群${monthName(month)}发送微信的数还没有核对。上级按月汇总，所以再请您看一眼：都对请回复“确认 ${monthName(month)}”，漏了的请登记。不回复也按现有的数计入，${momentName(closesAt)}关账。`,
        })),
        'reminder',
      )
      return owners.length
    })
  return reminded
}
