import { openDatabase } from '../../db/open.ts'
import { systemClock } from '../../server/clock.ts'
import { ConfigError, readDataConfig } from '../../server/config.ts'
import { AppError } from '../../server/errors.ts'
import { createLog } from '../../server/log.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { loadTemplates } from '../../server/templates.ts'
import { createVault } from '../../server/vault.ts'

/** Wrong words on the command line: the message is shown with the help, exit status 2. */
export class UsageError extends Error {}

/** Runs a command line: help, clear errors, exit status 0 (done), 1 (refused) or 2 (wrong words). */
export async function runCommandLine(help: string, main: (args: string[]) => Promise<number>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return
  }
  try {
    process.exitCode = await main(args)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')) {
      console.error(`${(error as Error).message}\n\n${help}`)
      process.exitCode = 2
    } else if (error instanceof AppError || error instanceof ConfigError) {
      console.error(error.message)
      process.exitCode = 1
    } else if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
      console.error(`读写不了文件：${(error as NodeJS.ErrnoException).path}（${code}）`)
      process.exitCode = 1
    } else if (code === 'ECONNREFUSED') {
      console.error('连不上数据库：请检查 DATABASE_URL，或不设它而用内置 PostgreSQL。')
      process.exitCode = 1
    } else throw error
  }
}

/** Reads the whole number of an option. @param name without its dashes @throws UsageError below `least` */
export function countOf(name: string, text: string, least = 1): number {
  const count = Number(text)
  if (text.trim() === '' || !Number.isInteger(count) || count < least)
    throw new UsageError(`--${name} 要是不小于 ${least} 的整数：${text}`)
  return count
}

/**
 * Opens the database of the environment for a command line, and lets go of it afterwards.
 * @param connections that the work needs at once, however few the setting allows
 */
export async function withDomain<T>(work: (rt: DomainRuntime) => Promise<T>, connections = 1): Promise<T> {
  const settings = readDataConfig(process.env)
  const config = { ...settings, databasePool: Math.max(settings.databasePool, connections) }
  const database = await openDatabase(config)
  try {
    return await work({
      db: database.db,
      vault: createVault(config.dataKey, config.otherDataKeys),
      templates: loadTemplates(),
      clock: systemClock,
      log: createLog(config.logLevel === 'info' ? 'warn' : config.logLevel),
      publicUrl: '',
    })
  } finally {
    await database.close()
  }
}
