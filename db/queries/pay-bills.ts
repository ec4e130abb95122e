import { asc, desc, eq, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { payBills, subsidyItems, subsidyRuns, units } from '../schema/index.ts'

export type PayBillRow = typeof payBills.$inferSelect

export async function insertBills(
  db: Db,
  rows: (typeof payBills.$inferInsert)[],
): Promise<{ id: number; itemId: number }[]> {
  const made: { id: number; itemId: number }[] = []
  for (let at = 0; at < rows.length; at += 500)
    made.push(
      ...(await db
        .insert(payBills)
        .values(rows.slice(at, at + 500))
        .returning({ id: payBills.id, itemId: payBills.itemId })),
    )
  return made
}

/** How many bills there were for each person under earlier lists: the next number counts on. */
export async function billCounts(db: Db, personIds: number[]): Promise<Map<number, number>> {
  const rows = await db.execute<{ person_id: string; count: number }>(sql`
    select i.person_id, count(*)::int as count from pay_bills b join subsidy_items i on i.id = b.item_id
    where i.person_id = any(${sql.param(personIds)}::bigint[]) group by i.person_id`)
  return new Map([...rows].map(row => [Number(row.person_id), row.count]))
}

/** A bill that is due, and how it stood before it was taken. */
export type TakenBill = PayBillRow & { wasDoubtful: boolean }

/**
 * Takes due bills for a while, so that no other process works on them meanwhile. A planned one is marked as doubtful before
 * anything is sent: whoever finds it after a crash asks for it first. What was begun comes before what was not: a receiver
 * waits for their page, and does not wait until a thousand others are sent.
 * @param heldUntil when they are due again if this process dies
 */
export async function takeDueBills(db: Db, now: Date, heldUntil: Date, most: number): Promise<TakenBill[]> {
  const rows = await db.execute<{ id: string; was_doubtful: boolean }>(sql`
    with due as (
      select id, is_doubtful from pay_bills where due_at <= ${now.toISOString()}::timestamptz
      order by state = 'planned', due_at, id limit ${most} for update skip locked
    )
    update pay_bills b set due_at = ${heldUntil.toISOString()}::timestamptz, attempts = b.attempts + 1,
      is_doubtful = b.is_doubtful or b.state = 'planned'
    from due where due.id = b.id
    returning b.id, due.is_doubtful as was_doubtful`)
  if (rows.length === 0) return []
  const doubtful = new Map([...rows].map(row => [Number(row.id), row.was_doubtful]))
  const bills = await db
    .select()
    .from(payBills)
    .where(sql`${payBills.id} = any(${sql.param([...doubtful.keys()])}::bigint[])`)
    .orderBy(asc(payBills.id))
  return bills.map(bill => ({ ...bill, wasDoubtful: doubtful.get(bill.id) ?? true }))
}

export async function lockBill(db: Db, id: number): Promise<PayBillRow | null> {
  const [row] = await db.select().from(payBills).where(eq(payBills.id, id)).for('update')
  return row ?? null
}

export async function billByNumber(db: Db, number: string): Promise<PayBillRow | null> {
  const [row] = await db.select().from(payBills).where(eq(payBills.number, number))
  return row ?? null
}

export async function changeBill(
  db: Db,
  id: number,
  set: Partial<typeof payBills.$inferInsert>,
): Promise<void> {
  await db.update(payBills).set(set).where(eq(payBills.id, id))
}

/** Whose bill it is, and which university pays it. */
export async function whoseBill(db: Db, itemId: number) {
  const [row] = await db
    .select({
      personId: subsidyItems.personId,
      name: subsidyItems.name,
      identityId: subsidyItems.identityId,
      runId: subsidyRuns.id,
      unitId: subsidyRuns.unitId,
      year: subsidyRuns.year,
    })
    .from(subsidyItems)
    .innerJoin(subsidyRuns, eq(subsidyRuns.id, subsidyItems.runId))
    .where(eq(subsidyItems.id, itemId))
  return row ?? null
}

/** The bills of a list with whom they are for, in the list's order. */
export function billsOfRun(db: Db, runId: number) {
  return db
    .select({ bill: payBills, name: subsidyItems.name, personId: subsidyItems.personId })
    .from(payBills)
    .innerJoin(subsidyItems, eq(subsidyItems.id, payBills.itemId))
    .where(eq(payBills.runId, runId))
    .orderBy(asc(subsidyItems.name), asc(payBills.id))
}

/** Bills and money of a list by state. */
export function billSums(db: Db, runId: number) {
  return db
    .select({
      state: payBills.state,
      count: sql<number>`count(*)::int`,
      fen: sql<number>`sum(${payBills.fen})::float8`,
    })
    .from(payBills)
    .where(eq(payBills.runId, runId))
    .groupBy(payBills.state)
}

export async function billById(db: Db, id: number): Promise<PayBillRow | null> {
  const [row] = await db.select().from(payBills).where(eq(payBills.id, id))
  return row ?? null
}

/** A payment as its receiver sees it: who pays it. */
export interface OwnBill {
  bill: PayBillRow
  personId: number
  unitName: string
  isOutOfProvince: boolean
}

function ownBills(db: Db) {
  return db
    .select({
      bill: payBills,
      personId: subsidyItems.personId,
      unitName: units.name,
      isOutOfProvince: subsidyItems.isOutOfProvince,
    })
    .from(payBills)
    .innerJoin(subsidyItems, eq(subsidyItems.id, payBills.itemId))
    .innerJoin(subsidyRuns, eq(subsidyRuns.id, subsidyItems.runId))
    .innerJoin(units, eq(units.id, subsidyRuns.unitId))
}

/** All payments to a person, the newest first. */
export function billsOfPerson(db: Db, personId: number): Promise<OwnBill[]> {
  return ownBills(db).where(eq(subsidyItems.personId, personId)).orderBy(desc(payBills.id))
}

export async function ownBillById(db: Db, id: number): Promise<OwnBill | null> {
  const [row] = await ownBills(db).where(eq(payBills.id, id))
  return row ?? null
}

export async function noteReceiptAsked(db: Db, id: number, at: Date): Promise<void> {
  await db.update(payBills).set({ receiptAskedAt: at }).where(eq(payBills.id, id))
}
