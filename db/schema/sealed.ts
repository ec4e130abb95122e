import { getTableName } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import {
  accessTokens,
  alertVerdicts,
  apiTokens,
  awaitedPictures,
  bindingCodes,
  conversations,
  dangerSteps,
  dutyReports,
  groups,
  joinDecisions,
  joinRequests,
  noticeAnswers,
  noticeFiles,
  outgoingMessages,
  payBills,
  persons,
  recordFiles,
  resultPages,
  rollCalls,
  rosterDrafts,
  rosterPersonChanges,
  sessions,
  signInLinks,
  slipFiles,
  slipSteps,
  slips,
  unitAccounts,
  unitPlans,
  updates,
  volunteerTouches,
} from './index.ts'

/** An index that is made of what a sealed value holds. */
export interface MadeIndex {
  /** A column, or a key of a JSON object. */
  name: string
  /** The field within which the vault indexes it. */
  field: string
  /** Only so many characters at the end of the value are indexed. */
  tail?: number
}

export interface SealedValue {
  name: string
  indexes: readonly MadeIndex[]
}

/** A table with sealed values, for whatever has to go through all of them (a change of the data key). */
export interface SealedTable {
  table: string
  /** The primary key's column. */
  key: string
  /** Sealed columns with the indexes that are made of them. */
  columns: readonly SealedValue[]
  /** Objects of which any value may be sealed; of those named here the indexes beside them are made anew, too. */
  json: readonly { column: string; values: readonly SealedValue[] }[]
  /** Rows that are taken at once: few where one may hold a file of 20 MB. */
  portion: number
}

/**
 * What is found by the index of a secret that only its holder has: it cannot be indexed anew from what is stored. It is
 * when the holder next shows it, where it can be used again, and lives out its time otherwise.
 */
export interface HeldSecret {
  table: string
  column: string
  /** When it ends by itself, whoever does not use it. */
  expires: string
  /** When it was last indexed anew by being used; null: it can be used once only. */
  used: string | null
  /** When it was used up or ended, where it is kept after that. */
  over: string | null
}

const sealed = (column: PgColumn, ...indexes: [PgColumn, string, number?][]): SealedValue => ({
  name: nameOf(column),
  indexes: indexes.map(([of, field, tail]) => ({
    name: nameOf(of),
    field,
    ...(tail === undefined ? {} : { tail }),
  })),
})

const inTable = (
  table: PgTable,
  key: PgColumn,
  columns: SealedValue[],
  { json = [], portion = 1000 }: Partial<Pick<SealedTable, 'json' | 'portion'>> = {},
): SealedTable => ({ table: getTableName(table), key: nameOf(key), columns, json, portion })

const held = (
  table: PgTable,
  column: PgColumn,
  expires: PgColumn,
  used: PgColumn | null,
  over: PgColumn | null,
): HeldSecret => ({
  table: getTableName(table),
  column: nameOf(column),
  expires: nameOf(expires),
  used: used && nameOf(used),
  over: over && nameOf(over),
})

/**
 * Every sealed value of the database and every index that is made of one (a test holds the schema against this). Persons
 * and what they were before imports come first: imports wait until both are done. Files that are being read
 * (`roster_stagings`) are not here: they are dropped and read anew.
 */
export const sealedTables: readonly SealedTable[] = [
  inTable(persons, persons.id, [
    sealed(persons.phoneSealed, [persons.phoneIndex, 'phone']),
    sealed(persons.idNumberSealed, [persons.idNumberIndex, 'id-number'], [persons.idTailIndex, 'id-tail', 6]),
    sealed(persons.wechatSealed, [persons.wechatIndex, 'wechat']),
  ]),
  inTable(rosterPersonChanges, rosterPersonChanges.id, [], {
    json: [
      {
        column: nameOf(rosterPersonChanges.before),
        values: [
          { name: 'phoneSealed', indexes: [{ name: 'phoneIndex', field: 'phone' }] },
          {
            name: 'idNumberSealed',
            indexes: [
              { name: 'idNumberIndex', field: 'id-number' },
              { name: 'idTailIndex', field: 'id-tail', tail: 6 },
            ],
          },
          { name: 'wechatSealed', indexes: [{ name: 'wechatIndex', field: 'wechat' }] },
        ],
      },
    ],
  }),
  inTable(joinRequests, joinRequests.id, [sealed(joinRequests.textSealed)]),
  inTable(joinDecisions, joinDecisions.id, [sealed(joinDecisions.noteSealed)]),
  inTable(groups, groups.id, [sealed(groups.webhookSealed)]),
  inTable(rollCalls, rollCalls.id, [sealed(rollCalls.tokenSealed, [rollCalls.tokenIndex, 'page-token'])]),
  inTable(rosterDrafts, rosterDrafts.id, [sealed(rosterDrafts.fileSealed)], { portion: 1 }),
  inTable(updates, updates.id, [sealed(updates.payloadSealed), sealed(updates.replySealed)]),
  inTable(outgoingMessages, outgoingMessages.id, [
    sealed(outgoingMessages.textsSealed),
    sealed(outgoingMessages.filesSealed),
    sealed(outgoingMessages.cardSealed),
  ]),
  inTable(noticeFiles, noticeFiles.id, [sealed(noticeFiles.bytesSealed)], { portion: 1 }),
  inTable(noticeAnswers, noticeAnswers.id, [sealed(noticeAnswers.answerSealed)]),
  inTable(dangerSteps, dangerSteps.id, [sealed(dangerSteps.textSealed)]),
  inTable(dutyReports, dutyReports.id, [sealed(dutyReports.noteSealed)]),
  inTable(slips, slips.id, [sealed(slips.bodySealed)]),
  inTable(slipSteps, slipSteps.id, [sealed(slipSteps.textSealed)]),
  inTable(slipFiles, slipFiles.id, [sealed(slipFiles.bytesSealed)], { portion: 1 }),
  inTable(awaitedPictures, awaitedPictures.id, [sealed(awaitedPictures.placeSealed)]),
  inTable(recordFiles, recordFiles.id, [sealed(recordFiles.bytesSealed)], { portion: 1 }),
  inTable(unitAccounts, unitAccounts.id, [
    sealed(unitAccounts.phoneSealed),
    sealed(unitAccounts.wechatSealed),
    sealed(unitAccounts.qqSealed),
  ]),
  inTable(unitPlans, unitPlans.id, [sealed(unitPlans.contactSealed)]),
  inTable(payBills, payBills.id, [sealed(payBills.orderSealed), sealed(payBills.packageSealed)]),
  inTable(volunteerTouches, volunteerTouches.id, [sealed(volunteerTouches.noteSealed)]),
  inTable(alertVerdicts, alertVerdicts.id, [sealed(alertVerdicts.textSealed)]),
  inTable(resultPages, resultPages.id, [sealed(resultPages.textSealed)], { portion: 20 }),
  inTable(accessTokens, accessTokens.channel, [sealed(accessTokens.tokenSealed)]),
  // a robot's address that somebody gave in the middle of 建群
  inTable(conversations, conversations.identityId, [], {
    json: [{ column: nameOf(conversations.answers), values: [] }],
  }),
]

export const heldSecrets: readonly HeldSecret[] = [
  held(sessions, sessions.tokenIndex, sessions.expiresAt, sessions.lastSeenAt, sessions.endedAt),
  held(apiTokens, apiTokens.tokenIndex, apiTokens.expiresAt, apiTokens.lastUsedAt, apiTokens.endedAt),
  held(bindingCodes, bindingCodes.codeIndex, bindingCodes.expiresAt, null, bindingCodes.usedAt),
  held(signInLinks, signInLinks.tokenIndex, signInLinks.expiresAt, null, signInLinks.usedAt),
  held(resultPages, resultPages.tokenIndex, resultPages.expiresAt, null, null),
]

/** As it is called in the database, where words are divided by `_`. */
export function nameOf(column: PgColumn): string {
  return column.name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
