import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { identities, persons } from './persons.ts'
import { units } from './units.ts'

/*
 * The one-off living subsidy of a sending university (山科大党发〔2021〕52号 四.(一).1). Amounts are fen (分), in 64 bits.
 */

const fen = () => bigint({ mode: 'number' })

/** How much a university may pay in a year; each change is a row, the last one holds. */
export const subsidyBudgets = pgTable(
  'subsidy_budgets',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    year: integer().notNull(),
    fen: fen().notNull(),
    setBy: ref()
      .references(() => persons.id)
      .notNull(),
    at: moment().notNull(),
  },
  table => [index('subsidy_budgets_of').on(table.unitId, table.year)],
)

/** A list of who is owed, made by one and checked by another. */
export const subsidyRuns = pgTable(
  'subsidy_runs',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    year: integer().notNull(),
    /** `wechat` (商家转账) or `bank` (the list goes to the bank as XLSX). */
    way: text().notNull(),
    /** `draft`, `submitted`, `approved`, `returned` (to its maker, with a reason) or `withdrawn`. */
    status: text().notNull(),
    madeBy: ref()
      .references(() => persons.id)
      .notNull(),
    madeAt: moment().notNull(),
    submittedAt: moment(),
    /** SHA-256 (hex) of the list as it was submitted: what is approved is what was looked at. */
    contentHash: text(),
    checkedBy: ref().references(() => persons.id),
    checkedAt: moment(),
    reason: text(),
  },
  table => [index('subsidy_runs_unit').on(table.unitId, table.year)],
)

/** One person on a list. */
export const subsidyItems = pgTable(
  'subsidy_items',
  {
    id: id(),
    runId: ref()
      .references(() => subsidyRuns.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** As in the roster when the list was made; the platform compares it with the receiver's own. */
    name: text().notNull(),
    /** Where they serve, as words. */
    place: text().notNull(),
    isOutOfProvince: boolean().notNull(),
    startsOn: date().notNull(),
    fen: fen().notNull(),
    /** The Official Account by which they are paid; null: none is bound. */
    identityId: ref().references(() => identities.id),
    /** Taken off the list by its maker, with a reason. */
    leftOutReason: text(),
    /** Why the bank has sent the money of this person back (退票); null: it has not. */
    bankReturnReason: text(),
  },
  table => [
    uniqueIndex('subsidy_items_once').on(table.runId, table.personId),
    index('subsidy_items_person').on(table.personId),
  ],
)

/**
 * That a subsidy of a person is promised or paid: one for each, whatever lists there are. It goes when a payment has
 * come to nothing for good.
 */
export const subsidyClaims = pgTable(
  'subsidy_claims',
  {
    /** A subsidy by its id in the programme's duties, without the place. */
    kind: text().notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    itemId: ref()
      .references(() => subsidyItems.id)
      .notNull(),
  },
  table => [primaryKey({ columns: [table.kind, table.personId] })],
)

/** One payment. Everything that is sent for it was fixed when the list was approved. */
export const payBills = pgTable(
  'pay_bills',
  {
    id: id(),
    itemId: ref()
      .references(() => subsidyItems.id)
      .notNull(),
    runId: ref()
      .references(() => subsidyRuns.id)
      .notNull(),
    /** out_bill_no: by it the platform pays once at most. Never changes. */
    number: text().notNull(),
    fen: fen().notNull(),
    /** Sealed: the whole order as JSON, sent again unchanged. */
    orderSealed: text().notNull(),
    /** `planned`, the platform's states (`server/channels/wechat-pay/port.ts`), or `held`: refused, a person must look. */
    state: text().notNull(),
    /** It may have been taken although no clear answer came: it is asked for before it is sent again. */
    isDoubtful: boolean().notNull().default(false),
    platformNumber: text(),
    /** Sealed: with it the receiver's page asks for the money. */
    packageSealed: text(),
    failReason: text(),
    /** When the platform last had it waiting for the receiver. */
    waitingSince: moment(),
    /** The receiver was told that it waits for them. */
    toldAt: moment(),
    attempts: integer().notNull().default(0),
    /** Calls in a row that found the number unknown. */
    notFound: integer().notNull().default(0),
    /** When it is looked at next; null: nothing more is to be done. */
    dueAt: moment(),
    cancelAskedAt: moment(),
    /** Its electronic receipt (电子回单) was asked for; the platform keeps the file. */
    receiptAskedAt: moment(),
    createdAt: moment().notNull(),
    updatedAt: moment().notNull(),
  },
  table => [
    uniqueIndex('pay_bills_number').on(table.number),
    uniqueIndex('pay_bills_live').on(table.itemId).where(sql`state not in ('failed', 'cancelled')`),
    index('pay_bills_due').on(table.dueAt).where(sql`due_at is not null`),
    index('pay_bills_run').on(table.runId),
  ],
)

/** Every cent (分账): what was promised, paid, and set free again. Append-only: a trigger refuses changes. */
export const payLedger = pgTable(
  'pay_ledger',
  {
    id: id(),
    at: moment().notNull(),
    unitId: ref().notNull(),
    year: integer().notNull(),
    runId: ref().notNull(),
    billId: ref(),
    itemId: ref().notNull(),
    /**
     * `promised` (approved), `paid`, `freed` (came to nothing), `bank` (handed to the bank on a list),
     * `bank_returned` (sent back by it; `bank` again when that was an error).
     */
    kind: text().notNull(),
    fen: fen().notNull(),
  },
  table => [
    index('pay_ledger_run').on(table.runId),
    index('pay_ledger_year').on(table.unitId, table.year),
    // a payment is promised, paid and set free once at most
    uniqueIndex('pay_ledger_once').on(table.billId, table.kind).where(sql`bill_id is not null`),
  ],
)

/** What a comparison of the ledger with the platform has found (对账), bill by bill. */
export const payComparisons = pgTable(
  'pay_comparisons',
  {
    id: id(),
    runId: ref()
      .references(() => subsidyRuns.id)
      .notNull(),
    at: moment().notNull(),
    askedBy: ref().references(() => persons.id),
    bills: integer().notNull(),
    /** Of bills that differ: number, what we have and what the platform says. */
    differences: jsonb().$type<{ number: string; ours: string; theirs: string }[]>().notNull(),
  },
  table => [index('pay_comparisons_run').on(table.runId)],
)

/** That an office was told in the morning of a day how its payments stand: once. */
export const subsidyMornings = pgTable(
  'subsidy_mornings',
  {
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    day: date().notNull(),
  },
  table => [primaryKey({ columns: [table.unitId, table.day] })],
)
