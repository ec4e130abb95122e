import { randomBytes } from 'node:crypto'
import { type GroupWithUnit, groupById, membersOf } from '../../../db/queries/groups.ts'
import { countAttempt, countOf } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  answerableOf,
  answersOf,
  closeRollCallRow,
  countedAmong,
  insertAnswer,
  insertRollCall,
  openRollCallOf,
  phonesOf,
  type RollCallRow,
  rollCallByToken,
} from '../../../db/queries/roll-calls.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { applyList } from './apply-list.ts'
import { isReadByPlatform } from './check-composition.ts'
import { compositionOfGroup } from './composition.ts'
import { rollCallPolicy } from './findings.ts'
import { type Reconciliation, reconcileGroup } from './reconcile.ts'
import { requireManagedGroup } from './register.ts'

const HOUR_MS = 3_600_000
/** Wrong answers that one address may give in an hour, over all names: a whole office may be behind one. */
const ADDRESS_TRIES = 30
/** Until the roll call is over, also where its end was late by a day. */
const UNHEARD_MS = (rollCallPolicy.hours + 24) * HOUR_MS

export interface OpenRollCall {
  group: GroupWithUnit
  link: string
  closesAt: Date
  /** How many have signed in so far. */
  count: number
}

/**
 * Opens a roll call (签到) of a group that no program can read, or shows the one that is open: a link to post in the group.
 * @throws DomainError `group.readable`, `group.open`, and as `requireManagedGroup`
 */
export async function openRollCall(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
): Promise<OpenRollCall> {
  const group = await requireManagedGroup(rt, actor, groupId)
  if (isReadByPlatform(group))
    throw new DomainError('group.readable', `“${group.name}”的成员由平台读取，不用签到。`)
  if (rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration')
    throw new DomainError('group.open', `“${group.name}”面向青年开放，不按名册核对，不用签到。`)
  const now = rt.clock.now()
  const token = randomBytes(18).toString('base64url')
  const opened = await insertRollCall(rt.db, {
    groupId,
    tokenIndex: rt.vault.index('page-token', token),
    tokenSealed: rt.vault.seal(token),
    openedBy: actor.person.id,
    createdAt: now,
    closesAt: new Date(now.getTime() + rollCallPolicy.hours * HOUR_MS),
  })
  if (opened)
    await appendAudit(rt.db, {
      at: now,
      actorId: actor.person.id,
      action: 'roll_call.opened',
      subjectKind: 'group',
      subjectId: groupId,
      details: {},
    })
  const row = opened ?? ((await openRollCallOf(rt.db, groupId)) as RollCallRow)
  return shown(rt, group, row)
}

/** The roll call that is open in a group, with its link. */
export async function currentRollCall(rt: DomainRuntime, group: GroupWithUnit): Promise<OpenRollCall | null> {
  const row = await openRollCallOf(rt.db, group.id)
  return row && shown(rt, group, row)
}

async function shown(rt: DomainRuntime, group: GroupWithUnit, row: RollCallRow): Promise<OpenRollCall> {
  return {
    group,
    link: `${rt.publicUrl}/roll-calls/${rt.vault.open(row.tokenSealed)}`,
    closesAt: row.closesAt,
    count: (await answersOf(rt.db, row.id)).length,
  }
}

/**
 * Closes a roll call before its time; who has signed in is the reading.
 * @throws DomainError `roll_call.none`, and as `requireManagedGroup`
 */
export async function endRollCall(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
): Promise<{ group: GroupWithUnit; result: Reconciliation }> {
  const group = await requireManagedGroup(rt, actor, groupId)
  const row = await openRollCallOf(rt.db, groupId)
  if (!row || !(await finish(rt, row, actor.person.id)))
    throw new DomainError(
      'roll_call.none',
      `“${group.name}”没有正在进行的签到。发送“签到 ${groupId}”可以发起。`,
    )
  const after = (await groupById(rt.db, groupId)) as GroupWithUnit
  return { group: after, result: await reconcileGroup(rt, after) }
}

/** Closes a roll call whose time is over, and tells who opened it what came of it. */
export async function endDueRollCall(rt: DomainRuntime, row: RollCallRow): Promise<void> {
  const group = await groupById(rt.db, row.groupId)
  if (!(await finish(rt, row, null)) || !group || group.dissolvedAt) return
  const { missing, extra, present } = await reconcileGroup(rt, (await groupById(rt.db, row.groupId)) ?? group)
  await sendToPerson(
    rt,
    row.openedBy,
    'task',
    `【签到结束】“${group.name}”（群号 ${group.id}）：应在并已签到 ${present} 人，没有签到 ${missing.length} 人，不该在群 ${extra.length} 人。没有签到的请核实是否在群，名单请发送：核对 ${group.id}`,
  )
}

async function finish(rt: DomainRuntime, row: RollCallRow, actorId: number | null): Promise<boolean> {
  if (!(await closeRollCallRow(rt.db, row.id, rt.clock.now()))) return false
  const [answers, unheard] = await Promise.all([answersOf(rt.db, row.id), unheardOf(rt, row)])
  await applyList(
    rt,
    row.groupId,
    {
      by: 'roll_call',
      persons: answers.map(({ personId, knownBy }) => ({
        personId,
        knownBy: knownBy === 'binding' ? 'binding' : 'roll_call',
      })),
      strangers: [],
      unheard,
    },
    actorId,
  )
  return true
}

/** Members who could not answer: no account and no phone are known of them, or their name was guessed at too often. */
async function unheardOf(rt: DomainRuntime, row: RollCallRow): Promise<Set<number>> {
  const members = await membersOf(rt.db, row.groupId)
  const persons = await answerableOf(
    rt.db,
    members.flatMap(member => member.personId ?? []),
  )
  const keysOf = (key: string) =>
    rt.vault.indexes('page-token', `name:${key}`).map(index => unheardKey(row.id, index))
  const shut = await countedAmong(
    rt.db,
    persons.flatMap(person => keysOf(person.nameKey)),
    rt.clock.now(),
  )
  return new Set(
    persons
      .filter(person => !person.canAnswer || keysOf(person.nameKey).some(key => shut.has(key)))
      .map(person => person.id),
  )
}

/** Under which it is counted that a name was not heard on a roll call. @param name the index of its key */
function unheardKey(rollCallId: number, name: string): string {
  return `roll:${rollCallId}:unheard:${name}`
}

/** The roll call behind a link, while it is open. */
export async function findRollCall(
  rt: DomainRuntime,
  token: string,
): Promise<{ id: number; group: GroupWithUnit; closesAt: Date } | null> {
  const row = await rollCallByToken(rt.db, rt.vault.indexes('page-token', token))
  if (!row || row.closedAt || row.closesAt <= rt.clock.now()) return null
  const group = await groupById(rt.db, row.groupId)
  return group && !group.dissolvedAt ? { id: row.id, group, closesAt: row.closesAt } : null
}

/** Somebody whose account is known says that they are in the group. */
export async function answerByAccount(
  rt: DomainRuntime,
  rollCall: { id: number },
  personId: number,
): Promise<void> {
  await insertAnswer(rt.db, {
    rollCallId: rollCall.id,
    personId,
    knownBy: 'binding',
    answeredAt: rt.clock.now(),
  })
}

/**
 * Somebody gives their name and the last four digits of their phone. Nothing is answered: whether it fitted, whether such a
 * person exists and whether they belong in the group is not told. Guessing is limited for each name and each address; a
 * name that was not heard for it is noted, so that nobody is taken to have gone because others guessed at them.
 * @param from where it comes from, such as the address of the visitor
 */
export async function answerByPhone(
  rt: DomainRuntime,
  rollCall: { id: number; group: GroupWithUnit },
  given: { name: string; tail: string },
  from: string,
): Promise<void> {
  await inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const key = nameKey(given.name)
    if (key === '' || !/^\d{4}$/.test(given.tail)) return
    const name = tx.vault.index('page-token', `name:${key}`)
    const leaveUnheard = () => countAttempt(tx.db, unheardKey(rollCall.id, name), now, UNHEARD_MS)
    const tries = await countAttempt(tx.db, `roll:${rollCall.id}:${name}`, now, HOUR_MS)
    if (tries > rollCallPolicy.triesAnHour) return void (await leaveUnheard())
    const address = `roll:${rollCall.id}:${tx.vault.index('page-token', `from:${from}`)}`
    // an address that has guessed too much is not heard any more, even where it is right for once
    if ((await countOf(tx.db, address, now)) >= ADDRESS_TRIES) return void (await leaveUnheard())
    const personId = await personOf(tx, rollCall.group, key, given.tail)
    if (personId === null) await countAttempt(tx.db, address, now, HOUR_MS)
    else await insertAnswer(tx.db, { rollCallId: rollCall.id, personId, knownBy: 'phone', answeredAt: now })
  })
}

/** The one person of that name and phone who belongs in the group or is known to be there. */
async function personOf(
  rt: DomainRuntime,
  group: GroupWithUnit,
  key: string,
  tail: string,
): Promise<number | null> {
  const [{ entitled }, members] = await Promise.all([
    compositionOfGroup(rt, group),
    membersOf(rt.db, group.id),
  ])
  const persons = await phonesOf(rt.db, [
    ...new Set([...entitled.keys(), ...members.flatMap(member => member.personId ?? [])]),
  ])
  const fits = persons
    .filter(person => person.nameKey === key && person.phoneSealed !== null)
    .filter(person => rt.vault.open(person.phoneSealed as string).endsWith(tail))
  return fits.length === 1 ? (fits[0]?.id ?? null) : null
}
