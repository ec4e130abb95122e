import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../../db/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

/** The database that every test file gets a copy of; copying is a matter of some tens of milliseconds. */
export const TEMPLATE = 'qunzhen_template'

/** One PostgreSQL for the whole run, with a template that the real migrations have made. */
export default async function setUp(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-test-'))
  // root's PostgreSQL runs as another user, who must be able to enter
  chmodSync(folder, 0o755)
  const embedded = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), throwAway: true })
  await migrateDatabase(await createDatabase(embedded.url, TEMPLATE))
  project.provide('postgresUrl', embedded.url)
  return async () => {
    await embedded.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
