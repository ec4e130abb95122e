import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { loadInBulk } from './bulk-load.ts'

// Following the roster works on tables that live as long as the transaction: a million rows never come to JavaScript.
//   touched_roles   roles whose standing may have changed
//   ended_roles, begun_roles   those that have
//   member_rules    who belongs in which kind of group, from the templates
//   belonged, belongs   person and group, by the roles before and by those now
//   due_tasks       what is to be asked
//   keepers         who owns the groups of it, while they stand in line with it
//   new_tasks       the tasks that have come of it: not what is asked already

/** A composition rule as rows can be joined with it. */
export interface MemberRuleRow {
  programme: string
  /** The group kind. */
  kind: string
  /** `own-unit`, `parent-unit`, `child-units`, `descendant-units` or `contacts`. */
  source: string
  unit_kinds: string[] | null
  roles: string[]
  /** Names of 人员类别; null: whichever. */
  categories: string[] | null
  is_optional: boolean
}

/** A group kind whose members are audited. */
export interface AuditedKindRow {
  programme: string
  kind: string
  /** Not all who belong are named by roles: somebody is only asked out who stands nowhere in the programme any more. */
  is_loose: boolean
  due_on: string
  /** The rule that says who belongs in it. */
  source: string
}

/** A role by which somebody runs a unit. */
export interface ManagingRole {
  programme: string
  role: string
}

/** Makes the tables of this transaction, empty. */
export async function openFollowing(
  db: Db,
  rules: MemberRuleRow[],
  kinds: AuditedKindRow[],
  managing: ManagingRole[],
): Promise<void> {
  for (const [table, columns] of Object.entries({
    touched_roles: 'person_id bigint, unit_id bigint, role text',
    ended_roles: 'person_id bigint, unit_id bigint, role text',
    begun_roles: 'person_id bigint, unit_id bigint, role text',
    member_rules:
      'programme text, kind text, source text, unit_kinds text[], roles text[], categories text[], is_optional boolean',
    audited_kinds: 'programme text, kind text, is_loose boolean, due_on date, source text',
    managing_roles: 'programme text, role text',
    belonged: 'group_id bigint, person_id bigint, is_optional boolean',
    belongs: 'group_id bigint, person_id bigint, is_optional boolean',
    due_tasks: 'kind text, group_id bigint, person_id bigint, why text, source text, due_on date',
    new_tasks: 'id bigint, kind text, group_id bigint, person_id bigint',
    keepers: 'group_id bigint, led_by bigint, owner_id bigint',
  })) {
    await db.execute(
      sql.raw(`create temporary table if not exists ${table} (${columns}) on commit delete rows`),
    )
    await db.execute(sql.raw(`delete from ${table}`))
  }
  for (const [table, columns] of Object.entries({
    ended_roles: 'person_id',
    begun_roles: 'person_id',
    belonged: 'group_id, person_id',
    belongs: 'group_id, person_id',
  }))
    await db.execute(
      sql.raw(`create index if not exists ${table}_looked_up on pg_temp.${table} (${columns})`),
    )
  // a jsonb parameter would be written as JSON a second time
  await db.execute(sql`
    insert into member_rules select * from jsonb_to_recordset(${JSON.stringify(rules)}::text::jsonb)
      as t (programme text, kind text, source text, unit_kinds text[], roles text[], categories text[], is_optional boolean)`)
  await db.execute(sql`
    insert into audited_kinds select * from jsonb_to_recordset(${JSON.stringify(kinds)}::text::jsonb)
      as t (programme text, kind text, is_loose boolean, due_on date, source text)`)
  await db.execute(sql`
    insert into managing_roles select * from jsonb_to_recordset(${JSON.stringify(managing)}::text::jsonb)
      as t (programme text, role text)`)
}

/** The roles that an import's entries are about: those it has brought and those it has closed. */
export async function touchByImport(db: Db, importId: number): Promise<void> {
  await db.execute(sql`
    insert into touched_roles
    select person_id, unit_id, role from roster_entries where import_id = ${importId}
    union select person_id, unit_id, role from roster_entries where gone_import_id = ${importId}`)
}

export async function touchByKeys(
  db: Db,
  keys: { personId: number; unitId: number; role: string }[],
): Promise<void> {
  await db.execute(sql`
    insert into touched_roles select distinct * from unnest(${sql.param(keys.map(key => key.personId))}::bigint[],
      ${sql.param(keys.map(key => key.unitId))}::bigint[], ${sql.param(keys.map(key => key.role))}::text[])`)
}

/** What stands on a day (`YYYY-MM-DD`): on duty, and within its term. */
const stands = (entry: SQL, today: string) => sql`
  (${entry}.gone_import_id is null and ${entry}.status = '在岗'
    and coalesce(${entry}.starts_on, '0001-01-01') <= ${today}::date
    and coalesce(${entry}.ends_on, '9999-12-31') >= ${today}::date)`

/**
 * The roles whose standing a day changes: services that began after the day `since` up to `today`, or whose last day was
 * before it. Without `since` whatever differs.
 */
export async function touchByDay(db: Db, since: string | null, today: string): Promise<void> {
  const turned =
    since === null
      ? sql`true`
      : sql`((e.starts_on > ${since}::date and e.starts_on <= ${today}::date)
          or (e.ends_on >= ${since}::date and e.ends_on < ${today}::date))`
  await db.execute(sql`
    insert into touched_roles
    select distinct e.person_id, e.unit_id, e.role from roster_entries e
    where e.gone_import_id is null and e.status = '在岗' and (e.starts_on is not null or e.ends_on is not null) and ${turned}
      and ${stands(sql`e`, today)} is distinct from exists (select from roles r
        where r.person_id = e.person_id and r.unit_id = e.unit_id and r.role = e.role and r.ended_at is null)`)
}

/** From so many changed roles on it is worth while to count the tables anew. */
const MANY = 5000

/** Roles end that no entry stands for, and begin where one does; the title of the term that began last is theirs. */
export async function turnRoles(db: Db, now: Date, today: string): Promise<void> {
  await db.execute(sql`analyze touched_roles`)
  const [touched] = await db.execute<{ count: number }>(sql`select count(*)::int as count from touched_roles`)
  const isLarge = (touched?.count ?? 0) > MANY
  // what a large import has just written is not in the planner's figures, by which it would look up each row alone
  if (isLarge) await db.execute(sql`analyze roster_entries`)
  await db.execute(sql`
    with ended as (
      update roles r set ended_at = ${now.toISOString()}::timestamptz
      from touched_roles t
      where r.person_id = t.person_id and r.unit_id = t.unit_id and r.role = t.role and r.ended_at is null
        and not exists (select from roster_entries e where e.person_id = t.person_id and e.unit_id = t.unit_id
          and e.role = t.role and ${stands(sql`e`, today)})
      returning r.person_id, r.unit_id, r.role
    ) insert into ended_roles select * from ended`)
  await loadInBulk(db, ['roles'], touched?.count ?? 0, () => beginRoles(db, now, today))
  await db.execute(sql`analyze ended_roles`)
  await db.execute(sql`analyze begun_roles`)
  if (isLarge) await db.execute(sql`analyze roles`)
}

async function beginRoles(db: Db, now: Date, today: string): Promise<void> {
  await db.execute(sql`
    with begun as (
      insert into roles (person_id, unit_id, role, title, started_at)
      select distinct on (e.person_id, e.unit_id, e.role) e.person_id, e.unit_id, e.role, e.title, ${now.toISOString()}::timestamptz
      from touched_roles t join roster_entries e
        on e.person_id = t.person_id and e.unit_id = t.unit_id and e.role = t.role and ${stands(sql`e`, today)}
      order by e.person_id, e.unit_id, e.role, e.starts_on desc nulls last, e.id desc
      on conflict (person_id, unit_id, role) where ended_at is null do update set title = excluded.title
        where roles.title is distinct from excluded.title
      returning person_id, unit_id, role, (xmax = 0) as is_new
    ) insert into begun_roles select person_id, unit_id, role from begun where is_new`)
}

/** Accounts that are bound by less than a code let go of those who have come into an office (`releaseUnvouched`). */
export async function releaseNewOfficers(db: Db): Promise<void> {
  await db.execute(sql`
    update identities i set person_id = null, bound_at = null, bound_by = null
    from begun_roles b join units u on u.id = b.unit_id
      join managing_roles m on m.programme = u.programme and m.role = b.role
    where i.person_id = b.person_id and i.bound_by is distinct from 'code'`)
}

/**
 * 1+100: a contact ends with the office, and goes on for who comes back within `days`.
 * @param today `YYYY-MM-DD`
 */
export async function followContacts(db: Db, today: string, days: number): Promise<void> {
  await db.execute(sql`
    update contacts c set until_on = ${today}::date, ended_by = 'left'
    from (select distinct person_id from ended_roles) e
    where c.person_id = e.person_id and c.until_on is null and not exists (select from roles r
      where r.person_id = c.person_id and r.unit_id = c.office_id and r.ended_at is null)`)
  await db.execute(sql`
    update contacts c set until_on = null, ended_by = null
    where c.id in (
      select max(last.id) from contacts last join begun_roles b
        on b.person_id = last.person_id and b.unit_id = last.office_id
      where last.ended_by = 'left' and last.until_on >= ${today}::date - ${days}::int
        and not exists (select from contacts other where other.person_id = last.person_id
          and other.unit_id = last.unit_id and other.until_on is null)
      group by last.person_id, last.unit_id)`)
}

/**
 * Person and group by the composition rules, read from a set of roles.
 * @param held rows of person_id, unit_id, role
 * @param isInCategory on `h` (the role) and `rule`
 */
const belonging = (held: SQL, isInCategory: SQL) => sql`
  with held as (${held}), fitting as (
    select h.person_id, u.id as unit_id, u.parent_id, u.path, rule.programme, rule.kind, rule.source, rule.is_optional
    from held h join units u on u.id = h.unit_id
    join member_rules rule on rule.programme = u.programme and h.role = any(rule.roles)
      and (rule.unit_kinds is null or u.kind = any(rule.unit_kinds))
    where rule.source <> 'contacts' and (rule.categories is null or ${isInCategory})
  ), meant as (
    select person_id, programme, kind, is_optional, case source when 'own-unit' then unit_id else parent_id end as unit_id
    from fitting where source in ('own-unit', 'child-units')
    union all
    select f.person_id, f.programme, f.kind, f.is_optional, below.id
    from fitting f join units below on below.parent_id = f.unit_id where f.source = 'parent-unit'
    union all
    select f.person_id, f.programme, f.kind, f.is_optional, above.id::bigint
    from fitting f cross join lateral unnest(string_to_array(trim('/' from f.path), '/')) as above (id)
    where f.source = 'descendant-units' and above.id::bigint <> f.unit_id
  )
  select g.id as group_id, m.person_id, m.is_optional from meant m
  join groups g on g.unit_id = m.unit_id and g.programme = m.programme and g.kind = m.kind and g.dissolved_at is null`

/** Works out where those whose roles have changed belonged before, and where they belong now. */
export async function workOutBelonging(db: Db, today: string): Promise<void> {
  const movers = sql`(select person_id from ended_roles union select person_id from begun_roles)`
  const everOfCategory = sql`exists (select from roster_entries e where e.person_id = h.person_id
    and e.unit_id = h.unit_id and e.role = h.role and e.category = any(rule.categories))`
  const nowOfCategory = sql`exists (select from roster_entries e where e.person_id = h.person_id
    and e.unit_id = h.unit_id and e.role = h.role and e.category = any(rule.categories) and ${stands(sql`e`, today)})`
  // before: what has ended, and what has not begun just now
  const before = sql`
    select person_id, unit_id, role from ended_roles
    union
    select r.person_id, r.unit_id, r.role from roles r
    where r.person_id in ${movers} and r.ended_at is null and not exists (select from begun_roles b
      where b.person_id = r.person_id and b.unit_id = r.unit_id and b.role = r.role)`
  const after = sql`select r.person_id, r.unit_id, r.role from roles r
    where r.person_id in ${movers} and r.ended_at is null`
  await db.execute(sql`
    insert into belonged select group_id, person_id, bool_and(is_optional)
    from (${belonging(before, everOfCategory)}) b group by group_id, person_id`)
  await db.execute(sql`
    insert into belongs select group_id, person_id, bool_and(is_optional) from (
      select * from (${belonging(after, nowOfCategory)}) b
      union all
      select g.id, c.person_id, false from contacts c
      join groups g on g.unit_id = c.unit_id and g.dissolved_at is null
      join member_rules rule on rule.programme = g.programme and rule.kind = g.kind and rule.source = 'contacts'
      where c.until_on is null and c.person_id in ${movers}
    ) b group by group_id, person_id`)
  await db.execute(sql`analyze belonged`)
  await db.execute(sql`analyze belongs`)
}

/** What tasks say of a person: `{name}`, `{from}` the unit where they were, `{to}` the unit where they are now. */
export interface ChangeWords {
  /** Of a member who stands nowhere in the programme any more. */
  gone: string
  moved: string
  /** The same of an ordinary group, where nobody knows whether they are in it. */
  goneIfThere: string
  movedIfThere: string
  arrived: string
}

/**
 * Asks the owners to remove who does not belong any more: members that are known, and in groups that cannot be read all
 * who belonged. An owner is not asked to remove themself.
 */
export async function askForRemovals(db: Db, words: ChangeWords): Promise<void> {
  await db.execute(sql`
    with left_behind as (
      select m.group_id, m.person_id, true as is_known from group_members m
      where m.person_id in (select person_id from ended_roles) and m.left_at is null
      union
      select b.group_id, b.person_id, false from belonged b
      join groups g on g.id = b.group_id
      where g.chat_id is null and b.person_id in (select person_id from ended_roles)
        and not exists (select from group_members m
          where m.group_id = b.group_id and m.person_id = b.person_id)
    )
    insert into due_tasks (kind, group_id, person_id, why, source, due_on)
    select 'remove_member', l.group_id, l.person_id,
      replace(replace(replace(case when here.name is null
          then case when l.is_known then ${words.gone}::text else ${words.goneIfThere}::text end
          else case when l.is_known then ${words.moved}::text else ${words.movedIfThere}::text end
        end, '{from}', former.name), '{to}', coalesce(here.name, '')), '{name}', p.name),
      k.source, k.due_on
    from left_behind l
    join groups g on g.id = l.group_id and g.dissolved_at is null and g.owner_id is distinct from l.person_id
    join audited_kinds k on k.programme = g.programme and k.kind = g.kind
    join persons p on p.id = l.person_id
    join lateral (select u.name from ended_roles e join units u on u.id = e.unit_id
      where e.person_id = l.person_id and u.programme = g.programme order by length(u.path) desc limit 1) former on true
    left join lateral (select u.name from roles r join units u on u.id = r.unit_id
      where r.person_id = l.person_id and u.programme = g.programme and r.ended_at is null
      order by r.started_at desc, r.id desc limit 1) here on true
    where not exists (select from belongs b where b.group_id = l.group_id and b.person_id = l.person_id)
      and (not k.is_loose or here.name is null)`)
}

/** Whom a group can let in by themselves: an account bound to them, and a way in that the bot can give. */
const canComeBySelf = sql`(g.chat_id is not null or g.join_code is not null) and exists (select from identities i
  where i.person_id = b.person_id and i.is_reachable and i.bound_by in ('code', 'join_request'))`

/** Whoever has come to belong, must be there, and is not: of a unit's groups of one kind in the one with most room. */
const newcomers = sql`
  belongs b join groups g on g.id = b.group_id
  join audited_kinds k on k.programme = g.programme and k.kind = g.kind
  join persons p on p.id = b.person_id
  join lateral (select u.name from begun_roles n join units u on u.id = n.unit_id
    where n.person_id = b.person_id and u.programme = g.programme order by length(u.path) desc limit 1) here on true
  where not b.is_optional and g.owner_id is distinct from b.person_id
    and not exists (select from belonged old where old.group_id = b.group_id and old.person_id = b.person_id)
    and not exists (select from groups same join group_members m on m.group_id = same.id
      where same.unit_id = g.unit_id and same.kind = g.kind and same.dissolved_at is null
        and m.person_id = b.person_id and m.left_at is null)
    and not exists (select from groups other where other.unit_id = g.unit_id and other.kind = g.kind
      and other.dissolved_at is null and (other.size - other.capacity, other.id) < (g.size - g.capacity, g.id))`

/** Asks the owners to invite who has come to belong and cannot be told how to come by themself. */
export async function askForInvitations(db: Db, words: ChangeWords): Promise<void> {
  await db.execute(sql`
    insert into due_tasks (kind, group_id, person_id, why, source, due_on)
    select case when exists (select from contacts c where c.person_id = b.person_id and c.unit_id = g.unit_id
        and c.until_on is null) then 'contact_absent' else 'invite_member' end,
      b.group_id, b.person_id, replace(replace(${words.arrived}::text, '{to}', here.name), '{name}', p.name),
      k.source, k.due_on
    from ${newcomers} and not (${canComeBySelf})`)
}

/** What was asked about these people and is no longer true is asked no more. */
export async function voidTasks(db: Db, now: Date): Promise<void> {
  await db.execute(sql`
    update tasks t set closed_at = ${now.toISOString()}::timestamptz, closed_by = 'void'
    where t.closed_at is null and (
      (t.kind = 'remove_member' and t.person_id in (select person_id from begun_roles)
        and exists (select from belongs b where b.group_id = t.group_id and b.person_id = t.person_id))
      or (t.kind in ('invite_member', 'contact_absent') and t.person_id in (select person_id from ended_roles)
        and exists (select from belonged old where old.group_id = t.group_id and old.person_id = t.person_id)
        and not exists (select from belongs b where b.group_id = t.group_id and b.person_id = t.person_id)))`)
}

/** A way into a group that somebody was given and has not used ends with their belonging there. */
export async function endPassesOfMovers(db: Db, now: Date): Promise<void> {
  await db.execute(sql`
    update join_passes j set ended_at = ${now.toISOString()}::timestamptz, ended_why = 'left'
    from belonged old where j.group_id = old.group_id and j.person_id = old.person_id
      and j.used_at is null and j.ended_at is null
      and not exists (select from belongs b where b.group_id = j.group_id and b.person_id = j.person_id)`)
}

/**
 * Finds who is to do what is to be asked.
 * @returns the units of the groups without an owner: somebody has to answer for those
 */
export async function findKeepers(db: Db): Promise<number[]> {
  await db.execute(sql`analyze due_tasks`)
  await db.execute(sql`
    with concerned as materialized (
      select g.id, g.unit_id, g.owner_id, gu.path from groups g join units gu on gu.id = g.unit_id
      where g.id in (select group_id from due_tasks)
    ), standing as (
      select distinct c.id from concerned c
      join roles r on r.person_id = c.owner_id and r.ended_at is null join units ru on ru.id = r.unit_id
      where starts_with(c.path, ru.path) or starts_with(ru.path, c.path)
    )
    insert into keepers select c.id, c.unit_id, case when s.id is not null then c.owner_id end
    from concerned c left join standing s on s.id = c.id`)
  await db.execute(sql`analyze keepers`)
  const rows = await db.execute<{ led_by: string }>(sql`
    select distinct led_by from keepers where owner_id is null order by led_by`)
  return rows.map(row => Number(row.led_by))
}

/** Opens the tasks that are not open already, for the owner, or the first of those who answer for the unit. */
export async function openTasks(db: Db, answerers: Map<number, number[]>, now: Date): Promise<void> {
  const pairs = [...answerers].flatMap(([unitId, [first]]) =>
    first === undefined ? [] : [[unitId, first] as const],
  )
  await db.execute(sql`
    with opened as (
      insert into tasks (kind, group_id, person_id, why, source, due_on, created_at, asked_id, told_at)
      select d.kind, d.group_id, d.person_id, d.why, d.source, d.due_on, ${now.toISOString()}::timestamptz,
        asked.id, case when asked.id is not null then ${now.toISOString()}::timestamptz end
      from due_tasks d join keepers k on k.group_id = d.group_id
      left join unnest(${sql.param(pairs.map(([unitId]) => unitId))}::bigint[],
        ${sql.param(pairs.map(([, personId]) => personId))}::bigint[]) as a (unit_id, person_id) on a.unit_id = k.led_by
      cross join lateral (select coalesce(k.owner_id, a.person_id) as id) asked
      on conflict do nothing
      returning id, kind, group_id, person_id
    ) insert into new_tasks select * from opened`)
  await db.execute(sql`analyze new_tasks`)
}

/** Has the members of the chats read again in which somebody is whose role has ended. */
export async function requestReadingsOfMovers(db: Db, now: Date): Promise<void> {
  await db.execute(sql`
    insert into chat_readings (chat_id, due_at)
    select distinct g.chat_id, ${now.toISOString()}::timestamptz from group_members m join groups g on g.id = m.group_id
    where m.person_id in (select person_id from ended_roles) and m.left_at is null
      and g.dissolved_at is null and g.platform = 'customer' and g.chat_id is not null
    on conflict (chat_id) do update set due_at = excluded.due_at, attempts = 0`)
}

export interface ChangeNews {
  /** The owner, while they stand in line with the group; null: whoever answers for the unit is told. */
  ownerId: number | null
  /** null where there is an owner: their groups are told of together. */
  unitId: number | null
  groups: number
  removals: number
  invitations: number
  /** The first ten. */
  toRemove: string[]
  toInvite: string[]
}

/** What has come up for each owner, or for each unit whose groups have none. */
export async function newsOfTasks(db: Db): Promise<ChangeNews[]> {
  const rows = await db.execute<{
    owner_id: string | null
    unit_id: string | null
    groups: number
    removals: number
    invitations: number
    to_remove: string[] | null
    to_invite: string[] | null
  }>(sql`
    with told as (
      select t.id, t.kind, t.group_id, p.name, k.led_by, k.owner_id
      from new_tasks t join keepers k on k.group_id = t.group_id join persons p on p.id = t.person_id
    )
    select owner_id, case when owner_id is null then led_by end as unit_id, count(distinct group_id)::int as groups,
      (count(*) filter (where kind = 'remove_member'))::int as removals,
      (count(*) filter (where kind <> 'remove_member'))::int as invitations,
      (array_agg(name order by id) filter (where kind = 'remove_member'))[1:10] as to_remove,
      (array_agg(name order by id) filter (where kind <> 'remove_member'))[1:10] as to_invite
    from told group by 1, 2`)
  return rows.map(row => ({
    ownerId: row.owner_id === null ? null : Number(row.owner_id),
    unitId: row.unit_id === null ? null : Number(row.unit_id),
    groups: row.groups,
    removals: row.removals,
    invitations: row.invitations,
    toRemove: row.to_remove ?? [],
    toInvite: row.to_invite ?? [],
  }))
}

/** Of a group `g` of the unit `gu`: whether its owner has a role in line with it (`standingOwner`). */
const ownerStands = sql`exists (select from roles r join units ru on ru.id = r.unit_id
  where r.person_id = g.owner_id and r.ended_at is null
    and (starts_with(gu.path, ru.path) or starts_with(ru.path, gu.path)))`

/** The groups that newcomers can come into by themselves, person by person. */
export async function invitedBySelf(
  db: Db,
): Promise<
  { personId: number; unitName: string; groups: { id: number; name: string; code: string | null }[] }[]
> {
  const rows = await db.execute<{
    person_id: string
    unit_name: string
    groups: { id: number; name: string; code: string | null }[]
  }>(sql`
    select b.person_id, min(here.name) as unit_name, json_agg(json_build_object('id', g.id, 'name', g.name,
      'code', case when g.chat_id is null then g.join_code end) order by g.id) as groups
    from ${newcomers} and ${canComeBySelf} group by b.person_id`)
  return rows.map(row => ({ personId: Number(row.person_id), unitName: row.unit_name, groups: row.groups }))
}

/**
 * Proposes a hand-over of what those have charge of who are gone: groups that they own and have no say in any more, a unit
 * that they ran or looked after. A proposal about somebody who is back is dropped.
 * @returns the new proposals
 */
export async function proposeHandOvers(
  db: Db,
  importId: number | null,
  dueOn: string,
  now: Date,
): Promise<
  { id: number; unitId: number; unitName: string; personId: number; personName: string; groups: number }[]
> {
  const at = now.toISOString()
  await db.execute(sql`
    update hand_overs h set status = 'dropped', closed_at = ${at}::timestamptz
    from begun_roles b where h.status = 'proposed' and h.unit_id = b.unit_id and h.from_id = b.person_id`)
  const rows = await db.execute<{
    id: string
    unit_id: string
    unit_name: string
    person_id: string
    person_name: string
    groups: number
  }>(sql`
    with gone as (
      select distinct e.person_id, e.unit_id, u.path, u.name, u.manager_id,
        exists (select from ended_roles x join managing_roles m on m.programme = u.programme and m.role = x.role
          where x.person_id = e.person_id and x.unit_id = e.unit_id) as ran_it,
        exists (select from roles r join managing_roles m on m.programme = u.programme and m.role = r.role
          where r.person_id = e.person_id and r.unit_id = e.unit_id and r.ended_at is null) as runs_it
      from ended_roles e join units u on u.id = e.unit_id
    ), owned as (
      select gone.person_id, gone.unit_id, count(*)::int as groups from gone
      join groups g on g.owner_id = gone.person_id and g.dissolved_at is null
      join units gu on gu.id = g.unit_id and (starts_with(gu.path, gone.path) or starts_with(gone.path, gu.path))
      where not ${ownerStands} group by 1, 2
    ), fresh as (
      insert into hand_overs (unit_id, from_id, status, import_id, due_on, created_at)
      select gone.unit_id, gone.person_id, 'proposed', ${importId}::bigint, ${dueOn}::date, ${at}::timestamptz
      from gone left join owned using (person_id, unit_id)
      where owned.groups is not null or (gone.ran_it and not gone.runs_it)
        or (gone.manager_id = gone.person_id and not exists (select from roles r
          where r.person_id = gone.person_id and r.unit_id = gone.unit_id and r.ended_at is null))
      on conflict do nothing returning id, unit_id, from_id
    )
    select f.id, f.unit_id, gone.name as unit_name, f.from_id as person_id, p.name as person_name, coalesce(owned.groups, 0) as groups
    from fresh f join gone on gone.unit_id = f.unit_id and gone.person_id = f.from_id join persons p on p.id = f.from_id
    left join owned on owned.unit_id = f.unit_id and owned.person_id = f.from_id order by f.id`)
  return rows.map(row => ({
    id: Number(row.id),
    unitId: Number(row.unit_id),
    unitName: row.unit_name,
    personId: Number(row.person_id),
    personName: row.person_name,
    groups: row.groups,
  }))
}

/** The last day that has been followed; null: none yet. */
export async function lastFollowedDay(db: Db): Promise<string | null> {
  const [row] = await db.execute<{ day: string | null }>(sql`select max(day)::text as day from followed_days`)
  return row?.day ?? null
}

/** Notes that a day is followed; false when it was already. Another process that does the same waits for this one. */
export async function noteFollowedDay(db: Db, day: string, now: Date): Promise<boolean> {
  const rows = await db.execute(sql`
    insert into followed_days (day, followed_at) values (${day}::date, ${now.toISOString()}::timestamptz)
    on conflict do nothing returning day`)
  return rows.length > 0
}
