import { mergedInto, type SlipRow, slipById } from '../../../db/queries/slips.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPerson, sendToPersons } from '../outgoing/enqueue.ts'
import { slipKind } from './rules.ts'

const MAX_SHOWN = 600

/** Tells those who answer for an office that a slip is theirs to answer, or has something new. */
export async function tellOffice(
  rt: DomainRuntime,
  slipId: number,
  officeId: number,
  why: 'new' | 'raised' | 'added' | 'late',
): Promise<void> {
  const slip = await slipById(rt.db, slipId)
  const answerers = (await answerersFor(rt, [officeId])).get(officeId) ?? []
  if (!slip) return
  const words = { new: '新上报', raised: '升上来的上报', added: '上报有补充', late: '还没有答复的上报' }[why]
  const body = rt.vault.open(slip.bodySealed)
  const shown =
    [...body].length > MAX_SHOWN ? `${[...body].slice(0, MAX_SHOWN).join('')}……（全文见网页）` : body
  const until = slip.dueAt ? `请在${chineseMoment(slip.dueAt)}前答复，过时会升到上一级。` : '请尽快答复。'
  const text = [
    `【${words} ${slip.id}】${slipKind(slip.kind).name}，来自${slip.unitName}，${nameFor(slip, officeId)}：`,
    shown,
    '——',
    `${until}答复请回：复 ${slip.id} 内容；要上级办请回：上交 ${slip.id}；办结请回：结 ${slip.id}`,
  ].join('\n')
  await sendToPersons(
    rt,
    answerers.filter(personId => personId !== slip.reporterId).map(personId => ({ personId, text })),
    'review',
  )
}

/** 1+100: the contact of a branch reads what was addressed to them; the office answers. */
export async function tellContact(rt: DomainRuntime, slipId: number, personId: number): Promise<void> {
  const slip = await slipById(rt.db, slipId)
  if (!slip) return
  const body = [...rt.vault.open(slip.bodySealed)].slice(0, MAX_SHOWN).join('')
  await sendToPerson(
    rt,
    personId,
    'review',
    `【您联系的支部有上报 ${slip.id}】${slip.unitName}，${nameFor(slip, null)}，${slipKind(slip.kind).name}：\n${body}\n——\n由${slip.officeName}答复；请您关心、走访，经过见网页“我的 → 我的上报”。`,
  )
}

/** The reporter's name as an office may see it: an anonymous one only while it is its turn. */
export function nameFor(
  slip: Pick<SlipRow, 'isAnonymous' | 'officeId' | 'reporterName'>,
  officeId: number | null,
): string {
  if (!slip.isAnonymous) return slip.reporterName
  return slip.officeId === officeId ? `${slip.reporterName}（要求匿名，只有您这一级看得到名字）` : '匿名'
}

/** Tells the reporter of a slip, and those of the slips that were merged into it. */
export async function tellReporters(
  rt: DomainRuntime,
  slip: SlipRow,
  words: (id: number) => string,
): Promise<void> {
  for (const each of [slip, ...(await mergedInto(rt.db, slip.id))])
    await sendToPerson(rt, each.reporterId, 'decision', words(each.id))
}
