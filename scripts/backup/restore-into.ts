import type { TableShape } from '../../db/backup.ts'
import { knownMigrations, type Restoring, restoring } from '../../db/restore.ts'
import { DomainError } from '../../server/errors.ts'
import { damaged, type Head, type Manifest } from './format.ts'
import { readBackup } from './read.ts'

/** Tables in the way that are named; there may be many. */
const NAMED = 5

export interface Restored {
  tables: number
  rows: number
  /** Tables of the backup that are not the program's: somebody made them by hand. They stay in the file. */
  strange: string[]
}

/**
 * Puts a backup into a database without tables: the tables as they were at the time, their rows, then the migrations that
 * the program has had since. All of it or nothing.
 * @param checked what `checkBackup` said of the file: another one in its place is refused
 * @throws DomainError `restore.not_empty`, `restore.too_new`, `restore.unlike`, `backup.damaged`
 */
export async function restoreInto(
  url: string,
  file: string,
  dataKey: string,
  checked: Manifest,
): Promise<Restored> {
  const known = knownMigrations()
  refuseUnknown(checked, known)
  return restoring(url, async database => {
    await refuseFilled(database)
    await database.migrateTo(checked.migrations.at(-1) as number)
    const own = new Map((await database.tables()).map(table => [table.name, table]))
    const foreignKeys = await database.dropForeignKeys()
    for (const table of own.values()) await database.empty(table)
    const result: Restored = { tables: 0, rows: 0, strange: [] }
    for await (const part of readBackup(file, dataKey)) {
      if (part.kind === 'table') {
        const { table, rows } = part
        const present = own.get(table.name)
        if (present) {
          refuseUnlike(table, present)
          result.rows += await database.copyIn(table, rows)
          result.tables++
          own.delete(table.name)
        } else {
          for await (const _rows of rows);
          result.strange.push(table.name)
        }
      }
      if (part.kind === 'end' && part.manifest.sha256 !== checked.sha256) throw damaged('检查之后又被换过')
    }
    if (own.size > 0) throw unlike(`备份里没有 ${[...own.keys()].join('、')}`)
    const ours = new Set((await database.tables()).map(table => table.name))
    const expected = checked.tables.filter(table => ours.has(table.name))
    if (expected.reduce((sum, table) => sum + table.rows, 0) !== result.rows) throw unlike('行数不符')
    await database.setSequences(checked.sequences)
    await database.addForeignKeys(foreignKeys).catch(error => {
      throw unlike('有的行所属的行不在备份里', error)
    })
    await database.migrateTo(known.at(-1) as number)
    await database.analyze()
    return result
  })
}

function refuseUnknown({ migrations }: Head, known: number[]): void {
  if ((migrations.at(-1) as number) > (known.at(-1) as number))
    throw new DomainError(
      'restore.too_new',
      '备份来自更新的版本，这个版本的程序认不得它的表。请先升级程序再恢复。没有动数据库。',
    )
  const until = known.filter(time => time <= (migrations.at(-1) as number))
  if (until.join() !== migrations.join()) throw unlike('备份经过的数据库升级和本程序的不是同一套')
}

async function refuseFilled(database: Restoring): Promise<void> {
  const names = (await database.tables()).map(table => table.name.replace('public.', ''))
  if (names.length === 0) return
  throw new DomainError(
    'restore.not_empty',
    `数据库不是空的：已有 ${names.length} 张表（${names.slice(0, NAMED).join('、')}${names.length > NAMED ? '……' : ''}），没有动它。
只恢复到空的数据库：用 DATABASE_URL 的，请新建一个库（createdb）再改 DATABASE_URL；用内置 PostgreSQL 的，请停服务后
把 DATA_FOLDER 改成一个新目录（原来的数据留着，确认恢复无误后再删）。`,
  )
}

function refuseUnlike(table: TableShape, present: TableShape): void {
  if (table.columns.toSorted().join() !== present.columns.toSorted().join())
    throw unlike(`${table.name} 的列不同`)
}

function unlike(why: string, cause?: unknown): DomainError {
  return new DomainError(
    'restore.unlike',
    `备份的表和本程序的对不上（${why}），没有动数据库。请用写这份备份时的版本恢复，再升级。`,
    { cause },
  )
}
