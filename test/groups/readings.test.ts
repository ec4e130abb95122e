import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { type GroupWithUnit, groupById } from '../../db/queries/groups.ts'
import { insertRollCall } from '../../db/queries/roll-calls.ts'
import type { MovableClock } from '../../server/clock.ts'
import { applyList } from '../../server/domain/groups/apply-list.ts'
import { applyReading, type Reading } from '../../server/domain/groups/apply-reading.ts'
import { managersFor } from '../../server/domain/groups/managers.ts'
import { reconcileGroup } from '../../server/domain/groups/reconcile.ts'
import { reconcileAll } from '../../server/domain/groups/reconcile-units.ts'
import {
  answerByAccount,
  answerByPhone,
  endDueRollCall,
  findRollCall,
} from '../../server/domain/groups/roll-call.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { cleanMatrix, domainOn, type World } from '../support/clean-matrix.ts'
import { cloneDatabase } from '../support/database.ts'

const HOUR_MS = 3_600_000
const CUSTOMER = '一支部群'
const ORDINARY = '二支部群'

class RolledBack extends Error {}

let close: () => Promise<void>
let db: Db
let world: World

beforeAll(async () => {
  const connected = connectDatabase(await cloneDatabase(), 3)
  close = connected.close
  db = connected.db
  world = await cleanMatrix(db, domainOn(db).rt.clock.now())
})
afterAll(() => close())

/** A clean matrix on which something happens and is taken back. */
interface Scene {
  tx: Db
  w: World
  rt: DomainRuntime
  clock: MovableClock
}

async function inVain(work: (scene: Scene) => Promise<void>): Promise<void> {
  try {
    await db.transaction(async tx => {
      await work({ tx, w: world.within(tx), ...domainOn(tx) })
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
}

async function groupOf({ tx }: Scene, name: string): Promise<GroupWithUnit> {
  const [row] = await tx.execute<{ id: string }>(sql`select id from groups where name = ${name}`)
  return (await groupById(tx, Number(row?.id))) as GroupWithUnit
}

/** Who is in a group and how we know, as the rows have it. */
async function membersIn({ tx }: Scene, group: string): Promise<Map<string, string | null>> {
  const rows = await tx.execute<{ who: string; known_by: string | null }>(sql`
    select coalesce(p.name, m.nickname, m.address) as who, m.known_by from group_members m
    join groups g on g.id = m.group_id left join persons p on p.id = m.person_id
    where g.name = ${group} and m.left_at is null`)
  return new Map(rows.map(row => [row.who, row.known_by]))
}

/** A reading of a customer group as it is known, without these accounts and with those. */
async function reads(
  { tx, rt }: Scene,
  group: string,
  {
    without = [],
    besides = [],
  }: { without?: string[]; besides?: Partial<Reading['members'][number]>[] } = {},
): Promise<void> {
  const rows = await tx.execute<{ address: string; chat_id: string }>(sql`
    select m.address, g.chat_id from group_members m join groups g on g.id = m.group_id
    where g.name = ${group} and m.left_at is null and m.address is not null`)
  const [first] = await tx.execute<{ chat_id: string }>(sql`select chat_id from groups where name = ${group}`)
  const others = [...without, ...besides.map(member => member.address)]
  const known = rows.map(row => ({ address: row.address })).filter(({ address }) => !others.includes(address))
  await applyReading(rt, first?.chat_id as string, {
    name: group,
    owner: '',
    version: 'v',
    members: [...known, ...besides].map(member => ({
      address: '',
      isStaff: false,
      state: null,
      unionId: null,
      nickname: '某人',
      joinedAt: rt.clock.now(),
      ...member,
    })),
  })
}

describe('somebody is to be removed because an approval was taken back', () => {
  /** What an undo leaves: a task without a rule behind it, and an account or a person who may well belong by name. */
  async function undone(scene: Scene, group: string, who: { personId?: number; address?: string }) {
    const { personId = null, address = null } = who
    await scene.tx.execute(sql`
      insert into tasks (kind, group_id, person_id, address, why, due_on, created_at)
      select 'remove_member', id, ${personId}, ${address}, '审核结论已撤销', '2026-09-08', ${scene.clock.now().toISOString()}
      from groups where name = ${group}`)
    scene.clock.advance(HOUR_MS)
  }
  const closedBy = async ({ tx }: Scene) =>
    (
      await tx.execute<{ closed_by: string | null }>(
        sql`select closed_by from tasks where kind = 'remove_member' and source is null`,
      )
    ).map(row => row.closed_by)

  test('an account: neither the night nor a reading that finds it closes the task; one without it does', () =>
    inVain(async scene => {
      const personId = await scene.w.idOf('王志愿')
      await scene.tx.execute(
        sql`update group_members set person_id = null, known_by = null where address = ${`wm-${personId}`}`,
      )
      await undone(scene, CUSTOMER, { address: `wm-${personId}` })
      await reconcileAll(scene.rt)
      expect(await closedBy(scene)).toEqual([null])
      await reads(scene, CUSTOMER)
      expect(await closedBy(scene)).toEqual([null])
      await reads(scene, CUSTOMER, { without: [`wm-${personId}`] })
      expect(await closedBy(scene)).toEqual(['reading'])
    }))

  test('a person, where lists are pasted: a list with them and a roll call prove nothing, a list without them does', () =>
    inVain(async scene => {
      const group = await groupOf(scene, ORDINARY)
      const personId = await scene.w.idOf('二委员')
      const present = await scene.tx.execute<{ person_id: string }>(
        sql`select person_id from group_members where group_id = ${group.id} and person_id is not null`,
      )
      const paste = async (ids: number[]) => {
        const persons = ids.map(id => ({ personId: id, knownBy: 'nickname' as const }))
        await applyList(
          scene.rt,
          group.id,
          { by: 'pasted', persons, strangers: [], unheard: new Set() },
          null,
        )
      }
      const all = present.map(row => Number(row.person_id))
      await scene.tx.execute(
        sql`update group_members set left_at = now() where group_id = ${group.id} and person_id = ${personId}`,
      )
      await undone(scene, ORDINARY, { personId })
      await reconcileAll(scene.rt)
      expect(await closedBy(scene)).toEqual([null])
      await applyList(
        scene.rt,
        group.id,
        { by: 'roll_call', persons: [], strangers: [], unheard: new Set() },
        null,
      )
      expect(await closedBy(scene)).toEqual([null])
      await paste(all)
      expect(await closedBy(scene)).toEqual([null])
      await paste(all.filter(id => id !== personId))
      expect(await closedBy(scene)).toEqual(['reading'])
    }))

  test.each([
    ['has come in by an account of their own', 'binding', ['reading']],
    ['is only called so by their nickname', 'nickname', [null]],
  ] as const)('a person who %s', (_what, knownBy, closed) =>
    inVain(async scene => {
      const personId = await scene.w.idOf('王志愿')
      await undone(scene, CUSTOMER, { personId })
      await scene.tx.execute(
        sql`update group_members set known_by = ${knownBy} where address = ${`wm-${personId}`}`,
      )
      await reads(scene, CUSTOMER, { besides: [{ address: `wm-${personId}`, nickname: '王志愿' }] })
      expect(await closedBy(scene)).toEqual(closed)
    }),
  )
})

describe('a list of an ordinary group', () => {
  test.each([
    ['pasted', 'nickname', 'join_request'],
    ['roll_call', 'binding', 'binding'],
  ] as const)('%s: whoever was approved and is on it is known by %s → %s', (by, knownBy, expected) =>
    inVain(async scene => {
      const group = await groupOf(scene, ORDINARY)
      const personId = await scene.w.idOf('二委员')
      await scene.tx.execute(
        sql`update group_members set known_by = 'join_request' where group_id = ${group.id} and person_id = ${personId}`,
      )
      const persons = [{ personId, knownBy }]
      await applyList(scene.rt, group.id, { by, persons, strangers: [], unheard: new Set() }, null)
      expect((await membersIn(scene, ORDINARY)).get('二委员')).toBe(expected)
    }),
  )
})

describe('a stranger in the chat turns out to be somebody known only as a person', () => {
  async function follows({ tx, w }: Scene, name: string) {
    await tx.execute(sql`
      insert into identities (channel, address, union_id, person_id, bound_at, bound_by, created_at)
      values ('official-account', 'o-known', 'u-known', ${await w.idOf(name)}, now(), 'registration', now())`)
  }

  test('in a group that is open to anyone: one member, not two', () =>
    inVain(async scene => {
      const { tx, w } = scene
      await tx.execute(
        sql`update groups set platform = 'customer', chat_id = 'chat-open' where name = '羊圈青年群'`,
      )
      const stranger = { address: 'wm-new', unionId: 'u-known', nickname: '放羊的' }
      await reads(scene, '羊圈青年群', { besides: [stranger] })
      await w.person('新来的')
      await tx.execute(sql`
        insert into group_members (group_id, person_id, known_by, joined_at)
        select id, ${await w.idOf('新来的')}, 'registration', now() from groups where name = '羊圈青年群'`)
      await follows(scene, '新来的')
      for (let time = 0; time < 2; time++) await reads(scene, '羊圈青年群', { besides: [stranger] })
      const found = await tx.execute<{ address: string | null; known_by: string }>(sql`
        select address, known_by from group_members where person_id = ${await w.idOf('新来的')} and left_at is null`)
      expect([...found]).toEqual([{ address: 'wm-new', known_by: 'unionid' }])
    }))

  test('in an audited group, while the stranger stays there', () =>
    inVain(async scene => {
      const { tx, w } = scene
      const personId = await w.idOf('王志愿')
      const stranger = { address: 'wm-new', unionId: 'u-known', nickname: '沙漠玫瑰' }
      await reads(scene, CUSTOMER, { without: [`wm-${personId}`], besides: [stranger] })
      await tx.execute(sql`
        insert into group_members (group_id, person_id, known_by, joined_at)
        select id, ${personId}, 'join_request', now() from groups where name = ${CUSTOMER}`)
      await follows(scene, '王志愿')
      await reads(scene, CUSTOMER, { besides: [stranger] })
      const found = await tx.execute<{ address: string | null }>(
        sql`select address from group_members m join groups g on g.id = m.group_id
          where g.name = ${CUSTOMER} and person_id = ${personId} and left_at is null`,
      )
      expect([...found]).toEqual([{ address: 'wm-new' }])
    }))
})

describe('a stranger is found by a reading', () => {
  /** Who was told of them, and who is asked. */
  async function told({ tx, rt }: Scene) {
    const messages = await tx.execute<{ person_id: string; texts_sealed: string }>(
      sql`select person_id, texts_sealed from outgoing_messages where purpose = 'task'`,
    )
    const tasks = await tx.execute<{ asked_id: string | null; is_told: boolean }>(
      sql`select asked_id, told_at is not null as is_told from tasks where kind = 'identify_member' and closed_at is null`,
    )
    return {
      messages: messages
        .map(row => ({ to: Number(row.person_id), text: rt.vault.open(row.texts_sealed) }))
        .filter(message => message.text.includes('【群成员】')),
      asked: tasks.map(row => [row.asked_id === null ? null : Number(row.asked_id), row.is_told]),
    }
  }
  const stranger = { besides: [{ address: 'wm-x', nickname: '卖保险的' }] }

  test('the owner is told', () =>
    inVain(async scene => {
      const { ownerId } = await groupOf(scene, CUSTOMER)
      await reads(scene, CUSTOMER, stranger)
      const { messages, asked } = await told(scene)
      expect(messages.map(message => message.to)).toEqual([ownerId])
      expect(messages[0]?.text).not.toContain('没有在岗的群主')
      expect(asked).toEqual([[ownerId, true]])
    }))

  test.each(['has left the roster', 'is nobody'])(
    'an owner who %s gets no names: who answers for the unit is asked and told',
    which =>
      inVain(async scene => {
        const { tx } = scene
        const group = await groupOf(scene, CUSTOMER)
        if (which === 'is nobody')
          await tx.execute(sql`update groups set owner_id = null where id = ${group.id}`)
        await tx.execute(sql`update roles set ended_at = now() where person_id = ${group.ownerId}`)
        await tx.execute(sql`update roster_entries set status = '离岗' where person_id = ${group.ownerId}`)
        const [answers] = await managersFor(scene.rt, group)
        expect(answers).toEqual(expect.any(Number))
        await reads(scene, CUSTOMER, stranger)
        const { messages, asked } = await told(scene)
        expect(messages.map(message => message.to)).toEqual([answers])
        expect(messages[0]?.text).toContain('卖保险的')
        expect(messages[0]?.text).toContain('没有在岗的群主')
        for (const each of asked) expect(each).toEqual([answers, true])
      }),
  )
})

describe('签到', () => {
  /** A roll call of the ordinary group, open for a day; all but 延期 have a phone on the roster. */
  async function opened(scene: Scene) {
    const { tx, rt, clock } = scene
    const group = await groupOf(scene, ORDINARY)
    const people = await tx.execute<{ id: string; name: string }>(sql`select id, name from persons`)
    for (const { id, name } of people)
      if (name !== '延期')
        await tx.execute(
          sql`update persons set phone_sealed = ${rt.vault.seal(`1380000${id.padStart(4, '0')}`)} where id = ${id}`,
        )
    const row = await insertRollCall(tx, {
      groupId: group.id,
      tokenIndex: rt.vault.index('page-token', 'link'),
      tokenSealed: rt.vault.seal('link'),
      openedBy: group.ownerId as number,
      createdAt: clock.now(),
      closesAt: new Date(clock.now().getTime() + 24 * HOUR_MS),
    })
    if (!row) throw new Error('not opened')
    const rollCall = await findRollCall(rt, 'link')
    if (!rollCall) throw new Error('not found')
    const end = async () => {
      clock.advance(25 * HOUR_MS)
      await endDueRollCall(rt, row)
      return membersIn(scene, ORDINARY)
    }
    const answers = async (name: string, from: string) =>
      answerByPhone(rt, rollCall, { name, tail: String(await scene.w.idOf(name)).padStart(4, '0') }, from)
    const guess = (name: string, times: number, from: string) =>
      Array.from({ length: times }).reduce<Promise<void>>(
        before => before.then(() => answerByPhone(rt, rollCall, { name, tail: '9999' }, from)),
        Promise.resolve(),
      )
    return { rollCall, answers, guess, end }
  }

  test('whoever did not sign in is missing; whoever could not is not, nor whom a platform has seen', () =>
    inVain(async scene => {
      const { answers, end } = await opened(scene)
      await scene.tx.execute(sql`
        update group_members set known_by = 'unionid' where person_id = ${await scene.w.idOf('县丙')}`)
      await scene.tx.execute(sql`
        update group_members set address = 'wm-county' from groups g
        where g.id = group_id and g.name = ${ORDINARY} and person_id = ${await scene.w.idOf('县乙')}`)
      await answers('二书记', '1.1.1.1')
      const members = await end()
      expect(members.has('二书记')).toBe(true)
      expect(members.has('二委员')).toBe(false)
      // no phone on the roster, no account
      expect(members.has('延期')).toBe(true)
      expect(members.has('县丙')).toBe(true)
      expect(members.has('县乙')).toBe(true)
    }))

  test('whose name others guessed at is not heard, and stays; hours later they are heard again', () =>
    inVain(async scene => {
      const { answers, guess, end, rollCall } = await opened(scene)
      await guess('二委员', 6, '6.6.6.6')
      await answers('二委员', '1.1.1.1')
      await guess('县甲', 6, '6.6.6.6')
      await answerByAccount(scene.rt, rollCall, await scene.w.idOf('县甲'))
      scene.clock.advance(2 * HOUR_MS)
      const members = await end()
      // shut out, and never asked: the name is as it was
      expect(members.get('二委员')).toBe('nickname')
      // by their own account they are in however much others guess
      expect(members.has('县甲')).toBe(true)
      expect(members.has('二书记')).toBe(false)
      const answered = await scene.tx.execute(
        sql`select p.name, known_by from roll_call_answers join persons p on p.id = person_id`,
      )
      expect([...answered]).toEqual([{ name: '县甲', known_by: 'binding' }])
    }))

  test('who is right from an address that has guessed too much is not heard, and stays', () =>
    inVain(async scene => {
      const { answers, guess, end } = await opened(scene)
      for (const name of ['甲某', '乙某', '丙某', '丁某', '戊某', '己某']) await guess(name, 5, '7.7.7.7')
      await answers('二委员', '7.7.7.7')
      expect((await end()).has('二委员')).toBe(true)
    }))
})

test('a unit with two groups of one kind: whoever is in the other one is not missing, by night nor on the page', () =>
  inVain(async scene => {
    const { tx, rt, w } = scene
    const personId = await w.idOf('二委员')
    await w.group('二支部', 'branch', '二支部二群', await w.idOf('二书记'), [personId])
    for (const name of ['二委员', '延期'])
      await tx.execute(sql`
        update group_members set left_at = now() from groups g
        where g.id = group_id and g.name = ${ORDINARY} and person_id = ${await w.idOf(name)}`)
    await reconcileAll(rt)
    const asked = await tx.execute(
      sql`select p.name from tasks t join persons p on p.id = t.person_id where t.kind = 'invite_member' and closed_at is null`,
    )
    expect([...asked]).toEqual([{ name: '延期' }])
    const { missing, elsewhere } = await reconcileGroup(rt, await groupOf(scene, ORDINARY))
    expect(missing.map(person => person.name)).toEqual(['延期'])
    expect(elsewhere.map(({ name, groupName }) => [name, groupName])).toEqual([['二委员', '二支部二群']])
  }))
