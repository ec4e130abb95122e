import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { postAsks, postQuestions } from '../schema/index.ts'

export async function setPostQuestion(db: Db, personId: number, how: string, now: Date): Promise<void> {
  await db
    .insert(postQuestions)
    .values({ personId, how, setAt: now })
    .onConflictDoUpdate({ target: postQuestions.personId, set: { how, setAt: now } })
}

export interface AskedOwner {
  askId: number
  personId: number
  how: 'daily' | 'weekly'
  groups: number
  /** One of their groups; the only one where they have one. */
  groupId: number
  groupName: string
}

export interface AskingRound {
  /** `YYYY-MM-DD` */
  day: string
  /** Who is asked today, of those who have said how they want it. */
  hows: ('daily' | 'weekly')[]
  /** The same of those who have said nothing; null: nobody of them. */
  standard: 'daily' | 'weekly' | null
  /** The first day of the week that a weekly question is about. */
  weekFrom: string
  now: Date
}

/**
 * Takes the owners who are to be asked what was posted, a portion by their number: those who want it (who have said
 * nothing, where the standard says so and WeCom can show them buttons), have an account, were not asked for this day yet,
 * have registered nothing since, and have not just called for help: a number would answer the wrong question. With it goes the open question, so that a bare number answers it.
 * @param conversation its name, version and step
 * @returns the last owner that was looked at; null: there are no more
 */
export async function takeOwnersToAsk(
  db: Db,
  { day, hows, standard, weekFrom, now }: AskingRound,
  conversation: { name: string; version: number; step: string; expiresAt: Date },
  after: number,
  limit: number,
): Promise<{ asked: AskedOwner[]; last: number | null }> {
  const at = sql`${now.toISOString()}::timestamptz`
  const months = [...new Set([day.slice(0, 7), weekFrom.slice(0, 7)])]
  const rows = await db.execute<{
    ask_id: string | null
    person_id: string
    how: 'daily' | 'weekly' | null
    groups: number | null
    group_id: string | null
    group_name: string | null
  }>(sql`
    with owners as (
      select owner_id as person_id, count(*)::int as groups, min(id) as group_id
      from groups where dissolved_at is null and owner_id > ${after}::bigint
      group by owner_id order by owner_id limit ${limit}
    ), wanted as (
      select o.*, coalesce(q.how, ${standard}::text) as how, q.how is null as is_standard
      from owners o left join post_questions q on q.person_id = o.person_id
      where coalesce(q.how, ${standard}::text) = any(${sql.param(hows)}::text[])
    ), due as (
      select w.* from wanted w
      where exists (select from identities i where i.person_id = w.person_id and i.is_reachable
          and (i.channel = 'wecom' or (i.channel = 'official-account' and not w.is_standard)))
        and not exists (
          select from danger_calls d where d.person_id = w.person_id and d.ended_at is null
            and d.created_at > ${at} - interval '1 hour')
        and not exists (
          select from groups g join message_records r on r.group_id = g.id
          where g.owner_id = w.person_id and g.dissolved_at is null and r.month = any(${sql.param(months)}::text[])
            and r.source <> 'notice' and r.reported_by = w.person_id
            and r.recorded_on between (case when w.how = 'daily' then ${day} else ${weekFrom} end)::date and ${day}::date)
    ), noted as (
      insert into post_asks (person_id, day, asked_at) select person_id, ${day}::date, ${at} from due
      on conflict do nothing returning id, person_id
    ), opened as (
      insert into conversations (identity_id, name, version, step, answers, expires_at)
      select i.id, ${conversation.name}, ${conversation.version}::int, ${conversation.step},
        jsonb_build_object('day', ${day}::text, 'only', case when d.groups = 1 then d.group_id::text else '' end),
        ${conversation.expiresAt.toISOString()}::timestamptz
      from noted n join due d on d.person_id = n.person_id join identities i on i.person_id = n.person_id
      on conflict (identity_id) do update set name = excluded.name, version = excluded.version, step = excluded.step,
        answers = excluded.answers, expires_at = excluded.expires_at
      where conversations.expires_at <= ${at}
    )
    select n.id as ask_id, o.person_id, d.how, d.groups, d.group_id, g.name as group_name
    from owners o
    left join due d on d.person_id = o.person_id
    left join noted n on n.person_id = d.person_id
    left join groups g on g.id = d.group_id
    order by o.person_id`)
  const asked = rows.flatMap(row =>
    row.ask_id === null || row.how === null
      ? []
      : [
          {
            askId: Number(row.ask_id),
            personId: Number(row.person_id),
            how: row.how,
            groups: row.groups ?? 0,
            groupId: Number(row.group_id),
            groupName: row.group_name ?? '',
          },
        ],
  )
  const last = rows.length < limit ? null : Number(rows.at(-1)?.person_id)
  return { asked, last }
}

/**
 * Takes the one answer that a day has. @returns the number of the question, with the answer that was given before where
 * there is one
 */
export async function takeAnswer(
  db: Db,
  personId: number,
  day: string,
  answer: string,
  now: Date,
): Promise<{ askId: number; before: string | null }> {
  await db.insert(postAsks).values({ personId, day }).onConflictDoNothing()
  const [taken] = await db
    .update(postAsks)
    .set({ answer, answeredAt: now })
    .where(and(eq(postAsks.personId, personId), eq(postAsks.day, day), isNull(postAsks.answeredAt)))
    .returning({ id: postAsks.id })
  if (taken) return { askId: taken.id, before: null }
  const [row] = await db
    .select({ id: postAsks.id, answer: postAsks.answer })
    .from(postAsks)
    .where(and(eq(postAsks.personId, personId), eq(postAsks.day, day)))
  return { askId: row?.id ?? 0, before: row?.answer ?? '' }
}
