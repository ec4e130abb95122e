import { and, asc, desc, eq, inArray, isNull, like, lte, or, type SQL, sql } from 'drizzle-orm'
import { batchedOn } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiled } from '../compiled.ts'
import {
  chatReadings,
  deliveries,
  groupMembers,
  groups,
  joinPasses,
  joinRequests,
  notices,
  persons,
  tasks,
  unclaimedChats,
  units,
} from '../schema/index.ts'

export type GroupRow = typeof groups.$inferSelect
export type GroupWithUnit = GroupRow & {
  unitName: string
  unitPath: string
  unitKind: string
  ownerName: string | null
}

const withUnit = {
  group: groups,
  unitName: units.name,
  unitPath: units.path,
  unitKind: units.kind,
  ownerName: persons.name,
}

function selectGroups(db: Db) {
  return db
    .select(withUnit)
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, groups.ownerId))
}

type Selected = Awaited<ReturnType<typeof selectGroups>>[number]
const flat = ({ group, ...rest }: Selected): GroupWithUnit => ({ ...group, ...rest })

export async function insertGroup(db: Db, row: typeof groups.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(groups).values(row).returning({ id: groups.id })
  return inserted?.id as number
}

const selectById = compiled<Selected[]>(db => selectGroups(db).where(eq(groups.id, sql.placeholder('id'))))
const selectOwned = compiled<Selected[]>(db =>
  selectGroups(db)
    .where(and(eq(groups.ownerId, sql.placeholder('ownerId')), isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id)),
)

export async function groupById(db: Db, id: number): Promise<GroupWithUnit | null> {
  const [row] = await selectById(db, { id })
  return row ? flat(row) : null
}

const selectByIds = compiled<Selected[]>(db =>
  selectGroups(db).where(sql`${groups.id} = any(${sql.placeholder('ids')}::bigint[])`),
)

/** As `groupById`, for who asks hundreds of times a second: those who ask at the same time are answered together. */
export const groupToPostInto = batchedOn(async (db, ids: number[]): Promise<(GroupWithUnit | null)[]> => {
  const found = (await selectByIds(db, { ids: [...new Set(ids)] })).map(flat)
  const byId = new Map(found.map(group => [group.id, group]))
  return ids.map(id => byId.get(id) ?? null)
})

export async function groupByChat(db: Db, chatId: string): Promise<GroupWithUnit | null> {
  const [row] = await selectGroups(db).where(eq(groups.chatId, chatId))
  return row ? flat(row) : null
}

export async function groupsOwnedBy(db: Db, personId: number): Promise<GroupWithUnit[]> {
  return (await selectOwned(db, { ownerId: personId })).map(flat)
}

/** The groups in use that a unit leads itself. */
export async function groupsOfUnit(db: Db, unitId: number): Promise<GroupWithUnit[]> {
  const rows = await selectGroups(db)
    .where(and(eq(groups.unitId, unitId), isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
  return rows.map(flat)
}

/** The groups in use of a subtree. @param path the top unit's path */
export async function groupsUnder(db: Db, path: string): Promise<GroupWithUnit[]> {
  const rows = await selectGroups(db)
    .where(and(like(units.path, `${path}%`), isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
  return rows.map(flat)
}

/** The groups in which a person is known to be. */
export async function groupsJoinedBy(db: Db, personId: number): Promise<GroupWithUnit[]> {
  const rows = await db
    .select(withUnit)
    .from(groupMembers)
    .innerJoin(groups, eq(groups.id, groupMembers.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, groups.ownerId))
    .where(and(eq(groupMembers.personId, personId), isNull(groupMembers.leftAt), isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
  return rows.map(flat)
}

/** Which groups somebody looks after, as SQL can ask: the rule is `managesGroup` (`server/domain/actor.ts`). */
export interface Reach {
  personId: number
  /** Paths of the units that they run. */
  topPaths: string[]
  /** Paths of all units in which they have a role: an owner has the say while one is in line with the group's. */
  rolePaths: string[]
}

/** The condition on `units` (of the row) and `groups` (its owner) that leaves what lies within reach. */
export function withinReach({ personId, topPaths, rolePaths }: Reach): SQL {
  const inLine = rolePaths.flatMap(path => [
    like(units.path, `${path}%`),
    sql`${path}::text like ${units.path} || '%'`,
  ])
  const either = [
    ...topPaths.map(path => like(units.path, `${path}%`)),
    ...(inLine.length > 0 ? [and(eq(groups.ownerId, personId), or(...inLine))] : []),
  ]
  return or(...either) ?? sql`false`
}

export interface GroupFilter {
  reach: Reach
  /** The unit of this path and all below. */
  unitPath?: string | undefined
  state?: 'tasks' | 'ownerless' | 'requests' | undefined
  /** Part of the name, of the owner's name, or the number. */
  search?: string | undefined
  /** The groups that stood at this moment, instead of those in use. */
  stoodAt?: Date | undefined
  /** `YYYY-MM-DD`: tasks due before are overdue. */
  today: string
}

export type ListedGroup = GroupWithUnit & {
  openTasks: number
  overdueTasks: number
  waitingRequests: number
  /** How many groups the filter leaves, on all pages. */
  total: number
}

/** A page of the groups within reach. Ask for one more than is shown, to know whether there is another page. */
export async function listGroups(
  db: Db,
  filter: GroupFilter,
  limit: number,
  offset: number,
): Promise<ListedGroup[]> {
  const openTask = sql`${tasks.groupId} = ${groups.id} and ${tasks.closedAt} is null`
  const waiting = sql`${joinRequests.groupId} = ${groups.id} and ${joinRequests.decision} = 'referred'`
  const { stoodAt, search = '' } = filter
  const rows = await db
    .select({
      ...withUnit,
      openTasks: sql<number>`(select count(*) from ${tasks} where ${openTask})::int`,
      overdueTasks: sql<number>`(select count(*) from ${tasks} where ${openTask} and ${tasks.dueOn} < ${filter.today})::int`,
      waitingRequests: sql<number>`(select count(*) from ${joinRequests} where ${waiting})::int`,
      total: sql<number>`(count(*) over ())::int`,
    })
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, groups.ownerId))
    .where(
      and(
        withinReach(filter.reach),
        filter.unitPath === undefined ? undefined : like(units.path, `${filter.unitPath}%`),
        stoodAt ? stoodThen(stoodAt) : isNull(groups.dissolvedAt),
        filter.state === 'tasks' ? sql`exists (select from ${tasks} where ${openTask})` : undefined,
        filter.state === 'ownerless' ? isNull(groups.ownerId) : undefined,
        filter.state === 'requests' ? sql`exists (select from ${joinRequests} where ${waiting})` : undefined,
        search === ''
          ? undefined
          : or(
              sql`position(lower(${search}) in lower(${groups.name})) > 0`,
              sql`position(${search} in ${persons.name}) > 0`,
              /^\d{1,15}$/.test(search) ? eq(groups.id, Number(search)) : undefined,
            ),
      ),
    )
    .orderBy(asc(groups.id))
    .limit(limit)
    .offset(offset)
  return rows.map(({ openTasks, overdueTasks, waitingRequests, total, ...row }) => ({
    ...flat(row),
    openTasks,
    overdueTasks,
    waitingRequests,
    total,
  }))
}

/** As the figures of a sheet count them (`groupFigures`). */
function stoodThen(end: Date): SQL {
  const at = end.toISOString()
  return sql`${groups.createdAt} < ${at} and (${groups.dissolvedAt} is null or ${groups.dissolvedAt} >= ${at})`
}

/** The last notices meant for a group, with how far each has come. */
export function noticesOfGroup(db: Db, groupId: number, limit: number) {
  return db
    .select({
      noticeId: notices.id,
      body: notices.body,
      issuedAt: notices.issuedAt,
      deadlineAt: notices.deadlineAt,
      unitName: units.name,
      unitPath: units.path,
      route: deliveries.route,
      status: deliveries.status,
      updatedAt: deliveries.updatedAt,
    })
    .from(deliveries)
    .innerJoin(notices, eq(notices.id, deliveries.noticeId))
    .innerJoin(units, eq(units.id, notices.unitId))
    .where(eq(deliveries.groupId, groupId))
    .orderBy(desc(deliveries.noticeId))
    .limit(limit)
}

/** Holds other registrations of this unit's groups back until the transaction ends. */
export async function lockGroupsOfUnit(db: Db, unitId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`groups:${unitId}`}))`)
}

export async function updateGroup(
  db: Db,
  id: number,
  set: Partial<typeof groups.$inferInsert>,
): Promise<void> {
  await db.update(groups).set(set).where(eq(groups.id, id))
}

/** Asks for the members of every customer group in use to be read at `dueAt`; one that is asked for earlier stays. */
export async function requestAllReadings(db: Db, dueAt: Date): Promise<void> {
  await db.execute(sql`
    insert into chat_readings (chat_id, due_at)
    select chat_id, ${dueAt.toISOString()}::timestamptz from groups
    where platform = 'customer' and chat_id is not null and dissolved_at is null
    on conflict (chat_id) do nothing`)
}

/** Asks for a chat's members to be read at `dueAt`; a reading that is asked for already moves there. */
export async function requestReading(db: Db, chatId: string, dueAt: Date): Promise<void> {
  await db
    .insert(chatReadings)
    .values({ chatId, dueAt })
    .onConflictDoUpdate({ target: chatReadings.chatId, set: { dueAt, attempts: 0 } })
}

export function dueReadings(db: Db, now: Date, limit: number) {
  return db
    .select()
    .from(chatReadings)
    .where(lte(chatReadings.dueAt, now))
    .orderBy(asc(chatReadings.dueAt))
    .limit(limit)
}

/** Whether a chat's members are about to be read. */
export async function isReadingAsked(db: Db, chatId: string): Promise<boolean> {
  const rows = await db
    .select({ chatId: chatReadings.chatId })
    .from(chatReadings)
    .where(eq(chatReadings.chatId, chatId))
  return rows.length > 0
}

/** Of these accounts in a chat those that are bound to nobody and were named by no proof yet. */
export async function unprovedMembers(
  db: Db,
  chatId: string,
  addresses: string[],
  limit: number,
): Promise<string[]> {
  if (addresses.length === 0) return []
  const rows = await db.execute<{ address: string }>(sql`
    select a.address from groups g cross join unnest(${sql.param(addresses)}::text[]) as a (address)
    where g.chat_id = ${chatId} and g.dissolved_at is null
      and not exists (select from identities i where i.channel = 'wecom' and i.address = a.address and i.person_id is not null)
      and not exists (select from group_members m where m.group_id = g.id and m.address = a.address and m.left_at is null
        and m.person_id is not null and m.known_by not in ('remark', 'nickname'))
    limit ${limit}`)
  return rows.map(row => row.address)
}

/** A reading is done, unless another was asked for meanwhile. */
export async function finishReading(db: Db, chatId: string, dueAt: Date): Promise<void> {
  await db.delete(chatReadings).where(and(eq(chatReadings.chatId, chatId), eq(chatReadings.dueAt, dueAt)))
}

/** A reading failed and is tried again later. */
export async function postponeReading(db: Db, chatId: string, dueAt: Date): Promise<void> {
  await db
    .update(chatReadings)
    .set({ dueAt, attempts: sql`${chatReadings.attempts} + 1` })
    .where(eq(chatReadings.chatId, chatId))
}

export interface MemberRow {
  id: number
  personId: number | null
  name: string | null
  address: string | null
  nickname: string | null
  knownBy: string | null
}

export function membersOf(db: Db, groupId: number): Promise<MemberRow[]> {
  return db
    .select({
      id: groupMembers.id,
      personId: groupMembers.personId,
      name: persons.name,
      address: groupMembers.address,
      nickname: groupMembers.nickname,
      knownBy: groupMembers.knownBy,
    })
    .from(groupMembers)
    .leftJoin(persons, eq(persons.id, groupMembers.personId))
    .where(and(eq(groupMembers.groupId, groupId), isNull(groupMembers.leftAt)))
    .orderBy(groupMembers.id)
}

/** A page of a group's members, the longest known first; `total` counts all of them. */
export function listMembers(
  db: Db,
  groupId: number,
  limit: number,
  offset: number,
): Promise<(MemberRow & { joinedAt: Date; total: number })[]> {
  return db
    .select({
      id: groupMembers.id,
      personId: groupMembers.personId,
      name: persons.name,
      address: groupMembers.address,
      nickname: groupMembers.nickname,
      knownBy: groupMembers.knownBy,
      joinedAt: groupMembers.joinedAt,
      total: sql<number>`(count(*) over ())::int`,
    })
    .from(groupMembers)
    .leftJoin(persons, eq(persons.id, groupMembers.personId))
    .where(and(eq(groupMembers.groupId, groupId), isNull(groupMembers.leftAt)))
    .orderBy(asc(groupMembers.id))
    .limit(limit)
    .offset(offset)
}

/** Adds a member; somebody who is in already stays as they are. */
export async function insertMember(db: Db, row: typeof groupMembers.$inferInsert): Promise<void> {
  await db.insert(groupMembers).values(row).onConflictDoNothing()
}

export type NewMember = typeof groupMembers.$inferInsert

/** Adds members; somebody who is in already stays as they are. */
export async function insertMembers(db: Db, rows: readonly NewMember[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1000)
    await db
      .insert(groupMembers)
      .values(rows.slice(from, from + 1000))
      .onConflictDoNothing()
}

/** The join codes of these states, by state. */
export async function joinPassesByStates(
  db: Db,
  states: string[],
): Promise<Map<string, typeof joinPasses.$inferSelect>> {
  if (states.length === 0) return new Map()
  const rows = await db
    .select()
    .from(joinPasses)
    .where(sql`${joinPasses.state} = any(${sql.param(states)}::text[])`)
  return new Map(rows.map(row => [row.state, row]))
}

/** Somebody is in a group no more: a person, or a member of whom only the account or the name in the group is known. */
export async function endMembership(
  db: Db,
  who: { groupId: number; personId: number | null; address: string | null; nickname: string },
  now: Date,
): Promise<void> {
  const { personId, address, nickname } = who
  await db
    .update(groupMembers)
    .set({ leftAt: now })
    .where(
      and(
        eq(groupMembers.groupId, who.groupId),
        isNull(groupMembers.leftAt),
        personId !== null
          ? eq(groupMembers.personId, personId)
          : address !== null
            ? eq(groupMembers.address, address)
            : and(
                isNull(groupMembers.personId),
                isNull(groupMembers.address),
                eq(groupMembers.nickname, nickname),
              ),
      ),
    )
}

export async function updateMember(
  db: Db,
  id: number,
  set: Partial<typeof groupMembers.$inferInsert>,
): Promise<void> {
  await db.update(groupMembers).set(set).where(eq(groupMembers.id, id))
}

export async function insertJoinPass(db: Db, row: typeof joinPasses.$inferInsert): Promise<void> {
  await db.insert(joinPasses).values(row)
}

/**
 * The pass of a person for a group that has not been used, given to this account: another account that was approved as the
 * same person has its own. @param identityId null: passes of before, which were given to nobody in particular
 */
export async function openJoinPass(db: Db, groupId: number, personId: number, identityId: number | null) {
  const [row] = await db
    .select()
    .from(joinPasses)
    .where(
      and(
        eq(joinPasses.groupId, groupId),
        eq(joinPasses.personId, personId),
        identityId === null ? isNull(joinPasses.identityId) : eq(joinPasses.identityId, identityId),
        isNull(joinPasses.usedAt),
        isNull(joinPasses.endedAt),
      ),
    )
    .orderBy(sql`${joinPasses.id} desc`)
    .limit(1)
  return row ?? null
}

export async function updateJoinPass(
  db: Db,
  id: number,
  set: Partial<typeof joinPasses.$inferInsert>,
): Promise<void> {
  await db.update(joinPasses).set(set).where(eq(joinPasses.id, id))
}

/** Notes a group that nobody has registered. Returns its number when it is new. */
export async function upsertUnclaimedChat(
  db: Db,
  row: typeof unclaimedChats.$inferInsert,
): Promise<number | null> {
  const [noted] = await db
    .insert(unclaimedChats)
    .values(row)
    .onConflictDoUpdate({
      target: unclaimedChats.chatId,
      set: { name: row.name, ownerAddress: row.ownerAddress, size: row.size },
    })
    .returning({ id: unclaimedChats.id, isNew: sql<boolean>`(xmax = 0)` })
  return noted?.isNew ? noted.id : null
}

export async function unclaimedChat(db: Db, id: number) {
  const [row] = await db.select().from(unclaimedChats).where(eq(unclaimedChats.id, id))
  return row ?? null
}

/** The groups of an owner's account that wait to be claimed. */
export function unclaimedChatsOf(db: Db, ownerAddress: string): Promise<{ id: number; name: string }[]> {
  return db
    .select({ id: unclaimedChats.id, name: unclaimedChats.name })
    .from(unclaimedChats)
    .where(eq(unclaimedChats.ownerAddress, ownerAddress))
    .orderBy(asc(unclaimedChats.id))
    .limit(10)
}

export async function deleteUnclaimedChat(db: Db, chatId: string): Promise<void> {
  await db.delete(unclaimedChats).where(eq(unclaimedChats.chatId, chatId))
}

/** Opens a task unless the same one is open. Returns its id when it is new. */
export async function openTask(db: Db, row: typeof tasks.$inferInsert): Promise<number | null> {
  const [inserted] = await db.insert(tasks).values(row).onConflictDoNothing().returning({ id: tasks.id })
  return inserted?.id ?? null
}

export type TaskRow = typeof tasks.$inferSelect

/** A task about a group. */
export type GroupTask = TaskRow & { groupId: number }

export async function openTasksOf(db: Db, groupIds: number[]): Promise<GroupTask[]> {
  if (groupIds.length === 0) return []
  const rows = await db
    .select()
    .from(tasks)
    .where(and(inArray(tasks.groupId, groupIds), isNull(tasks.closedAt)))
    .orderBy(tasks.dueOn, tasks.id)
  return rows.filter((row): row is GroupTask => row.groupId !== null)
}

export async function taskById(db: Db, id: number): Promise<TaskRow | null> {
  const [row] = await db.select().from(tasks).where(eq(tasks.id, id))
  return row ?? null
}

export async function closeTask(db: Db, id: number, closedBy: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(tasks)
    .set({ closedAt: now, closedBy })
    .where(and(eq(tasks.id, id), isNull(tasks.closedAt)))
    .returning({ id: tasks.id })
  return rows.length === 1
}

/** Closes what was asked about a member of a group, by person or by account. */
export async function closeTasksAbout(
  db: Db,
  about: { groupId: number; kinds: string[]; personId: number | null; address: string | null },
  closedBy: string,
  now: Date,
): Promise<void> {
  const who = [
    ...(about.personId === null ? [] : [eq(tasks.personId, about.personId)]),
    ...(about.address === null ? [] : [eq(tasks.address, about.address)]),
  ]
  if (who.length === 0) return
  await db
    .update(tasks)
    .set({ closedAt: now, closedBy })
    .where(
      and(
        eq(tasks.groupId, about.groupId),
        inArray(tasks.kind, about.kinds),
        or(...who),
        isNull(tasks.closedAt),
      ),
    )
}
