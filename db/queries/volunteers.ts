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

/** All service rows of a file's person but those that only an undone import had, as JSON. */
const termsOf = ({ programme, roles }: VolunteerScope) => sql`(
  select coalesce(json_agg(json_build_object('id', e.id, 'startsOn', e.starts_on, 'endsOn', e.ends_on, 'status', e.status,
    'category', e.category, 'university', e.university, 'branch', u.name, 'county', above.name, 'post', e.post,
    'goneOn', to_char(gone.applied_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD')) order by e.id), '[]')
  from roster_entries e join units u on u.id = e.unit_id left join units above on above.id = u.parent_id
  join roster_imports brought on brought.id = e.import_id and brought.undone_at is null
  left join roster_imports gone on gone.id = e.gone_import_id
  where e.person_id = f.person_id and e.programme = ${programme} and e.role = any(${array(roles, 'text')}))`

/**
 * The files of a university, or those of one of its colleges, by name. Thousands at most: a university's volunteers of
 * all years.
 * @param of.nameKey a part of the name as the matcher compares it @param of.fileId one file alone
 */
export async function volunteersOfUniversity(
  db: Db,
  scope: VolunteerScope,
  of: { unitId: number; collegeId?: number; year?: number; nameKey?: string; fileId?: number },
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
    last_touch: string | null
    steps: { step: string; on: string }[]
    terms: VolunteerTermRow[]
  }>(sql`
    select f.id, f.person_id, p.name, f.college_id, c.name as college, f.year, mentor.id as mentor_id,
      mentor.name as mentor,
      (select max(t.on)::text from volunteer_touches t where t.file_id = f.id) as last_touch,
      (select coalesce(json_agg(json_build_object('step', s.step, 'on', s.on) order by s.on, s.id), '[]')
        from volunteer_steps s where s.file_id = f.id) as steps,
      ${termsOf(scope)} as terms
    from volunteer_files f join persons p on p.id = f.person_id
    left join units c on c.id = f.college_id
    left join volunteer_mentors m on m.file_id = f.id and m.until_on is null
    left join persons mentor on mentor.id = m.mentor_id
    where f.unit_id = ${of.unitId}
      ${of.collegeId === undefined ? sql`` : sql`and f.college_id = ${of.collegeId}`}
      ${of.year === undefined ? sql`` : sql`and f.year = ${of.year}`}
      ${of.nameKey === undefined ? sql`` : sql`and position(${of.nameKey} in p.name_key) > 0`}
      ${of.fileId === undefined ? sql`` : sql`and f.id = ${of.fileId}`}
    order by p.name_key = '', f.year desc nulls last, p.name, f.id`)
  return [...rows].map(row => ({
    fileId: Number(row.id),
    personId: Number(row.person_id),
    name: row.name,
    collegeId: row.college_id === null ? null : Number(row.college_id),
    college: row.college,
    year: row.year,
    mentorId: row.mentor_id === null ? null : Number(row.mentor_id),
    mentor: row.mentor,
    lastTouch: row.last_touch,
    steps: row.steps,
    terms: row.terms.map(term => ({ ...term, id: Number(term.id) })),
  }))
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

/**
 * Makes a file for everybody whom rosters of any year say a university has sent, and who has none. The year is that of the
 * first service.
 * @param sent each way of writing a university, with its office @returns how many were made
 */
export async function makeVolunteerFiles(
  db: Db,
  { programme, roles }: VolunteerScope,
  sent: readonly { university: string; unitId: number }[],
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

/** Ends what mentor there is, and begins another; null: nobody. */
export async function changeMentor(
  db: Db,
  fileId: number,
  mentorId: number | null,
  by: { personId: number; today: string },
): Promise<void> {
  await db
    .update(volunteerMentors)
    .set({ untilOn: by.today })
    .where(and(eq(volunteerMentors.fileId, fileId), isNull(volunteerMentors.untilOn)))
  if (mentorId !== null)
    await db.insert(volunteerMentors).values({ fileId, mentorId, sinceOn: by.today, assignedBy: by.personId })
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

/** Where the subsidy of a person stands: the last list that had them. */
export async function subsidyOf(
  db: Db,
  personId: number,
): Promise<{ fen: number; status: string; way: string; state: string | null } | null> {
  const [row] = await db.execute<{ fen: string; status: string; way: string; state: string | null }>(sql`
    select i.fen, r.status, r.way, b.state from subsidy_items i join subsidy_runs r on r.id = i.run_id
    left join lateral (select state from pay_bills where item_id = i.id order by id desc limit 1) b on true
    where i.person_id = ${personId} and i.left_out_reason is null and r.status <> 'withdrawn'
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

/** Somebody whom a mentor looks after. */
export interface MentoredVolunteer {
  fileId: number
  name: string
  branch: string | null
  /** They serve today, by the roster. */
  isServing: boolean
  lastTouch: string | null
}

/** The current service of a file's person by the roster. */
const servingRow = ({ programme, roles }: VolunteerScope, today: string) => sql`(
  select e.starts_on, u.name from roster_entries e join units u on u.id = e.unit_id
  where e.person_id = f.person_id and e.gone_import_id is null and e.programme = ${programme}
    and e.role = any(${array(roles, 'text')}) and e.status = '在岗'
    and coalesce(e.starts_on, '-infinity') <= ${today}::date and coalesce(e.ends_on, 'infinity') >= ${today}::date
  order by e.starts_on desc nulls last, e.id desc limit 1)`

/** The volunteers of a mentor, those first with whom nobody has been in touch for the longest. */
export async function mentoredBy(
  db: Db,
  scope: VolunteerScope,
  mentorId: number,
  today: string,
): Promise<MentoredVolunteer[]> {
  const rows = await db.execute<{
    id: string
    name: string
    branch: string | null
    is_serving: boolean
    last_touch: string | null
  }>(sql`
    select f.id, p.name, serving.name as branch, serving.name is not null as is_serving, touch.on::text as last_touch
    from volunteer_mentors m join volunteer_files f on f.id = m.file_id join persons p on p.id = f.person_id
    left join lateral ${servingRow(scope, today)} serving on true
    left join lateral (select max(t.on) as on from volunteer_touches t where t.file_id = f.id) touch on true
    where m.mentor_id = ${mentorId} and m.until_on is null and ${standingMentor}
    order by serving.name is null, touch.on nulls first, f.id limit 200`)
  return [...rows].map(row => ({
    fileId: Number(row.id),
    name: row.name,
    branch: row.branch,
    isServing: row.is_serving,
    lastTouch: row.last_touch,
  }))
}

/** Somebody in service with whom nobody has been in touch for long. */
export interface QuietVolunteer {
  fileId: number
  unitId: number
  name: string
  /** null: nobody, or somebody who is not of the university any more. */
  mentorId: number | null
  days: number
}

/**
 * Takes those in service with whom nobody has been in touch for so many days, since their service began at the earliest,
 * and of whom nobody was reminded lately: each once, whoever asks at the same time.
 */
export async function takeQuietVolunteers(
  db: Db,
  scope: VolunteerScope,
  when: { today: string; afterDays: number; everyDays: number; now: Date },
): Promise<QuietVolunteer[]> {
  const rows = await db.execute<{
    file_id: string
    unit_id: string
    name: string
    mentor_id: string | null
    days: number
  }>(sql`
    with quiet as (
      select f.id, f.unit_id, p.name, m.mentor_id,
        ${when.today}::date - coalesce(greatest(serving.starts_on,
          (select max(t.on) from volunteer_touches t where t.file_id = f.id)), f.created_at::date) as days
      from volunteer_files f join persons p on p.id = f.person_id
      cross join lateral ${servingRow(scope, when.today)} serving
      left join volunteer_mentors m on m.file_id = f.id and m.until_on is null and ${standingMentor}
      where not exists (select from volunteer_reminders r where r.file_id = f.id and r.about = 'touch'
        and r.on > ${when.today}::date - ${when.everyDays}::int)
    ), taken as (
      insert into volunteer_reminders (file_id, about, "on", at)
      select id, 'touch', ${when.today}::date, ${when.now.toISOString()}::timestamptz from quiet
      where days >= ${when.afterDays} on conflict do nothing returning file_id
    )
    select t.file_id, q.unit_id, q.name, q.mentor_id, q.days from taken t join quiet q on q.id = t.file_id
    order by q.days desc, t.file_id`)
  return [...rows].map(row => ({
    fileId: Number(row.file_id),
    unitId: Number(row.unit_id),
    name: row.name,
    mentorId: row.mentor_id === null ? null : Number(row.mentor_id),
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
