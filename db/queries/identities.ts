import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { attempts, bindingCodes, conversations, identities } from '../schema/index.ts'

export interface SenderRole {
  unitId: number
  unitName: string
  unitPath: string
  programme: string
  level: string
  role: string
}

export interface SenderRow {
  identityId: number
  personId: number | null
  personName: string | null
  roles: SenderRole[]
  ownsGroups: boolean
  /** Texts wait for this person to write. */
  hasWaiting: boolean
  boundBy: string | null
  conversation: ConversationRow | null
}

export interface ConversationRow {
  name: string
  version: number
  step: string
  answers: Record<string, string>
}

/**
 * Who writes: notes that the account was seen (and makes it at first sight) and loads all that routing needs, in one
 * statement, because this runs for every update.
 */
export async function loadSender(db: Db, channel: string, address: string, now: Date): Promise<SenderRow> {
  const at = now.toISOString()
  const rows = await db.execute<{
    identity_id: string
    person_id: string | null
    bound_by: string | null
    name: string | null
    roles: SenderRole[] | null
    owns_groups: boolean
    has_waiting: boolean
    conversation: ConversationRow | null
  }>(sql`
    with me as (
      insert into identities (channel, address, last_seen_at, created_at)
      values (${channel}, ${address}, ${at}, ${at})
      on conflict (channel, address) do update set last_seen_at = excluded.last_seen_at, is_reachable = true
      returning id, person_id, bound_by
    )
    select me.id as identity_id, me.person_id, me.bound_by, p.name,
      (select json_agg(json_build_object('unitId', u.id, 'unitName', u.name, 'unitPath', u.path,
          'programme', u.programme, 'level', u.level, 'role', r.role) order by length(u.path), r.id)
        from roles r join units u on u.id = r.unit_id where r.person_id = me.person_id and r.ended_at is null) as roles,
      exists (select from groups g where g.owner_id = me.person_id and g.dissolved_at is null) as owns_groups,
      exists (select from outgoing_messages o where o.status = 'waiting' and (o.identity_id = me.id or o.person_id = me.person_id)) as has_waiting,
      (select json_build_object('name', c.name, 'version', c.version, 'step', c.step, 'answers', c.answers)
        from conversations c where c.identity_id = me.id and c.expires_at > ${at}) as conversation
    from me left join persons p on p.id = me.person_id`)
  const row = rows[0]
  if (!row) throw new Error('the sender could not be loaded')
  return {
    identityId: Number(row.identity_id),
    personId: row.person_id === null ? null : Number(row.person_id),
    personName: row.name,
    roles: row.roles ?? [],
    ownsGroups: row.owns_groups,
    hasWaiting: row.has_waiting,
    boundBy: row.bound_by,
    conversation: row.conversation,
  }
}

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
export function identitiesOf(db: Db, personId: number) {
  return db
    .select()
    .from(identities)
    .where(eq(identities.personId, personId))
    .orderBy(sql`${identities.lastSeenAt} desc nulls last`)
}

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

/**
 * Somebody unfollowed: the account is not theirs any more for us. One that registered itself keeps its person, who has no
 * rights, so that whoever comes back is not counted twice.
 */
export async function markUnreachable(db: Db, channel: string, address: string) {
  const account = and(eq(identities.channel, channel), eq(identities.address, address))
  await db.update(identities).set({ isReachable: false }).where(account)
  await db
    .update(identities)
    .set({ personId: null, boundAt: null, boundBy: null })
    .where(and(account, sql`${identities.boundBy} is distinct from 'registration'`))
}

export async function insertBindingCode(db: Db, row: typeof bindingCodes.$inferInsert) {
  await db.insert(bindingCodes).values(row)
}

/** Uses a code up: null when it is unknown, used or too old. One caller only can have it. */
export async function useBindingCode(db: Db, codeIndex: string, identityId: number, now: Date) {
  const [row] = await db
    .update(bindingCodes)
    .set({ usedAt: now, usedByIdentity: identityId })
    .where(
      and(
        eq(bindingCodes.codeIndex, codeIndex),
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

export async function saveConversation(db: Db, identityId: number, row: ConversationRow, expiresAt: Date) {
  await db
    .insert(conversations)
    .values({ identityId, ...row, expiresAt })
    .onConflictDoUpdate({ target: conversations.identityId, set: { ...row, expiresAt } })
}

export async function deleteConversation(db: Db, identityId: number) {
  await db.delete(conversations).where(eq(conversations.identityId, identityId))
}
