import {
  and,
  asc,
  desc,
  eq,
  inArray,
  isNotNull,
  isNull,
  like,
  or,
  type SQL,
  type SQLWrapper,
  sql,
} from 'drizzle-orm'
import type { Db } from '../client.ts'
import { formReminders, formReturns, persons, units } from '../schema/index.ts'

export type FormReturnRow = typeof formReturns.$inferSelect

/** A form of a period, and the units that have one of their own. */
export interface AskedForm {
  form: string
  period: string
  programme: string
  levels: readonly string[]
  /** The end of the period: units that came later are not asked for it. */
  end: Date
}

/** Makes those who send forms of one unit at the same time wait for each other, until the transaction ends. */
export async function lockUnitForForms(db: Db, unitId: number): Promise<void> {
  await db.select({ id: units.id }).from(units).where(eq(units.id, unitId)).for('no key update')
}

/** What a unit sent of a form and a period, the last word first, with who sent it. */
export async function returnsOf(
  db: Db,
  form: string,
  unitId: number,
  period: string,
): Promise<(FormReturnRow & { senderName: string })[]> {
  const rows = await db
    .select({ row: formReturns, senderName: persons.name })
    .from(formReturns)
    .innerJoin(persons, eq(persons.id, formReturns.sentBy))
    .where(and(eq(formReturns.form, form), eq(formReturns.unitId, unitId), eq(formReturns.period, period)))
    .orderBy(desc(formReturns.id))
    .limit(20)
  return rows.map(({ row, senderName }) => ({ ...row, senderName }))
}

/** Puts what a unit sends now in the place of what it sent before. @returns whether it had sent something before */
export async function putReturn(db: Db, row: typeof formReturns.$inferInsert): Promise<boolean> {
  const before = await db
    .update(formReturns)
    .set({ replacedAt: row.sentAt })
    .where(
      and(
        eq(formReturns.form, row.form),
        eq(formReturns.unitId, row.unitId),
        eq(formReturns.period, row.period),
        isNull(formReturns.replacedAt),
      ),
    )
    .returning({ id: formReturns.id })
  await db.insert(formReturns).values(row)
  return before.length > 0
}

/** Units that send the form up; one with nothing above it has a sheet of its own and nobody to send it to. */
const sends = (programme: string, levels: readonly string[], paths: readonly string[]): SQL | undefined =>
  and(
    eq(units.programme, programme),
    inArray(units.level, [...levels]),
    isNotNull(units.parentId),
    or(...paths.map(path => like(units.path, `${path}%`))),
  )

/** There before the period ended; one that sends its form all the same is counted. */
const wasThere = (end: Date, returned: SQLWrapper): SQL =>
  sql`(${units.createdAt} < ${end.toISOString()} or ${returned} is not null)`

/** Sent by its day: what came first counts, so that a correction makes nobody late. */
const onTime = sql`bool_or(${formReturns.dueOn} is null or (${formReturns.sentAt} at time zone 'Asia/Shanghai')::date <= ${formReturns.dueOn})`

/** Units with what they have sent: one row a unit. */
function sent(db: Db, { form, period }: AskedForm) {
  return db
    .select({
      unitId: formReturns.unitId,
      isOnTime: sql<boolean>`${onTime}`.as('is_on_time'),
      lastAt: sql<Date>`max(${formReturns.sentAt})`.mapWith(formReturns.sentAt).as('last_at'),
    })
    .from(formReturns)
    .where(and(eq(formReturns.form, form), eq(formReturns.period, period)))
    .groupBy(formReturns.unitId)
    .as('sent')
}

export interface UnitReturn {
  id: number
  name: string
  code: string
  parentName: string | null
  /** Null: it has sent nothing. */
  sentAt: Date | null
  isOnTime: boolean
}

/** A page of the units below some paths that have a form of their own, and whether they have sent it. */
export async function unitReturns(
  db: Db,
  asked: AskedForm & { paths: readonly string[]; isMissingOnly?: boolean },
  limit: number,
  offset: number,
): Promise<UnitReturn[]> {
  if (asked.paths.length === 0) return []
  const of = sent(db, asked)
  const above = db.select({ id: units.id, name: units.name }).from(units).as('above')
  const rows = await db
    .select({
      id: units.id,
      name: units.name,
      code: units.code,
      parentName: above.name,
      sentAt: of.lastAt,
      isOnTime: of.isOnTime,
    })
    .from(units)
    .leftJoin(above, eq(above.id, units.parentId))
    .leftJoin(of, eq(of.unitId, units.id))
    .where(
      and(
        sends(asked.programme, asked.levels, asked.paths),
        wasThere(asked.end, of.unitId),
        asked.isMissingOnly ? isNull(of.unitId) : undefined,
      ),
    )
    .orderBy(asc(units.code), asc(units.id))
    .limit(limit)
    .offset(offset)
  return rows.map(row => ({ ...row, isOnTime: row.isOnTime ?? false }))
}

export interface ReturnCounts {
  expected: number
  received: number
  onTime: number
}

/** How many units below some paths have the form, have sent it, and did so in time. */
export async function returnCounts(
  db: Db,
  asked: AskedForm & { paths: readonly string[] },
): Promise<ReturnCounts> {
  if (asked.paths.length === 0) return { expected: 0, received: 0, onTime: 0 }
  const of = sent(db, asked)
  const [row] = await db
    .select({
      expected: sql<number>`count(*)::int`,
      received: sql<number>`count(${of.unitId})::int`,
      onTime: sql<number>`(count(*) filter (where ${of.isOnTime}))::int`,
    })
    .from(units)
    .leftJoin(of, eq(of.unitId, units.id))
    .where(and(sends(asked.programme, asked.levels, asked.paths), wasThere(asked.end, of.unitId)))
  return row ?? { expected: 0, received: 0, onTime: 0 }
}

/** The same for each of the units directly below one; those that have none below them are left out. */
export async function returnCountsBelow(
  db: Db,
  asked: AskedForm & { top: { id: number; path: string } },
): Promise<(ReturnCounts & { id: number; name: string })[]> {
  const { top } = asked
  const of = sent(db, asked)
  const child = sql<number>`coalesce(nullif(split_part(substr(${units.path}, ${top.path.length + 1}), '/', 1), '')::bigint, ${units.id})`
  const counted = db
    .select({
      childId: child.as('child_id'),
      expected: sql<number>`count(*)::int`.as('expected'),
      received: sql<number>`count(${of.unitId})::int`.as('received'),
      onTime: sql<number>`(count(*) filter (where ${of.isOnTime}))::int`.as('on_time'),
    })
    .from(units)
    .leftJoin(of, eq(of.unitId, units.id))
    .where(
      and(
        sends(asked.programme, asked.levels, [top.path]),
        wasThere(asked.end, of.unitId),
        sql`${units.id} <> ${top.id}`,
      ),
    )
    .groupBy(sql`1`)
    .as('counted')
  return db
    .select({
      id: units.id,
      name: units.name,
      expected: counted.expected,
      received: counted.received,
      onTime: counted.onTime,
    })
    .from(counted)
    .innerJoin(units, eq(units.id, counted.childId))
    .orderBy(asc(units.code), asc(units.id))
}

/** Notes that the reminders of a day go out; false when they have before. */
export async function noteReminder(db: Db, row: typeof formReminders.$inferInsert): Promise<boolean> {
  const rows = await db
    .insert(formReminders)
    .values(row)
    .onConflictDoNothing()
    .returning({ form: formReminders.form })
  return rows.length > 0
}
