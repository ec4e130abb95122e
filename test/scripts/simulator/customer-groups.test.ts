import { describe, expect, it } from 'vitest'
import { startReceiver } from './receiver.ts'
import { simulate, stopLater, wecomSettings } from './setup.ts'

async function withGroup(options = {}) {
  const all = await simulate(options)
  const server = stopLater(await startReceiver(wecomSettings))
  all.sim.setCallbackUrl('wecom', server.url)
  const owner = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing', note: '群主' })
  const group = all.sim.createGroup({
    kind: 'customer',
    name: '镇川镇团青群',
    ownerId: owner.id,
    chatId: 'wrGroup',
  })
  const youth = (name: string) =>
    all.sim.addPerson({ name, externalUserId: `wm${name}`, unionId: `u${name}` })
  return { ...all, server, owner, group, youth }
}

interface Detail {
  name: string
  owner: string
  member_version: string
  member_list: {
    userid: string
    type: number
    state?: string
    join_scene: number
    name?: string
    unionid?: string
  }[]
}

describe('a customer group', () => {
  it('sends create, then members with an unbroken chain of versions', async () => {
    const { sim, server, group, youth, wecom } = await withGroup()
    const [a, b] = [youth('A'), youth('B')]
    await Promise.all([sim.joinGroup(group.id, a.id), sim.joinGroup(group.id, b.id, { state: 'code-7' })])
    await sim.leaveGroup(group.id, a.id, { removed: true })
    await sim.renameGroup(group.id, '镇川镇团青一群')
    const events = server.received.map(one => one.message)
    expect(events.map(event => [event.ChangeType, event.UpdateDetail])).toEqual([
      ['create', undefined],
      ['update', 'add_member'],
      ['update', 'add_member'],
      ['update', 'del_member'],
      ['update', 'change_name'],
    ])
    expect(events[0]).toMatchObject({ FromUserName: 'sys', Event: 'change_external_chat', ChatId: 'wrGroup' })
    expect(events[0]?.AgentID).toBeUndefined()
    expect(events[1]).toMatchObject({ JoinScene: '0', MemChangeCnt: '1', MemChangeList: { Item: 'wmA' } })
    expect(events[2]).toMatchObject({ JoinScene: '3', LastMemVer: events[1]?.CurMemVer })
    expect(events[3]).toMatchObject({ QuitScene: '1', LastMemVer: events[2]?.CurMemVer })
    const detail = (await wecom('externalcontact/groupchat/get', { chat_id: group.id, need_name: 1 }))
      .group_chat as Detail
    expect(detail.member_version).toBe(events[3]?.CurMemVer)
    expect(detail.name).toBe('镇川镇团青一群')
    expect(detail.member_list).toMatchObject([
      { userid: 'LiMing', type: 1, name: '李明' },
      { userid: 'wmB', type: 2, state: 'code-7', join_scene: 3, unionid: 'uB' },
    ])
  })

  it('shows a gap in the chain when an event is lost', async () => {
    const { sim, server, group, youth } = await withGroup()
    sim.faults.on('drop-callbacks', { path: 'change_external_chat/update', times: 1 })
    await sim.joinGroup(group.id, youth('A').id)
    await sim.joinGroup(group.id, youth('B').id)
    await sim.idle()
    const [, second] = server.received.map(one => one.message)
    expect(second?.UpdateDetail).toBe('add_member')
    expect(server.received).toHaveLength(2)
    expect(second?.LastMemVer).not.toBe(second?.CurMemVer)
  })

  it('gives its details about two seconds late when asked to', async () => {
    const { sim, clock, group, youth, wecom } = await withGroup({ detailLagMs: 2000 })
    await sim.joinGroup(group.id, youth('A').id)
    const members = async () =>
      ((await wecom('externalcontact/groupchat/get', { chat_id: group.id })).group_chat as Detail).member_list
        .length
    expect(await members()).toBe(1)
    clock.advance(2000)
    expect(await members()).toBe(2)
  })

  it('gives an external_userid to any WeChat user who joins', async () => {
    const { sim, server, group } = await withGroup()
    const stranger = sim.addPerson({ name: '路人' })
    await sim.joinGroup(group.id, stranger.id)
    expect(sim.person(stranger.id).externalUserId).toMatch(/^wm/)
    expect(server.received.at(-1)?.message.MemChangeList).toEqual({
      Item: sim.person(stranger.id).externalUserId,
    })
  })

  it('is listed page by page and counted by owner', async () => {
    const { sim, clock, owner, wecom } = await withGroup()
    for (let index = 0; index < 4; index += 1) {
      sim.createGroup({ kind: 'customer', name: `群${index}`, ownerId: owner.id })
    }
    const first = await wecom('externalcontact/groupchat/list', { limit: 3 })
    const second = await wecom('externalcontact/groupchat/list', { limit: 3, cursor: first.next_cursor })
    expect([first.group_chat_list, second.group_chat_list].flat()).toHaveLength(5)
    expect(second.next_cursor).toBeUndefined()
    expect((await wecom('externalcontact/groupchat/list', {})).errcode).toBe(40058)
    const day = Date.parse('2026-03-05T00:00:00+08:00') / 1000
    expect((await wecom('externalcontact/groupchat/statistic', { day_begin_time: day })).errcode).toBe(40058)
    clock.advance(24 * 3600_000)
    const { items } = await wecom('externalcontact/groupchat/statistic', { day_begin_time: day })
    expect(items).toMatchObject([
      { owner: 'LiMing', data: { new_chat_cnt: 5, chat_total: 5, member_total: 5 } },
    ])
  })
})

describe('a join way', () => {
  it('brings people in with its state, and opens a new room when the group is full', async () => {
    const { sim, group, owner, youth, wecom } = await withGroup()
    const way = {
      scene: 2,
      chat_id_list: [group.id],
      state: 'req-1',
      room_base_name: '镇川镇团青群',
      room_base_id: 2,
    }
    const made = await wecom('externalcontact/groupchat/add_join_way', way)
    expect(made).toMatchObject({ errcode: 0, config_id: expect.any(String) })
    const config_id = String(made.config_id)
    const read = await wecom('externalcontact/groupchat/get_join_way', { config_id })
    expect(read.join_way).toMatchObject({ state: 'req-1', chat_id_list: [group.id], auto_create_room: 1 })
    expect((await fetch((read.join_way as { qr_code: string }).qr_code)).status).toBe(200)
    expect((await sim.joinByCode('req-1', youth('A').id)).id).toBe(group.id)
    for (let index = 0; index < 198; index += 1) await sim.joinGroup(group.id, youth(`M${index}`).id)
    const next = await sim.joinByCode(config_id, youth('B').id)
    expect(next).toMatchObject({ name: '镇川镇团青群2', ownerId: owner.id })
    expect((await wecom('externalcontact/groupchat/del_join_way', { config_id })).errcode).toBe(0)
    await expect(sim.joinByCode(config_id, youth('C').id)).rejects.toThrow('无效')
  })

  it('takes at most five groups that exist', async () => {
    const { wecom, group } = await withGroup()
    const add = async (ids: string[], more = {}) =>
      (await wecom('externalcontact/groupchat/add_join_way', { scene: 2, chat_id_list: ids, ...more }))
        .errcode
    expect(await add(Array.from({ length: 6 }, () => group.id))).toBe(41091)
    expect(await add(['wrNone'])).toBe(40050)
    expect(await add([group.id], { state: 'x'.repeat(31) })).toBe(40058)
  })
})

describe('a mass message', () => {
  async function withTask(fields = {}) {
    const all = await withGroup()
    const add = (more = {}) =>
      all.wecom('externalcontact/add_msg_template', {
        chat_type: 'group',
        sender: 'LiMing',
        chat_id_list: [all.group.id],
        text: { content: '通知：今晚开会' },
        ...fields,
        ...more,
      })
    return { ...all, add }
  }

  it('reaches the group when the owner confirms, and then shows in the result', async () => {
    const { sim, owner, group, wecom, add } = await withTask()
    const { msgid } = await add()
    expect(group.posts).toEqual([])
    expect(sim.massTasks(owner.id)).toMatchObject([
      { msgid, status: 'waiting', text: '通知：今晚开会', targets: [{ id: group.id }] },
    ])
    const result = () => wecom('externalcontact/get_groupmsg_send_result', { msgid, userid: 'LiMing' })
    const task = () => wecom('externalcontact/get_groupmsg_task', { msgid })
    expect((await result()).send_list).toEqual([])
    expect((await task()).task_list).toEqual([{ userid: 'LiMing', status: 0 }])
    const posts = await sim.confirmMassTask(owner.id, String(msgid))
    expect(posts).toMatchObject([{ groupId: group.id, via: 'mass', by: owner.id, text: '通知：今晚开会' }])
    expect((await result()).send_list).toMatchObject([{ chat_id: group.id, userid: 'LiMing', status: 1 }])
    expect((await task()).task_list).toMatchObject([{ status: 2 }])
    expect(await sim.confirmMassTask(owner.id, String(msgid))).toEqual([])
  })

  it('needs a sender, a group of theirs and something to say', async () => {
    const { sim, add } = await withTask()
    const other = sim.addPerson({ name: '赵强', wecomUserId: 'ZhaoQiang' })
    const foreign = sim.createGroup({ kind: 'customer', name: '别人的群', ownerId: other.id })
    expect((await add({ sender: undefined })).errcode).toBe(40058)
    expect((await add({ chat_id_list: [foreign.id] })).errcode).toBe(41048)
    expect((await add({ text: undefined })).errcode).toBe(40058)
    expect((await add({ text: { content: '团'.repeat(1334) } })).errcode).toBe(45002)
    expect((await add({ chat_id_list: Array.from({ length: 2001 }, (_, id) => `wr${id}`) })).errcode).toBe(
      40058,
    )
    expect((await add({ chat_id_list: ['wrGroup', foreign.id] })).fail_list).toEqual([foreign.id])
  })

  it('is limited to as many a calendar month as it has days', async () => {
    const { sim, clock, owner, add } = await withTask()
    for (let index = 0; index < 31; index += 1) {
      const { msgid } = await add()
      expect(await sim.confirmMassTask(owner.id, String(msgid))).toHaveLength(1)
    }
    expect((await add()).errcode).toBe(41048)
    clock.set(new Date('2026-04-01T00:00:00+08:00'))
    expect((await add()).errcode).toBe(0)
  })

  it('can be reminded of three times a day and cancelled', async () => {
    const { sim, owner, wecom, add } = await withTask()
    const { msgid } = await add()
    const remind = async () => (await wecom('externalcontact/remind_groupmsg_send', { msgid })).errcode
    expect([await remind(), await remind(), await remind(), await remind()]).toEqual([0, 0, 0, 41094])
    expect((await wecom('externalcontact/cancel_groupmsg_send', { msgid })).errcode).toBe(0)
    await expect(sim.confirmMassTask(owner.id, String(msgid))).rejects.toThrow('cancelled')
    expect((await wecom('externalcontact/get_groupmsg_task', { msgid: 'none' })).errcode).toBe(41047)
  })

  it('waits for ever when owners never confirm', async () => {
    const { sim, owner, group, add } = await withTask()
    const { msgid } = await add()
    sim.faults.on('owners-never-confirm')
    expect(await sim.confirmMassTask(owner.id, String(msgid))).toEqual([])
    sim.faults.clear()
    expect(await sim.confirmMassTask(owner.id, String(msgid))).toHaveLength(1)
    expect(group.posts).toHaveLength(1)
  })
})

describe('a mass message to customers', () => {
  it('goes out from the staff member who knows them', async () => {
    const { sim, owner, youth, wecom } = await withGroup()
    const [a, b] = [youth('A'), youth('B')]
    await sim.befriend(owner.id, a.id)
    const made = await wecom('externalcontact/add_msg_template', {
      external_userid: ['wmA', 'wmB'],
      text: { content: '招募开始' },
      attachments: [{ msgtype: 'link', link: { title: '报名', url: 'https://example.org' } }],
    })
    expect(made.fail_list).toEqual(['wmB'])
    await sim.confirmMassTask(owner.id, String(made.msgid))
    expect(sim.inbox(a.id).map(message => message.text)).toEqual(['招募开始', '[链接]报名'])
    expect(sim.inbox(b.id)).toEqual([])
    const query = { msgid: made.msgid, userid: 'LiMing' }
    const { send_list } = await wecom('externalcontact/get_groupmsg_send_result', query)
    expect(send_list).toMatchObject([{ external_userid: 'wmA', status: 1 }])
    const start = Date.parse('2026-03-01T00:00:00+08:00') / 1000
    const period = { chat_type: 'single', start_time: start, end_time: start + 10 * 86_400 }
    const listed = await wecom('externalcontact/get_groupmsg_list_v2', period)
    expect(listed.group_msg_list).toMatchObject([
      { msgid: made.msgid, create_type: 0, text: { content: '招募开始' } },
    ])
  })
})

describe('a customer', () => {
  it('is welcomed once within 20 seconds and can be read', async () => {
    const { sim, server, clock, owner, youth, wecom } = await withGroup()
    const [a, b] = [youth('A'), youth('B')]
    await sim.befriend(owner.id, a.id, { state: 'poster' })
    const code = server.received.at(-1)?.message.WelcomeCode
    const welcome = async (welcome_code?: string) =>
      (await wecom('externalcontact/send_welcome_msg', { welcome_code, text: { content: '欢迎' } })).errcode
    expect([await welcome(code), await welcome(code)]).toEqual([0, 41051])
    expect(sim.inbox(a.id).map(message => message.text)).toEqual(['欢迎'])
    await sim.befriend(owner.id, b.id)
    clock.advance(21_000)
    expect(await welcome(server.received.at(-1)?.message.WelcomeCode)).toBe(41050)
    const read = await wecom('externalcontact/get', undefined, { external_userid: 'wmA' })
    expect(read).toMatchObject({
      external_contact: { unionid: 'uA' },
      follow_user: [{ userid: 'LiMing', state: 'poster' }],
    })
    expect((await wecom('externalcontact/get', undefined, { external_userid: 'wmNone' })).errcode).toBe(40096)
  })
})
