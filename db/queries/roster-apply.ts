import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { stagingTable } from './roster-staging.ts'

/** Gives every new person of a difference their number, in a table that ends with the transaction. */
export async function numberNewPersons(db: Db, id: number): Promise<void> {
  await db.execute(sql`
    create temp table new_persons on commit drop as
    select line, nextval(pg_get_serial_sequence('persons', 'id')) as id
    from (select line from ${stagingTable(id, 'moves')} where leader = line order by line) l`)
  await db.execute(sql`create index on new_persons (line)`)
  await db.execute(sql`analyze new_persons`)
}

export async function lastLine(db: Db, id: number): Promise<number> {
  const [row] = await db.execute<{ last: number }>(
    sql`select coalesce(max(line), 0) as last from ${stagingTable(id, 'rows')}`,
  )
  return row?.last ?? 0
}

/** Lines of the file, the first left out and the last taken in. */
export interface Span {
  after: number
  to: number
}

export async function insertNewPersons(db: Db, id: number, span: Span, now: Date): Promise<void> {
  await db.execute(sql`
    insert into persons (id, name, name_key, sound_key, phone_sealed, phone_index, id_number_sealed, id_number_index,
      id_tail_index, wechat_sealed, wechat_index, created_at)
    overriding system value
    select n.id, s.name, s.name_key, s.sound_key, s.phone_sealed, s.phone_index, s.id_number_sealed, s.id_number_index,
      s.id_tail_index, s.wechat_sealed, s.wechat_index, ${now.toISOString()}::timestamptz
    from new_persons n join ${stagingTable(id, 'rows')} s on s.line = n.line
    where n.line > ${span.after} and n.line <= ${span.to} and s.line > ${span.after} and s.line <= ${span.to}`)
}

/** The changed columns of a person, with those that stand and fall with them, as they are kept for undoing. */
const KEPT = [
  ['name', [['name', 'name']]],
  ['name_key', [['nameKey', 'name_key']]],
  ['sound_key', [['soundKey', 'sound_key']]],
  [
    'phone_index',
    [
      ['phoneIndex', 'phone_index'],
      ['phoneSealed', 'phone_sealed'],
    ],
  ],
  [
    'id_number_index',
    [
      ['idNumberIndex', 'id_number_index'],
      ['idNumberSealed', 'id_number_sealed'],
      ['idTailIndex', 'id_tail_index'],
    ],
  ],
  [
    'wechat_index',
    [
      ['wechatIndex', 'wechat_index'],
      ['wechatSealed', 'wechat_sealed'],
    ],
  ],
] as const

/** Brings persons up to date, and keeps what they were. */
export async function changePersons(db: Db, id: number, importId: number, now: Date): Promise<void> {
  const before = KEPT.map(
    ([column, kept]) =>
      `case when c.${column} is null then '{}'::jsonb else jsonb_build_object(${kept.map(([name, of]) => `'${name}', p.${of}`).join(', ')}) end`,
  )
  await db.execute(sql`
    insert into roster_person_changes (import_id, person_id, before, created_at)
    select ${importId}, p.id, ${sql.raw(before.join(' || '))}, ${now.toISOString()}::timestamptz
    from ${stagingTable(id, 'persons')} c join persons p on p.id = c.person_id`)
  const columns = KEPT.flatMap(([, kept]) => kept.map(([, of]) => of))
  await db.execute(sql`
    update persons p set ${sql.raw(columns.map(each => `${each} = coalesce(c.${each}, p.${each})`).join(', '))}
    from ${stagingTable(id, 'persons')} c where p.id = c.person_id`)
}

/** Closes the entries that go, change or are left. */
export async function closeEntries(db: Db, id: number, importId: number): Promise<void> {
  await db.execute(sql`
    update roster_entries e set gone_import_id = ${importId} from (
      select entry_id from ${stagingTable(id, 'gone')}
      union all select entry_id from ${stagingTable(id, 'moves')} where outcome = 'changed'
    ) t where e.id = t.entry_id`)
}

export async function insertStagedEntries(
  db: Db,
  id: number,
  span: Span,
  programme: string,
  importId: number,
): Promise<void> {
  await db.execute(sql`
    insert into roster_entries (programme, unit_id, person_id, role, title, category, post, university, starts_on, ends_on,
      status, extra, import_id)
    select ${programme}, m.unit_id, coalesce(m.person_id, n.id), s.role, s.title, s.category, s.post, s.university,
      s.starts_on, s.ends_on, s.status, s.extra, ${importId}
    from ${stagingTable(id, 'moves')} m join ${stagingTable(id, 'rows')} s on s.line = m.line
    left join new_persons n on n.line = m.leader
    where m.outcome <> 'same' and m.line > ${span.after} and m.line <= ${span.to}
      and s.line > ${span.after} and s.line <= ${span.to}
    order by m.line`)
}
