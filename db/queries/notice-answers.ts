import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { noticeAnswers, noticeFiles, notices, persons, units } from '../schema/index.ts'
import {
  byPart,
  type CallWays,
  callWaysOf,
  childOf,
  type Part,
  type PartColumns,
  partColumns,
  partOf,
} from './notice-progress.ts'
import type { NoticeAsk } from './notices.ts'

/** As whom somebody has answered: a manager runs the unit, an owner has one of its groups. */
export type Standing = 'manager' | 'owner'

/** A unit for which a person may answer a notice. */
export interface UnitToAnswer {
  unitId: number
  unitName: string
  unitPath: string
  /** They run it, or own one of its groups that got the notice. */
  isOwner: boolean
  /** The answer that counts now. */
  answer: {
    id: number
    sealed: string
    amount: number | null
    fileName: string | null
    at: Date
    personId: number
    by: string
    standing: Standing
  } | null
}

/**
 * The units of the groups that a notice went to for which a person may answer: those they run, and those one of whose
 * groups they own.
 * @param runs the very units that they run
 */
export async function unitsToAnswer(
  db: Db,
  noticeId: number,
  personId: number,
  runs: number[],
): Promise<UnitToAnswer[]> {
  const rows = await db.execute<{
    id: string
    name: string
    path: string
    is_owner: boolean
    answer_id: string | null
    answer_sealed: string | null
    amount: string | null
    file_name: string | null
    answered_at: string | null
    person_id: string | null
    by: string | null
    standing: Standing | null
  }>(sql`
    with theirs as (
      select g.unit_id, bool_or(coalesce(g.owner_id = ${personId}, false)) as is_owner
      from groups g join deliveries d on d.group_id = g.id and d.notice_id = ${noticeId}
      where (g.owner_id = ${personId} or g.unit_id = any(${sql.param(runs)}::bigint[]))
        and g.dissolved_at is null and d.status <> 'withdrawn'
      group by g.unit_id
    )
    select u.id, u.name, u.path, t.is_owner, a.id as answer_id, a.answer_sealed, a.amount, f.name as file_name,
      a.answered_at, a.person_id, p.name as by, a.standing
    from theirs t join units u on u.id = t.unit_id
    left join notice_answers a on a.notice_id = ${noticeId} and a.unit_id = u.id and a.replaced_at is null
    left join notice_files f on f.id = a.file_id left join persons p on p.id = a.person_id
    order by u.path`)
  return [...rows].map(row => ({
    unitId: Number(row.id),
    unitName: row.name,
    unitPath: row.path,
    isOwner: row.is_owner,
    answer:
      row.answer_id === null
        ? null
        : {
            id: Number(row.answer_id),
            sealed: row.answer_sealed as string,
            amount: row.amount === null ? null : Number(row.amount),
            fileName: row.file_name,
            at: new Date(row.answered_at as string),
            personId: Number(row.person_id),
            by: row.by as string,
            standing: row.standing as Standing,
          },
  }))
}

/** A notice that asks something of units for which a person may answer. */
export interface Question {
  noticeId: number
  /** The corrections of the notice: what is asked is asked by the original. */
  correctionIds: number[]
  ask: NoticeAsk
  unitName: string
  body: string
  deadlineAt: Date
  /** Units of theirs that have not answered. */
  open: number
}

/**
 * What a person is asked to answer, the longest due first. The notices are found from the units above their groups.
 * @param runs the very units that they run
 * @param since notices whose time was over before are left out
 */
export async function questionsFor(
  db: Db,
  personId: number,
  runs: number[],
  since: Date,
): Promise<Question[]> {
  const rows = await db.execute<{
    id: string
    correction_ids: number[]
    ask: NoticeAsk
    unit_name: string
    body: string
    deadline_at: string
    open: number
  }>(sql`
    with mine as (
      select g.id, g.unit_id from groups g
      where (g.owner_id = ${personId} or g.unit_id = any(${sql.param(runs)}::bigint[])) and g.dissolved_at is null
    ), above as (
      select distinct part.id::bigint as id from mine join units u on u.id = mine.unit_id,
        unnest(string_to_array(trim(both '/' from u.path), '/')) as part (id)
    ), asked as (
      select distinct n.id, mine.unit_id from notices n
      join mine on true join deliveries d on d.notice_id = n.id and d.group_id = mine.id and d.status <> 'withdrawn'
      where n.unit_id in (select id from above) and n.ask is not null and n.withdrawn_at is null
        and n.deadline_at > ${since.toISOString()}::timestamptz
    )
    select n.id, n.ask, u.name as unit_name, n.body, n.deadline_at,
      array(select c.id from notices c where c.about_id = n.id and c.kind = 'correction')::float8[] as correction_ids,
      (count(*) filter (where not exists (select from notice_answers a
        where a.notice_id = n.id and a.unit_id = asked.unit_id and a.replaced_at is null)))::int as open
    from asked join notices n on n.id = asked.id join units u on u.id = n.unit_id
    group by n.id, u.name order by n.deadline_at, n.id`)
  return [...rows].map(row => ({
    noticeId: Number(row.id),
    correctionIds: row.correction_ids,
    ask: row.ask,
    unitName: row.unit_name,
    body: row.body,
    deadlineAt: new Date(row.deadline_at),
    open: row.open,
  }))
}

/** Lets the answers of one unit to one notice be written one after the other, until the transaction ends. */
export async function lockAnswer(db: Db, noticeId: number, unitId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`notice-answer:${noticeId}:${unitId}`}))`)
}

/** Writes the answer of a unit, which takes the place of the one before. Returns its id. */
export async function putAnswer(db: Db, row: typeof noticeAnswers.$inferInsert): Promise<number> {
  await db
    .update(noticeAnswers)
    .set({ replacedAt: row.answeredAt })
    .where(
      and(
        eq(noticeAnswers.noticeId, row.noticeId),
        eq(noticeAnswers.unitId, row.unitId),
        isNull(noticeAnswers.replacedAt),
      ),
    )
  const [inserted] = await db.insert(noticeAnswers).values(row).returning({ id: noticeAnswers.id })
  return inserted?.id as number
}

/** Keeps a file that answers a notice. Returns its id. */
export async function insertAnswerFile(
  db: Db,
  row: Omit<typeof noticeFiles.$inferInsert, 'draftId' | 'kind'>,
): Promise<number> {
  const [inserted] = await db
    .insert(noticeFiles)
    // not one of the notice's own: what a notice carries is found by its notice alone
    .values({ ...row, kind: 'answer' })
    .returning({ id: noticeFiles.id })
  return inserted?.id as number
}

/** An answer with the unit that gave it and the notice that asked; `fileId` null: it is no file. */
export async function answerById(db: Db, id: number) {
  const [row] = await db
    .select({
      id: noticeAnswers.id,
      noticeId: noticeAnswers.noticeId,
      fileId: noticeAnswers.fileId,
      personId: noticeAnswers.personId,
      unitId: noticeAnswers.unitId,
      unitPath: units.path,
      noticeUnitId: notices.unitId,
    })
    .from(noticeAnswers)
    .innerJoin(units, eq(units.id, noticeAnswers.unitId))
    .innerJoin(notices, eq(notices.id, noticeAnswers.noticeId))
    .where(eq(noticeAnswers.id, id))
  return row ?? null
}

/** The file of an answer, sealed; null when there is none. */
export async function answerFile(db: Db, fileId: number) {
  const [row] = await db
    .select({ name: noticeFiles.name, mime: noticeFiles.mime, bytesSealed: noticeFiles.bytesSealed })
    .from(noticeFiles)
    .where(eq(noticeFiles.id, fileId))
  return row ?? null
}

/** How a part of the tree has answered. */
export interface AnswerTally {
  of: Part
  /** Units that were asked. */
  units: number
  answered: number
  /** Of the numbers; null when there is none. */
  sum: number | null
  /** How many chose each choice, from the first. */
  chosen: number[]
}

/** The units that a notice asked in a subtree: those of the groups that it went to. */
const askedUnits = (noticeId: number, path: string) => sql`
  select distinct u.id, u.name, u.level, u.path from deliveries d
  join groups g on g.id = d.group_id join units u on u.id = g.unit_id
  where d.notice_id = ${noticeId} and starts_with(u.path, ${path}) and d.status <> 'withdrawn'
    and (g.dissolved_at is null or d.status = 'posted')`

/**
 * How a subtree has answered, counted once: as a whole, by level, and by the units right below its top.
 * @param choices how many choices the question has
 */
export async function answerTallies(
  db: Db,
  noticeId: number,
  path: string,
  choices: number,
): Promise<AnswerTally[]> {
  const chosen = Array.from(
    { length: choices },
    (_, index) => sql`(count(*) filter (where a.amount = ${index + 1}::int))::int`,
  )
  const rows = await db.execute<
    PartColumns & { units: number; answered: number; sum: string | null; chosen: number[] }
  >(sql`
    select ${partColumns}, count(*)::int as units,
      count(a.id)::int as answered, sum(a.amount) as sum, array[${sql.join(chosen, sql`, `)}]::int[] as chosen
    from (select u.*, ${childOf(path)} as child from (${askedUnits(noticeId, path)}) u) u
    left join notice_answers a on a.notice_id = ${noticeId} and a.unit_id = u.id and a.replaced_at is null
    ${byPart}`)
  return [...rows].map(row => ({
    of: partOf(row),
    units: row.units,
    answered: row.answered,
    sum: row.sum === null ? null : Number(row.sum),
    chosen: row.chosen,
  }))
}

export interface UnitAnswer {
  unitId: number
  unitName: string
  level: string
  path: string
  answer: {
    id: number
    sealed: string
    amount: number | null
    fileId: number | null
    fileName: string | null
    by: string
    standing: Standing
    at: Date
    /** Answers of the unit that this one took the place of. */
    before: number
  } | null
}

/**
 * The units of a subtree that a notice asked, with their answers, in the order of the tree.
 * @param after goes on behind this path
 */
export async function answersOfUnits(
  db: Db,
  noticeId: number,
  path: string,
  which: 'all' | 'answered' | 'unanswered',
  place: { limit: number; offset?: number; after?: string },
): Promise<UnitAnswer[]> {
  const narrowed =
    which === 'all' ? sql`true` : which === 'answered' ? sql`a.id is not null` : sql`a.id is null`
  const rows = await db.execute<{
    id: string
    name: string
    level: string
    path: string
    answer_id: string | null
    answer_sealed: string
    amount: string | null
    file_id: string | null
    file_name: string | null
    by: string
    standing: Standing
    answered_at: string
    before: number
  }>(sql`
    select u.id, u.name, u.level, u.path, a.id as answer_id, a.answer_sealed, a.amount, a.file_id, f.name as file_name,
      p.name as by, a.standing, a.answered_at,
      case when a.id is null then 0 else (select count(*) from notice_answers b where b.notice_id = a.notice_id
        and b.unit_id = a.unit_id and b.replaced_at is not null) end::int as before
    from (${askedUnits(noticeId, path)}) u
    left join notice_answers a on a.notice_id = ${noticeId} and a.unit_id = u.id and a.replaced_at is null
    left join persons p on p.id = a.person_id left join notice_files f on f.id = a.file_id
    where ${narrowed} and u.path > ${place.after ?? ''}
    order by u.path limit ${place.limit} offset ${place.offset ?? 0}`)
  return [...rows].map(row => ({
    unitId: Number(row.id),
    unitName: row.name,
    level: row.level,
    path: row.path,
    answer:
      row.answer_id === null
        ? null
        : {
            id: Number(row.answer_id),
            sealed: row.answer_sealed,
            amount: row.amount === null ? null : Number(row.amount),
            fileId: row.file_id === null ? null : Number(row.file_id),
            fileName: row.file_name,
            by: row.by,
            standing: row.standing,
            at: new Date(row.answered_at),
            before: row.before,
          },
  }))
}

/** Every answer of one unit to a notice, the newest first. */
export function answersOfUnit(db: Db, noticeId: number, unitId: number) {
  return db
    .select({
      sealed: noticeAnswers.answerSealed,
      by: persons.name,
      at: noticeAnswers.answeredAt,
      standing: noticeAnswers.standing,
      replacedAt: noticeAnswers.replacedAt,
    })
    .from(noticeAnswers)
    .innerJoin(persons, eq(persons.id, noticeAnswers.personId))
    .where(and(eq(noticeAnswers.noticeId, noticeId), eq(noticeAnswers.unitId, unitId)))
    .orderBy(sql`${noticeAnswers.id} desc`)
}

/** Somebody who can answer for a unit, and how they can be called now. */
export interface Answerer extends CallWays {
  unitId: number
  personId: number
  name: string
  /** The unit's role that they have; null: the owner of a group. */
  role: string | null
  title: string | null
  programme: string
}

/** Who could answer a notice for each of these units: who runs them, and the owners of their groups that it went to. */
export async function answerersOfUnits(
  db: Db,
  noticeId: number,
  unitIds: number[],
  managing: { programme: string; role: string }[],
  now: Date,
): Promise<Answerer[]> {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{
    unit_id: string
    person_id: string
    name: string
    role: string | null
    title: string | null
    programme: string
    by_wecom: boolean | null
    by_message: boolean | null
    by_template: boolean | null
  }>(sql`
    with who as (
      select r.unit_id, r.person_id, r.role, r.title from roles r join units u on u.id = r.unit_id
      where r.unit_id = any(${sql.param(unitIds)}::bigint[]) and r.ended_at is null
        and (u.programme, r.role) in (select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
          ${sql.param(managing.map(each => each.role))}::text[]))
      union all
      select g.unit_id, g.owner_id, null, null from groups g
      join deliveries d on d.notice_id = ${noticeId} and d.group_id = g.id
      where g.unit_id = any(${sql.param(unitIds)}::bigint[]) and g.owner_id is not null and g.dissolved_at is null
    ), each_once as (
      select distinct on (unit_id, person_id) * from who order by unit_id, person_id, role nulls last
    )
    select w.unit_id, w.person_id, p.name, w.role, w.title, u.programme, a.*
    from each_once w join persons p on p.id = w.person_id join units u on u.id = w.unit_id
    left join lateral (${callWaysOf(sql`w.person_id`, now)}) a on true
    order by w.unit_id, w.role nulls last, w.person_id`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    personId: Number(row.person_id),
    name: row.name,
    role: row.role,
    title: row.title,
    programme: row.programme,
    byWecom: row.by_wecom ?? false,
    byMessage: row.by_message ?? false,
    byTemplate: row.by_template ?? false,
  }))
}

/** The names of these units. */
export async function unitNames(db: Db, ids: number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.execute<{ id: string; name: string }>(sql`
    select id, name from units where id = any(${sql.param(ids)}::bigint[])`)
  return new Map([...rows].map(row => [Number(row.id), row.name]))
}
