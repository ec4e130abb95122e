import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbeddedData, startEmbeddedPostgres } from '../../db/embedded.ts'

/**
 * A PostgreSQL for one run that syncs to disk as in production, and is gone with all its data afterwards: also when the
 * run is interrupted, for it lives in a process group of its own.
 * @param work gets the address of its maintenance database
 */
export async function withDurablePostgres<T>(work: (url: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-durable-'))
  const embedded = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  let ending: Promise<void> | null = null
  const end = () => {
    ending ??= embedded.stop().then(() => {
      removeEmbeddedData(join(folder, 'postgres'))
      rmSync(folder, { recursive: true, force: true })
    })
    return ending
  }
  const interrupted = () => void end().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted)
  try {
    return await work(embedded.url)
  } finally {
    await end()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted)
  }
}
