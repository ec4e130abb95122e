import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  persons,
  volunteerFiles,
  volunteerKeeps,
  volunteerMentors,
  volunteerSteps,
  volunteerTouches,
} from '../schema/index.ts'

export type VolunteerFileRow = typeof volunteerFiles.$inferSelect
export type VolunteerKeepRow = typeof volunteerKeeps.$inferSelect

/** One row of the roster, as it stands or stood. */
export interface VolunteerTermRow {
  id: number
  startsOn: string | null
  endsOn: string | null
  /** 在岗, 待派遣 or 离岗. */
  status: string
  category: string | null
  university: string | null
  branch: string
  county: string | null
  post: string | null
  /** The day of the import that brought it. */
  saidOn: string
  /** The day of the import that no longer had it; null while it stands. */
  goneOn: string | null
}

export interface ListedVolunteer {
  fileId: number
  personId: number
  name: string
  collegeId: number | null
  college: string | null
  year: number | null
  mentorId: number | null
  mentor: string | null
  /** The mentor still belongs to the university or the college. */
  mentorStands: boolean
  /** The last day of a touch. */
  lastTouch: string | null
  steps: { step: string; on: string }[]
  terms: VolunteerTermRow[]
}

/** How the roster writes volunteers. */
export interface VolunteerScope {
  programme: string
  roles: string[]
}

const array = (values: readonly (string | number)[], type: 'text' | 'bigint') =>
  sql`${sql.param(values)}::${sql.raw(type)}[]`

/** Whether a mentor still belongs to the university or the college of the file. */
const standingMentor = sql`exists (select from roles r where r.person_id = m.mentor_id and r.ended_at is null
  and r.unit_id in (f.unit_id, f.college_id))`

/** The day of an import. */
const dayOfImport = (name: 'brought' | 'gone') =>
  sql`(${sql.raw(name)}.applied_at at time zone 'Asia/Shanghai')::date`

/** All service rows of a file's person but those that only an undone import had, as JSON. */
const termsOf = ({ programme, roles }: VolunteerScope) => sql`(
  select coalesce(json_agg(json_build_object('id', e.id, 'startsOn', e.starts_on, 'endsOn', e.ends_on, 'status', e.status,
    'category', e.category, 'university', e.university, 'branch', u.name, 'county', above.name, 'post', e.post,
    'saidOn', ${dayOfImport('brought')}, 'goneOn', ${dayOfImport('gone')}) order by e.id), '[]')
  from roster_entries e join units u on u.id = e.unit_id left join units above on above.id = u.parent_id
  join roster_imports brought on brought.id = e.import_id and brought.undone_at is null
  left join roster_imports gone on gone.id = e.gone_import_id
  where e.person_id = f.person_id and e.programme = ${programme} and e.role = any(${array(roles, 'text')}))`

/** What is known of some files, in the order of their numbers as they are given: a page or a portion. */
export async function volunteersByFile(
  db: Db,
  scope: VolunteerScope,
  fileIds: number[],
): Promise<ListedVolunteer[]> {
  const rows = await db.execute<{
    id: string
    person_id: string
    name: string
    college_id: string | null
    college: string | null
    year: number | null
    mentor_id: string | null
    mentor: string | null
    mentor_stands: boolean
    last_touch: string | null
    steps: { step: string; on: string }[]
    terms: VolunteerTermRow[]
  }>(sql`
    select f.id, f.person_id, p.name, f.college_id, c.name as college, f.year, mentor.id as mentor_id,
      mentor.name as mentor, ${standingMentor} as mentor_stands,
      (select max(t.on)::text from volunteer_touches t where t.file_id = f.id) as last_touch,
      (select coalesce(json_agg(json_build_object('step', s.step, 'on', s.on) order by s.on, s.id), '[]')
        from volunteer_steps s where s.file_id = f.id) as steps,
      ${termsOf(scope)} as terms
    from unnest(${array(fileIds, 'bigint')}) with ordinality as asked (id, place)
    join volunteer_files f on f.id = asked.id join persons p on p.id = f.person_id
    left join units c on c.id = f.college_id
    left join volunteer_mentors m on m.file_id = f.id and m.until_on is null
    left join persons mentor on mentor.id = m.mentor_id
    order by asked.place`)
  return [...rows].map(row => ({
    fileId: Number(row.id),
    personId: Number(row.person_id),
    name: row.name,
    collegeId: row.college_id === null ? null : Number(row.college_id),
    college: row.college,
    year: row.year,
    mentorId: row.mentor_id === null ? null : Number(row.mentor_id),
    mentor: row.mentor,
    mentorStands: row.mentor_stands,
    lastTouch: row.last_touch,
    steps: row.steps,
    terms: row.terms.map(term => ({ ...term, id: Number(term.id) })),
  }))
}

/** The files of a university, or those of them that are looked for. */
export interface VolunteersAsked {
  unitId: number
  collegeId?: number | undefined
  year?: number | undefined
  /** A part of the name as the matcher compares it. */
  nameKey?: string | undefined
}

const filesAsked = ({ unitId, collegeId, year, nameKey }: VolunteersAsked) => sql`f.unit_id = ${unitId}
  ${collegeId === undefined ? sql`` : sql`and f.college_id = ${collegeId}`}
  ${year === undefined ? sql`` : sql`and f.year = ${year}`}
  ${nameKey === undefined ? sql`` : sql`and position(${nameKey} in p.name_key) > 0`}`

/** By what a stage is told from rows and steps (`stageOf`, `server/domain/volunteers/way.ts`). */
export interface StageRule extends VolunteerScope {
  today: string
  /** The ways in which rows write this university. */
  universities: string[]
  extendedCategory: string
  followsWithinDays: number
  earlyByDays: number
  /** Steps in the order of a way. */
  steps: readonly string[]
}

/**
 * `staged`: each file that is asked for with its stage. It is `wayOf` of `server/domain/volunteers/way.ts` once more, so
 * that lists of any length can be counted, filtered and paged where they lie; a test holds the two against each other.
 */
const stagedFiles = (rule: StageRule, of: VolunteersAsked) => sql`
  asked as materialized (
    select f.id, f.person_id, f.college_id, f.year, p.name, p.name_key <> '' as is_named
    from volunteer_files f join persons p on p.id = f.person_id where ${filesAsked(of)}
  ), imported as materialized (
    -- the days of imports once, and not for every row
    select i.id, (i.applied_at at time zone 'Asia/Shanghai')::date as day, i.undone_at is null as stands from roster_imports i
  ), served as materialized (
    select *, count(*) over (partition by file_id) = 1 as is_only,
      coalesce(starts_on, '-infinity') as first, coalesce(ends_on, gone_on, 'infinity') as last,
      case when gone_on is null then status else '离岗' end as stood,
      coalesce(ends_on - case when status = '离岗' then least(gone_on, said_on) else gone_on end
        > ${rule.earlyByDays}::int, false) as was_early
    from (
      select a.id as file_id, e.id, e.starts_on, e.ends_on, e.status, coalesce(e.category = ${rule.extendedCategory}, false)
        as says_extended, brought.day as said_on, gone.day as gone_on
      from asked a join roster_entries e on e.person_id = a.person_id
      join imported brought on brought.id = e.import_id and brought.stands
      left join imported gone on gone.id = e.gone_import_id
      where e.programme = ${rule.programme} and e.role = any(${array(rule.roles, 'text')})
        and (e.university is null or e.university = any(${array(rule.universities, 'text')}))) e
    where gone_on is null or (status <> '待派遣' and (starts_on is null or starts_on <= gone_on))
  ), several as (
    -- beside each row those of the same file, so that no plan compares each with all
    select *, array_agg(id) over file as ids, array_agg(gone_on is null) over file as standing,
      array_agg(first) over file as firsts, array_agg(last) over file as lasts
    from served where not is_only window file as (partition by file_id)
  ), counted as (
    select file_id, id, says_extended, stood, was_early, first, least(last, gone_on) as last
    from several r
    where gone_on is null or not exists (
      select from unnest(r.ids, r.standing, r.firsts, r.lasts) as o (id, stands, first, last)
      where o.id <> r.id and (o.stands or o.id > r.id) and o.first < r.last and r.first < o.last)
  ), cut as (
    select *, coalesce(first >= max(last) over before, false)
      or (says_extended and not coalesce(lag(says_extended) over way, true)) as begins_term
    from counted
    window way as (partition by file_id order by first, id),
      before as (partition by file_id order by first, id rows between unbounded preceding and 1 preceding)
  ), numbered as (
    select *, count(*) filter (where begins_term) over (partition by file_id order by first, id) as term from cut
  ), terms as (
    select file_id, term, min(first) as first, max(last) as last, bool_or(stood = '在岗') as on_duty,
      bool_or(stood = '待派遣') as pending, bool_and(was_early) as was_early, bool_or(says_extended) as says_extended
    from numbered group by file_id, term
  ), stretches as (
    select file_id, term, first, last, on_duty, pending, was_early,
      says_extended or coalesce(first <= lag(last) over way + ${rule.followsWithinDays}::int
        and not lag(was_early) over way, false) as is_extension
    from terms window way as (partition by file_id order by term)
    union all
    select file_id, 0, first, least(last, gone_on), stood = '在岗', stood = '待派遣', was_early, says_extended
    from served where is_only
  ), ways as (
    -- of the last term that is meant: its number twice, and one more when it is so
    select file_id, bool_or(is_serving) as is_serving, bool_or(is_over) as is_over, bool_or(not is_over) as is_ahead,
      max(2 * term + is_extension::int) filter (where is_serving) % 2 = 1 as is_extended,
      max(2 * term + was_early::int) filter (where is_over) % 2 = 1 as was_early,
      max(first) filter (where is_over) as over_from
    from (
      select *, on_duty and first <= ${rule.today}::date and last >= ${rule.today}::date as is_serving,
        not (on_duty or pending) or last < ${rule.today}::date as is_over
      from stretches) s
    group by file_id
  ), written as (
    select s.file_id, max(array_position(${array(rule.steps, 'text')}, s.step)) as last_step,
      max(s.on) filter (where s.step = 'dropped') as dropped_on
    from asked a join volunteer_steps s on s.file_id = a.id group by s.file_id
  ), staged as materialized (
    select a.*, case
      when w.is_serving then case when w.is_extended then 'extended' else 'in_service' end
      when w.is_ahead then case when w.is_over then 'ended' else 'assigned' end
      when w.is_over then case when w.was_early or s.dropped_on >= w.over_from then 'dropped' else 'alumni' end
      else coalesce((${array(rule.steps, 'text')})[s.last_step], 'candidate') end as stage
    from asked a left join ways w on w.file_id = a.id left join written s on s.file_id = a.id
  )`

/** How many there are of a college, a year and a stage. */
export interface VolunteerCount {
  collegeId: number | null
  college: string | null
  year: number | null
  stage: string
  count: number
  /** Of them those whose data was not deleted. */
  named: number
}

/**
 * Counts of the files that are asked for, by college, year and stage; and the numbers of those in some stage, or in any,
 * the latest year first and by name: a page of them. Those whose data was deleted are counted only.
 * @param list.limit null: all of them
 */
export async function countVolunteers(
  db: Db,
  rule: StageRule,
  of: VolunteersAsked,
  list: { stage?: string | undefined; from: number; limit: number | null },
): Promise<{ counts: VolunteerCount[]; fileIds: number[] }> {
  const [row] = await db.execute<{ counts: VolunteerCount[]; file_ids: number[] }>(sql`
    with ${stagedFiles(rule, of)}
    select (select coalesce(json_agg(n), '[]') from (
        select s.college_id as "collegeId", c.name as college, s.year, s.stage, count(*)::int as count,
          count(*) filter (where s.is_named)::int as named
        from staged s left join units c on c.id = s.college_id group by 1, 2, 3, 4) n) as counts,
      (select coalesce(json_agg(l.id order by l.year desc nulls last, l.name, l.id), '[]') from (
        select s.id, s.year, s.name from staged s
        where s.is_named ${list.stage === undefined ? sql`` : sql`and s.stage = ${list.stage}`}
        order by s.year desc nulls last, s.name, s.id
        limit ${list.limit} offset ${list.from}) l) as file_ids`)
  return { counts: row?.counts ?? [], fileIds: row?.file_ids ?? [] }
}

/** How many of a university or a college graduate in which year, whatever became of them. */
export async function volunteersByYear(
  db: Db,
  of: VolunteersAsked,
): Promise<Omit<VolunteerCount, 'stage' | 'named'>[]> {
  const rows = await db.execute<{
    college_id: string | null
    college: string | null
    year: number | null
    count: number
  }>(sql`
    select f.college_id, c.name as college, f.year, count(*)::int as count
    from volunteer_files f join persons p on p.id = f.person_id left join units c on c.id = f.college_id
    where ${filesAsked(of)} group by 1, 2, 3`)
  return [...rows].map(({ college_id, ...row }) => ({
    ...row,
    collegeId: college_id === null ? null : Number(college_id),
  }))
}

/** The ways in which rows write the universities of those who have a file at one, or of one of them. */
export async function universitiesOnFile(
  db: Db,
  { programme, roles }: VolunteerScope,
  of: { unitId: number; fileId?: number },
): Promise<string[]> {
  const rows = await db.execute<{ university: string }>(sql`
    select distinct e.university from volunteer_files f join roster_entries e on e.person_id = f.person_id
    where f.unit_id = ${of.unitId} ${of.fileId === undefined ? sql`` : sql`and f.id = ${of.fileId}`}
      and e.programme = ${programme} and e.role = any(${array(roles, 'text')}) and e.university is not null`)
  return [...rows].map(row => row.university)
}

/** The units of a kind with their names. */
export async function officesOfKind(db: Db, programme: string, kind: string) {
  const rows = await db.execute<{ id: string; name: string }>(sql`
    select id, name from units where programme = ${programme} and kind = ${kind} order by id`)
  return [...rows].map(row => ({ id: Number(row.id), name: row.name }))
}

/** The ways in which rows of all years write the universities of volunteers. */
export async function volunteerUniversities(db: Db, { programme, roles }: VolunteerScope): Promise<string[]> {
  const rows = await db.execute<{ university: string }>(sql`
    select distinct university from roster_entries
    where programme = ${programme} and role = any(${array(roles, 'text')}) and university is not null`)
  return [...rows].map(row => row.university)
}

/** A way in which rows write a university, with its office. */
export interface WrittenUniversity {
  university: string
  unitId: number
}

/**
 * Makes a file for everybody whom rosters of any year say a university has sent, and who has none. A row that gave way to
 * one of another university for the same days was put right. The year is that of the first service.
 * @param sent each way of writing a university, with its office @returns how many were made
 */
export async function makeVolunteerFiles(
  db: Db,
  { programme, roles }: VolunteerScope,
  sent: readonly WrittenUniversity[],
  now: Date,
): Promise<number> {
  if (sent.length === 0) return 0
  const rows = await db.execute(sql`
    insert into volunteer_files (unit_id, person_id, year, created_at)
    select s.unit_id, e.person_id, extract(year from min(e.starts_on))::int, ${now.toISOString()}::timestamptz
    from unnest(${array(
      sent.map(each => each.university),
      'text',
    )}, ${array(
      sent.map(each => each.unitId),
      'bigint',
    )}) as s (university, unit_id)
    join roster_entries e on e.university = s.university and e.programme = ${programme}
      and e.role = any(${array(roles, 'text')})
    join roster_imports brought on brought.id = e.import_id and brought.undone_at is null
    where not exists (select from volunteer_files f where f.unit_id = s.unit_id and f.person_id = e.person_id)
      and (e.gone_import_id is null or not exists (
        select from roster_entries o where o.person_id = e.person_id and o.programme = e.programme and o.role = any(${array(roles, 'text')})
          and o.gone_import_id is null and o.university <> e.university
          and coalesce(o.starts_on, '-infinity') < coalesce(e.ends_on, 'infinity')
          and coalesce(e.starts_on, '-infinity') < coalesce(o.ends_on, 'infinity')))
    group by s.unit_id, e.person_id
    on conflict (unit_id, person_id) do nothing returning id`)
  return rows.length
}

/** @returns null: the person has one there already */
export async function insertVolunteerFile(
  db: Db,
  row: typeof volunteerFiles.$inferInsert,
): Promise<number | null> {
  const [made] = await db
    .insert(volunteerFiles)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: volunteerFiles.id })
  return made?.id ?? null
}

export async function volunteerFileById(
  db: Db,
  id: number,
): Promise<(VolunteerFileRow & { personName: string; unitName: string }) | null> {
  const [row] = await db
    .select({
      file: volunteerFiles,
      personName: persons.name,
      unitName: sql<string>`(select name from units where units.id = ${volunteerFiles.unitId})`,
    })
    .from(volunteerFiles)
    .innerJoin(persons, eq(persons.id, volunteerFiles.personId))
    .where(eq(volunteerFiles.id, id))
  return row ? { ...row.file, personName: row.personName, unitName: row.unitName } : null
}

/** A file as a pasted line names it. */
export interface NamedFile {
  fileId: number
  personId: number
  name: string
  nameKey: string
  collegeId: number | null
  year: number | null
}

/** The files of a university, or of one of its colleges, whose persons have one of these names. */
export async function volunteersNamed(
  db: Db,
  of: { unitId: number; collegeId?: number | undefined },
  nameKeys: string[],
): Promise<NamedFile[]> {
  const rows = await db.execute<{
    id: string
    person_id: string
    name: string
    name_key: string
    college_id: string | null
    year: number | null
  }>(sql`
    select f.id, f.person_id, p.name, p.name_key, f.college_id, f.year
    from volunteer_files f join persons p on p.id = f.person_id
    where ${filesAsked(of)} and p.name_key = any(${array(nameKeys, 'text')}) and p.name_key <> '' order by f.id`)
  return [...rows].map(row => ({
    fileId: Number(row.id),
    personId: Number(row.person_id),
    name: row.name,
    nameKey: row.name_key,
    collegeId: row.college_id === null ? null : Number(row.college_id),
    year: row.year,
  }))
}

/** Those of some persons who have an account that can be written to. */
export async function reachableOf(db: Db, personIds: number[]): Promise<Set<number>> {
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct person_id from identities where person_id = any(${array(personIds, 'bigint')}) and is_reachable`)
  return new Set([...rows].map(row => Number(row.person_id)))
}

export async function placeVolunteer(
  db: Db,
  id: number,
  set: { collegeId: number | null; year: number | null },
): Promise<void> {
  await db.update(volunteerFiles).set(set).where(eq(volunteerFiles.id, id))
}

/** Writes a step; what stands there for it gives way, so that a day can be put right. */
export async function writeVolunteerStep(db: Db, row: typeof volunteerSteps.$inferInsert): Promise<void> {
  await db
    .insert(volunteerSteps)
    .values(row)
    .onConflictDoUpdate({
      target: [volunteerSteps.fileId, volunteerSteps.step],
      set: { on: row.on, writtenBy: row.writtenBy, writtenAt: row.writtenAt },
    })
}

/** Takes a step back. @returns false: there was none */
export async function dropVolunteerStep(db: Db, fileId: number, step: string): Promise<boolean> {
  const rows = await db
    .delete(volunteerSteps)
    .where(and(eq(volunteerSteps.fileId, fileId), eq(volunteerSteps.step, step)))
    .returning({ id: volunteerSteps.id })
  return rows.length > 0
}

/** Ends what mentor there is, and begins another; null: nobody. @returns false: it is them already */
export async function changeMentor(
  db: Db,
  fileId: number,
  mentorId: number | null,
  by: { personId: number; today: string },
): Promise<boolean> {
  await db.execute(sql`select from volunteer_files where id = ${fileId} for update`)
  const [now] = await db
    .select({ mentorId: volunteerMentors.mentorId })
    .from(volunteerMentors)
    .where(and(eq(volunteerMentors.fileId, fileId), isNull(volunteerMentors.untilOn)))
  if ((now?.mentorId ?? null) === mentorId) return false
  await db
    .update(volunteerMentors)
    .set({ untilOn: by.today })
    .where(and(eq(volunteerMentors.fileId, fileId), isNull(volunteerMentors.untilOn)))
  if (mentorId !== null)
    await db.insert(volunteerMentors).values({ fileId, mentorId, sinceOn: by.today, assignedBy: by.personId })
  return true
}

/** All who were mentors of somebody, the last first. */
export function mentorsOf(db: Db, fileId: number) {
  return db
    .select({
      mentorId: volunteerMentors.mentorId,
      name: persons.name,
      sinceOn: volunteerMentors.sinceOn,
      untilOn: volunteerMentors.untilOn,
    })
    .from(volunteerMentors)
    .innerJoin(persons, eq(persons.id, volunteerMentors.mentorId))
    .where(eq(volunteerMentors.fileId, fileId))
    .orderBy(desc(volunteerMentors.id))
    .limit(20)
}

/** @returns false: this very message is noted already */
export async function insertTouch(db: Db, row: typeof volunteerTouches.$inferInsert): Promise<boolean> {
  const rows = await db
    .insert(volunteerTouches)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: volunteerTouches.id })
  return rows.length > 0
}

/** The last touches of somebody, the latest first. */
export function touchesOf(db: Db, fileId: number, limit: number) {
  return db
    .select({
      id: volunteerTouches.id,
      on: volunteerTouches.on,
      notedById: volunteerTouches.notedBy,
      notedBy: persons.name,
      noteSealed: volunteerTouches.noteSealed,
    })
    .from(volunteerTouches)
    .innerJoin(persons, eq(persons.id, volunteerTouches.notedBy))
    .where(eq(volunteerTouches.fileId, fileId))
    .orderBy(desc(volunteerTouches.on), desc(volunteerTouches.id))
    .limit(limit)
}

/** @returns false: it is kept already */
export async function insertKeep(db: Db, row: typeof volunteerKeeps.$inferInsert): Promise<boolean> {
  const rows = await db
    .insert(volunteerKeeps)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: volunteerKeeps.id })
  return rows.length > 0
}

/** @returns what was kept; null: nothing of that number is kept for this person */
export async function endKeep(db: Db, fileId: number, keepId: number, on: string): Promise<string | null> {
  const [row] = await db
    .update(volunteerKeeps)
    .set({ endedOn: on })
    .where(
      and(eq(volunteerKeeps.id, keepId), eq(volunteerKeeps.fileId, fileId), isNull(volunteerKeeps.endedOn)),
    )
    .returning({ what: volunteerKeeps.what })
  return row?.what ?? null
}

/** What is and was kept for somebody, what lasts first. */
export function keepsOf(db: Db, fileId: number): Promise<VolunteerKeepRow[]> {
  return db
    .select()
    .from(volunteerKeeps)
    .where(eq(volunteerKeeps.fileId, fileId))
    .orderBy(sql`${volunteerKeeps.endedOn} desc nulls first`, asc(volunteerKeeps.id))
    .limit(50)
}

/** What universities know and keep of a person, for that person: their mentor and what is kept. */
export async function keptOfPerson(db: Db, personId: number) {
  const rows = await db.execute<{
    university: string
    college: string | null
    year: number | null
    mentor: string | null
    touches: number
    keeps: { what: string; sinceOn: string; untilOn: string | null }[]
    steps: { step: string; on: string }[]
  }>(sql`
    select u.name as university, c.name as college, f.year, mentor.name as mentor,
      (select count(*)::int from volunteer_touches t where t.file_id = f.id) as touches,
      (select coalesce(json_agg(json_build_object('step', s.step, 'on', s.on) order by s.on, s.id), '[]')
        from volunteer_steps s where s.file_id = f.id) as steps,
      (select coalesce(json_agg(json_build_object('what', k.what, 'sinceOn', k.since_on, 'untilOn', k.until_on)
        order by k.id), '[]') from volunteer_keeps k where k.file_id = f.id and k.ended_on is null) as keeps
    from volunteer_files f join units u on u.id = f.unit_id left join units c on c.id = f.college_id
    left join volunteer_mentors m on m.file_id = f.id and m.until_on is null
    left join persons mentor on mentor.id = m.mentor_id
    where f.person_id = ${personId} order by f.id`)
  return [...rows]
}

/** Where the subsidy stands that a university pays to a person: its last list that had them. */
export async function subsidyOf(
  db: Db,
  { unitId, personId }: { unitId: number; personId: number },
): Promise<{
  fen: number
  status: string
  way: string
  /** Of its payment by WeChat. */
  state: string | null
  isReturnedByBank: boolean
} | null> {
  const [row] = await db.execute<{
    fen: string
    status: string
    way: string
    state: string | null
    isReturnedByBank: boolean
  }>(sql`
    select i.fen, r.status, r.way, b.state, i.bank_return_reason is not null as "isReturnedByBank" from subsidy_items i join subsidy_runs r on r.id = i.run_id
    left join lateral (select state from pay_bills where item_id = i.id order by id desc limit 1) b on true
    where i.person_id = ${personId} and r.unit_id = ${unitId} and i.left_out_reason is null and r.status <> 'withdrawn'
    order by i.id desc limit 1`)
  return row ? { ...row, fen: Number(row.fen) } : null
}

/** A file whose person somebody may note a touch with. */
export interface TouchableFile {
  fileId: number
  name: string
  year: number | null
  college: string | null
  /** Where they serve or served last. */
  branch: string | null
}

/**
 * The files that a name may mean to somebody: those they mentor, those of the offices that they run, or, without a name,
 * their own.
 */
export async function touchableFiles(
  db: Db,
  who: { personId: number; officeIds: number[]; nameKey?: string; fileId?: number; isOwn?: boolean },
  limit: number,
): Promise<TouchableFile[]> {
  const meant = who.isOwn
    ? sql`f.person_id = ${who.personId}`
    : sql`(f.unit_id = any(${array(who.officeIds, 'bigint')}) or f.college_id = any(${array(who.officeIds, 'bigint')})
        or exists (select from volunteer_mentors m where m.file_id = f.id and m.until_on is null
          and m.mentor_id = ${who.personId} and ${standingMentor}))`
  const rows = await db.execute<{
    id: string
    name: string
    year: number | null
    college: string | null
    branch: string | null
  }>(sql`
    select f.id, p.name, f.year, c.name as college, place.name as branch
    from volunteer_files f join persons p on p.id = f.person_id left join units c on c.id = f.college_id
    left join lateral (
      select u.name from roster_entries e join units u on u.id = e.unit_id
      where e.person_id = f.person_id and e.gone_import_id is null and u.level = 'branch'
      order by e.starts_on desc nulls last, e.id desc limit 1) place on true
    where ${meant} ${who.nameKey === undefined ? sql`` : sql`and p.name_key = ${who.nameKey}`}
      ${who.fileId === undefined ? sql`` : sql`and f.id = ${who.fileId}`}
    order by f.id limit ${limit}`)
  return [...rows].map(row => ({ ...row, fileId: Number(row.id) }))
}

/** The files of those whom a mentor looks after, the last first. */
export async function mentoredBy(
  db: Db,
  mentorId: number,
  limit: number,
): Promise<{ id: number; unitName: string }[]> {
  const rows = await db.execute<{ id: string; unit_name: string }>(sql`
    select f.id, u.name as unit_name
    from volunteer_mentors m join volunteer_files f on f.id = m.file_id join units u on u.id = f.unit_id
    where m.mentor_id = ${mentorId} and m.until_on is null and ${standingMentor} order by m.id desc limit ${limit}`)
  return [...rows].map(row => ({ id: Number(row.id), unitName: row.unit_name }))
}

/** A university as rows write it. */
export interface SendingUniversity {
  unitId: number
  universities: string[]
}

/** Somebody in service with whom nobody has been in touch for long. */
export interface QuietVolunteer {
  fileId: number
  name: string
  /** null: nobody, or somebody who is not of the university any more. */
  mentorId: number | null
  /** The mentor has an account that can be written to. */
  isMentorReachable: boolean
  days: number
}

/**
 * Takes those of a university in service with whom nobody has been in touch for so many days, since their service began
 * at the earliest, and of whom nobody was reminded lately: each once, whoever asks at the same time. A term that follows
 * another, or another county, is no new beginning; who serves for another university now is not looked after here.
 */
export async function takeQuietVolunteers(
  db: Db,
  scope: VolunteerScope,
  of: SendingUniversity,
  when: { today: string; afterDays: number; everyDays: number; followsWithinDays: number; now: Date },
): Promise<QuietVolunteer[]> {
  const ofScope = (row: 'e' | 'b') => {
    const name = sql.raw(row)
    return sql`${name}.programme = ${scope.programme} and ${name}.role = any(${array(scope.roles, 'text')})
      and (${name}.university is null or ${name}.university = any(${array(of.universities, 'text')}))`
  }
  const rows = await db.execute<{
    file_id: string
    name: string
    mentor_id: string | null
    is_mentor_reachable: boolean
    days: number
  }>(sql`
    with serving as materialized (
      select distinct on (f.id) f.id, f.person_id, f.unit_id, f.college_id, f.created_at, e.starts_on
      from volunteer_files f join roster_entries e on e.person_id = f.person_id
      where f.unit_id = ${of.unitId} and ${ofScope('e')} and e.gone_import_id is null and e.status = '在岗'
        and coalesce(e.starts_on, '-infinity') <= ${when.today}::date and coalesce(e.ends_on, 'infinity') >= ${when.today}::date
        and not exists (select from volunteer_touches t where t.file_id = f.id
          and t.on > ${when.today}::date - ${when.afterDays}::int)
        and not exists (select from volunteer_reminders r where r.file_id = f.id and r.about = 'touch'
          and r.on > ${when.today}::date - ${when.everyDays}::int)
      order by f.id, e.starts_on desc nulls last, e.id desc
    ), quiet as materialized (
      select f.id, p.name, m.mentor_id, ${when.today}::date - coalesce(greatest(
          (select min(b.starts_on) from roster_entries b where b.person_id = f.person_id and ${ofScope('b')}
            and b.starts_on <= f.starts_on
            and coalesce(b.ends_on, 'infinity') >= f.starts_on - ${when.followsWithinDays}::int
            and (b.gone_import_id is null or (b.status <> '待派遣' and b.gone_import_id <> b.import_id))),
          (select max(t.on) from volunteer_touches t where t.file_id = f.id)),
        (f.created_at at time zone 'Asia/Shanghai')::date) as days
      from serving f join persons p on p.id = f.person_id
      left join volunteer_mentors m on m.file_id = f.id and m.until_on is null and ${standingMentor}
    ), taken as (
      insert into volunteer_reminders (file_id, about, "on", at)
      select id, 'touch', ${when.today}::date, ${when.now.toISOString()}::timestamptz from quiet
      where days >= ${when.afterDays} on conflict do nothing returning file_id
    )
    select t.file_id, q.name, q.mentor_id, q.days,
      exists (select from identities i where i.person_id = q.mentor_id and i.is_reachable) as is_mentor_reachable
    from taken t join quiet q on q.id = t.file_id order by q.days desc, t.file_id`)
  return [...rows].map(row => ({
    fileId: Number(row.file_id),
    name: row.name,
    mentorId: row.mentor_id === null ? null : Number(row.mentor_id),
    isMentorReachable: row.is_mentor_reachable,
    days: row.days,
  }))
}

/** Something that is kept and ends soon. */
export interface EndingKeep {
  fileId: number
  unitId: number
  unitName: string
  personId: number
  name: string
  what: string
  untilOn: string
  days: number
  /** An account of theirs can be written to. */
  isReachable: boolean
}

/**
 * Takes what is kept and ends within so many days, once for each of the numbers: of several that have passed the nearest
 * to the end. @param daysBefore in any order
 */
export async function takeEndingKeeps(
  db: Db,
  when: { today: string; daysBefore: readonly number[]; now: Date },
): Promise<EndingKeep[]> {
  const rows = await db.execute<{
    file_id: string
    unit_id: string
    unit_name: string
    person_id: string
    name: string
    what: string
    until_on: string
    days: number
    is_reachable: boolean
  }>(sql`
    with ending as (
      select k.id, k.file_id, k.what, k.until_on, k.until_on - min(d.days) as due_on
      from volunteer_keeps k cross join unnest(${sql.param([...when.daysBefore])}::int[]) as d (days)
      where k.ended_on is null and k.until_on >= ${when.today}::date and k.until_on - d.days <= ${when.today}::date
      group by k.id
    ), taken as (
      insert into volunteer_reminders (file_id, about, "on", at)
      select file_id, 'keep:' || id, due_on, ${when.now.toISOString()}::timestamptz from ending
      on conflict do nothing returning about
    )
    select e.file_id, f.unit_id, u.name as unit_name, f.person_id, p.name, e.what, e.until_on::text,
      e.until_on - ${when.today}::date as days,
      exists (select from identities i where i.person_id = f.person_id and i.is_reachable) as is_reachable
    from taken t join ending e on t.about = 'keep:' || e.id
    join volunteer_files f on f.id = e.file_id join units u on u.id = f.unit_id join persons p on p.id = f.person_id
    order by e.until_on, e.id`)
  return [...rows].map(row => ({
    fileId: Number(row.file_id),
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
    personId: Number(row.person_id),
    name: row.name,
    what: row.what,
    untilOn: row.until_on,
    days: row.days,
    isReachable: row.is_reachable,
  }))
}

/**
 * Candidates who were to graduate before a year and came on no roster, nor anywhere else. Nobody for whom something is
 * still kept. @param among only of these; left out: of all
 */
export async function candidatesLongGone(
  db: Db,
  beforeYear: number,
  limit: number,
  among?: number[],
): Promise<number[]> {
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct f.person_id from volunteer_files f
    where f.year < ${beforeYear} ${among === undefined ? sql`` : sql`and f.person_id = any(${array(among, 'bigint')})`}
      and not exists (select from roster_entries e where e.person_id = f.person_id)
      and not exists (select from roles r where r.person_id = f.person_id and r.ended_at is null)
      and not exists (select from registrations g where g.person_id = f.person_id)
      and not exists (select from groups g where g.owner_id = f.person_id and g.dissolved_at is null)
      and not exists (select from administrators a where a.person_id = f.person_id and a.ended_at is null)
      and not exists (select from volunteer_files o join volunteer_keeps k on k.file_id = o.id
        where o.person_id = f.person_id and k.ended_on is null)
    order by f.person_id limit ${limit}`)
  return [...rows].map(row => Number(row.person_id))
}

/**
 * Takes what universities wrote of persons, and the words of touches that these noted of others. The file itself stays
 * as a number of its year and college while a roster of some year has the person: whoever was never on one is forgotten.
 */
export async function eraseVolunteers(db: Db, personIds: number[], today: string): Promise<void> {
  const list = array(personIds, 'bigint')
  const own = sql`(select id from volunteer_files where person_id = any(${list}))`
  await db.execute(sql`delete from volunteer_touches where file_id in ${own}`)
  await db.execute(sql`delete from volunteer_reminders where file_id in ${own}`)
  await db.execute(sql`delete from volunteer_mentors where file_id in ${own}`)
  await db.execute(sql`delete from volunteer_keeps where file_id in ${own}`)
  await db.execute(sql`delete from volunteer_steps where file_id in ${own}`)
  await db.execute(sql`update volunteer_touches set note_sealed = null where noted_by = any(${list})`)
  await db.execute(sql`
    update volunteer_mentors set until_on = ${today}::date where mentor_id = any(${list}) and until_on is null`)
  await db.execute(sql`
    delete from volunteer_files f where f.person_id = any(${list})
      and not exists (select from roster_entries e where e.person_id = f.person_id)`)
}
