import { describe, expect, test } from 'vitest'
import { shanghaiMoment } from '../../../server/clock.ts'
import { failureOf, openWecom, wordsOf } from './wecom-stage.ts'

const day = (text: string) => shanghaiMoment(text)

async function withGroup(options = {}, settings = {}) {
  const all = await openWecom(options, settings)
  const owner = all.member('LiMing', '李明')
  const group = all.sim.createGroup({
    kind: 'customer',
    name: '镇川镇团青群',
    ownerId: owner.id,
    chatId: 'wrGroup',
  })
  const groupOf = (ownerId: string, name: string) =>
    all.sim.createGroup({ kind: 'customer', name, ownerId, chatId: `wr${name}` })
  return { ...all, owner, group, groupOf }
}

describe('a customer group', () => {
  test('is read with its members and how they came', async () => {
    const { sim, wecom, owner, group, customer, member } = await withGroup()
    const [a, b, c] = [customer('A'), customer('B'), member('ZhaoQiang', '赵强')]
    await sim.joinGroup(group.id, c.id)
    await sim.joinGroup(group.id, a.id, { state: 'req-7' })
    await sim.inviteToGroup(group.id, owner.id, [b.id])
    await sim.setNotice(group.id, '入群请改名')
    sim.setGroupAdmin(group.id, c.id, true)
    expect(await wecom.groups.read('wrGroup')).toMatchObject({
      chatId: 'wrGroup',
      name: '镇川镇团青群',
      owner: 'LiMing',
      notice: '入群请改名',
      admins: ['ZhaoQiang'],
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      members: [
        { address: 'LiMing', isStaff: true },
        { address: 'ZhaoQiang', isStaff: true, unionId: null },
        { address: 'wmA', isStaff: false, unionId: 'uA', state: 'req-7', joinedBy: 'code', nickname: 'A' },
        { address: 'wmB', joinedBy: 'invited', inviter: 'LiMing', state: null },
      ],
    })
    expect((await wecom.readGroup('wrGroup')).members).toHaveLength(4)
    expect(await wecom.groups.chatIdOf(sim.admin.openGidOf(group.id))).toBe('wrGroup')
  })

  test.each([
    ['unknown', 'wrNone', 'recipient:40050'],
    ['of a member outside the visible range', 'wrGroup', 'config:60011'],
  ])('is not read when %s', async (_name, chatId, failure) => {
    const { sim, wecom } = await withGroup()
    sim.admin.setVisibleRange(['Somebody'])
    expect(await failureOf(wecom.groups.read(chatId))).toBe(failure)
    expect(await wecom.groups.list()).toEqual([])
  })

  test('is of no use to a corp that is not verified, or an app that is not listed', async () => {
    const unverified = await withGroup({}, { verified: false })
    expect(await failureOf(unverified.wecom.groups.list())).toBe('config:610016')
    // where the settings say so, nothing is asked of the platform
    const calls = unverified.calls.length
    const known = unverified.open({ isVerified: false })
    for (const call of [known.groups.list(), known.joinWays.add({ chatIds: ['wrGroup'], state: 's' })])
      expect(await failureOf(call)).toBe('config')
    expect(unverified.calls).toHaveLength(calls)
    expect(known.lacks.join()).toContain('610016')
    const unlisted = await withGroup({}, { customerContact: false })
    expect(await failureOf(unlisted.wecom.groups.list())).toBe('config:48002')
  })
})

describe('the list of groups', () => {
  test('comes whole, by owner, and by what became of the owner', async () => {
    const { sim, wecom, owner, member, groupOf } = await withGroup()
    const other = member('ZhaoQiang')
    groupOf(other.id, 'Other')
    expect(await wecom.groups.list()).toEqual([
      { chatId: 'wrGroup', state: 'normal' },
      { chatId: 'wrOther', state: 'normal' },
    ])
    expect(await wecom.groups.list({ owners: ['zhaoqiang'] })).toEqual([
      { chatId: 'wrOther', state: 'normal' },
    ])
    expect(await wecom.groups.list({ owners: [] })).toEqual([])
    await sim.admin.removeMember(owner.id)
    expect(await wecom.groups.list({ state: 'owner_left' })).toEqual([
      { chatId: 'wrGroup', state: 'owner_left' },
    ])
  })

  test('is asked for page by page, and owner by owner in a corp with more than a thousand', async () => {
    const { wecom, calls, member, groupOf } = await withGroup()
    for (let index = 0; index < 1005; index += 1) groupOf(member(`Owner${index}`).id, `G${index}`)
    const found = await wecom.groups.list()
    expect(new Set(found.map(row => row.chatId)).size).toBe(1006)
    const codes = calls.filter(call => call.call.endsWith('groupchat/list')).map(call => call.errcode)
    expect(codes).toEqual([81017, ...Array(11).fill(0)])
  })
})

describe('a join way', () => {
  test('is made, read, changed and removed', async () => {
    const { sim, wecom, customer, group } = await withGroup()
    const made = await wecom.joinWays.add({ chatIds: ['wrGroup'], state: 'req-1', remark: '张三' })
    expect(await wecom.joinWays.read(made.configId)).toEqual({
      ...made,
      chatIds: ['wrGroup'],
      state: 'req-1',
      scene: 'code',
      remark: '张三',
      nextRoom: null,
    })
    await wecom.joinWays.update(made.configId, {
      chatIds: ['wrGroup'],
      state: 'req-2',
      nextRoom: { name: '镇川镇团青群', number: 2 },
    })
    expect(await wecom.joinWays.read(made.configId)).toMatchObject({
      state: 'req-2',
      remark: '',
      nextRoom: { name: '镇川镇团青群', number: 2 },
    })
    await sim.joinByCode(made.configId, customer('A').id)
    expect([...group.members.values()].at(-1)).toMatchObject({ memberId: 'wmA', state: 'req-2' })
    await wecom.deleteJoinWay(made.configId)
    expect(await failureOf(wecom.joinWays.read(made.configId))).toBe('rejected:41046')
  })

  test('has its code from a second call where the answer lacks it', async () => {
    const { wecom, countOf } = await withGroup({ joinWayAnswersCode: false })
    const { qrCode } = await wecom.createJoinWay('wrGroup', 'req-1')
    expect((await fetch(qrCode)).status).toBe(200)
    expect(countOf('get_join_way')).toBe(1)
  })

  test.each([
    [{ chatIds: Array(6).fill('wrGroup'), state: '' }, '群要有 1 至 5 个'],
    [{ chatIds: ['wrGroup'], state: 'x'.repeat(31) }, 'state有 31 个字'],
    [{ chatIds: ['wrGroup'], state: '', nextRoom: { name: 'x'.repeat(41), number: 1 } }, '群名有 41 个字'],
  ])('%j is refused', async (way, words) => {
    const { wecom } = await withGroup()
    expect(await wordsOf(wecom.joinWays.add(way))).toContain(words)
  })

  test('finds no room when the corp has all it may have', async () => {
    const { wecom } = await withGroup({ contactWayCap: 2 })
    await wecom.createJoinWay('wrGroup', 'a')
    await wecom.contactWays.add({ userIds: ['LiMing'], state: 'b' })
    expect(await failureOf(wecom.createJoinWay('wrGroup', 'c'))).toBe('config:41045')
  })
})

describe('statistics', () => {
  async function withMonths() {
    const all = await withGroup()
    all.clock.set(day('2026-06-10'))
    const other = all.member('ZhaoQiang')
    all.groupOf(other.id, 'Other')
    all.sim.post(all.group.id, all.owner.id, '大家好')
    all.clock.set(day('2026-06-20'))
    return all
  }

  test('by owner come in pieces of thirty days', async () => {
    const { wecom, countOf } = await withMonths()
    const rows = await wecom.groups.countByOwner({ from: day('2026-05-01'), to: day('2026-06-19') })
    expect(countOf('groupchat/statistic')).toBe(2)
    expect(rows.map(row => [row.owner, row.from, row.to, row.groups, row.messages])).toEqual([
      ['LiMing', day('2026-05-01'), day('2026-05-30'), 1, 0],
      ['ZhaoQiang', day('2026-05-01'), day('2026-05-30'), 0, 0],
      ['LiMing', day('2026-05-31'), day('2026-06-19'), 1, 1],
      ['ZhaoQiang', day('2026-05-31'), day('2026-06-19'), 1, 0],
    ])
  })

  test('by day add up over owners asked for a hundred at a time', async () => {
    const { wecom, member, groupOf, clock, countOf } = await withMonths()
    const owners = Array.from({ length: 150 }, (_, index) => {
      const owner = member(`Owner${index}`)
      groupOf(owner.id, `G${index}`)
      return `Owner${index}`
    })
    clock.set(day('2026-06-22'))
    const rows = await wecom.groups.countByDay({ from: day('2026-06-20'), to: day('2026-06-21') }, owners)
    expect(countOf('statistic_group_by_day')).toBe(2)
    expect(rows).toMatchObject([
      { day: day('2026-06-20'), newGroups: 150, members: 150 },
      { day: day('2026-06-21'), newGroups: 0, groups: 150 },
    ])
  })

  test.each([
    ['2026-06-20', '2026-06-20', '统计只到昨天'],
    ['2025-12-21', '2026-01-01', '最近 180 天'],
    ['2026-06-10', '2026-06-09', '早于开始日期'],
  ])('from %s to %s are refused', async (from, to, words) => {
    const { wecom, calls } = await withMonths()
    expect(await wordsOf(wecom.groups.countByOwner({ from: day(from), to: day(to) }))).toContain(words)
    expect(calls).toEqual([])
  })

  test('go back 180 days', async () => {
    const { wecom } = await withMonths()
    const rows = await wecom.groups.countByDay({ from: day('2025-12-22'), to: day('2026-06-19') })
    expect(rows).toHaveLength(180)
  })
})

describe('a transfer', () => {
  test('gives groups of a colleague who works there to another, twice in ninety days', async () => {
    const { wecom, member, group, sim, clock } = await withGroup()
    const [a, b] = [member('A'), member('B')]
    expect(await wecom.groups.transfer(['wrGroup', 'wrNone'], 'A')).toEqual([
      { chatId: 'wrNone', code: 90501, message: 'not a customer group' },
    ])
    expect(group.ownerId).toBe(a.id)
    expect(await wecom.groups.transfer(['wrGroup'], 'B')).toEqual([])
    expect(group.ownerId).toBe(b.id)
    expect(await wecom.groups.transfer(['wrGroup'], 'A')).toMatchObject([{ chatId: 'wrGroup', code: 90508 }])
    clock.advance(91 * 86_400_000)
    expect(await wecom.groups.transfer(['wrGroup'], 'A')).toEqual([])
    // what an interface did is not told
    expect(sim.log.filter(entry => String(entry.label).includes('change_external_chat/update'))).toEqual([])
  })

  test('of groups whose owner has left needs that they have', async () => {
    const { sim, wecom, member, owner, group } = await withGroup()
    const heir = member('Heir')
    expect(await wecom.groups.inherit(['wrGroup'], 'Heir')).toMatchObject([{ code: 90500 }])
    await sim.admin.removeMember(owner.id)
    expect(await wecom.groups.transfer(['wrGroup'], 'Heir')).toMatchObject([{ code: 90502 }])
    expect(await wecom.groups.inherit(['wrGroup'], 'Heir')).toEqual([])
    expect(group.ownerId).toBe(heir.id)
  })

  test('takes a hundred groups a call and three hundred a day', async () => {
    const { wecom, member, owner, groupOf, countOf } = await withGroup()
    member('Heir')
    const ids = Array.from({ length: 305 }, (_, index) => groupOf(owner.id, `G${index}`).id)
    const failures = await wecom.groups.transfer(ids, 'Heir')
    expect(countOf('onjob_transfer')).toBe(4)
    expect(failures.map(failure => [failure.chatId, failure.code])).toEqual(
      ids.slice(300).map(id => [id, 90506]),
    )
  })

  test('to nobody fails as a whole', async () => {
    const { wecom } = await withGroup()
    expect(await failureOf(wecom.groups.transfer(['wrGroup'], 'Nobody'))).toBe('recipient:40031')
  })
})
