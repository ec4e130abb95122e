import { countsOf } from '../../db/queries/limits.ts'
import { lastUpdateOf } from '../../db/queries/updates.ts'
import { chineseMoment, dayOf } from '../clock.ts'
import type { QuotaName } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import { type Finding, mend, ok } from './check.ts'

/** Nobody writes at night or on holidays; a whole week without a word is a callback that does not come. */
const SILENT_MS = 7 * 86_400_000

/** When the platform has last called us. Whether it could now, only it can tell. */
export async function lastCallback(
  rt: Runtime,
  channel: string,
  { path, click }: { path: string; click: string },
): Promise<Finding> {
  const how = click.replace('{url}', `${rt.config.publicUrl ?? 'PUBLIC_URL'}${path}`)
  const last = await lastUpdateOf(rt.db, channel)
  if (!last) return mend('还没有收到过回调。', `${how}；再给它发一句话试试。`)
  if (rt.clock.now().getTime() - last.getTime() > SILENT_MS)
    return mend(
      `最近一次回调是 ${chineseMoment(last)}，已经一周没有收到。`,
      `给它发一句话试试；收不到时，${how}。`,
    )
  return ok(`最近一次回调是 ${chineseMoment(last)}。`)
}

export async function countOfToday(rt: Runtime, name: QuotaName): Promise<number> {
  const counts = await countsOf(rt.db, [dayOf(rt.clock.now())])
  return counts.find(row => row.key === name)?.count ?? 0
}
