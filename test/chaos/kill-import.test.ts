import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/client.ts'
import { dropOldStagings } from '../../db/queries/roster-staging.ts'
import { systemClock } from '../../server/clock.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { randomDataKey } from '../../server/start.ts'
import { loadTemplates } from '../../server/templates.ts'
import { cloneDatabase } from '../support/database.ts'
import { runProgram, startProgram } from '../support/process.ts'

const ROWS = 30_000
const file = mkdtempSync(join(tmpdir(), 'qunzhen-kill-'))
const csv = join(file, 'roster.csv')
let url: string
let sql: postgres.Sql
let database: Database
const dataKey = randomDataKey()

beforeAll(async () => {
  url = await cloneDatabase()
  sql = postgres(url, { max: 1, onnotice: () => {} })
  database = connectDatabase(url, 1)
  const offices = [
    { code: '000000', name: '全国', kind: 'national-office', parentCode: null },
    { code: '610000', name: '陕西省', kind: 'province-office', parentCode: '000000' },
    { code: '610800', name: '榆林市', kind: 'city-office', parentCode: '610000' },
    { code: '610802', name: '榆阳区', kind: 'county-office', parentCode: '610800' },
  ]
  await importUnits(
    { db: database.db, templates: loadTemplates(), clock: systemClock } as never,
    'xibu',
    offices,
  )
  const lines = Array.from(
    { length: ROWS },
    (_, index) =>
      `榆阳区,第${1 + Math.floor(index / 30)}团支部,志${[...String(index)].map(digit => '甲乙丙丁戊己庚辛壬癸'[Number(digit)]).join('')},138${10_000_000 + index},在岗\n`,
  )
  writeFileSync(csv, `区县,团支部,姓名,手机号,状态\n${lines.join('')}`)
})
afterAll(async () => {
  await sql.end()
  await database.close()
  rmSync(file, { recursive: true })
})

const env = () => ({ DATABASE_URL: url, DATA_KEY: dataKey })
const counts = async () =>
  (
    await sql`select (select count(*)::int from persons) as persons, (select count(*)::int from roster_entries) as entries,
      (select count(*)::int from roles) as roles, (select count(*)::int from units) as units,
      (select count(*)::int from roster_imports) as imports, (select count(*)::int from audit_log) as noted`
  )[0]

describe('an import that is killed', () => {
  test.each([
    ['while it reads the file', 'copy roster_staging'],
    ['while it writes persons', 'insert into persons'],
    ['while it writes entries', 'insert into roster_entries'],
  ])(
    '%s leaves nothing of it',
    async (_when, statement) => {
      const before = await counts()
      const program = startProgram('scripts/import-roster.ts', [csv], env())
      for (let at = ''; !at.includes(statement); ) {
        if (program.child.exitCode !== null)
          throw new Error((await program.ended).stderr || 'it was too quick to be killed')
        const active =
          await sql`select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
        at = active.map(row => String(row.query).trim()).join('\n')
      }
      program.child.kill('SIGKILL')
      await program.ended
      await expect
        .poll(
          () =>
            sql`select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
          {
            timeout: 30_000,
          },
        )
        .toHaveLength(0)
      expect(await counts()).toEqual(before)
    },
    120_000,
  )

  test('can be done again, and what the dead ones had read is taken away in time', async () => {
    expect((await sql`select 1 from pg_tables where schemaname = 'roster_staging'`).length).toBeGreaterThan(0)
    const again = await runProgram('scripts/import-roster.ts', [csv], env())
    expect(again.stdout).toContain(`新增 ${ROWS}，`)
    expect(await counts()).toMatchObject({ persons: ROWS, entries: ROWS, roles: ROWS, imports: 1 })
    await dropOldStagings(database.db, new Date(systemClock.now().getTime() + 26 * 3600_000))
    expect(await sql`select 1 from pg_tables where schemaname = 'roster_staging'`).toEqual([])
  }, 120_000)
})
