import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { updateGroup } from '../../db/queries/groups.ts'
import { type Answer, signIn, type Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** What a page says, without its tags. */
const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
/** What the page after a form says at its top. */
const saidAfter = async (visitor: Visitor, answer: Answer) => {
  expect(answer.status).toBe(303)
  const cookie = answer.headers
    .getSetCookie()
    .map(each => each.split(';')[0])
    .join('; ')
  return plain(await visitor.get(answer.location ?? '', { cookie: `${visitor.cookie}; ${cookie}` }))
}

describe('groups', () => {
  let stage: Stage
  let matrix: FullMatrix
  let county: Visitor
  let owner: Visitor
  let branch: Visitor
  let other: Visitor
  /** An open group of a township; a customer group and an ordinary one of a branch. */
  let open: number
  let customer: number
  let ordinary: number
  const audit = (action: string) =>
    rows<{ subject: number; details: Record<string, unknown> }>(
      stage,
      `select subject_id::int as subject, details from audit_log where action = '${action}' order by id`,
    )
  const group = async (id: number) =>
    (
      await rows<Record<string, unknown>>(
        stage,
        `select g.name, p.name as owner, g.join_code, g.dissolved_at from groups g left join persons p on p.id = g.owner_id where g.id = ${id}`,
      )
    )[0]

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    county = matrix.visitors.county
    owner = matrix.visitors.owner
    branch = matrix.visitors.branch
    other = matrix.visitors.otherCounty
    open = matrix.things.groupId as number
    customer = matrix.xibu.groupId as number
    ordinary = matrix.xibu.wechatGroupId as number
  })
  afterAll(() => stage.close())

  test.each<[keyof FullMatrix['visitors'], string, string[]]>([
    ['county', '', ['镇川羊倌群']],
    ['city', '', ['镇川羊倌群', '贺圈青年群']],
    ['owner', '', ['镇川羊倌群']],
    ['branch', '', ['榆阳沙柳支部群', '沙柳备用群']],
    ['otherCounty', '', ['贺圈青年群']],
    ['branch', '?state=tasks', ['榆阳沙柳支部群']],
    ['branch', '?state=requests', ['榆阳沙柳支部群']],
    ['branch', '?state=ownerless', []],
    ['branch', '?search=备用', ['沙柳备用群']],
    ['city', '?search=贺圈书', ['贺圈青年群']],
    ['city', "?search=%25'%3B--", []],
    ['city', '?month=2026-09', ['镇川羊倌群', '贺圈青年群']],
    ['city', '?month=2026-08', []],
    ['branch', '?page=2', []],
    ['branch', '?page=nonsense&state=nonsense&month=2026-13', ['榆阳沙柳支部群', '沙柳备用群']],
  ])('%s asks for groups%s and sees theirs', async (who, query, names) => {
    const { status, text } = await matrix.visitors[who].get(`/console/groups${query}`)
    expect(status).toBe(200)
    const seen = ['镇川羊倌群', '贺圈青年群', '榆阳沙柳支部群', '沙柳备用群'].filter(name =>
      text.includes(name),
    )
    expect(seen.sort()).toEqual([...names].sort())
  })

  test('the list of a unit is for those who run it', async () => {
    const { unitId } = matrix.things
    expect(plain(await county.get(`/console/groups?unit=${unitId}`))).toContain('榆阳区的群')
    expect((await other.get(`/console/groups?unit=${unitId}`)).status).toBe(404)
    expect((await owner.get(`/console/groups?unit=${unitId}`)).status).toBe(404)
    expect((await county.get('/console/groups?unit=999999')).status).toBe(404)
  })

  test('a group’s page says who is in it and how we know, what is open, and what was sent', async () => {
    const page = plain(await branch.get(`/console/groups/${customer}`))
    expect(page).toContain('周支书 收得到通知')
    expect(page).toMatch(/周支书 群主 绑定的账号/)
    expect(page).toMatch(/卖保险的 昵称 还不知道是谁/)
    expect(page).toMatch(/卖保险的：认不出是谁，请核实/)
    expect(page).toContain('成员由平台读取。')
    expect(page).toMatch(/应在并已在群 1 人，未进群 4 人，不该在群 1 人/)
    expect(page).toMatch(/赵县办 榆阳区主任/)
    expect(page).toContain('沙柳支部报到须知')
    expect(page).toContain('等待审核的入群申请')
    expect(page).not.toMatch(/1380000/)
    expect(plain(await owner.get(`/console/groups/${open}`))).toContain('面向青年开放，本人登记即可加入')
  })

  test('nobody else has the page or its deeds', async () => {
    const deeds = ['owner', 'join-code', 'dissolve', 'read', 'reconcile']
    for (const visitor of [other, matrix.visitors.member, matrix.visitors.administrator]) {
      expect((await visitor.get(`/console/groups/${open}`)).status).toBe(404)
      for (const deed of deeds)
        expect((await visitor.post(`/console/groups/${open}/${deed}`, { joinCode: 'x' })).status).toBe(404)
    }
    expect(await group(open)).toMatchObject({
      owner: '王镇川',
      join_code: 'https://example.cn/q',
      dissolved_at: null,
    })
  })

  test('the way in is changed; one that is too long is kept in the field and nothing happens', async () => {
    const long = 'https://example.cn/'.padEnd(301, 'x')
    const refused = await owner.post(`/console/groups/${open}/join-code`, { joinCode: long })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain(`value="${long}"`)
    expect(plain(refused)).toContain('入群码太长')
    expect((await owner.post(`/console/groups/${open}/join-code`)).status).toBe(422)
    expect(await group(open)).toMatchObject({ join_code: 'https://example.cn/q' })
    const done = await owner.post(`/console/groups/${open}/join-code`, { joinCode: '口令 羊倌' })
    expect(await saidAfter(owner, done)).toContain('入群码已更新')
    expect(await group(open)).toMatchObject({ join_code: '口令 羊倌' })
    expect(await audit('group.join_code_set')).toMatchObject([{ subject: open }])
  })

  test('the owner changes by name; of two of one name one is chosen', async () => {
    const path = `/console/groups/${open}/owner`
    const unknown = await county.post(path, { owner: '张三丰', unit: '镇川' })
    expect(unknown.status).toBe(422)
    expect(unknown.text).toMatch(/value="张三丰"[\s\S]*value="镇川"/)
    await importCsv(
      stage,
      'qingnong',
      `单位编码,姓名,手机号,角色,职务,状态
610802,林县书,13900000002,农村战线团干部,团区委副书记,在岗
610802,李镇川,13900000099,农村战线团干部,干事,在岗
`,
    )
    const which = await county.post(path, { owner: '李镇川' })
    expect(which.status).toBe(422)
    expect(plain(which)).toMatch(/有 2 位“李镇川”，请选一位/)
    const choices = [...which.text.matchAll(/name="person" value="(\d+)"[^>]*>李镇川（([^）]+)）/g)]
    expect(choices.map(each => each[2]).sort()).toEqual(['榆阳区干事', '镇川镇团委副书记'])
    expect(await group(open)).toMatchObject({ owner: '王镇川' })
    const [, chosen = ''] = choices.find(each => each[2] === '镇川镇团委副书记') ?? []
    const done = await county.post(path, { owner: '李镇川', person: chosen })
    expect(await saidAfter(county, done)).toMatch(/群主已改为李镇川.*还没有用绑定码绑定账号/)
    expect(await group(open)).toMatchObject({ owner: '李镇川' })
    expect((await audit('group.owner_changed')).at(-1)).toMatchObject({
      subject: open,
      details: { to: Number(chosen) },
    })
    // somebody of another name cannot be smuggled in by their number
    const smuggled = await county.post(path, { owner: '李镇川', person: String(matrix.things.personId) })
    expect(smuggled.status).toBe(422)
    const again = await county.post(path, { owner: '李镇川', person: chosen })
    expect(again.status).toBe(422)
    expect(plain(again)).toContain('本来就是李镇川')
    // back to the first, who is told
    await county.post(path, { owner: '王镇川' })
    await stage.settle()
    const wang = stage.sim.persons().find(person => person.name === '王镇川')
    expect(stage.received(wang?.id ?? '').join()).toContain('【群移交】“镇川羊倌群”')
  })

  test('an unowned group is said to be so', async () => {
    await updateGroup(stage.rt.db, open, { ownerId: null })
    expect(plain(await county.get('/console/groups?state=ownerless'))).toContain('没有群主')
    expect(plain(await county.get(`/console/groups/${open}`))).toContain('通知没有人转发')
    await county.post(`/console/groups/${open}/owner`, { owner: '王镇川' })
  })

  test('a pasted list is the reading: who is on it is there, a name that fits nobody is asked about; an open group has no list to compare with', async () => {
    const pasted = '接龙\n1. 榆阳区第一团支部-张思雨\n2. 周支书\n3. 王二麻'
    const answer = await branch.post(`/console/groups/${ordinary}/reconcile`, { pasted })
    expect(answer.status).toBe(200)
    expect(plain(answer)).toMatch(/应在并已在群 2 人，未进群 3 人，不该在群 1 人。 按粘贴的接龙名单核对/)
    expect(plain(answer)).toMatch(/不该在群（1） 王二麻/)
    expect(answer.text).toContain('3. 王二麻</textarea>')
    const after = plain(await branch.get(`/console/groups/${ordinary}`))
    expect(after).toContain('王二麻：认不出是谁，请核实')
    expect(after).toContain('群昵称或接龙上的名字，仅供核对')
    // the branch's other group of this kind does not miss whoever is here
    const other = plain(await branch.get(`/console/groups/${customer}`))
    expect(other).toMatch(/应在并已在群 1 人，未进群 3 人/)
    expect(other).toContain('在同类的另一个群（1） 张思雨 在“沙柳备用群”')
    expect((await branch.post(`/console/groups/${ordinary}/reconcile`)).status).toBe(422)
    const none = await owner.post(`/console/groups/${open}/reconcile`, { pasted: '王镇川' })
    expect(none.status).toBe(422)
    expect(plain(none)).toContain('不按名册核对')
  })

  test('members are read on request where the platform has them, nowhere else', async () => {
    const done = await branch.post(`/console/groups/${customer}/read`)
    expect(await saidAfter(branch, done)).toContain('已安排读取成员')
    expect(await rows(stage, 'select count(*)::int from chat_readings')).toEqual([{ count: 1 }])
    expect(plain(await branch.get(`/console/groups/${customer}`))).toContain('正在等待读取成员')
    await stage.settle()
    expect(await rows(stage, 'select count(*)::int from chat_readings')).toEqual([{ count: 0 }])
    const refused = await branch.post(`/console/groups/${ordinary}/read`)
    expect(refused.status).toBe(422)
    expect(plain(refused)).toContain('这个群读不到')
    expect(await audit('group.reading_asked')).toMatchObject([{ subject: customer }])
  })

  test('a task is closed by word once; where the platform tells, word is not taken', async () => {
    // the stranger on the pasted list
    const [task] = await rows<{ id: number; why: string }>(
      stage,
      `select id::int, why from tasks where group_id = ${ordinary} and closed_at is null`,
    )
    expect(plain(await branch.get(`/console/groups/${ordinary}`))).toContain(task?.why)
    const path = `/console/groups/${ordinary}/tasks/${task?.id}/done`
    expect((await other.post(path)).status).toBe(404)
    expect((await branch.post(`/console/groups/${customer}/tasks/${task?.id}/done`)).status).toBe(404)
    expect(await saidAfter(branch, await branch.post(path))).toContain('已登记为完成（以您的答复为准）')
    expect(await saidAfter(branch, await branch.post(path))).toContain('已经销号了')
    expect(await rows(stage, `select closed_by from tasks where id = ${task?.id}`)).toEqual([
      { closed_by: 'word' },
    ])
    expect(await audit('task.done')).toMatchObject([{ subject: ordinary, details: { task: task?.id } }])
    const { taskId } = matrix.things
    const byPlatform = await branch.post(`/console/groups/${customer}/tasks/${taskId}/done`)
    expect(await saidAfter(branch, byPlatform)).toContain('由平台读取')
    expect(await rows(stage, `select closed_at from tasks where id = ${taskId}`)).toEqual([
      { closed_at: null },
    ])
  })

  describe('registering', () => {
    const good = { kind: 'county-cadres', platform: 'wechat', name: '青农榆阳', size: '20', joinCode: '拉我' }

    test('begins with the unit: one’s own, or one found by name below', async () => {
      expect(plain(await county.get('/console/groups/new'))).toContain('榆阳区')
      const found = await county.get('/console/groups/new?search=镇川')
      expect(found.text).toMatch(/groups\/new\?unit=\d+">镇川镇/)
      expect(plain(await county.get('/console/groups/new?search=贺圈'))).toContain('没有叫“贺圈”的')
    })

    test.each<[string, Record<string, string>, string]>([
      ['a name against the rule', { name: '榆阳干部' }, '要像“青农榆阳”'],
      ['no name', { name: '' }, '1 到 40 个字'],
      ['no size', { size: '' }, '现在的人数'],
      ['a size that is none', { size: '二十' }, '现在的人数'],
      ['a kind of other units', { kind: 'township-cadres' }, '请选择群的类型'],
      ['no platform', { platform: 'fax' }, '请选择群在哪里'],
      ['a platform that is claimed', { platform: 'customer' }, '请选择群在哪里'],
      ['a robot without address', { platform: 'internal' }, 'Webhook'],
      ['a join code that is too long', { joinCode: 'x'.repeat(301) }, '入群码太长'],
    ])('%s is refused, and what was filled in stays', async (_what, wrong, words) => {
      const unit = String(matrix.things.unitId)
      const answer = await county.post('/console/groups/new', { ...good, unit, ...wrong })
      expect(answer.status).toBe(422)
      expect(plain(answer)).toContain(words)
      for (const field of ['name', 'size', 'joinCode'] as const)
        expect(answer.text).toContain(`value="${{ ...good, ...wrong }[field]}"`)
      expect(await rows(stage, "select count(*)::int from groups where kind = 'county-cadres'")).toEqual([
        { count: 0 },
      ])
    })

    test('done twice it is one group, whose owner is who registered it', async () => {
      const form = { ...good, unit: String(matrix.things.unitId) }
      const [first, second] = await Promise.all([
        county.post('/console/groups/new', form),
        county.post('/console/groups/new', form),
      ])
      expect([first?.status, second?.status].sort()).toEqual([303, 422])
      expect(plain(first?.status === 422 ? first : (second as Answer))).toContain('已经登记过“青农榆阳”')
      expect(
        await rows(
          stage,
          "select g.name, p.name as owner, g.size from groups g join persons p on p.id = g.owner_id where kind = 'county-cadres'",
        ),
      ).toEqual([{ name: '青农榆阳', owner: '林县书', size: 20 }])
    })

    test('a robot’s address is never shown again and is not lost by another fault', async () => {
      const key = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa'
      const form = {
        kind: 'county-youth',
        platform: 'internal',
        name: '榆阳青年',
        unit: String(matrix.things.unitId),
      }
      const refused = await county.post('/console/groups/new', {
        ...form,
        size: '',
        webhook: `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`,
      })
      expect(refused.status).toBe(422)
      expect(refused.text).not.toContain(key)
      const webhookKept = /name="webhookKept" value="([^"]+)"/.exec(refused.text)?.[1] ?? ''
      const altered = await county.post('/console/groups/new', {
        ...form,
        size: '30',
        webhookKept: 'k1.AAAA',
      })
      expect(altered.status).toBe(422)
      const done = await county.post('/console/groups/new', { ...form, size: '30', webhookKept })
      expect(done.status).toBe(303)
      const [row] = await rows<{ webhook_sealed: string }>(
        stage,
        "select webhook_sealed from groups where name = '榆阳青年'",
      )
      expect(stage.rt.vault.open(row?.webhook_sealed ?? '')).toBe(key)
      expect((await county.get(done.location ?? '')).text).not.toContain(key)
    })

    test('is not for another county’s unit, nor for owners without an office', async () => {
      const form = { ...good, name: '青农外县', unit: String(matrix.things.unitId) }
      expect((await other.get(`/console/groups/new?unit=${form.unit}`)).status).toBe(404)
      expect((await other.post('/console/groups/new', form)).status).toBe(404)
      expect((await other.post('/console/groups/new', { ...form, unit: '' })).status).toBe(404)
      expect((await matrix.visitors.member.get('/console/groups/new')).status).toBe(404)
      expect(await rows(stage, "select id from groups where name = '青农外县'")).toEqual([])
    })
  })

  test('an owner who gives the group away and runs no unit sees it no more', async () => {
    const [unit] = await rows<{ id: number }>(stage, "select id::int from units where name = '镇川镇'")
    await importCsv(
      stage,
      'qingnong',
      `单位编码,姓名,手机号,角色,职务,状态
610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗
610802101,李镇川,13900000012,乡镇团委成员,团委副书记,在岗
610802101,牛致富,13900000077,农村青年致富带头人,带头人,在岗
`,
    )
    const [leader] = await rows<{ id: number }>(stage, "select id::int from persons where name = '牛致富'")
    const [made] = await rows<{ id: number }>(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
       values ('qingnong', 'youth', ${unit?.id}, '牛倌群', 'wechat', ${leader?.id}, 500, 9, now()) returning id::int`,
    )
    const niu = await signIn(stage, '牛致富')
    expect(plain(await niu.get('/console/groups'))).toMatch(/共 1 个.*牛倌群/)
    expect((await niu.get(`/console/groups/${open}`)).status).toBe(404)
    const done = await niu.post(`/console/groups/${made?.id}/owner`, { owner: '王镇川' })
    expect(done).toMatchObject({ status: 303, location: '/console/groups' })
    expect((await niu.get(`/console/groups/${made?.id}`)).status).toBe(404)
  })

  test('a dissolved group stays to be read, and nothing more is done with it', async () => {
    const done = await owner.post(`/console/groups/${open}/dissolve`)
    expect(await saidAfter(owner, done)).toContain('已登记为解散')
    expect((await group(open))?.dissolved_at).not.toBeNull()
    expect(plain(await owner.get('/console/groups'))).not.toContain('镇川羊倌群')
    const page = await owner.get(`/console/groups/${open}`)
    expect(page.text).not.toContain('/dissolve')
    const refused = await owner.post(`/console/groups/${open}/join-code`, { joinCode: '晚了' })
    expect(refused.status).toBe(422)
    expect(plain(refused)).toContain('已经解散，不能再办')
    expect((await owner.post(`/console/groups/${open}/dissolve`)).status).toBe(422)
    expect(await audit('group.dissolved')).toHaveLength(1)
  })
})
