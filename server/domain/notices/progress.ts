import { answerTallies, unitNames } from '../../../db/queries/notice-answers.ts'
import {
  deliveriesWithReceipts,
  type Part,
  readersByPart,
  type Wake,
  type Waterline,
  wakeByPart,
  waterlines,
} from '../../../db/queries/notice-progress.ts'
import { type NoticeAsk, noticeById } from '../../../db/queries/notices.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { noticeViewPath } from '../access/notices.ts'
import type { KnownActor } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'

/** What of a notice its progress is counted for. */
export interface CountedNotice {
  id: number
  programme: string
  issuedAt: Date
  ask: NoticeAsk | null
}

/** How far a notice has come in a part of the tree, with who has read and answered it there. */
export interface PartProgress extends Waterline {
  name: string
  /** The unit at its top; null where the part is a level. */
  unitId: number | null
  opened: number
  acknowledged: number
  /** Units that are asked to answer, and that have. */
  asked: number
  answered: number
}

/** The waterline of a subtree (水位): as a whole, level by level from the top, and by the units right below its top. */
export interface WaterlineView {
  all: PartProgress | null
  levels: PartProgress[]
  children: PartProgress[]
}

const keyOf = (of: Part): string =>
  of.kind === 'all' ? 'all' : of.kind === 'level' ? `level ${of.level}` : `unit ${of.unitId ?? ''}`

/** @param top the subtree's top, whose own groups stand as a line of their own among its children */
export async function waterlineOf(
  rt: DomainRuntime,
  notice: CountedNotice,
  top: { id: number; name: string; path: string },
): Promise<WaterlineView> {
  const [lines, readers, tallies] = await Promise.all([
    waterlines(rt.db, notice, top.path),
    readersByPart(rt.db, notice.id, top.path),
    notice.ask ? answerTallies(rt.db, notice.id, top.path, 0) : [],
  ])
  const childIds = lines.flatMap(({ of }) => (of.kind === 'child' && of.unitId !== null ? [of.unitId] : []))
  const names = await unitNames(rt.db, childIds)
  const reading = new Map(readers.map(each => [keyOf(each.of), each]))
  const answering = new Map(tallies.map(each => [keyOf(each.of), each]))
  const { levels } = rt.templates.programme(notice.programme)
  const parts = lines.map((line): PartProgress => {
    const { of } = line
    const key = keyOf(of)
    return {
      ...line,
      name:
        of.kind === 'level'
          ? (levels.find(level => level.id === of.level)?.name ?? of.level)
          : of.kind === 'child' && of.unitId !== null
            ? (names.get(of.unitId) ?? '')
            : of.kind === 'child'
              ? `${top.name}本级`
              : top.name,
      unitId: of.kind === 'level' ? null : of.kind === 'child' ? (of.unitId ?? top.id) : top.id,
      opened: reading.get(key)?.opened ?? 0,
      acknowledged: reading.get(key)?.acknowledged ?? 0,
      asked: answering.get(key)?.units ?? 0,
      answered: answering.get(key)?.answered ?? 0,
    }
  })
  const rank = new Map(levels.map((level, index) => [level.id, index]))
  const levelRank = ({ of }: PartProgress) =>
    of.kind === 'level' ? (rank.get(of.level) ?? levels.length) : 0
  return {
    all: parts.find(part => part.of.kind === 'all') ?? null,
    levels: parts.filter(part => part.of.kind === 'level').sort((a, b) => levelRank(a) - levelRank(b)),
    children: parts.filter(part => part.of.kind === 'child').sort(worstFirst),
  }
}

/** Those with most groups without the notice first. */
function worstFirst(a: PartProgress, b: PartProgress): number {
  return b.groups - b.posted - (a.groups - a.posted) || (a.unitId ?? 0) - (b.unitId ?? 0)
}

/** Who can still be woken for the groups without a notice, by the child of the subtree's top; null: the top itself. */
export async function wakeOf(
  rt: DomainRuntime,
  noticeId: number,
  path: string,
): Promise<{ all: Wake | null; children: Map<number | null, Wake> }> {
  const rows = await wakeByPart(rt.db, noticeId, path, managingPairs(rt.templates), rt.clock.now())
  return {
    all: rows.find(row => row.of.kind === 'all') ?? null,
    children: new Map(rows.flatMap(row => (row.of.kind === 'child' ? [[row.of.unitId, row] as const] : []))),
  }
}

export interface LevelProgress {
  level: string
  groups: number
  /** In the group, with proof. */
  posted: number
  /** Seen by the owner, not relayed yet. */
  received: number
  /** Nobody can bring it there, or sending failed. */
  failed: number
}

export interface Progress {
  noticeId: number
  unitName: string
  body: string
  issuedAt: Date
  deadlineAt: Date
  ask: NoticeAsk | null
  withdrawnAt: Date | null
  /** The top of what the actor sees of it. */
  path: string
  waterline: WaterlineView
  levels: LevelProgress[]
  groups: number
  posted: number
  /** Some groups without it, in the order of the tree. */
  missing: { groupId: number; groupName: string; unitName: string; ownerName: string | null }[]
}

/** Groups without the notice that are named. */
const MISSING = 20

/**
 * How far a notice has come, level by level: of the whole cascade for those who run the sending unit, of their own
 * subtree for those below.
 * @throws DomainError `notice.unknown`, `rights.missing`
 */
export async function noticeProgress(
  rt: DomainRuntime,
  actor: KnownActor,
  noticeId: number,
): Promise<Progress> {
  const notice = await noticeById(rt.db, noticeId)
  if (!notice) throw new DomainError('notice.unknown', `没有编号是 ${noticeId} 的通知。`)
  const path = await noticeViewPath(rt, actor, notice)
  if (path === null) throw notAllowed(`查看通知 ${noticeId} 的进度`)
  const [waterline, missing] = await Promise.all([
    waterlineOf(rt, notice, await topOf(rt, path)),
    deliveriesWithReceipts(rt.db, noticeId, path, 'dry', { now: rt.clock.now(), limit: MISSING }),
  ])
  return {
    noticeId,
    unitName: notice.unitName,
    body: notice.body,
    issuedAt: notice.issuedAt,
    deadlineAt: notice.deadlineAt,
    ask: notice.ask,
    withdrawnAt: notice.withdrawnAt,
    path,
    waterline,
    levels: waterline.levels.map(({ name, groups, posted, received, failed }) => ({
      level: name,
      groups,
      posted,
      received,
      failed,
    })),
    groups: waterline.all?.groups ?? 0,
    posted: waterline.all?.posted ?? 0,
    missing,
  }
}

/** The unit at the top of a subtree. */
export async function topOf(
  rt: DomainRuntime,
  path: string,
): Promise<{ id: number; name: string; path: string }> {
  const id = Number(path.split('/').at(-2))
  return { id, name: (await unitNames(rt.db, [id])).get(id) ?? '', path }
}
