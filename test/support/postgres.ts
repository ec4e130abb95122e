import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../../db/migrate.ts'
import { randomDataKey } from '../../server/start.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    /** The data key of every stage of the run, so that what was sealed on one can be opened on another. */
    dataKey: string
    /** For what test files have in common; gone with the run. */
    runFolder: string
  }
}

/** The database that every test file gets a copy of; copying is a matter of some tens of milliseconds. */
export const TEMPLATE = 'qunzhen_template'

const GIB = 2 ** 30

/** One PostgreSQL for the whole run, with a template that the real migrations have made. */
export default async function setUp(project: TestProject) {
  const place = roomyFolder()
  clearAfterTheDead(place)
  const folder = mkdtempSync(join(place, `qunzhen-test-${process.pid}-`))
  // root's PostgreSQL runs as another user, who must be able to enter
  chmodSync(folder, 0o755)
  const embedded = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), throwAway: true })
  await migrateDatabase(await createDatabase(embedded.url, TEMPLATE))
  project.provide('postgresUrl', embedded.url)
  project.provide('dataKey', randomDataKey())
  project.provide('runFolder', folder)
  return async () => {
    await embedded.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** In memory where there is room: what a run writes is copies of the template, nearly all of it, each for a minute. */
function roomyFolder(): string {
  const memory = '/dev/shm'
  try {
    const { bavail, bsize } = statfsSync(memory)
    return Math.min(bavail * bsize, process.availableMemory()) >= 6 * GIB ? memory : tmpdir()
  } catch {
    return tmpdir()
  }
}

/** A run that was killed has left its PostgreSQL and its data, which may be in memory. */
function clearAfterTheDead(place: string): void {
  for (const name of readdirSync(place)) {
    const owner = Number(/^qunzhen-test-(\d+)-/.exec(name)?.[1])
    if (!owner || isAlive(owner)) continue
    const folder = join(place, name)
    try {
      const [postgres] = readFileSync(join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')
      process.kill(Number(postgres), 'SIGQUIT')
    } catch {
      // it is not running, or another run has been quicker
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
