import { describe, expect, it } from 'vitest'
import { type Answer, type Received, sealed, startReceiver, textReply } from './receiver.ts'
import { officialSettings, simulate, stopLater, wecomSettings } from './setup.ts'

async function withServer(answer?: (received: Received) => Answer, options = {}) {
  const all = await simulate(options)
  const server = stopLater(await startReceiver(wecomSettings, answer))
  all.sim.setCallbackUrl('wecom', server.url)
  const person = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing', note: '镇川镇团委书记' })
  return { ...all, server, person }
}

const kinds = (log: { kind: string }[]) => log.map(entry => entry.kind)

describe('callbacks of the WeCom app', () => {
  it('verify the address by an encrypted echo', async () => {
    const { sim } = await withServer()
    expect(await sim.verifyUrl('wecom')).toBe(true)
  })

  it('carry a text with a MsgId beyond 2^53 and bring the passive reply back', async () => {
    const { sim, server, person } = await withServer(({ message }) => `收到：${message.Content}`)
    const replies = await sim.say(person.id, '帮助 & <你好> ]]> 完')
    expect(replies.map(reply => reply.text)).toEqual(['收到：帮助 & <你好> ]]> 完'])
    expect(sim.inbox(person.id).map(({ from, text, passive }) => [from, text, passive])).toEqual([
      ['person', '帮助 & <你好> ]]> 完', undefined],
      ['bot', '收到：帮助 & <你好> ]]> 完', true],
    ])
    const { message } = server.received[0] ?? { message: {} as Record<string, string> }
    expect(message).toMatchObject({
      ToUserName: wecomSettings.receiveId,
      FromUserName: 'LiMing',
      MsgType: 'text',
      AgentID: '1000002',
    })
    expect(message.CreateTime).toBe(String(Date.parse('2026-03-05T10:00:00+08:00') / 1000))
    expect(BigInt(message.MsgId ?? 0) > 2n ** 53n).toBe(true)
    await sim.say(person.id, '再来')
    expect(server.received[1]?.message.MsgId).not.toBe(message.MsgId)
  })

  it('are tried three times with the same MsgId when the answer is slow', async () => {
    const { sim, server, person } = await withServer(() => ({ body: '', delayMs: 900 }), {
      callbackTimeoutMs: 250,
    })
    expect(await sim.say(person.id, '在吗')).toEqual([])
    expect(server.received).toHaveLength(3)
    expect(new Set(server.received.map(one => one.message.MsgId)).size).toBe(1)
    expect(
      sim.log.filter(entry => entry.kind === 'callback').map(entry => [entry.try, entry.status]),
    ).toEqual([
      [1, 'timeout'],
      [2, 'timeout'],
      [3, 'timeout'],
    ])
    expect(kinds(sim.log)).toContain('callback_lost')
  })

  it('are tried again after an error, unless told otherwise', async () => {
    let count = 0
    const answer = () => {
      count += 1
      return { body: '', status: count === 1 ? 500 : 200 }
    }
    const again = await withServer(answer)
    await again.sim.say(again.person.id, '一')
    expect(again.server.received).toHaveLength(2)
    count = 0
    const once = await withServer(answer, { retryNon200: false })
    await once.sim.say(once.person.id, '一')
    expect(once.server.received).toHaveLength(1)
  })

  it.each<[string, (received: Received) => string, string]>([
    [
      'a wrong signature',
      ({ message }) => sealed(wecomSettings, textReply(message, 'x'), { signature: 'f'.repeat(40) }),
      'wrong signature',
    ],
    [
      'another receive id',
      ({ message }) => sealed(wecomSettings, textReply(message, 'x'), { receiveId: 'ww0' }),
      'receive id',
    ],
    [
      'names not swapped',
      ({ message }) => sealed(wecomSettings, textReply({ ...message, FromUserName: 'Other' }, 'x')),
      'ToUserName',
    ],
    ['no encryption', ({ message }) => textReply(message, 'x'), 'not encrypted'],
    ['an empty text', ({ message }) => sealed(wecomSettings, textReply(message, '')), 'Content'],
    ['the word success', () => 'success', 'expected an element'],
  ])('refuse a reply with %s', async (_what, body, reason) => {
    const { sim, person } = await withServer(received => ({ body: body(received) }))
    expect(await sim.say(person.id, '你好')).toEqual([])
    const bad = sim.log.find(entry => entry.kind === 'bad_reply')
    expect(bad?.reason).toContain(reason)
    expect(sim.inbox(person.id)).toHaveLength(1)
  })

  it('cut a passive text at 2048 bytes between two characters', async () => {
    const { sim, person } = await withServer(() => `a${'团'.repeat(700)}`)
    const [reply] = await sim.say(person.id, '长文')
    expect(reply?.text).toBe(`a${'团'.repeat(682)}`)
    expect(sim.log.some(entry => entry.kind === 'cut')).toBe(true)
  })

  it('can come twice, late or never', async () => {
    const { sim, server, person } = await withServer(({ message }) => message.Content ?? '')
    sim.faults.on('duplicate-callbacks', { times: 1 })
    expect(await sim.say(person.id, '双')).toHaveLength(2)
    expect(server.received[0]?.message.MsgId).toBe(server.received[1]?.message.MsgId)
    expect(server.received[0]?.query.nonce).not.toBe(server.received[1]?.query.nonce)
    sim.faults.on('drop-callbacks', { times: 1 })
    expect(await sim.say(person.id, '丢')).toEqual([])
    sim.faults.on('reorder-callbacks', { times: 1, ms: 60 })
    await Promise.all([sim.say(person.id, '先'), sim.say(person.id, '后')])
    expect(server.received.map(one => one.message.Content)).toEqual(['双', '双', '后', '先'])
    expect(sim.faults.active()).toEqual({})
  })

  it('reach idle only when the last one is done', async () => {
    const { sim, person } = await withServer(() => ({ body: '', delayMs: 60 }))
    const saying = sim.say(person.id, '慢')
    await sim.idle()
    expect(sim.log.filter(entry => entry.kind === 'callback')).toHaveLength(1)
    await saying
  })
})

describe('callbacks of the Official Account', () => {
  it.each(['plain', 'compatible', 'secure'] as const)('work in %s mode', async mode => {
    const { sim } = await simulate({}, { mode })
    const answer = ({ message }: Received) =>
      mode === 'plain'
        ? { body: textReply(message, '好') }
        : { body: sealed(officialSettings, textReply(message, '好')) }
    const server = stopLater(await startReceiver(officialSettings, answer))
    sim.setCallbackUrl('officialAccount', server.url)
    expect(await sim.verifyUrl('officialAccount')).toBe(true)
    const person = sim.addPerson({ name: '王芳', openId: 'oWangFang' })
    expect((await sim.say(person.id, '入群')).map(reply => reply.text)).toEqual(['好'])
    const [one] = server.received
    expect(one?.query.openid).toBe('oWangFang')
    expect(one?.raw.includes('<Encrypt>')).toBe(mode !== 'plain')
    expect(one?.raw.includes('<Content>')).toBe(mode !== 'secure')
    expect(one?.query.encrypt_type).toBe(mode === 'plain' ? undefined : 'aes')
  })

  it('take success as no reply and show a notice when the server fails', async () => {
    const { sim } = await simulate()
    let body = 'success'
    const server = stopLater(await startReceiver(officialSettings, () => ({ body })))
    sim.setCallbackUrl('officialAccount', server.url)
    const person = sim.addPerson({ name: '王芳', openId: 'oWangFang' })
    expect(await sim.say(person.id, '一')).toEqual([])
    expect(sim.inbox(person.id)).toHaveLength(1)
    body = 'ok'
    expect(await sim.say(person.id, '二')).toEqual([])
    expect(sim.inbox(person.id).at(-1)?.text).toBe('该公众号暂时无法提供服务，请稍后再试')
  })

  it('tell of following with a scene, scanning again and leaving', async () => {
    const { sim } = await simulate()
    const server = stopLater(await startReceiver(officialSettings))
    sim.setCallbackUrl('officialAccount', server.url)
    const person = sim.addPerson({ name: '王芳', openId: 'oWangFang', follows: false })
    await expect(sim.say(person.id, '喂')).rejects.toThrow('does not follow')
    await sim.follow(person.id, 'unit_12')
    await sim.follow(person.id, 'unit_13')
    await sim.unfollow(person.id)
    expect(server.received.map(({ message }) => [message.Event, message.EventKey])).toEqual([
      ['subscribe', 'qrscene_unit_12'],
      ['SCAN', 'unit_13'],
      ['unsubscribe', ''],
    ])
  })
})
