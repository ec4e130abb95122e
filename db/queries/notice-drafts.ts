import { and, desc, eq, gte, inArray, isNotNull, isNull, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { type NoticeContent, noticeDrafts, persons, units } from '../schema/index.ts'

export type DraftStatus = 'draft' | 'waiting' | 'ready' | 'sent' | 'dropped' | 'failed'

export type NoticeDraft = Omit<typeof noticeDrafts.$inferSelect, 'status'> & {
  status: DraftStatus
  unitName: string
  unitPath: string
  programme: string
  level: string
  authorName: string
  /** Of whoever let it pass or sent it back. */
  deciderName: string | null
}

const author = alias(persons, 'author')
const decider = alias(persons, 'decider')

const within = (paths: string[]) =>
  sql`exists (select from unnest(${sql.param(paths)}::text[]) as top (path) where starts_with(${units.path}, top.path))`

function drafts(db: Db, where: SQL | undefined) {
  return db
    .select({
      draft: noticeDrafts,
      unitName: units.name,
      unitPath: units.path,
      programme: units.programme,
      level: units.level,
      authorName: author.name,
      deciderName: decider.name,
    })
    .from(noticeDrafts)
    .innerJoin(units, eq(units.id, noticeDrafts.unitId))
    .innerJoin(author, eq(author.id, noticeDrafts.authorId))
    .leftJoin(decider, eq(decider.id, noticeDrafts.decidedBy))
    .where(where)
}

const flat = ({ draft, ...rest }: Awaited<ReturnType<typeof drafts>>[number]): NoticeDraft => ({
  ...draft,
  status: draft.status as DraftStatus,
  ...rest,
})

export async function insertNoticeDraft(db: Db, row: typeof noticeDrafts.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(noticeDrafts).values(row).returning({ id: noticeDrafts.id })
  return inserted?.id as number
}

export async function noticeDraftById(db: Db, id: number): Promise<NoticeDraft | null> {
  const [row] = await drafts(db, eq(noticeDrafts.id, id))
  return row ? flat(row) : null
}

/** The same, held until the end of the transaction, so that it is decided once. */
export async function lockNoticeDraft(db: Db, id: number): Promise<NoticeDraft | null> {
  await db.select({ id: noticeDrafts.id }).from(noticeDrafts).where(eq(noticeDrafts.id, id)).for('update')
  return noticeDraftById(db, id)
}

export async function changeNoticeDraft(
  db: Db,
  id: number,
  set: Partial<Omit<typeof noticeDrafts.$inferInsert, 'id' | 'status'>> & { status?: DraftStatus },
): Promise<void> {
  await db.update(noticeDrafts).set(set).where(eq(noticeDrafts.id, id))
}

/** The draft that a doubled form has just made already: the same words from the same hand. */
export async function sameDraftSince(
  db: Db,
  same: { authorId: number; unitId: number; content: NoticeContent },
  statuses: DraftStatus[],
  since: Date,
): Promise<number | null> {
  const [row] = await db
    .select({ id: noticeDrafts.id })
    .from(noticeDrafts)
    .where(
      and(
        eq(noticeDrafts.authorId, same.authorId),
        eq(noticeDrafts.unitId, same.unitId),
        inArray(noticeDrafts.status, statuses),
        sql`${noticeDrafts.content} = ${JSON.stringify(same.content)}::jsonb`,
        sql`${noticeDrafts.updatedAt} > ${since.toISOString()}::timestamptz`,
      ),
    )
    .orderBy(desc(noticeDrafts.id))
    .limit(1)
  return row?.id ?? null
}

/**
 * What somebody has not sent yet, or could not be sent; what was changed last first.
 * @param paths of the units that they run: of others only what they are still writing is theirs
 */
export async function openDraftsOf(
  db: Db,
  personId: number,
  paths: string[],
  place: { limit: number; offset: number },
): Promise<NoticeDraft[]> {
  const rows = await drafts(
    db,
    and(
      eq(noticeDrafts.authorId, personId),
      inArray(noticeDrafts.status, ['draft', 'waiting', 'ready', 'failed']),
      or(
        within(paths),
        and(
          eq(noticeDrafts.status, 'draft'),
          isNull(noticeDrafts.decidedBy),
          isNull(noticeDrafts.scheduleStep),
        ),
      ),
    ),
  )
    .orderBy(desc(noticeDrafts.updatedAt), desc(noticeDrafts.id))
    .limit(place.limit)
    .offset(place.offset)
  return rows.map(flat)
}

/** The correction of a notice that is written and not sent. @param unitId of the notice */
export async function openCorrectionOf(
  db: Db,
  unitId: number,
  noticeId: number,
): Promise<NoticeDraft | null> {
  const [row] = await drafts(
    db,
    and(
      eq(noticeDrafts.unitId, unitId),
      inArray(noticeDrafts.status, ['draft', 'waiting', 'ready', 'failed']),
      sql`${noticeDrafts.content} -> 'audience' -> 'gotNotice' = to_jsonb(${noticeId}::bigint)`,
    ),
  )
    .orderBy(noticeDrafts.id)
    .limit(1)
  return row ? flat(row) : null
}

/** Drafts of these subtrees that wait for a second person: of others than this one. */
export async function draftsToApprove(
  db: Db,
  paths: string[],
  exceptAuthorId: number,
  limit: number,
): Promise<NoticeDraft[]> {
  if (paths.length === 0) return []
  const rows = await drafts(
    db,
    and(eq(noticeDrafts.status, 'waiting'), ne(noticeDrafts.authorId, exceptAuthorId), within(paths)),
  )
    .orderBy(noticeDrafts.updatedAt, noticeDrafts.id)
    .limit(limit)
  return rows.map(flat)
}

/** Drafts of these subtrees that go out at their time, the next first. */
export async function plannedDrafts(db: Db, paths: string[], limit: number): Promise<NoticeDraft[]> {
  if (paths.length === 0) return []
  const rows = await drafts(
    db,
    and(eq(noticeDrafts.status, 'ready'), isNotNull(noticeDrafts.sendAt), within(paths)),
  )
    .orderBy(noticeDrafts.sendAt, noticeDrafts.id)
    .limit(limit)
  return rows.map(flat)
}

/**
 * Takes one draft whose time has come, held until the end of the transaction; what another process holds is passed over.
 * @param except drafts that could not be sent in this run
 */
export async function takeDueDraft(db: Db, now: Date, except: number[]): Promise<NoticeDraft | null> {
  const [row] = await db
    .select({ id: noticeDrafts.id })
    .from(noticeDrafts)
    .where(
      and(
        eq(noticeDrafts.status, 'ready'),
        lte(noticeDrafts.sendAt, now),
        sql`${noticeDrafts.id} <> all(${sql.param(except)}::bigint[])`,
      ),
    )
    .orderBy(noticeDrafts.sendAt, noticeDrafts.id)
    .limit(1)
    .for('update', { skipLocked: true })
  return row ? noticeDraftById(db, row.id) : null
}

/** Drafts that still wait for a second person although their time has come: each fails, once. */
export async function takeLateDrafts(db: Db, now: Date, limit: number): Promise<NoticeDraft[]> {
  const rows = await db.execute<{ id: string }>(sql`
    update notice_drafts set status = 'failed', reason = '到时间还没有第二人审核'
    where id in (
      select id from notice_drafts where status = 'waiting' and send_at <= ${now.toISOString()}::timestamptz
      order by id limit ${limit} for update skip locked)
    returning id`)
  if (rows.length === 0) return []
  const taken = await drafts(
    db,
    inArray(
      noticeDrafts.id,
      [...rows].map(row => Number(row.id)),
    ),
  )
  return taken.map(flat)
}

/** How many notices of an author wait for a second person, but for one. Counted by one at a time. */
export async function countWaitingOf(db: Db, authorId: number, exceptId: number): Promise<number> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`drafts-waiting:${authorId}`}))`)
  return db.$count(
    noticeDrafts,
    and(
      eq(noticeDrafts.authorId, authorId),
      eq(noticeDrafts.status, 'waiting'),
      ne(noticeDrafts.id, exceptId),
      isNull(noticeDrafts.scheduleStep),
      // what corrects another stands in no line
      sql`not ${noticeDrafts.content} -> 'audience' ? 'gotNotice'`,
    ),
  )
}

/** Notices of an author that go out at a time between two, and that nobody else has looked at; the next first. */
export async function readyDraftsOf(
  db: Db,
  authorId: number,
  { from, to }: { from: Date; to: Date },
): Promise<NoticeDraft[]> {
  const rows = await drafts(
    db,
    and(
      eq(noticeDrafts.authorId, authorId),
      eq(noticeDrafts.status, 'ready'),
      isNull(noticeDrafts.decidedBy),
      gte(noticeDrafts.sendAt, from),
      lte(noticeDrafts.sendAt, to),
    ),
  )
    .orderBy(noticeDrafts.sendAt)
    .limit(20)
  return rows.map(flat)
}

/** How many drafts that still wait each person has been asked about one by one since a moment, one draft left out. */
export async function callsSince(db: Db, since: Date, exceptId: number): Promise<Map<number, number>> {
  const rows = await db.execute<{ person_id: string; count: number }>(sql`
    select person.id as person_id, count(distinct d.id)::int as count
    from notice_drafts d, jsonb_to_recordset(d.calls) as call (at text, "personIds" jsonb, "isReminder" boolean),
      jsonb_array_elements_text(call."personIds") as person (id)
    where d.status = 'waiting' and d.id <> ${exceptId} and not call."isReminder"
      and call.at::timestamptz > ${since.toISOString()}::timestamptz
    group by 1`)
  return new Map([...rows].map(row => [Number(row.person_id), row.count]))
}

/** Stops the requests to look at a draft that have not gone out, as those that wait for the morning. */
export async function cancelCalls(db: Db, draftId: number, why: string): Promise<void> {
  await db.execute(sql`
    update outgoing_messages set status = 'cancelled', error = ${why}
    where status in ('pending', 'retrying', 'waiting') and sent_count = 0 and id in (
      select message.id::bigint from notice_drafts d, jsonb_array_elements(d.calls) as call (it),
        jsonb_array_elements_text(call.it -> 'messageIds') as message (id)
      where d.id = ${draftId})`)
}

/** Takes drafts that wait and whose approvers are to be called again, held until the end of the transaction. */
export async function takeDraftsToCall(db: Db, now: Date, limit: number): Promise<NoticeDraft[]> {
  const held = await db.execute<{ id: string }>(sql`
    select id from notice_drafts
    where status = 'waiting' and call_again_at is not null and call_again_at <= ${now.toISOString()}::timestamptz
      and (send_at is null or send_at > ${now.toISOString()}::timestamptz)
    order by call_again_at, id limit ${limit} for update skip locked`)
  if (held.length === 0) return []
  const rows = await drafts(
    db,
    inArray(
      noticeDrafts.id,
      [...held].map(row => Number(row.id)),
    ),
  ).orderBy(noticeDrafts.id)
  return rows.map(flat)
}

/** Somebody who may look at a notice of a unit before it goes. */
export interface Approver {
  personId: number
  name: string
  unitId: number
  unitName: string
  /** Has an account that can be written to. */
  isReachable: boolean
}

/**
 * Who runs a unit or one above it, but one person: those of the unit itself first.
 * @param managing the roles by which somebody runs a unit
 */
export async function approversOf(
  db: Db,
  unitPath: string,
  managing: { programme: string; role: string }[],
  exceptPersonId: number,
): Promise<Approver[]> {
  const line = unitPath.split('/').filter(Boolean).map(Number)
  const rows = await db.execute<{
    person_id: string
    name: string
    unit_id: string
    unit_name: string
    is_reachable: boolean
  }>(sql`
    select r.person_id, p.name, u.id as unit_id, u.name as unit_name, exists (
      select from identities i where i.person_id = r.person_id and i.is_reachable
        and i.channel in ('wecom', 'official-account')) as is_reachable
    from roles r
    join units u on u.id = r.unit_id
    join persons p on p.id = r.person_id
    join unnest(${sql.param(managing.map(each => each.programme))}::text[],
      ${sql.param(managing.map(each => each.role))}::text[]) as m (programme, role)
      on m.programme = u.programme and m.role = r.role
    where u.id = any(${sql.param(line)}::bigint[]) and r.ended_at is null and r.person_id <> ${exceptPersonId}
    group by r.person_id, p.name, u.id
    order by length(u.path) desc, min(r.id)
    limit 200`)
  return [...rows].map(row => ({
    personId: Number(row.person_id),
    name: row.name,
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
    isReachable: row.is_reachable,
  }))
}
