import { type ListedHandOver, noteHandOversAsked, overdueHandOvers } from '../../../db/queries/hand-overs.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { handOverRules } from './policy.ts'

/** Hand-overs asked for in one go; the rest is asked for at the next run. */
const AT_ONCE = 2000
/** Lines of one message. */
const LISTED = 10

/**
 * Asks for overdue hand-overs, every few days (`templates/policies/hand-over.json`): who takes over for what is open on the
 * checklist, and who answers for the unit where nobody is named yet. One message each.
 * @returns how many hand-overs were asked for
 */
export async function askForOverdue(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  const askedBefore = new Date(now.getTime() - (handOverRules.askEveryDays.value * 24 - 1) * 3600_000)
  const overdue = await overdueHandOvers(rt.db, dayOf(now), askedBefore, AT_ONCE)
  const answerers = await answerersFor(
    rt,
    overdue.filter(each => each.status === 'proposed').map(each => each.unitId),
  )
  const asked = new Map<number, ListedHandOver[]>()
  for (const each of overdue)
    for (const personId of each.status === 'open'
      ? [each.toId as number]
      : (answerers.get(each.unitId) ?? []).filter(person => person !== each.fromId))
      asked.set(personId, [...(asked.get(personId) ?? []), each])
  await sendToPersons(
    rt,
    [...asked].map(([personId, these]) => ({ personId, text: askingWords(rt, these) })),
    'reminder',
  )
  await noteHandOversAsked(
    rt.db,
    overdue.map(each => each.id),
    now,
  )
  return overdue.length
}

function askingWords(rt: DomainRuntime, these: ListedHandOver[]): string {
  const line = (each: ListedHandOver) =>
    each.status === 'open'
      ? `· ${each.unitName}${each.fromName}：还有 ${each.byHand - each.done} 项没有办好（${rt.publicUrl}/me/hand-overs/${each.id}）`
      : `· ${each.unitName}${each.fromName}：还没有定接手的同志（请回复：交接 ${each.id} 姓名）`
  return [
    '【交接过期】下面的交接过了期限。群主、管理员不交接，新同志发不了通知，离开的人还管着群：',
    ...these.slice(0, LISTED).map(line),
    these.length > LISTED ? `……共 ${these.length} 件，见 ${rt.publicUrl}/console/hand-overs` : '',
  ]
    .filter(text => text !== '')
    .join('\n')
}
