import { createDecipheriv, createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { aesKey, card, done, type Message, texts, withBot } from './bot-server.ts'

const MINUTE = 60_000

describe('the chat robot', () => {
  it('verifies its address with an empty receive id', async () => {
    const { aibot, sim, server } = await withBot(() => null)
    expect(await aibot.verifyUrl()).toBe(true)
    aibot.setCallbackUrl(server.url.replace('/bot', '/elsewhere'))
    expect(await aibot.verifyUrl()).toBe(false)
    expect(sim.log.filter(entry => entry.kind === 'verify').map(entry => entry.verified)).toEqual([
      true,
      false,
    ])
  })

  it('answers in a single chat', async () => {
    const { aibot, li, server } = await withBot(message => done(`收到${message.text.content}`))
    expect(texts(await aibot.say(li.id, '帮助'))).toEqual(['收到帮助'])
    expect(texts(aibot.chat(li.id))).toEqual(['帮助', '收到帮助'])
    const [message] = server.received
    expect(message).toMatchObject({
      aibotid: 'BOT1',
      chattype: 'single',
      from: { userid: 'LiMing' },
      msgtype: 'text',
      text: { content: '帮助' },
      response_url: expect.stringContaining('/cgi-bin/aibot/response?response_code='),
    })
    expect(message.chatid).toBeUndefined()
    await aibot.say(li.id, '帮助')
    expect(new Set(server.received.map(one => one.msgid)).size).toBe(2)
    expect(new Set(server.queries.map(query => query.nonce)).size).toBe(2)
  })

  it('hides userids when its maker is no super-administrator', async () => {
    const { aibot, li, server } = await withBot(() => null, { userIds: 'encrypted' })
    await aibot.say(li.id, '一')
    await aibot.say(li.id, '二')
    const [first, second] = server.received.map(message => message.from.userid)
    expect(first).toMatch(/^wo.{30}$/)
    expect(second).toBe(first)
  })

  it('hears of a group only what mentions it', async () => {
    const { aibot, sim, li, group, server } = await withBot(() => done('在'))
    sim.post(group.id, li.id, '大家好')
    await aibot.mention(group.id, li.id, '登记 12', { quote: { kind: 'text', text: '今天的活动' } })
    expect(server.received).toHaveLength(1)
    expect(server.received[0]).toMatchObject({
      chattype: 'group',
      chatid: group.id,
      text: { content: '@群阵助手 登记 12' },
      quote: { msgtype: 'text', text: { content: '今天的活动' } },
    })
    expect(group.posts.map(post => [post.via, post.text])).toEqual([
      ['person', '大家好'],
      ['person', '@群阵助手 登记 12'],
      ['aibot', '在'],
    ])
    const customers = sim.createGroup({ kind: 'customer', name: '客户群', ownerId: li.id })
    await expect(aibot.mention(customers.id, li.id, '在吗')).rejects.toThrow('no chat robot')
    const stranger = sim.addPerson({ name: '外人', openId: 'oOutside' })
    await expect(aibot.mention(group.id, stranger.id, '在吗')).rejects.toThrow('not in group')
  })

  it('brings media as encrypted files that live five minutes', async () => {
    const { aibot, li, group, server, clock } = await withBot(() => null)
    await aibot.sendFile(li.id, { name: '名册.xlsx', bytes: Buffer.from('名册内容') })
    await aibot.sendVoice(li.id, '明天开会')
    await aibot.sendImage(li.id)
    await aibot.sendVideo(li.id)
    await aibot.sendMixed(li.id, [{ text: '看图' }, { picture: null }])
    await aibot.mention(group.id, li.id, '看图', { pictures: [Buffer.from('picture')] })
    const [file, voice, image, video, mixed, mentioned] = server.received
    expect(voice.voice).toEqual({ content: '明天开会' })
    expect([image.image.url, video.video.url]).toEqual([expect.any(String), expect.any(String)])
    expect(mixed.mixed.msg_item.map((item: Message) => item.msgtype)).toEqual(['text', 'image'])
    expect(mentioned).toMatchObject({
      msgtype: 'mixed',
      mixed: { msg_item: [{ text: { content: '@群阵助手 看图' } }, {}] },
    })
    const answer = await fetch(file.file.url)
    expect(decodeURIComponent(answer.headers.get('content-disposition') ?? '')).toContain('名册.xlsx')
    const key = Buffer.from(`${aesKey}=`, 'base64')
    const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
    const padded = Buffer.concat([decipher.update(Buffer.from(await answer.arrayBuffer())), decipher.final()])
    expect(padded.length % 32).toBe(0)
    expect(padded.subarray(0, padded.length - (padded.at(-1) ?? 0)).toString()).toBe('名册内容')
    clock.advance(5 * MINUTE)
    expect((await fetch(file.file.url)).status).toBe(403)
  })

  it('tells of entering once a day, which text or a card may answer', async () => {
    const { aibot, li, clock, server } = await withBot(() => ({ msgtype: 'text', text: { content: '欢迎' } }))
    expect(texts(await aibot.enterChat(li.id))).toEqual(['欢迎'])
    expect(await aibot.enterChat(li.id)).toEqual([])
    clock.advance(24 * 60 * MINUTE)
    expect(texts(await aibot.enterChat(li.id))).toEqual(['欢迎'])
    expect(server.received[0]).toMatchObject({
      msgtype: 'event',
      create_time: Date.parse('2026-03-05T10:00:00+08:00') / 1000,
      event: { eventtype: 'enter_chat', enter_chat: {} },
    })
    expect(server.received).toHaveLength(2)
  })
})

describe('streams', () => {
  it('are asked for until they end; what comes replaces what was there', async () => {
    let asked = 0
    const { aibot, li, server } = await withBot(message => {
      if (message.msgtype === 'text')
        return { msgtype: 'stream', stream: { id: 's1', finish: false, content: '想' } }
      asked += 1
      return { msgtype: 'stream', stream: { id: 's1', finish: asked === 3, content: `第${asked}稿` } }
    })
    const seen = await aibot.say(li.id, '帮助')
    expect(seen).toMatchObject([{ text: '第3稿', isFinished: true }])
    expect(server.received.slice(1).map(message => [message.msgtype, message.stream.id])).toEqual([
      ['stream', 's1'],
      ['stream', 's1'],
      ['stream', 's1'],
    ])
    expect(server.received[1].response_url).toBeUndefined()
    expect(server.received[1].from).toEqual({ userid: 'LiMing' })
  })

  it.each([
    [undefined, 6],
    [10, 10],
  ])('end after their minutes (%s set)', async (streamMinutes, minutes) => {
    let polled: () => void = () => undefined
    const waiting = new Promise<void>(resolve => {
      polled = resolve
    })
    const { aibot, sim, li, clock } = await withBot(
      message => {
        if (message.msgtype === 'stream') polled()
        return { msgtype: 'stream', stream: { id: 's1', finish: false, content: '还在想' } }
      },
      streamMinutes === undefined ? {} : { streamMinutes },
    )
    const saying = aibot.say(li.id, '帮助')
    await waiting
    clock.advance(minutes * MINUTE - 1)
    expect(sim.log.some(entry => entry.kind === 'aibot_stream_expired')).toBe(false)
    clock.advance(1)
    expect(await saying).toMatchObject([{ text: '还在想' }])
    expect(sim.log.some(entry => entry.kind === 'aibot_stream_expired')).toBe(true)
  })

  it('are at most three at once for a person', async () => {
    let finish = false
    const { aibot, sim, li, wang } = await withBot(message => {
      const id = message.msgtype === 'stream' ? message.stream.id : message.text.content
      return { msgtype: 'stream', stream: { id, finish, content: id } }
    })
    const three = ['一', '二', '三'].map(text => aibot.say(li.id, text))
    expect(await aibot.say(li.id, '四')).toEqual([])
    expect(sim.log.find(entry => entry.kind === 'dropped')?.reason).toContain('three')
    finish = true
    expect(texts(await aibot.say(wang.id, '五'))).toEqual(['五'])
    expect((await Promise.all(three)).map(texts)).toEqual([['一'], ['二'], ['三']])
    expect(texts(await aibot.say(li.id, '六'))).toEqual(['六'])
  })

  it('may carry one card, and pictures at the end', async () => {
    const picture = Buffer.from('89504e470d0a1a0a', 'hex')
    const image = { base64: picture.toString('base64'), md5: createHash('md5').update(picture).digest('hex') }
    const { aibot, li } = await withBot(message => {
      if (message.msgtype === 'text') {
        const stream = { id: 's1', finish: false, content: '稍等' }
        return { msgtype: 'stream_with_template_card', stream, template_card: card }
      }
      const stream = { id: 's1', finish: true, content: '好了', msg_item: [{ msgtype: 'image', image }] }
      return { msgtype: 'stream', stream }
    })
    expect(await aibot.say(li.id, '待审')).toMatchObject([
      { text: '好了', pictureCount: 1 },
      { kind: 'template_card', card: { title: '入群申请' } },
    ])
  })
})

describe('callbacks of the chat robot', () => {
  it('are tried three times, and come twice, late or never as the faults say', async () => {
    const { aibot, sim, li, server } = await withBot(() => done('好'))
    aibot.setCallbackUrl(`${server.url}/nowhere`)
    expect(await aibot.say(li.id, '一')).toEqual([])
    expect(sim.log.filter(entry => entry.kind === 'callback').map(entry => entry.status)).toEqual([
      404, 404, 404,
    ])
    expect(sim.log.some(entry => entry.kind === 'callback_lost')).toBe(true)
    aibot.setCallbackUrl(server.url)
    sim.faults.on('duplicate-callbacks', { path: 'aibot/text', times: 1 })
    expect(texts(await aibot.say(li.id, '二'))).toEqual(['好'])
    expect(server.received.map(message => message.msgid)[0]).toBe(server.received[1].msgid)
    expect(server.queries[0]?.nonce).not.toBe(server.queries[1]?.nonce)
    sim.faults.on('drop-callbacks', { path: 'aibot', times: 1 })
    expect(await aibot.say(li.id, '三')).toEqual([])
    sim.faults.on('reorder-callbacks', { times: 1, ms: 60 })
    await Promise.all([aibot.say(li.id, '先'), aibot.say(li.id, '后')])
    expect(server.received.slice(-2).map(message => message.text.content)).toEqual(['后', '先'])
  })

  it('of a tapped card come once, whatever becomes of them', async () => {
    const { aibot, sim, li, server } = await withBot(message =>
      message.msgtype === 'event' ? 'broken' : { msgtype: 'template_card', template_card: card },
    )
    const [shown] = await aibot.say(li.id, '待审')
    aibot.setCallbackUrl(`${server.url}/nowhere`)
    await aibot.tapCard(li.id, shown?.id ?? '', 'yes')
    const label = 'aibot/event/template_card_event'
    expect(sim.log.filter(entry => entry.kind === 'callback' && entry.label === label)).toHaveLength(1)
  })
})
