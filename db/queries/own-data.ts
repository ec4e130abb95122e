import { asc, desc, eq, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groups, identities, joinRequests, registrations, rosterEntries, units } from '../schema/index.ts'

// what a person is shown of themselves

/** Every row that the roster has or had of a person, the newest first. */
export function rosterOf(db: Db, personId: number) {
  return db
    .select({
      programme: rosterEntries.programme,
      unitName: units.name,
      role: rosterEntries.role,
      title: rosterEntries.title,
      category: rosterEntries.category,
      post: rosterEntries.post,
      university: rosterEntries.university,
      startsOn: rosterEntries.startsOn,
      endsOn: rosterEntries.endsOn,
      status: rosterEntries.status,
      goneImportId: rosterEntries.goneImportId,
    })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .where(eq(rosterEntries.personId, personId))
    .orderBy(desc(rosterEntries.id))
    .limit(100)
}

/** What a person said of themselves in an open group. */
export async function registrationOf(db: Db, personId: number) {
  const [row] = await db
    .select({
      programme: units.programme,
      unitName: units.name,
      groupName: groups.name,
      residence: registrations.residence,
      occupation: registrations.occupation,
      registeredAt: registrations.registeredAt,
    })
    .from(registrations)
    .innerJoin(units, eq(units.id, registrations.unitId))
    .innerJoin(groups, eq(groups.id, registrations.groupId))
    .where(eq(registrations.personId, personId))
  return row ?? null
}

export interface OwnGroup {
  id: number
  name: string
  unitName: string
  unitPath: string
  size: number
  isOwner: boolean
  /** `join_pass`, `binding`, `registration`; null for an owner who is known by that alone. */
  knownBy: string | null
  joinedAt: Date | null
}

/** The groups in use that a person owns, then those they are known to be in. */
export async function groupsOfPerson(db: Db, personId: number): Promise<OwnGroup[]> {
  const rows = await db.execute<{
    id: string
    name: string
    unit_name: string
    unit_path: string
    size: number
    is_owner: boolean
    known_by: string | null
    joined_at: string | null
  }>(sql`
    with mine as (
      select id as group_id from groups where owner_id = ${personId}
      union select group_id from group_members where person_id = ${personId} and left_at is null
    )
    select g.id, g.name, u.name as unit_name, u.path as unit_path, g.size, g.owner_id is not distinct from ${personId} as is_owner,
      m.known_by, m.joined_at
    from mine join groups g on g.id = mine.group_id join units u on u.id = g.unit_id
    left join group_members m on m.group_id = g.id and m.person_id = ${personId} and m.left_at is null
    where g.dissolved_at is null
    order by is_owner desc, g.id limit 1000`)
  return [...rows].map(row => ({
    id: Number(row.id),
    name: row.name,
    unitName: row.unit_name,
    unitPath: row.unit_path,
    size: row.size,
    isOwner: row.is_owner,
    knownBy: row.known_by,
    joinedAt: row.joined_at === null ? null : new Date(row.joined_at),
  }))
}

/** The requests to be let into groups that were made by a person's accounts, the newest first. */
export function requestsOf(db: Db, personId: number, place: { limit: number; offset: number }) {
  return db
    .select({
      id: joinRequests.id,
      groupId: groups.id,
      groupName: groups.name,
      unitName: units.name,
      decision: joinRequests.decision,
      reason: joinRequests.reason,
      decidedBy: joinRequests.decidedBy,
      createdAt: joinRequests.createdAt,
      decidedAt: joinRequests.decidedAt,
    })
    .from(joinRequests)
    .innerJoin(identities, eq(identities.id, joinRequests.identityId))
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(eq(identities.personId, personId))
    .orderBy(desc(joinRequests.id))
    .limit(place.limit)
    .offset(place.offset)
}

/** The accounts that are bound to a person. */
export function accountsOfPerson(db: Db, personId: number) {
  return db
    .select({
      channel: identities.channel,
      boundBy: identities.boundBy,
      boundAt: identities.boundAt,
      isReachable: identities.isReachable,
      lastSeenAt: identities.lastSeenAt,
    })
    .from(identities)
    .where(eq(identities.personId, personId))
    .orderBy(asc(identities.id))
}

export interface LookedAt {
  at: Date
  action: string
  details: Record<string, unknown>
  actorId: number | null
  actorName: string | null
  /** The highest place that they have now, and what they are there; null: none, or the system itself. */
  actorUnit: string | null
  actorTitle: string | null
  actorRole: string | null
  actorProgramme: string | null
  /** Of an export of a whole unit that had the person then: which unit, and how often that person did it that day. */
  exported: { unitName: string; times: number } | null
}

/** Exports that hold the people of a unit and of those below it, and are written down once for the unit. */
const EXPORTS = ['roster.exported', 'members.exported']

/**
 * What was done about a person: to themselves, their accounts and requests, by the roster files that brought or changed
 * their rows, and by exports of a whole unit while they were in it or below. The newest first.
 */
export async function deedsAbout(
  db: Db,
  personId: number,
  place: { limit: number; offset: number },
): Promise<LookedAt[]> {
  const rows = await db.execute<{
    at: string
    action: string
    details: Record<string, unknown>
    actor_id: string | null
    actor_name: string | null
    unit_name: string | null
    title: string | null
    role: string | null
    programme: string | null
    exported_unit: string | null
    times: number
  }>(sql`
    with about as (
      select 'person' as kind, ${personId}::bigint as id
      union all select 'identity', i.id from identities i where i.person_id = ${personId}
      union all select 'join_request', r.id from join_requests r join identities i on i.id = r.identity_id
        where i.person_id = ${personId}
      union all (select 'roster_import', import_id from roster_entries where person_id = ${personId}
        union select 'roster_import', gone_import_id from roster_entries
          where person_id = ${personId} and gone_import_id is not null
        union select 'roster_import', import_id from roster_person_changes where person_id = ${personId})
    ), places as (
      select u.path, r.started_at as since, coalesce(r.ended_at, 'infinity') as until
      from roles r join units u on u.id = r.unit_id where r.person_id = ${personId}
      union all
      select u.path, brought.applied_at, coalesce(closed.applied_at, 'infinity')
      from roster_entries e join units u on u.id = e.unit_id join roster_imports brought on brought.id = e.import_id
      left join roster_imports closed on closed.id = e.gone_import_id where e.person_id = ${personId}
    ), above as (
      select unit.id::bigint as id, min(since) as since, max(until) as until
      from places cross join lateral unnest(string_to_array(trim('/' from path), '/')) as unit (id) group by 1
    ), found as (
      select l.id, 1 as times, null::bigint as unit_id
      from about join audit_log l on l.subject_kind = about.kind and l.subject_id = about.id
      union all
      -- a program that reads page by page is told once a day
      select max(l.id), count(*)::int, above.id
      from above join audit_log l on l.subject_kind = 'unit' and l.subject_id = above.id
      where l.action = any(${sql.param(EXPORTS)}::text[]) and l.at >= above.since and l.at < above.until
      group by above.id, l.actor_id, (l.at at time zone 'Asia/Shanghai')::date
    ), deeds as (
      select l.id, l.at, l.action, l.details, l.actor_id, found.times, u.name as exported_unit
      from (select * from found order by id desc limit ${place.limit} offset ${place.offset}) found
      join audit_log l on l.id = found.id left join units u on u.id = found.unit_id
    )
    select deeds.*, p.name as actor_name, office.unit_name, office.title, office.role, office.programme
    from deeds left join persons p on p.id = deeds.actor_id
    left join lateral (
      select u.name as unit_name, r.title, r.role, u.programme from roles r join units u on u.id = r.unit_id
      where r.person_id = deeds.actor_id and r.ended_at is null order by length(u.path), r.id limit 1
    ) office on true
    order by deeds.id desc`)
  return [...rows].map(row => ({
    at: new Date(row.at),
    action: row.action,
    details: row.details,
    actorId: row.actor_id === null ? null : Number(row.actor_id),
    actorName: row.actor_name,
    actorUnit: row.unit_name,
    actorTitle: row.title,
    actorRole: row.role,
    actorProgramme: row.programme,
    exported: row.exported_unit === null ? null : { unitName: row.exported_unit, times: row.times },
  }))
}
