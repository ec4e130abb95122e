import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { groups, messageRecords } from '../../../db/schema/index.ts'
import { registerApi } from '../../../server/api/api.ts'
import { SCOPES, type Scope } from '../../../server/api/scopes.ts'
import { issueNotice } from '../../../server/domain/notices/issue.ts'
import { fillMatrix, importCsv, rows } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'
import { actorNamed, type Client, clientWith, tokenFor, unitOf } from './client.ts'

let stage: Stage
/** The token of 榆阳区团委 (林县书), with everything. */
let yuyang: Client
const ids: Record<string, number> = {}

async function addGroup(name: string, unitId: number, ownerId: number | null = null): Promise<number> {
  const [row] = await stage.rt.db
    .insert(groups)
    .values({
      programme: 'qingnong',
      kind: 'youth',
      unitId,
      name,
      platform: 'wechat',
      ownerId,
      capacity: 500,
      size: 12,
      createdAt: stage.clock.now(),
    })
    .returning({ id: groups.id })
  return row?.id as number
}

beforeAll(async () => {
  stage = await openStage()
  await fillMatrix(stage)
  const { rt } = stage
  const [city, county, other, township, otherTownship] = await Promise.all(
    ['610800', '610802', '610825', '610802101', '610825101'].map(code => unitOf(stage, 'qingnong', code)),
  )
  if (!city || !county || !other || !township || !otherTownship) throw new Error('units')
  const mayor = await actorNamed(stage, '高市书')
  const lin = await actorNamed(stage, '林县书')
  Object.assign(ids, {
    city: city.id,
    county: county.id,
    other: other.id,
    township: township.id,
    otherTownship: otherTownship.id,
    xibuCounty: (await unitOf(stage, 'xibu', '610802')).id,
    group: await addGroup('镇川镇团青群', township.id, (await actorNamed(stage, '王镇川')).person.id),
    otherGroup: await addGroup('贺圈镇团青群', otherTownship.id),
    // the county's officer owns a group of the office above: their token does not reach it
    cityGroup: await addGroup('市级团干群', city.id, lin.person.id),
  })
  ids.cityNotice = (
    await issueNotice(rt, mayor, {
      unitId: city.id,
      body: '市里的通知',
      category: '其他',
      importance: 'normal',
    })
  ).id
  ids.otherNotice = (
    await issueNotice(rt, await actorNamed(stage, '丁县书'), {
      unitId: other.id,
      body: '定边县的通知',
      category: '其他',
      importance: 'normal',
    })
  ).id
  ids.notice = (
    await issueNotice(rt, lin, {
      unitId: county.id,
      body: '榆阳区的通知',
      category: '政策法规',
      importance: 'normal',
    })
  ).id
  await rt.db.insert(messageRecords).values(
    [ids.group, ids.otherGroup].map((groupId, at) => ({
      groupId: groupId as number,
      unitId: (at === 0 ? ids.township : ids.otherTownship) as number,
      month: '2026-08',
      recordedOn: '2026-08-20',
      category: '政策法规',
      count: 7 + at,
      source: 'counted',
      decidedBy: 'person',
      createdAt: stage.clock.now(),
    })),
  )
  yuyang = (await tokenFor(stage, '林县书', ['qingnong', '610802'], [...SCOPES], { name: '全部权限' })).client
})

afterAll(() => stage.close())

const named = (answer: { json: { items: { name: string }[] } }) => answer.json.items.map(item => item.name)

describe('what a token reaches', () => {
  test('units: its own and all below, by level and parent', async () => {
    expect(named(await yuyang('/units'))).toEqual(['榆阳区', '镇川镇', '麻黄梁镇'])
    expect(named(await yuyang('/units?level=township'))).toEqual(['镇川镇', '麻黄梁镇'])
    expect(named(await yuyang('/units?parent=610802'))).toEqual(['镇川镇', '麻黄梁镇'])
    expect((await yuyang('/units/610802101')).json).toMatchObject({
      id: ids.township,
      name: '镇川镇',
      levelName: '乡镇',
      parentId: ids.county,
    })
    // its own unit has no unit above it that it could ask for
    expect((await yuyang(`/units/${ids.county}`)).json).toMatchObject({ code: '610802', parentId: null })
  })

  test('the roster, with phones masked and no ID numbers', async () => {
    const answer = await yuyang('/roster')
    expect(named(answer)).toEqual(['林县书', '王镇川', '李镇川', '马黄梁'])
    expect(answer.json.items[1]).toMatchObject({
      phone: '139****0011',
      unitName: '镇川镇',
      roleName: '乡镇团委成员',
      title: '团委书记',
      status: '在岗',
    })
    expect(answer.text).not.toMatch(/1390000\d{4}|idNumber|sealed/i)
    expect(named(await yuyang('/roster?unit=610802102'))).toEqual(['马黄梁'])
  })

  test('whole phones with a scope of their own, each time with an entry in the audit log', async () => {
    const before = await rows(stage, "select * from audit_log where action = 'roster.exported'")
    const answer = await yuyang('/roster?full=true&unit=610802101')
    expect(answer.json.items.map((item: { phone: string }) => item.phone)).toEqual([
      '13900000011',
      '13900000012',
    ])
    const after = await rows(
      stage,
      "select subject_kind, subject_id::int, details->>'count' as count, details->>'tokenName' as token from audit_log where action = 'roster.exported'",
    )
    expect(after.slice(before.length)).toEqual([
      { subject_kind: 'unit', subject_id: ids.township, count: '2', token: '全部权限' },
    ])
    const { client } = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['roster:read'])
    expect(await client('/roster?full=true')).toMatchObject({ status: 403, json: { code: 'scope.missing' } })
  })

  test('groups and one group, without what opens them', async () => {
    const answer = await yuyang('/groups')
    expect(named(answer)).toEqual(['镇川镇团青群'])
    expect((await yuyang(`/groups/${ids.group}`)).json).toEqual(answer.json.items[0])
    expect(Object.keys(answer.json.items[0]).filter(key => /chat|webhook|code$/i.test(key))).toEqual([
      'unitCode',
    ])
    expect(answer.json.items[0]).toMatchObject({
      ownerName: '王镇川',
      unitCode: '610802101',
      dissolvedAt: null,
    })
  })

  test('notices of its own and from above, with the progress of its own groups only', async () => {
    const answer = await yuyang('/notices')
    expect(answer.json.items.map((item: { id: number }) => item.id)).toEqual([ids.cityNotice, ids.notice])
    // two groups in two counties and one of the city wait for the city's notice; one of them is this county's
    expect((await yuyang(`/notices/${ids.cityNotice}`)).json).toMatchObject({
      unitName: '榆林市',
      authorName: '高市书',
      groups: 1,
      posted: 0,
      levels: [{ level: '乡镇', groups: 1, posted: 0 }],
    })
  })

  test('figures, records and the sheet as a file', async () => {
    const figures = await yuyang('/figures/tracking-sheet?month=2026-08')
    expect(figures.json).toMatchObject({ unitName: '榆阳区', month: '2026-08' })
    expect(figures.json.rows.map((row: { township: string }) => row.township)).toEqual(['镇川镇', '麻黄梁镇'])
    expect(figures.json.sum['messages.policy']).toBe(7)
    const records = await yuyang('/message-records?month=2026-08')
    expect(records.json.items).toMatchObject([{ groupId: ids.group, count: 7, category: '政策法规' }])
    expect((await yuyang('/activities')).json).toEqual({ items: [], next: null })

    const file = await yuyang('/forms/tracking-sheet?month=2026-08')
    expect(file.status).toBe(200)
    expect(file.headers.get('content-type')).toBe(
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    )
    expect(file.text.slice(0, 2)).toBe('PK')
    expect(decodeURIComponent(file.headers.get('content-disposition') ?? '')).toContain(
      '跟踪摸底表-榆阳区-2026-08.xlsx',
    )
    expect(
      await rows(stage, "select details->>'by' as by from audit_log where action = 'sheet.exported'"),
    ).toEqual([{ by: 'api' }])
    expect(await yuyang('/figures/tracking-sheet?month=2026-08&unit=610802101')).toMatchObject({
      status: 422,
      json: { code: 'sheet.none', message: expect.stringContaining('镇川镇没有这张表') },
    })
  })
})

describe('what a token does not reach is as if it were not there', () => {
  const absent = 99_999_999
  const paths: [what: string, path: (id: number | string) => string, outside: () => (number | string)[]][] = [
    [
      'unit',
      id => `/units/${id}`,
      () => [ids.other as number, '610825', '610800', ids.city as number, ids.xibuCounty as number],
    ],
    ['units below', id => `/units?parent=${id}`, () => ['610825', ids.city as number]],
    ['roster of', id => `/roster?unit=${id}`, () => ['610825', ids.otherTownship as number]],
    ['whole roster of', id => `/roster?full=true&unit=${id}`, () => ['610825', ids.city as number]],
    ['groups of', id => `/groups?unit=${id}`, () => ['610825101', ids.city as number]],
    ['group', id => `/groups/${id}`, () => [ids.otherGroup as number, ids.cityGroup as number]],
    ['notice', id => `/notices/${id}`, () => [ids.otherNotice as number]],
    ['activities of', id => `/activities?unit=${id}`, () => ['610825']],
    ['records of', id => `/message-records?month=2026-08&unit=${id}`, () => ['610825101']],
    ['figures of', id => `/figures/tracking-sheet?month=2026-08&unit=${id}`, () => ['610825', '610800']],
    ['sheet of', id => `/forms/tracking-sheet?month=2026-08&unit=${id}`, () => ['610825']],
  ]
  test.each(paths)('%s', async (_what, path, outside) => {
    const nowhere = await yuyang(path(absent))
    expect(nowhere).toMatchObject({ status: 404, json: { code: 'not_found' } })
    for (const id of outside()) {
      const answer = await yuyang(path(id))
      expect([answer.status, answer.json]).toEqual([404, nowhere.json])
    }
  })

  test('nor is anything issued there', async () => {
    const answer = await yuyang('/notices', {
      method: 'POST',
      headers: { 'idempotency-key': 'other-county' },
      body: { unit: '610825', body: '越界的通知' },
    })
    expect(answer).toMatchObject({ status: 404, json: { code: 'not_found' } })
    expect(await rows(stage, "select 1 from notices where body = '越界的通知'")).toEqual([])
  })
})

describe('who may call', () => {
  test.each<[string, string | null]>([
    ['none', null],
    ['an unknown one', `qz_${'A'.repeat(43)}`],
    ['something else', 'hello'],
  ])('%s: 401', async (_what, token) => {
    const answer = await clientWith(stage, token)('/units')
    expect(answer.status).toBe(401)
    expect(answer.json).toEqual({ code: expect.any(String), message: expect.stringMatching(/令牌/) })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  test('every route asks for its scope, and for no other', async () => {
    const routes: [Scope, string][] = [
      ['units:read', '/units'],
      ['units:read', '/units/610802'],
      ['roster:read', '/roster'],
      ['groups:read', '/groups'],
      ['groups:read', `/groups/${ids.group}`],
      ['notices:read', '/notices'],
      ['notices:read', `/notices/${ids.notice}`],
      ['figures:read', '/figures/tracking-sheet?month=2026-08'],
      ['figures:read', '/activities'],
      ['figures:read', '/message-records?month=2026-08'],
      ['forms:read', '/forms/tracking-sheet?month=2026-08'],
    ]
    for (const scope of SCOPES.filter(each => each !== 'roster:full')) {
      const { client } = await tokenFor(stage, '林县书', ['qingnong', '610802'], [scope], {
        name: `只有 ${scope}`,
      })
      for (const [needed, path] of routes)
        expect([scope, path, (await client(path)).status]).toEqual([
          scope,
          path,
          needed === scope ? 200 : 403,
        ])
      const post = await client('/notices', {
        method: 'POST',
        headers: { 'idempotency-key': `empty-${scope}` },
        body: { body: '  ' },
      })
      expect([scope, post.status]).toEqual([scope, scope === 'notices:write' ? 422 : 403])
      const upload = await client('/roster/imports', {
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
        body: '单位编码,姓名\n',
      })
      expect([scope, upload.status]).toEqual([scope, scope === 'roster:write' ? 422 : 403])
    }
  })

  test('an ended token, and one whose last day is over', async () => {
    const { id, client } = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['units:read'], {
      lastDay: '2026-09-07',
      name: '今天到期',
    })
    const second = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['units:read'], { name: '要停用' })
    expect((await second.client('/units')).status).toBe(200)
    await rows(stage, `update api_tokens set ended_at = now() where id = ${second.id}`)
    expect(await second.client('/units')).toMatchObject({ status: 401, json: { code: 'token.invalid' } })

    expect((await client('/units')).status).toBe(200)
    const now = stage.clock.now()
    stage.clock.set(new Date('2026-09-07T23:59:50+08:00'))
    expect((await client('/units')).status).toBe(200)
    stage.clock.set(new Date('2026-09-08T00:00:00+08:00'))
    expect(await client('/units')).toMatchObject({ status: 401, json: { code: 'token.invalid' } })
    stage.clock.set(now)
    expect(await rows(stage, `select ended_at from api_tokens where id = ${id}`)).toEqual([
      { ended_at: null },
    ])
  })

  test('a token of somebody who runs the unit from above reaches no more than the unit', async () => {
    const { client } = await tokenFor(stage, '高市书', ['qingnong', '610825'], ['units:read', 'notices:read'])
    expect(named(await client('/units'))).toEqual(['定边县', '贺圈镇'])
    expect((await client('/units/610800')).status).toBe(404)
    expect((await client(`/notices/${ids.notice}`)).status).toBe(404)
    expect((await client(`/notices/${ids.cityNotice}`)).json).toMatchObject({ groups: 1 })
  })

  test('a token dies with its maker’s right, at once', async () => {
    const { client } = await tokenFor(
      stage,
      '丁县书',
      ['qingnong', '610825'],
      ['units:read', 'notices:write'],
    )
    expect((await client('/units')).status).toBe(200)
    const result = await importCsv(
      stage,
      'qingnong',
      '单位编码,姓名,手机号,角色,职务,状态\n610825,丁县书,13900000003,农村战线团干部,团县委副书记,离岗\n',
    )
    expect(result.isApplied).toBe(true)
    expect(await client('/units')).toMatchObject({ status: 401, json: { code: 'token.invalid' } })
    expect(
      await client('/notices', {
        method: 'POST',
        headers: { 'idempotency-key': 'after-leaving' },
        body: { body: '已经离岗' },
      }),
    ).toMatchObject({ status: 401 })
  })

  test('120 calls a minute, then 429 and when to come again', async () => {
    const { token } = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['units:read'], {
      name: '急性子',
    })
    const hasty = clientWith(stage, token, { isPatient: false })
    const statuses = await Promise.all(Array.from({ length: 70 }, async () => (await hasty('/units')).status))
    expect(statuses.filter(status => status === 200)).toHaveLength(60)
    const answer = await hasty('/units')
    expect(answer).toMatchObject({ status: 429, json: { code: 'rate.limited' } })
    const seconds = Number(answer.headers.get('retry-after'))
    expect(seconds).toBe(1)
    stage.clock.advance(seconds * 1000)
    expect((await hasty('/units')).status).toBe(200)
    // another token is not slowed
    expect((await yuyang('/units')).status).toBe(200)
  })

  test('the last use is noted once a minute', async () => {
    const { id, client } = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['units:read'], {
      name: '何时用过',
    })
    const used = async () =>
      (await rows<{ at: string }>(stage, `select last_used_at as at from api_tokens where id = ${id}`))[0]?.at
    expect(await used()).toBeNull()
    await client('/units')
    const first = await used()
    expect(first).not.toBeNull()
    await client('/units')
    expect(await used()).toEqual(first)
    stage.clock.advance(60_000)
    await client('/units')
    expect(await used()).not.toEqual(first)
  })
})

describe('issuing a notice', () => {
  const issue = (client: Client, key: string | null, body: object) =>
    client('/notices', {
      method: 'POST',
      ...(key === null ? {} : { headers: { 'idempotency-key': key } }),
      body,
    })

  test('the same key gives the same answer and one notice, also at the same moment', async () => {
    const body = { body: '请组织收看周六的公开课', category: '便民服务', importance: 'urgent' }
    const first = await issue(yuyang, 'public-lesson', body)
    expect(first).toMatchObject({ status: 201, json: { groups: 1, owners: 1, ownerless: 0 } })
    const again = await Promise.all([1, 2, 3].map(() => issue(yuyang, 'public-lesson', body)))
    for (const answer of again) {
      expect([answer.status, answer.json]).toEqual([201, first.json])
      expect(answer.headers.get('idempotency-replayed')).toBe('true')
    }
    const together = await Promise.all(
      [1, 2, 3].map(() => issue(yuyang, 'another-lesson', { body: '下一讲' })),
    )
    expect(new Set(together.map(answer => answer.json.id)).size).toBe(1)
    expect(
      await rows(
        stage,
        "select body from notices where body in ('请组织收看周六的公开课', '下一讲') order by id",
      ),
    ).toEqual([{ body: '请组织收看周六的公开课' }, { body: '下一讲' }])
    expect(
      await rows(
        stage,
        `select a.action, p.name, a.details->>'tokenName' as token from audit_log a join persons p on p.id = a.actor_id
         where subject_kind = 'notice' and subject_id = ${first.json.id} order by a.id`,
      ),
    ).toEqual([
      { action: 'notice.issued', name: '林县书', token: null },
      { action: 'api_token.used', name: '林县书', token: '全部权限' },
    ])
  })

  test('the same key for other words is refused; another token’s keys are its own', async () => {
    await issue(yuyang, 'shared-key', { body: '第一条' })
    expect(await issue(yuyang, 'shared-key', { body: '第二条' })).toMatchObject({
      status: 422,
      json: { code: 'idempotency_key.reused' },
    })
    const { client } = await tokenFor(stage, '林县书', ['qingnong', '610802'], ['notices:write'], {
      name: '另一个',
    })
    expect((await issue(client, 'shared-key', { body: '第三条' })).status).toBe(201)
  })

  test.each<[string, string | null, object, number, RegExp]>([
    ['no key', null, { body: '通知' }, 400, /缺少请求头 idempotency-key/],
    ['no words', 'key-of-empty', {}, 400, /缺少字段 body/],
    [
      'an unknown category',
      'key-of-category',
      { body: '通知', category: '随便' },
      400,
      /字段 category 只能是：政策法规/,
    ],
    [
      'an unknown importance',
      'key-of-importance',
      { body: '通知', importance: 'whenever' },
      400,
      /字段 importance 只能是：normal/,
    ],
    ['an ID number', 'key-of-number', { body: '张思雨 61080220010307312X' }, 422, /个人信息/],
  ])('%s is refused in words, and leaves nothing', async (_what, key, body, status, words) => {
    const before = await rows(stage, 'select count(*)::int as count from notices')
    const answer = await issue(yuyang, key, body)
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({ code: expect.any(String), message: expect.stringMatching(words) })
    expect(await rows(stage, 'select count(*)::int as count from notices')).toEqual(before)
  })

  test('what was refused can be sent again under the same key, put right', async () => {
    expect((await issue(yuyang, 'second-try', { body: '身份证 61080220010307312X' })).status).toBe(422)
    expect((await issue(yuyang, 'second-try', { body: '时间另行通知' })).status).toBe(201)
  })
})

describe('importing a roster', () => {
  const csv = (more = '') => `单位编码,姓名,手机号,角色,职务,状态
610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗
610802101,李镇川,13900000012,乡镇团委成员,团委副书记,在岗
${more}`
  const send = (client: Client, query: string, body: string | FormData) =>
    client(`/roster/imports${query}`, {
      method: 'POST',
      body,
      ...(typeof body === 'string' ? { headers: { 'content-type': 'text/csv' } } : {}),
    })
  const newcomer = '610802101,赵新来,13900000099,基层团干部,干事,在岗\n'

  test('a trial says what would change and changes nothing; then it is applied', async () => {
    const trial = await send(yuyang, '', csv(newcomer))
    expect(trial.json).toMatchObject({
      isApplied: false,
      rows: 3,
      new: 1,
      unchanged: 2,
      gone: 0,
      problems: [],
    })
    expect(await rows(stage, "select 1 from persons where name = '赵新来'")).toEqual([])
    const form = new FormData()
    form.set('file', new Blob([csv(newcomer)]), '名册.csv')
    const applied = await send(yuyang, '?dryRun=false', form)
    expect(applied.json).toMatchObject({ isApplied: true, new: 1 })
    expect(await rows(stage, "select 1 as found from persons where name = '赵新来'")).toEqual([{ found: 1 }])
  })

  test('another county’s row is a problem, and nothing is changed', async () => {
    const answer = await send(
      yuyang,
      '?dryRun=false',
      csv('610825101,钱外县,13900000098,基层团干部,干事,在岗\n'),
    )
    expect(answer.json).toMatchObject({ isApplied: false, problems: [{ severity: 'error', line: 4 }] })
    expect(await rows(stage, "select 1 from persons where name = '钱外县'")).toEqual([])
  })

  test.each<[string, string | FormData, string]>([
    ['no file', new FormData(), 'roster.file'],
    ['no heads', '你好\n', 'table.no_header'],
  ])('%s: refused in words', async (_what, body, code) => {
    const answer = await send(yuyang, '', body)
    expect(answer.status).toBe(422)
    expect(answer.json).toEqual({ code, message: expect.stringMatching(/[一-龥]/) })
  })
})

describe('paging', () => {
  test.each(['/units', '/roster', '/groups', '/notices', '/message-records?month=2026-08'])(
    '%s by one is the whole, once each',
    async path => {
      const sep = path.includes('?') ? '&' : '?'
      const all = await yuyang(path)
      const found: number[] = []
      let next: number | null = 0
      while (next !== null) {
        const part = await yuyang(`${path}${sep}limit=1&after=${next}`)
        expect(part.json.items.length).toBeLessThanOrEqual(1)
        found.push(...part.json.items.map((item: { id: number }) => item.id))
        next = part.json.next
      }
      expect(all.json.next).toBeNull()
      expect(found.length).toBeGreaterThan(0)
      expect(found).toEqual(all.json.items.map((item: { id: number }) => item.id))
    },
  )

  test.each([
    ['?limit=501', '参数 limit 要不大于 500。'],
    ['?limit=0', '参数 limit 要不小于 1。'],
    ['?after=x', '参数 after 的类型不对，应是 integer。'],
  ])('%s: the fault names the field', async (query, message) => {
    expect(await yuyang(`/units${query}`)).toMatchObject({
      status: 400,
      json: { code: 'request.invalid', message },
    })
  })

  test('a month that is none', async () => {
    expect(await yuyang('/message-records?month=2026-13')).toMatchObject({
      status: 400,
      json: { message: '参数 month 的格式不对。' },
    })
    expect(await yuyang('/message-records')).toMatchObject({
      status: 400,
      json: { message: '缺少参数 month。' },
    })
  })
})

describe('the description', () => {
  interface Operation {
    summary?: string
    security?: object[]
    responses?: Record<string, unknown>
  }
  interface Description {
    openapi: string
    paths: Record<string, Record<string, Operation>>
    components: { securitySchemes: Record<string, unknown> }
  }
  const describe_ = async () => (await (await fetch(`${stage.serverUrl}/docs/json`)).json()) as Description

  async function routesThatExist() {
    const found: { route: string; scope: string | undefined }[] = []
    const app = Fastify()
    app.addHook('onRoute', ({ method, url, config }) => {
      if (method !== 'HEAD' && url.startsWith('/api/'))
        found.push({ route: `${method} ${url}`, scope: config?.scope })
    })
    await registerApi(app, stage.rt)
    await app.close()
    return found
  }

  test('every route says which scope it asks for', async () => {
    const routes = await routesThatExist()
    expect(routes.length).toBe(13)
    expect(routes.filter(each => !SCOPES.includes(each.scope as Scope))).toEqual([])
  })

  test('is of the routes that exist, each with a summary, answers and security', async () => {
    const description = await describe_()
    expect(description.openapi).toBe('3.1.0')
    expect(Object.keys(description.components.securitySchemes)).toEqual(['token'])
    const operations = Object.entries(description.paths).flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        operation,
      })),
    )
    expect(operations.map(each => each.route).sort()).toEqual(
      (await routesThatExist()).map(each => each.route).sort(),
    )
    for (const { route, operation } of operations) {
      expect([route, operation.summary]).toEqual([route, expect.stringMatching(/[一-龥]/)])
      expect([route, operation.security]).toEqual([route, [{ token: [] }]])
      const statuses = Object.keys(operation.responses ?? {})
      expect([route, statuses]).toEqual([route, expect.arrayContaining(['400', '401', '403', '429'])])
      expect(statuses.some(status => status.startsWith('2'))).toBe(true)
    }
    // parameters are declared as many as the address has
    for (const [path, byMethod] of Object.entries(description.paths))
      for (const operation of Object.values(byMethod) as { parameters?: { in: string; name: string }[] }[])
        expect(
          (operation.parameters ?? []).filter(each => each.in === 'path').map(each => each.name),
        ).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(match => match[1]))
  })

  test('an unknown address below it is one too', async () => {
    expect(await yuyang('/nothing')).toMatchObject({ status: 404, json: { code: 'route.unknown' } })
  })
})
