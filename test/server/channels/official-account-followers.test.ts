import { describe, expect, test } from 'vitest'
import type { MenuButton } from '../../../server/channels/official-account/ports.ts'
import { openAccount, refusal } from './official-account-stage.ts'

describe('followers', () => {
  test('come in pages of ten thousand', async () => {
    const { sim, channel } = await openAccount()
    for (let index = 0; index < 10_001; index += 1) sim.addPerson({ name: `某${index}`, openId: `o${index}` })
    const first = await channel.listFollowers(null)
    expect([first.total, first.addresses.length, first.next]).toEqual([10_002, 10_000, 'o9998'])
    const second = await channel.listFollowers(first.next)
    expect(second.addresses).toEqual(['o9999', 'o10000'])
    expect((await channel.listFollowers(second.next)).next).toBeNull()
    expect(await refusal(() => channel.listFollowers('oNobody'))).toEqual(['recipient', 40003])
  })

  test('are read with what may be known of them, any number at once', async () => {
    const { sim, channel, clock, traces } = await openAccount()
    for (let index = 0; index < 149; index += 1) sim.addPerson({ name: `某${index}`, openId: `o${index}` })
    const gone = sim.addPerson({ name: '去者', openId: 'oGone' })
    await sim.unfollow(gone.id)
    const { tagId } = await channel.createTag('团干部')
    await channel.tagFollowers(tagId, ['oWangFang'])
    await channel.remarkFollower('oWangFang', '镇川镇团委书记')
    const wang = {
      address: 'oWangFang',
      isFollowing: true,
      unionId: 'uWang',
      followedAt: clock.now(),
      remark: '镇川镇团委书记',
      tagIds: [tagId],
      source: 'ADD_SCENE_SEARCH',
      scene: null,
    }
    expect(await channel.readFollower('oWangFang')).toEqual(wang)
    const all = ['oWangFang', 'oGone', ...Array.from({ length: 149 }, (_, index) => `o${index}`)]
    const before = traces.length
    const found = await channel.readFollowers(all)
    expect(traces.length - before).toBe(2)
    expect(found.map(each => each.address)).toEqual(all)
    expect(found.slice(0, 2)).toEqual([
      wang,
      {
        ...wang,
        address: 'oGone',
        isFollowing: false,
        unionId: null,
        followedAt: null,
        remark: '',
        tagIds: [],
        source: '',
      },
    ])
    expect(await refusal(() => channel.readFollower('oNobody'))).toEqual(['recipient', 40003])
    expect(await refusal(() => channel.remarkFollower('oWangFang', '团'.repeat(31)))).toEqual([
      'rejected',
      null,
    ])
  })

  test('are tagged fifty at a time', async () => {
    const { sim, channel, traces, raw } = await openAccount()
    const addresses = Array.from({ length: 120 }, (_, index) => `o${index}`)
    for (const openId of addresses) sim.addPerson({ name: openId, openId })
    const tag = await channel.createTag('志愿者')
    expect(tag).toEqual({ tagId: 100, name: '志愿者', count: 0 })
    const before = traces.length
    await channel.tagFollowers(tag.tagId, addresses)
    expect(traces.length - before).toBe(3)
    await channel.untagFollowers(tag.tagId, addresses.slice(0, 20))
    expect(await channel.listTags()).toEqual([{ ...tag, count: 100 }])
    expect(await refusal(() => channel.createTag('志愿者'))).toEqual(['rejected', 45157])
    const tooMany = { openid_list: addresses.slice(0, 51), tagid: 100 }
    expect((await raw('/cgi-bin/tags/members/batchtagging', tooMany)).errcode).toBe(40032)
    await channel.deleteTag(tag.tagId)
    expect(await channel.listTags()).toEqual([])
    expect(await refusal(() => channel.tagFollowers(tag.tagId, ['o1']))).toEqual(['rejected', 45159])
  })
})

describe('QR codes with a scene', () => {
  test.each<[string, string | number, number | null, string]>([
    ['a text for ten minutes', 'unit_12', 600, 'qrscene_unit_12'],
    ['a text for good', 'unit_12', null, 'qrscene_unit_12'],
    ['a number for 30 days', 4_294_967_295, 2_592_000, 'qrscene_4294967295'],
    ['a number for good', 100_000, null, 'qrscene_100000'],
  ])('%s: who scans it comes with it', async (_what, scene, seconds, key) => {
    const { sim, channel, clock, told } = await openAccount()
    const code = await channel.createQrCode(scene, seconds)
    expect(code.expiresAt).toEqual(seconds === null ? null : new Date(clock.now().getTime() + seconds * 1000))
    const youth = sim.addPerson({ name: '张小明', openId: 'oZhang', follows: false })
    await sim.official.scan(youth.id, code.imageUrl)
    await sim.official.scan(youth.id, code.url)
    expect(await told('Event', 'EventKey', 'Ticket')).toEqual([
      ['subscribe', key, code.ticket],
      ['SCAN', String(scene), code.ticket],
    ])
    expect(await channel.readFollower('oZhang')).toMatchObject({
      scene: String(scene),
      source: 'ADD_SCENE_QR_CODE',
    })
    clock.advance(2_592_000_000)
    if (seconds === null) await sim.official.scan(youth.id, code.ticket)
    else await expect(sim.official.scan(youth.id, code.ticket)).rejects.toThrow('过期')
  })

  test.each<[string, string | number, number | null]>([
    ['an empty text', '', 60],
    ['65 characters', '团'.repeat(65), null],
    ['a large number for good', 100_001, null],
    ['a number beyond 32 bits', 4_294_967_296, 60],
    ['a fraction', 1.5, 60],
    ['more than 30 days', 'a', 2_592_001],
    ['no time at all', 'a', 0],
  ])('are refused here with %s', async (_what, scene, seconds) => {
    const { channel, traces } = await openAccount()
    expect(await refusal(() => channel.createQrCode(scene, seconds))).toEqual(['rejected', null])
    expect(traces).toEqual([])
  })
})

describe('the menu', () => {
  const menu: MenuButton[] = [
    { name: '我的群', command: '我的群' },
    {
      name: '办事',
      entries: [
        { name: '任务', command: '任务' },
        { name: '结果页', url: 'https://a.cn/r' },
      ],
    },
  ]

  test('is set, read, tapped and taken away', async () => {
    const { sim, channel, fang, told } = await openAccount()
    expect(await channel.readMenu()).toEqual([])
    await channel.setMenu(menu)
    expect(await channel.readMenu()).toEqual(menu)
    expect(await refusal(() => channel.sendText('oWangFang', '提醒'))).toEqual(['window_closed', 45015])
    await sim.official.tapMenu(fang.id, '结果页')
    expect(await refusal(() => channel.sendText('oWangFang', '提醒'))).toEqual(['window_closed', 45015])
    await sim.official.tapMenu(fang.id, '任务')
    await channel.sendText('oWangFang', '没有待办')
    expect(await told('Event', 'EventKey')).toEqual([
      ['VIEW', 'https://a.cn/r'],
      ['CLICK', '任务'],
    ])
    await channel.deleteMenu()
    expect(await channel.readMenu()).toEqual([])
    await expect(sim.official.tapMenu(fang.id, '任务')).rejects.toThrow('no entry')
  })

  const entry = { name: '帮助', command: '帮助' }
  test.each<[string, MenuButton[], number]>([
    ['nothing', [], 40016],
    ['four buttons', [entry, entry, entry, entry], 40016],
    ['a name of six characters', [{ name: '我的群和任务', command: '帮助' }], 40018],
    ['a key of 129 bytes', [{ name: '帮助', command: '团'.repeat(43) }], 40019],
    ['an address that is none', [{ name: '帮助', url: '' }], 40020],
    ['an empty list', [{ name: '办事', entries: [] }], 40017],
    ['six entries', [{ name: '办事', entries: [entry, entry, entry, entry, entry, entry] }], 40023],
    ['a long entry', [{ name: '办事', entries: [{ name: '团'.repeat(21), command: 'a' }] }], 40025],
  ])('is refused with %s, here and by the platform', async (_what, buttons, code) => {
    const { channel, traces, raw } = await openAccount()
    expect(await refusal(() => channel.setMenu(buttons))).toEqual(['rejected', null])
    expect(traces).toEqual([])
    const bare = (item: MenuButton): unknown =>
      'entries' in item
        ? { name: item.name, sub_button: item.entries.map(bare) }
        : 'command' in item
          ? { type: 'click', name: item.name, key: item.command }
          : { type: 'view', name: item.name, url: item.url }
    expect((await raw('/cgi-bin/menu/create', { button: buttons.map(bare) })).errcode).toBe(code)
  })
})
