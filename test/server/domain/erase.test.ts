import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { personById } from '../../../db/queries/persons.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { eraseAfterRetention, monthsBefore } from '../../../server/domain/privacy/retention.ts'
import { importRoster } from '../../../server/domain/roster/import.ts'
import { undoImport } from '../../../server/domain/roster/undo-import.ts'
import { followServiceDays } from '../../../server/jobs/follow-service-days.ts'
import { deleteExpired } from '../../../server/jobs/housekeeping.ts'
import { personId, signIn } from '../../support/console.ts'
import {
  bindFirst,
  bindThrough,
  duringImport,
  fillMatrix,
  groupNumber,
  importCsv,
  rows,
} from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

const PHONE = '13800000006'
const ID_NUMBER = '61080220010307312X'
const head = '区县,团支部,姓名,手机号,身份证号,状态\n'
const secretaryAlone =
  '区县,团支部,姓名,手机号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态\n榆阳区,榆阳区第一团支部,周支书,13800000005,团支部书记,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗\n'

describe('erasing what is known of somebody', () => {
  let stage: Stage
  let zhou: SimPerson
  let zhang: SimPerson
  let zhangId: number
  let group: number

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    const liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    const zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    group = groupNumber(await stage.say(zhou.id, '建群 团支部群 微信群 3人 沙柳支部群 入群码 拉人'))
    zhang = sim.addPerson({ name: '张思雨', openId: 'o-zhang' })
    await stage.say(zhang.id, `入群 ${group} 张思雨 ${PHONE}`)
    await stage.settle()
    const [account] = await rows<{ person_id: string }>(
      stage,
      `select person_id from identities where address = 'o-zhang'`,
    )
    zhangId = Number(account?.person_id)
  })
  afterEach(() => stage.close())

  /** The whole database as text, but for what people have said to the bot, which goes at its own time. */
  async function dump(): Promise<string> {
    const parts: string[] = []
    for (const { schema, table } of await rows<{ schema: string; table: string }>(
      stage,
      `select table_schema as schema, table_name as table from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema in ('public', 'roster_staging') and table_name <> 'updates'`,
    ))
      for (const row of await rows<{ text: string }>(
        stage,
        `select t::text as text from "${schema}"."${table}" t`,
      ))
        parts.push(`${table}: ${row.text}`)
    return parts.join('\n')
  }
  /** All that could lead back to the numbers: in the clear, sealed, and by index. */
  async function traces(): Promise<string[]> {
    const person = await personById(stage.rt.db, zhangId)
    const own = [
      person?.phoneSealed,
      person?.idNumberSealed,
      person?.phoneIndex,
      person?.idNumberIndex,
      person?.idTailIndex,
    ]
    const requests = await rows<{ text_sealed: string }>(stage, 'select text_sealed from join_requests')
    return [
      PHONE,
      ID_NUMBER,
      stage.rt.vault.index('phone', PHONE),
      stage.rt.vault.index('id-number', ID_NUMBER),
      stage.rt.vault.index('id-tail', ID_NUMBER.slice(-6)),
      ...own.filter(each => typeof each === 'string'),
      ...requests.map(each => each.text_sealed),
    ]
  }
  const eraseInChat = async () => {
    const told = await stage.say(zhang.id, '删除我的信息')
    await stage.say(zhang.id, '我要删除')
    return { told, done: await stage.say(zhang.id, '张思雨') }
  }
  const upload = async (csv: string) => {
    const visitor = await signIn(stage, '赵县办')
    const unit = (
      await rows<{ id: string }>(stage, `select id from units where programme = 'xibu' and code = '610802'`)
    )[0]
    const file = { field: 'file', name: '名册.csv', bytes: Buffer.from(csv) }
    const answer = await visitor.upload('/console/imports/new', file, {
      unit: String(unit?.id),
    })
    return { visitor, draft: Number(/drafts\/(\d+)$/.exec(answer.location ?? '')?.[1]) }
  }

  test('in the chat: said what goes and what stays, asked twice, and then nothing leads back', async () => {
    const before = await traces()
    const { told, done } = await eraseInChat()
    expect(told).toMatch(/手机号、身份证号[\s\S]*名册是所在单位的工作档案[\s\S]*操作留痕[\s\S]*还在名册上/)
    expect(done).toMatch(/已经删除/)
    const text = await dump()
    expect(before.filter(trace => text.includes(trace))).toEqual([])
    // she is on the roster: her name stays with it, and who did what stays
    const person = await personById(stage.rt.db, zhangId)
    expect(person).toMatchObject({
      name: '张思雨',
      phoneSealed: null,
      phoneIndex: null,
      idNumberSealed: null,
      idTailIndex: null,
    })
    expect(await rows(stage, `select why, by_id::int as by, person_id::int as person from erasures`)).toEqual(
      [{ why: 'request', by: zhangId, person: zhangId }],
    )
    expect(
      await rows(stage, `select details ->> 'why' as why from audit_log where action = 'person.erased'`),
    ).toEqual([{ why: 'request' }])
    expect(await rows(stage, `select person_id from identities where address = 'o-zhang'`)).toEqual([
      { person_id: null },
    ])
  })

  test.each([
    ['取消', '好的，已取消。'],
    ['删', '要删除请回复'],
    ['帮助', '没有办完'],
  ])('saying %s instead deletes nothing', async (word, answer) => {
    const before = await dump()
    await stage.say(zhang.id, '删除我的信息')
    expect(await stage.say(zhang.id, word)).toContain(answer)
    await stage.say(zhang.id, '取消')
    expect(await rows(stage, 'select id from erasures')).toEqual([])
    expect(await dump()).toContain(stage.rt.vault.index('phone', PHONE))
    expect(before).toContain(stage.rt.vault.index('phone', PHONE))
  })

  test('on the page: the same, with the name typed; every device is out, and the link in the chat too', async () => {
    const visitor = await signIn(stage, zhangId)
    const other = await signIn(stage, zhangId)
    expect((await visitor.get('/me/erase')).text).toMatch(/不能恢复[\s\S]*名册是所在单位的工作档案/)
    expect((await visitor.post('/me/erase')).text).toContain('再确认一次')
    const wrong = await visitor.post('/me/erase/sure', { name: '张思' })
    expect([wrong.status, wrong.text.includes('value="张思"')]).toEqual([422, true])
    expect(await rows(stage, 'select id from erasures')).toEqual([])
    expect((await visitor.post('/me/erase/sure', { name: '张思雨' })).text).toContain('已经删除')
    for (const each of [visitor, other]) expect((await each.get('/me')).location).toMatch(/^\/sign-in/)
    const text = await dump()
    expect(text).not.toContain(stage.rt.vault.index('phone', PHONE))
  })

  test('taking an import back afterwards brings no number back', async () => {
    const zhao = { identityId: 0, channel: 'wecom', address: 'zhao', boundBy: 'code', ownsGroups: false }
    const person = { id: await personId(stage, '赵县办'), name: '赵县办' }
    const [role] = await rows<{ unit_id: string; path: string; name: string; level: string; role: string }>(
      stage,
      `select r.unit_id, u.path, u.name, u.level, r.role from roles r join units u on u.id = r.unit_id where r.person_id = ${person.id}`,
    )
    const actor = {
      ...zhao,
      person,
      roles: [
        {
          unitId: Number(role?.unit_id),
          unitName: role?.name ?? '',
          unitPath: role?.path ?? '',
          programme: 'xibu',
          level: role?.level ?? '',
          role: role?.role ?? '',
        },
      ],
    }
    const changed = await importRoster(
      stage.rt,
      {
        name: 'a.csv',
        bytes: Buffer.from(`${head}榆阳区,榆阳区第一团支部,张思雨,13811112222,${ID_NUMBER},在岗\n`),
      },
      { programme: 'xibu', isDryRun: false, actorId: person.id, within: role?.path as string },
    )
    expect(changed.isApplied).toBe(true)
    await eraseInChat()
    await undoImport(stage.rt, actor, changed.importId as number)
    expect(await personById(stage.rt.db, zhangId)).toMatchObject({ phoneSealed: null, phoneIndex: null })
    expect(await dump()).not.toContain(stage.rt.vault.index('phone', PHONE))
  })

  test('a file that was uploaded before brings nothing back: it is given up', async () => {
    const { visitor, draft } = await upload(
      `${head}榆阳区,榆阳区第一团支部,张思雨,${PHONE},${ID_NUMBER},在岗\n`,
    )
    expect(draft).toBeGreaterThan(0)
    await eraseInChat()
    await visitor.post(`/console/imports/drafts/${draft}/apply`)
    await stage.settle()
    expect(await rows(stage, `select status, file_sealed from roster_drafts where id = ${draft}`)).toEqual([
      { status: 'given_up', file_sealed: null },
    ])
    expect(await dump()).not.toContain(stage.rt.vault.index('phone', PHONE))
  })

  test('a file that the office makes anew brings what it says, as something new', async () => {
    await eraseInChat()
    const again = await importCsv(stage, 'xibu', `${head}榆阳区,榆阳区第一团支部,张思雨,${PHONE},,在岗\n`)
    expect(again).toMatchObject({ isApplied: true, new: 1 })
    expect(await personById(stage.rt.db, zhangId)).toMatchObject({ phoneSealed: null })
  })

  test('withdrawing consent deletes the ID number and what was written, and nothing else', async () => {
    const visitor = await signIn(stage, zhangId)
    const day = /name="day" value="([^"]+)"/.exec((await visitor.get('/me/consent')).text)?.[1] as string
    await visitor.post('/me/consent', { answer: 'agree', day })
    const before = await traces()
    await visitor.post('/me/consent', { answer: 'withdraw' })
    const text = await dump()
    const phone = [
      PHONE,
      stage.rt.vault.index('phone', PHONE),
      (await personById(stage.rt.db, zhangId))?.phoneSealed,
    ]
    expect(before.filter(trace => !phone.includes(trace) && text.includes(trace))).toEqual([])
    expect(await personById(stage.rt.db, zhangId)).toMatchObject({
      idNumberSealed: null,
      idNumberIndex: null,
      idTailIndex: null,
      phoneIndex: stage.rt.vault.index('phone', PHONE),
    })
    expect(await rows(stage, 'select why from erasures')).toEqual([{ why: 'consent' }])
    expect((await visitor.get('/me/data')).text).toContain('撤回使用身份证号的同意')
    // taken back twice is once
    await visitor.post('/me/consent', { answer: 'withdraw' })
    expect(await rows(stage, 'select why from erasures')).toHaveLength(1)
  })

  describe('of somebody who has left', () => {
    const path = async () => `/console/persons/${zhangId}`
    // 周支书 alone is left in the branch
    beforeEach(() => importCsv(stage, 'xibu', secretaryAlone))

    test('by the office, with the name typed; the name goes too', async () => {
      const zhao = await signIn(stage, '赵县办')
      const before = await traces()
      expect((await zhao.get(await path())).text).toContain('删除张思雨的信息')
      const wrong = await zhao.post(`${await path()}/erase`, { name: '张三' })
      expect([wrong.status, wrong.text.includes('请照写这个人的姓名')]).toEqual([422, true])
      expect((await zhao.post(`${await path()}/erase`, { name: '张思雨' })).status).toBe(303)
      const text = await dump()
      expect([...before].filter(trace => text.includes(trace))).toEqual([])
      expect(await personById(stage.rt.db, zhangId)).toMatchObject({
        name: '已删除',
        nameKey: '',
        soundKey: '',
      })
      const page = await zhao.get(await path())
      expect(page.text).toContain('单位办理：手机号、身份证号')
      expect(page.text).not.toContain('删除已删除的信息')
      for (const name of ['丁县书', '贺圈书'])
        expect(
          (await (await signIn(stage, name)).post(`${await path()}/erase`, { name: '张思雨' })).status,
        ).toBe(404)
    })

    test('and never of somebody who stands on the roster', async () => {
      const zhao = await signIn(stage, '赵县办')
      const page = `/console/persons/${await personId(stage, '周支书')}`
      expect((await zhao.get(page)).text).not.toContain('删除周支书的信息')
      const refused = await zhao.post(`${page}/erase`, { name: '周支书' })
      expect([refused.status, refused.text.includes('还在名册上')]).toEqual([422, true])
    })

    test('nor by an office that has entered them once: only one that is above all where they were', async () => {
      const officer = '区县,姓名,手机号,角色,状态\n定边县,钱县办,13800000050,项目办负责同志,在岗\n'
      await importCsv(stage, 'xibu', officer)
      const branch = '区县,团支部,姓名,手机号,状态\n定边县,定边县第一团支部,张思雨,13800000009,在岗\n'
      await importCsv(stage, 'xibu', `${branch}定边县,定边县第一团支部,李晓东,13800000008,在岗\n`)
      stage.clock.advance(60_000)
      await importCsv(stage, 'xibu', branch)
      const id = await personId(stage, '李晓东')
      const eraseAs = async (name: string) =>
        (await signIn(stage, name)).post(`/console/persons/${id}/erase`, { name: '李晓东' })
      const refused = await eraseAs('钱县办')
      expect([refused.status, refused.text.includes('请联系共同的上级组织')]).toEqual([422, true])
      expect((await personById(stage.rt.db, id))?.name).toBe('李晓东')
      expect((await eraseAs('刘市办')).status).toBe(303)
      expect((await personById(stage.rt.db, id))?.name).toBe('已删除')
    })

    const broughtBack = `${head}榆阳区,榆阳区第一团支部,张思雨,${PHONE},${ID_NUMBER},在岗\n`
    test('nor of somebody whom a file brings back that is just being applied', async () => {
      const zhao = await signIn(stage, '赵县办')
      const page = `${await path()}/erase`
      const answer = await duringImport(stage, 'xibu', broughtBack, () => zhao.post(page, { name: '张思雨' }))
      expect([answer.status, answer.text.includes('还在名册上')]).toEqual([422, true])
      expect(await rows(stage, 'select id from erasures')).toEqual([])
    })

    test('nor does their time run out while such a file is being applied', async () => {
      stage.clock.set(new Date('2028-09-08T03:15:00+08:00'))
      await duringImport(stage, 'xibu', broughtBack, () => eraseAfterRetention(stage.rt))
      expect(await rows(stage, `select id from erasures where person_id = ${zhangId}`)).toEqual([])
      expect((await personById(stage.rt.db, zhangId))?.phoneSealed).not.toBeNull()
    })

    test('by itself two years after the last day, not a day before, and once', async () => {
      const at = (day: string) => stage.clock.set(new Date(`${day}T03:15:00+08:00`))
      const kept = async () => (await personById(stage.rt.db, zhangId))?.name
      at('2028-09-06')
      await deleteExpired(stage.rt)
      expect(await kept()).toBe('张思雨')
      at('2028-09-08')
      await deleteExpired(stage.rt)
      expect(await kept()).toBe('已删除')
      // who is still there, and who runs the matrix, is not touched
      expect(
        await rows(
          stage,
          `select name from persons where phone_sealed is not null and name in ('周支书', '赵县办', '林县书') order by name`,
        ),
      ).toHaveLength(3)
      const count = (await rows(stage, 'select id from erasures')).length
      expect(await eraseAfterRetention(stage.rt)).toBe(0)
      expect(await rows(stage, 'select id from erasures')).toHaveLength(count)
      expect(await rows(stage, `select by_id, why from erasures where person_id = ${zhangId}`)).toEqual([
        { by_id: null, why: 'retention' },
      ])
    })
  })

  test('a roster that goes on listing who has served keeps the name alone, and loses it when it is put right', async () => {
    const nightOf = async (day: string) => {
      stage.clock.set(new Date(`${day}T03:15:00+08:00`))
      await followServiceDays(stage.rt)
      await eraseAfterRetention(stage.rt)
      const person = await personById(stage.rt.db, zhangId)
      const erased = await rows(stage, `select id from erasures where person_id = ${zhangId}`)
      return [person?.name, person?.phoneSealed !== null, erased.length]
    }
    expect(await nightOf('2027-08-01')).toEqual(['张思雨', true, 0])
    expect(await nightOf('2029-08-02')).toEqual(['张思雨', false, 1])
    expect(await nightOf('2029-08-03')).toEqual(['张思雨', false, 1])
    await importCsv(stage, 'xibu', secretaryAlone)
    expect(await nightOf('2031-08-02')).toEqual(['张思雨', false, 1])
    expect(await nightOf('2031-08-04')).toEqual(['已删除', false, 2])
    expect(await nightOf('2031-08-05')).toEqual(['已删除', false, 2])
  })

  test('words of decided requests go after a year', async () => {
    const texts = () =>
      rows<{ explanation: string; decision: string }>(
        stage,
        'select explanation, decision from join_requests',
      )
    stage.clock.set(new Date('2027-09-06T03:15:00+08:00'))
    await eraseAfterRetention(stage.rt)
    expect((await texts())[0]?.explanation).not.toContain('已按要求删除')
    stage.clock.set(new Date('2027-09-08T03:15:00+08:00'))
    await eraseAfterRetention(stage.rt)
    expect(await texts()).toMatchObject([
      { explanation: expect.stringContaining('已按要求删除'), decision: 'approved' },
    ])
    // the page of the request still opens
    expect((await (await signIn(stage, '周支书')).get(`/console/join-requests/1`)).status).toBe(200)
  })
})

test.each([
  ['2028-09-07', 24, '2026-09-07'],
  ['2028-02-29', 24, '2026-02-28'],
  ['2026-03-31', 1, '2026-02-28'],
  ['2026-01-31', 2, '2025-11-30'],
  ['2026-12-31', 12, '2025-12-31'],
])('%s, %d months earlier, is %s', (day, months, expected) => {
  expect(monthsBefore(day, months)).toBe(expected)
})
