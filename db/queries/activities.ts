import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { activities, activityPeople, groups, persons, units } from '../schema/index.ts'
import { type Reach, withinReach } from './groups.ts'

export type ActivityRow = typeof activities.$inferSelect
export type ActivityInUnit = ActivityRow & {
  unitName: string
  unitPath: string
  programme: string
  reporterName: string | null
}

const inUnit = {
  activity: activities,
  unitName: units.name,
  unitPath: units.path,
  programme: units.programme,
  reporterName: persons.name,
}

function selectActivities(db: Db) {
  return db
    .select(inUnit)
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .leftJoin(persons, eq(persons.id, activities.reportedBy))
}

type Selected = Awaited<ReturnType<typeof selectActivities>>[number]
const flat = ({ activity, ...rest }: Selected): ActivityInUnit => ({ ...activity, ...rest })

export async function activityById(db: Db, id: number): Promise<ActivityInUnit | null> {
  const [row] = await selectActivities(db).where(eq(activities.id, id))
  return row ? flat(row) : null
}

/** The same, held until the transaction ends: people sign up for it one after the other. */
export async function lockActivity(db: Db, id: number): Promise<ActivityInUnit | null> {
  await db.execute(sql`select from activities where id = ${id} for update`)
  return activityById(db, id)
}

/** The announced activity of a check-in code. */
export async function activityByCode(db: Db, code: string): Promise<ActivityInUnit | null> {
  const [row] = await selectActivities(db).where(eq(activities.checkInCode, code))
  return row ? flat(row) : null
}

/** @returns its number; null: the check-in code is another's */
export async function insertAnnounced(db: Db, row: typeof activities.$inferInsert): Promise<number | null> {
  const [inserted] = await db
    .insert(activities)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: activities.id })
  return inserted?.id ?? null
}

/** What became of an announced activity; false: it is not announced any more. */
export async function settleAnnounced(
  db: Db,
  id: number,
  set: Pick<ActivityRow, 'status'> & Partial<Pick<ActivityRow, 'heldOn' | 'month' | 'heads' | 'confirmedAt'>>,
): Promise<boolean> {
  const rows = await db
    .update(activities)
    .set({ ...set, checkInCode: null })
    .where(and(eq(activities.id, id), eq(activities.status, 'announced')))
    .returning({ id: activities.id })
  return rows.length === 1
}

export type SignUpRow = typeof activityPeople.$inferSelect

/** How somebody stands with an activity: by this account, or by another of the same person. */
export async function signUpOf(
  db: Db,
  activityId: number,
  who: { identityId: number; personId: number | null },
): Promise<SignUpRow | null> {
  const [row] = await db
    .select()
    .from(activityPeople)
    .where(
      and(
        eq(activityPeople.activityId, activityId),
        sql`(${activityPeople.identityId} = ${who.identityId} or ${activityPeople.personId} = ${who.personId}::bigint)`,
      ),
    )
    .orderBy(asc(activityPeople.id))
    .limit(1)
  return row ?? null
}

export async function insertSignUp(db: Db, row: typeof activityPeople.$inferInsert): Promise<void> {
  await db.insert(activityPeople).values(row)
}

export async function updateSignUp(
  db: Db,
  id: number,
  set: Partial<Pick<SignUpRow, 'signedUpAt' | 'withdrawnAt' | 'checkedInAt' | 'personId'>>,
): Promise<void> {
  await db.update(activityPeople).set(set).where(eq(activityPeople.id, id))
}

/** Signed up and did not take it back. */
const stands = sql`${activityPeople.signedUpAt} is not null and ${activityPeople.withdrawnAt} is null`

export interface Attendance {
  signedUp: number
  came: number
}

export async function attendanceOf(db: Db, activityId: number): Promise<Attendance> {
  const [row] = await db
    .select({
      signedUp: sql<number>`(count(*) filter (where ${stands}))::int`,
      came: sql<number>`count(${activityPeople.checkedInAt})::int`,
    })
    .from(activityPeople)
    .where(eq(activityPeople.activityId, activityId))
  return row ?? { signedUp: 0, came: 0 }
}

/** A page of those who signed up or came, in the order in which they did. Who took it back and stayed away is left out. */
export function listPeople(db: Db, activityId: number, limit: number, offset: number) {
  return db
    .select({
      id: activityPeople.id,
      personId: activityPeople.personId,
      name: persons.name,
      signedUpAt: activityPeople.signedUpAt,
      withdrawnAt: activityPeople.withdrawnAt,
      checkedInAt: activityPeople.checkedInAt,
    })
    .from(activityPeople)
    .leftJoin(persons, eq(persons.id, activityPeople.personId))
    .where(
      and(
        eq(activityPeople.activityId, activityId),
        sql`((${stands}) or ${activityPeople.checkedInAt} is not null)`,
      ),
    )
    .orderBy(asc(activityPeople.id))
    .limit(limit)
    .offset(offset)
}

/** Those who signed up and did not take it back, a portion by their number. */
export async function peopleSignedUp(
  db: Db,
  activityId: number,
  after: number,
  limit: number,
): Promise<{ id: number; identityId: number }[]> {
  return db
    .select({ id: activityPeople.id, identityId: activityPeople.identityId })
    .from(activityPeople)
    .where(
      and(eq(activityPeople.activityId, activityId), stands, sql`${activityPeople.id} > ${after}::bigint`),
    )
    .orderBy(asc(activityPeople.id))
    .limit(limit)
}

/** An announced activity that begins within a span and whose people were not reminded: taken, so that they are once. */
export async function takeToRemind(db: Db, from: Date, until: Date, now: Date): Promise<number | null> {
  const rows = await db.execute<{ id: string }>(sql`
    update activities set reminded_at = ${now.toISOString()}::timestamptz where id = (
      select id from activities where status = 'announced' and reminded_at is null
        and starts_at > ${from.toISOString()}::timestamptz and starts_at < ${until.toISOString()}::timestamptz
      order by starts_at, id limit 1 for update skip locked)
    returning id`)
  return rows[0] ? Number(rows[0].id) : null
}

/** Announced activities that began before a moment and whose announcers were not asked what became of them: taken. */
export async function takeToSettle(db: Db, before: Date, now: Date, limit: number): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(sql`
    update activities set outcome_asked_at = ${now.toISOString()}::timestamptz where id in (
      select id from activities where status = 'announced' and outcome_asked_at is null
        and starts_at < ${before.toISOString()}::timestamptz
      order by starts_at, id limit ${limit} for update skip locked)
    returning id`)
  return rows.map(row => Number(row.id))
}

/** Several activities with how many signed up and came. */
export async function activitiesWithAttendance(
  db: Db,
  ids: number[],
): Promise<(ActivityInUnit & Attendance)[]> {
  if (ids.length === 0) return []
  const rows = await db
    .select({
      ...inUnit,
      signedUp: sql<number>`(select count(*) from activity_people p where p.activity_id = ${activities.id}
        and p.signed_up_at is not null and p.withdrawn_at is null)::int`,
      came: sql<number>`(select count(p.checked_in_at) from activity_people p where p.activity_id = ${activities.id})::int`,
    })
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .leftJoin(persons, eq(persons.id, activities.reportedBy))
    .where(sql`${activities.id} = any(${sql.param(ids)}::bigint[])`)
    .orderBy(asc(activities.id))
  return rows.map(({ signedUp, came, ...row }) => ({ ...flat(row), signedUp, came }))
}

/** The activities that somebody has announced and not settled, the next first. */
export async function announcedBy(db: Db, personId: number, limit: number): Promise<ActivityInUnit[]> {
  const rows = await selectActivities(db)
    .where(and(eq(activities.reportedBy, personId), eq(activities.status, 'announced')))
    .orderBy(asc(activities.startsAt))
    .limit(limit)
  return rows.map(flat)
}

/** The announced activities that one has signed up for, the next first. */
export async function signedUpFor(db: Db, identityId: number, limit: number): Promise<ActivityInUnit[]> {
  const rows = await db
    .select(inUnit)
    .from(activityPeople)
    .innerJoin(activities, eq(activities.id, activityPeople.activityId))
    .innerJoin(units, eq(units.id, activities.unitId))
    .leftJoin(persons, eq(persons.id, activities.reportedBy))
    .where(and(eq(activityPeople.identityId, identityId), stands, eq(activities.status, 'announced')))
    .orderBy(asc(activities.startsAt))
    .limit(limit)
  return rows.map(flat)
}

/** The announced activities of a month within reach, with how many signed up, the next first. */
export async function listAnnounced(
  db: Db,
  filter: { reach: Reach; month: string; unitPath?: string | undefined; groupId?: number | undefined },
  limit: number,
) {
  return db
    .select({
      id: activities.id,
      kind: activities.kind,
      title: activities.title,
      startsAt: activities.startsAt,
      place: activities.place,
      unitName: units.name,
      reporterName: persons.name,
      signedUp: sql<number>`(select count(*) from activity_people p where p.activity_id = ${activities.id}
        and p.signed_up_at is not null and p.withdrawn_at is null)::int`,
      came: sql<number>`(select count(p.checked_in_at) from activity_people p where p.activity_id = ${activities.id})::int`,
    })
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .leftJoin(groups, eq(groups.id, activities.groupId))
    .leftJoin(persons, eq(persons.id, activities.reportedBy))
    .where(
      and(
        eq(activities.status, 'announced'),
        eq(activities.month, filter.month),
        withinReach(filter.reach),
        filter.unitPath === undefined ? undefined : sql`${units.path} like ${`${filter.unitPath}%`}`,
        filter.groupId === undefined ? undefined : eq(activities.groupId, filter.groupId),
      ),
    )
    .orderBy(asc(activities.startsAt))
    .limit(limit)
}
