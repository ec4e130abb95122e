import { and, asc, desc, eq, gt, isNotNull, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { compiledSql } from '../compiled.ts'
import { groups, identities, joinDecisions, joinRequests, persons, units } from '../schema/index.ts'
import type { SeenCandidate, StepEffects } from '../schema/join-decisions.ts'
import { type Reach, withinReach } from './groups.ts'

export type JoinRequestRow = typeof joinRequests.$inferSelect
export type { SeenCandidate, StepEffects }

/** A request with the first step of its life. */
export interface NewRequest {
  groupId: number
  identityId: number
  textSealed: string
  decision: string
  reason: string
  explanation: string
  candidateIds: number[]
  personId: number | null
  seen: SeenCandidate[]
  reviewUnitId: number | null
  escalateAt: Date | null
  /** Of the person behind the account, for the audit log. */
  actorId: number | null
  auditDetails: Record<string, unknown>
  /** The waiting request of the same account that this one replaces, and what is said of it. */
  replaces: { id: number; explanation: string } | null
  now: Date
}

const insertRequest = compiledSql<{ id: string }>(sql`
  with request as (
    insert into join_requests (group_id, identity_id, text_sealed, decision, reason, explanation, candidate_ids, person_id,
      review_unit_id, escalate_at, created_at, decided_at)
    select r."groupId", r."identityId", r."textSealed", r.decision, r.reason, r.explanation, r."candidateIds", r."personId",
      r."reviewUnitId", r."escalateAt", r.now, case when r.decision = 'referred' then null else r.now end
    from jsonb_to_record(${sql.placeholder('row')}::text::jsonb) as r ("groupId" bigint, "identityId" bigint,
      "textSealed" text, decision text, reason text, explanation text, "candidateIds" jsonb, "personId" bigint,
      "reviewUnitId" bigint, "escalateAt" timestamptz, now timestamptz)
    returning id, decision, reason, person_id, created_at
  ), step as (
    insert into join_decisions (request_id, step, at, person_id, reason, seen, effects)
    select id, decision, created_at, person_id, reason, ${sql.placeholder('seen')}::text::jsonb, '{}' from request
  ), log as (
    insert into audit_log (at, actor_id, action, subject_kind, subject_id, details)
    select created_at, ${sql.placeholder('actorId')}::bigint, 'join_request.' || decision, 'join_request', id,
      ${sql.placeholder('auditDetails')}::text::jsonb from request
  ), replaced as (
    update join_requests set decision = 'rejected', decided_at = request.created_at, escalate_at = null,
      explanation = replace(${sql.placeholder('replacedExplanation')}::text, '{id}', request.id::text)
    from request where join_requests.id = ${sql.placeholder('replacedId')}::bigint and join_requests.decision = 'referred'
    returning join_requests.id, join_requests.reason
  ), replaced_step as (
    insert into join_decisions (request_id, step, at, reason, seen, effects)
    select replaced.id, 'superseded', request.created_at, replaced.reason, '[]', '{}' from replaced, request
  )
  select id from request`)

/** Stores a request, its first step, its line in the audit log, and the end of the one that it replaces, in one statement. */
export async function insertJoinRequest(db: Db, request: NewRequest): Promise<number> {
  const { seen, actorId, auditDetails, replaces, ...row } = request
  const [inserted] = await insertRequest(db, {
    row: JSON.stringify(row),
    seen: JSON.stringify(seen),
    actorId,
    auditDetails: JSON.stringify(auditDetails),
    replacedId: replaces?.id ?? null,
    replacedExplanation: replaces?.explanation ?? '',
  })
  return Number(inserted?.id)
}

export async function joinRequestById(db: Db, id: number): Promise<JoinRequestRow | null> {
  const [row] = await db.select().from(joinRequests).where(eq(joinRequests.id, id))
  return row ?? null
}

/** Requests that wait for a person: of groups one owns, or of a subtree one manages. */
export function waitingRequests(db: Db, ownerId: number, unitPaths: string[]) {
  const either = [
    eq(groups.ownerId, ownerId),
    ...unitPaths.map(path => sql`${units.path} like ${`${path}%`}`),
  ]
  return db
    .select({
      request: joinRequests,
      groupName: groups.name,
      ownerId: groups.ownerId,
      unitPath: units.path,
    })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(eq(joinRequests.decision, 'referred'), isNull(groups.dissolvedAt), or(...either)))
    .orderBy(asc(joinRequests.id))
    .limit(200)
}

/** Changes a request that still stands as it was seen; false when somebody else was first. */
export async function changeRequest(
  db: Db,
  id: number,
  was: string,
  set: Partial<typeof joinRequests.$inferInsert>,
): Promise<boolean> {
  const rows = await db
    .update(joinRequests)
    .set(set)
    .where(and(eq(joinRequests.id, id), eq(joinRequests.decision, was)))
    .returning({ id: joinRequests.id })
  return rows.length === 1
}

/** A request, locked until the transaction ends: two who decide at once have an order. */
export async function lockRequest(db: Db, id: number): Promise<JoinRequestRow | null> {
  const [row] = await db.select().from(joinRequests).where(eq(joinRequests.id, id)).for('update')
  return row ?? null
}

export async function insertStep(db: Db, row: typeof joinDecisions.$inferInsert): Promise<void> {
  await db.insert(joinDecisions).values(row)
}

/** Every step of a request, the first first. */
export function stepsOf(db: Db, requestId: number) {
  return db
    .select({ step: joinDecisions, actorName: persons.name, unitName: units.name })
    .from(joinDecisions)
    .leftJoin(persons, eq(persons.id, joinDecisions.actorId))
    .leftJoin(units, eq(units.id, joinDecisions.unitId))
    .where(eq(joinDecisions.requestId, requestId))
    .orderBy(asc(joinDecisions.id))
}

/**
 * What this account has asked of this group and was not let in for, the newest first: what waits, and since `since` also
 * what was refused by itself.
 */
export function earlierRequests(db: Db, identityId: number, groupId: number, since: Date) {
  return db
    .select({
      id: joinRequests.id,
      textSealed: joinRequests.textSealed,
      decision: joinRequests.decision,
      reason: joinRequests.reason,
      createdAt: joinRequests.createdAt,
    })
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.identityId, identityId),
        eq(joinRequests.groupId, groupId),
        or(
          eq(joinRequests.decision, 'referred'),
          and(
            eq(joinRequests.decision, 'rejected'),
            isNull(joinRequests.decidedBy),
            gt(joinRequests.createdAt, since),
          ),
        ),
      ),
    )
    .orderBy(desc(joinRequests.id))
    .limit(20)
}

/** Whether this account has asked the same group again after a request, and waits or was let in. */
export async function hasLaterRequest(db: Db, request: JoinRequestRow): Promise<boolean> {
  const rows = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.identityId, request.identityId),
        eq(joinRequests.groupId, request.groupId),
        gt(joinRequests.id, request.id),
        sql`${joinRequests.decision} <> 'rejected'`,
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** How many requests of a group wait for a person. */
export async function countWaiting(db: Db, groupId: number): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(joinRequests)
    .where(and(eq(joinRequests.groupId, groupId), eq(joinRequests.decision, 'referred')))
  return row?.count ?? 0
}

/** Whose rows in the roster a group is made of, as SQL can ask: one composition rule. */
export interface ScopeRule {
  from: string
  roles: string[]
  unitKinds: string[] | null
  /** For `sending-units`: the categories (人员类别, by name) of the volunteers whose universities are meant; else empty. */
  sentCategories: string[]
}

/** What `candidatesFor` has found. */
export interface FoundRows {
  rows: CandidateRow[]
  /** As the roster writes them: whose volunteers serve in the group's unit or below. Only where a rule asks for them. */
  universities: string[]
}

/** What a join request's claims are looked up by; all are equality look-ups on indexes. */
export interface ClaimKeys {
  nameKeys: string[]
  soundKeys: string[]
  phoneIndexes: string[]
  idNumberIndexes: string[]
  idTailIndexes: string[]
}

/** A roster row that a request may be about, as `candidatesFor` finds it. */
export interface CandidateRow {
  entryId: number
  personId: number
  name: string
  phoneSealed: string | null
  idNumberSealed: string | null
  wechatSealed: string | null
  category: string | null
  status: string
  startsOn: string | null
  endsOn: string | null
  role: string
  unitId: number
  unitName: string
  unitPath: string
  unitKind: string
  parentId: number | null
  /** Keeps long-term contact with the group's unit (1+100). */
  isContact: boolean
  isMember: boolean
  memberAddress: string | null
}

/** More than this a request never means; the names of a whole text can match very many. */
const MAX_PERSONS = 300

const placeholder = (name: string) => sql.placeholder(name)
const lists = {
  names: sql`${placeholder('nameKeys')}::text[]`,
  sounds: sql`${placeholder('soundKeys')}::text[]`,
  phones: sql`${placeholder('phoneIndexes')}::text[]`,
  idNumbers: sql`${placeholder('idNumberIndexes')}::text[]`,
  tails: sql`${placeholder('idTailIndexes')}::text[]`,
}
const programme = sql`${placeholder('programme')}::text`
const groupUnit = sql`${placeholder('unitId')}::bigint`
const sentCategories = sql`${placeholder('sentCategories')}::text[]`
const groupPath = sql`${placeholder('unitPath')}::text`

/** All standing roster rows of the persons `found` (id), with how they stand to the group. */
function candidateStatement(found: SQL) {
  return compiledSql<{ rows: CandidateRow[] | null; universities: (string | null)[] | null }>(sql`
    with found as (${found})
    select json_agg(json_build_object('entryId', e.id, 'personId', p.id, 'name', p.name, 'phoneSealed', p.phone_sealed,
      'idNumberSealed', p.id_number_sealed, 'wechatSealed', p.wechat_sealed, 'category', e.category, 'status', e.status,
      'startsOn', e.starts_on, 'endsOn', e.ends_on, 'role', e.role, 'unitId', u.id, 'unitName', u.name, 'unitPath', u.path,
      'unitKind', u.kind, 'parentId', u.parent_id, 'isMember', m.id is not null, 'memberAddress', m.address,
      'isContact', exists (select from contacts c
        where c.unit_id = ${groupUnit} and c.person_id = p.id and c.until_on is null)
    ) order by e.id) as rows,
    case when cardinality(${sentCategories}) > 0 then (
      select json_agg(distinct sent.university) from units below
      join roster_entries sent on sent.unit_id = below.id and sent.gone_import_id is null
      where below.path like ${groupPath} || '%' and sent.status = '在岗' and sent.category = any(${sentCategories})
    ) end as universities
    from found
    join persons p on p.id = found.id
    join roster_entries e on e.person_id = p.id and e.gone_import_id is null and e.programme = ${programme}
    join units u on u.id = e.unit_id
    -- what anybody can write (a remark, a nickname, a name on a roll call) makes nobody a member who asks to be let in
    left join group_members m on m.group_id = ${placeholder('groupId')}::bigint and m.person_id = p.id and m.left_at is null
      and m.known_by not in ('remark', 'nickname') and (m.known_by <> 'roll_call' or m.address is not null)`)
}

/**
 * @param scope the persons of the group's scope: `person_id`
 *
 * The names of a whole text are hundreds: they are hashed (`in (select …)`), in a plan that is kept, too.
 */
function claimedStatement(scope: SQL) {
  const isNamed = sql`p.name_key in (select unnest(${lists.names}))`
  return candidateStatement(sql`
    select id from (
      select id from persons where phone_index = any(${lists.phones})
      union select id from persons where id_number_index = any(${lists.idNumbers})
      union select p.id from persons p where p.id_tail_index = any(${lists.tails}) and ${isNamed}
      union select p.id from (${scope}) as scope join persons p on p.id = scope.person_id
        where ${isNamed} or p.sound_key in (select unnest(${lists.sounds})) or p.id_tail_index = any(${lists.tails})
    ) as claimed limit ${sql.raw(String(MAX_PERSONS))}`)
}

type Statement = ReturnType<typeof claimedStatement>

/** By the places that the rules of a kind name: a statement each, whose plan PostgreSQL can keep. */
const byPlace = new Map<string, Statement>()

/** Few live near a group: its unit, the one above, those just below, or all below where a rule says so. */
function byPlaceOf(rules: readonly ScopeRule[]): Statement {
  const froms = [...new Set(rules.map(rule => rule.from))].sort()
  const shape = froms.join()
  let statement = byPlace.get(shape)
  if (!statement) {
    const places = [
      sql`select ${groupUnit} as id`,
      ...(froms.includes('parent-unit') ? [sql`select parent_id from units where id = ${groupUnit}`] : []),
      ...(froms.includes('child-units') ? [sql`select id from units where parent_id = ${groupUnit}`] : []),
      ...(froms.includes('descendant-units')
        ? [sql`select id from units where path like ${groupPath} || '%'`]
        : []),
    ]
    statement = claimedStatement(sql`
      select e.person_id from (${sql.join(places, sql` union `)}) as place
      join roster_entries e on e.unit_id = place.id and e.gone_import_id is null
      where e.programme = ${programme} and e.role = any(${placeholder('roles')}::text[])
      union select c.person_id from contacts c where c.unit_id = ${groupUnit} and c.until_on is null`)
    byPlace.set(shape, statement)
  }
  return statement
}

/** Very many live below a unit that itself decides who comes: they are found by what was written, each looked up. */
const byName = claimedStatement(sql`
  select p.id as person_id from persons p, lateral (
    select from roster_entries e join units u on u.id = e.unit_id
    where e.person_id = p.id and e.gone_import_id is null and e.programme = ${programme}
      and u.path like ${groupPath} || '%' limit 1
  ) as near
  where p.name_key = any(${lists.names}) or p.sound_key = any(${lists.sounds}) or p.id_tail_index = any(${lists.tails})`)

/**
 * The roster rows that a request may be about, with all rows of the same people, in one statement: among those of the
 * group's scope by name, sound or the end of an ID number, among all by phone, by ID number, or by its end and the name.
 * Look-ups by equality on indexes, within a scope that does not grow with the roster.
 */
export async function candidatesFor(
  db: Db,
  group: { id: number; programme: string; unitId: number; unitPath: string },
  rules: readonly ScopeRule[],
  keys: ClaimKeys,
): Promise<FoundRows> {
  const values = {
    ...keys,
    groupId: group.id,
    programme: group.programme,
    unitId: group.unitId,
    unitPath: group.unitPath,
    sentCategories: rules.flatMap(rule => rule.sentCategories),
  }
  const isByName = rules.some(rule => rule.from === 'unit-decides')
  const statement = isByName ? byName : byPlaceOf(rules)
  const [row] = await withKeptPlan(db, () =>
    statement(db, { ...values, roles: [...new Set(rules.flatMap(rule => rule.roles))] }),
  )
  return foundIn(row)
}

/**
 * Runs a statement by the plan that the connection keeps for it. PostgreSQL takes lists of unknown length for longer than
 * they are and would plan anew each time, which here takes longer than the look-ups. The settings go out together with
 * the statement and take no time of their own; outside of a transaction they are without effect.
 */
async function withKeptPlan<T>(db: Db, run: () => Promise<T>): Promise<T> {
  const [, result] = await Promise.all([keepPlan(db, {}), run(), choosePlan(db, {})])
  return result
}

// compiled like what runs between them: drizzle's own way to execute reaches the connection some turns later
const keepPlan = compiledSql(sql`set local plan_cache_mode = force_generic_plan`)
const choosePlan = compiledSql(sql`set local plan_cache_mode = auto`)

const byPerson = candidateStatement(sql`select unnest(${placeholder('personIds')}::bigint[]) as id`)

/** The roster rows of these persons, with how they stand to the group. */
export async function candidatesOf(
  db: Db,
  group: { id: number; programme: string; unitId: number; unitPath: string },
  rules: readonly ScopeRule[],
  personIds: number[],
): Promise<FoundRows> {
  const [row] = await byPerson(db, {
    personIds,
    groupId: group.id,
    programme: group.programme,
    unitId: group.unitId,
    unitPath: group.unitPath,
    sentCategories: rules.flatMap(rule => rule.sentCategories),
  })
  return foundIn(row)
}

function foundIn(
  row: { rows: CandidateRow[] | null; universities: (string | null)[] | null } | undefined,
): FoundRows {
  return {
    rows: row?.rows ?? [],
    universities: (row?.universities ?? []).filter(each => each !== null),
  }
}

/** Lets one admission of a person be decided at a time, until the transaction ends. */
export async function lockAdmission(db: Db, personId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`admission:${personId}`}))`)
}

/** A step by which a human said no: a refusal that stands, or an approval that was taken back. */
const saysNo = sql`((d.step = 'undone' and d.person_id is not null)
  or (d.step = 'rejected' and d.actor_id is not null and r.decision = 'rejected' and r.decided_by is not null))`

const standing = compiledSql<{
  has_other_account: boolean
  other_askers: number
  is_doubted: boolean
  is_account_doubted: boolean
}>(sql`
  select exists (
      select from join_requests r join join_decisions d on d.request_id = r.id
      where r.identity_id = ${placeholder('identityId')}::bigint and ${saysNo} and d.id > coalesce((
        select max(yes.id) from join_requests asked join join_decisions yes on yes.request_id = asked.id
        where asked.identity_id = r.identity_id and yes.step = 'approved' and yes.actor_id is not null), 0)
    ) as is_account_doubted,
    exists (
      select from join_requests r join join_decisions d on d.request_id = r.id
      where r.candidate_ids @> ${placeholder('candidate')}::text::jsonb
        and coalesce(d.person_id, (r.candidate_ids->>0)::bigint) = ${placeholder('personId')}::bigint
        and ${saysNo} and d.id > coalesce((
          select max(yes.id) from join_requests asked join join_decisions yes on yes.request_id = asked.id
          where asked.candidate_ids @> ${placeholder('candidate')}::text::jsonb and yes.step = 'approved'
            and yes.actor_id is not null and yes.person_id = ${placeholder('personId')}::bigint), 0)
    ) as is_doubted,
    exists (
      select from identities i left join identities me on me.id = ${placeholder('identityId')}::bigint
      where i.person_id = ${placeholder('personId')}::bigint and i.id <> me.id and i.bound_by is distinct from 'registration'
        and me.person_id is distinct from i.person_id and (me.union_id is null or me.union_id is distinct from i.union_id)
    ) or exists (
      select from join_passes j where j.person_id = ${placeholder('personId')}::bigint
        and j.identity_id <> ${placeholder('identityId')}::bigint and j.used_at is null and j.ended_at is null
    ) or exists (
      select from join_requests r where r.group_id = ${placeholder('groupId')}::bigint
        and r.person_id = ${placeholder('personId')}::bigint and r.identity_id <> ${placeholder('identityId')}::bigint
        and r.decision = 'approved' and r.candidate_ids @> ${placeholder('candidate')}::text::jsonb
        and exists (select from group_members m where m.group_id = coalesce(r.admitted_to, r.group_id)
          and m.person_id = r.person_id and m.left_at is null)
    ) as has_other_account,
    (select count(distinct r.identity_id)::int from join_requests r
      where r.candidate_ids @> ${placeholder('candidate')}::text::jsonb and r.created_at > ${placeholder('since')}::timestamptz
        and r.identity_id <> ${placeholder('identityId')}::bigint and r.decision <> 'approved') as other_askers`)

/**
 * What else is known of a person whom an account asks to be: whether another account is theirs, in the group or on its way
 * in, and how many other accounts asked in their name since and were not let in. Binding in an open group proves nothing.
 * A human's no to this account, or to somebody in the person's name, stands until a human says yes.
 */
export async function standingOf(
  db: Db,
  about: { personId: number; identityId: number; groupId: number; since: Date },
): Promise<{
  hasOtherAccount: boolean
  otherAskers: number
  isDoubted: boolean
  isAccountDoubted: boolean
}> {
  const [row] = await standing(db, {
    personId: about.personId,
    identityId: about.identityId,
    groupId: about.groupId,
    candidate: JSON.stringify([about.personId]),
    since: about.since.toISOString(),
  })
  return {
    hasOtherAccount: row?.has_other_account ?? false,
    otherAskers: row?.other_askers ?? 0,
    isDoubted: row?.is_doubted ?? false,
    isAccountDoubted: row?.is_account_doubted ?? false,
  }
}

/** How many accounts asked in a person's name since and were not let in. */
export async function countAskers(db: Db, personId: number, since: Date): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(distinct ${joinRequests.identityId})::int` })
    .from(joinRequests)
    .where(
      and(
        sql`${joinRequests.candidateIds} @> ${JSON.stringify([personId])}::jsonb`,
        gt(joinRequests.createdAt, since),
        sql`${joinRequests.decision} <> 'approved'`,
      ),
    )
  return row?.count ?? 0
}

/** Waiting requests whose hour has come to go on to the unit above. */
export function dueEscalations(db: Db, now: Date, limit: number): Promise<JoinRequestRow[]> {
  return db
    .select()
    .from(joinRequests)
    .where(and(eq(joinRequests.decision, 'referred'), lte(joinRequests.escalateAt, now)))
    .orderBy(asc(joinRequests.escalateAt))
    .limit(limit)
    .for('update', { skipLocked: true })
}

/** How many approved people wait for room in a group. */
export async function countAwaitingRoom(db: Db, groupId: number): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(joinRequests)
    .where(and(eq(joinRequests.groupId, groupId), isNotNull(joinRequests.awaitsRoomSince)))
  return row?.count ?? 0
}

/**
 * Binds an account to the person it has proven to be, unless the person runs a unit, owns a group or looks after the server
 * (their accounts carry rights and are bound by a code from above only), or account or person are bound already.
 * @returns whether it was bound now
 */
export async function bindPlainPerson(
  db: Db,
  identityId: number,
  personId: number,
  managing: { programme: string; role: string }[],
  now: Date,
): Promise<boolean> {
  const rows = await db.execute(sql`
    update identities i set person_id = ${personId}, bound_by = 'join_request', bound_at = ${now.toISOString()}::timestamptz
    where i.id = ${identityId} and i.person_id is null
      and not exists (select from identities other where other.person_id = ${personId} and other.channel = i.channel)
      and not exists (select from roles r join units u on u.id = r.unit_id
        where r.person_id = ${personId} and r.ended_at is null and (u.programme, r.role) in (
          select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
            ${sql.param(managing.map(each => each.role))}::text[])))
      and not exists (select from groups g where g.owner_id = ${personId} and g.dissolved_at is null)
      and not exists (select from administrators a where a.person_id = ${personId} and a.ended_at is null)
    returning i.id`)
  return rows.length === 1
}

/** An account lets go of the person that a request had bound it to. */
export async function unbindRequested(db: Db, identityId: number, personId: number): Promise<boolean> {
  const rows = await db
    .update(identities)
    .set({ personId: null, boundAt: null, boundBy: null })
    .where(
      and(
        eq(identities.id, identityId),
        eq(identities.personId, personId),
        eq(identities.boundBy, 'join_request'),
      ),
    )
    .returning({ id: identities.id })
  return rows.length === 1
}

/** What is to be decided by a person and is not yet: requests of dissolved groups wait no more. */
const isWaiting = and(eq(joinRequests.decision, 'referred'), isNull(groups.dissolvedAt))

export interface RequestFilter {
  reach: Reach
  /** `room`: approved, and waiting for room. */
  state: 'waiting' | 'room' | 'approved' | 'rejected'
  /** A reason class. */
  reason?: string | undefined
  /** Part of the group's or the unit's name, or the number of the group or the request. */
  search?: string | undefined
}

function stateOf(state: RequestFilter['state']) {
  switch (state) {
    case 'waiting':
      return isWaiting
    case 'room':
      return and(eq(joinRequests.decision, 'approved'), isNotNull(joinRequests.awaitsRoomSince))
    default:
      return eq(joinRequests.decision, state)
  }
}

/** A page of the requests within reach: waiting ones the oldest first, decided ones the newest. */
export function listRequests(db: Db, filter: RequestFilter, limit: number, offset: number) {
  const { reach, state, reason, search = '' } = filter
  const reviewUnit = alias(units, 'review_unit')
  return db
    .select({
      request: joinRequests,
      groupName: groups.name,
      unitName: units.name,
      reviewUnitName: reviewUnit.name,
      personName: sql<
        string | null
      >`(select ${persons.name} from ${persons} where ${persons.id} = ${joinRequests.personId})`,
      deciderName: sql<
        string | null
      >`(select ${persons.name} from ${persons} where ${persons.id} = ${joinRequests.decidedBy})`,
    })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(reviewUnit, eq(reviewUnit.id, joinRequests.reviewUnitId))
    .where(
      and(
        stateOf(state),
        withinReach(reach),
        reason === undefined ? undefined : eq(joinRequests.reason, reason),
        search === ''
          ? undefined
          : or(
              sql`position(${search} in ${groups.name}) > 0`,
              sql`position(${search} in ${units.name}) > 0`,
              /^\d{1,15}$/.test(search)
                ? or(eq(groups.id, Number(search)), eq(joinRequests.id, Number(search)))
                : undefined,
            ),
      ),
    )
    .orderBy(state === 'waiting' || state === 'room' ? asc(joinRequests.id) : desc(joinRequests.id))
    .limit(limit)
    .offset(offset)
}

/** The waiting request that comes after one, or the first of all; null when none waits within reach. */
export async function nextWaitingRequest(db: Db, reach: Reach, after: number): Promise<number | null> {
  const [row] = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(isWaiting, withinReach(reach)))
    .orderBy(desc(gt(joinRequests.id, after)), asc(joinRequests.id))
    .limit(1)
  return row?.id ?? null
}

/** The requests that wait for one group, the oldest first. */
export function waitingRequestsOfGroup(db: Db, groupId: number, limit: number): Promise<JoinRequestRow[]> {
  return db
    .select()
    .from(joinRequests)
    .where(and(eq(joinRequests.groupId, groupId), eq(joinRequests.decision, 'referred')))
    .orderBy(asc(joinRequests.id))
    .limit(limit)
}
