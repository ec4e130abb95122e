import { sql } from 'drizzle-orm'
import { date, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** One applied import of a roster file. */
export const rosterImports = pgTable('roster_imports', {
  id: id(),
  fileName: text().notNull(),
  /** SHA-256 of the file, hex. */
  fileHash: text().notNull(),
  appliedBy: text().notNull(),
  appliedAt: moment().notNull(),
  newCount: integer().notNull(),
  changedCount: integer().notNull(),
  goneCount: integer().notNull(),
  /** Of persons who left one place and came to another; neither new nor gone. */
  movedCount: integer().notNull().default(0),
  /** The top of what it was allowed to touch; null: the whole programme, on the command line. */
  unitId: ref().references(() => units.id),
  programme: text(),
  /** Undone: what it had closed stands again, what it had brought is closed. */
  undoneAt: moment(),
  undoneBy: ref().references(() => persons.id),
})

/** Who should be where (名册): one person in one unit for one term of service. Changed by imports only. */
export const rosterEntries = pgTable(
  'roster_entries',
  {
    id: id(),
    programme: text().notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** A role of the programme's template. */
    role: text().notNull(),
    title: text(),
    /** 人员类别: 全国项目, 研究生支教团, 延期 … */
    category: text(),
    /** 服务单位 */
    post: text(),
    university: text(),
    /** Days in Asia/Shanghai, inclusive; null: not limited. */
    startsOn: date(),
    endsOn: date(),
    /** 在岗, 待派遣 or 离岗. */
    status: text().notNull(),
    /** Columns of the file that the system has no field for, as they stood. */
    extra: jsonb().$type<Record<string, string>>().notNull(),
    importId: ref()
      .references(() => rosterImports.id)
      .notNull(),
    /** The import whose file no longer had this row; null while it stands. */
    goneImportId: ref().references(() => rosterImports.id),
  },
  table => [
    uniqueIndex('roster_entries_current')
      .on(table.unitId, table.personId, table.role, sql`coalesce(starts_on, '0001-01-01'::date)`)
      .where(sql`gone_import_id is null`),
    index('roster_entries_person').on(table.personId),
    index('roster_entries_import').on(table.importId),
    index('roster_entries_gone').on(table.goneImportId).where(sql`gone_import_id is not null`),
  ],
)

/** Self-registration in an open group (团青群): a person is counted once, in their township. */
export const registrations = pgTable(
  'registrations',
  {
    personId: ref()
      .references(() => persons.id)
      .primaryKey(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    /** `home` 在乡 or `away` 外出. */
    residence: text().notNull(),
    /** A column of the tracking sheet under that residence, such as `farming`. */
    occupation: text().notNull(),
    registeredAt: moment().notNull(),
  },
  // counted from the index alone, in its order: a million persons by unit and occupation
  table => [index('registrations_counted').on(table.unitId, table.occupation, table.registeredAt)],
)
