import { sql } from 'drizzle-orm'
import { batchedOn } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiledSql } from '../compiled.ts'
import type { NoticeAsk } from '../schema/index.ts'
import { cameTo, insertOutgoing } from './notices.ts'

/** A picture or a file that goes with a notice. */
export interface CarriedFile {
  id: number
  kind: 'picture' | 'file'
  name: string
  size: number
  /** SHA-256, hex. */
  hash: string
}

/** A notice as a message that carries it has to say it, corrected where it was corrected meanwhile. */
export interface CarriedNotice {
  id: number
  unitName: string
  body: string
  link: string | null
  ask: NoticeAsk | null
  importance: string
  deadlineAt: Date
  isWithdrawn: boolean
  files: CarriedFile[]
}

const selectCarried = compiledSql<{
  id: string
  unit_name: string
  body: string
  link: string | null
  ask: NoticeAsk | null
  importance: string
  deadline_at: string
  is_withdrawn: boolean
  files: (CarriedFile & { isCorrection: boolean })[]
}>(sql`
    select n.id, u.name as unit_name, coalesce(c.body, n.body) as body, case when c.id is null then n.link else c.link end as link, n.ask,
      n.importance, n.deadline_at, n.withdrawn_at is not null as is_withdrawn,
      (select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'name', f.name, 'size', f.size,
          'hash', f.hash, 'isCorrection', f.notice_id <> n.id) order by f.id), '[]')
        from notice_files f where f.notice_id in (n.id, c.id) and f.kind in ('picture', 'file')) as files
    from notices n join units u on u.id = n.unit_id
    left join lateral (
      select id, body, link from notices
      where about_id in (n.id, n.about_id) and id > n.id and kind = 'correction' and n.kind <> 'withdrawal'
        and withdrawn_at is null and not ${sql.placeholder('asWritten')}::boolean
      order by id desc limit 1) c on true
    where n.id = ${sql.placeholder('id')}`)

interface Reading {
  now: Promise<CarriedNotice | null>
  /** Begins when that is over, for all who have asked meanwhile. */
  next: Promise<CarriedNotice | null> | null
}

/** What is being read, for each database or transaction. */
const reading = new WeakMap<Db, Map<string, Reading>>()

/**
 * The notice that messages carry. The newest correction takes the place of the words; its files too, where it has some.
 *
 * Hundreds of messages a second carry the same notice: all who ask while it is being read share the next reading. They
 * get none that began before they asked, for it may have missed a correction.
 * @param asWritten as it was at first: for a message of which a part is out already
 */
export function carriedNotice(
  db: Db,
  id: number,
  { asWritten }: { asWritten: boolean },
): Promise<CarriedNotice | null> {
  const all = reading.get(db) ?? new Map<string, Reading>()
  reading.set(db, all)
  const key = `${id} ${asWritten}`
  const begin = (): Promise<CarriedNotice | null> => {
    const own: Reading = { now: readCarried(db, id, asWritten), next: null }
    all.set(key, own)
    const end = () => {
      if (all.get(key) === own && own.next === null) all.delete(key)
    }
    own.now.then(end, end)
    return own.now
  }
  const under = all.get(key)
  if (!under) return begin()
  under.next ??= under.now.then(begin, begin)
  return under.next
}

async function readCarried(db: Db, id: number, asWritten: boolean): Promise<CarriedNotice | null> {
  const [row] = await selectCarried(db, { id, asWritten })
  if (!row) return null
  const isReplaced = row.files.some(file => file.isCorrection)
  return {
    id: Number(row.id),
    unitName: row.unit_name,
    body: row.body,
    link: row.link,
    ask: row.ask,
    importance: row.importance,
    deadlineAt: new Date(row.deadline_at),
    isWithdrawn: row.is_withdrawn,
    files: row.files.filter(file => file.isCorrection === isReplaced),
  }
}

/** A unit as the mark of a copy needs it. */
export interface LineUnit {
  code: string
  name: string
}

const selectGroupsOfMessages = compiledSql<{
  outgoing_id: string
  id: string
  name: string
  line: LineUnit[] | null
}>(sql`
  select d.outgoing_id, g.id, g.name, case when row_number() over (partition by d.outgoing_id order by g.id) = 1 then (
      select jsonb_agg(jsonb_build_object('code', a.code, 'name', a.name) order by length(a.path)) from units a
      where a.id = any(string_to_array(trim(both '/' from u.path), '/')::bigint[])) end as line
  from deliveries d join groups g on g.id = d.group_id join units u on u.id = g.unit_id
  where d.outgoing_id = any(${sql.placeholder('outgoingIds')}::bigint[]) and d.status not in ('posted', 'withdrawn')
    and g.dissolved_at is null
  order by g.id`)

/**
 * The groups in use that a message is for and that have not got the notice, and the unit of the first with those above it,
 * from the top downwards (empty when it is for none). Messages that ask at the same time are answered together.
 */
export const groupsOfMessage = batchedOn(
  async (
    db,
    outgoingIds: number[],
  ): Promise<{ groups: { id: number; name: string }[]; line: LineUnit[] }[]> => {
    const rows = await selectGroupsOfMessages(db, { outgoingIds: [...new Set(outgoingIds)] })
    const ofMessage = Map.groupBy([...rows], row => Number(row.outgoing_id))
    return outgoingIds.map(outgoingId => {
      const theirs = ofMessage.get(outgoingId) ?? []
      return {
        groups: theirs.map(({ id, name }) => ({ id: Number(id), name })),
        line: theirs[0]?.line ?? [],
      }
    })
  },
)

/** A request to relay a notice that has not left yet and may leave by then: what falls to the same owner goes with it. */
export async function waitingRelayRequest(
  db: Db,
  noticeId: number,
  ownerId: number,
  by: Date,
): Promise<number | null> {
  const [row] = await db.execute<{ id: string }>(sql`
    select id from outgoing_messages
    where coalesce(person_id, identity_id, group_id) = ${ownerId} and status = 'pending' and person_id = ${ownerId}
      and notice_id = ${noticeId} and kind = 'person' and sent_count = 0
      and next_attempt_at <= ${by.toISOString()}::timestamptz
    order by id limit 1 for update skip locked`)
  return row ? Number(row.id) : null
}

/** Whether an owner has been asked to relay a notice before, into whatever group of theirs. */
export async function hadRelayRequest(db: Db, noticeId: number, ownerId: number): Promise<boolean> {
  const rows = await db.execute(sql`
    select 1 from groups g join deliveries d on d.notice_id = ${noticeId} and d.group_id = g.id
    join outgoing_messages o on o.id = d.outgoing_id
    where g.owner_id = ${ownerId} and o.kind = 'person' and o.person_id = ${ownerId} limit 1`)
  return rows.length > 0
}

/** Writes a request to relay, with the next number of its notice for its mark. @returns its id */
export async function insertRelay(
  db: Db,
  request: { noticeId: number; ownerId: number; startsAt: Date; now: Date },
): Promise<number> {
  const { noticeId, ownerId, startsAt, now } = request
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`notice-mark:${noticeId}`}))`)
  const [last] = await db.execute<{ mark: number | null }>(
    sql`select max(mark) as mark from outgoing_messages where notice_id = ${noticeId} and mark is not null`,
  )
  const [id] = await insertOutgoing(db, [
    {
      kind: 'person',
      personId: ownerId,
      noticeId,
      purpose: 'relay',
      textsSealed: '',
      status: 'pending',
      mark: (last?.mark ?? 0) + 1,
      nextAttemptAt: startsAt,
      createdAt: now,
    },
  ])
  return id as number
}

/** A copy that was sent out to be relayed by hand, with the notice that it is of. */
export interface Copy {
  outgoingId: number
  mark: number
  noticeId: number
  /** What it may say: the notice's words, and those of its corrections. */
  bodies: string[]
  unitName: string
  issuedAt: Date
  isWithdrawn: boolean
  /** The newest correction of the notice; null: it was not corrected. */
  correctionId: number | null
  ownerName: string | null
  sentAt: Date | null
}

/** How many notices are looked through for a number, the newest first. */
const MOST_COPIES = 200

/**
 * The copies with a number, of the notices that concern somebody: sent to them or to a group of theirs, or by a unit that
 * they run or one below it. The newest first.
 */
export async function copiesNumbered(
  db: Db,
  mark: number,
  of: { personId: number; unitIds: number[]; managingPaths: string[] },
): Promise<Copy[]> {
  const rows = await db.execute<{
    outgoing_id: string
    notice_id: string
    bodies: string[]
    unit_name: string
    issued_at: string
    is_withdrawn: boolean
    correction_id: string | null
    owner_name: string | null
    sent_at: string | null
  }>(sql`
    select o.id as outgoing_id, n.id as notice_id, u.name as unit_name, n.issued_at,
      n.withdrawn_at is not null as is_withdrawn, p.name as owner_name, o.sent_at,
      (select max(c.id) from notices c where c.about_id = n.id and c.kind = 'correction') as correction_id,
      (select jsonb_agg(w.body) from notices w
        where w.id = n.id or w.about_id = n.id and w.kind = 'correction') as bodies
    from notices n join units u on u.id = n.unit_id
    join outgoing_messages o on o.notice_id = n.id and o.mark = ${mark}
    left join persons p on p.id = o.person_id
    where o.person_id = ${of.personId}
      or exists (select from unnest(${sql.param(of.managingPaths)}::text[]) as m (path) where starts_with(u.path, m.path))
      or ${cameTo(sql`n.id`, { managingPaths: [], own: of })}
      or exists (select from unnest(${sql.param(of.managingPaths)}::text[]) as m (path) where starts_with(m.path, u.path))
        and ${cameTo(sql`n.id`, { managingPaths: of.managingPaths })}
    order by n.id desc limit ${MOST_COPIES}`)
  return [...rows].map(row => ({
    outgoingId: Number(row.outgoing_id),
    mark,
    noticeId: Number(row.notice_id),
    bodies: row.bodies,
    unitName: row.unit_name,
    issuedAt: new Date(row.issued_at),
    isWithdrawn: row.is_withdrawn,
    correctionId: row.correction_id === null ? null : Number(row.correction_id),
    ownerName: row.owner_name,
    sentAt: row.sent_at === null ? null : new Date(row.sent_at),
  }))
}

/** The groups for which these copies were meant, with their units and those above them, from the top downwards. */
export async function groupsOfCopies(db: Db, outgoingIds: number[]) {
  const rows = await db.execute<{
    outgoing_id: string
    name: string
    unit_name: string
    unit_path: string
    line: LineUnit[]
  }>(sql`
    select d.outgoing_id, g.name, u.name as unit_name, u.path as unit_path,
      (select jsonb_agg(jsonb_build_object('code', a.code, 'name', a.name) order by length(a.path)) from units a
        where a.id = any(string_to_array(trim(both '/' from u.path), '/')::bigint[])) as line
    from deliveries d join groups g on g.id = d.group_id join units u on u.id = g.unit_id
    where d.outgoing_id = any(${sql.param(outgoingIds)}::bigint[])
    order by d.outgoing_id, g.id limit 500`)
  return [...rows].map(row => ({
    outgoingId: Number(row.outgoing_id),
    name: row.name,
    unitName: row.unit_name,
    unitPath: row.unit_path,
    line: row.line,
  }))
}
