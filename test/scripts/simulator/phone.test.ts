import { describe, expect, it } from 'vitest'
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
    needed.push('/phone/dom.js', '/phone/bubbles.js', '/phone/screens.js')
    for (const path of needed) {
      const answer = await fetch(`${sim.url}${path}`)
      expect(answer.status).toBe(200)
      expect(await answer.text()).not.toMatch(/(src|href|url\()\s*=?\s*["']?https?:|innerHTML/)
    }
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
