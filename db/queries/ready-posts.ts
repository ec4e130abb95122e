import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { coachedOwners, readyPosts } from '../schema/index.ts'

export type ReadyPostRow = typeof readyPosts.$inferSelect

export type ListedPost = ReadyPostRow & {
  unitName: string
  unitPath: string
  writerName: string
  /** Groups in which it was passed on. */
  uses: number
}

export async function insertReadyPost(db: Db, row: typeof readyPosts.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(readyPosts).values(row).returning({ id: readyPosts.id })
  return inserted?.id as number
}

/** From now on it is offered to nobody; false when it was over. */
export async function endReadyPost(db: Db, id: number, now: Date): Promise<boolean> {
  const rows = await db.execute(
    sql`update ready_posts set ends_at = ${now.toISOString()} where id = ${id} and ends_at > ${now.toISOString()} returning id`,
  )
  return rows.length === 1
}

async function selectPosts(
  db: Db,
  where: SQL,
  place: { limit: number; offset: number },
): Promise<ListedPost[]> {
  const rows = await db.execute<{
    id: string
    unit_id: string
    category: string
    body: string
    link: string | null
    written_by: string
    created_at: string
    ends_at: string
    unit_name: string
    unit_path: string
    writer_name: string
    uses: number
  }>(sql`
    select p.*, u.name as unit_name, u.path as unit_path, w.name as writer_name,
      (select count(*)::int from ready_post_uses x where x.post_id = p.id) as uses
    from ready_posts p join units u on u.id = p.unit_id join persons w on w.id = p.written_by
    where ${where} order by p.id desc limit ${place.limit} offset ${place.offset}`)
  return [...rows].map(row => ({
    id: Number(row.id),
    unitId: Number(row.unit_id),
    category: row.category,
    body: row.body,
    link: row.link,
    writtenBy: Number(row.written_by),
    createdAt: new Date(row.created_at),
    endsAt: new Date(row.ends_at),
    unitName: row.unit_name,
    unitPath: row.unit_path,
    writerName: row.writer_name,
    uses: row.uses,
  }))
}

export async function readyPostById(db: Db, id: number): Promise<ListedPost | null> {
  const [post] = await selectPosts(db, sql`p.id = ${id}`, { limit: 1, offset: 0 })
  return post ?? null
}

/** The posts of the units of some paths and below; what is offered now, or what is over. */
export function listReadyPosts(
  db: Db,
  paths: string[],
  now: Date,
  { isOver, ...place }: { isOver: boolean; limit: number; offset: number },
): Promise<ListedPost[]> {
  const when = isOver ? sql`p.ends_at <= ${now.toISOString()}` : sql`p.ends_at > ${now.toISOString()}`
  return selectPosts(
    db,
    sql`u.path like any(${sql.param(paths.map(path => `${path}%`))}::text[]) and ${when}`,
    place,
  )
}

/** A group of an owner with the categories of which nothing was sent in it in a month. */
export interface LackingGroup {
  ownerId: number
  groupId: number
  groupName: string
  categories: string[]
}

/** A post that somebody's groups can be given, and in which of them it was not yet. */
export interface OfferedPost {
  ownerId: number
  id: number
  category: string
  body: string
  link: string | null
  unitName: string
  groupIds: number[]
}

/** Of `g`, a group in use, with its unit `u`: its owner still stands in its line. */
const stands = sql`exists (select from roles r join units ru on ru.id = r.unit_id
  where r.person_id = g.owner_id and r.ended_at is null and (starts_with(u.path, ru.path) or starts_with(ru.path, u.path)))`

/** The groups of some owners and what was not sent in them in a month: a category that has no message at all. */
export async function lackingGroups(
  db: Db,
  ownerIds: number[],
  programmes: string[],
  categories: readonly string[],
  month: string,
): Promise<LackingGroup[]> {
  if (ownerIds.length === 0) return []
  const rows = await db.execute<{ owner_id: string; id: string; name: string; lacking: string[] }>(sql`
    select g.owner_id, g.id, g.name, array_agg(c.name order by c.place) as lacking
    from groups g join units u on u.id = g.unit_id
    cross join unnest(${sql.param([...categories])}::text[]) with ordinality as c (name, place)
    where g.owner_id = any(${sql.param(ownerIds)}::bigint[]) and g.dissolved_at is null
      and g.programme = any(${sql.param(programmes)}::text[]) and ${stands}
      and not exists (select from message_records m
        where m.group_id = g.id and m.month = ${month} and m.category = c.name and m.count > 0)
    group by g.owner_id, g.id, g.name order by g.owner_id, g.id`)
  return [...rows].map(row => ({
    ownerId: Number(row.owner_id),
    groupId: Number(row.id),
    groupName: row.name,
    categories: row.lacking,
  }))
}

/**
 * What the groups of some owners can be given: posts of their unit or one above that are offered now, each with the groups in
 * which it was not passed on yet. The newest first.
 */
export async function offeredPosts(
  db: Db,
  ownerIds: number[],
  programmes: string[],
  now: Date,
  postId: number | null = null,
): Promise<OfferedPost[]> {
  if (ownerIds.length === 0) return []
  const rows = await db.execute<{
    owner_id: string
    id: string
    category: string
    body: string
    link: string | null
    unit_name: string
    group_ids: string[]
  }>(sql`
    select g.owner_id, p.id, p.category, p.body, p.link, pu.name as unit_name, array_agg(g.id order by g.id) as group_ids
    from groups g join units u on u.id = g.unit_id
    join ready_posts p on p.unit_id = any(string_to_array(trim(both '/' from u.path), '/')::bigint[])
    join units pu on pu.id = p.unit_id
    where g.owner_id = any(${sql.param(ownerIds)}::bigint[]) and g.dissolved_at is null
      and g.programme = any(${sql.param(programmes)}::text[]) and p.ends_at > ${now.toISOString()} and ${stands}
      and (${postId}::bigint is null or p.id = ${postId}::bigint)
      and not exists (select from ready_post_uses x where x.post_id = p.id and x.group_id = g.id)
    group by g.owner_id, p.id, pu.name order by p.id desc`)
  return [...rows].map(row => ({
    ownerId: Number(row.owner_id),
    id: Number(row.id),
    category: row.category,
    body: row.body,
    link: row.link,
    unitName: row.unit_name,
    groupIds: row.group_ids.map(Number),
  }))
}

/**
 * Notes that a post was passed on in groups. @returns the groups in which it was not before: each counts once, whoever says
 * it twice
 */
export async function noteUses(
  db: Db,
  use: { postId: number; groupIds: number[]; usedBy: number; at: Date },
): Promise<number[]> {
  const rows = await db.execute<{ group_id: string }>(sql`
    insert into ready_post_uses (post_id, group_id, used_by, at)
    select ${use.postId}, id, ${use.usedBy}, ${use.at.toISOString()}
    from unnest(${sql.param(use.groupIds)}::bigint[]) as id on conflict do nothing returning group_id`)
  return [...rows].map(row => Number(row.group_id))
}

/** That a post was to go into a group by itself. */
export interface PostUse {
  postId: number
  body: string
  link: string | null
  groupId: number
  groupName: string
  programme: string
  usedBy: number
  at: Date
  /** Whether nobody knows if it is there. */
  isUnknown: boolean
}

/** The uses that a post into a group may be of: noted for that group in the moment in which it was made. */
export async function usesOfMessage(db: Db, outgoingId: number): Promise<PostUse[]> {
  const rows = await db.execute<{
    post_id: string
    body: string
    link: string | null
    group_id: string
    group_name: string
    programme: string
    used_by: string
    at: string
    is_unknown: boolean
  }>(sql`
    select x.post_id, p.body, p.link, x.group_id, g.name as group_name, g.programme, x.used_by, x.at,
      o.status = 'unknown' as is_unknown
    from outgoing_messages o
    join ready_post_uses x on x.group_id = o.group_id and x.at = o.created_at
    join ready_posts p on p.id = x.post_id join groups g on g.id = x.group_id
    where o.id = ${outgoingId} and o.kind in ('robot', 'appchat') and o.notice_id is null`)
  return [...rows].map(row => ({
    postId: Number(row.post_id),
    body: row.body,
    link: row.link,
    groupId: Number(row.group_id),
    groupName: row.group_name,
    programme: row.programme,
    usedBy: Number(row.used_by),
    at: new Date(row.at),
    isUnknown: row.is_unknown,
  }))
}

/**
 * Takes a use back, with what was counted for it in the same moment: the post can be passed on in the group as if it had
 * never been. @param masked the post's text as records show the beginning of it @returns what counts no more, as it stood; null: nothing did
 */
export async function takeBackUse(
  db: Db,
  { postId, groupId, usedBy, at }: PostUse,
  masked: string,
): Promise<{ id: number; unitId: number; month: string; category: string; count: number } | null> {
  await db.execute(sql`delete from ready_post_uses where post_id = ${postId} and group_id = ${groupId}`)
  const [row] = await db.execute<{
    id: string
    unit_id: string
    month: string
    category: string
    count: number
  }>(sql`
    with was as (
      select id, unit_id, month, category, count from message_records
      where reported_by = ${usedBy} and group_id = ${groupId} and source = 'forwarded'
        and created_at = ${at.toISOString()} and starts_with(${masked}, excerpt) and count > 0 for update
    )
    update message_records m set count = 0 from was where m.id = was.id
    returning m.id, was.unit_id, was.month, was.category, was.count`)
  return row
    ? {
        id: Number(row.id),
        unitId: Number(row.unit_id),
        month: row.month,
        category: row.category,
        count: row.count,
      }
    : null
}

/** Whether any post is offered at all: mostly there is nothing to look for. */
export async function isAnyOffered(db: Db, now: Date): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(
    sql`select exists (select from ready_posts where ends_at > ${now.toISOString()}) as found`,
  )
  return row?.found ?? false
}

/**
 * A portion of the owners who may be told: with groups below a unit that offers something, not told since a moment, and who
 * have not switched it off. By number, behind `after`.
 */
export async function ownersToTell(
  db: Db,
  input: { programmes: string[]; now: Date; toldBefore: Date; after: number; limit: number },
): Promise<number[]> {
  const rows = await db.execute<{ owner_id: string }>(sql`
    with offering as (
      select distinct u.path from ready_posts p join units u on u.id = p.unit_id where p.ends_at > ${input.now.toISOString()}
    )
    select distinct g.owner_id from groups g join units u on u.id = g.unit_id
    left join coached_owners c on c.person_id = g.owner_id
    where g.owner_id > ${input.after} and g.dissolved_at is null and g.programme = any(${sql.param(input.programmes)}::text[])
      and c.off_at is null and (c.told_at is null or c.told_at < ${input.toldBefore.toISOString()})
      and exists (select from offering o where starts_with(u.path, o.path))
    order by g.owner_id limit ${input.limit}`)
  return [...rows].map(row => Number(row.owner_id))
}

/** Notes that owners are told now. @returns those who had not been since the moment: nobody is told twice */
export async function noteTold(
  db: Db,
  personIds: number[],
  toldBefore: Date,
  now: Date,
): Promise<Set<number>> {
  if (personIds.length === 0) return new Set()
  const rows = await db.execute<{ person_id: string }>(sql`
    insert into coached_owners (person_id, told_at)
    select id, ${now.toISOString()}::timestamptz from unnest(${sql.param(personIds)}::bigint[]) as id
    on conflict (person_id) do update set told_at = excluded.told_at
    where coached_owners.off_at is null
      and (coached_owners.told_at is null or coached_owners.told_at < ${toldBefore.toISOString()})
    returning person_id`)
  return new Set([...rows].map(row => Number(row.person_id)))
}

/** Switches the coach off for an owner, or on again. */
export async function switchCoach(db: Db, personId: number, offAt: Date | null): Promise<void> {
  await db
    .insert(coachedOwners)
    .values({ personId, offAt })
    .onConflictDoUpdate({ target: coachedOwners.personId, set: { offAt } })
}

/** Practices that units have spread by a notice (好做法), the newest first: they can be offered as they were written. */
export async function spreadPractices(
  db: Db,
  unitIds: number[],
  limit: number,
): Promise<{ id: number; body: string; unitId: number }[]> {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{ id: string; body: string; unit_id: string }>(sql`
    select id, body, unit_id from notices
    where unit_id = any(${sql.param(unitIds)}::bigint[]) and starts_with(body, '【经验做法】') and withdrawn_at is null
    order by id desc limit ${limit}`)
  return [...rows].map(row => ({ id: Number(row.id), body: row.body, unitId: Number(row.unit_id) }))
}
