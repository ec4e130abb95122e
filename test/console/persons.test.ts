import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { personsInLine } from '../../db/queries/persons.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, fillMatrix, groupNumber, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('a person’s page', () => {
  let stage: Stage
  let lin: Visitor
  const path = async (name: string) => `/console/persons/${await personId(stage, name)}`
  const unmaskings = () =>
    rows(
      stage,
      "select actor_id::int, subject_kind, subject_id::int, details from audit_log where action = 'person.unmasked' order by id",
    )

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    lin = await signIn(stage, '林县书')
  })
  afterAll(() => stage.close())

  test('says what they are, where they are from and how they can be reached, without a number in full', async () => {
    const wang = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, wang, 'qingnong', '610802101')
    const number = groupNumber(
      await stage.say(wang.id, '建群 团青群 微信群 40人 镇川一群 入群码 https://e.cn/g'),
    )
    const { status, text } = await lin.get(await path('王镇川'))
    expect(status).toBe(200)
    for (const words of [
      '镇川镇',
      '乡镇团委成员（团委书记）',
      '139****0011',
      '公众号',
      '能收到消息',
      '凭绑定码绑定',
    ])
      expect(text).toContain(words)
    expect(text).toContain(`/console/groups/${number}`)
    expect(text).toContain('群主')
    expect(text).not.toMatch(/13900000011|o-wang/)
  })

  test('is not there for another county, for whoever is below, or for the person without an office', async () => {
    const wang = await path('王镇川')
    for (const name of ['丁县书', '贺圈书', '马黄梁', '赵县办', '阿依古丽·买买提']) {
      const visitor = await signIn(stage, name)
      expect((await visitor.get(wang)).status, name).toBe(404)
      expect((await visitor.post(`${wang}/unmask`, { reason: 'contact' })).status, name).toBe(404)
      expect((await visitor.post(`${wang}/binding-code`)).status, name).toBe(404)
    }
    expect((await lin.get(await path('高市书'))).status).toBe(404)
    expect((await lin.get('/console/persons/999999')).status).toBe(404)
    expect(await unmaskings()).toEqual([])
  })

  test('shows numbers in full once, for a reason that stays on record', async () => {
    const wang = await path('王镇川')
    const shown = await lin.post(`${wang}/unmask`, {
      reason: 'emergency',
      words: '防汛值班，电话 13812345678',
    })
    expect(shown.status).toBe(200)
    expect(shown.text).toContain('13900000011')
    expect(shown.text).toContain('本人也看得到')
    expect(shown.headers.get('cache-control')).toContain('no-store')
    expect((await lin.get(wang)).text).not.toContain('13900000011')
    expect(await unmaskings()).toEqual([
      {
        actor_id: await personId(stage, '林县书'),
        subject_kind: 'person',
        subject_id: await personId(stage, '王镇川'),
        details: { fields: ['phone'], reason: '紧急情况：防汛值班，电话 138****5678' },
      },
    ])
  })

  test.each([
    ['no reason', {}, '请选择为什么要查看'],
    ['a reason that is none', { reason: 'curious', words: '看看' }, '请选择为什么要查看'],
    ['another reason without saying which', { reason: 'other', words: '  ' }, '请写明为什么要查看'],
  ])('%s shows nothing and loses nothing', async (_what, fields, words) => {
    const before = await unmaskings()
    const { status, text } = await lin.post(
      `${await path('李镇川')}/unmask`,
      fields as Record<string, string>,
    )
    expect(status).toBe(422)
    expect(text).toContain(words)
    expect(text).not.toContain('13900000012')
    if ('words' in fields && fields.words === '看看') expect(text).toContain('value="看看"')
    expect(await unmaskings()).toEqual(before)
  })

  test('does not give away the ID number of somebody whom another county has too', async () => {
    const csv = '区县,团支部,姓名,手机号,状态\n定边县,定边县第一团支部,张思雨,13800000009,在岗\n'
    await importCsv(stage, 'xibu', `${csv}定边县,定边县第一团支部,张思雨,13800000006,在岗\n`)
    const [zhang] = await rows<{ id: string }>(
      stage,
      "select id from persons where name = '张思雨' and id_number_index is not null",
    )
    const page = `/console/persons/${zhang?.id}/unmask`
    const office = await (await signIn(stage, '赵县办')).post(page, { reason: 'contact' })
    expect(office.text).toContain('13800000006')
    expect(office.text).toContain('请向上级查询')
    expect(office.text).not.toContain('61080220010307312X')
    const city = await (await signIn(stage, '刘市办')).post(page, { reason: 'insurance' })
    expect(city.text).toContain('61080220010307312X')
    expect((await unmaskings()).slice(-2).map(row => row.details)).toEqual([
      { fields: ['phone'], reason: '工作联系' },
      { fields: ['phone', 'idNumber'], reason: '办理保险或补贴' },
    ])
  })

  test('gives a binding code that works, where the one who asks stands above', async () => {
    const { status, text } = await lin.post(`${await path('马黄梁')}/binding-code`)
    expect(status).toBe(200)
    const code = /class="code">([0-9A-Z]{8})</.exec(text)?.[1] as string
    const ma = stage.sim.addPerson({ name: '马黄梁', openId: 'o-ma' })
    expect(await stage.say(ma.id, `绑定 ${code}`)).toMatch(/^绑定成功/)
    const wang = await signIn(stage, '王镇川')
    const refused = await wang.post(`${await path('李镇川')}/binding-code`)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('绑定码要由其上一级组织发放')
    expect(refused.text).not.toContain('class="code"')
  })

  test('of somebody who has gone is there for the unit that they left last, and for nobody else', async () => {
    const ma = await path('马黄梁')
    const head = '单位编码,姓名,手机号,角色,职务,状态\n'
    await importCsv(stage, 'qingnong', `${head}610802102,新书记,13900000033,乡镇团委成员,团委书记,在岗\n`)
    const { status, text } = await lin.get(ma)
    expect(status).toBe(200)
    expect(text).toContain('现在没有在岗的职务')
    expect(text).toContain('已不在册')
    expect((await (await signIn(stage, '丁县书')).get(ma)).status).toBe(404)
    const code = await lin.post(`${ma}/binding-code`)
    expect([code.status, /没有在岗的职务，不能发绑定码/.test(code.text)]).toEqual([422, true])
    // once they stand elsewhere, they are the other county's
    await importCsv(stage, 'qingnong', `${head}610825101,马黄梁,13900000013,乡镇团委成员,团委书记,在岗\n`)
    expect((await lin.get(ma)).status).toBe(404)
    expect((await (await signIn(stage, '丁县书')).get(ma)).status).toBe(200)
  })
})

describe('whose numbers one may see in full', () => {
  let stage: Stage
  const head = '区县,团支部,姓名,手机号,身份证号,状态\n'
  /** An import as an office makes it on its page. */
  async function importAs(office: string, csv: string) {
    const id = await personId(stage, office)
    const [unit] = await rows<{ path: string }>(
      stage,
      `select u.path from roles r join units u on u.id = r.unit_id where r.person_id = ${id} and r.ended_at is null`,
    )
    const result = await importRoster(
      stage.rt,
      { name: `${office}.csv`, bytes: Buffer.from(csv) },
      { programme: 'xibu', isDryRun: false, actorId: id, within: unit?.path as string },
    )
    expect(result.problems.filter(each => each.severity === 'error')).toEqual([])
    expect(result.isApplied).toBe(true)
  }
  const unmask = async (office: string, who: number) =>
    (await signIn(stage, office)).post(`/console/persons/${who}/unmask`, { reason: 'contact' })
  const idOf = async (name: string) => {
    const [row] = await rows<{ id: string }>(
      stage,
      `select id from persons where name = '${name}' order by id desc limit 1`,
    )
    return Number(row?.id)
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const zhao = '陕西省,榆林市,榆阳区,,杨县办,13800000044,,项目办负责同志,副主任,,,,,在岗\n'
    const ding = '陕西省,榆林市,定边县,,孙县办,13800000045,,项目办负责同志,主任,,,,,在岗\n'
    await importCsv(
      stage,
      'xibu',
      `省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态\n陕西省,榆林市,榆阳区,,赵县办,13800000004,,项目办负责同志,主任,,,,,在岗\n${zhao}${ding}`,
    )
    await importAs('赵县办', `${head}榆阳区,榆阳区第三团支部,常羊倌,13822223333,610802199901011235,在岗\n`)
  })
  afterAll(() => stage.close())

  test('those whose own file brought them', async () => {
    const { text } = await unmask('赵县办', await idOf('常羊倌'))
    expect(text).toContain('13822223333')
  })

  test('not an office that entered somebody whose ID number it knew, and it is told whom to ask', async () => {
    await importAs('孙县办', `${head}定边县,定边县第二团支部,常羊倌,,610802199901011235,在岗\n`)
    const who = await idOf('常羊倌')
    expect(
      await rows(
        stage,
        `select unit_id from roster_entries where person_id = ${who} and gone_import_id is null`,
      ),
    ).toHaveLength(2)
    const { status, text } = await unmask('孙县办', who)
    expect(status).toBe(200)
    expect(text).not.toContain('13822223333')
    expect(text).toMatch(/请向榆阳区或共同的上级查询/)
    expect(
      await rows(
        stage,
        `select action, details ->> 'reason' as reason from audit_log where subject_id = ${who} and action like 'person.unmask%' order by id desc limit 1`,
      ),
    ).toEqual([{ action: 'person.unmask_refused', reason: '工作联系' }])
    // nor by an API token of theirs that may read whole phones
    const [county] = await rows<{ path: string }>(
      stage,
      `select path from units where programme = 'xibu' and code = '610825'`,
    )
    const paths = [county?.path as string]
    expect(await personsInLine(stage.rt.db, [who], paths, 'phoneIndex')).toEqual(new Set())
    expect(await personsInLine(stage.rt.db, [who], ['/'], 'phoneIndex')).toEqual(new Set([who]))
    // the unit above both has them
    expect((await unmask('刘市办', who)).text).toContain('13822223333')
    // nor once the rightful office has let go of them
    await importAs('赵县办', `${head}榆阳区,榆阳区第三团支部,新来的,13822224444,,在岗\n`)
    expect((await unmask('孙县办', who)).text).not.toContain('13822223333')
  })

  test('an office that was given them from above', async () => {
    const who = await idOf('新来的')
    await importAs(
      '刘市办',
      `区县,团支部,姓名,手机号,状态\n定边县,定边县第二团支部,新来的,13822224444,在岗\n榆阳区,榆阳区第三团支部,替补的,13822225555,在岗\n`,
    )
    expect((await unmask('孙县办', who)).text).toContain('13822224444')
  })

  test('not so many in a day: the unit above is told at the twentieth, and the fifty-first is refused', async () => {
    const zhao = await signIn(stage, '赵县办')
    const page = `/console/persons/${await personId(stage, '周支书')}/unmask`
    const told = () =>
      rows<{ person_id: string }>(
        stage,
        `select person_id from outgoing_messages where purpose = 'task' order by id`,
      )
    const seen = (
      await rows(
        stage,
        `select 1 from audit_log where action = 'person.unmasked' and actor_id = ${await personId(stage, '赵县办')}`,
      )
    ).length
    for (let count = seen; count < 19; count++) await zhao.post(page, { reason: 'contact' })
    expect(await told()).toEqual([])
    await zhao.post(page, { reason: 'contact' })
    expect((await told()).map(row => Number(row.person_id))).toEqual([await personId(stage, '刘市办')])
    for (let count = 20; count < 50; count++) await zhao.post(page, { reason: 'contact' })
    const refused = await zhao.post(page, { reason: 'contact' })
    expect([refused.status, refused.text.includes('到了上限'), refused.text.includes('13800000005')]).toEqual(
      [422, true, false],
    )
    expect(await told()).toHaveLength(1)
    stage.clock.advance(24 * 3600_000 + 1000)
    expect((await zhao.post(page, { reason: 'contact' })).text).toContain('13800000005')
  })
})
