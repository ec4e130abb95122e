import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { wecomCodes } from '../../../server/channels/wecom/codes.ts'
import { failureOf, openWecom, PNG, wordsOf } from './wecom-stage.ts'

describe('a call', () => {
  test.each(['token-void', 'busy'] as const)('succeeds in spite of %s', async fault => {
    const { sim, wecom, countOf } = await openWecom()
    await wecom.addresses.callbacks()
    sim.faults.on(fault, { path: 'getcallbackip', times: 1 })
    expect(await wecom.addresses.callbacks()).toEqual(['127.0.0.1'])
    expect(countOf('getcallbackip')).toBe(3)
  })

  test('that may be repeated is made four times while the platform is busy, others once', async () => {
    const { sim, wecom, member, countOf } = await openWecom()
    member('LiMing')
    sim.faults.on('busy', { path: 'cgi-bin/' })
    expect(await failureOf(wecom.sendText('LiMing', 'x'))).toBe('unreachable:-1')
    sim.faults.on('busy', { path: 'message/send' })
    expect(await failureOf(wecom.sendText('LiMing', 'x'))).toBe('unreachable:-1')
    expect([countOf('gettoken'), countOf('message/send')]).toEqual([5, 1])
  })

  test('with a token that stays void is made twice, not for ever', async () => {
    const { sim, wecom, countOf } = await openWecom()
    sim.faults.on('token-void', { path: 'getcallbackip', times: 100 })
    expect(await failureOf(wecom.addresses.callbacks())).toBe('token:40014')
    expect(countOf('getcallbackip')).toBe(2)
  })

  test.each([
    ['ip-refused', 'config:60020'],
    ['no-permission', 'config:48002'],
    ['quota-exhausted', 'throttled:45009'],
    ['http-500', 'unreachable'],
  ] as const)('fails with %s as %s', async (fault, expected) => {
    const { sim, wecom } = await openWecom()
    sim.faults.on(fault, { path: 'getcallbackip' })
    expect(await failureOf(wecom.addresses.callbacks())).toBe(expected)
  })

  test('with a wrong secret or another app’s number fails as configuration', async () => {
    const { sim, open, member } = await openWecom()
    member('LiMing')
    expect(await failureOf(open({ secret: 'wrong' }).addresses.calls())).toBe('config:40001')
    expect(await failureOf(open({ corpId: 'ww0' }).addresses.calls())).toBe('config:40013')
    expect(await failureOf(open({ agentId: 1000009 }).sendText('LiMing', 'x'))).toBe('config:301002')
    expect(sim.log.some(entry => entry.kind === 'delivered')).toBe(false)
  })

  test('knows every code of the platform that calls for something', () => {
    const expected = {
      unreachable: [-1],
      throttled: [6000, 41063, 41094, 45009, 45033, 45035, 45036, 846607],
      token: [40014, 41001, 42001],
      window_closed: [95001, 95002],
      recipient: [40003, 40031, 40050, 40096, 41048, 60021, 60111, 81013, 84061, 86001, 86003, 93000, 93008],
      config: [40001, 40013, 40056, 48002, 48009, 50001, 60011, 60020, 86008, 301002, 610016, 610023, 670001],
      rejected: [40029, 40033, 40058, 41050, 41051, 41093, 41096, 42014, 42052, 45002, 60140, 90500, 90511],
    }
    for (const [reason, codes] of Object.entries(expected))
      expect(codes.map(code => [code, wecomCodes.get(code)])).toEqual(codes.map(code => [code, reason]))
  })
})

describe('media', () => {
  const upload = [
    ['image', Buffer.from('no picture'), '文件不是 JPG 或 PNG'],
    ['image', Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]), '最大 10 MB'],
    ['voice', Buffer.from('no voice'), '文件不是 AMR'],
    ['video', Buffer.from('no video at all'), '文件不是 MP4'],
    ['file', Buffer.from('12345'), '文件太小'],
    ['file', Buffer.alloc(20 * 1024 * 1024 + 1), '最大 20 MB'],
  ] as const
  test.each(upload)('%s that the platform would not take is not sent', async (kind, bytes, words) => {
    const { wecom, calls } = await openWecom()
    expect(await wordsOf(wecom.media.upload(kind, 'a', bytes))).toContain(words)
    expect(calls).toEqual([])
  })

  test('come back as they went, within three days and the size allowed', async () => {
    const { wecom, clock } = await openWecom()
    const bytes = Buffer.concat([PNG, Buffer.from('\r\n--boundary\r\n')])
    const mediaId = await wecom.media.upload('image', '合影 "一".png', bytes)
    const found = await wecom.media.fetch(mediaId, 1024)
    expect(found).toMatchObject({ contentType: 'image/png', fileName: '合影 _一_.png' })
    expect(found.bytes.equals(bytes)).toBe(true)
    expect(await wordsOf(wecom.media.fetch(mediaId, 10))).toContain('没有取回')
    clock.advance(72 * 3600_000 + 1000)
    expect(await failureOf(wecom.media.fetch(mediaId, 1024))).toBe('rejected:40007')
    expect(await failureOf(wecom.media.fetch('none', 1024))).toBe('rejected:40007')
  })

  test('are fetched with a fresh token when the old one is void', async () => {
    const { sim, wecom } = await openWecom()
    const mediaId = await wecom.media.upload('file', 'a.txt', Buffer.from('content'))
    sim.faults.on('token-void')
    expect((await wecom.media.fetch(mediaId, 1024)).bytes.toString()).toBe('content')
  })

  test('that should last get an address', async () => {
    const { wecom } = await openWecom()
    const url = await wecom.media.uploadPicture('a.png', PNG)
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(PNG)).toBe(true)
    const large = Buffer.concat([PNG, Buffer.alloc(2 * 1024 * 1024)])
    expect(await wordsOf(wecom.media.uploadPicture('a.png', large))).toContain('最大 2 MB')
  })
})

describe('the address book', () => {
  test('shows members and departments as far as the app may see', async () => {
    const { sim, wecom, member } = await openWecom()
    const county = await sim.admin.addDepartment('榆阳区')
    const town = await sim.admin.addDepartment('镇川镇', county)
    const [a] = [member('A', '张三'), member('B')]
    await sim.admin.moveMember(a.id, [county, town])
    expect(await wecom.directory.readMember('a')).toEqual({
      userId: 'A',
      name: '张三',
      departmentIds: [county, town],
      position: '',
      state: 'active',
    })
    expect(await wecom.directory.listMembers()).toEqual([
      { userId: 'A', departmentId: county },
      { userId: 'A', departmentId: town },
      { userId: 'B', departmentId: 1 },
    ])
    expect((await wecom.directory.listDepartments()).map(each => [each.name, each.parentId])).toEqual([
      ['组织架构', 0],
      ['榆阳区', 1],
      ['镇川镇', county],
    ])
    expect(await wecom.directory.listDepartments(town)).toMatchObject([{ departmentId: town }])
    expect(await failureOf(wecom.directory.readMember('Nobody'))).toBe('recipient:60111')
    expect(await wecom.customers.listFollowUsers()).toEqual(['A', 'B'])
    sim.admin.setVisibleRange(['B'])
    expect(await failureOf(wecom.directory.readMember('A'))).toBe('config:60011')
    expect(await wecom.directory.listMembers()).toEqual([{ userId: 'B', departmentId: 1 }])
    expect(await wecom.directory.listDepartments()).toHaveLength(1)
  })
})

describe('logging in', () => {
  test('begins at the addresses that the platform knows', async () => {
    const { wecom } = await openWecom()
    const back = 'https://qunzhen.example.cn/login?next=/a'
    expect(wecom.login.pageUrl(back, 'abc123')).toBe(
      'https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww5823bf96d3bd56c7&redirect_uri=https%3A%2F%2Fqunzhen.example.cn%2Flogin%3Fnext%3D%2Fa&response_type=code&scope=snsapi_base&state=abc123&agentid=1000002#wechat_redirect',
    )
    expect(wecom.login.pageUrl(back, 'abc', true)).toContain('scope=snsapi_privateinfo')
    expect(wecom.login.scanUrl(back, 'abc')).toContain('/wwlogin/sso/login?login_type=CorpApp&appid=ww5823')
    for (const state of ['', 'a b', 'a'.repeat(129)])
      expect(() => wecom.login.pageUrl(back, state)).toThrow('state')
  })

  test('tells members, customers and strangers apart', async () => {
    const { sim, wecom, member, customer } = await openWecom()
    const [staff, known] = [member('LiMing'), customer('A')]
    const stranger = sim.addPerson({ name: '路人', openId: 'oStranger', follows: false })
    await sim.befriend(staff.id, known.id)
    const visit = (id: string) => wecom.login.identify(sim.admin.giveLoginCode(id))
    expect(await visit(staff.id)).toEqual({ kind: 'member', userId: 'LiMing', ticket: null })
    expect(await visit(known.id)).toEqual({ kind: 'outsider', openId: 'oA', customerId: 'wmA' })
    expect(await visit(stranger.id)).toEqual({ kind: 'outsider', openId: 'oStranger', customerId: null })
  })

  test('takes a code once, for five minutes', async () => {
    const { sim, wecom, clock, member } = await openWecom()
    const staff = member('LiMing')
    const code = sim.admin.giveLoginCode(staff.id)
    await wecom.login.identify(code)
    expect(await failureOf(wecom.login.identify(code))).toBe('rejected:40029')
    const old = sim.admin.giveLoginCode(staff.id)
    clock.advance(300_000)
    expect(await failureOf(wecom.login.identify(old))).toBe('rejected:40029')
    expect(await failureOf(wecom.login.identify('x'.repeat(513)))).toBe('rejected')
  })

  test('shows a member’s details where they agreed, for half an hour', async () => {
    const { sim, wecom, clock } = await openWecom()
    const staff = sim.addPerson({ name: '李明', wecomUserId: 'LiMing', mobile: '13800000000' })
    const visitor = await wecom.login.identify(sim.admin.giveLoginCode(staff.id, { withDetails: true }))
    const ticket = (visitor.kind === 'member' && visitor.ticket) || ''
    expect(await wecom.login.readPrivate(ticket)).toEqual({
      userId: 'LiMing',
      mobile: '13800000000',
      email: '',
    })
    clock.advance(1800_000)
    expect(await failureOf(wecom.login.readPrivate(ticket))).toBe('rejected:40058')
  })

  test.each([
    ['corp', 'get_jsapi_ticket'],
    ['app', 'ticket/get'],
  ] as const)('signs pages for the %s with one ticket for two hours', async (kind, path) => {
    const { sim, wecom, clock, countOf } = await openWecom()
    const signed = await wecom.login.signPage(kind, 'https://qunzhen.example.cn/a?b=1#c', 'nonce')
    await wecom.login.signPage(kind, 'https://qunzhen.example.cn/', 'nonce')
    expect(countOf(path)).toBe(1)
    const token = await (
      await fetch(`${sim.baseUrls.wecom}/cgi-bin/gettoken?corpid=ww5823bf96d3bd56c7&corpsecret=app-secret`)
    ).json()
    const query = `access_token=${(token as { access_token: string }).access_token}&type=agent_config`
    const { ticket } = (await (await fetch(`${sim.baseUrls.wecom}/cgi-bin/${path}?${query}`)).json()) as {
      ticket: string
    }
    const plain = `jsapi_ticket=${ticket}&noncestr=nonce&timestamp=${signed.timestamp}&url=https://qunzhen.example.cn/a?b=1`
    expect(signed).toMatchObject({
      corpId: 'ww5823bf96d3bd56c7',
      agentId: 1000002,
      signature: createHash('sha1').update(plain).digest('hex'),
    })
    clock.advance(7200_000)
    await wecom.login.signPage(kind, 'https://qunzhen.example.cn/', 'nonce')
    expect(countOf(path)).toBe(2)
  })

  test('gets no more than a hundred tickets of an app an hour', async () => {
    const { open } = await openWecom()
    for (let index = 0; index < 100; index += 1) await open().login.signPage('app', 'https://a.cn/', 'n')
    expect(await failureOf(open().login.signPage('app', 'https://a.cn/', 'n'))).toBe('throttled:45009')
  })
})

describe('a matrix over many corps', () => {
  const downstream = [
    { corpId: 'wwYulin', name: '榆林', agentId: 2000001, groupId: 2, customId: '6108' },
    { corpId: 'wwYanan', name: '延安', agentId: 2000002, groupId: 2, hasJoined: false },
    { corpId: 'wwPartner', name: '伙伴', agentId: 2000003, kind: 'linked' as const },
  ]

  test('shows the corps, the chain and its groups', async () => {
    const { wecom } = await openWecom({}, { downstream, name: '陕西' })
    expect(await wecom.sharing.listCorps('chain')).toEqual([
      { corpId: 'wwYulin', name: '榆林', agentId: 2000001 },
    ])
    const [chain] = await wecom.sharing.listChains()
    const chainId = chain?.chainId ?? ''
    expect(chain?.name).toBe('陕西')
    expect(await wecom.sharing.listGroups(chainId)).toMatchObject([
      { groupId: '1', parentId: '0' },
      { groupId: '2', parentId: '1' },
    ])
    expect(await wecom.sharing.listChainCorps(chainId, '2', true)).toEqual([
      { groupId: '2', corpId: 'wwYulin', name: '榆林', customId: '6108', hasJoined: true },
      { groupId: '2', corpId: 'wwYanan', name: '延安', customId: '', hasJoined: false },
    ])
    expect(await wecom.sharing.listChainCorps(chainId, '2', false)).toHaveLength(1)
  })

  test('lists more corps than one page holds', async () => {
    const many = Array.from({ length: 230 }, (_, index) => ({
      corpId: `ww${index}`,
      name: `县${index}`,
      agentId: index + 1,
    }))
    const { wecom, countOf } = await openWecom({}, { downstream: many })
    expect(await wecom.sharing.listCorps('chain')).toHaveLength(230)
    expect(countOf('list_app_share_info')).toBe(3)
  })

  test('reads a downstream corp with a token of its own, which is kept', async () => {
    const { sim, wecom, member, countOf } = await openWecom({}, { downstream })
    member('LiMing')
    const [corp] = await wecom.sharing.listCorps('chain')
    if (!corp) throw new Error('no corp')
    const owner = sim.addPerson({ name: '高某', wecomUserId: 'gao', corpId: 'wwYulin' })
    sim.createGroup({ kind: 'customer', name: '榆林群', ownerId: owner.id, chatId: 'wrYulin' })
    const theirs = wecom.sharing.downstream(corp, 'chain')
    expect(await theirs.directory.listMembers()).toEqual([{ userId: 'gao', departmentId: 1 }])
    expect(await theirs.groups.list()).toEqual([{ chatId: 'wrYulin', state: 'normal' }])
    expect(await wecom.groups.list()).toEqual([])
    expect(await wecom.directory.listMembers()).toEqual([{ userId: 'LiMing', departmentId: 1 }])
    sim.faults.on('token-void', { path: 'user/list_id' })
    expect(await theirs.directory.listMembers()).toHaveLength(1)
    // all tokens were void, so the new one was first asked for with a void one
    expect(countOf('corp/gettoken')).toBe(3)
  })

  test('is refused where the app is not shared', async () => {
    const { wecom } = await openWecom()
    expect(await failureOf(wecom.sharing.listCorps('chain'))).toBe('config:670001')
    const stranger = { corpId: 'wwNone', name: '', agentId: 1 }
    const theirs = wecom.sharing.downstream(stranger, 'chain')
    expect(await failureOf(theirs.groups.list())).toBe('config:670001')
  })
})
