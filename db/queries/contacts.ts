import { and, asc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { contacts, contactVisits, groupMembers, roles, units } from '../schema/index.ts'

export type ContactRow = typeof contacts.$inferSelect & {
  personName: string
  unitName: string
  unitPath: string
  officeName: string
  officePath: string
}

/** Who owes long-term contact to which branches, as the templates say (`server/domain/contacts/rules.ts`). */
export interface ContactScope {
  programme: string
  officeKinds: string[]
  roles: string[]
  branchKinds: string[]
  /** The group kinds in which a branch's contacts are to be. */
  groupKinds: string[]
}

function selectContacts(db: Db, where: SQL) {
  return db.execute<{
    id: string
    person_id: string
    office_id: string
    unit_id: string
    since_on: string
    until_on: string | null
    assigned_by: string
    ended_by: string | null
    person_name: string
    unit_name: string
    unit_path: string
    office_name: string
    office_path: string
  }>(sql`
    select c.*, c.since_on::text as since_on, c.until_on::text as until_on, p.name as person_name, u.name as unit_name,
      u.path as unit_path, office.name as office_name, office.path as office_path
    from contacts c join persons p on p.id = c.person_id join units u on u.id = c.unit_id
    join units office on office.id = c.office_id where ${where} order by c.id`)
}

type Selected = Awaited<ReturnType<typeof selectContacts>>[number]
const flat = (row: Selected): ContactRow => ({
  id: Number(row.id),
  personId: Number(row.person_id),
  officeId: Number(row.office_id),
  unitId: Number(row.unit_id),
  sinceOn: row.since_on,
  untilOn: row.until_on,
  assignedBy: Number(row.assigned_by),
  endedBy: row.ended_by,
  personName: row.person_name,
  unitName: row.unit_name,
  unitPath: row.unit_path,
  officeName: row.office_name,
  officePath: row.office_path,
})

export async function contactById(db: Db, id: number): Promise<ContactRow | null> {
  const [row] = await selectContacts(db, sql`c.id = ${id}`)
  return row ? flat(row) : null
}

/** The branches that somebody keeps contact with. */
export async function contactsOf(db: Db, personId: number): Promise<ContactRow[]> {
  return (await selectContacts(db, sql`c.person_id = ${personId} and c.until_on is null`)).map(flat)
}

/** Who keeps contact with a branch. */
export async function contactsWith(db: Db, unitId: number): Promise<ContactRow[]> {
  return (await selectContacts(db, sql`c.unit_id = ${unitId} and c.until_on is null`)).map(flat)
}

/** Adds a contact; null when it is one already. */
export async function insertContact(db: Db, row: typeof contacts.$inferInsert): Promise<number | null> {
  const [inserted] = await db
    .insert(contacts)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: contacts.id })
  return inserted?.id ?? null
}

/** Ends a contact once; false when it had ended. */
export async function endContact(db: Db, id: number, today: string): Promise<boolean> {
  const rows = await db
    .update(contacts)
    .set({ untilOn: today, endedBy: 'word' })
    .where(and(eq(contacts.id, id), isNull(contacts.untilOn)))
    .returning({ id: contacts.id })
  return rows.length === 1
}

/** Records a visit; false when one of that day is recorded. */
export async function insertVisit(db: Db, row: typeof contactVisits.$inferInsert): Promise<boolean> {
  const rows = await db
    .insert(contactVisits)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: contactVisits.id })
  return rows.length === 1
}

/** The last visits of somebody, the newest first. */
export async function visitsOf(db: Db, personId: number, limit: number) {
  return db
    .select({
      id: contactVisits.id,
      unitName: units.name,
      visitedOn: contactVisits.visitedOn,
      place: contactVisits.place,
      note: contactVisits.note,
    })
    .from(contactVisits)
    .innerJoin(units, eq(units.id, contactVisits.unitId))
    .where(eq(contactVisits.personId, personId))
    .orderBy(sql`${contactVisits.visitedOn} desc`)
    .limit(limit)
}

/** The offices in which somebody owes contact. */
export async function officesOf(db: Db, personId: number, scope: ContactScope) {
  return db
    .selectDistinct({ id: units.id, name: units.name, path: units.path, kind: units.kind })
    .from(roles)
    .innerJoin(units, eq(units.id, roles.unitId))
    .where(
      and(
        eq(roles.personId, personId),
        isNull(roles.endedAt),
        eq(units.programme, scope.programme),
        sql`${units.kind} = any(${sql.param(scope.officeKinds)}::text[])`,
        sql`${roles.role} = any(${sql.param(scope.roles)}::text[])`,
      ),
    )
    .orderBy(asc(units.id))
}

/** A branch as somebody keeps contact with it. */
export interface KeptBranch {
  contactId: number
  unitId: number
  unitName: string
  sinceOn: string
  lastVisitOn: string | null
  visitsThisYear: number
  /** null: the branch has no group yet. */
  isInGroup: boolean | null
}

export interface Officer {
  personId: number
  name: string
  title: string | null
  officeId: number
  officeName: string
  branches: KeptBranch[]
}

/** Of `c` (a contact): what is kept of it, as JSON. */
const branchJson = (scope: ContactScope, year: string) => sql`
  json_build_object('contactId', c.id, 'unitId', c.unit_id, 'unitName', b.name, 'sinceOn', c.since_on,
    'lastVisitOn', (select max(v.visited_on) from contact_visits v where v.person_id = c.person_id and v.unit_id = c.unit_id),
    'visitsThisYear', (select count(*) from contact_visits v where v.person_id = c.person_id and v.unit_id = c.unit_id
      and v.visited_on >= ${`${year}-01-01`}::date),
    'isInGroup', (select case when count(*) = 0 then null else bool_or(exists (select from group_members m
        where m.group_id = g.id and m.person_id = c.person_id and m.left_at is null) or g.owner_id = c.person_id) end
      from groups g where g.unit_id = c.unit_id and g.dissolved_at is null
        and g.kind = any(${sql.param(scope.groupKinds)}::text[])))`

/** Everybody in the offices of a subtree who owes contact. */
const officersUnder = (scope: ContactScope, path: string) => sql`
  select r.person_id, r.unit_id as office_id, min(r.title) as title, u.name as office_name, u.path, p.name
  from roles r join units u on u.id = r.unit_id join persons p on p.id = r.person_id
  where r.ended_at is null and r.role = any(${sql.param(scope.roles)}::text[]) and u.programme = ${scope.programme}
    and u.kind = any(${sql.param(scope.officeKinds)}::text[]) and u.path like ${`${path}%`}
  group by r.person_id, r.unit_id, u.name, u.path, p.name`

export type OfficerState = 'no-branch' | 'not-in-group' | 'not-visited'

/** Of `o` (an officer): what is wanting. */
const wanting: Record<OfficerState, (scope: ContactScope, year: string, visits: number) => SQL> = {
  'no-branch': () =>
    sql`not exists (select from contacts c where c.person_id = o.person_id and c.until_on is null)`,
  'not-in-group':
    scope => sql`exists (select from contacts c join groups g on g.unit_id = c.unit_id and g.dissolved_at is null
      and g.kind = any(${sql.param(scope.groupKinds)}::text[])
    where c.person_id = o.person_id and c.until_on is null and g.owner_id is distinct from o.person_id
      and not exists (select from group_members m
        where m.group_id = g.id and m.person_id = o.person_id and m.left_at is null))`,
  'not-visited': (
    _scope,
    year,
    visits,
  ) => sql`exists (select from contacts c where c.person_id = o.person_id and c.until_on is null
    and (select count(*) from contact_visits v where v.person_id = c.person_id and v.unit_id = c.unit_id
      and v.visited_on >= ${`${year}-01-01`}::date) < ${visits})`,
}

export interface OfficerFilter {
  scope: ContactScope
  /** The path of the office: it and those below. */
  path: string
  /** `YYYY` of today. */
  year: string
  /** Visits that are owed a year. */
  visits: number
  state?: OfficerState | undefined
}

/** A page of the officers of an office and those below, the office itself first. */
export async function listOfficers(
  db: Db,
  { scope, path, year, visits, state }: OfficerFilter,
  place: { limit: number; offset: number },
): Promise<Officer[]> {
  const rows = await db.execute<{
    person_id: string
    name: string
    title: string | null
    office_id: string
    office_name: string
    branches: KeptBranch[] | null
  }>(sql`
    with o as (${officersUnder(scope, path)}), shown as (
      select * from o where ${state ? wanting[state](scope, year, visits) : sql`true`}
      order by length(path), path, name, person_id limit ${place.limit} offset ${place.offset}
    )
    select s.*, (select json_agg(${branchJson(scope, year)} order by c.id)
      from contacts c join units b on b.id = c.unit_id where c.person_id = s.person_id and c.until_on is null) as branches
    from shown s order by length(s.path), s.path, s.name, s.person_id`)
  return rows.map(row => ({
    personId: Number(row.person_id),
    name: row.name,
    title: row.title,
    officeId: Number(row.office_id),
    officeName: row.office_name,
    branches: row.branches ?? [],
  }))
}

export type OfficerCounts = Record<OfficerState | 'all', number>

export async function countOfficers(
  db: Db,
  { scope, path, year, visits }: OfficerFilter,
): Promise<OfficerCounts> {
  const count = (state: OfficerState) =>
    sql`(count(*) filter (where ${wanting[state](scope, year, visits)}))::int`
  const [row] = await db.execute<OfficerCounts>(sql`
    with o as (${officersUnder(scope, path)})
    select count(*)::int as all, ${count('no-branch')} as "no-branch", ${count('not-in-group')} as "not-in-group",
      ${count('not-visited')} as "not-visited" from o`)
  return row ?? { all: 0, 'no-branch': 0, 'not-in-group': 0, 'not-visited': 0 }
}

/** The branches of somebody, with what is kept of each. */
export async function branchesOf(
  db: Db,
  personId: number,
  scope: ContactScope,
  year: string,
): Promise<KeptBranch[]> {
  const [row] = await db.execute<{ branches: KeptBranch[] | null }>(sql`
    select json_agg(${branchJson(scope, year)} order by c.id) as branches
    from contacts c join units b on b.id = c.unit_id where c.person_id = ${personId} and c.until_on is null`)
  return row?.branches ?? []
}

export interface SuggestedBranch {
  id: number
  name: string
  parentName: string
  /** How many keep contact with it already. */
  contacts: number
}

/**
 * Branches of an office's area for somebody to keep contact with: those with the fewest contacts first, and among them
 * those of units whose branches have the fewest, so that contacts spread evenly.
 * @param name part of the name of the branch or of the unit above it
 */
export async function suggestBranches(
  db: Db,
  scope: ContactScope,
  path: string,
  personId: number,
  limit: number,
  name?: string,
): Promise<SuggestedBranch[]> {
  const rows = await db.execute<{ id: string; name: string; parent_name: string; contacts: number }>(sql`
    with branch as (
      select u.id, u.name, u.code, u.parent_id, count(c.id)::int as contacts,
        coalesce(bool_or(c.person_id = ${personId}), false) as is_theirs
      from units u left join contacts c on c.unit_id = u.id and c.until_on is null
      where u.programme = ${scope.programme} and u.kind = any(${sql.param(scope.branchKinds)}::text[])
        and u.path like ${`${path}%`}
      group by u.id
    ), ranked as (
      select *, sum(contacts) over (partition by parent_id) as beside, row_number() over (partition by parent_id order by contacts, code) as turn
      from branch
    )
    select r.id, r.name, coalesce(above.name, '') as parent_name, r.contacts from ranked r
    left join units above on above.id = r.parent_id
    where not r.is_theirs ${name === undefined ? sql`` : sql`and (position(${name} in r.name) > 0 or position(${name} in above.name) > 0)`}
    order by r.contacts, r.beside, r.turn, r.code limit ${limit}`)
  return rows.map(row => ({
    id: Number(row.id),
    name: row.name,
    parentName: row.parent_name,
    contacts: row.contacts,
  }))
}

/** How many branches of a subtree nobody keeps contact with, of how many. */
export async function branchCoverage(
  db: Db,
  scope: ContactScope,
  path: string,
): Promise<{ branches: number; kept: number }> {
  const [row] = await db.execute<{ branches: number; kept: number }>(sql`
    select count(*)::int as branches, (count(*) filter (where exists (select from contacts c
      where c.unit_id = u.id and c.until_on is null)))::int as kept
    from units u where u.programme = ${scope.programme} and u.kind = any(${sql.param(scope.branchKinds)}::text[])
      and u.path like ${`${path}%`}`)
  return row ?? { branches: 0, kept: 0 }
}

/** The contacts of a subtree's branches: who they are, and when they were there last. */
export async function contactsUnder(db: Db, path: string, place: { limit: number; offset: number }) {
  const rows = await db.execute<{
    unit_id: string
    unit_name: string
    person_name: string
    office_name: string
    since_on: string
    last_visit_on: string | null
  }>(sql`
    select u.id as unit_id, u.name as unit_name, p.name as person_name, office.name as office_name, c.since_on::text as since_on,
      (select max(v.visited_on)::text from contact_visits v where v.person_id = c.person_id and v.unit_id = c.unit_id) as last_visit_on
    from contacts c join units u on u.id = c.unit_id join units office on office.id = c.office_id
    join persons p on p.id = c.person_id
    where c.until_on is null and u.path like ${`${path}%`}
    order by u.code, c.id limit ${place.limit} offset ${place.offset}`)
  return rows.map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
    personName: row.person_name,
    officeName: row.office_name,
    sinceOn: row.since_on,
    lastVisitOn: row.last_visit_on,
  }))
}

/** Whether somebody is known to be in a group. */
export async function isMemberOf(db: Db, groupId: number, personId: number): Promise<boolean> {
  const rows = await db
    .select({ id: groupMembers.id })
    .from(groupMembers)
    .where(
      and(
        eq(groupMembers.groupId, groupId),
        eq(groupMembers.personId, personId),
        isNull(groupMembers.leftAt),
      ),
    )
    .limit(1)
  return rows.length > 0
}

export interface ToAsk {
  personId: number
  officeId: number
  officeName: string
  /** Empty: they keep no contact with any branch. */
  branches: string[]
}

/**
 * Notes and returns whom to ask on an asking day, each once: who keeps contact with no branch, or who has not visited theirs
 * this year.
 * @param since contacts that began later are not asked for a visit yet
 */
export async function takeContactAsks(
  db: Db,
  what: 'branch' | 'visit',
  ask: { scope: ContactScope; askOf: string; year: string; visits: number; since: string; now: Date },
): Promise<ToAsk[]> {
  const { scope, askOf, year, visits, since, now } = ask
  const due =
    what === 'branch'
      ? sql`select o.person_id, o.office_id, o.office_name, '[]'::json as branches from o
          where ${wanting['no-branch'](scope, year, visits)}`
      : sql`select o.person_id, o.office_id, o.office_name, json_agg(b.name order by c.id) as branches
          from o join contacts c on c.person_id = o.person_id and c.office_id = o.office_id and c.until_on is null
          join units b on b.id = c.unit_id
          where c.since_on <= ${since}::date and (select count(*) from contact_visits v
            where v.person_id = c.person_id and v.unit_id = c.unit_id and v.visited_on >= ${`${year}-01-01`}::date) < ${visits}
          group by o.person_id, o.office_id, o.office_name`
  const rows = await db.execute<{
    person_id: string
    office_id: string
    office_name: string
    branches: string[]
  }>(sql`
    with o as (${officersUnder(scope, '/')}), due as (${due}), noted as (
      insert into contact_asks (person_id, office_id, ask_of, asked_at)
      select person_id, office_id, ${askOf}::date, ${now.toISOString()}::timestamptz from due
      on conflict do nothing returning person_id, office_id
    )
    select due.* from due join noted using (person_id, office_id)`)
  return rows.map(row => ({
    personId: Number(row.person_id),
    officeId: Number(row.office_id),
    officeName: row.office_name,
    branches: row.branches,
  }))
}
