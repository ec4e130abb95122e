import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage
let lin: Visitor
const units: Record<string, string> = {}

beforeAll(async () => {
  stage = await openStage()
  await fillMatrix(stage)
  for (const { code, id } of await rows<{ code: string; id: string }>(
    stage,
    "select code, id from units where programme = 'qingnong'",
  ))
    units[code] = id
  lin = await signIn(stage, '林县书')
})

afterAll(() => stage.close())

/** Sends the form with several boxes ticked, as a browser does. */
async function make(
  visitor: Visitor,
  { scopes = ['units:read'], ...fields }: { scopes?: string[] } & Record<string, unknown>,
) {
  const page = await visitor.get('/console/api-tokens')
  const body = new URLSearchParams({
    _token: /name="_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '',
    name: '团委办公系统',
    unit: units['610802'] as string,
    until: '2027-03-01',
    ...(fields as Record<string, string>),
  })
  for (const scope of scopes) body.append('scopes', scope)
  const response = await fetch(`${stage.serverUrl}/console/api-tokens`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: visitor.cookie },
    body,
  })
  return { status: response.status, text: await response.text() }
}

const secretIn = (text: string) => /<code>(qz_[\w-]{43})<\/code>/.exec(text)?.[1]
const kept = () =>
  rows<{ name: string; unit: string; scopes: string[]; ended: boolean }>(
    stage,
    'select t.name, u.name as unit, t.scopes, ended_at is not null as ended from api_tokens t join units u on u.id = t.unit_id order by t.id',
  )
const calls = async (token: string) =>
  (await fetch(`${stage.serverUrl}/api/v1/units`, { headers: { authorization: `Bearer ${token}` } })).status

describe('making a token', () => {
  test('it is shown once, works, and only its index is kept', async () => {
    const made = await make(lin, { scopes: ['units:read', 'groups:read'] })
    expect(made.status).toBe(200)
    const secret = secretIn(made.text) as string
    expect(await calls(secret)).toBe(200)
    expect(await kept()).toEqual([
      { name: '团委办公系统', unit: '榆阳区', scopes: ['units:read', 'groups:read'], ended: false },
    ])
    const [row] = await rows(stage, 'select * from api_tokens')
    expect(JSON.stringify(row)).not.toContain(secret.slice(3))

    const list = await lin.get('/console/api-tokens')
    expect(secretIn(list.text)).toBeUndefined()
    expect(list.text).toContain('团委办公系统')
    expect(list.text).toContain('到2027年3月1日')
    expect(list.text).toContain('今天 09:00')
    expect(stage.logLines.join('\n')).not.toContain(secret)
  })

  test('a form sent twice makes one', async () => {
    const before = (await kept()).length
    const [one, two] = await Promise.all([make(lin, { name: '数据看板' }), make(lin, { name: '数据看板' })])
    expect([one.status, two.status].sort()).toEqual([200, 422])
    expect((await kept()).length).toBe(before + 1)
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['without a name', { name: '  ' }, '请写明令牌做什么用'],
    ['with a very long one', { name: '长'.repeat(41) }, '请写明令牌做什么用'],
    ['without a right', { name: '无权限', scopes: [] }, '请至少选一项权限'],
    ['with a right that does not exist', { name: '无权限', scopes: ['everything'] }, '请至少选一项权限'],
    ['until yesterday', { name: '过期', until: '2026-09-06' }, '有效期至少要到今天'],
    ['until no day', { name: '过期', until: '下个月' }, '有效期至少要到今天'],
    ['for more than a year', { name: '太久', until: '2027-09-08' }, '有效期最长一年'],
    ['whole phones without the roster', { name: '手机号', scopes: ['roster:full'] }, '也要选“读名册”'],
  ])('%s: refused in words, and nothing is lost', async (_what, fields, words) => {
    const before = await kept()
    const answer = await make(lin, { scopes: ['units:read'], ...fields })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain(words)
    for (const name of ['name', 'until'])
      if (fields[name]) expect(answer.text).toContain(`value="${fields[name]}"`)
    expect(await kept()).toEqual(before)
  })

  test('what was ticked stays ticked after a fault', async () => {
    const { text } = await make(lin, { name: '', scopes: ['notices:read', 'forms:read'] })
    expect([...text.matchAll(/value="([a-z]+:[a-z]+)" checked/g)].map(match => match[1])).toEqual([
      'notices:read',
      'forms:read',
    ])
  })

  test('the last day of a year from now is still within it', async () => {
    expect((await make(lin, { name: '整一年', until: '2027-09-07' })).status).toBe(200)
  })

  test('for a unit below, from its page', async () => {
    const page = await lin.get(`/console/api-tokens?unit=${units['610802101']}`)
    expect(page.text).toMatch(new RegExp(`<option value="${units['610802101']}" selected>镇川镇`))
    expect((await make(lin, { name: '镇上的', unit: units['610802101'] })).status).toBe(200)
  })

  test('whole phones are given by the office itself, not by the one above', async () => {
    const { text } = await lin.get('/console/api-tokens')
    expect(text).toContain('慎选')
    expect((await make(lin, { name: '短信平台', scopes: ['roster:read', 'roster:full'] })).status).toBe(200)
    const answer = await make(lin, {
      name: '替镇上要',
      unit: units['610802101'],
      scopes: ['roster:read', 'roster:full'],
    })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('完整手机号只能由镇川镇自己的负责人授权')
  })
})

describe('ending a token', () => {
  test('it stops at once; ending it again says so', async () => {
    const secret = secretIn((await make(lin, { name: '要停的' })).text) as string
    const [row] = await rows<{ id: string }>(stage, "select id from api_tokens where name = '要停的'")
    expect(await calls(secret)).toBe(200)
    const ended = await lin.post(`/console/api-tokens/${row?.id}/end`)
    expect([ended.status, ended.location]).toEqual([303, '/console/api-tokens'])
    expect(await calls(secret)).toBe(401)
    await lin.post(`/console/api-tokens/${row?.id}/end`)
    expect(
      await rows(
        stage,
        `select action, details->>'name' as name, p.name as actor from audit_log a join persons p on p.id = a.actor_id
         where subject_kind = 'api_token' and subject_id = ${row?.id} order by a.id`,
      ),
    ).toEqual([
      { action: 'api_token.made', name: '要停的', actor: '林县书' },
      { action: 'api_token.ended', name: '要停的', actor: '林县书' },
    ])
    // the name is free again
    expect((await make(lin, { name: '要停的' })).status).toBe(200)
  })

  test('by the office above too', async () => {
    await make(lin, { name: '上级来停' })
    const [row] = await rows<{ id: string }>(stage, "select id from api_tokens where name = '上级来停'")
    const gao = await signIn(stage, '高市书')
    expect((await gao.get('/console/api-tokens')).text).toContain('上级来停')
    expect((await gao.post(`/console/api-tokens/${row?.id}/end`)).status).toBe(303)
  })
})

describe('who may', () => {
  test('another county sees, makes and ends nothing here', async () => {
    const ding = await signIn(stage, '丁县书')
    const own = await ding.get('/console/api-tokens')
    expect(own.text).toContain('还没有令牌')
    expect(own.text).not.toContain('<td>团委办公系统</td>')
    expect((await ding.get(`/console/api-tokens?unit=${units['610802']}`)).status).toBe(404)
    expect((await make(ding, { name: '别县的' })).status).toBe(404)
    const [row] = await rows<{ id: string }>(stage, "select id from api_tokens where name = '团委办公系统'")
    expect((await ding.post(`/console/api-tokens/${row?.id}/end`)).status).toBe(404)
    expect((await ding.post('/console/api-tokens/999999/end')).status).toBe(404)
    expect((await kept()).find(each => each.name === '团委办公系统')?.ended).toBe(false)
    expect((await kept()).some(each => each.name === '别县的')).toBe(false)
  })

  test('a township makes none for its county', async () => {
    const wang = await signIn(stage, '王镇川')
    expect((await make(wang, { name: '给县里的' })).status).toBe(404)
    expect((await make(wang, { name: '镇里的', unit: units['610802101'] })).status).toBe(200)
  })

  test('a volunteer without an office does not find the page', async () => {
    const id = (
      await rows<{ id: number }>(stage, "select id::int from persons where name = '阿依古丽·买买提'")
    )[0]?.id as number
    expect(id).toBe(await personId(stage, '阿依古丽·买买提'))
    const volunteer = await signIn(stage, id)
    expect((await volunteer.get('/console/api-tokens')).status).toBe(404)
    expect((await volunteer.post('/console/api-tokens', { name: 'x' })).status).toBe(404)
  })
})
