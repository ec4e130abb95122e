import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Visitor, visitorWith } from '../support/console.ts'
import { addressOf, type ConsoleRoute, consoleRoutes } from '../support/console-routes.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

type Who = keyof FullMatrix['visitors']

/** Who may have the things of 榆阳区 by each policy; everybody else gets what they would get if it were not there. */
const mayHave: Record<string, readonly Who[]> = {
  unit: ['city', 'county'],
  'unit account': ['city', 'county'],
  group: ['city', 'county', 'owner'],
  notice: ['city', 'county', 'owner'],
  'sent notice': ['city', 'county'],
  'notice draft': ['city', 'county'],
  'join request': ['branch'],
  task: ['branch'],
  finding: ['branch'],
  rehearsal: ['city', 'county'],
  record: ['city', 'county', 'owner'],
  'ready post': ['city', 'county'],
  'record file': ['city', 'county', 'owner'],
  person: ['city', 'county', 'owner'],
  'work schedule': ['city', 'county'],
  'work schedule step': ['city', 'county'],
  // a slip is read by who wrote it and by the office that was shown to them: not by the city above
  slip: ['county', 'owner'],
  'slip to answer': ['county'],
  'own slip': ['owner'],
  // of a call for help only officers who were told of it
  'danger call': ['county'],
  'alert claim': ['county'],
  'own notice': ['owner'],
  'notice answer': ['city', 'county', 'owner'],
  'own session': ['county'],
  'hand-over': ['city', 'county', 'owner'],
  'own hand-over': ['owner'],
  contact: [],
  // for its university alone, and not for the offices of where they serve
  volunteer: ['university'],
  'subsidy run': ['university'],
  'subsidy payment': ['university'],
  'own payment': ['member'],
  'own contact': [],
  'roster draft': ['county'],
  'roster import': ['city', 'county'],
  'API token': ['city', 'county'],
  update: ['administrator'],
  'outgoing message': ['administrator'],
  alarm: ['administrator'],
}

/** Who belongs to each audience. */
const audiences: Record<string, readonly Who[]> = {
  person: [
    'city',
    'county',
    'owner',
    'branch',
    'otherCounty',
    'otherOwner',
    'university',
    'member',
    'administrator',
  ],
  keeper: ['city', 'county', 'owner', 'branch', 'otherCounty', 'otherOwner', 'university'],
  manager: ['city', 'county', 'owner', 'branch', 'otherCounty', 'otherOwner', 'university'],
  administrator: ['administrator'],
  // and the offices of the nation and the provinces, of which there is none here
  overseer: ['administrator'],
  university: ['university'],
}

describe('who may have what', () => {
  let stage: Stage
  let matrix: FullMatrix
  let routes: ConsoleRoute[]
  /** Requests and tasks are of the volunteers' branch. */
  const thingsFor = (policy: string) =>
    policy === 'task' || policy === 'finding' || policy === 'join request'
      ? { ...matrix.things, ...matrix.xibu }
      : matrix.things
  const everybody = () => Object.entries(matrix.visitors) as [Who, Visitor][]

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    routes = await consoleRoutes(stage)
  })
  afterAll(() => stage.close())

  test('every route has a policy that this test knows', () => {
    expect(routes.length).toBeGreaterThan(60)
    const unknown = routes
      .map(route => route.policy)
      .filter(policy =>
        typeof policy === 'string'
          ? policy !== 'public' && !(policy in audiences)
          : !(policy.name in mayHave),
      )
    expect(unknown).toEqual([])
  })

  test('the things of 榆阳区, by their numbers: those in its line have them, for all others they are not there', async () => {
    const wrong: string[] = []
    for (const { method, url, policy } of routes) {
      if (typeof policy === 'string') continue
      const address = addressOf(url, thingsFor(policy.name))
      await Promise.all(
        everybody().map(async ([who, visitor]) => {
          const may = mayHave[policy.name]?.includes(who) ?? false
          // what changes something is done by those who may in tests of its own
          if (may && method !== 'GET') return
          const { status } = method === 'GET' ? await visitor.get(address) : await visitor.post(address)
          if (may ? status >= 400 : status !== 404) wrong.push(`${who} ${method} ${address}: ${status}`)
        }),
      )
    }
    expect(wrong).toEqual([])
  }, 90_000)

  test('pages without a number are for their audience', async () => {
    const wrong: string[] = []
    for (const { method, url, policy } of routes) {
      if (typeof policy !== 'string' || policy === 'public' || url === '/sign-out') continue
      const address = addressOf(url, matrix.things)
      for (const [who, visitor] of everybody()) {
        const may = audiences[policy]?.includes(who) ?? false
        if (may && method !== 'GET') continue
        const { status } = method === 'GET' ? await visitor.get(address) : await visitor.post(address)
        if (may ? status >= 400 : status !== 404) wrong.push(`${who} ${method} ${address}: ${status}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('whoever is not signed in is asked to, whatever they ask for', async () => {
    const nobody = visitorWith(stage, '')
    const wrong: string[] = []
    for (const { method, url, policy } of routes) {
      if (policy === 'public') continue
      const address = addressOf(url, matrix.things)
      const answer = method === 'GET' ? await nobody.get(address) : await nobody.post(address)
      if (answer.status !== 303 || !answer.location?.startsWith('/sign-in'))
        wrong.push(`${method} ${address}: ${answer.status}`)
    }
    expect(wrong).toEqual([])
  })

  test('no form is taken without its token, or from another site', async () => {
    const wrong: string[] = []
    for (const { method, url, policy } of routes) {
      if (method === 'GET' || policy === 'public') continue
      const address = `${stage.serverUrl}${addressOf(url, matrix.things)}`
      const { cookie } = matrix.visitors.city
      for (const [fault, headers, body] of [
        ['no token', {}, {}],
        ['a wrong token', {}, { _token: 'x'.repeat(22) }],
        ['another origin', { origin: 'https://elsewhere.example' }, { _token: 'x' }],
      ] as const) {
        const { status } = await fetch(address, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie, ...headers },
          body: new URLSearchParams(body),
        })
        if (status !== 422) wrong.push(`${address} with ${fault}: ${status}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test.each(['otherCounty', 'otherOwner', 'member', 'administrator'] as const)(
    'no list, search or filter shows %s a word of 榆阳区',
    async who => {
      const visitor = matrix.visitors[who]
      const { unitId, groupId, personId, noticeId } = matrix.things
      // the volunteer has asked to be let into this group, and is told what became of it
      const hidden = matrix.secrets.filter(secret => !(who === 'member' && secret === '沙柳'))
      const queries = [
        '',
        `?unit=${unitId}`,
        `?unit=${matrix.xibu.unitId}`,
        `?group=${groupId}`,
        `?person=${personId}`,
        `?notice=${noticeId}`,
        '?search=%E7%BE%8A',
        '?search=%E7%8E%8B',
        '?search=13900000011',
        '?state=waiting',
        '?page=2',
        '?month=2026-09',
      ]
      const leaks: string[] = []
      for (const { method, url, policy } of routes) {
        if (method !== 'GET' || typeof policy !== 'string' || policy === 'public' || url.includes(':'))
          continue
        for (const query of queries) {
          const { text } = await visitor.get(`${url}${query}`)
          for (const secret of hidden) if (text.includes(secret)) leaks.push(`${url}${query}: ${secret}`)
        }
      }
      expect(leaks).toEqual([])
    },
  )

  test('a right that has gone is gone with the next request, and so is a session that was ended', async () => {
    const { county, otherOwner } = matrix.visitors
    const address = `/console/units/${matrix.things.unitId}`
    expect((await county.get(address)).status).toBe(200)
    await rows(
      stage,
      `update roles set ended_at = now() where person_id = (select id from persons where name = '林县书')`,
    )
    expect((await county.get(address)).status).toBe(404)
    expect((await otherOwner.get('/me')).status).toBe(200)
    expect((await otherOwner.post('/sign-out')).location).toBe('/sign-in')
    expect((await otherOwner.get('/me')).location).toMatch(/^\/sign-in/)
  })
})
