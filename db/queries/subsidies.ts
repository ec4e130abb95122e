import { and, asc, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  payBills,
  payComparisons,
  payLedger,
  persons,
  subsidyBudgets,
  subsidyClaims,
  subsidyItems,
  subsidyMornings,
  subsidyRuns,
} from '../schema/index.ts'

export type SubsidyRunRow = typeof subsidyRuns.$inferSelect
export type SubsidyItemRow = typeof subsidyItems.$inferSelect

/** One standing roster row of a volunteer whom the university has sent. */
export interface VolunteerRow {
  personId: number
  name: string
  category: string | null
  /** 在岗, 待派遣 or 离岗. */
  status: string
  /** `YYYY-MM-DD` */
  startsOn: string | null
  /** Further columns of the roster, by header. */
  extra: Record<string, string>
  /** The unit of service, as words. */
  place: string
  isOutOfProvince: boolean
  /** The Official Account that is bound to the person; null: none. */
  identityId: number | null
  /** A subsidy is promised or paid already. */
  hasClaim: boolean
}

/**
 * All standing roster rows of volunteers whom a university has sent, under any of the names it is written by.
 * @param of `homePath`: the path of the province office above the university
 */
export async function volunteersOf(
  db: Db,
  of: {
    programme: string
    role: string
    universities: string[]
    homePath: string
    claimKind: string
    channel: string
  },
): Promise<VolunteerRow[]> {
  const rows = await db.execute<{
    person_id: string
    name: string
    category: string | null
    status: string
    starts_on: string | null
    extra: Record<string, string>
    place: string
    is_out: boolean
    identity_id: string | null
    has_claim: boolean
  }>(sql`
    select e.person_id, p.name, e.category, e.status, e.starts_on::text as starts_on, e.extra, u.name as place,
      not starts_with(u.path, ${of.homePath}) as is_out, i.id as identity_id, c.person_id is not null as has_claim
    from roster_entries e
    join persons p on p.id = e.person_id
    join units u on u.id = e.unit_id
    left join lateral (
      select id from identities where person_id = e.person_id and channel = ${of.channel} and bound_at is not null
      order by id desc limit 1
    ) i on true
    left join subsidy_claims c on c.person_id = e.person_id and c.kind = ${of.claimKind}
    where e.gone_import_id is null and e.programme = ${of.programme} and e.role = ${of.role}
      and e.university = any(${sql.param(of.universities)}::text[])
    order by p.name, e.person_id, e.starts_on, e.id`)
  return [...rows].map(row => ({
    personId: Number(row.person_id),
    name: row.name,
    category: row.category,
    status: row.status,
    startsOn: row.starts_on,
    extra: row.extra,
    place: row.place,
    isOutOfProvince: row.is_out,
    identityId: row.identity_id === null ? null : Number(row.identity_id),
    hasClaim: row.has_claim,
  }))
}

/** The ways in which standing rows of the roster write their universities. */
export async function universityNames(db: Db, programme: string): Promise<string[]> {
  const rows = await db.execute<{ university: string }>(sql`
    select distinct university from roster_entries
    where gone_import_id is null and programme = ${programme} and university is not null`)
  return [...rows].map(row => row.university)
}

export async function insertRun(db: Db, row: typeof subsidyRuns.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(subsidyRuns).values(row).returning({ id: subsidyRuns.id })
  return inserted?.id as number
}

export async function insertItems(db: Db, rows: (typeof subsidyItems.$inferInsert)[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 1000)
    await db.insert(subsidyItems).values(rows.slice(at, at + 1000))
}

export async function runById(db: Db, id: number): Promise<SubsidyRunRow | null> {
  const [row] = await db.select().from(subsidyRuns).where(eq(subsidyRuns.id, id))
  return row ?? null
}

/** Holds a list until the transaction ends: one change of it at a time. */
export async function lockRun(db: Db, id: number): Promise<SubsidyRunRow | null> {
  const [row] = await db.select().from(subsidyRuns).where(eq(subsidyRuns.id, id)).for('update')
  return row ?? null
}

export async function changeRun(
  db: Db,
  id: number,
  set: Partial<typeof subsidyRuns.$inferInsert>,
): Promise<void> {
  await db.update(subsidyRuns).set(set).where(eq(subsidyRuns.id, id))
}

/** Lets one list of a university be approved at a time, so that two do not spend the same budget. */
export async function lockBudget(db: Db, unitId: number, year: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`subsidy-budget:${unitId}:${year}`}))`)
}

/** Lets one list at a time be promised by WeChat: what the merchant may pay in a day is one limit for all. */
export async function lockMerchant(db: Db): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext('subsidy-merchant'))`)
}

/** Whether two persons of ours have the number of one human: a roster can have brought somebody in twice. */
export async function areSameHuman(db: Db, one: number, other: number): Promise<boolean> {
  const rows = await db.execute(sql`
    select from persons a join persons b on b.id = ${other}
      and (b.id_number_index = a.id_number_index or b.wechat_index = a.wechat_index)
    where a.id = ${one}`)
  return rows.length > 0
}

/** Those on a list whose ID number, or name and phone, are those of another person who is on it, or to whom the subsidy is promised. */
export async function doubledOnList(
  db: Db,
  runId: number,
  kind: string,
): Promise<{ name: string; other: string }[]> {
  const rows = await db.execute<{ name: string; other: string }>(sql`
    with listed as (
      select person_id from subsidy_items where run_id = ${runId} and left_out_reason is null
    ),
    alike as (
      select l.person_id, o.id as other_id from listed l join persons p on p.id = l.person_id
        join persons o on o.id_number_index = p.id_number_index and o.id <> p.id
      union
      select l.person_id, o.id from listed l join persons p on p.id = l.person_id
        join persons o on o.phone_index = p.phone_index and o.name_key = p.name_key and o.id <> p.id
    )
    select p.name, o.name as other from alike a
    join persons p on p.id = a.person_id
    join persons o on o.id = a.other_id
    where exists (select from listed l where l.person_id = a.other_id)
      or exists (select from subsidy_claims c where c.person_id = a.other_id and c.kind = ${kind})
    order by p.name, p.id, o.id`)
  return [...rows]
}

/** Those on a list, in a fixed order; whoever was left out only when asked for. */
export function itemsOf(db: Db, runId: number, withLeftOut = false): Promise<SubsidyItemRow[]> {
  return db
    .select()
    .from(subsidyItems)
    .where(and(eq(subsidyItems.runId, runId), withLeftOut ? undefined : isNull(subsidyItems.leftOutReason)))
    .orderBy(asc(subsidyItems.name), asc(subsidyItems.personId))
}

/** @returns false: there is no such person on the list */
export async function leaveItemOut(
  db: Db,
  runId: number,
  itemId: number,
  reason: string | null,
): Promise<boolean> {
  const rows = await db
    .update(subsidyItems)
    .set({ leftOutReason: reason })
    .where(and(eq(subsidyItems.runId, runId), eq(subsidyItems.id, itemId)))
    .returning({ id: subsidyItems.id })
  return rows.length === 1
}

/**
 * Notes why the bank has sent somebody's money back, or (reason null) that it has not.
 * @returns the line of the list; null: nobody on this list, or it is so noted already
 */
export async function noteBankReturn(
  db: Db,
  runId: number,
  itemId: number,
  reason: string | null,
): Promise<SubsidyItemRow | null> {
  const [row] = await db
    .update(subsidyItems)
    .set({ bankReturnReason: reason })
    .where(
      and(
        eq(subsidyItems.runId, runId),
        eq(subsidyItems.id, itemId),
        isNull(subsidyItems.leftOutReason),
        (reason === null ? isNotNull : isNull)(subsidyItems.bankReturnReason),
      ),
    )
    .returning()
  return row ?? null
}

/** The lists of a university, the newest first, with what they come to. */
export async function runsOf(db: Db, unitId: number, limit: number, offset: number) {
  return db
    .select({
      run: subsidyRuns,
      people: sql<number>`count(${subsidyItems.id}) filter (where ${subsidyItems.leftOutReason} is null)::int`,
      fen: sql<number>`coalesce(sum(${subsidyItems.fen}) filter (where ${subsidyItems.leftOutReason} is null), 0)::float8`,
    })
    .from(subsidyRuns)
    .leftJoin(subsidyItems, eq(subsidyItems.runId, subsidyRuns.id))
    .where(eq(subsidyRuns.unitId, unitId))
    .groupBy(subsidyRuns.id)
    .orderBy(desc(subsidyRuns.id))
    .limit(limit)
    .offset(offset)
}

/** The list of a university that was approved last, before another if that one is approved; null: none. */
export async function lastApprovedRun(
  db: Db,
  unitId: number,
  before: Pick<SubsidyRunRow, 'id' | 'status' | 'checkedAt'>,
): Promise<SubsidyRunRow | null> {
  const until = before.status === 'approved' ? before.checkedAt : null
  const [row] = await db
    .select()
    .from(subsidyRuns)
    .where(
      and(
        eq(subsidyRuns.unitId, unitId),
        eq(subsidyRuns.status, 'approved'),
        sql`${subsidyRuns.id} <> ${before.id}`,
        until === null ? undefined : sql`${subsidyRuns.checkedAt} <= ${until.toISOString()}`,
      ),
    )
    .orderBy(desc(subsidyRuns.checkedAt), desc(subsidyRuns.id))
    .limit(1)
  return row ?? null
}

/** The persons who are still on lists that wait for approval, beside this one. */
export async function onOtherLists(db: Db, runId: number, personIds: number[]): Promise<Set<number>> {
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct i.person_id from subsidy_items i join subsidy_runs r on r.id = i.run_id
    where r.id <> ${runId} and r.status in ('draft', 'submitted') and i.left_out_reason is null
      and i.person_id = any(${sql.param(personIds)}::bigint[])`)
  return new Set([...rows].map(row => Number(row.person_id)))
}

/** Promises a subsidy to each person of a list. @returns those to whom it was promised before */
export async function claim(
  db: Db,
  kind: string,
  items: { personId: number; itemId: number }[],
): Promise<number[]> {
  const taken: number[] = []
  for (let at = 0; at < items.length; at += 1000) {
    const part = items.slice(at, at + 1000)
    const made = await db
      .insert(subsidyClaims)
      .values(part.map(item => ({ ...item, kind })))
      .onConflictDoNothing()
      .returning({ personId: subsidyClaims.personId })
    const got = new Set(made.map(row => row.personId))
    taken.push(...part.filter(item => !got.has(item.personId)).map(item => item.personId))
  }
  return taken
}

/** The promise has come to nothing: the person may be on a list again. */
export async function freeClaim(db: Db, kind: string, itemId: number): Promise<void> {
  await db.delete(subsidyClaims).where(and(eq(subsidyClaims.kind, kind), eq(subsidyClaims.itemId, itemId)))
}

export async function setBudget(db: Db, row: typeof subsidyBudgets.$inferInsert): Promise<void> {
  await db.insert(subsidyBudgets).values(row)
}

/** A university's budget of a year in fen; null: none was set. */
export async function budgetOf(db: Db, unitId: number, year: number): Promise<number | null> {
  const [row] = await db
    .select({ fen: subsidyBudgets.fen })
    .from(subsidyBudgets)
    .where(and(eq(subsidyBudgets.unitId, unitId), eq(subsidyBudgets.year, year)))
    .orderBy(desc(subsidyBudgets.id))
    .limit(1)
  return row?.fen ?? null
}

export type LedgerKind = 'promised' | 'paid' | 'freed' | 'bank' | 'bank_returned'

/** Writes into the ledger; what stands there for a bill already is not written twice. */
export async function writeLedger(
  db: Db,
  rows: (typeof payLedger.$inferInsert & { kind: LedgerKind })[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += 1000)
    await db
      .insert(payLedger)
      .values(rows.slice(at, at + 1000))
      .onConflictDoNothing()
}

/** The sums of the ledger by kind, in fen: of a list, or of a university's year. */
export async function ledgerSums(
  db: Db,
  of: { runId: number } | { unitId: number; year: number },
): Promise<Record<LedgerKind, number>> {
  const rows = await db
    .select({ kind: payLedger.kind, fen: sql<number>`sum(${payLedger.fen})::float8` })
    .from(payLedger)
    .where(
      'runId' in of
        ? eq(payLedger.runId, of.runId)
        : and(eq(payLedger.unitId, of.unitId), eq(payLedger.year, of.year)),
    )
    .groupBy(payLedger.kind)
  const sums: Record<LedgerKind, number> = { promised: 0, paid: 0, freed: 0, bank: 0, bank_returned: 0 }
  for (const row of rows) sums[row.kind as LedgerKind] = row.fen
  return sums
}

/**
 * What lists that were approved on a day have promised by WeChat, in fen, whichever university's: there is one merchant.
 * @param from, to the day's first moments
 */
export async function promisedBetween(db: Db, from: Date, to: Date): Promise<number> {
  const [row] = await db
    .select({ fen: sql<number>`coalesce(sum(${payLedger.fen}), 0)::float8` })
    .from(payLedger)
    .where(
      and(
        eq(payLedger.kind, 'promised'),
        sql`${payLedger.billId} is not null`,
        sql`${payLedger.at} >= ${from.toISOString()} and ${payLedger.at} < ${to.toISOString()}`,
      ),
    )
  return row?.fen ?? 0
}

/** A list's ledger, in order. */
export function ledgerOf(db: Db, runId: number) {
  return db
    .select({
      id: payLedger.id,
      at: payLedger.at,
      kind: payLedger.kind,
      fen: payLedger.fen,
      name: subsidyItems.name,
      number: payBills.number,
    })
    .from(payLedger)
    .innerJoin(subsidyItems, eq(subsidyItems.id, payLedger.itemId))
    .leftJoin(payBills, eq(payBills.id, payLedger.billId))
    .where(eq(payLedger.runId, runId))
    .orderBy(asc(payLedger.id))
}

export async function insertComparison(db: Db, row: typeof payComparisons.$inferInsert): Promise<void> {
  await db.insert(payComparisons).values(row)
}

export async function lastComparison(db: Db, runId: number) {
  const [row] = await db
    .select()
    .from(payComparisons)
    .where(eq(payComparisons.runId, runId))
    .orderBy(desc(payComparisons.id))
    .limit(1)
  return row ?? null
}

/** Whoever stands in a managing role of this very unit. */
export async function peopleWhoRun(
  db: Db,
  unitId: number,
  managing: { programme: string; role: string }[],
): Promise<number[]> {
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct r.person_id from roles r join units u on u.id = r.unit_id
    where r.unit_id = ${unitId} and r.ended_at is null and (u.programme, r.role) in (
      select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
        ${sql.param(managing.map(each => each.role))}::text[]))
    order by r.person_id`)
  return [...rows].map(row => Number(row.person_id))
}

/** The lists of universities that wait for a second person. */
export function runsToCheck(db: Db, unitIds: number[]) {
  return db
    .select({
      run: subsidyRuns,
      people: sql<number>`count(*)::int`,
      fen: sql<number>`sum(${subsidyItems.fen})::float8`,
    })
    .from(subsidyRuns)
    .innerJoin(subsidyItems, eq(subsidyItems.runId, subsidyRuns.id))
    .where(
      and(
        sql`${subsidyRuns.unitId} = any(${sql.param(unitIds)}::bigint[])`,
        eq(subsidyRuns.status, 'submitted'),
        isNull(subsidyItems.leftOutReason),
      ),
    )
    .groupBy(subsidyRuns.id)
    .orderBy(asc(subsidyRuns.id))
}

/** The names of persons, by their ids. */
export async function namesOfPersons(db: Db, ids: (number | null)[]): Promise<Map<number, string>> {
  const known = ids.filter(id => id !== null)
  const rows = await db
    .select({ id: persons.id, name: persons.name })
    .from(persons)
    .where(sql`${persons.id} = any(${sql.param(known)}::bigint[])`)
  return new Map(rows.map(row => [row.id, row.name]))
}

/** The sealed numbers by which a bank knows the people of a list. */
export async function bankNumbersOf(db: Db, runId: number) {
  const rows = await db
    .select({
      personId: persons.id,
      phoneSealed: persons.phoneSealed,
      idNumberSealed: persons.idNumberSealed,
    })
    .from(subsidyItems)
    .innerJoin(persons, eq(persons.id, subsidyItems.personId))
    .where(and(eq(subsidyItems.runId, runId), isNull(subsidyItems.leftOutReason)))
  return new Map(rows.map(row => [row.personId, row]))
}

/** Notes that an office is told of its payments on a day. @returns false: it was told before */
export async function beginMorning(db: Db, unitId: number, day: string): Promise<boolean> {
  const rows = await db
    .insert(subsidyMornings)
    .values({ unitId, day })
    .onConflictDoNothing()
    .returning({ unitId: subsidyMornings.unitId })
  return rows.length === 1
}

/** How a university's payments stand, for its office. */
export interface OfficePayments {
  unitId: number
  waiting: number
  held: number
  /** Came to nothing in the span. */
  freed: number
  freedFen: number
  /** Are not sent yet although the platform has said something of it, or since a day before. */
  stuck: number
  /** Are with the platform since a day before and do not move: mostly the balance is short. */
  hanging: number
}

/** Every university with something to look at. @param from, to the span of what came to nothing lately; `to` begins today */
export async function paymentsToLookAt(db: Db, from: Date, to: Date): Promise<OfficePayments[]> {
  const rows = await db.execute<
    Record<'unit_id' | 'waiting' | 'held' | 'freed' | 'freed_fen' | 'stuck' | 'hanging', string>
  >(sql`
    select r.unit_id, count(*) filter (where b.state = 'waiting') as waiting,
      count(*) filter (where b.state = 'held') as held,
      count(*) filter (where b.state in ('failed', 'cancelled')) as freed,
      coalesce(sum(b.fen) filter (where b.state in ('failed', 'cancelled')), 0) as freed_fen,
      count(*) filter (where b.state = 'planned'
        and (b.fail_reason is not null or b.created_at < ${to.toISOString()}::timestamptz)) as stuck,
      count(*) filter (where b.state in ('accepted', 'processing', 'transferring', 'cancelling')
        and b.updated_at < ${to.toISOString()}::timestamptz) as hanging
    from pay_bills b join subsidy_runs r on r.id = b.run_id
    where (b.due_at is not null and b.state not in ('paid', 'failed', 'cancelled')) or b.state = 'held'
      or (b.state in ('failed', 'cancelled')
        and b.updated_at >= ${from.toISOString()}::timestamptz and b.updated_at < ${to.toISOString()}::timestamptz)
    group by r.unit_id order by r.unit_id`)
  return [...rows]
    .map(row => ({
      unitId: Number(row.unit_id),
      waiting: Number(row.waiting),
      held: Number(row.held),
      freed: Number(row.freed),
      freedFen: Number(row.freed_fen),
      stuck: Number(row.stuck),
      hanging: Number(row.hanging),
    }))
    .filter(each => each.waiting + each.held + each.freed + each.stuck + each.hanging > 0)
}

/** Lists of which a payment has ended in a span and which have not been compared by themselves since it ended. */
export async function runsToCompare(db: Db, from: Date, to: Date): Promise<number[]> {
  const rows = await db.execute<{ run_id: string }>(sql`
    select distinct b.run_id from pay_bills b
    where b.state in ('paid', 'failed', 'cancelled')
      and b.updated_at >= ${from.toISOString()}::timestamptz and b.updated_at < ${to.toISOString()}::timestamptz
      and not exists (select from pay_comparisons c
        where c.run_id = b.run_id and c.asked_by is null and c.at >= b.updated_at)
    order by b.run_id`)
  return [...rows].map(row => Number(row.run_id))
}
