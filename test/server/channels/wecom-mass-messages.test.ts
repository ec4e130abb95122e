import { describe, expect, test } from 'vitest'
import type { Bubbles } from '../../../server/channels/wecom/attachments.ts'
import type { MassAudience } from '../../../server/channels/wecom/mass-messages.ts'
import { failureOf, openWecom, PNG, START, wordsOf } from './wecom-stage.ts'

async function withGroups(options = {}) {
  const all = await openWecom(options)
  const owner = all.member('LiMing', '李明')
  const groups = ['A', 'B'].map(name =>
    all.sim.createGroup({ kind: 'customer', name, ownerId: owner.id, chatId: `wr${name}` }),
  )
  const create = (chatIds = ['wrA', 'wrB'], content: Bubbles = { text: '今晚开会' }) =>
    all.wecom.mass.create({ kind: 'groups', sender: 'LiMing', chatIds }, content)
  return { ...all, owner, groups, create }
}

describe('a mass message to groups', () => {
  test('waits for the owner, then shows who got it', async () => {
    const { sim, wecom, owner, create } = await withGroups()
    const { taskId, failed } = await create(['wrA', 'wrB', 'wrNone'])
    expect(failed).toEqual(['wrNone'])
    expect(await wecom.mass.readSenders(taskId)).toEqual([{ sender: 'LiMing', hasSent: false, sentAt: null }])
    expect(await wecom.mass.readResults(taskId, 'LiMing')).toEqual([])
    await sim.confirmMassTask(owner.id, taskId)
    expect(await wecom.mass.readSenders(taskId)).toEqual([{ sender: 'LiMing', hasSent: true, sentAt: START }])
    expect(await wecom.mass.readResults(taskId, 'LiMing')).toMatchObject([
      { target: 'wrA', sender: 'LiMing', state: 'sent', sentAt: START },
      { target: 'wrB', state: 'sent' },
    ])
    expect(await wecom.readMassTask(taskId, 'LiMing')).toEqual([
      { chatId: 'wrA', sentAt: START },
      { chatId: 'wrB', sentAt: START },
    ])
  })

  test('carries every kind of attachment', async () => {
    const { wecom, groups, sim, owner, create } = await withGroups()
    const image = await wecom.media.upload('image', 'a.png', PNG)
    const video = await wecom.media.upload('video', 'a.mp4', Buffer.from('\0\0\0\x18ftypmp42'))
    const file = await wecom.media.upload('file', 'a.pdf', Buffer.from('content'))
    const { taskId } = await create(['wrA'], {
      attachments: [
        { kind: 'image', mediaId: image },
        { kind: 'image', pictureUrl: 'https://example.org/a.png' },
        { kind: 'link', title: '报名', url: 'https://example.org', description: '说明' },
        { kind: 'miniprogram', title: '青年之家', pictureMediaId: image, appId: 'wx1', page: 'index' },
        { kind: 'video', mediaId: video },
        { kind: 'file', mediaId: file },
      ],
    })
    await sim.confirmMassTask(owner.id, taskId)
    expect(groups[0]?.posts.map(post => post.kind)).toEqual([
      'image',
      'image',
      'link',
      'miniprogram',
      'video',
      'file',
    ])
  })

  test('that reaches no group at all fails', async () => {
    const { wecom } = await withGroups()
    expect(await failureOf(wecom.createMassTask('LiMing', ['wrNone'], 'x'))).toBe('recipient:41048')
    expect(await failureOf(wecom.createMassTask('Nobody', ['wrA'], 'x'))).toBe('recipient:40031')
  })

  test('can be reminded of three times, cancelled once', async () => {
    const { sim, wecom, owner, create } = await withGroups()
    const { taskId } = await create()
    for (let time = 0; time < 3; time += 1) await wecom.mass.remind(taskId)
    expect(await failureOf(wecom.mass.remind(taskId))).toBe('throttled:41094')
    await wecom.mass.cancel(taskId)
    expect(await failureOf(wecom.mass.cancel(taskId))).toBe('rejected:41093')
    await expect(sim.confirmMassTask(owner.id, taskId)).rejects.toThrow('cancelled')
    expect(await failureOf(wecom.mass.readSenders('none'))).toBe('rejected:41047')
  })

  test('cannot be asked about while it is being dispatched', async () => {
    const { wecom, clock, create } = await withGroups({ massDispatchMs: 60_000 })
    const { taskId } = await create()
    expect(await failureOf(wecom.mass.readSenders(taskId))).toBe('throttled:41063')
    clock.advance(60_000)
    expect(await wecom.mass.readSenders(taskId)).toHaveLength(1)
  })

  test.each([
    ['month', 31],
    ['seven-a-week', 7],
    ['one-a-day', 1],
  ] as const)('reaches a group as often as the rule allows: %s', async (massReceiptRule, most) => {
    const { sim, owner, create, clock } = await withGroups({ massReceiptRule })
    for (let index = 0; index < most; index += 1)
      await sim.confirmMassTask(owner.id, (await create(['wrA'])).taskId)
    expect(await failureOf(create(['wrA']))).toBe('recipient:41048')
    clock.set(new Date('2026-04-01T00:00:00+08:00'))
    expect((await create(['wrA'])).failed).toEqual([])
  })

  test('is listed over months', async () => {
    const { wecom, clock, create } = await withGroups()
    const first = await create()
    clock.set(new Date('2026-05-20T10:00:00+08:00'))
    const second = await create()
    const found = await wecom.mass.list('groups', new Date('2026-03-01T00:00:00+08:00'), clock.now())
    expect(found).toMatchObject([
      { taskId: first.taskId, creator: null, isPersonal: false, text: '今晚开会', createdAt: START },
      { taskId: second.taskId },
    ])
    expect(await wecom.mass.list('customers', START, clock.now())).toEqual([])
  })

  test.each<[Bubbles, string]>([
    [{}, '消息是空的'],
    [{ text: '团'.repeat(1334) }, '文本有 4002 字节，最多 4000 字节'],
    [{ attachments: Array(10).fill({ kind: 'file', mediaId: 'm' }) }, '附件最多 9 个'],
    [{ attachments: [{ kind: 'link', title: 'x'.repeat(129), url: 'u' }] }, '链接标题有 129 字节'],
  ])('%j is refused', async (content, words) => {
    const { create, calls } = await withGroups()
    expect(await wordsOf(create(['wrA'], content))).toContain(words)
    expect(calls).toEqual([])
  })
})

describe('a mass message to customers', () => {
  async function withCustomers() {
    const all = await withGroups()
    const other = all.member('ZhaoQiang')
    const [a, b, c] = [all.customer('A'), all.customer('B'), all.customer('C')]
    await all.sim.befriend(all.owner.id, a.id)
    await all.sim.befriend(all.owner.id, b.id)
    await all.sim.befriend(other.id, b.id)
    const { tagIds } = await all.sim.admin.addCustomerTags('身份', ['团员', '团干'])
    await all.wecom.customers.tag('LiMing', 'wmA', { add: tagIds })
    await all.wecom.customers.tag('ZhaoQiang', 'wmB', { add: tagIds.slice(0, 1) })
    return { ...all, other, a, b, c, tagIds }
  }

  test('goes out from who last came to know them', async () => {
    const { sim, wecom, owner, other, a, b, c } = await withCustomers()
    const customers = ['wmA', 'wmB', 'wmC']
    const task = await wecom.mass.create({ kind: 'customers', customers }, { text: '招募' })
    expect(task.failed).toEqual(['wmC'])
    await sim.confirmMassTask(owner.id, task.taskId)
    await sim.confirmMassTask(other.id, task.taskId)
    expect([a, b, c].map(person => sim.inbox(person.id).length)).toEqual([1, 1, 0])
    expect(await wecom.mass.readResults(task.taskId, 'ZhaoQiang')).toMatchObject([
      { target: 'wmB', state: 'sent' },
    ])
  })

  test.each<[string, (tags: string[]) => MassAudience, string[]]>([
    ['of one tag', ([first = '']) => ({ kind: 'tagged', tagLists: [[first]] }), ['wmA', 'wmB']],
    [
      'of both tags',
      ([first = '', second = '']) => ({ kind: 'tagged', tagLists: [[first], [second]] }),
      ['wmA'],
    ],
    ['of either tag', tags => ({ kind: 'tagged', tagLists: [tags] }), ['wmA', 'wmB']],
    ['of one member', () => ({ kind: 'all_customers', sender: 'LiMing' }), ['wmA', 'wmB']],
    ['of everybody', () => ({ kind: 'all_customers' }), ['wmA', 'wmB']],
  ])('reaches those %s', async (_name, audience, expected) => {
    const { sim, wecom, owner, other, tagIds } = await withCustomers()
    const { taskId } = await wecom.mass.create(audience(tagIds), { text: '招募' })
    const tasks = [owner, other].flatMap(person =>
      sim.massTasks(person.id).filter(task => task.msgid === taskId),
    )
    expect(tasks.flatMap(task => task.targets.map(target => target.id)).sort()).toEqual(expected)
  })

  test.each<[MassAudience, string]>([
    [{ kind: 'customers', customers: [] }, '客户要有 1 至 10000 个'],
    [{ kind: 'tagged', tagLists: [[]] }, '标签组是空的'],
    [{ kind: 'groups', sender: 'LiMing', chatIds: Array(2001).fill('wr') }, '群最多 2000 个'],
  ])('is not sent to the wrong people: %j', async (audience, words) => {
    const { wecom } = await openWecom()
    expect(await wordsOf(wecom.mass.create(audience, { text: 'x' }))).toContain(words)
  })
})
