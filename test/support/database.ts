import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { createDatabase } from '../../db/migrate.ts'
import { TEMPLATE } from './postgres.ts'

/** A database of one's own, made from the template. Returns its address. */
export function cloneDatabase(): Promise<string> {
  return createDatabase(inject('postgresUrl'), `test_${randomBytes(6).toString('hex')}`, TEMPLATE)
}

/** A database with nothing in it, not even tables. */
export function emptyDatabase(): Promise<string> {
  return createDatabase(inject('postgresUrl'), `empty_${randomBytes(6).toString('hex')}`)
}

/** A database for one test, closed with it. */
export async function openDatabase(): Promise<{ db: Db; url: string }> {
  const url = await cloneDatabase()
  const { db, close } = connectDatabase(url, 5)
  onTestFinished(close)
  return { db, url }
}
