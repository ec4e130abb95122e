import { index, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'

/** One node of a programme's organisation tree (组织单位). Never deleted; its place in the tree may change. */
export const units = pgTable(
  'units',
  {
    id: id(),
    programme: text().notNull(),
    /** Unique in its programme; the division code where there is one (`610802` 榆阳区, `610802101` a township). */
    code: text().notNull(),
    name: text().notNull(),
    /** A unit kind of the programme (`templates/programmes/`), such as `county-office`. */
    kind: text().notNull(),
    /** The level of that kind, such as `county`. */
    level: text().notNull(),
    parentId: ref(),
    /** The ids from the root to this unit, `/1/17/203/`: a subtree is everything whose path begins with it. */
    path: text().notNull(),
    /** 专人: the person named for the daily management of this unit's groups and those below (〔2018〕1号 三.3). */
    managerId: ref().references(() => persons.id),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('units_code').on(table.programme, table.code),
    index('units_path').on(table.path.op('text_pattern_ops')),
    index('units_parent').on(table.parentId),
  ],
)
