import { getTableColumns, getTableName, is, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectDatabase } from '../../../db/client.ts'
import { identityOf } from '../../../db/queries/identities.ts'
import { putPersonsBack } from '../../../db/queries/persons.ts'
import * as schema from '../../../db/schema/index.ts'
import { heldSecrets, nameOf, sealedTables } from '../../../db/schema/sealed.ts'
import { rotateKeys } from '../../../server/domain/data-keys/rotate.ts'
import { findRollCall } from '../../../server/domain/groups/roll-call.ts'
import { issueCodeByOperator } from '../../../server/domain/identities/issue-code.ts'
import { leave } from '../../../server/domain/identities/leave.ts'
import { recallRegistration } from '../../../server/domain/identities/registered-account.ts'
import { readSession, startSession } from '../../../server/domain/sign-in/sessions.ts'
import type { Runtime } from '../../../server/runtime.ts'
import { randomDataKey } from '../../../server/start.ts'
import { createVault } from '../../../server/vault.ts'
import { personId } from '../../support/console.ts'
import { bindFirst, fillMatrix, groupNumber, importCsv, rows } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

describe('what has to be sealed anew', () => {
  test('is every column of the schema that is called sealed, and every index', () => {
    const columns = Object.values(schema)
      .filter(each => is(each, PgTable))
      .flatMap(table =>
        Object.entries(getTableColumns(table as PgTable)).flatMap(([name, column]) =>
          /(Sealed|Index)$/.test(name) ? [`${getTableName(table as PgTable)}.${nameOf(column)}`] : [],
        ),
      )
    const known = [
      ...sealedTables.flatMap(({ table, columns: own }) =>
        own.flatMap(({ name, indexes }) =>
          [name, ...indexes.map(index => index.name)].map(each => `${table}.${each}`),
        ),
      ),
      ...heldSecrets.map(({ table, column }) => `${table}.${column}`),
    ]
    expect(columns.length).toBeGreaterThan(20)
    expect(columns.filter(column => !known.includes(column))).toEqual([])
  })
})

describe('changing the data key', () => {
  let stage: Stage
  let oldKey: string
  let newKey: string
  /** The server as it is after the setting has been changed, the database being the same. */
  let next: Runtime
  /** The same once the former key has been taken away. */
  let alone: Runtime

  beforeEach(async () => {
    stage = await openStage()
    oldKey = stage.rt.config.dataKey
    newKey = randomDataKey()
    next = { ...stage.rt, vault: createVault(newKey, [oldKey]) }
    alone = { ...stage.rt, vault: createVault(newKey) }
    await fillMatrix(stage)
  })
  afterEach(() => stage.close())

  /** Lets the running server have another vault, as a restart does. */
  const restartAs = ({ vault }: Runtime) => {
    stage.rt.vault = vault
  }
  /** Every value of the database that looks sealed, with where it stands. */
  async function everySealed(): Promise<string[]> {
    const found: string[] = []
    for (const { table_name: table } of await rows<{ table_name: string }>(
      stage,
      `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    ))
      for (const row of await rows<{ text: string }>(stage, `select t::text as text from "${table}" t`))
        for (const [value] of row.text.matchAll(/\bk[0-9a-f]{1,8}\.[A-Za-z0-9+/=]{30,}/g))
          found.push(`${table}: ${value}`)
    return found
  }

  test('every sealed value becomes one of the new key, which opens all of it alone', async () => {
    const { sim } = stage
    const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await stage.say(wang.id, '入群 1 张三 13800000006')
    await importCsv(
      stage,
      'qingnong',
      '单位编码,姓名,手机号,身份证号,角色,职务,状态\n610802101,李镇川,13900000012,61080220010307312X,乡镇团委成员,团委副书记,在岗\n',
    )
    const before = await everySealed()
    expect(before.length).toBeGreaterThan(20)

    const result = await rotateKeys(next)
    expect(result).toMatchObject({ left: {}, unreadable: {} })
    expect(result.done.persons).toBeGreaterThan(10)
    expect(result.done.roster_person_changes).toBe(1)
    const after = await everySealed()
    expect(after.length).toBe(before.length)
    expect(after.filter(each => !each.includes(alone.vault.currentPrefix))).toEqual([])
    const people = await rows<Record<string, string | null>>(
      stage,
      'select * from persons where phone_sealed is not null',
    )
    for (const person of people) {
      const phone = alone.vault.open(person.phone_sealed as string)
      expect(person.phone_index).toBe(alone.vault.index('phone', phone))
      if (person.id_number_sealed === null || person.id_number_sealed === undefined) continue
      const number = alone.vault.open(person.id_number_sealed)
      expect(person.id_number_index).toBe(alone.vault.index('id-number', number))
      expect(person.id_tail_index).toBe(alone.vault.index('id-tail', number.slice(-6)))
    }
    // what was of the old key cannot come back: there is nothing of it to put in place of the new
    expect(() => alone.vault.open(stage.rt.vault.seal('x'))).toThrow()
  })

  test('done twice it does nothing the second time, and says so', async () => {
    await rotateKeys(next)
    const before = await everySealed()
    expect(await rotateKeys(next)).toEqual({ done: {}, left: {}, unreadable: {}, held: [] })
    expect(await everySealed()).toEqual(before)
    expect(await rows(stage, 'select done_at is not null as done from key_rotations')).toEqual([
      { done: true },
    ])
  })

  test('half done and killed, it goes on with the rest', async () => {
    const total = (await rows(stage, 'select 1 from persons where phone_sealed is not null')).length
    const killed = new Error('killed')
    // the first rows that are done are the last before the end
    await expect(
      rotateKeys(next, {
        onProgress: ({ table }) => {
          if (table === 'persons') throw killed
        },
      }),
    ).rejects.toBe(killed)
    const [half] = await rows<{ done: number }>(
      stage,
      `select count(*)::int as done from persons where starts_with(phone_sealed, '${next.vault.currentPrefix}')`,
    )
    const again = await rotateKeys(next)
    expect((again.done.persons ?? 0) + (half?.done ?? 0)).toBe(total)
    expect(again.left).toEqual({})
  })

  test('a join request finds its person before, in the middle and after', async () => {
    const { sim } = stage
    const zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    const [branch] = await rows<{ code: string }>(
      stage,
      `select code from units where name = '榆阳区第一团支部'`,
    )
    await bindFirst(stage, zhou, 'xibu', branch?.code as string)
    const group = groupNumber(await stage.say(zhou.id, '建群 团支部群 微信群 3人 沙柳群 入群码 拉人'))
    const link = /\S+\/([\w-]{24})\b/.exec(await stage.say(zhou.id, `签到 ${group}`))?.[1] as string
    expect(await findRollCall(stage.rt, link)).toMatchObject({ group: { id: group } })
    expect(await findRollCall(next, link)).toMatchObject({ group: { id: group } })
    restartAs(next)
    const zhang = sim.addPerson({ name: '张思雨', openId: 'o-zhang' })
    await stage.say(zhang.id, `入群 ${group} 张思雨 13800000006`)
    // one person of the roster is of the new key, the others are not yet
    await rotateKeys(next)
    restartAs(alone)
    expect(await findRollCall(alone, link)).toMatchObject({ group: { id: group } })
    const gul = sim.addPerson({ name: '古丽', openId: 'o-gul' })
    await stage.say(gul.id, `入群 ${group} 阿依古丽·买买提 13800000007`)
    const decisions = await rows(stage, 'select decision from join_requests order by id')
    expect(decisions).toEqual([{ decision: 'approved' }, { decision: 'approved' }])
  })

  test('an import knows its people before, in the middle and after, and takes none for new or changed', async () => {
    const people = await rows(stage, 'select id from persons order by id')
    const file = (title: string) =>
      importCsv(
        stage,
        'qingnong',
        `单位编码,姓名,手机号,角色,职务,状态\n610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗\n610802101,李镇川,13900000012,乡镇团委成员,${title},在岗\n`,
      )
    restartAs(next)
    expect(await file('团委委员')).toMatchObject({ isApplied: true, new: 0, changed: 1, unchanged: 1 })
    // one of the two is of the new key by now
    await rows(
      stage,
      `update persons set phone_sealed = '${next.vault.seal('13900000011')}',
       phone_index = '${next.vault.index('phone', '13900000011')}' where name = '王镇川' returning id`,
    )
    expect(await file('团委干事')).toMatchObject({ isApplied: true, new: 0, changed: 1, unchanged: 1 })
    await rotateKeys(next)
    restartAs(alone)
    expect(await file('团委副书记')).toMatchObject({ isApplied: true, new: 0, changed: 1, unchanged: 1 })
    expect(await rows(stage, 'select id from persons order by id')).toEqual(people)
  })

  test('what was read of a file before the change is read anew, and not put in with the old key', async () => {
    stage.clock.advance(1000)
    await rows(
      stage,
      `insert into roster_stagings (draft_id, created_at, expires_at) values (null, '2026-09-07T08:00:00+08:00', '2026-09-08T08:00:00+08:00') returning id`,
    )
    await rotateKeys(next)
    expect(await rows(stage, 'select id from roster_stagings')).toEqual([])
  })

  test('taking an import back afterwards brings nothing of the old key back', async () => {
    await importCsv(
      stage,
      'qingnong',
      '单位编码,姓名,手机号,身份证号,角色,职务,状态\n610802101,李镇川,13900000012,61080220010307312X,乡镇团委成员,团委副书记,在岗\n610802101,王镇川,13900000099,,乡镇团委成员,团委书记,在岗\n',
    )
    await rotateKeys(next)
    const [last] = await rows<{ id: string }>(stage, 'select max(id) as id from roster_imports')
    await putPersonsBack(stage.rt.db, Number(last?.id))
    expect((await everySealed()).filter(each => !each.includes(alone.vault.currentPrefix))).toEqual([])
  })

  test('rows that somebody is writing at the time are not passed over, and nothing is said to be done before', async () => {
    const { db, close } = connectDatabase(stage.databaseUrl, 1)
    let letGo = () => {}
    const held = new Promise<void>(resolve => {
      letGo = resolve
    })
    let other: Promise<void> = Promise.resolve()
    await new Promise<void>(isHeld => {
      other = db.transaction(async tx => {
        await tx.execute(sql`update persons set created_at = created_at where name = '高市书'`)
        isHeld()
        await held
      })
    })
    const impatient = await rotateKeys(next, { patienceMs: 600 })
    expect(impatient.left).toEqual({ persons: 1 })
    expect(await rows(stage, 'select done_at from key_rotations')).toEqual([{ done_at: null }])
    const patient = rotateKeys(next)
    letGo()
    await other
    await close()
    expect((await patient).left).toEqual({})
  })

  test('what no key opens is left as it is and told, and keeps nothing else waiting', async () => {
    await rows(
      stage,
      `update persons set phone_sealed = 'kffffffff.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' where name = '高市书' returning id`,
    )
    const result = await rotateKeys(next)
    expect(result).toMatchObject({ left: {}, unreadable: { persons: 1 } })
  })

  test('who is signed in stays so: the cookie is indexed anew when it is shown', async () => {
    const who = { personId: await personId(stage, '林县书'), identityId: null }
    const how = { way: 'demo', device: '电脑' } as const
    const used = await startSession(stage.rt, who, how)
    const unused = await startSession(stage.rt, who, how)
    stage.clock.advance(1000)
    await rotateKeys(next)
    stage.clock.advance(1000)
    expect(await readSession(next, used.token)).not.toBeNull()
    stage.clock.advance(1000)
    // one has been seen since, the other would end
    expect((await rotateKeys(next)).held).toMatchObject([{ table: 'sessions', count: 1 }])
    expect(await readSession(alone, used.token)).not.toBeNull()
    expect(await readSession(alone, unused.token)).toBeNull()
  })

  test('an account that registered itself and left is still known when it comes back', async () => {
    const { sim } = stage
    const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    const { code } = await issueCodeByOperator(stage.rt, {
      programme: 'qingnong',
      unitCode: '610802101',
      name: '王镇川',
    })
    await stage.say(wang.id, `绑定 ${code}`)
    const group = groupNumber(
      await stage.say(wang.id, '建群 团青群 微信群 86人 镇川羊倌群 入群码 https://example.cn/q'),
    )
    const shepherd = sim.addPerson({ name: '羊倌', openId: 'o-shepherd' })
    await stage.say(shepherd.id, `入群 ${group} 常羊倌 在乡 务农`)
    const account = await identityOf(stage.rt.db, 'official-account', 'o-shepherd')
    if (!account?.personId) throw new Error('not registered')
    stage.clock.advance(60_000)
    await leave(stage.rt, account, stage.clock.now(), 'unfollowed')
    await rotateKeys(next)
    expect(await recallRegistration(alone, account)).toBe(account.personId)
  })
})
