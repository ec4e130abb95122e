import { describe, expect, it } from 'vitest'
import { done, withBot } from './bot-server.ts'
import { withMerchant } from './merchant.ts'
import { startReceiver } from './receiver.ts'
import { simulate, stopLater, wecomSettings } from './setup.ts'

async function withPage(options = {}) {
  const all = await simulate(options)
  const server = stopLater(await startReceiver(wecomSettings, ({ message }) => `收到${message.Content}`))
  all.sim.setCallbackUrl('wecom', server.url)
  const person = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing', note: '镇川镇团委书记' })
  const act = async (input: unknown, headers: Record<string, string> = { origin: all.sim.url }) => {
    const answer = await fetch(`${all.sim.url}/phone/act`, {
      method: 'POST',
      headers,
      body: JSON.stringify(input),
    })
    return { status: answer.status, body: (await answer.json()) as { error?: string } }
  }
  const read = async (path: string) =>
    (await (await fetch(`${all.sim.url}/phone/${path}`)).json()) as Record<string, unknown>
  return { ...all, server, person, act, read }
}

describe('the phone page', () => {
  it('is served whole, from this host alone', async () => {
    const { sim } = await withPage()
    const page = await fetch(`${sim.url}/phone`)
    const html = await page.text()
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(html).toContain('模拟器')
    const needed = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(match => match[1])
    // the list grows as the scripts name others
    for (const path of needed) {
      const answer = await fetch(`${sim.url}${path}`)
      expect(answer.status).toBe(200)
      const source = await answer.text()
      expect(source).not.toMatch(/(src|href|url\()\s*=?\s*["']?https?:|innerHTML/)
      for (const [, file] of source.matchAll(/from '\.\/(\S+)'/g))
        if (!needed.includes(`/phone/${file}`)) needed.push(`/phone/${file}`)
    }
    expect(needed).toEqual(expect.arrayContaining(['/phone/console.js', '/phone/bills.js', '/phone/dom.js']))
  })

  it('sends what is typed through the callback and shows the answer', async () => {
    const { sim, server, person, act, read } = await withPage()
    expect((await act({ action: 'say', person: person.id, text: '帮助', via: 'wecom' })).status).toBe(200)
    expect(server.received[0]?.message.Content).toBe('帮助')
    const shown = await read(`persons/${person.id}`)
    expect(shown.messages).toMatchObject([{ text: '帮助' }, { text: '收到帮助', passive: true }])
    expect((await read('persons?q=镇川')).persons).toMatchObject([{ id: person.id, name: '李明' }])
    expect(await read('persons?q=nobody')).toEqual({ total: 0, persons: [] })
    expect(sim.inbox(person.id)).toHaveLength(2)
  })

  it('confirms, forwards, posts and switches faults', async () => {
    const { sim, person, act, read, wecom } = await withPage()
    const group = sim.createGroup({ kind: 'customer', name: '镇川镇团青群', ownerId: person.id })
    const made = await wecom('externalcontact/add_msg_template', {
      chat_type: 'group',
      sender: 'LiMing',
      text: { content: '通知' },
    })
    await act({ action: 'confirm', person: person.id, msgid: made.msgid })
    await act({ action: 'say', person: person.id, text: '帮助' })
    await act({
      action: 'forward',
      person: person.id,
      message: sim.inbox(person.id).at(-1)?.id,
      group: group.id,
    })
    await act({ action: 'post', person: person.id, group: group.id, text: '大家好' })
    expect(group.posts.map(post => [post.via, post.text])).toEqual([
      ['mass', '通知'],
      ['person', '收到帮助'],
      ['person', '大家好'],
    ])
    expect((await read(`groups/${group.id}`)).posts).toHaveLength(3)
    await act({ action: 'faultOn', name: 'http-500' })
    expect(sim.faults.active()).toEqual({ 'http-500': {} })
    await act({ action: 'faultsClear' })
    expect(sim.faults.active()).toEqual({})
    expect((await act({ action: 'say', person: 'p999', text: 'x' })).body.error).toContain('p999')
  })

  it('takes no orders from other sites, nor from callers who do not say where they come from', async () => {
    const { sim, person, act } = await withPage()
    const order = { action: 'say', person: person.id, text: '帮助' }
    expect((await act(order, {})).status).toBe(403)
    expect((await act(order, { origin: 'https://example.org' })).status).toBe(403)
    expect((await act(order, { origin: sim.url, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await act(order, { origin: 'null' })).status).toBe(403)
    expect(sim.inbox(person.id)).toHaveLength(0)
  })

  it('only looks when control is off', async () => {
    const { person, act, read } = await withPage({ phoneControl: false })
    expect((await act({ action: 'say', person: person.id, text: '帮助' })).status).toBe(403)
    expect((await read('state')).control).toBe(false)
  })

  it('hears of changes as they happen', async () => {
    const { sim, person } = await withPage()
    const abort = new AbortController()
    const stream = await fetch(`${sim.url}/phone/events`, { signal: abort.signal })
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    await sim.say(person.id, '帮助')
    let heard = ''
    while (reader && !heard.includes('data:')) heard += (await reader.read()).value ?? ''
    expect(JSON.parse(/data: (.*)/.exec(heard)?.[1] ?? '')).toMatchObject({
      persons: [person.id],
      many: false,
    })
    abort.abort()
  })
})

describe('the console of the phone page', () => {
  it('switches limits', async () => {
    const { sim, act, read, wecom } = await withPage()
    const send = async () => {
      const text = { content: '团'.repeat(700) }
      await wecom('message/send', { touser: 'LiMing', agentid: 1000002, msgtype: 'text', text })
      return sim.inbox(sim.persons()[0]?.id ?? '').at(-1)?.text.length
    }
    expect(await send()).toBe(682)
    expect((await act({ action: 'limitOff', name: 'contentSize' })).status).toBe(200)
    expect((await read('state')).limits).toContainEqual({ name: 'contentSize', label: '内容长度', on: false })
    expect(await send()).toBe(700)
    await act({ action: 'limitOn', name: 'contentSize' })
    expect(await send()).toBe(682)
  })

  it('shows what faults are on with', async () => {
    const { act, read } = await withPage()
    await act({ action: 'faultOn', name: 'slow-answers', options: { path: 'send', times: '2', ms: '50' } })
    expect((await read('state')).faults).toContainEqual({
      name: 'slow-answers',
      label: '接口应答变慢',
      on: true,
      options: { path: 'send', times: 2, ms: 50 },
    })
  })

  it('filters the log', async () => {
    const { sim, person, read, wecom, rawWecom } = await withPage()
    await sim.say(person.id, '帮助')
    await wecom('getcallbackip')
    await rawWecom('getcallbackip', { access_token: 'bad' })
    const kinds = async (query: string) => {
      const entries = (await read(`log?${query}`)) as unknown as { kind: string; detail: object }[]
      return entries.map(entry => entry.kind)
    }
    expect(await kinds('')).toEqual(['said', 'callback', 'replied', 'api', 'api', 'api'])
    expect(await kinds('group=callback')).toEqual(['callback'])
    expect(await kinds('group=chat')).toEqual(['said', 'replied'])
    expect(await kinds('group=api&q=gettoken')).toEqual(['api'])
    expect(await kinds('group=trouble')).toEqual(['api'])
    expect(await kinds('group=trouble&q=40014')).toEqual(['api'])
    expect(await kinds(`q=${encodeURIComponent('李明')}`)).toEqual(['said', 'replied'])
    expect(await kinds('q=nothing-of-the-kind')).toEqual([])
  })

  it('adds and removes robots and confirms for others', async () => {
    const { sim, person, act, read, wecom } = await withPage()
    const group = sim.createGroup({ kind: 'internal', name: '县项目办', ownerId: person.id })
    const customers = sim.createGroup({ kind: 'customer', name: '镇川镇团青群', ownerId: person.id })
    await act({ action: 'addRobot', group: group.id })
    await wecom('externalcontact/add_msg_template', {
      chat_type: 'group',
      sender: 'LiMing',
      text: { content: '通知' },
    })
    const board = (await read('board')) as {
      robotGroups: { robots: string[] }[]
      massTasks: { msgid: string; personId: string; status: string }[]
    }
    expect(board.robotGroups).toMatchObject([{ name: '县项目办', robots: [expect.any(String)] }])
    expect(board.massTasks).toMatchObject([{ personName: '李明', status: 'waiting' }])
    await act({ action: 'removeRobot', key: board.robotGroups[0]?.robots[0] })
    expect(group.robots).toEqual([])
    await act({ action: 'confirm', person: board.massTasks[0]?.personId, msgid: board.massTasks[0]?.msgid })
    expect(customers.posts.map(post => post.text)).toEqual(['通知'])
  })
})

describe('WeChat Pay on the phone page', () => {
  it('shows transfers to their receiver, who confirms or lets them fail', async () => {
    const { sim, wang, create } = await withMerchant()
    const act = (input: object) =>
      fetch(`${sim.url}/phone/act`, {
        method: 'POST',
        headers: { origin: sim.url },
        body: JSON.stringify(input),
      })
    await create('B1')
    await create('B2')
    const shown = (await (await fetch(`${sim.url}/phone/persons/${wang.id}`)).json()) as { bills: object[] }
    expect(shown.bills).toMatchObject([
      { state: 'WAIT_USER_CONFIRM', amount: 5000, personId: wang.id },
      { state: 'WAIT_USER_CONFIRM' },
    ])
    expect((await act({ action: 'confirmBill', person: wang.id, bill: 'B1' })).status).toBe(200)
    expect((await act({ action: 'failBill', person: wang.id, bill: 'B2' })).status).toBe(200)
    expect((await act({ action: 'confirmBill', person: wang.id, bill: 'B2' })).status).toBe(400)
    const board = (await (await fetch(`${sim.url}/phone/board`)).json()) as {
      bills: object[]
      balances: object[]
    }
    expect(board.bills).toMatchObject([{ state: 'SUCCESS' }, { state: 'FAIL', failReason: 'ACCOUNT_FROZEN' }])
    expect(board.balances).toEqual([{ mchId: '1900000001', balance: 100_000_000 - 5000 }])
  })
})

describe('the chat robot on the phone page', () => {
  it('is talked to alone and in a group', async () => {
    const { sim, li, group } = await withBot(message => done(`收到${message.text.content}`))
    const act = (input: object) =>
      fetch(`${sim.url}/phone/act`, {
        method: 'POST',
        headers: { origin: sim.url },
        body: JSON.stringify(input),
      })
    expect((await act({ action: 'aibotSay', person: li.id, text: '帮助' })).status).toBe(200)
    expect((await act({ action: 'aibotMention', person: li.id, group: group.id, text: '月报' })).status).toBe(
      200,
    )
    const person = (await (await fetch(`${sim.url}/phone/persons/${li.id}`)).json()) as { messages: object[] }
    expect(person.messages).toMatchObject([
      { via: 'aibot', from: 'person', text: '帮助' },
      { via: 'aibot', from: 'bot', text: '收到帮助' },
    ])
    const shown = (await (await fetch(`${sim.url}/phone/groups/${group.id}`)).json()) as { posts: object[] }
    expect(shown.posts).toMatchObject([
      { author: '李明', text: '@群阵助手 月报' },
      { author: '群阵助手', text: '收到@群阵助手 月报' },
    ])
    const outsider = sim.addPerson({ name: '外人', openId: 'oOutside' })
    const refused = await act({ action: 'aibotSay', person: outsider.id, text: '帮助' })
    expect([refused.status, await refused.json()]).toEqual([400, { error: expect.stringContaining('外人') }])
  })
})
