import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/**
 * A matrix as a rehearsal needs it (演练): who could bring a notice into which group, and nothing that says who they are.
 * Persons are numbers of their own; there are no names of people or groups, phones, ID numbers or addresses.
 */
export interface Matrix {
  programme: string
  /** The top first; paths begin with it. */
  units: MatrixUnit[]
  groups: MatrixGroup[]
  roles: { personId: number; unitId: number; role: string }[]
  accounts: MatrixAccount[]
  /** Groups of the real matrix, of which `groups` may be a part. */
  groupsInAll: number
}

export interface MatrixUnit {
  id: number
  code: string
  name: string
  kind: string
  level: string
  parentId: number | null
  path: string
  managerId: number | null
}

export interface MatrixGroup {
  id: number
  kind: string
  unitId: number
  platform: string
  size: number
  ownerId: number | null
  /** The platform's id is known, without which nothing can be posted or asked there. */
  hasChat: boolean
  hasRobot: boolean
}

export interface MatrixAccount {
  personId: number
  channel: 'wecom' | 'official-account'
  /** Of the corp itself; false for a customer (external_userid). */
  isMember: boolean
  isReachable: boolean
  /** The Official Account may write to them now (客服消息时窗). */
  isOpen: boolean
}

/**
 * Reads the subtree of a unit without anything personal.
 * @param managing the roles by which somebody runs a unit of this programme
 * @param plainRole stands for the role of an owner above the subtree: what it is there does not matter
 * @param most groups; of more a part is taken by chance, the same for the same seed
 */
export async function readMatrix(
  db: Db,
  top: { id: number; path: string; programme: string },
  options: { managing: string[]; plainRole: string; most: number; seed: number; now: Date },
): Promise<Matrix> {
  const { managing, plainRole, most, seed, now } = options
  const [all] = await db.execute<{ count: number }>(sql`
    select count(*)::int as count from units u join groups g on g.unit_id = u.id
    where starts_with(u.path, ${top.path}) and g.dissolved_at is null`)
  const groups = await db.execute<{
    id: string
    kind: string
    unit_id: string
    platform: string
    size: number
    owner_id: string | null
    has_chat: boolean
    has_robot: boolean
  }>(sql`
    select g.id, g.kind, g.unit_id, g.platform, g.size, g.owner_id, g.chat_id is not null as has_chat,
      g.webhook_sealed is not null as has_robot
    from units u join groups g on g.unit_id = u.id
    where starts_with(u.path, ${top.path}) and g.dissolved_at is null
    order by hashint8extended(g.id, ${seed}::bigint), g.id limit ${most}`)
  const inUse = sql.param([...new Set([...groups].map(group => Number(group.unit_id)))])
  const units = await db.execute<{
    id: string
    code: string
    name: string
    kind: string
    level: string
    parent_id: string | null
    path: string
    manager_id: string | null
  }>(sql`
    with wanted as (
      select distinct part.id::bigint as id
      from units u, unnest(string_to_array(trim('/' from u.path), '/')) as part (id)
      where u.id = any(${inUse}::bigint[])
    )
    select id, code, name, kind, level, parent_id, path, manager_id from units
    where id = ${top.id} or id in (select id from wanted) and starts_with(path, ${top.path})
    order by length(path), path`)
  const unitIds = sql.param([...units].map(unit => Number(unit.id)))
  const ownerIds = sql.param([...new Set([...groups].flatMap(group => group.owner_id ?? []).map(Number))])
  const roles = await db.execute<{ person_id: string; unit_id: string; role: string }>(sql`
    select person_id, unit_id, role from roles
    where ended_at is null and unit_id = any(${unitIds}::bigint[])
      and (role = any(${sql.param(managing)}::text[]) or person_id = any(${ownerIds}::bigint[])
        or person_id in (select manager_id from units where id = any(${unitIds}::bigint[])))
    union
    -- an owner whose office is above: all that matters is that they stand in line
    select r.person_id, ${top.id}::bigint, ${plainRole}::text
    from roles r join units u on u.id = r.unit_id
    where r.ended_at is null and r.person_id = any(${ownerIds}::bigint[])
      and starts_with(${top.path}, u.path) and u.id <> ${top.id}`)
  const personIds = sql.param([
    ...new Set([
      ...[...groups].flatMap(group => group.owner_id ?? []).map(Number),
      ...[...roles].map(role => Number(role.person_id)),
      ...[...units].flatMap(unit => unit.manager_id ?? []).map(Number),
    ]),
  ])
  const accounts = await db.execute<{
    person_id: string
    channel: MatrixAccount['channel']
    is_member: boolean
    is_reachable: boolean
    is_open: boolean
  }>(sql`
    select person_id, channel, channel = 'wecom' and address !~ '^w[mo]' as is_member, is_reachable,
      coalesce(window_left > 0 and window_ends_at > ${now.toISOString()}::timestamptz, false) as is_open
    from identities
    where person_id = any(${personIds}::bigint[]) and channel in ('wecom', 'official-account')
    order by person_id, channel`)

  const numbers = new Map<string, number>()
  /** A number of the rehearsal's own, in the order of first mention. */
  const numberOf = (personId: string) => {
    const number = numbers.get(personId) ?? numbers.size + 1
    numbers.set(personId, number)
    return number
  }
  return {
    programme: top.programme,
    groupsInAll: all?.count ?? 0,
    units: [...units].map(unit => ({
      id: Number(unit.id),
      code: unit.code,
      name: unit.name,
      kind: unit.kind,
      level: unit.level,
      parentId: Number(unit.id) === top.id ? null : Number(unit.parent_id),
      path: `/${top.id}/${unit.path.slice(top.path.length)}`,
      managerId: unit.manager_id === null ? null : numberOf(unit.manager_id),
    })),
    groups: [...groups]
      .map(group => ({
        id: Number(group.id),
        kind: group.kind,
        unitId: Number(group.unit_id),
        platform: group.platform,
        size: group.size,
        ownerId: group.owner_id === null ? null : numberOf(group.owner_id),
        hasChat: group.has_chat,
        hasRobot: group.has_robot,
      }))
      .sort((a, b) => a.id - b.id),
    roles: [...roles].map(role => ({
      personId: numberOf(role.person_id),
      unitId: Number(role.unit_id),
      role: role.role,
    })),
    accounts: [...accounts].map(account => ({
      personId: numberOf(account.person_id),
      channel: account.channel,
      isMember: account.is_member,
      isReachable: account.is_reachable,
      isOpen: account.is_open,
    })),
  }
}

/** What is written of a matrix into the database of a rehearsal beside its own rows. */
export interface InventedParts {
  now: Date
  personName(id: number): string
  groupName(id: number): string
  /** The platform's id of somebody's account there. */
  addressOf(account: MatrixAccount): string
  chatIdOf(groupId: number): string
  /** Sealed, by group. */
  webhooks: ReadonlyMap<number, string>
}

/** Everybody who is named in a matrix, in order. */
export function personIdsOf(matrix: Matrix): number[] {
  const ids = new Set<number>()
  for (const { ownerId } of matrix.groups) if (ownerId !== null) ids.add(ownerId)
  for (const { managerId } of matrix.units) if (managerId !== null) ids.add(managerId)
  for (const { personId } of [...matrix.roles, ...matrix.accounts]) ids.add(personId)
  return [...ids].sort((a, b) => a - b)
}

/** Fills the empty database of a rehearsal; units and groups keep their numbers, so that what comes out can be told of them. */
export async function insertMatrix(db: Db, matrix: Matrix, parts: InventedParts): Promise<void> {
  const now = sql`${parts.now.toISOString()}::timestamptz`
  const rowsOf = (rows: unknown[]) => sql`${JSON.stringify(rows)}::text::json`
  const persons = personIdsOf(matrix).map(id => ({ id, name: parts.personName(id) }))
  await db.execute(sql`
    insert into persons (id, name, name_key, sound_key, created_at) overriding system value
    select id, name, name, name, ${now} from json_to_recordset(${rowsOf(persons)}) as r (id bigint, name text)`)
  await db.execute(sql`
    insert into units (id, programme, code, name, kind, level, parent_id, path, manager_id, created_at)
    overriding system value
    select id, ${matrix.programme}, code, name, kind, level, "parentId", path, "managerId", ${now}
    from json_to_recordset(${rowsOf(matrix.units)}) as r (id bigint, code text, name text, kind text, level text,
      "parentId" bigint, path text, "managerId" bigint)`)
  const groups = matrix.groups.map(group => ({
    ...group,
    name: parts.groupName(group.id),
    chatId: group.hasChat ? parts.chatIdOf(group.id) : null,
    webhook: parts.webhooks.get(group.id) ?? null,
  }))
  await db.execute(sql`
    insert into groups (id, programme, kind, unit_id, name, platform, owner_id, chat_id, webhook_sealed, capacity, size,
      created_at)
    overriding system value
    select id, ${matrix.programme}, kind, "unitId", name, platform, "ownerId", "chatId", webhook, 500, size, ${now}
    from json_to_recordset(${rowsOf(groups)}) as r (id bigint, kind text, "unitId" bigint, name text, platform text,
      "ownerId" bigint, "chatId" text, webhook text, size int)`)
  await db.execute(sql`
    insert into roles (person_id, unit_id, role, started_at)
    select "personId", "unitId", role, ${now}
    from json_to_recordset(${rowsOf(matrix.roles)}) as r ("personId" bigint, "unitId" bigint, role text)
    on conflict do nothing`)
  const accounts = matrix.accounts.map(account => ({ ...account, address: parts.addressOf(account) }))
  await db.execute(sql`
    insert into identities (channel, address, person_id, bound_at, bound_by, is_reachable, created_at)
    select channel, address, "personId", ${now}, 'code', "isReachable", ${now}
    from json_to_recordset(${rowsOf(accounts)}) as r (channel text, address text, "personId" bigint,
      "isReachable" boolean)
    on conflict do nothing`)
  for (const table of ['persons', 'units', 'groups'])
    await db.execute(
      sql.raw(`select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}) + 1)`),
    )
  await db.execute(sql`analyze`)
}
