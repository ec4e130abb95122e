import { describe, expect, it } from 'vitest'
import { startReceiver } from './receiver.ts'
import { simulate, stopLater, wecomSettings } from './setup.ts'

async function withServer(options = {}) {
  const all = await simulate(options)
  const server = stopLater(await startReceiver(wecomSettings))
  all.sim.setCallbackUrl('wecom', server.url)
  const staff = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
  const last = () => server.received.at(-1)?.message ?? {}
  return { ...all, server, staff, last }
}

describe('the corp’s address book', () => {
  it('tells what administrators do, each with its own fields', async () => {
    const { sim, server, staff } = await withServer()
    const county = await sim.admin.addDepartment('榆阳区')
    await sim.admin.renameDepartment(county, '榆阳区团委')
    const newcomer = sim.addPerson({ name: '赵强' })
    await sim.admin.hireMember(newcomer.id, 'ZhaoQiang', { departmentIds: [county] })
    await sim.admin.moveMember(newcomer.id, [1, county])
    await sim.admin.renameUserId(newcomer.id, 'zhao.qiang')
    await sim.admin.changeMemberTag(3, { add: ['LiMing', 'zhao.qiang'] })
    await sim.admin.removeMember(newcomer.id)
    await sim.admin.removeDepartment(county)
    const events = server.received.map(one => one.message)
    expect(events.map(event => [event.Event, event.ChangeType])).toEqual(
      [
        'create_party',
        'update_party',
        'create_user',
        'update_user',
        'update_user',
        'update_tag',
        'delete_user',
        'delete_party',
      ].map(change => ['change_contact', change]),
    )
    expect(events[0]).toMatchObject({ FromUserName: 'sys', Id: '2', Name: '榆阳区', ParentId: '1' })
    expect(events[2]).toMatchObject({ UserID: 'ZhaoQiang', Department: '2' })
    expect(events[3]).toMatchObject({ UserID: 'ZhaoQiang', Department: '1,2' })
    expect(events[4]).toMatchObject({ UserID: 'ZhaoQiang', NewUserID: 'zhao.qiang' })
    expect(events[5]).toMatchObject({ TagId: '3', AddUserItems: 'LiMing,zhao.qiang', DelUserItems: '' })
    expect(events[6]).toMatchObject({ UserID: 'zhao.qiang' })
    await expect(sim.admin.moveMember(staff.id, [99])).rejects.toThrow('no department 99')
    await expect(sim.admin.removeDepartment(1)).rejects.toThrow('only an empty department')
  })

  it('frees a userid that somebody leaves behind', async () => {
    const { sim, staff, wecom } = await withServer()
    await sim.admin.removeMember(staff.id)
    expect((await wecom('user/get', undefined, { userid: 'LiMing' })).errcode).toBe(60111)
    sim.addPerson({ name: '另一位李明', wecomUserId: 'liming' })
    expect(await wecom('user/get', undefined, { userid: 'LiMing' })).toMatchObject({ name: '另一位李明' })
  })
})

describe('customers and staff', () => {
  it('are told of as they change', async () => {
    const { sim, server, staff, last, wecom } = await withServer()
    const [a, b] = [sim.addPerson({ name: 'A', externalUserId: 'wmA' }), sim.addPerson({ name: 'B' })]
    const way = { type: 1, scene: 2, user: ['LiMing'], state: 'poster', skip_verify: false }
    const { config_id, qr_code } = await wecom('externalcontact/add_contact_way', way)
    await sim.customers.scanContactWay(String(qr_code), a.id)
    expect(last()).toMatchObject({
      ChangeType: 'add_half_external_contact',
      State: 'poster',
      UserID: 'LiMing',
      ExternalUserID: 'wmA',
    })
    await sim.customers.note(staff.id, a.id, { remark: '镇川张三' })
    await sim.customers.refuseTransfer(staff.id, a.id, 'customer_refused')
    await sim.customers.agreeToArchive(staff.id, a.id)
    await sim.customers.unfriend(staff.id, a.id, 'customer')
    expect(server.received.slice(1).map(one => one.message.ChangeType)).toEqual([
      'edit_external_contact',
      'transfer_fail',
      'msg_audit_approved',
      'del_follow_user',
    ])
    expect(server.received[2]?.message.FailReason).toBe('customer_refused')
    expect((await wecom('externalcontact/get', undefined, { external_userid: 'wmA' })).errcode).toBe(84061)
    await expect(sim.customers.unfriend(staff.id, b.id, 'staff')).rejects.toThrow('no customer of')
    expect((await wecom('externalcontact/del_contact_way', { config_id })).errcode).toBe(0)
    await expect(sim.customers.scanContactWay(String(qr_code), b.id)).rejects.toThrow('无效')
  })

  it('are not told of when an interface made the change', async () => {
    const { sim, server, staff, wecom } = await withServer()
    const customer = sim.addPerson({ name: 'A', externalUserId: 'wmA' })
    await sim.befriend(staff.id, customer.id)
    const group = sim.createGroup({ kind: 'customer', name: '群', ownerId: staff.id })
    sim.addPerson({ name: '赵强', wecomUserId: 'ZhaoQiang' })
    await sim.idle()
    const before = server.received.length
    const pair = { userid: 'LiMing', external_userid: 'wmA' }
    const answers = [
      await wecom('externalcontact/remark', { ...pair, remark: '张三' }),
      await wecom('externalcontact/add_corp_tag', { group_name: '身份', tag: [{ name: '团员' }] }),
      await wecom('externalcontact/groupchat/onjob_transfer', {
        chat_id_list: [group.id],
        new_owner: 'ZhaoQiang',
      }),
    ]
    expect(answers.map(answer => answer.errcode)).toEqual([0, 0, 0])
    await sim.idle()
    expect(server.received).toHaveLength(before)
  })

  it('have tags whose changes are told', async () => {
    const { sim, last } = await withServer()
    const { groupId, tagIds } = await sim.admin.addCustomerTags('身份', ['团员'])
    expect(last()).toMatchObject({ Event: 'change_external_tag', ChangeType: 'create', Id: groupId })
    await sim.admin.removeCustomerTag(tagIds[0] ?? '')
    expect(last()).toMatchObject({ ChangeType: 'delete', TagType: 'tag', Id: tagIds[0] })
  })
})

describe('a customer group', () => {
  async function withGroup(options = {}) {
    const all = await withServer(options)
    const group = all.sim.createGroup({
      kind: 'customer',
      name: '群',
      ownerId: all.staff.id,
      chatId: 'wrGroup',
    })
    const [a, b] = ['A', 'B'].map(name => all.sim.addPerson({ name, externalUserId: `wm${name}` }))
    if (!a || !b) throw new Error('no persons')
    return { ...all, group, a, b }
  }

  it('that an administrator gives away tells of its new owner', async () => {
    const { sim, group, last } = await withGroup()
    const heir = sim.addPerson({ name: '赵强', wecomUserId: 'ZhaoQiang' })
    await sim.admin.transferGroup(group.id, heir.id)
    expect(last()).toMatchObject({ UpdateDetail: 'change_owner', ChatId: 'wrGroup' })
    expect(group.members.has(heir.id)).toBe(true)
  })

  it.each([
    [{}, '0', { Item: ['wmA', 'wmB'] }],
    [{ memberChanges: 'commas', inviteScene: 1 }, '1', 'wmA,wmB'],
    [{ memberChanges: 'absent' }, '0', undefined],
  ])('names several newcomers in one event: %j', async (options, scene, list) => {
    const { sim, staff, group, a, b, last } = await withGroup(options)
    await sim.inviteToGroup(group.id, staff.id, [a.id, b.id])
    expect(last()).toMatchObject({ UpdateDetail: 'add_member', JoinScene: scene, MemChangeCnt: '2' })
    expect(last().MemChangeList).toEqual(list)
  })
})

describe('a card’s choices', () => {
  it('are spelt as the switch says', async () => {
    const { sim, staff, wecom, last } = await withServer({ optionSpelling: 'OpitonIds' })
    await wecom('message/send', {
      touser: 'LiMing',
      agentid: 1000002,
      msgtype: 'template_card',
      template_card: {
        card_type: 'vote_interaction',
        task_id: 't1',
        main_title: { title: '类别' },
        checkbox: { question_key: 'q', option_list: [{ id: 'a', text: '一' }] },
        submit_button: { text: '提交', key: 'ok' },
      },
    })
    await sim.tapCard(staff.id, sim.inbox(staff.id)[0]?.id ?? '', 'ok', { q: ['a'] })
    expect(last().SelectedItems).toEqual({
      SelectedItem: { QuestionKey: 'q', OpitonIds: { OpitonId: 'a' } },
    })
  })
})

describe('an app chat', () => {
  it('is not shown before anything was said in it, and loses what is too much for a member', async () => {
    const { sim, staff, wecom } = await withServer()
    sim.addPerson({ name: '赵强', wecomUserId: 'ZhaoQiang' })
    await wecom('appchat/create', { chatid: 'work', owner: 'LiMing', userlist: ['LiMing', 'ZhaoQiang'] })
    const shown = async () =>
      ((await (await fetch(`${sim.url}/phone/persons/${staff.id}`)).json()) as { groups: unknown[] }).groups
    expect(await shown()).toEqual([])
    const send = (index: number) =>
      wecom('appchat/send', { chatid: 'work', msgtype: 'text', text: { content: `${index}` } })
    for (let index = 0; index < 201; index += 1) expect((await send(index)).errcode).toBe(0)
    expect(await shown()).toMatchObject([{ id: 'work' }])
    const { posts, members } = sim.group('work')
    expect(posts[199]?.missedBy).toBeUndefined()
    expect(posts[200]?.missedBy).toEqual([...members.keys()])
  })

  it('needs an app that sees the whole corp', async () => {
    const { sim, wecom } = await withServer()
    sim.addPerson({ name: '赵强', wecomUserId: 'ZhaoQiang' })
    sim.admin.setVisibleRange(['LiMing', 'ZhaoQiang'])
    expect((await wecom('appchat/create', { userlist: ['LiMing', 'ZhaoQiang'] })).errcode).toBe(60011)
  })
})

describe('a template card', () => {
  const card = {
    card_type: 'button_interaction',
    task_id: 't1',
    main_title: { title: '标题' },
    button_list: [{ text: '同意', key: 'ok' }],
  }
  const notice = {
    card_type: 'text_notice',
    main_title: { title: '标题' },
    card_action: { type: 1, url: 'https://example.org' },
  }
  const options = [{ id: 'a', text: '一' }]
  const vote = {
    ...card,
    card_type: 'vote_interaction',
    checkbox: { question_key: 'q', option_list: options },
    submit_button: { text: '提交', key: 'ok' },
  }
  it.each<[string, object, number]>([
    ['no task id', { ...card, task_id: undefined }, 42014],
    ['an unknown kind', { ...card, card_type: 'poem' }, 42015],
    ['a button without a key', { ...card, button_list: [{ text: 'x' }] }, 42017],
    ['a key of 1025 bytes', { ...card, button_list: [{ text: 'x', key: 'k'.repeat(1025) }] }, 42017],
    ['no buttons', { ...card, button_list: [] }, 42018],
    ['a button of style 5', { ...card, button_list: [{ text: 'x', key: 'k', style: 5 }] }, 42018],
    ['a button without words', { ...card, button_list: [{ key: 'k' }] }, 42020],
    [
      'an option of 129 bytes',
      { ...vote, checkbox: { question_key: 'q', option_list: [{ id: 'i'.repeat(129), text: 'x' }] } },
      42023,
    ],
    ['no options', { ...vote, checkbox: { question_key: 'q' } }, 42024],
    [
      '21 options',
      { ...vote, checkbox: { question_key: 'q', option_list: Array(21).fill(options[0]) } },
      42024,
    ],
    ['no question key', { ...vote, checkbox: { option_list: options } }, 42025],
    ['no words on the submit button', { ...vote, submit_button: { key: 'k' } }, 42026],
    ['no title', { ...card, main_title: {} }, 42028],
    ['seven rows', { ...card, horizontal_content_list: Array(7).fill({ keyname: 'x' }) }, 42030],
    [
      'a picture that is too wide',
      { ...notice, card_type: 'news_notice', card_image: { url: 'u', aspect_ratio: 3 } },
      42032,
    ],
    ['no picture', { ...notice, card_type: 'news_notice' }, 42032],
    ['a strange colour', { ...notice, source: { desc: 'x', desc_color: 9 } }, 42034],
    ['no action', { ...notice, card_action: undefined }, 42036],
    ['a quote that leads nowhere', { ...notice, quote_area: { type: 1 } }, 42038],
    ['an endless address', { ...notice, jump_list: [{ type: 1, title: 'x', url: 'u'.repeat(2049) }] }, 42040],
  ])('with %s is refused', async (_name, template_card, code) => {
    const { wecom } = await withServer()
    const message = { touser: 'LiMing', agentid: 1000002, msgtype: 'template_card', template_card }
    expect((await wecom('message/send', message)).errcode).toBe(code)
  })
})

describe('an app of a corp that may hold one account', () => {
  it('has two hundred person-times a day', async () => {
    const { sim, clock, rawWecom } = await simulate()
    const { token, aesKey } = wecomSettings
    sim.addWecomApp({ corpId: 'wwSmall', agentId: 7, secret: 'small-secret', token, aesKey, accountCap: 1 })
    for (let index = 0; index < 150; index += 1)
      sim.addPerson({ name: `${index}`, wecomUserId: `User${index}` })
    const send = async (content: string) => {
      const credential = { corpid: 'wwSmall', corpsecret: 'small-secret' }
      const access_token = String((await rawWecom('gettoken', credential)).access_token)
      const body = { touser: '@all', agentid: 7, msgtype: 'text', text: { content } }
      return (await rawWecom('message/send', { access_token }, body)).errcode
    }
    expect([await send('一'), await send('二')]).toEqual([0, 45009])
    clock.advance(86_400_000)
    expect(await send('三')).toBe(0)
  })
})
