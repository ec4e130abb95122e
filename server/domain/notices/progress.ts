import { missingDeliveries, noticeById, progressOf } from '../../../db/queries/notices.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managingRoles } from '../actor.ts'

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
  levels: LevelProgress[]
  groups: number
  posted: number
  /** Groups without it, in the order of the tree. */
  missing: { groupId: number; groupName: string; unitName: string; ownerName: string | null }[]
}

const MAX_MISSING = 2000

/** How far a notice has come within a subtree, level by level from the top. @param path the subtree's top */
export async function levelsOf(
  rt: DomainRuntime,
  notice: { id: number; programme: string },
  path: string,
): Promise<LevelProgress[]> {
  const rows = await progressOf(rt.db, notice.id, path)
  return rt.templates
    .programme(notice.programme)
    .levels.map(level => {
      const own = rows.filter(row => row.level === level.id)
      const sum = (count: (row: (typeof rows)[number]) => number) =>
        own.reduce((total, row) => total + count(row), 0)
      return {
        level: level.name,
        groups: sum(row => row.count),
        posted: sum(row => (row.status === 'posted' ? row.count : 0)),
        received: sum(row => (row.status === 'posted' ? 0 : row.received)),
        failed: sum(row => (row.status === 'failed' ? row.count : 0)),
      }
    })
    .filter(level => level.groups > 0)
}

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
  // of several roles the highest sees most
  const [role] = managingRoles(rt.templates, actor)
    .filter(each => notice.unitPath.startsWith(each.unitPath) || each.unitPath.startsWith(notice.unitPath))
    .sort((a, b) => a.unitPath.length - b.unitPath.length)
  if (!role) throw notAllowed(`查看通知 ${noticeId} 的进度`)
  const path = role.unitPath.length > notice.unitPath.length ? role.unitPath : notice.unitPath
  const levels = await levelsOf(rt, notice, path)
  return {
    noticeId,
    unitName: notice.unitName,
    body: notice.body,
    issuedAt: notice.issuedAt,
    deadlineAt: notice.deadlineAt,
    levels,
    groups: levels.reduce((total, level) => total + level.groups, 0),
    posted: levels.reduce((total, level) => total + level.posted, 0),
    missing: await missingDeliveries(rt.db, noticeId, path, MAX_MISSING),
  }
}
