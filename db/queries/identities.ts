import { and, eq, gt, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { batchedOn } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiled } from '../compiled.ts'
import { attempts, bindingCodes, conversations, identities } from '../schema/index.ts'
import type { ConversationRow } from './senders.ts'

export type IdentityRow = typeof identities.$inferSelect

export async function identityOf(db: Db, channel: string, address: string) {
  const [row] = await db
    .select()
    .from(identities)
    .where(and(eq(identities.channel, channel), eq(identities.address, address)))
  return row ?? null
}

export async function identityById(db: Db, id: number) {
  const [row] = await db.select().from(identities).where(eq(identities.id, id))
  return row ?? null
}

/** All accounts of a person, the most recently seen first. */
export function identitiesOf(db: Db, personId: number): Promise<IdentityRow[]> {
  return selectOfPerson(db, { personId })
}

const selectOfPerson = compiled<IdentityRow[]>((db: Db) =>
  db
    .select()
    .from(identities)
    .where(eq(identities.personId, sql.placeholder('personId')))
    .orderBy(sql`${identities.lastSeenAt} desc nulls last`),
)

/** As `identitiesOf`, for who asks hundreds of times a second: those who ask at the same time are answered together. */
export const identitiesToReach = batchedOn(async (db, personIds: number[]): Promise<IdentityRow[][]> => {
  const rows = await selectOfPersons(db, { personIds: [...new Set(personIds)] })
  const ofPerson = Map.groupBy(rows, row => row.personId)
  return personIds.map(personId => [...(ofPerson.get(personId) ?? [])])
})

const selectOfPersons = compiled<IdentityRow[]>((db: Db) =>
  db
    .select()
    .from(identities)
    .where(sql`${identities.personId} = any(${sql.placeholder('personIds')}::bigint[])`)
    .orderBy(sql`${identities.lastSeenAt} desc nulls last`),
)

export async function bindIdentity(db: Db, identityId: number, personId: number, boundBy: string, now: Date) {
  await db.update(identities).set({ personId, boundBy, boundAt: now }).where(eq(identities.id, identityId))
}

/** A person changed their account: the old one on the same channel lets go. */
export async function releaseIdentities(db: Db, channel: string, personId: number) {
  await db
    .update(identities)
    .set({ personId: null, boundAt: null, boundBy: null })
    .where(and(eq(identities.channel, channel), eq(identities.personId, personId)))
}

/**
 * Lets go of the persons whose accounts are bound by less than a code: they are officers or owners from now on.
 * @returns the persons whose account let go
 */
export async function releaseUnvouched(db: Db, personIds: number[]): Promise<number[]> {
  if (personIds.length === 0) return []
  const rows = await db.execute<{ person_id: string }>(sql`
    with held as (
      select id, person_id from identities
      where person_id = any(${sql.param(personIds)}::bigint[]) and bound_by is distinct from 'code'
    )
    update identities i set person_id = null, bound_at = null, bound_by = null
    from held where i.id = held.id returning held.person_id`)
  return rows.map(row => Number(row.person_id))
}

/** An account, locked until the transaction ends: two events about it have an order. */
export async function lockIdentity(db: Db, channel: string, address: string): Promise<IdentityRow | null> {
  const [row] = await db
    .select()
    .from(identities)
    .where(and(eq(identities.channel, channel), eq(identities.address, address)))
    .for('update')
  return row ?? null
}

/** An account cannot be written to any more. `lastSeenAt` is the moment of its going, against which later news is held. */
export async function markGone(db: Db, id: number, at: Date): Promise<void> {
  await db
    .update(identities)
    .set({ isReachable: false, windowEndsAt: null, windowLeft: null, lastSeenAt: at })
    .where(eq(identities.id, id))
}

/** How long it is remembered that an account came back: news of its going comes hardly later than that. */
const BACK_KEPT = sql`interval '1 day'`

/** An account can be written to, as an event of the moment `at` says. When that was is remembered for a day. */
export async function markBack(db: Db, id: number, at: Date): Promise<void> {
  await db
    .update(identities)
    .set({
      isReachable: true,
      lastSeenAt: sql`greatest(${identities.lastSeenAt}, ${at.toISOString()}::timestamptz)`,
    })
    .where(eq(identities.id, id))
  // `last_seen_at` is the moment of handling once the bot has answered, and cannot be held against another event
  await db.execute(sql`
    insert into attempts (key, count, window_ends_at)
    values (${`back:${id}`}, 1, ${at.toISOString()}::timestamptz + ${BACK_KEPT})
    on conflict (key) do update set window_ends_at = greatest(attempts.window_ends_at, excluded.window_ends_at)`)
}

/** Whether an account came back after the moment `at`, by the platform's clock. */
export async function cameBackAfter(db: Db, id: number, at: Date): Promise<boolean> {
  const rows = await db.execute(sql`
    select from attempts
    where key = ${`back:${id}`} and window_ends_at > ${at.toISOString()}::timestamptz + ${BACK_KEPT}`)
  return rows.length > 0
}

/** An account is nobody's any more. */
export async function unbindIdentity(db: Db, id: number): Promise<void> {
  await db
    .update(identities)
    .set({ personId: null, boundAt: null, boundBy: null, unionId: null })
    .where(eq(identities.id, id))
}

/** Deletes what an OAuth login told of an account. */
export async function clearAuthorized(db: Db, id: number): Promise<void> {
  await db.update(identities).set({ unionId: null }).where(eq(identities.id, id))
}

/** Gives an account its new address, which no other account may have. */
export async function renameIdentity(db: Db, id: number, address: string): Promise<void> {
  await db.update(identities).set({ address }).where(eq(identities.id, id))
}

/** Whether an account was given the address it has by a renaming that happened after `at`, or at that very moment. */
export async function wasRenamedSince(
  db: Db,
  id: number,
  at: Date,
  how: { orThen: boolean },
): Promise<boolean> {
  const moment = sql`(details ->> 'at')::timestamptz`
  const rows = await db.execute(sql`
    select from audit_log where subject_kind = 'identity' and subject_id = ${id} and action = 'identity.renamed'
      and (${moment} > ${at.toISOString()}::timestamptz
        or (${how.orThen} and ${moment} = ${at.toISOString()}::timestamptz))
    limit 1`)
  return rows.length > 0
}

/**
 * The address of an account belongs to somebody else now: the account goes on without one (no address of a platform holds
 * a colon), for what hangs on it, and its places in groups are not known to be its person's any more.
 */
export async function setAsideIdentity(
  db: Db,
  account: { id: number; address: string; personId: number | null },
  at: Date,
): Promise<void> {
  await markGone(db, account.id, at)
  await renameIdentity(db, account.id, `former:${account.id}`)
  if (account.personId === null) return
  await db.execute(sql`
    update group_members set person_id = null, known_by = null
    where address = ${account.address} and person_id = ${account.personId} and left_at is null`)
}

/** Two accounts are one: what points at the first points at the second, which becomes `set`; the first is deleted. */
export async function absorbIdentity(
  db: Db,
  fromId: number,
  intoId: number,
  set: Partial<IdentityRow>,
): Promise<void> {
  for (const [table, column] of [
    ['join_requests', 'identity_id'],
    ['outgoing_messages', 'identity_id'],
    ['binding_codes', 'used_by_identity'],
    ['danger_calls', 'identity_id'],
  ] as const)
    await db.execute(
      sql`update ${sql.identifier(table)} set ${sql.identifier(column)} = ${intoId} where ${sql.identifier(column)} = ${fromId}`,
    )
  // the dialogue that was begun last is the one that goes on
  await db.execute(sql`
    delete from conversations where identity_id = ${intoId}
      and exists (select from conversations where identity_id = ${fromId})`)
  await db.update(conversations).set({ identityId: intoId }).where(eq(conversations.identityId, fromId))
  await db.delete(identities).where(eq(identities.id, fromId))
  await db.update(identities).set(set).where(eq(identities.id, intoId))
}

/** Keeps the index of an account with a person who registered; the WeChat id of a roster row has precedence. */
export async function rememberAccount(db: Db, personId: number, accountIndex: string): Promise<void> {
  await db.execute(sql`
    update persons set wechat_index = ${accountIndex}
    where id = ${personId} and wechat_sealed is null
      and exists (select from registrations r where r.person_id = persons.id)`)
}

/** The person has an account again: its index is not needed. */
export async function forgetAccount(db: Db, personId: number): Promise<void> {
  await db.execute(
    sql`update persons set wechat_index = null where id = ${personId} and wechat_sealed is null`,
  )
}

/** The person who registered by an account that was unbound since, unless they have rights or another account by now. */
export async function registeredPerson(
  db: Db,
  channel: string,
  accountIndexes: string[],
): Promise<number | null> {
  // found by the index first: together with the order, a plan made before there are statistics reads every person there
  // is, the newest first, for each newcomer
  const [row] = await db.execute<{ id: string }>(sql`
    with known as materialized (
      select id from persons where wechat_index = any(${sql.param(accountIndexes)}::text[])
    )
    select p.id from known p join registrations r on r.person_id = p.id
    where not exists (select from roles where person_id = p.id and ended_at is null)
      and not exists (select from groups where owner_id = p.id and dissolved_at is null)
      and not exists (select from identities where person_id = p.id and channel = ${channel})
    order by p.id desc limit 1`)
  return row ? Number(row.id) : null
}

export async function insertBindingCode(db: Db, row: typeof bindingCodes.$inferInsert) {
  await db.insert(bindingCodes).values(row)
}

/** Uses a code up: null when it is unknown, used or too old. One caller only can have it. */
export async function useBindingCode(db: Db, codeIndexes: string[], identityId: number, now: Date) {
  const [row] = await db
    .update(bindingCodes)
    .set({ usedAt: now, usedByIdentity: identityId })
    .where(
      and(
        inArray(bindingCodes.codeIndex, codeIndexes),
        isNull(bindingCodes.usedAt),
        gt(bindingCodes.expiresAt, now),
      ),
    )
    .returning({ personId: bindingCodes.personId, issuedBy: bindingCodes.issuedBy })
  return row ?? null
}

/** Counts a try and says how many there have been within the window. */
export async function countAttempt(db: Db, key: string, now: Date, windowMs: number): Promise<number> {
  const windowEndsAt = new Date(now.getTime() + windowMs)
  const [row] = await db
    .insert(attempts)
    .values({ key, count: 1, windowEndsAt })
    .onConflictDoUpdate({
      target: attempts.key,
      set: {
        count: sql`case when ${attempts.windowEndsAt} < ${now.toISOString()} then 1 else ${attempts.count} + 1 end`,
        windowEndsAt: sql`case when ${attempts.windowEndsAt} < ${now.toISOString()} then excluded.window_ends_at else ${attempts.windowEndsAt} end`,
      },
    })
    .returning({ count: attempts.count })
  return row?.count ?? 1
}

/** How often something was counted in the window that runs, without counting it again. */
export async function countOf(db: Db, key: string, now: Date): Promise<number> {
  const [row] = await db
    .select({ count: attempts.count })
    .from(attempts)
    .where(and(eq(attempts.key, key), gt(attempts.windowEndsAt, now)))
  return row?.count ?? 0
}

export async function saveConversation(db: Db, identityId: number, row: ConversationRow, expiresAt: Date) {
  await db
    .insert(conversations)
    .values({ identityId, ...row, expiresAt })
    .onConflictDoUpdate({ target: conversations.identityId, set: { ...row, expiresAt } })
}

export async function deleteConversation(db: Db, identityId: number) {
  await db.delete(conversations).where(eq(conversations.identityId, identityId))
}

/** The members of the corp whose account is somebody's: not people from outside, whose ids begin with wm or wo. */
export async function boundMembers(db: Db): Promise<{ id: number; address: string }[]> {
  return db
    .select({ id: identities.id, address: identities.address })
    .from(identities)
    .where(
      and(
        eq(identities.channel, 'wecom'),
        isNotNull(identities.personId),
        sql`${identities.address} !~ '^w[mo]'`,
      ),
    )
    .orderBy(identities.id)
}

/** Whose these accounts of a channel are, by address; only those that are somebody's. */
export async function personsOfAddresses(
  db: Db,
  channel: string,
  addresses: string[],
): Promise<Map<string, number>> {
  if (addresses.length === 0) return new Map()
  const rows = await db.execute<{ address: string; person_id: string }>(sql`
    select address, person_id from identities
    where channel = ${channel} and person_id is not null and address = any(${sql.param(addresses)}::text[])`)
  return new Map(rows.map(row => [row.address, Number(row.person_id)]))
}

/** The same by unionid: one person has the same at an Official Account and in WeCom. */
export async function personsOfUnionIds(
  db: Db,
  channel: string,
  unionIds: string[],
): Promise<Map<string, number>> {
  if (unionIds.length === 0) return new Map()
  const rows = await db.execute<{ union_id: string; person_id: string }>(sql`
    select union_id, person_id from identities
    where channel = ${channel} and person_id is not null and union_id = any(${sql.param(unionIds)}::text[])`)
  return new Map(rows.map(row => [row.union_id, Number(row.person_id)]))
}

/** Accounts that were bound since `since` and whose unionid nobody has asked for. */
export async function boundWithoutUnionId(
  db: Db,
  channel: string,
  since: Date,
  limit: number,
): Promise<{ id: number; address: string }[]> {
  const rows = await db.execute<{ id: string; address: string }>(sql`
    select id, address from identities
    where channel = ${channel} and person_id is not null and union_id is null and is_reachable
      and bound_at > ${since.toISOString()}::timestamptz
    order by id limit ${limit}`)
  return rows.map(row => ({ id: Number(row.id), address: row.address }))
}

export async function noteUnionId(db: Db, id: number, unionId: string): Promise<void> {
  await db.update(identities).set({ unionId }).where(eq(identities.id, id))
}
