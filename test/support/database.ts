import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject, onTestFinished } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { TEMPLATE } from './postgres.ts'

/** What databases are made and dropped through; closed when nothing has been asked of it for a second. */
let maintenance: postgres.Sql | undefined
function maintain(statement: string): Promise<unknown> {
  maintenance ??= postgres(inject('postgresUrl'), { max: 1, idle_timeout: 1, onnotice: () => {} })
  return maintenance.unsafe(statement)
}

/** A database of one's own, made from the template. Returns its address. */
export async function cloneDatabase(): Promise<string> {
  // file by file: half the work of doing it by the log, which nobody reads
  return made(`test_${randomBytes(6).toString('hex')}`, `template "${TEMPLATE}" strategy file_copy`)
}

/** A database with nothing in it, not even tables. */
export function emptyDatabase(): Promise<string> {
  return made(`empty_${randomBytes(6).toString('hex')}`, 'strategy file_copy')
}

async function made(name: string, how: string): Promise<string> {
  await maintain(`create database "${name}" ${how}`)
  const address = new URL(inject('postgresUrl'))
  address.pathname = `/${name}`
  return address.toString()
}

/** Makes room again: the run may be in memory. */
export async function dropDatabase(url: string): Promise<void> {
  await maintain(`drop database if exists "${new URL(url).pathname.slice(1)}" with (force)`)
}

/** A database for one test, gone with it. */
export async function openDatabase(): Promise<{ db: Db; url: string }> {
  const url = await cloneDatabase()
  const { db, close } = connectDatabase(url, 5)
  onTestFinished(async () => {
    await close()
    await dropDatabase(url)
  })
  return { db, url }
}
