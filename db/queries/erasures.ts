import { desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { erasures } from '../schema/index.ts'
import { dropStagingsOf } from './roster-staging.ts'

export type ErasureRow = typeof erasures.$inferSelect

/** What is put in place of a text that has been erased: sealed where the column is. */
export interface ErasedWords {
  name: string
  text: string
  sealedText: string
}

const list = (ids: readonly number[]) => sql`${sql.param(ids)}::bigint[]`
const moment = (at: Date) => sql`${at.toISOString()}::timestamptz`

/** Somebody who stands somewhere: has a role or a roster entry, owns a group in use, or looks after the server. */
const stands = (person: SQL) => sql`(
  exists (select from roles r where r.person_id = ${person} and r.ended_at is null)
  or exists (select from roster_entries e where e.person_id = ${person} and e.gone_import_id is null)
  or exists (select from groups g where g.owner_id = ${person} and g.dissolved_at is null)
  or exists (select from administrators a where a.person_id = ${person} and a.ended_at is null))`

/** Whether somebody stands anywhere: then their name is the roster's. */
export async function standsAnywhere(db: Db, personId: number): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(sql`select ${stands(sql`${personId}::bigint`)} as found`)
  return row?.found ?? false
}

/** Takes the numbers of persons, and what imports had put aside of them. */
export async function eraseNumbers(db: Db, personIds: number[]): Promise<void> {
  await db.execute(sql`
    update persons set phone_sealed = null, phone_index = null, id_number_sealed = null, id_number_index = null,
      id_tail_index = null, wechat_sealed = null, wechat_index = null
    where id = any(${list(personIds)})`)
  await db.execute(sql`delete from roster_person_changes where person_id = any(${list(personIds)})`)
}

/** The same of ID numbers alone. */
export async function eraseIdNumber(db: Db, personId: number): Promise<boolean> {
  const rows = await db.execute(sql`
    update persons set id_number_sealed = null, id_number_index = null, id_tail_index = null
    where id = ${personId} and (id_number_sealed is not null or id_number_index is not null or id_tail_index is not null)
    returning id`)
  await db.execute(sql`
    update roster_person_changes set before = before - '{idNumberSealed,idNumberIndex,idTailIndex}'::text[]
    where person_id = ${personId}`)
  return rows.length > 0
}

/**
 * Takes the names of those among the persons who stand nowhere, with what else their former roster rows say in columns
 * that no form needs. @returns whose name was taken
 */
export async function eraseNames(
  db: Db,
  personIds: number[],
  words: ErasedWords,
  now: Date,
): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(sql`
    update persons p set name = ${words.name}, name_key = '', sound_key = ''
    where id = any(${list(personIds)}) and not ${stands(sql`p.id`)} returning id`)
  const ids = rows.map(row => Number(row.id))
  await db.execute(sql`
    update roster_entries set extra = '{}', post = null, university = null
    where person_id = any(${list(ids)})`)
  await db.execute(sql`
    update tasks set why = ${words.text}, closed_at = coalesce(closed_at, ${moment(now)}), closed_by = coalesce(closed_by, 'void')
    where person_id = any(${list(ids)})`)
  return ids
}

const requestsOf = (personIds: number[]) => sql`
  select r.id from join_requests r left join identities i on i.id = r.identity_id
  where i.person_id = any(${list(personIds)}) or r.person_id = any(${list(personIds)})`

/** Takes what persons wrote to be let into groups; what still waits is given up. The decisions stay, without words. */
export async function eraseRequests(
  db: Db,
  personIds: number[],
  words: ErasedWords,
  now: Date,
): Promise<void> {
  await db.execute(sql`
    update join_decisions set note_sealed = null, seen = '[]' where request_id in (${requestsOf(personIds)})`)
  await db.execute(sql`
    update join_requests set text_sealed = ${words.sealedText}, explanation = ${words.text},
      decided_at = case when decision = 'referred' then ${moment(now)} else decided_at end,
      decision = case when decision = 'referred' then 'rejected' else decision end,
      escalate_at = null, awaits_room_since = null
    where id in (${requestsOf(personIds)})`)
}

/** Takes what persons have sent up, with its pictures, and ends it; what the offices did stays, without words of theirs. */
export async function eraseSlips(db: Db, personIds: number[], words: ErasedWords, now: Date): Promise<void> {
  const own = sql`select id from slips where reporter_id = any(${list(personIds)})`
  await db.execute(sql`delete from slip_files where slip_id in (${own})`)
  await db.execute(sql`
    update slip_steps set text_sealed = null where slip_id in (${own}) and actor_id = any(${list(personIds)})`)
  // what was merged into one of them goes on without it, the oldest for the others
  await db.execute(sql`
    with heir as (
      select merged_into as main, min(id) as id from slips
      where status = 'merged' and merged_into in (${own}) and reporter_id <> all(${list(personIds)}) group by merged_into
    )
    update slips s set status = case when s.id = heir.id then main.status else s.status end,
      due_at = case when s.id = heir.id then main.due_at end,
      merged_into = case when s.id = heir.id then null else heir.id end
    from heir join slips main on main.id = heir.main
    where s.merged_into = heir.main and s.status = 'merged' and s.reporter_id <> all(${list(personIds)})`)
  await db.execute(sql`
    update slips set body_sealed = ${words.sealedText}, status = 'closed', due_at = null, merged_into = null,
      ended_at = coalesce(ended_at, ${moment(now)}) where id in (${own})`)
}

/** Takes what persons said when they called for help; nobody is told of calls of theirs any more. */
export async function eraseDanger(db: Db, personIds: number[], now: Date): Promise<void> {
  const own = sql`select c.id from danger_calls c join identities i on i.id = c.identity_id
    where c.person_id = any(${list(personIds)}) or i.person_id = any(${list(personIds)})`
  await db.execute(sql`update danger_steps set text_sealed = null where call_id in (${own})`)
  await db.execute(sql`
    update alert_verdicts set text_sealed = '' where claimed_by = any(${list(personIds)}) and verdict <> 'asked'`)
  await db.execute(sql`
    delete from alert_verdicts where claimed_by = any(${list(personIds)}) and verdict = 'asked'`)
  await db.execute(sql`
    update danger_calls set status = 'closed', ended_at = ${moment(now)}, due_at = null, pass_on_at = null
    where id in (${own}) and ended_at is null`)
}

/** Takes what was said in calls for help that were made before a moment, and ends what nobody has. @returns how many */
export async function eraseOldDanger(db: Db, before: Date, now: Date, limit: number): Promise<number> {
  const rows = await db.execute<{ id: string }>(sql`
    with old as (
      select id from danger_calls c where created_at < ${moment(before)} and (ended_at is null or exists (
        select from danger_steps s where s.call_id = c.id and s.text_sealed is not null)) order by id limit ${limit}
    ), wordless as (
      update danger_steps set text_sealed = null where call_id in (select id from old)
    )
    update danger_calls set status = case when ended_at is null then 'closed' else status end,
      ended_at = coalesce(ended_at, ${moment(now)}), due_at = null, pass_on_at = null
    where id in (select id from old) returning id`)
  return rows.length
}

/**
 * Takes the pictures that persons have sent, what they signed up for and answered, and what the platform says of their
 * groups. Activities that were held keep their number of heads. To be called while their accounts are still theirs.
 */
export async function eraseActivity(db: Db, personIds: number[]): Promise<void> {
  const accounts = sql`select id from identities where person_id = any(${list(personIds)})`
  await db.execute(sql`delete from awaited_pictures where uploaded_by = any(${list(personIds)})`)
  await db.execute(sql`delete from record_files where uploaded_by = any(${list(personIds)})`)
  await db.execute(sql`
    delete from activity_people where person_id = any(${list(personIds)}) or identity_id in (${accounts})`)
  await db.execute(sql`delete from post_asks where person_id = any(${list(personIds)})`)
  await db.execute(sql`delete from post_questions where person_id = any(${list(personIds)})`)
  await db.execute(sql`
    delete from owner_chat_days d using identities i
    where i.person_id = any(${list(personIds)}) and d.channel = i.channel and d.owner_user_id = i.address`)
}

/** Takes sign-ups of activities that were before a day. @returns how many */
export async function eraseOldSignUps(db: Db, beforeDay: string, limit: number): Promise<number> {
  const rows = await db.execute(sql`
    delete from activity_people where id in (
      select p.id from activity_people p join activities a on a.id = p.activity_id
      where a.held_on < ${beforeDay}::date order by p.id limit ${limit})
    returning 1`)
  return rows.length
}

/** Takes what was sent to persons and what they were in the middle of. What is on its way this moment goes at its own time. */
export async function eraseMessages(db: Db, personIds: number[]): Promise<void> {
  const accounts = sql`select id from identities where person_id = any(${list(personIds)})`
  await db.execute(sql`
    update outgoing_messages set texts_sealed = '', files_sealed = null, card_sealed = null,
      status = case when status in ('pending', 'retrying', 'waiting') then 'failed' else status end,
      error = case when status in ('pending', 'retrying', 'waiting') then '本人的信息已删除' else error end
    where status <> 'sending' and texts_sealed <> ''
      and (person_id = any(${list(personIds)}) or identity_id in (${accounts}))`)
  await db.execute(sql`delete from result_pages where person_id = any(${list(personIds)})`)
  await db.execute(sql`delete from conversations where identity_id in (${accounts})`)
}

/** Ends everything by which persons are known: accounts, sessions, codes, tokens. The accounts stay, as nobody's. */
export async function endAccess(db: Db, personIds: number[], now: Date): Promise<void> {
  const of = sql`person_id = any(${list(personIds)})`
  await db.execute(sql`
    update identities set person_id = null, bound_at = null, bound_by = null, union_id = null where ${of}`)
  await db.execute(sql`
    update sessions set ended_at = coalesce(ended_at, ${moment(now)}), device = '' where ${of}`)
  await db.execute(sql`update sign_in_links set used_at = ${moment(now)} where ${of} and used_at is null`)
  await db.execute(sql`update binding_codes set used_at = ${moment(now)} where ${of} and used_at is null`)
  await db.execute(sql`
    update api_tokens set ended_at = ${moment(now)} where created_by = any(${list(personIds)}) and ended_at is null`)
  await db.execute(sql`
    update consents set withdrawn_at = ${moment(now)} where ${of} and withdrawn_at is null`)
}

/** Takes what persons said of themselves in open groups, and what groups call them. */
export async function eraseRegistrations(db: Db, personIds: number[], now: Date): Promise<void> {
  const of = sql`person_id = any(${list(personIds)})`
  await db.execute(sql`delete from registrations where ${of}`)
  await db.execute(sql`
    update group_members set left_at = ${moment(now)} where ${of} and known_by = 'registration' and left_at is null`)
  await db.execute(sql`
    update group_members set nickname = null, address = case when left_at is null then address end where ${of}`)
}

/**
 * Gives up the roster files that wait to be applied, or are being applied, and may hold a person: those of the units where they stand or stood,
 * and of the units above. A file that is made anew says what its office means now.
 */
export async function giveUpDraftsWith(db: Db, personIds: number[], error: string): Promise<void> {
  const drafts = await db.execute<{ id: string }>(sql`
    update roster_drafts d set status = 'given_up', file_sealed = null, error = ${error}
    from units top
    where top.id = d.unit_id and d.status in ('uploaded', 'checking', 'failed', 'applying') and exists (
      select from (
        select unit_id from roles where person_id = any(${list(personIds)})
        union select unit_id from roster_entries where person_id = any(${list(personIds)})
      ) place join units u on u.id = place.unit_id where starts_with(u.path, top.path))
    returning d.id`)
  for (const { id } of drafts) await dropStagingsOf(db, Number(id))
}

export async function insertErasures(db: Db, rows: (typeof erasures.$inferInsert)[]): Promise<void> {
  if (rows.length > 0) await db.insert(erasures).values(rows)
}

/** The erasures of a person, the newest first. */
export function erasuresOf(db: Db, personId: number): Promise<ErasureRow[]> {
  return db
    .select()
    .from(erasures)
    .where(eq(erasures.personId, personId))
    .orderBy(desc(erasures.id))
    .limit(50)
}

/**
 * Persons of the roster whose last service or role ended before a moment, and of whom anything is left to erase. A service
 * is over on its last day, or when an import no longer had it. While the roster still lists one that is over, the name
 * stays with it and only the rest is left to erase; the name is once the entry is closed.
 * @param gone.lastDay of a service that counts as over, `YYYY-MM-DD`
 * @param among only of these; left out: of all
 */
export async function personsLongGone(
  db: Db,
  { before, lastDay, erasedName }: { before: Date; lastDay: string; erasedName: string },
  limit: number,
  among?: number[],
): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select p.id from persons p
    where ${among === undefined ? sql`true` : sql`p.id = any(${list(among)})`}
      and (p.name <> ${erasedName} or p.phone_sealed is not null or p.id_number_sealed is not null
        or p.wechat_sealed is not null or p.wechat_index is not null)
      and p.created_at < ${moment(before)}
      and exists (select from roster_entries e where e.person_id = p.id)
      and not exists (select from roster_entries e left join roster_imports i on i.id = e.gone_import_id
        where e.person_id = p.id and (
          (e.gone_import_id is null and (e.ends_on is null or e.ends_on > ${lastDay}::date))
          or i.applied_at >= ${moment(before)}))
      and not exists (select from roles r where r.person_id = p.id
        and (r.ended_at is null or r.ended_at >= ${moment(before)}))
      and not exists (select from registrations g where g.person_id = p.id)
      and not exists (select from groups g where g.owner_id = p.id and g.dissolved_at is null)
      and not exists (select from administrators a where a.person_id = p.id and a.ended_at is null)
      -- a university that keeps their 户口 or 档案 must know whose it is
      and not exists (select from volunteer_files f join volunteer_keeps k on k.file_id = f.id
        where f.person_id = p.id and k.ended_on is null)
      and not (p.phone_sealed is null and p.id_number_sealed is null and p.wechat_sealed is null and p.wechat_index is null
        and exists (select from erasures x where x.person_id = p.id and x.why = 'retention') and ${stands(sql`p.id`)})
    order by p.id limit ${limit}`)
  return rows.map(row => Number(row.id))
}

/** Takes the words of requests that were decided before a moment. @returns how many */
export async function eraseOldRequests(
  db: Db,
  before: Date,
  words: ErasedWords,
  limit: number,
): Promise<number> {
  const rows = await db.execute<{ id: string }>(sql`
    update join_requests set text_sealed = ${words.sealedText}, explanation = ${words.text}
    where id in (
      select id from join_requests where decision in ('approved', 'rejected') and explanation <> ${words.text}
        and coalesce(decided_at, created_at) < ${moment(before)} order by id limit ${limit})
    returning id`)
  const ids = rows.map(row => Number(row.id))
  if (ids.length > 0)
    await db.execute(sql`
      update join_decisions set note_sealed = null, seen = '[]' where request_id = any(${list(ids)})`)
  return ids.length
}

/** Takes the first words of messages recorded before a day. @returns how many */
export async function eraseOldExcerpts(db: Db, beforeDay: string, limit: number): Promise<number> {
  const rows = await db.execute(sql`
    update message_records set excerpt = null where id in (
      select id from message_records where excerpt is not null and recorded_on < ${beforeDay}::date
      order by id limit ${limit})
    returning id`)
  return rows.length
}

/** Deletes sessions, sign-in links and codes that have been over since before a moment. */
export async function deleteOldAccess(db: Db, before: Date): Promise<void> {
  for (const table of ['sessions', 'sign_in_links', 'binding_codes'])
    await db.execute(sql`delete from ${sql.identifier(table)} where expires_at < ${moment(before)}`)
}
