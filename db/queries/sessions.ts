import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { administrators, persons, sessions, signInLinks } from '../schema/index.ts'
import type { SenderRole } from './senders.ts'

export type SessionRow = typeof sessions.$inferSelect

/** Who a session stands for, with what they are today. */
export interface SessionOwner {
  sessionId: number
  /** As it is stored: under the current key, or another while keys are changed. */
  tokenIndex: string
  personId: number
  personName: string
  identityId: number | null
  channel: string | null
  address: string | null
  /** How the account was bound (`code`, …); null without one. */
  boundBy: string | null
  signedInBy: string
  roles: SenderRole[]
  ownsGroups: boolean
  isAdministrator: boolean
  lastSeenAt: Date
}

/**
 * The owner of a session that stands: neither ended nor expired, and of an account that is still theirs. Read anew for
 * every request, so that a right that has gone is gone at once.
 */
export async function sessionOwner(db: Db, tokenIndexes: string[], now: Date): Promise<SessionOwner | null> {
  const [row] = await db.execute<{
    session_id: string
    token_index: string
    person_id: string
    name: string
    identity_id: string | null
    channel: string | null
    address: string | null
    bound_by: string | null
    signed_in_by: string
    last_seen_at: string
    roles: SenderRole[] | null
    owns_groups: boolean
    is_administrator: boolean
  }>(sql`
    select s.id as session_id, s.token_index, s.person_id, p.name, s.identity_id, i.channel, i.address, i.bound_by, s.signed_in_by,
      s.last_seen_at,
      (select json_agg(json_build_object('unitId', u.id, 'unitName', u.name, 'unitPath', u.path,
          'programme', u.programme, 'level', u.level, 'role', r.role) order by length(u.path), r.id)
        from roles r join units u on u.id = r.unit_id where r.person_id = s.person_id and r.ended_at is null) as roles,
      exists (select from groups g where g.owner_id = s.person_id and g.dissolved_at is null) as owns_groups,
      exists (select from administrators a where a.person_id = s.person_id and a.ended_at is null) as is_administrator
    from sessions s
    join persons p on p.id = s.person_id
    left join identities i on i.id = s.identity_id
    where s.token_index = any(${sql.param(tokenIndexes)}::text[]) and s.ended_at is null and s.expires_at > ${now.toISOString()}
      and (s.identity_id is null or i.person_id = s.person_id)`)
  if (!row) return null
  return {
    sessionId: Number(row.session_id),
    tokenIndex: row.token_index,
    personId: Number(row.person_id),
    personName: row.name,
    identityId: row.identity_id === null ? null : Number(row.identity_id),
    channel: row.channel,
    address: row.address,
    boundBy: row.bound_by,
    signedInBy: row.signed_in_by,
    roles: row.roles ?? [],
    ownsGroups: row.owns_groups,
    isAdministrator: row.is_administrator,
    lastSeenAt: new Date(row.last_seen_at),
  }
}

export async function insertSession(db: Db, row: typeof sessions.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(sessions).values(row).returning({ id: sessions.id })
  return inserted?.id as number
}

export async function noteSessionSeen(
  db: Db,
  id: number,
  set: Pick<SessionRow, 'tokenIndex' | 'lastSeenAt' | 'expiresAt'>,
): Promise<void> {
  await db.update(sessions).set(set).where(eq(sessions.id, id))
}

/** The sessions of a person that stand, the newest first. */
export function sessionsOf(db: Db, personId: number, now: Date): Promise<SessionRow[]> {
  return db
    .select()
    .from(sessions)
    .where(and(eq(sessions.personId, personId), isNull(sessions.endedAt), gt(sessions.expiresAt, now)))
    .orderBy(sql`${sessions.id} desc`)
}

/** Ends one session of a person. false: it is not theirs, or has ended. */
export async function endSession(db: Db, personId: number, id: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(sessions)
    .set({ endedAt: now })
    .where(and(eq(sessions.id, id), eq(sessions.personId, personId), isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
  return rows.length === 1
}

/** Ends all sessions of a person but one. @returns how many */
export async function endOtherSessions(db: Db, personId: number, keptId: number, now: Date): Promise<number> {
  const rows = await db
    .update(sessions)
    .set({ endedAt: now })
    .where(and(eq(sessions.personId, personId), sql`${sessions.id} <> ${keptId}`, isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
  return rows.length
}

export async function insertSignInLink(db: Db, row: typeof signInLinks.$inferInsert): Promise<void> {
  await db.insert(signInLinks).values(row)
}

/** Uses a link up; of two that try at once one gets it. null: no such link, or used, or over. */
export async function useSignInLink(db: Db, tokenIndexes: string[], now: Date) {
  const [row] = await db
    .update(signInLinks)
    .set({ usedAt: now })
    .where(
      and(
        inArray(signInLinks.tokenIndex, tokenIndexes),
        isNull(signInLinks.usedAt),
        gt(signInLinks.expiresAt, now),
      ),
    )
    .returning()
  return row ?? null
}

/** Whether a link can still be used. */
export async function isLinkOpen(db: Db, tokenIndexes: string[], now: Date): Promise<boolean> {
  const rows = await db
    .select({ id: signInLinks.id })
    .from(signInLinks)
    .where(
      and(
        inArray(signInLinks.tokenIndex, tokenIndexes),
        isNull(signInLinks.usedAt),
        gt(signInLinks.expiresAt, now),
      ),
    )
  return rows.length === 1
}

/** Makes somebody an administrator; somebody who is one already stays one. */
export async function insertAdministrator(db: Db, personId: number, now: Date): Promise<void> {
  await db.insert(administrators).values({ personId, createdAt: now }).onConflictDoNothing()
}

/** Takes an administrator's right away, and ends all of their sessions and open links. @returns false: they have no such right */
export async function endAdministrator(db: Db, personId: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(administrators)
    .set({ endedAt: now })
    .where(and(eq(administrators.personId, personId), isNull(administrators.endedAt)))
    .returning({ id: administrators.id })
  if (rows.length === 0) return false
  await db
    .update(sessions)
    .set({ endedAt: now })
    .where(and(eq(sessions.personId, personId), isNull(sessions.endedAt)))
  await db
    .update(signInLinks)
    .set({ usedAt: now })
    .where(and(eq(signInLinks.personId, personId), isNull(signInLinks.usedAt)))
  return true
}

/** Administrators of this name, whatever else they are. */
export function administratorsNamed(db: Db, nameKey: string): Promise<{ personId: number; name: string }[]> {
  return db
    .select({ personId: persons.id, name: persons.name })
    .from(administrators)
    .innerJoin(persons, eq(persons.id, administrators.personId))
    .where(and(isNull(administrators.endedAt), eq(persons.nameKey, nameKey)))
    .orderBy(persons.id)
}

/** Persons that can be played in a demo: those with a role first, by name or number. */
export function playablePersons(db: Db, search: string, limit: number) {
  return db.execute<{ id: string; name: string; duties: string | null; is_administrator: boolean }>(sql`
    select p.id, p.name,
      (select string_agg(u.name || coalesce(r.title, ''), '、' order by length(u.path)) from roles r
        join units u on u.id = r.unit_id where r.person_id = p.id and r.ended_at is null) as duties,
      exists (select from administrators a where a.person_id = p.id and a.ended_at is null) as is_administrator
    from persons p
    left join lateral (select min(length(u.path)) as depth from roles r join units u on u.id = r.unit_id
      where r.person_id = p.id and r.ended_at is null) top on true
    where ${search} = '' or position(${search} in p.name) > 0
      or exists (select from roles r join units u on u.id = r.unit_id
        where r.person_id = p.id and r.ended_at is null and position(${search} in u.name || coalesce(r.title, '')) > 0)
    order by top.depth nulls last, p.id
    limit ${limit}`)
}

/** Whether somebody looks after the server. */
export async function isAdministrator(db: Db, personId: number): Promise<boolean> {
  const rows = await db
    .select({ id: administrators.id })
    .from(administrators)
    .where(and(eq(administrators.personId, personId), isNull(administrators.endedAt)))
  return rows.length > 0
}
