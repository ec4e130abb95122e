import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Snapshot, type TableShape, withSnapshot } from '../../db/backup.ts'
import { connectDatabase, type Db } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { unitByCode } from '../../db/queries/units.ts'
import { knownMigrations, restoring } from '../../db/restore.ts'
import { persons } from '../../db/schema/index.ts'
import { END_OF_ROWS } from '../../scripts/backup/format.ts'
import { LineReader } from '../../scripts/backup/line-reader.ts'
import { checkBackup } from '../../scripts/backup/read.ts'
import { restoreInto } from '../../scripts/backup/restore-into.ts'
import { writeBackup } from '../../scripts/backup/write.ts'
import { exportTrackingSheet } from '../../server/domain/reports/export.ts'
import { randomDataKey } from '../../server/start.ts'
import { cloneDatabase, emptyDatabase } from '../support/database.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber } from '../support/matrix.ts'
import { runProgram } from '../support/process.ts'
import { openStage, type Stage } from '../support/stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'qunzhen-backup-'))
// root's PostgreSQL runs as another user, who must be able to enter
chmodSync(folder, 0o755)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = () => join(folder, `${++files}.backup.gz`)

function opened(url: string): Db {
  const { db, close } = connectDatabase(url, 2)
  onTestFinished(close)
  return db
}

const names = (db: Db) =>
  db.execute<{ name: string }>(sql`
    select schemaname || '.' || tablename as name from pg_tables where schemaname in ('public', 'drizzle') order by 1`)

/** Every row of every table, as text. */
async function contentsOf(url: string): Promise<Record<string, string[]>> {
  const db = opened(url)
  const contents: Record<string, string[]> = {}
  for (const { name } of await names(db)) {
    const rows = await db.execute<{ row: string }>(
      sql.raw(`select t::text as row from ${name} t order by t::text`),
    )
    contents[name] = rows.map(each => each.row)
  }
  return contents
}

/** What the tables are made of. */
async function structureOf(url: string) {
  const rows = await opened(url).execute<{ part: string }>(sql`
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) as part
      from pg_constraint where connamespace = 'public'::regnamespace
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select tgrelid::regclass || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || is_identity
      from information_schema.columns where table_schema = 'public'
    order by 1`)
  return rows.map(each => each.part)
}

describe('a matrix that is backed up', () => {
  let stage: Stage
  let dataKey: string
  const file = newFile()
  const backUp = (out: string, env: Record<string, string>) =>
    runProgram('scripts/backup.ts', ['--out', out], { DATA_KEY: dataKey, ...env })
  const restore = (env: Record<string, string>, ...args: string[]) =>
    runProgram('scripts/restore.ts', args, { DATA_KEY: dataKey, ...env })

  beforeAll(async () => {
    stage = await openStage({ start: '2026-09-07T09:00:00+08:00' })
    dataKey = stage.rt.config.dataKey
    await fillMatrix(stage)
    const { sim } = stage
    const city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, wang)
    const number = groupNumber(await stage.say(wang.id, '建群 团青群 微信群 86人 镇川青年\\. 入群码 拉人'))
    await stage.say(wang.id, `登记 ${number} 致富 3条`)
    await stage.say(wang.id, '活动 技能培训 35人 村委会 9月6日')
    await stage.say(county.id, '通知 政策 明天下午开会')
    // what COPY must put into other words
    const place = 'a\tb\nc\\.\n\\.\n\r\b\\N 龙🐉'
    await stage.rt.db.execute(sql`
      insert into activities (unit_id, kind, held_on, month, place, created_at)
      select id, 'training', '2026-09-05', '2026-09', ${place}, now() from units limit 1`)
    const done = await backUp(file, { DATABASE_URL: stage.databaseUrl })
    expect(done).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/\d+ 张表、\d+ 行/) })
  })
  afterAll(() => stage.close())

  test('comes back with every row, and the same tables, keys, indexes and triggers', async () => {
    const url = await emptyDatabase()
    expect(await restore({ DATABASE_URL: url }, '--from', file)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/完整无损[\s\S]*已恢复/),
    })
    const before = await contentsOf(stage.databaseUrl)
    expect(await contentsOf(url)).toEqual(before)
    expect(before['public.audit_log']?.length).toBeGreaterThan(0)
    expect(before['public.message_records']?.length).toBeGreaterThan(0)
    expect(await structureOf(url)).toEqual(await structureOf(stage.databaseUrl))
    await migrateDatabase(url)
    expect(await contentsOf(url)).toEqual(before)
  })

  test('has the same figures, opens what was sealed, gives out new numbers and keeps its audit log', async () => {
    const url = await emptyDatabase()
    await restoreInto(url, file, dataKey, await checkBackup(file, dataKey))
    const db = opened(url)
    const rt = { ...stage.rt, db }
    const sheetOf = async (of: typeof rt) => {
      const county = await unitByCode(of.db, 'qingnong', '610802')
      if (!county) throw new Error('the county is gone')
      return (await exportTrackingSheet(of, county, '2026-09', { name: '', contact: '' })).sheet
    }
    const sheet = await sheetOf(rt)
    expect(sheet).toEqual(await sheetOf(stage.rt))
    expect(JSON.stringify(sheet)).toMatch(/[1-9]/)

    const person = await db.query.persons.findFirst({ where: (t, { eq }) => eq(t.name, '王镇川') })
    expect(rt.vault.open(person?.phoneSealed ?? '')).toBe('13900000011')
    const [last] = await db.execute<{ id: string }>(sql`select max(id) as id from persons`)
    const [fresh] = await db
      .insert(persons)
      .values({ name: '新人', nameKey: '新人', soundKey: 'xinren', createdAt: rt.clock.now() })
      .returning({ id: persons.id })
    expect(fresh?.id).toBe(Number(last?.id) + 1)
    await expect(db.execute(sql`update audit_log set action = 'x'`)).rejects.toThrow()
  })

  test('--check reads the file and needs no database', async () => {
    const { status, stdout } = await restore(
      { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' },
      '--from',
      file,
      '--check',
    )
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('完整无损') })
  })

  test('is for its owner only, and leaves nothing else beside it', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter(name => name.includes('partial'))).toEqual([])
  })

  test('shows no key, no phone number and no ID number', () => {
    const text = gunzipSync(readFileSync(file)).toString('utf8')
    expect(text).toContain('王镇川')
    for (const secret of [dataKey, '13900000011', '61080220010307312X']) expect(text).not.toContain(secret)
  })

  /** The lines of the file, changed and packed again. */
  const repacked = (change: (text: string) => string) => {
    const text = gunzipSync(readFileSync(file)).toString('utf8')
    const changed = change(text)
    expect(changed).not.toBe(text)
    return gzipSync(changed)
  }
  test.each<[string, () => Buffer, RegExp]>([
    ['cut in the middle', () => readFileSync(file).subarray(0, statSync(file).size / 2), /到一半就没了/],
    ['without its last byte', () => readFileSync(file).subarray(0, -1), /到一半就没了/],
    ['without its last line', () => repacked(text => text.replace(/[^\n]*\n$/, '')), /到一半就没了/],
    ['with a changed byte', () => readFileSync(file).fill(0xff, 3000, 3001), /解不开|不符|认不出/],
    ['with a changed name', () => repacked(text => text.replace('王镇川', '王镇山')), /校验值不符/],
    ['with a row less', () => repacked(text => text.replace(/(\n[^\n]*王镇川[^\n]*)/, '')), /校验值不符/],
    [
      'with another checksum for what was changed',
      () => repacked(text => text.replace(/("rows":\d+,"bytes":\d+,"sha256":")[0-9a-f]{4}/, '$1beef')),
      /封签不符/,
    ],
    [
      'with a seal of another',
      () => repacked(text => text.replace(/"mac":"[0-9a-f]{4}/, '"mac":"beef')),
      /DATA_KEY/,
    ],
    ['with something behind it', () => repacked(text => `${text}more\n`), /结尾后面/],
    ['with another head', () => repacked(text => text.replace('"at":"2', '"at":"3')), /封签不符/],
    ['of a format to come', () => repacked(text => text.replace('"format":1', '"format":2')), /第 2 版/],
    ['that is something else', () => Buffer.from('名册'), /解不开/],
    ['that is empty', () => Buffer.alloc(0), /到一半就没了/],
  ])('a file %s is known for what it is', async (_label, made, words) => {
    const damaged = newFile()
    writeFileSync(damaged, made())
    await expect(checkBackup(damaged, dataKey)).rejects.toThrow(words)
  })

  test('a file that was cut is refused before anything is changed', async () => {
    const [cut, url] = [newFile(), await emptyDatabase()]
    writeFileSync(cut, readFileSync(file).subarray(0, statSync(file).size / 2))
    const result = await restore({ DATABASE_URL: url }, '--from', cut)
    expect(result).toMatchObject({ status: 1, stderr: expect.stringMatching(/不完整.*没有动数据库/) })
    expect(result.stderr).not.toMatch(/^\s+at /m)
    expect(await names(opened(url))).toEqual([])
  })

  test('a file that changes between the check and the restoring changes nothing', async () => {
    const [other, url] = [newFile(), await emptyDatabase()]
    const manifest = await checkBackup(file, dataKey)
    writeFileSync(
      other,
      repacked(text => text.replace('王镇川', '王镇山')),
    )
    await expect(restoreInto(url, other, dataKey, manifest)).rejects.toThrow(/校验值不符/)
    writeFileSync(
      other,
      repacked(text => text.replace(/\n[^\n]*王镇川[\s\S]*$/, '\nx\n')),
    )
    await expect(restoreInto(url, other, dataKey, manifest)).rejects.toThrow()
    expect(await names(opened(url))).toEqual([])
  })

  test('whose rows point to rows that are not in it is refused, and nothing stays', async () => {
    const [torn, url] = [newFile(), await emptyDatabase()]
    await withSnapshot(stage.databaseUrl, snapshot => {
      async function* without(table: TableShape) {
        if (table.name !== 'public.units') yield* snapshot.copyOut(table)
      }
      return writeBackup({ ...snapshot, copyOut: without }, torn, { at: new Date(), dataKey })
    })
    await expect(restoreInto(url, torn, dataKey, await checkBackup(torn, dataKey))).rejects.toThrow(
      /所属的行/,
    )
    expect(await names(opened(url))).toEqual([])
  })

  test('is not put over tables that are there already', async () => {
    const url = await cloneDatabase()
    const before = await contentsOf(url)
    expect(await restore({ DATABASE_URL: url }, '--from', file)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/不是空的[\s\S]*没有动它[\s\S]*DATABASE_URL/),
    })
    expect(await contentsOf(url)).toEqual(before)
  })

  test('with another DATA_KEY is refused; --force-key restores what can be read without it', async () => {
    const url = await emptyDatabase()
    const env = { DATABASE_URL: url, DATA_KEY: randomDataKey() }
    expect(await restore(env, '--from', file)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/DATA_KEY 不是备份时的那一个/),
    })
    expect(await names(opened(url))).toEqual([])
    expect(await restore(env, '--from', file, '--force-key')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/已恢复[\s\S]*解不开/),
    })
    expect(await contentsOf(url)).toEqual(await contentsOf(stage.databaseUrl))
  })

  test.each<[string, string, string[], number, RegExp]>([
    ['backup', 'without a file', [], 2, /--out/],
    ['backup', 'into a folder that is not there', ['--out', '/no/such/folder/x.gz'], 1, /ENOENT/],
    ['restore', 'without a file', [], 2, /--from/],
    ['restore', 'from a file that is not there', ['--from', 'no-such.gz'], 1, /ENOENT/],
    ['restore', 'with an option that does not exist', ['--from', 'x', '--nope'], 2, /用法/],
  ])('%s %s says what is wrong', async (script, _label, args, status, words) => {
    const env = { DATA_KEY: dataKey, DATABASE_URL: stage.databaseUrl }
    const result = await runProgram(`scripts/${script}.ts`, args, env)
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(words) })
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  // a PostgreSQL is made or started five times
  test('moves from one embedded PostgreSQL to another, as on a new machine', async () => {
    const [old, fresh, out] = [join(folder, 'old'), join(folder, 'new'), newFile()]
    expect(await restore({ DATA_FOLDER: old }, '--from', file)).toMatchObject({ status: 0, stderr: '' })
    expect(await backUp(out, { DATA_FOLDER: old })).toMatchObject({ status: 0, stderr: '' })
    expect(await restore({ DATA_FOLDER: fresh }, '--from', out)).toMatchObject({ status: 0 })
    expect(await restore({ DATA_FOLDER: fresh }, '--from', out)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('不是空的'),
    })
    const [a, b] = await Promise.all([file, out].map(each => checkBackup(each, dataKey)))
    expect(b?.tables).toEqual(a?.tables)
    expect(b?.sequences).toEqual(a?.sequences)
  }, 120_000)
})

describe('a backup made while the data key was changed', () => {
  const [oldKey, newKey] = [randomDataKey(), randomDataKey()]
  const both = { DATA_KEY: newKey, DATA_KEYS_OTHER: oldKey }

  test('is signed with the current key and asks for both', async () => {
    const [url, file] = [await cloneDatabase(), newFile()]
    expect(
      await runProgram('scripts/backup.ts', ['--out', file], { DATABASE_URL: url, ...both }),
    ).toMatchObject({
      status: 0,
    })
    const restore = async (keys: Record<string, string>) =>
      runProgram('scripts/restore.ts', ['--from', file], { DATABASE_URL: await emptyDatabase(), ...keys })
    expect(await restore({ DATA_KEY: newKey })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/两把都要/),
    })
    expect(await restore({ DATA_KEY: oldKey })).toMatchObject({ status: 1 })
    expect(await restore(both)).toMatchObject({ status: 0, stderr: '' })
    // in the other order too: which is the current one is the reader's own choice
    expect(await restore({ DATA_KEY: oldKey, DATA_KEYS_OTHER: newKey })).toMatchObject({ status: 0 })
    // five processes, each of which makes a database
  }, 90_000)

  test('of before the change is restored with the former key beside the new one, and its seal is checked', async () => {
    const [url, file] = [await cloneDatabase(), newFile()]
    await runProgram('scripts/backup.ts', ['--out', file], { DATABASE_URL: url, DATA_KEY: oldKey })
    expect(
      await runProgram('scripts/restore.ts', ['--from', file], {
        DATABASE_URL: await emptyDatabase(),
        ...both,
      }),
    ).toMatchObject({ status: 0 })
    expect(await checkBackup(file, newKey, oldKey)).toMatchObject({ otherKeyChecks: [] })
  })
})

describe('a backup of another version', () => {
  const dataKey = randomDataKey()
  const env = (url: string) => ({ DATABASE_URL: url, DATA_KEY: dataKey })

  test('of an older one is restored as it was and then brought up to date', async () => {
    const [old, fresh, file] = [await emptyDatabase(), await emptyDatabase(), newFile()]
    await restoring(old, database => database.migrateTo(knownMigrations()[0] as number))
    await opened(old).execute(sql`
      insert into persons (name, name_key, sound_key, created_at) values ('张三', '张三', 'zhangsan', now())`)
    expect(await runProgram('scripts/backup.ts', ['--out', file], env(old))).toMatchObject({ status: 0 })
    expect(await checkBackup(file, dataKey)).toMatchObject({ migrations: knownMigrations().slice(0, 1) })
    expect(await runProgram('scripts/restore.ts', ['--from', file], env(fresh))).toMatchObject({ status: 0 })
    const reference = await cloneDatabase()
    expect(await structureOf(fresh)).toEqual(await structureOf(reference))
    const { 'public.persons': people, ...rest } = await contentsOf(fresh)
    expect(people).toEqual([expect.stringContaining('张三')])
    expect(rest['drizzle.__drizzle_migrations']).toHaveLength(knownMigrations().length)
  })

  /** A backup of a database without rows that has had these migrations. */
  const madeBy = async (migrations: number[], tables: Snapshot['tables'] = []) => {
    const file = newFile()
    const snapshot: Snapshot = { tables, migrations, async *copyOut() {}, sequences: async () => [] }
    await writeBackup(snapshot, file, { at: new Date(), dataKey })
    return file
  }
  test.each<[string, () => Promise<string>, RegExp]>([
    ['of a newer one', () => madeBy([...knownMigrations(), 9_000_000_000_000]), /更新的版本/],
    ['of another program', () => madeBy([1]), /不是同一套/],
    ['without a table', () => madeBy(knownMigrations()), /备份里没有/],
    [
      'with other columns',
      () => madeBy(knownMigrations(), [{ name: 'public.persons', columns: ['id', 'nickname'] }]),
      /列不同/,
    ],
  ])('%s is refused', async (_label, made, words) => {
    const [url, file] = [await emptyDatabase(), await made()]
    await expect(restoreInto(url, file, dataKey, await checkBackup(file, dataKey))).rejects.toThrow(words)
    expect(await names(opened(url))).toEqual([])
  })

  test('an empty database is nothing to back up', async () => {
    const file = newFile()
    expect(await runProgram('scripts/backup.ts', ['--out', file], env(await emptyDatabase()))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('数据库是空的'),
    })
    expect(existsSync(file)).toBe(false)
  })

  test("somebody's own table does not stand in the way", async () => {
    const [url, fresh, file] = [await cloneDatabase(), await emptyDatabase(), newFile()]
    await opened(url).execute(sql`create table notes as select 1 as id`)
    await runProgram('scripts/backup.ts', ['--out', file], env(url))
    expect(await runProgram('scripts/restore.ts', ['--from', file], env(fresh))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('public.notes'),
    })
  })
})

describe('a snapshot', () => {
  const unitNames = async (snapshot: Snapshot) => {
    const chunks: Buffer[] = []
    const table = { name: 'public.units', columns: ['name'] }
    for await (const chunk of snapshot.copyOut(table)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  const add = (db: Db, name: string, count = 1) =>
    db.execute(sql`
      insert into units (programme, code, name, kind, level, path, created_at)
      select 'p', ${name} || n, ${name}, 'k', 'l', '/', now() from generate_series(1, ${count}::int) n`)

  test('shows one moment, whatever is written meanwhile', async () => {
    const url = await cloneDatabase()
    const db = opened(url)
    await add(db, 'before')
    const seen = await withSnapshot(url, async snapshot => {
      await add(db, 'after')
      return unitNames(snapshot)
    })
    expect(seen).toBe('before\n')
  })

  test('goes on after somebody who reads a large table has stopped early', async () => {
    const url = await cloneDatabase()
    await add(opened(url), 'unit', 60_000)
    const { first, positions } = await withSnapshot(url, async snapshot => {
      let first = ''
      for await (const chunk of snapshot.copyOut({ name: 'public.units', columns: ['name'] })) {
        first = chunk.toString()
        break
      }
      return { first, positions: await snapshot.sequences() }
    })
    expect(first).toMatch(/^unit\n/)
    expect(positions).toContainEqual({ name: 'public.units_id_seq', value: '60000', isCalled: true })
  })

  test('whose file cannot be written to the end leaves no file', async () => {
    const file = newFile()
    const snapshot: Snapshot = {
      tables: [{ name: 'public.units', columns: ['id'] }],
      migrations: [1],
      async *copyOut() {
        yield Buffer.from('1\n')
        throw new Error('the connection is gone')
      },
      sequences: async () => [],
    }
    await expect(writeBackup(snapshot, file, { at: new Date(), dataKey: randomDataKey() })).rejects.toThrow(
      'the connection is gone',
    )
    expect(readdirSync(folder).filter(name => name.startsWith(`${files}.`))).toEqual([])
  })
})

describe('lines and rows', () => {
  test('are told apart wherever the bytes are cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('\\\\', '.', 'a', '\t', '龙') })
    const lines = fc.array(text.filter(line => !line.startsWith('\\.')))
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(20)), async (rows, cuts) => {
        const body = rows.map(row => `${row}\n`).join('')
        const bytes = Buffer.from(`head\n${body}${END_OF_ROWS}tail\n`)
        async function* cut() {
          let at = 0
          for (const length of cuts) {
            yield bytes.subarray(at, at + length)
            at += length
          }
          yield bytes.subarray(at)
        }
        const reader = new LineReader(cut())
        expect((await reader.line()).toString()).toBe('head\n')
        const found: Buffer[] = []
        for await (const chunk of reader.rows()) found.push(chunk)
        expect(Buffer.concat(found).toString()).toBe(body)
        expect((await reader.line()).toString()).toBe('tail\n')
        await reader.end()
      }),
    )
  })
})
