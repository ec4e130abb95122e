import { describe, expect, it } from 'vitest'
import { FAULTS } from '../../../scripts/simulator/faults.ts'
import type { FaultName, FaultOptions } from '../../../scripts/simulator/index.ts'
import { withMerchant } from './merchant.ts'
import { startReceiver } from './receiver.ts'
import { stopLater, wecomSettings } from './setup.ts'

/** Everything a fault can strike, and both ways of switching it on. */
async function withAll(way: 'a test' | 'the page', name: FaultName) {
  const all = await withMerchant()
  const { sim } = all
  const server = stopLater(await startReceiver(wecomSettings, ({ message }) => `收到${message.Content}`))
  sim.setCallbackUrl('wecom', server.url)
  const li = sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
  const group = sim.createGroup({ kind: 'internal', name: '县项目办', ownerId: li.id })
  const hook = sim.addRobot(group.id)
  // the first tokens are there before anything goes wrong
  const wecomToken = await all.wecomToken()
  const officialToken = await all.officialToken()

  const act = (input: object) =>
    fetch(`${sim.url}/phone/act`, {
      method: 'POST',
      headers: { origin: sim.url },
      body: JSON.stringify(input),
    })
  return {
    ...all,
    server,
    li,
    act,
    on: async (options: FaultOptions = {}) => {
      if (way === 'a test') sim.faults.on(name, options)
      else expect((await act({ action: 'faultOn', name, options })).status).toBe(200)
    },
    off: async () => {
      if (way === 'a test') sim.faults.off(name)
      else await act({ action: 'faultOff', name })
    },
    wecomCall: (path: string, body?: unknown) => all.rawWecom(path, { access_token: wecomToken }, body),
    officialCall: (path: string, body?: unknown) =>
      all.rawOfficial(path, { access_token: officialToken }, body),
    toLi: { touser: 'LiMing', agentid: 1000002, msgtype: 'text', text: { content: '你好' } },
    toWang: { touser: 'oWangFang', msgtype: 'text', text: { content: '你好' } },
    postToRobot: async () => {
      const body = JSON.stringify({ msgtype: 'text', text: { content: '你好' } })
      return ((await (await fetch(hook, { method: 'POST', body })).json()) as { errcode: number }).errcode
    },
    heard: () => server.received.map(({ message }) => message.Content),
  }
}

type All = Awaited<ReturnType<typeof withAll>>

/** Each switches its fault on, sees it strike, and sees that it is over. */
const STRIKES: Record<FaultName, (all: All) => Promise<void>> = {
  'slow-answers': async ({ on, off, sim, wecomCall }) => {
    await on({ ms: 600_000, path: 'getcallbackip' })
    const url = `${sim.baseUrls.wecom}/cgi-bin/getcallbackip`
    await expect(fetch(url, { signal: AbortSignal.timeout(100) })).rejects.toThrow()
    await off()
    expect((await wecomCall('getcallbackip')).errcode).toBe(0)
  },
  'http-500': async ({ on, sim, wecomCall }) => {
    await on({ times: 1, path: 'getcallbackip' })
    expect((await fetch(`${sim.baseUrls.wecom}/cgi-bin/getcallbackip`)).status).toBe(500)
    expect((await wecomCall('getcallbackip')).errcode).toBe(0)
  },
  busy: async ({ on, wecomCall, officialCall }) => {
    await on({ times: 2 })
    expect([
      (await wecomCall('getcallbackip')).errcode,
      (await officialCall('getcallbackip')).errcode,
    ]).toEqual([-1, -1])
    expect((await wecomCall('getcallbackip')).errcode).toBe(0)
  },
  'token-void': async ({ on, wecomCall, officialCall, wecom, official }) => {
    await on()
    expect((await wecomCall('getcallbackip')).errcode).toBe(40014)
    expect((await officialCall('getcallbackip')).errcode).toBe(40001)
    expect([(await wecom('getcallbackip')).errcode, (await official('getcallbackip')).errcode]).toEqual([
      0, 0,
    ])
  },
  'duplicate-callbacks': async ({ on, sim, li, heard }) => {
    await on({ times: 1 })
    expect(await sim.say(li.id, '一')).toHaveLength(2)
    await sim.say(li.id, '二')
    expect(heard()).toEqual(['一', '一', '二'])
  },
  'reorder-callbacks': async ({ on, sim, li, heard }) => {
    await on({ times: 1, ms: 60 })
    await Promise.all([sim.say(li.id, '一'), sim.say(li.id, '二')])
    expect(heard()).toEqual(['二', '一'])
  },
  'drop-callbacks': async ({ on, sim, li, heard }) => {
    await on({ times: 1, path: 'wecom/text' })
    await sim.say(li.id, '一')
    await sim.say(li.id, '二')
    expect(heard()).toEqual(['二'])
  },
  'owners-never-confirm': async ({ on, off, sim, li, wecomCall }) => {
    const group = sim.createGroup({ kind: 'customer', name: '镇川镇青年群', ownerId: li.id })
    const message = { chat_type: 'group', sender: 'LiMing', text: { content: '通知' } }
    const { msgid } = await wecomCall('externalcontact/add_msg_template', message)
    await on()
    expect(await sim.confirmMassTask(li.id, String(msgid))).toEqual([])
    expect(group.posts).toEqual([])
    await off()
    expect(await sim.confirmMassTask(li.id, String(msgid))).toHaveLength(1)
  },
  'quota-exhausted': async ({ on, wecomCall, officialCall, toLi }) => {
    await on({ times: 2 })
    expect([
      (await wecomCall('message/send', toLi)).errcode,
      (await officialCall('user/get')).errcode,
    ]).toEqual([45009, 45009])
    expect((await wecomCall('message/send', toLi)).errcode).toBe(0)
  },
  'robot-removed': async ({ on, postToRobot }) => {
    await on({ times: 1 })
    expect(await postToRobot()).toBe(93000)
    expect(await postToRobot()).toBe(0)
  },
  'ip-refused': async ({ on, wecomCall, officialCall }) => {
    await on({ times: 2 })
    expect([
      (await wecomCall('getcallbackip')).errcode,
      (await officialCall('getcallbackip')).errcode,
    ]).toEqual([60020, 40164])
    expect((await wecomCall('getcallbackip')).errcode).toBe(0)
  },
  'no-permission': async ({ on, wecomCall, officialCall }) => {
    await on({ times: 2 })
    expect([
      (await wecomCall('getcallbackip')).errcode,
      (await officialCall('getcallbackip')).errcode,
    ]).toEqual([48002, 48001])
    expect((await wecomCall('getcallbackip')).errcode).toBe(0)
  },
  'answers-lost': async ({ on, sim, li, wang, wecomCall, officialCall, official, toLi, toWang }) => {
    await sim.say(wang.id, '在吗')
    await on({ times: 2, path: '/send' })
    await expect(wecomCall('message/send', toLi)).rejects.toThrow()
    await expect(officialCall('message/custom/send', toWang)).rejects.toThrow()
    expect([sim.inbox(li.id), sim.inbox(wang.id)].map(inbox => inbox.at(-1)?.text)).toEqual(['你好', '你好'])
    expect((await official('message/custom/send', toWang)).errcode).toBe(0)
  },
  'pay-balance-short': async ({ on, create }) => {
    await on({ times: 1 })
    expect([(await create('B1')).body.state, (await create('B1')).body.state]).toEqual([
      'PROCESSING',
      'WAIT_USER_CONFIRM',
    ])
  },
  'pay-answer-lost': async ({ on, create, pay }) => {
    await on({ times: 1 })
    await expect(create('B1')).rejects.toThrow()
    expect((await create('B1')).status).toBe(200)
    expect(pay.bills()).toHaveLength(1)
  },
  'pay-http-500': async ({ on, create }) => {
    await on({ times: 1 })
    expect([(await create('B1')).status, (await create('B1')).status]).toEqual([500, 200])
  },
  'pay-not-found': async ({ on, create, query }) => {
    await create('B1')
    await on({ times: 1 })
    expect([(await query('B1')).status, (await query('B1')).status]).toEqual([404, 200])
  },
  'pay-frequency': async ({ on, create }) => {
    await on({ times: 1 })
    expect([(await create('B1')).status, (await create('B1')).status]).toEqual([429, 200])
  },
  'pay-sign-test': async ({ on, create }) => {
    await on({ times: 1 })
    const [first, second] = [await create('B1'), await create('B1')]
    expect(first.headers.get('wechatpay-signature')).toMatch(/^WECHATPAY\/SIGNTEST\//)
    expect(second.headers.get('wechatpay-signature')).not.toMatch(/SIGNTEST/)
  },
}

const names = Object.keys(FAULTS) as FaultName[]

describe.each(['a test', 'the page'] as const)('faults switched on from %s', way => {
  it.each(names)('%s', async name => {
    const all = await withAll(way, name)
    await STRIKES[name](all)
    expect(all.sim.faults.active()).toEqual({})
    expect(all.sim.log.some(entry => entry.kind === 'fault' && entry.name === name)).toBe(true)
  })
})

describe('the options of a fault', () => {
  it('let it strike a share of the calls', async () => {
    const { sim, wecomCall } = await withAll('a test', 'busy')
    sim.faults.on('busy', { rate: 0.5 })
    const codes: number[] = []
    for (let index = 0; index < 40; index += 1) codes.push((await wecomCall('getcallbackip')).errcode)
    const share = codes.filter(code => code === -1).length
    expect(share).toBeGreaterThan(5)
    expect(share).toBeLessThan(35)
  })

  it.each<[string, unknown]>([
    ['an unknown fault', { action: 'faultOn', name: 'toString' }],
    ['no times', { action: 'faultOn', name: 'busy', options: { times: '0' } }],
    ['a rate above one', { action: 'faultOn', name: 'busy', options: { rate: 2 } }],
    ['words for milliseconds', { action: 'faultOn', name: 'slow-answers', options: { ms: 'long' } }],
    ['an unknown limit', { action: 'limitOff', name: 'nothing' }],
  ])('%s is refused', async (_what, input) => {
    const { sim, act } = await withAll('a test', 'busy')
    expect((await act(input as object)).status).toBe(400)
    expect(sim.faults.active()).toEqual({})
  })

  it('come from the fields of the page as text', async () => {
    const { sim, act } = await withAll('a test', 'busy')
    const options = { path: 'message/send', times: '3', rate: '0.5', ms: '' }
    await act({ action: 'faultOn', name: 'slow-answers', options })
    expect(sim.faults.active()).toEqual({ 'slow-answers': { path: 'message/send', times: 3, rate: 0.5 } })
  })
})
