import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { makeSignInLink } from '../../server/domain/sign-in/sessions.ts'
import { personId, visitorWith } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('signing in', () => {
  let stage: Stage
  let gao: SimPerson
  let lin: SimPerson
  const open = (path: string, init: RequestInit = {}) =>
    fetch(path.startsWith('http') ? path : `${stage.serverUrl}${path}`, { redirect: 'manual', ...init })
  const cookieOf = (response: Response, name: string) =>
    response.headers
      .getSetCookie()
      .find(each => each.startsWith(`${name}=`))
      ?.split(';')[0] ?? ''

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao', openId: 'o-gao' })
    lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, lin)
  })
  afterAll(() => stage.close())

  test('by a link from the bot: looking does not use it, using it once does', async () => {
    const identityId = Number(
      (await rows<{ id: string }>(stage, `select id from identities where address = 'lin'`))[0]?.id,
    )
    const link = await makeSignInLink(
      stage.rt,
      { personId: await personId(stage, '林县书'), identityId },
      '/console',
    )
    for (let look = 0; look < 3; look++) expect((await open(link)).status).toBe(200)
    const [first, second] = await Promise.all([
      open(link, { method: 'POST' }),
      open(link, { method: 'POST' }),
    ])
    expect([first.status, second.status].sort()).toEqual([303, 410])
    const used = first.status === 303 ? first : second
    expect(used.headers.get('location')).toBe('/console')
    const visitor = visitorWith(stage, cookieOf(used, 'qz'))
    expect((await visitor.get('/console')).text).toContain('榆阳区')
    expect((await open(link)).status).toBe(410)
  })

  test.each(['/sign-in/link/AAAA', '/sign-in/link/%00', `/sign-in/link/${'x'.repeat(300)}`])(
    'a link that nobody made: %s',
    async path => {
      expect((await open(path)).status).toBeGreaterThanOrEqual(400)
      expect((await open(path, { method: 'POST' })).status).toBeGreaterThanOrEqual(400)
    },
  )

  test('a link is over after ten minutes', async () => {
    const link = await makeSignInLink(
      stage.rt,
      { personId: await personId(stage, '林县书'), identityId: null },
      '/me',
    )
    stage.clock.advance(11 * 60_000)
    expect((await open(link, { method: 'POST' })).status).toBe(410)
  })

  test('by the Official Account inside WeChat, and only with what this browser was sent away with', async () => {
    const page = await open('/sign-in?to=/me', {
      headers: { 'user-agent': 'Mozilla/5.0 (iPhone) MicroMessenger/8.0' },
    })
    expect(await page.text()).not.toContain('扫码')
    await stage.say(gao.id, '帮助', 'officialAccount')
    await rows(
      stage,
      `update identities set person_id = (select id from persons where name = '高市书'), bound_by = 'code' where address = 'o-gao'`,
    )
    const away = await open('/sign-in/official-account?to=/me')
    const back = stage.sim.official.login(gao.id, away.headers.get('location') ?? '')
    expect((await open(back)).status).toBe(400)
    const kept = cookieOf(away, 'qz_kept')
    const answer = await open(back, { headers: { cookie: kept } })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/me'])
    expect((await visitorWith(stage, cookieOf(answer, 'qz')).get('/me')).status).toBe(200)
  })

  test.each([
    ['wecom', 'https://open.weixin.qq.com/connect/oauth2/authorize'],
    ['scan', 'https://login.work.weixin.qq.com/wwlogin/sso/login'],
  ] as const)('by WeCom (%s): a code works once', async (way, page) => {
    const away = await open(`/sign-in/${way}?to=/console`)
    const to = new URL(away.headers.get('location') ?? '')
    expect(to.origin + to.pathname).toBe(page)
    const back = new URL(to.searchParams.get('redirect_uri') ?? '')
    back.searchParams.set('code', stage.sim.admin.giveLoginCode(gao.id))
    back.searchParams.set('state', to.searchParams.get('state') ?? '')
    const kept = { cookie: cookieOf(away, 'qz_kept') }
    const answer = await open(back.href, { headers: kept })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console'])
    expect((await visitorWith(stage, cookieOf(answer, 'qz')).get('/console')).text).toContain('榆林市')
    expect((await open(back.href, { headers: kept })).status).toBeGreaterThanOrEqual(400)
  })

  test('an account that is nobody is told what to do, and gets no session', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-nobody' })
    const away = await open('/sign-in/official-account')
    const back = stage.sim.official.login(stranger.id, away.headers.get('location') ?? '')
    const answer = await open(back, { headers: { cookie: cookieOf(away, 'qz_kept') } })
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('绑定码')
    expect(cookieOf(answer, 'qz')).toBe('')
  })

  test.each([
    'https://elsewhere.example/',
    '//elsewhere.example',
    '/\\elsewhere.example',
    'javascript:alert(1)',
  ])('nobody is led to %s after signing in', async to => {
    const answer = await open('/sign-in/demo', {
      method: 'POST',
      body: new URLSearchParams({ person: String(await personId(stage, '林县书')), to }),
    })
    expect(answer.headers.get('location')).toBe('/')
  })

  test('a session lasts while it is used, and a week at most without', async () => {
    const answer = await open('/sign-in/demo', {
      method: 'POST',
      body: new URLSearchParams({ person: String(await personId(stage, '林县书')) }),
    })
    const visitor = visitorWith(stage, cookieOf(answer, 'qz'))
    for (let day = 0; day < 10; day++) {
      stage.clock.advance(86_400_000)
      expect((await visitor.get('/me')).status).toBe(200)
    }
    stage.clock.advance(8 * 86_400_000)
    expect((await visitor.get('/me')).status).toBe(303)
  })

  test('an account that lets go of its person takes its sessions with it', async () => {
    const identityId = Number(
      (await rows<{ id: string }>(stage, `select id from identities where address = 'lin'`))[0]?.id,
    )
    const person = await personId(stage, '林县书')
    const link = await makeSignInLink(stage.rt, { personId: person, identityId }, '/me')
    const visitor = visitorWith(stage, cookieOf(await open(link, { method: 'POST' }), 'qz'))
    expect((await visitor.get('/me')).status).toBe(200)
    await rows(stage, `update identities set person_id = null, bound_by = null where id = ${identityId}`)
    expect((await visitor.get('/me')).status).toBe(303)
  })
})

test('without the simulator nobody is played: there is no such door', async () => {
  const stage = await openStage({ isDemo: false })
  expect((await fetch(`${stage.serverUrl}/sign-in/demo`)).status).toBe(404)
  expect((await fetch(`${stage.serverUrl}/sign-in/demo`, { method: 'POST' })).status).toBe(404)
  expect(await (await fetch(`${stage.serverUrl}/sign-in`)).text()).not.toContain('演示')
  await stage.close()
})
