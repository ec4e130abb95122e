import { moveDraft, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { dropStagingsOf } from '../../../db/queries/roster-staging.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { ROSTER_COLUMNS } from '../../templates/roster-columns.ts'
import { KEEP } from './columns.ts'
import { OPEN, openDraftFile } from './drafts.ts'
import { headOfRoster } from './read-in-threads.ts'

/**
 * Keeps what an office says of the columns of its file. What it leaves as we had made it out is not kept.
 * @param chosen by position in the heading: one of our columns, or `keep`
 * @throws DomainError `draft.gone`, `draft.column`
 */
export async function mapDraft(
  rt: DomainRuntime,
  draft: RosterDraft,
  chosen: ReadonlyMap<number, string>,
): Promise<void> {
  const file = await openDraftFile(rt, draft)
  const { columns } = await headOfRoster(rt, file, draft.programme)
  const mapping: Record<string, string> = {}
  const all = [...chosen.values()]
  for (const [position, { label, is }] of columns.entries()) {
    const id = chosen.get(position)
    const own = is ?? KEEP
    // what was said twice is kept, so that the page can say so
    if (id === undefined || (id === own && (id === KEEP || all.filter(each => each === id).length === 1)))
      continue
    if (id !== KEEP && !ROSTER_COLUMNS.some(column => column === id))
      throw new DomainError('draft.column', '没有这一列，请重新选择。')
    mapping[label] = id
  }
  if (!(await moveDraft(rt.db, draft.id, OPEN, { mapping })))
    throw new DomainError('draft.gone', '这个文件正在核对、导入或已经导入，不能再改。')
  await dropStagingsOf(rt.db, draft.id)
}
