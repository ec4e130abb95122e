import { mergedInto, type SlipRow, slipById } from '../../../db/queries/slips.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { officesOf } from './offices.ts'
import { slipKind } from './rules.ts'
import { tellFrom } from './timing.ts'

const MAX_SHOWN = 600

const headWords = {
  new: '新上报',
  raised: '升上来的上报',
  again: '本人请再办的上报',
  added: '上报有补充',
  pictured: '上报有图片',
  late: '还没有答复的上报',
  leads: '接着办的上报（并入的那件本人已结束或上送）',
}

/**
 * Tells everybody who runs the office whose turn it is, and nobody else, that a slip is theirs to answer or has something
 * new.
 * @param news what was added, and to which slip where that one is part of this
 * @returns how many were told; 0: the office has nobody any more
 */
export async function tellOffice(
  rt: DomainRuntime,
  slipId: number,
  why: keyof typeof headWords,
  news?: { slipId: number; text: string },
): Promise<number> {
  const slip = await slipById(rt.db, slipId)
  if (!slip) return 0
  const office = (await officesOf(rt, slip)).find(each => each.id === slip.officeId)
  if (!office || office.readers.length === 0) return 0
  const until = slip.dueAt ? `请在${chineseMoment(slip.dueAt)}前答复，过时会升到上一级。` : '请尽快答复。'
  const added = news
    ? [
        `补充${news.slipId === slip.id ? '' : `（上报 ${news.slipId}，已并入）`}：${shown(news.text)}`,
        '原来写的：',
      ]
    : []
  const text = [
    `【${headWords[why]} ${slip.id}】${slipKind(slip.kind).name}，来自${slip.unitName}，${nameFor(slip, slip.officeId)}：`,
    ...added,
    shown(rt.vault.open(slip.bodySealed)),
    '——',
    `${until}答复请回：复 ${slip.id} 内容；要上级办请回：上交 ${slip.id}；办结请回：结 ${slip.id}`,
  ].join('\n')
  await sendToPersons(
    rt,
    office.readers.map(({ id }) => ({ personId: id, text })),
    'review',
    tellFrom(rt, slip),
  )
  return office.readers.length
}

function shown(text: string): string {
  const characters = [...text]
  return characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN).join('')}……（全文见网页）` : text
}

/** 1+100: the contact of a branch reads what was addressed to them; the office answers. */
export async function tellContact(rt: DomainRuntime, slipId: number, personId: number): Promise<void> {
  const slip = await slipById(rt.db, slipId)
  if (!slip) return
  const body = [...rt.vault.open(slip.bodySealed)].slice(0, MAX_SHOWN).join('')
  const text = `【您联系的支部有上报 ${slip.id}】${slip.unitName}，${nameFor(slip, null)}，${slipKind(slip.kind).name}：\n${body}\n——\n由${slip.officeName}答复；请您关心、走访。原文见网页“我的 → 我的上报”。`
  await sendToPersons(rt, [{ personId, text }], 'review', tellFrom(rt, slip))
}

/** The reporter's name as an office may see it: an anonymous one only while it is its turn. */
export function nameFor(
  slip: Pick<SlipRow, 'isAnonymous' | 'officeId' | 'reporterName'>,
  officeId: number | null,
): string {
  if (!slip.isAnonymous) return slip.reporterName
  return slip.officeId === officeId ? `${slip.reporterName}（要求匿名，只有您这一级看得到名字）` : '匿名'
}

/** Tells the reporter of a slip, and those of the slips that wait as part of it. @param from not earlier */
export async function tellReporters(
  rt: DomainRuntime,
  slip: SlipRow,
  words: (id: number) => string,
  from: Date = rt.clock.now(),
): Promise<void> {
  const all = [slip, ...(await mergedInto(rt.db, slip.id))]
  await sendToPersons(
    rt,
    all.map(each => ({ personId: each.reporterId, text: words(each.id) })),
    'decision',
    from,
  )
}
