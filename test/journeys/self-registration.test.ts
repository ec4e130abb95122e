import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('registering in an open group by taps', () => {
  let stage: Stage
  let wang: SimPerson
  let number: number
  let serial = 0
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const youth = () => stage.sim.addPerson({ name: '青年', openId: `o-tap-${++serial}` })
  const last = () =>
    rows(
      stage,
      `select p.name, r.residence, r.occupation, u.name as unit from registrations r join persons p on p.id = r.person_id
       join units u on u.id = r.unit_id order by r.registered_at desc, r.person_id desc limit 1`,
    )

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    wang = stage.sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await bindFirst(stage, lin, 'qingnong', '610802')
    await bindThrough(stage, lin, wang)
    number = groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 https://example.cn/q'))
  })
  afterAll(() => stage.close())

  test('a number, then the name: nothing is kept of it before the end', async () => {
    const person = youth()
    const asked = await say(person, `入群 ${number}`)
    expect(asked).toMatch(
      /您在乡还是外出、做什么？请回复一个数字[\s\S]*1 在乡务农、2 在乡务工[\s\S]*6 外出务工/,
    )
    expect(await say(person, '7')).toContain('请回复您的姓名')
    expect(await rows(stage, `select answers from conversations`)).toEqual([
      { answers: expect.objectContaining({ choice: '6' }) },
    ])
    expect(await say(person, '12345')).toContain('2 到 15 个汉字')
    expect(await say(person, '我叫张小明')).toMatch(/登记好了[\s\S]*https:\/\/example\.cn\/q/)
    expect(await last()).toEqual([
      { name: '张小明', residence: 'away', occupation: 'membersAway.schooling', unit: '镇川镇' },
    ])
    expect(await rows(stage, 'select answers from conversations')).toEqual([])
  })

  test('who is known by their account taps once', async () => {
    const person = youth()
    await say(person, `入群 ${number} 周小川 1`)
    const asked = await say(person, `入群 ${number}`)
    expect(asked).not.toContain('姓名')
    expect(await say(person, '2')).toContain('登记好了')
    expect(await last()).toMatchObject([{ name: '周小川', occupation: 'membersHome.wageWork' }])
    expect(
      await rows(
        stage,
        `select 1 from registrations r join persons p on p.id = r.person_id where p.name = '周小川'`,
      ),
    ).toHaveLength(1)
  })

  test.each([
    ['外出打工', 'membersAway.wageWork'],
    ['在乡 经商', 'membersHome.business'],
    ['在家种地', 'membersHome.farming'],
  ])('in words: %s', async (text, occupation) => {
    const person = youth()
    await say(person, `入群 ${number}`)
    expect(await say(person, text)).toContain('请回复您的姓名')
    await say(person, '李小红')
    expect(await last()).toMatchObject([{ name: '李小红', occupation }])
  })

  test.each(['99', '0', '不知道', '务农'])('%s is asked again', async text => {
    const person = youth()
    await say(person, `入群 ${number}`)
    expect(await say(person, text)).toContain('请回复一个数字')
    expect(await say(person, '取消')).toContain('已取消')
  })

  test('all in one line still, in the middle of it too', async () => {
    const person = youth()
    await say(person, `入群 ${number}`)
    expect(await say(person, '钱小宝 外出 创业')).toContain('登记好了')
    expect(await last()).toMatchObject([{ name: '钱小宝', occupation: 'membersAway.startup' }])
  })

  test('in a village’s group one counts in the township', async () => {
    const before = await rows<{ n: number }>(
      stage,
      `select count(*)::int as n from registrations r join units u on u.id = r.unit_id where u.name = '镇川镇'`,
    )
    await rows(
      stage,
      `insert into units (programme, code, name, kind, level, parent_id, path, created_at)
       select 'qingnong', 'v1', '石崖底村', 'village-organisation', 'village', id, '', now() from units where code = '610802101'`,
    )
    await rows(
      stage,
      `update units v set path = p.path || v.id || '/' from units p where v.code = 'v1' and p.code = '610802101'`,
    )
    await rows(
      stage,
      `update groups set unit_id = (select id from units where code = 'v1') where id = ${number}`,
    )
    const person = youth()
    await say(person, `入群 ${number}`)
    await say(person, '1')
    await say(person, '孙小满')
    expect(await last()).toMatchObject([{ name: '孙小满', unit: '镇川镇' }])
    const [after] = await rows<{ n: number }>(
      stage,
      `select count(*)::int as n from registrations r join units u on u.id = r.unit_id where u.name = '镇川镇'`,
    )
    expect(after?.n).toBe((before[0]?.n ?? 0) + 1)
  })
})
