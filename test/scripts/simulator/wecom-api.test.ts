import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sealed, startReceiver, textReply } from './receiver.ts'
import { simulate, stopLater, wecomSettings } from './setup.ts'

const PNG = Buffer.from('89504e470d0a1a0a00000000', 'hex')
const codes = (answers: { errcode: number }[]) => answers.map(answer => answer.errcode)

async function withMember() {
  const all = await simulate()
  const person = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
  const send = (fields: Record<string, unknown>) =>
    all.wecom('message/send', { touser: 'LiMing', agentid: 1000002, ...fields })
  return { ...all, person, send }
}

const buttonCard = {
  card_type: 'button_interaction',
  task_id: 'audit-1',
  main_title: { title: '入群申请', desc: '张三申请加入' },
  horizontal_content_list: [{ keyname: '单位', value: '镇川镇' }],
  button_list: [
    { text: '同意', key: 'approve', style: 1 },
    { text: '拒绝', key: 'reject', style: 2 },
  ],
}

describe('message/send', () => {
  it('puts each type into the chat', async () => {
    const { sim, person, send } = await withMember()
    await send({ msgtype: 'text', text: { content: '通知' } })
    await send({ msgtype: 'markdown', markdown: { content: '**通知**' } })
    await send({
      msgtype: 'textcard',
      textcard: { title: '标题', description: '说明', url: 'https://example.org' },
    })
    await send({ msgtype: 'template_card', template_card: buttonCard })
    expect(sim.inbox(person.id).map(message => message.kind)).toEqual([
      'text',
      'markdown',
      'textcard',
      'template_card',
    ])
    expect(sim.inbox(person.id)[3]?.card).toMatchObject({ title: '入群申请', taskId: 'audit-1' })
  })

  it('cuts a text at 2048 bytes and refuses a longer markdown', async () => {
    const { sim, person, send } = await withMember()
    expect((await send({ msgtype: 'text', text: { content: '团'.repeat(683) } })).errcode).toBe(0)
    expect(sim.inbox(person.id)[0]?.text).toBe('团'.repeat(682))
    expect(sim.log.some(entry => entry.kind === 'cut' && entry.bytes === 2049)).toBe(true)
    expect((await send({ msgtype: 'markdown', markdown: { content: '团'.repeat(683) } })).errcode).toBe(45002)
  })

  it('checks recipients, form and content', async () => {
    const { wecom, send } = await withMember()
    const text = { msgtype: 'text', text: { content: 'x' } }
    expect(await send({ ...text, touser: 'LiMing|Nobody' })).toMatchObject({
      errcode: 0,
      invaliduser: 'nobody',
    })
    expect(
      codes([
        await send({ ...text, touser: 'Nobody' }),
        await send({ ...text, touser: '' }),
        await send({ msgtype: 'text', text: { content: '' } }),
        await send({ msgtype: 'poem', poem: {} }),
        await send({ msgtype: 'image', image: { media_id: 'none' } }),
        await send({ ...text, safe: 2 }),
        await wecom('message/send', '{"touser":"LiMing","text":{"content":"\\u4f60"}}'),
        await wecom('message/send', '{"touser":'),
      ]),
    ).toEqual([81013, 82001, 44004, 40008, 40007, 40058, 40033, 47001])
  })

  it('drops the 31st message of a minute in silence', async () => {
    const { sim, clock, person, send } = await withMember()
    for (let index = 0; index < 32; index += 1) {
      expect((await send({ msgtype: 'text', text: { content: `第${index}条` } })).errcode).toBe(0)
    }
    expect(sim.inbox(person.id)).toHaveLength(30)
    expect(sim.log.filter(entry => entry.kind === 'dropped')).toHaveLength(2)
    clock.advance(60_000)
    await send({ msgtype: 'text', text: { content: '又可以了' } })
    expect(sim.inbox(person.id)).toHaveLength(31)
  })

  it('answers a duplicate as success without sending', async () => {
    const { sim, person, send } = await withMember()
    const fields = { msgtype: 'text', text: { content: '一次' }, enable_duplicate_check: 1 }
    expect(codes([await send(fields), await send(fields)])).toEqual([0, 0])
    expect(sim.inbox(person.id)).toHaveLength(1)
  })

  it('is strict about template cards', async () => {
    const { send } = await withMember()
    const card = (change: Record<string, unknown>) =>
      send({ msgtype: 'template_card', template_card: { ...buttonCard, ...change } })
    const answers = [
      await card({ task_id: undefined }),
      await card({ task_id: '任务' }),
      await card({ button_list: [] }),
      await card({ button_list: Array.from({ length: 7 }, (_, key) => ({ text: 'x', key: `k${key}` })) }),
      await card({ main_title: {} }),
      await card({ card_type: 'text_notice' }),
    ]
    expect(answers.every(answer => answer.errcode >= 42014 && answer.errcode <= 42052)).toBe(true)
    expect((await card({})).errcode).toBe(0)
    expect((await card({})).errcode).toBe(42014)
  })

  it('can be recalled', async () => {
    const { sim, person, wecom, send } = await withMember()
    const { msgid } = await send({ msgtype: 'text', text: { content: '错了' } })
    expect((await wecom('message/recall', { msgid })).errcode).toBe(0)
    expect(sim.inbox(person.id)[0]?.recalled).toBe(true)
  })
})

describe('a card', () => {
  it('calls the server when tapped and is changed by the passive reply', async () => {
    const { sim, person, send, wecom } = await withMember()
    const server = stopLater(
      await startReceiver(wecomSettings, ({ message }) => ({
        body: sealed(
          wecomSettings,
          `${textReply(message, '').split('<MsgType>')[0]}<MsgType>update_button</MsgType><Button><ReplaceName>已同意</ReplaceName></Button></xml>`,
        ),
      })),
    )
    sim.setCallbackUrl('wecom', server.url)
    await send({ msgtype: 'template_card', template_card: buttonCard })
    const messageId = sim.inbox(person.id)[0]?.id ?? ''
    await sim.tapCard(person.id, messageId, 'approve')
    const { message } = server.received[0] ?? { message: {} as Record<string, string> }
    expect(message).toMatchObject({
      Event: 'template_card_event',
      EventKey: 'approve',
      TaskId: 'audit-1',
      AgentID: '1000002',
    })
    expect(sim.inbox(person.id)[0]?.card?.replacedText).toBe('已同意')
    await expect(sim.tapCard(person.id, messageId, 'approve')).rejects.toThrow('answered before')
    const update = {
      userids: ['LiMing'],
      agentid: 1000002,
      response_code: message.ResponseCode,
      button: { replace_name: '已办' },
    }
    expect((await wecom('message/update_template_card', update)).errcode).toBe(0)
    expect(sim.inbox(person.id)[0]?.card?.replacedText).toBe('已办')
    expect((await wecom('message/update_template_card', update)).errcode).toBe(60140)
  })
})

describe('a card with a question', () => {
  it('sends what was chosen, and its menu has an event of its own', async () => {
    const { sim, person, send } = await withMember()
    const server = stopLater(await startReceiver(wecomSettings))
    sim.setCallbackUrl('wecom', server.url)
    const option_list = ['policy', 'income'].map(id => ({ id, text: id }))
    await send({
      msgtype: 'template_card',
      template_card: {
        card_type: 'vote_interaction',
        task_id: 'vote@1',
        main_title: { title: '属于哪一类' },
        action_menu: { desc: '更多', action_list: [{ text: '忽略', key: 'ignore' }] },
        checkbox: { question_key: 'category', mode: 1, option_list },
        submit_button: { text: '提交', key: 'submit' },
      },
    })
    const id = sim.inbox(person.id)[0]?.id ?? ''
    await sim.tapCard(person.id, id, 'submit', { category: ['policy', 'income'] })
    await sim.tapCard(person.id, id, 'ignore')
    expect(server.received[0]?.message).toMatchObject({
      Event: 'template_card_event',
      CardType: 'vote_interaction',
      SelectedItems: {
        SelectedItem: { QuestionKey: 'category', OptionIds: { OptionId: ['policy', 'income'] } },
      },
    })
    expect(server.received[1]?.message).toMatchObject({
      Event: 'template_card_menu_event',
      EventKey: 'ignore',
    })
    await expect(sim.tapCard(person.id, id, 'submit', { category: ['other'] })).rejects.toThrow(
      'wrong choice',
    )
  })
})

describe('other messages of a person', () => {
  it('carry what the platform gives', async () => {
    const { sim, person } = await withMember()
    const server = stopLater(await startReceiver(wecomSettings))
    sim.setCallbackUrl('wecom', server.url)
    await sim.sendImage(person.id)
    await sim.sendLink(person.id, { title: '新闻', url: 'https://example.org', description: '说明' })
    await sim.sendLocation(person.id, { latitude: 38.05, longitude: 109.94, label: '镇川镇' })
    await sim.enterApp(person.id)
    await sim.clickMenu(person.id, 'TODO_LIST')
    const [image, link, place, enter, click] = server.received.map(one => one.message)
    expect((await fetch(image?.PicUrl ?? '')).status).toBe(200)
    expect(link).toMatchObject({ MsgType: 'link', Title: '新闻', Url: 'https://example.org' })
    expect(place).toMatchObject({
      Location_X: '38.05',
      Location_Y: '109.94',
      Label: '镇川镇',
      AppType: 'wxwork',
    })
    expect(enter).toMatchObject({ MsgType: 'event', Event: 'enter_agent' })
    expect(click).toMatchObject({ Event: 'click', EventKey: 'TODO_LIST' })
    expect(click?.MsgId).toBeUndefined()
  })
})

describe('media', () => {
  it('are checked, live three days and stay with their corp', async () => {
    const { sim, clock, send, wecomToken } = await withMember()
    const upload = async (type: string, bytes: Buffer) => {
      const form = new FormData()
      form.set('media', new Blob([new Uint8Array(bytes)]), '图.png')
      const url = `${sim.baseUrls.wecom}/cgi-bin/media/upload?access_token=${await wecomToken()}&type=${type}`
      return (await (await fetch(url, { method: 'POST', body: form })).json()) as {
        errcode: number
        media_id?: string
      }
    }
    expect(
      codes([await upload('image', Buffer.from('text, not a picture')), await upload('poem', PNG)]),
    ).toEqual([40005, 40004])
    const { media_id } = await upload('image', PNG)
    expect((await send({ msgtype: 'image', image: { media_id } })).errcode).toBe(0)
    expect((await send({ msgtype: 'file', file: { media_id } })).errcode).toBe(40007)
    clock.advance(73 * 3600_000)
    expect((await send({ msgtype: 'image', image: { media_id } })).errcode).toBe(40007)
  })
})

describe('a group robot', () => {
  async function withRobot() {
    const all = await simulate()
    const owner = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
    const group = all.sim.createGroup({ kind: 'internal', name: '县项目办', ownerId: owner.id })
    const url = all.sim.addRobot(group.id)
    const post = async (body: unknown, address = url) =>
      (await (await fetch(address, { method: 'POST', body: JSON.stringify(body) })).json()) as {
        errcode: number
      }
    return { ...all, group, url, post }
  }

  it('posts at most 20 messages a minute', async () => {
    const { clock, group, post } = await withRobot()
    const answers = []
    for (let index = 0; index < 21; index += 1)
      answers.push(await post({ msgtype: 'text', text: { content: `第${index}条` } }))
    expect(codes(answers)).toEqual([...Array.from({ length: 20 }, () => 0), 45009])
    expect(group.posts).toHaveLength(20)
    expect(group.posts[0]).toMatchObject({ via: 'robot', text: '第0条' })
    clock.advance(60_000)
    expect((await post({ msgtype: 'text', text: { content: '下一分钟' } })).errcode).toBe(0)
  })

  it('keeps to its byte caps and types', async () => {
    const { post } = await withRobot()
    const image = { base64: PNG.toString('base64'), md5: createHash('md5').update(PNG).digest('hex') }
    expect(
      codes([
        await post({ msgtype: 'text', text: { content: '团'.repeat(682) } }),
        await post({ msgtype: 'text', text: { content: '团'.repeat(683) } }),
        await post({ msgtype: 'text', text: { content: '' } }),
        await post({ msgtype: 'markdown', markdown: { content: 'a'.repeat(4097) } }),
        await post({ msgtype: 'image', image }),
        await post({ msgtype: 'image', image: { ...image, md5: '0'.repeat(32) } }),
        await post({ msgtype: 'template_card', template_card: buttonCard }),
        await post({ msgtype: 'news', news: { articles: [{ title: '标题', url: 'https://example.org' }] } }),
        await post({ msgtype: 'news', news: { articles: [] } }),
      ]),
    ).toEqual([0, 45002, 93017, 45002, 0, 40058, 42015, 0, 40058])
  })

  it('answers 93000 to a wrong or removed key', async () => {
    const { sim, url, post } = await withRobot()
    const text = { msgtype: 'text', text: { content: 'x' } }
    expect((await post(text, url.replace(/.$/, '?'))).errcode).toBe(93000)
    sim.faults.on('robot-removed', { times: 1 })
    expect(codes([await post(text), await post(text)])).toEqual([93000, 0])
    sim.removeRobot(url)
    expect((await post(text)).errcode).toBe(93000)
  })
})

describe('an app chat', () => {
  it('is made, changed, read and posted to by its app', async () => {
    const { sim, wecom } = await simulate()
    for (const id of ['A', 'B', 'C']) sim.addPerson({ name: id, wecomUserId: id })
    const made = await wecom('appchat/create', {
      name: '工作群',
      owner: 'A',
      userlist: ['A', 'B'],
      chatid: 'work1',
    })
    expect(made).toMatchObject({ errcode: 0, chatid: 'work1' })
    expect((await wecom('appchat/create', { userlist: ['A'] })).errcode).toBe(86006)
    expect((await wecom('appchat/create', { userlist: ['A', 'Nobody'] })).errcode).toBe(40031)
    expect(
      (await wecom('appchat/update', { chatid: 'work1', add_user_list: ['C'], del_user_list: ['B'] }))
        .errcode,
    ).toBe(0)
    const read = await wecom('appchat/get', undefined, { chatid: 'work1' })
    expect(read.chat_info).toMatchObject({ userlist: ['A', 'C'], owner: 'A' })
    await wecom('appchat/send', { chatid: 'work1', msgtype: 'text', text: { content: '开会' } })
    expect(sim.group('work1').posts.map(post => post.text)).toEqual(['开会'])
    expect(
      (await wecom('appchat/send', { chatid: 'none', msgtype: 'text', text: { content: 'x' } })).errcode,
    ).toBe(86003)
  })
})

describe('faults', () => {
  it('strike the API by path, number and name', async () => {
    const { sim, wecom, official } = await simulate()
    sim.faults.on('quota-exhausted', { path: 'getcallbackip', times: 2 })
    expect(codes([await wecom('getcallbackip'), await wecom('get_api_domain_ip')])).toEqual([45009, 0])
    expect(sim.faults.active()).toEqual({ 'quota-exhausted': { path: 'getcallbackip', times: 1 } })
    sim.faults.clear()
    sim.faults.on('ip-refused', { path: 'getcallbackip' })
    expect(codes([await wecom('getcallbackip'), await official('getcallbackip')])).toEqual([60020, 40164])
    sim.faults.off('ip-refused')
    sim.faults.on('no-permission')
    expect(codes([await wecom('getcallbackip'), await official('getcallbackip')])).toEqual([48002, 48001])
    sim.faults.clear()
    sim.faults.on('slow-answers', { ms: 80, times: 1, path: 'getcallbackip' })
    const began = performance.now()
    await wecom('getcallbackip')
    expect(performance.now() - began).toBeGreaterThan(70)
    sim.faults.on('http-500', { times: 1 })
    expect((await fetch(`${sim.baseUrls.wecom}/cgi-bin/getcallbackip`)).status).toBe(500)
    expect((await fetch(`${sim.baseUrls.wecom}/cgi-bin/no/such`)).status).toBe(404)
  })

  it('strike a share of the calls', async () => {
    const { sim, wecom } = await simulate()
    sim.faults.on('quota-exhausted', { rate: 0.5 })
    let refused = 0
    for (let index = 0; index < 60; index += 1)
      if ((await wecom('getcallbackip')).errcode === 45009) refused += 1
    expect(refused).toBeGreaterThan(15)
    expect(refused).toBeLessThan(45)
  })
})
