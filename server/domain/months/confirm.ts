import { closingsOf, type OwnGroupMonth, ownGroupMonths, putAnswers } from '../../../db/queries/months.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { messageFiguresOfGroups } from '../../../db/queries/records.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { settleCards } from '../outgoing/card.ts'
import { monthSpan } from './rules.ts'
import { monthState, reportingProgrammes } from './state.ts'
import { momentName, monthName } from './words.ts'

export interface Confirmed {
  month: string
  groups: { name: string; figures: Record<string, number> }[]
  /** Groups of which something was put right since they were shown. */
  corrected: number
  /** All of it had been said before. */
  isAgain: boolean
}

/**
 * An owner says that the month of their groups is right as it stands now (确认): of all groups that are theirs today, also
 * those that somebody else was asked about.
 * @param month last month's when left out
 * @throws DomainError `month.early`, `month.closed`, `month.none`
 */
export function confirmMonth(
  rt: DomainRuntime,
  actor: KnownActor,
  month = addMonths(monthOf(rt.clock.now()), -1),
): Promise<Confirmed> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const span = monthSpan(month)
    if (now < span.end)
      throw new DomainError('month.early', `${monthName(month)}还没有完，下个月 1 日起核对。平时请用“登记”。`)
    const programmes = reportingProgrammes(tx)
    if ((await ownGroupMonths(tx.db, actor.person.id, programmes, month, span)).length === 0)
      throw new DomainError(
        'month.none',
        `您没有要核对${monthName(month)}数的群。要确认的是别的事，请从那件事重新开始。`,
      )
    const open: string[] = []
    for (const programme of programmes)
      if ((await monthState(tx, programme, month)) === 'open') open.push(programme)
    const own: OwnGroupMonth[] = await ownGroupMonths(tx.db, actor.person.id, open, month, span)
    if (own.length === 0) {
      const closings = await Promise.all(programmes.map(each => closingsOf(tx.db, each, [month])))
      const closedAt = closings.map(each => each.get(month)).find(at => at !== undefined)
      throw new DomainError(
        'month.closed',
        `${monthName(month)}${closedAt ? `已于${momentName(closedAt)}关账` : '的数已经定了'}，不用再确认。确有错漏，请告诉本单位负责的同志。`,
      )
    }
    const figures = await figuresOf(
      tx,
      own.map(group => group.groupId),
      month,
    )
    const rows = own.map(group => {
      const counts = figures.get(group.groupId) ?? {}
      return { group, counts, isCorrected: group.shown !== null && !isSame(group.shown, counts) }
    })
    await putAnswers(
      tx.db,
      rows.map(({ group, counts, isCorrected }) => ({
        groupId: group.groupId,
        month,
        ownerId: actor.person.id,
        figures: counts,
        askedAt: now,
        answeredAt: now,
        isCorrected,
      })),
    )
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'month.confirmed',
      subjectKind: 'person',
      subjectId: actor.person.id,
      details: { month, groups: own.length },
    })
    await settleCards(tx, { kind: 'group_month', id: actor.person.id }, `${monthName(month)}已确认`)
    return {
      month,
      groups: rows.map(({ group, counts }) => ({ name: group.name, figures: counts })),
      corrected: rows.filter(row => row.isCorrected).length,
      isAgain: own.every(group => group.answeredAt !== null) && rows.every(row => !row.isCorrected),
    }
  })
}

/** Messages by category of each of some groups, for a month; groups without any are left out. */
export async function figuresOf(
  rt: DomainRuntime,
  groupIds: number[],
  month: string,
): Promise<Map<number, Record<string, number>>> {
  const found = new Map<number, Record<string, number>>()
  for (const { groupId, category, count } of await messageFiguresOfGroups(rt.db, groupIds, month)) {
    const counts = found.get(groupId) ?? {}
    if (count > 0) counts[category] = count
    found.set(groupId, counts)
  }
  return found
}

function isSame(a: Record<string, number>, b: Record<string, number>): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(name => (a[name] ?? 0) === (b[name] ?? 0))
}
