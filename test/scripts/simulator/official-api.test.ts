import { describe, expect, it } from 'vitest'
import { startReceiver } from './receiver.ts'
import { officialSettings, simulate, stopLater } from './setup.ts'

async function withFollower(account = {}) {
  const all = await simulate({}, account)
  const server = stopLater(await startReceiver(officialSettings))
  all.sim.setCallbackUrl('officialAccount', server.url)
  const person = all.sim.addPerson({ name: '王芳', openId: 'oWangFang', unionId: 'uWang' })
  const custom = async (content = '提醒') =>
    (await all.official('message/custom/send', { touser: 'oWangFang', msgtype: 'text', text: { content } }))
      .errcode
  return { ...all, server, person, custom }
}

const times = async (count: number, act: () => Promise<number>) => {
  const results = []
  for (let index = 0; index < count; index += 1) results.push(await act())
  return results
}

describe('客服消息', () => {
  it('needs a window: five within 48 hours of a message', async () => {
    const { sim, clock, person, custom } = await withFollower()
    expect(await custom()).toBe(45015)
    await sim.say(person.id, '你好')
    expect(await times(6, custom)).toEqual([0, 0, 0, 0, 0, 45047])
    await sim.say(person.id, '再问')
    expect(await custom()).toBe(0)
    clock.advance(48 * 3600_000)
    expect(await custom()).toBe(45015)
    expect(sim.inbox(person.id).filter(message => message.from === 'bot')).toHaveLength(6)
  })

  it('opens three within a minute of a menu click or of following', async () => {
    const { sim, clock, person, custom } = await withFollower()
    await sim.clickMenu(person.id, 'MENU_JOIN')
    expect(await times(4, custom)).toEqual([0, 0, 0, 45047])
    clock.advance(60_000)
    expect(await custom()).toBe(45015)
    await sim.unfollow(person.id)
    await sim.follow(person.id)
    expect(await custom()).toBe(0)
    await sim.unfollow(person.id)
    expect(await custom()).toBe(45015)
  })

  it('checks the receiver and the content, and shows a menu that can be tapped', async () => {
    const { sim, server, person, official, custom } = await withFollower()
    await sim.say(person.id, '你好')
    expect(
      (await official('message/custom/send', { touser: 'oNobody', msgtype: 'text', text: { content: 'x' } }))
        .errcode,
    ).toBe(40003)
    expect(await custom('团'.repeat(683))).toBe(45002)
    const msgmenu = { head_content: '满意吗', list: [{ id: '101', content: '满意' }], tail_content: '谢谢' }
    await official('message/custom/send', { touser: 'oWangFang', msgtype: 'msgmenu', msgmenu })
    const menu = sim.inbox(person.id).at(-1)
    await sim.tapCard(person.id, menu?.id ?? '', '101')
    expect(server.received.at(-1)?.message).toMatchObject({ Content: '满意', bizmsgmenuid: '101' })
  })

  it('is unlimited when that limit is off', async () => {
    const { sim, custom } = await withFollower()
    sim.limits.set('serviceWindow', false)
    expect(await times(7, custom)).toEqual(Array.from({ length: 7 }, () => 0))
  })
})

describe('模板消息', () => {
  const message = {
    touser: 'oWangFang',
    template_id: 'notice-template',
    data: { thing1: { value: '双月报告' }, time2: { value: '2026年3月5日 18:00' } },
  }

  it('is for service accounts and ends in an event with the same 64-bit number', async () => {
    const { sim, server, person, officialToken } = await withFollower()
    const url = `${sim.baseUrls.officialAccount}/cgi-bin/message/template/send?access_token=${await officialToken()}`
    const body = JSON.stringify({ ...message, client_msg_id: 'n1' })
    const answer = await (await fetch(url, { method: 'POST', body })).text()
    const msgid = /"msgid":(\d+)/.exec(answer)?.[1] ?? ''
    expect(BigInt(msgid) > 2n ** 53n).toBe(true)
    expect(await (await fetch(url, { method: 'POST', body })).text()).toContain(msgid)
    await sim.idle()
    expect(server.received.map(one => one.message)).toMatchObject([
      { Event: 'TEMPLATESENDJOBFINISH', MsgID: msgid, Status: 'success' },
    ])
    expect(sim.inbox(person.id)).toMatchObject([
      { kind: 'template', text: expect.stringContaining('双月报告') },
    ])
  })

  it('is refused to subscription accounts, non-followers, wrong templates and empty fields', async () => {
    const subscription = await withFollower({ kind: 'subscription' })
    expect((await subscription.official('message/template/send', message)).errcode).toBe(48001)
    const qr = {
      action_name: 'QR_STR_SCENE',
      expire_seconds: 600,
      action_info: { scene: { scene_str: 'unit' } },
    }
    expect((await subscription.official('qrcode/create', qr)).errcode).toBe(48001)
    const { sim, person, official } = await withFollower()
    expect((await official('message/template/send', { ...message, template_id: 'none' })).errcode).toBe(40037)
    expect((await official('message/template/send', { ...message, data: {} })).errcode).toBe(47003)
    expect((await official('qrcode/create', qr)).ticket).toMatch(/^gQ/)
    await sim.unfollow(person.id)
    expect((await official('message/template/send', message)).errcode).toBe(43004)
  })
})

describe('user/info', () => {
  it('says what it may of followers and others', async () => {
    const { sim, person, official } = await withFollower()
    const info = () => official('user/info', undefined, { openid: 'oWangFang' })
    expect(await info()).toMatchObject({ subscribe: 1, unionid: 'uWang', nickname: '' })
    await sim.unfollow(person.id)
    expect(await info()).toEqual({ errcode: 0, errmsg: 'ok', subscribe: 0, openid: 'oWangFang' })
    expect((await official('user/info', undefined, { openid: 'oNobody' })).errcode).toBe(40003)
  })
})
