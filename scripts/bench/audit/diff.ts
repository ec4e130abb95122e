import { join } from 'node:path'
import { rosterVersion } from '../../../db/queries/roster-difference.ts'
import { importRoster } from '../../../server/domain/roster/import.ts'
import { withFolder } from './import.ts'
import { type AuditPart, auditTarget, shownOnly } from './part.ts'
import { writeRoster } from './roster-file.ts'

const MOST_SECONDS = 15
/** Of the roster so large a part is in the file, and all of it has changed. */
const SHARE = 10

/** `diff`: a file with a tenth of the roster in it, every row changed, looked at and not applied. */
export const diffPart: AuditPart = async stage => {
  const { rt } = await stage.loadedRoster()
  const rows = Math.floor(stage.rows / SHARE / 30) * 30
  return withFolder(async folder => {
    const path = join(folder, 'changed.csv')
    await writeRoster(path, rows, { post: () => '改派的服务单位' })
    const before = await rosterVersion(rt.db, 'xibu')
    const started = performance.now()
    const result = await importRoster(
      rt,
      { name: 'changed.csv', path },
      { programme: 'xibu', isDryRun: true, actorId: null },
    )
    const seconds = (performance.now() - started) / 1000
    if (result.changed !== rows || result.new + result.gone + result.problems.length > 0)
      throw new Error(
        `${rows} rows were to be changed: ${JSON.stringify({ ...result, lists: {} }).slice(0, 500)}`,
      )
    if ((await rosterVersion(rt.db, 'xibu')) !== before) throw new Error('a dry run has changed the roster')
    stage.say(`核对 ${rows} 行变动 ${seconds.toFixed(1)} 秒`)
    return [auditTarget('diff_seconds', seconds, '<', MOST_SECONDS), shownOnly('diff_changed_rows', rows)]
  })
}
