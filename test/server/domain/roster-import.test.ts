import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { importRoster } from '../../../server/domain/roster/import.ts'
import { randomDataKey } from '../../../server/start.ts'
import { createVault } from '../../../server/vault.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  importCsv,
  rows,
} from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

const head =
  '省份,地市,区县,团支部,姓名,手机号,身份证号,角色,人员类别,服务单位,服务开始日期,服务结束日期,状态\n'
const yuyang = '陕西省,榆林市,榆阳区,榆阳区第一团支部'
const secretary = `${yuyang},周支书,13800000005,,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗\n`
const zhang = `${yuyang},张思雨,13800000006,61080220010307312X,,全国项目,镇川镇政府,2026-08-01,2027-07-31,在岗\n`
const girl = `${yuyang},阿依古丽·买买提,13800000007,,,研究生支教团,榆阳中学,2026-08-01,2027-07-31,在岗\n`
const gone = `${yuyang},李晓东,13800000008,,,全国项目,榆阳区医院,2025-08-01,2026-07-31,离岗\n`
const asItStands = head + secretary + zhang + girl + gone

describe('a roster file is a difference to what stands', () => {
  let stage: Stage
  const importIt = (csv: string, options = {}) => importCsv(stage, 'xibu', csv, options)
  const standing = () =>
    rows<{ name: string; status: string }>(
      stage,
      `select p.name, e.status, e.post, e.starts_on::text from roster_entries e join persons p on p.id = e.person_id
       where e.programme = 'xibu' and e.gone_import_id is null order by e.unit_id, p.name, e.starts_on`,
    )
  const roles = (name: string) =>
    rows<{ role: string }>(
      stage,
      `select r.role from roles r join persons p on p.id = r.person_id where p.name = '${name}' and r.ended_at is null order by 1`,
    )

  beforeEach(async () => {
    await stage?.close()
    stage = await openStage()
    await fillMatrix(stage)
    await importIt(asItStands)
  })
  afterAll(() => stage.close())

  test('the same file twice changes nothing', async () => {
    const before = [await standing(), await rows(stage, 'select * from persons order by id')]
    expect(await importIt(asItStands)).toMatchObject({ new: 0, changed: 0, gone: 0, unchanged: 4 })
    expect([await standing(), await rows(stage, 'select * from persons order by id')]).toEqual(before)
  })

  test('new, changed and gone are counted and done; what was stays on record', async () => {
    const next = `${head}${secretary}${zhang.replace('镇川镇政府', '榆阳区团委')}${gone}${yuyang},新来的,13800000019,,,全国项目,榆阳中学,2026-09-01,2027-07-31,在岗\n`
    expect(await importIt(next)).toMatchObject({
      rows: 4,
      new: 1,
      changed: 1,
      gone: 1,
      unchanged: 2,
      problems: [],
    })
    expect((await standing()).map(entry => entry.name)).not.toContain('阿依古丽·买买提')
    expect(await roles('阿依古丽·买买提')).toEqual([])
    expect(await roles('新来的')).toEqual([{ role: 'volunteer' }])
    expect(
      await rows(
        stage,
        `select e.post from roster_entries e join persons p on p.id = e.person_id where p.name = '张思雨' and p.phone_index is not null and e.post in ('镇川镇政府', '榆阳区团委') order by e.id`,
      ),
    ).toEqual(expect.arrayContaining([{ post: '镇川镇政府' }, { post: '榆阳区团委' }]))
  })

  test.each([
    ['a phone with a digit too few', zhang.replace('13800000006', '1380000006'), '手机号'],
    ['an ID number that cannot be', zhang.replace('61080220010307312X', '610802200103073121'), '身份证'],
    ['a status nobody knows', zhang.replace(/在岗\n$/, '出差\n'), '状态'],
    ['a county that is not there', zhang.replace('榆阳区,', '米脂县,'), '单位'],
    ['an end before the beginning', zhang.replace('2027-07-31', '2026-07-31'), '结束'],
  ])('all or nothing: %s', async (_what, line, column) => {
    const before = await standing()
    const fresh = `${yuyang},新来的,13800000019,,,全国项目,榆阳中学,2026-09-01,2027-07-31,在岗\n`
    const result = await importIt(head + secretary + fresh + line)
    expect(result.isApplied).toBe(false)
    expect(result.problems.filter(problem => problem.severity === 'error')).toEqual([
      expect.objectContaining({ line: 4, column: expect.stringContaining(column) }),
    ])
    expect(JSON.stringify(result.problems)).not.toMatch(/13800000006|61080220010307/)
    expect(await standing()).toEqual(before)
    expect(await rows(stage, "select 1 from persons where name = '新来的'")).toEqual([])
  })

  test('a dry run says the same and leaves nothing behind, not even a branch', async () => {
    const before = await standing()
    const fresh = `陕西省,榆林市,榆阳区,榆阳区第二团支部,新来的,13800000019,,团支部书记,全国项目,榆阳中学,2026-09-01,2027-07-31,在岗\n`
    const csv = head + secretary + zhang + fresh
    const dry = await importIt(csv, { isDryRun: true })
    expect(dry).toMatchObject({ new: 1, gone: 2, newUnits: ['榆阳区第二团支部'], isApplied: false })
    expect(await standing()).toEqual(before)
    expect(await rows(stage, "select 1 from units where name = '榆阳区第二团支部'")).toEqual([])
    const { isApplied: _dry, ...counts } = dry
    expect(await importIt(csv)).toMatchObject({ ...counts, isApplied: true })
    expect(
      await rows(
        stage,
        "select p.name as parent, u.kind from units u join units p on p.id = u.parent_id where u.name = '榆阳区第二团支部'",
      ),
    ).toEqual([{ parent: '榆阳区', kind: 'volunteer-branch' }])
  })

  test('units that the file does not name stand, unless it is the whole of something', async () => {
    expect(await importIt(head + secretary + zhang + girl + gone)).toMatchObject({ gone: 0 })
    expect((await standing()).filter(entry => entry.name === '张思雨')).toHaveLength(2) // 定边's too
    const whole = await importIt(head + secretary + zhang + girl + gone, { wholeOf: '610800' })
    expect(whole).toMatchObject({ isApplied: true, new: 0, unchanged: 4 })
    const names = (await standing()).map(entry => entry.name)
    for (const name of ['刘市办', '赵县办']) expect(names).not.toContain(name)
    for (const name of ['陈省办', '周支书']) expect(names).toContain(name)
    expect((await standing()).filter(entry => entry.name === '张思雨')).toHaveLength(1)
    await expect(importIt(asItStands, { wholeOf: '999999' })).rejects.toThrow('没有编码是 999999')
  })

  test('an old term that is dropped takes nothing from the new one', async () => {
    const old = zhang.replace('2026-08-01,2027-07-31,在岗', '2025-08-01,2026-07-31,离岗')
    await importIt(head + secretary + old + zhang + girl + gone)
    expect(await roles('张思雨')).toHaveLength(2) // hers, and the namesake's in 定边
    expect(await importIt(asItStands)).toMatchObject({ gone: 1, unchanged: 4 })
    expect(await roles('张思雨')).toHaveLength(2)
  })

  test('known by the ID number when the phone is new', async () => {
    const before = await rows(stage, 'select count(*)::int as n from persons')
    const result = await importIt(
      head + secretary + zhang.replace('13800000006', '13911110006') + girl + gone,
    )
    expect(result).toMatchObject({ new: 0, gone: 0 })
    expect(await rows(stage, 'select count(*)::int as n from persons')).toEqual(before)
  })

  test('nobody is new or changed while keys are changed: numbers are known under the key before, too', async () => {
    const [dataKey] = stage.rt.vault.madeFrom
    const vault = createVault(randomDataKey(), [dataKey])
    const options = { programme: 'xibu', isDryRun: true, actorId: null }
    const file = { name: 'roster.csv', bytes: Buffer.from(asItStands) }
    expect(await importRoster({ ...stage.rt, vault }, file, options)).toMatchObject({
      new: 0,
      changed: 0,
      gone: 0,
      unchanged: 4,
      lists: { newPersonCount: 0, changedPersonCount: 0 },
    })
    // and without that key everybody would be somebody else
    const alone = { ...stage.rt, vault: createVault(randomDataKey()) }
    expect(await importRoster(alone, file, options)).toMatchObject({ new: 4, gone: 4 })
  })

  test('keeps what persons were before, one row each and only what changed, and writes the rest anew at once', async () => {
    const before = await rows<Record<string, string>>(
      stage,
      "select * from persons where name in ('张思雨', '周支书') order by id",
    )
    // she stands twice in the file, the second time with her WeChat id
    const old = zhang
      .replace('13800000006', '13911110006')
      .replace('2026-08-01,2027-07-31,在岗', '2025-08-01,2026-07-31,离岗')
    const result = await importIt(
      head.replace('\n', ',微信号\n') +
        [secretary, old, zhang.replace('13800000006', ''), girl, gone]
          .map((line, index) => line.replace('\n', index === 2 ? ',zsy2001\n' : ',\n'))
          .join(''),
    )
    expect(result).toMatchObject({ isApplied: true, lists: { changedPersonCount: 1, newPersonCount: 0 } })
    expect(result.lists.persons).toEqual([
      expect.objectContaining({
        name: '张思雨',
        changes: [
          ['手机号', '138****0006', '139****0006'],
          ['微信号', '', '名册里的'],
        ],
      }),
    ])
    const changes = await rows<{ person_id: string; before: Record<string, string | null> }>(
      stage,
      'select person_id, before from roster_person_changes',
    )
    const was = before.find(person => person.id_number_index !== null)
    expect(changes).toEqual([
      {
        person_id: was?.id,
        before: {
          phoneIndex: was?.phone_index,
          phoneSealed: was?.phone_sealed,
          wechatIndex: null,
          wechatSealed: null,
        },
      },
    ])
    const [now] = await rows<Record<string, string>>(stage, `select * from persons where id = ${was?.id}`)
    expect(stage.rt.vault.open(now?.phone_sealed ?? '')).toBe('13911110006')
    expect(stage.rt.vault.open(now?.wechat_sealed ?? '')).toBe('zsy2001')
    expect(now).toMatchObject({
      name: was?.name,
      id_number_sealed: was?.id_number_sealed,
      id_tail_index: was?.id_tail_index,
    })
  })

  test('a column that is only kept holds no number in the clear', async () => {
    await importIt(head.replace('\n', ',紧急联系人\n') + zhang.replace('\n', ',张母 13812345678\n'))
    expect(await rows(stage, "select extra from roster_entries where extra <> '{}'::jsonb")).toEqual([
      { extra: { 紧急联系人: '张母 138****5678' } },
    ])
  })

  test('no number of anybody lies in the clear', async () => {
    const all = JSON.stringify([
      await rows(stage, 'select * from persons'),
      await rows(stage, 'select * from roster_entries'),
      await rows(stage, 'select * from audit_log'),
    ])
    expect(all).not.toMatch(/1380000000|61080220010307/)
    expect(stage.logLines.join('')).not.toMatch(/1380000000|61080220010307/)
  })

  test.each([
    ['no heading', '张三,13800000001\n', /表头|姓名|列/],
    ['no phone and no ID', '姓名,团支部\n张三,一支部\n', /手机号或身份证号/],
    ['an empty file', '', /空|表头|没有/],
  ])('%s is told before anything is read', async (_what, csv, words) => {
    await expect(importIt(csv)).rejects.toThrow(words)
  })

  describe('rights', () => {
    let office: SimPerson
    let zhou: SimPerson

    beforeEach(async () => {
      office = stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
      zhou = stage.sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
      await bindFirst(stage, office, 'xibu', '610802')
      await bindThrough(stage, office, zhou)
    })

    test('end with the roster, those of an owner too, and the unit is asked for another owner', async () => {
      const number = groupNumber(
        await stage.say(zhou.id, '建群 团支部群 微信群 4人 榆阳第一支部 入群码 https://example.cn/g'),
      )
      const applicant = stage.sim.addPerson({ name: '申请人', openId: 'o-1' })
      await stage.say(applicant.id, `入群 ${number} 张思雨`)
      expect(await stage.say(zhou.id, '待审')).toContain('有 1 个入群申请')
      await importIt(head + zhang + girl + gone)
      await stage.settle()
      expect(await stage.say(zhou.id, '待审')).not.toContain('张思雨')
      expect(await stage.say(zhou.id, '同意 1')).toContain('没有权限')
      expect(await stage.say(zhou.id, `登记 ${number} 政策 1条`)).toContain('没有权限')
      expect(await stage.say(zhou.id, '发码 张思雨')).toContain('您名下没有这样的职务')
      expect(stage.received(office.id).at(-1)).toContain('【交接】')
      expect(stage.received(office.id).at(-1)).toContain('周支书（榆阳区第一团支部，1 个群）的工作要有人接')
      const other = stage.sim.addPerson({ name: '另一位', openId: 'o-2' })
      await stage.say(other.id, `入群 ${number} 张思雨`)
      await stage.settle()
      expect(stage.received(office.id).at(-1)).toContain('【入群申请')
      expect(await stage.say(office.id, `换群主 ${number} 张思雨`)).toContain('群主已改为张思雨')
    })

    test('who has gone and is still in a group becomes the owner’s task without waiting for an event', async () => {
      const { number } = await claimGroup(stage, zhou, '榆阳第一支部', '团支部群')
      const zhangs = stage.sim.addPerson({ name: '张思雨', openId: 'o-z', externalUserId: 'wm-z' })
      await stage.say(zhangs.id, `入群 ${number} 张思雨 13800000006`)
      await stage.settle()
      const code = /(https?:\/\/\S+)$/.exec(stage.received(zhangs.id).at(-1) ?? '')?.[1] as string
      await stage.sim.joinByCode(code, zhangs.id)
      await afterEvents(stage)
      expect(await stage.say(zhou.id, '任务')).toContain('没有待办')
      await importIt(head + secretary + girl + gone)
      await stage.settle()
      expect(stage.received(zhou.id).at(-1)).toContain('请移出 1 人次：张思雨')
      await importIt(asItStands)
      await stage.say(zhou.id, `核对 ${number}`)
      await stage.settle()
      expect(await stage.say(zhou.id, '任务')).toContain('没有待办') // she is back, and the task with it
    })

    test('a volunteer who becomes secretary binds again, by a code', async () => {
      const number = groupNumber(
        await stage.say(zhou.id, '建群 团支部群 微信群 4人 第一支部 入群码 https://e.cn/g'),
      )
      const volunteer = stage.sim.addPerson({ name: '张思雨', openId: 'o-zhang' })
      await stage.say(volunteer.id, `入群 ${number} 张思雨 13800000006`)
      expect(await stage.say(volunteer.id, '我的群')).toContain('第一支部')
      await importIt(head + secretary + zhang.replace('312X,,', '312X,团支部书记,') + girl + gone)
      expect(await stage.say(volunteer.id, '我的群')).toContain('要先绑定账号')
    })
  })
})
