import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, the longest first. Begun last, one of them would run for a minute beside a worker that
 * has nothing to do; without an earlier run to go by, vitest begins with the files of most bytes.
 */
const LONGEST = [
  'test/scripts/backup.test.ts',
  'test/console/imports.test.ts',
  'test/browser/pages.test.ts',
  'test/chaos/kill-webhook.test.ts',
  'test/chaos/kill-import.test.ts',
  'test/scripts/command-lines.test.ts',
  'test/server/main.test.ts',
  'test/chaos/mutations.test.ts',
  'test/groups/planted-faults.test.ts',
  'test/server/domain/join-requests/variations.test.ts',
  'test/server/domain/roster/read-in-threads.test.ts',
  'test/scripts/create-admin.test.ts',
  'test/scripts/demo.test.ts',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    for (const name of LONGEST)
      if (!existsSync(resolve(root, name))) throw new Error(`test/support/longest-first.ts: no ${name}`)
    const rank = (file: TestSpecification) => {
      const at = LONGEST.indexOf(relative(root, file.moduleId))
      return at < 0 ? LONGEST.length : at
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
