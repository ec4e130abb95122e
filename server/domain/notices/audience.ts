import { unitsOfAudience } from '../../../db/queries/cascade.ts'
import { type NoticeAudience, noticeById } from '../../../db/queries/notices.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Programme } from '../../templates.ts'

/** Units that one audience may name: more are written as a level or a unit above them. */
const MAX_UNITS = 500
/** Units that are named in words. */
const MAX_NAMED = 5

interface SendingUnit {
  name: string
  path: string
  programme: string
}

/**
 * Checks whom a notice is for against the template of its programme and the tree: the parts that it names must exist, and
 * units must be the sending unit or lie below it.
 * @throws DomainError `notice.audience`
 */
export async function checkAudience(
  rt: DomainRuntime,
  unit: SendingUnit,
  audience: NoticeAudience,
): Promise<void> {
  checkAgainstTemplate(rt.templates.programme(unit.programme), audience)
  if (audience.unitIds) await checkUnits(rt, unit, audience.unitIds)
  for (const noticeId of [audience.unansweredOf, audience.gotNotice])
    if (noticeId !== undefined) await checkEarlier(rt, unit, noticeId, noticeId === audience.unansweredOf)
}

/** @throws DomainError `notice.audience` for a level or group kind that the programme does not have */
export function checkAgainstTemplate(programme: Programme, { levels, groupKinds }: NoticeAudience): void {
  const check = (
    what: string,
    named: string[] | undefined,
    known: readonly { id: string; name: string }[],
  ) => {
    if (!named) return
    if (named.length === 0) throw fault(`没有选${what}：请至少选一个，或不限${what}。`)
    const unknown = named.filter(id => !known.some(each => each.id === id))
    if (unknown.length > 0)
      throw fault(
        `${programme.name}没有这样的${what}：${unknown.join('、')}。可选：${known.map(each => each.name).join('、')}。`,
      )
  }
  check('层级', levels, programme.levels)
  check('群类型', groupKinds, programme.groupKinds)
}

async function checkUnits(rt: DomainRuntime, unit: SendingUnit, unitIds: number[]): Promise<void> {
  if (unitIds.length === 0) throw fault('没有选单位：请至少选一个，或不限单位。')
  if (unitIds.length > MAX_UNITS) throw fault(`一次最多选 ${MAX_UNITS} 个单位，请改选它们的上级。`)
  const found = await unitsOfAudience(rt.db, unitIds)
  const outside = found.filter(each => !each.path.startsWith(unit.path))
  if (outside.length > 0)
    throw fault(
      `只能发给${unit.name}和它的下级，这些不是：${outside
        .slice(0, MAX_NAMED)
        .map(each => each.name)
        .join('、')}。`,
    )
  if (found.length < new Set(unitIds).size) throw fault('选的单位里有不存在的，请重新选。')
}

/** An earlier notice must have gone down the same line: nobody learns by it what another branch was told. */
async function checkEarlier(
  rt: DomainRuntime,
  unit: SendingUnit,
  noticeId: number,
  mustAsk: boolean,
): Promise<void> {
  const earlier = await noticeById(rt.db, noticeId)
  const isInLine =
    earlier !== null && (earlier.unitPath.startsWith(unit.path) || unit.path.startsWith(earlier.unitPath))
  if (!isInLine) throw fault(`没有编号是 ${noticeId}、${unit.name}发过或收到过的通知。`)
  if (mustAsk && earlier.ask === null)
    throw fault(`通知 ${noticeId} 没有要求答复，不能按“还没有答复的单位”发。`)
  if (mustAsk && earlier.withdrawnAt !== null)
    throw fault(`通知 ${noticeId} 已经撤回，不用再催还没有答复的单位。`)
}

function fault(words: string): DomainError {
  return new DomainError('notice.audience', words)
}

/** Names that an audience's words need. */
export interface AudienceNames {
  programme: Programme
  /** The names of the units of `unitIds`, in the order of the tree. */
  unitNames: readonly string[]
}

/**
 * Whom a notice is for, in words: “县级、乡镇级的团青群，只发榆阳区、定边县”.
 * @returns “所有的群” when nothing narrows it
 */
export function audienceWords(audience: NoticeAudience, { programme, unitNames }: AudienceNames): string {
  const names = (ids: readonly string[], known: readonly { id: string; name: string }[]) =>
    ids.map(id => known.find(each => each.id === id)?.name ?? id).join('、')
  const { levels, groupKinds, unitIds, unansweredOf, gotNotice } = audience
  const of = levels ? `${names(levels, programme.levels)}的` : ''
  const kinds = groupKinds ? names(groupKinds, programme.groupKinds) : levels ? '群' : '所有的群'
  const more = unitNames.length > MAX_NAMED ? `等 ${unitNames.length} 个单位` : ''
  return [
    `${of}${kinds}`,
    ...(unitIds ? [`只发${unitNames.slice(0, MAX_NAMED).join('、')}${more}和下级`] : []),
    ...(unansweredOf === undefined ? [] : [`只发还没有答复通知 ${unansweredOf} 的单位`]),
    ...(gotNotice === undefined ? [] : [`只发收到过通知 ${gotNotice} 的群`]),
  ].join('，')
}

/** The same with the names looked up. */
export async function describeAudience(
  rt: DomainRuntime,
  programmeId: string,
  audience: NoticeAudience,
): Promise<string> {
  const found = audience.unitIds ? await unitsOfAudience(rt.db, audience.unitIds) : []
  return audienceWords(audience, {
    programme: rt.templates.programme(programmeId),
    unitNames: found.map(each => each.name),
  })
}
