import { describe, expect, test } from 'vitest'
import type { TemplateCard } from '../../../server/channels/wecom/cards.ts'
import type { AppContent, CardChange, SendOptions } from '../../../server/channels/wecom/messages.ts'
import type { RobotContent } from '../../../server/channels/wecom/robots.ts'
import { failureOf, openWecom, PNG, wordsOf } from './wecom-stage.ts'

const url = 'https://example.org/a'
const options = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id: `o${id}`, text: `选项${id}` }))
const many = (bytes: number) => 'a'.repeat(bytes)

const cards = {
  textNotice: { kind: 'text_notice', title: '通知', target: { url } },
  newsNotice: { kind: 'news_notice', title: '通知', imageUrl: url, target: { url } },
  button: {
    kind: 'button_interaction',
    taskId: 'audit-1',
    title: '入群申请',
    buttons: [
      { text: '同意', key: 'approve' },
      { text: '拒绝', key: 'reject', style: 2 },
    ],
  },
  vote: {
    kind: 'vote_interaction',
    taskId: 'vote@1',
    title: '属于哪一类',
    questionKey: 'category',
    isMultiple: true,
    options: options(20),
    submit: { text: '提交', key: 'submit' },
  },
  multiple: {
    kind: 'multiple_interaction',
    taskId: 'choose_1',
    title: '请选择',
    lists: [1, 2, 3].map(at => ({ questionKey: `q${at}`, options: options(10), selectedId: 'o3' })),
    submit: { text: '提交', key: 'submit' },
  },
} satisfies Record<string, TemplateCard>

async function withMember() {
  const all = await openWecom()
  const person = all.member('LiMing', '李明')
  const send = (content: AppContent, more?: SendOptions) =>
    all.wecom.messages.send({ users: ['LiMing'] }, content, more)
  return { ...all, person, send }
}

describe('a message to one member', () => {
  test.each<[string, AppContent, Record<string, unknown>]>([
    ['text', { kind: 'text', text: '通知' }, { kind: 'text', text: '通知' }],
    ['the longest text', { kind: 'text', text: `${'团'.repeat(682)}ab` }, { kind: 'text' }],
    ['markdown', { kind: 'markdown', text: '**通知**' }, { kind: 'markdown' }],
    [
      'a text card',
      { kind: 'textcard', title: '标题', description: '说明', url, button: '去办理' },
      { kind: 'textcard', card: { title: '标题', buttons: [{ text: '去办理', url }] } },
    ],
    ['news', { kind: 'news', articles: Array(8).fill({ title: '标题', url }) }, { kind: 'news' }],
    ['a text notice', { kind: 'card', card: cards.textNotice }, { card: { cardType: 'text_notice', url } }],
    ['a news notice', { kind: 'card', card: cards.newsNotice }, { card: { cardType: 'news_notice' } }],
    [
      'a card with buttons',
      { kind: 'card', card: cards.button },
      {
        card: {
          taskId: 'audit-1',
          buttons: [
            { key: 'approve', style: 1 },
            { key: 'reject', style: 2 },
          ],
        },
      },
    ],
    ['a vote', { kind: 'card', card: cards.vote }, { card: { questions: [{ multiple: true }] } }],
    [
      'several lists',
      { kind: 'card', card: cards.multiple },
      { card: { questions: [{ questionKey: 'q1' }, { questionKey: 'q2' }, { questionKey: 'q3' }] } },
    ],
    [
      'everything a card can hold',
      {
        kind: 'card',
        card: {
          ...cards.textNotice,
          taskId: 't'.repeat(128),
          source: { text: '团县委', colour: 'red' },
          menu: { description: '更多', actions: [{ text: '忽略', key: 'ignore' }] },
          quote: { text: '引用', title: '原文', target: { url } },
          rows: Array(6).fill({ name: '单位', value: '镇川镇', url }),
          emphasis: { text: '12', description: '条' },
          subtitle: '副标题',
          jumps: Array(3).fill({ text: '打开', target: { url } }),
        },
      },
      { card: { source: '团县委', emphasis: '12 条', quote: '原文\n引用' } },
    ],
  ])('arrives as %s', async (_name, content, expected) => {
    const { sim, person, send } = await withMember()
    const sent = await send(content)
    expect(sent.parts).toMatchObject([{ users: ['LiMing'], messageId: expect.any(String), error: null }])
    expect(sim.inbox(person.id)).toMatchObject([expected])
    expect(sim.log.filter(entry => entry.kind === 'cut')).toEqual([])
  })

  test.each(['image', 'voice', 'video', 'file'] as const)('arrives as %s', async kind => {
    const { sim, wecom, person, send } = await withMember()
    const bytes = {
      image: PNG,
      voice: Buffer.from('#!AMR\nxx'),
      video: Buffer.from('\0\0\0\x18ftypmp42'),
      file: Buffer.from('一份文件'),
    }[kind]
    const mediaId = await wecom.media.upload(kind, '方案"一".dat', bytes)
    await send({ kind, mediaId })
    expect(sim.inbox(person.id)).toMatchObject([{ kind, mediaId }])
    if (kind === 'file') expect(sim.inbox(person.id)[0]?.text).toBe('[文件]方案_一_.dat')
  })

  const card = (change: object) => ({ kind: 'card', card: { ...cards.button, ...change } }) as AppContent
  const vote = (change: object) => ({ kind: 'card', card: { ...cards.vote, ...change } }) as AppContent
  const notice = (change: object) =>
    ({ kind: 'card', card: { ...cards.textNotice, ...change } }) as AppContent
  const lists = (change: object) => ({ kind: 'card', card: { ...cards.multiple, ...change } }) as AppContent
  test.each<[AppContent, string]>([
    [{ kind: 'text', text: '' }, '文本不能为空'],
    [{ kind: 'text', text: '团'.repeat(683) }, '文本有 2049 字节，最多 2048 字节'],
    [{ kind: 'markdown', text: many(2049) }, '最多 2048 字节'],
    [{ kind: 'textcard', title: many(129), description: 'x', url }, '标题有 129 个字，最多 128 个'],
    [{ kind: 'textcard', title: 'x', description: many(513), url }, '描述有 513 个字'],
    [{ kind: 'textcard', title: 'x', description: 'x', url: many(2049) }, '地址有 2049 字节'],
    [{ kind: 'textcard', title: 'x', description: 'x', url, button: '马上去办理' }, '按钮文字有 5 个字'],
    [{ kind: 'news', articles: [] }, '图文要有 1 至 8 个'],
    [{ kind: 'news', articles: Array(9).fill({ title: 'x', url }) }, '图文要有 1 至 8 个'],
    [{ kind: 'news', articles: [{ title: many(129), url }] }, '图文标题有 129 字节'],
    [card({ taskId: '' }), '任务号不能为空'],
    [card({ taskId: '任务' }), '任务号的格式不对'],
    [card({ taskId: many(129) }), '任务号有 129 字节'],
    [card({ buttons: [] }), '卡片按钮要有 1 至 6 个'],
    [card({ buttons: Array(7).fill({ text: 'x', key: 'k' }) }), '卡片按钮要有 1 至 6 个'],
    [card({ buttons: Array(2).fill({ text: 'x', key: 'k' }) }), '按钮的 key不能重复'],
    [card({ buttons: [{ text: 'x', key: many(1025) }] }), '按钮的 key有 1025 字节'],
    [card({ title: '' }), '卡片标题不能为空'],
    [card({ rows: Array(7).fill({ name: 'x', value: 'y' }) }), '卡片行最多 6 个，现有 7 个'],
    [card({ menu: { actions: Array(4).fill({ text: 'x', key: 'k' }) } }), '卡片菜单要有 1 至 3 个'],
    [card({ selection: { questionKey: 'q', options: options(11) } }), '选项要有 1 至 10 个'],
    [vote({ options: options(21) }), '选项要有 1 至 20 个'],
    [vote({ options: [...options(1), ...options(1)] }), '选项的 id不能重复'],
    [vote({ options: [{ id: many(129), text: 'x' }] }), '选项的 id有 129 字节'],
    [vote({ submit: { text: '', key: 'k' } }), '提交按钮不能为空'],
    [lists({ lists: [] }), '卡片选择项要有 1 至 3 个'],
    [lists({ lists: Array(2).fill({ questionKey: 'q', options: options(1) }) }), '选择项的 key不能重复'],
    [lists({ lists: [{ questionKey: 'q', options: options(1), selectedId: 'no' }] }), '默认选项不在选项里'],
    [notice({ title: '' }), '卡片要有标题或副标题'],
    [notice({ jumps: Array(4).fill({ text: 'x' }) }), '卡片跳转最多 3 个'],
    [notice({ target: { url: '' } }), '跳转地址不能为空'],
    [notice({ menu: { actions: [{ text: 'x', key: 'k' }] } }), '任务号不能为空'],
    [{ kind: 'card', card: { ...cards.newsNotice, imageRatio: 1 } }, '图片宽高比要在 1.3 和 2.25 之间'],
    [{ kind: 'card', card: { ...cards.newsNotice, paragraphs: Array(5).fill({ title: 'x' }) } }, '卡片段落'],
  ])('that does not fit is refused in words, before any call: %j', async (content, words) => {
    const { wecom, calls } = await openWecom()
    expect(await wordsOf(wecom.messages.send({ users: ['LiMing'] }, content))).toContain(words)
    expect(calls).toEqual([])
  })

  test('is not sent twice when the duplicate check is on', async () => {
    const { sim, person, send } = await withMember()
    for (let time = 0; time < 2; time += 1)
      await send({ kind: 'text', text: '一次' }, { duplicateCheckSeconds: 600 })
    expect(sim.inbox(person.id)).toHaveLength(1)
    expect(await failureOf(send({ kind: 'text', text: 'x' }, { duplicateCheckSeconds: 14_401 }))).toBe(
      'rejected',
    )
  })

  test('can be taken back within 24 hours', async () => {
    const { sim, clock, person, wecom, send } = await withMember()
    const first = (await send({ kind: 'text', text: '错了' })).parts[0]?.messageId ?? ''
    await wecom.messages.recall(first)
    expect(sim.inbox(person.id)[0]?.recalled).toBe(true)
    const second = (await send({ kind: 'text', text: '又错了' })).parts[0]?.messageId ?? ''
    clock.advance(24 * 3600_000 + 1000)
    expect(await failureOf(wecom.messages.recall(second))).toBe('rejected:42052')
  })
})

describe('a message to many', () => {
  test('names who did not get it as they were named', async () => {
    const { sim, wecom, member } = await openWecom()
    const [known, hidden, unlicensed] = [member('LiMing'), member('ZhaoQiang'), member('WangFang')]
    sim.admin.setVisibleRange(['LiMing', 'WangFang'])
    sim.admin.setLicensed(unlicensed.id, false)
    const users = ['LiMing', 'ZhaoQiang', 'Nobody', 'WangFang']
    const sent = await wecom.messages.send({ users, tags: ['7'] }, { kind: 'text', text: 'x' })
    expect(sent).toMatchObject({
      invalidUsers: ['ZhaoQiang', 'Nobody'],
      unlicensedUsers: ['WangFang'],
      invalidTags: ['7'],
    })
    expect([known, hidden, unlicensed].map(person => sim.inbox(person.id).length)).toEqual([1, 0, 0])
  })

  test('goes out a thousand at a time, and tells which part failed', async () => {
    const { sim, wecom, member, countOf } = await openWecom()
    for (let index = 0; index < 1200; index += 1) member(`User${index}`)
    const users = Array.from({ length: 2100 }, (_, index) => `User${index}`)
    const sent = await wecom.messages.send({ users }, { kind: 'text', text: 'x' })
    expect(countOf('message/send')).toBe(3)
    expect(sent.parts.map(part => [part.users.length, part.error?.platformCode ?? null])).toEqual([
      [1000, null],
      [1000, null],
      [100, 81013],
    ])
    expect(sent.invalidUsers).toEqual(users.slice(1200))
    expect(sim.log.filter(entry => entry.kind === 'delivered')).toHaveLength(1200)
  })

  test('reaches departments with all below them, and everyone', async () => {
    const { sim, wecom, member } = await openWecom()
    const county = await sim.admin.addDepartment('榆阳区')
    const town = await sim.admin.addDepartment('镇川镇', county)
    const [a, b, c] = [member('A'), member('B'), member('C')]
    await sim.admin.moveMember(a.id, [county])
    await sim.admin.moveMember(b.id, [town])
    const text = (words: string): AppContent => ({ kind: 'text', text: words })
    const sent = await wecom.messages.send({ departments: [String(county), '99'] }, text('本区'))
    expect(sent.invalidDepartments).toEqual(['99'])
    await wecom.messages.send('everyone', text('全体'))
    expect([a, b, c].map(person => sim.inbox(person.id).map(message => message.text))).toEqual([
      ['本区', '全体'],
      ['本区', '全体'],
      ['全体'],
    ])
  })

  test.each([
    [{ users: [] }, '没有收件人'],
    [{ departments: Array(101).fill('1') }, '部门最多 100 个'],
    [{ users: ['a|b'] }, '收件人的账号不对'],
  ])('%j is refused', async (to, words) => {
    const { wecom } = await openWecom()
    expect(await wordsOf(wecom.messages.send(to, { kind: 'text', text: 'x' }))).toContain(words)
  })

  test('fails as a whole when nobody can be reached', async () => {
    const { wecom } = await openWecom()
    expect(await failureOf(wecom.sendText('Nobody', 'x'))).toBe('recipient:81013')
  })
})

describe('a card that was sent', () => {
  test.each<[string, CardChange, string]>([
    ['its button', { replaceName: '已同意' }, '已同意'],
    [
      'the whole card',
      { card: { ...cards.button, taskId: 'audit-2', title: '办好了' }, replaceText: '办结' },
      '办结',
    ],
  ])('changes %s once', async (_name, change, text) => {
    const { sim, wecom, person, send } = await withMember()
    const { responseCode } = (await send({ kind: 'card', card: cards.button })).parts[0] ?? {}
    const update = () => wecom.messages.updateCard(responseCode ?? '', ['LiMing'], change)
    await update()
    expect(sim.inbox(person.id)[0]?.card?.replacedText).toBe(text)
    if ('card' in change) expect(sim.inbox(person.id)[0]?.card?.title).toBe('办好了')
    expect(await failureOf(update())).toBe('rejected:60140')
  })

  test('changes for everyone within 72 hours, and not after', async () => {
    const { sim, clock, wecom, member } = await openWecom()
    const persons = [member('A'), member('B')]
    const send = async (taskId: string) =>
      (await wecom.messages.send('everyone', { kind: 'card', card: { ...cards.button, taskId } })).parts[0]
        ?.responseCode ?? ''
    await wecom.messages.updateCard(await send('t1'), 'everyone', { replaceName: '已办' })
    expect(persons.map(person => sim.inbox(person.id)[0]?.card?.replacedText)).toEqual(['已办', '已办'])
    const late = await send('t2')
    clock.advance(72 * 3600_000 + 1000)
    expect(await failureOf(wecom.messages.updateCard(late, 'everyone', { replaceName: 'x' }))).toBe(
      'rejected:60140',
    )
  })

  test('is refused when its task id was used before', async () => {
    const { send } = await withMember()
    await send({ kind: 'card', card: cards.button })
    expect(await failureOf(send({ kind: 'card', card: cards.button }))).toBe('rejected:42014')
  })
})

describe('an app chat', () => {
  async function withChat() {
    const all = await openWecom()
    const persons = ['A', 'B', 'C'].map(id => all.member(id))
    await all.wecom.appChats.create({ chatId: 'work1', name: '工作群', owner: 'A', members: ['B'] })
    return { ...all, persons }
  }

  test('is made, changed, read and posted to', async () => {
    const { sim, wecom, persons } = await withChat()
    await wecom.appChats.update('work1', { name: '县工作群', owner: 'C', add: ['C'], remove: ['A'] })
    expect(await wecom.appChats.read('work1')).toEqual({
      chatId: 'work1',
      name: '县工作群',
      owner: 'C',
      members: ['B', 'C'],
    })
    const mediaId = await wecom.media.upload('file', '方案.pdf', Buffer.from('content'))
    await wecom.appChats.post('work1', { kind: 'markdown', text: '**开会**' })
    await wecom.appChats.post('work1', { kind: 'textcard', title: '会', description: '说明', url })
    await wecom.appChats.post('work1', { kind: 'file', mediaId })
    await wecom.postToAppChat('work1', '请签到')
    expect(sim.group('work1').posts.map(post => post.kind)).toEqual(['markdown', 'textcard', 'file', 'text'])
    expect(persons).toHaveLength(3)
  })

  test('is another’s business when another app made it', async () => {
    const { sim, wecom } = await withChat()
    const group = sim.createGroup({ kind: 'internal', name: '别的群', ownerId: sim.persons()[0]?.id ?? '' })
    expect(await failureOf(wecom.appChats.read(group.id))).toBe('config:86008')
    expect(await failureOf(wecom.postToAppChat('none', 'x'))).toBe('recipient:86003')
  })

  test.each([
    [{ chatId: '群一', name: '群', owner: 'A', members: ['B'] }, '群号的格式不对'],
    [{ chatId: 'c1', name: many(51), owner: 'A', members: ['B'] }, '群名有 51 个字'],
    [{ chatId: 'c1', name: '群', owner: 'A', members: ['A'] }, '群成员要有 2 至 2000 个'],
  ])('%j is refused', async (chat, words) => {
    const { wecom } = await withChat()
    expect(await wordsOf(wecom.appChats.create(chat))).toContain(words)
  })
})

describe('a group robot', () => {
  async function withRobot() {
    const all = await openWecom()
    const owner = all.member('LiMing')
    const group = all.sim.createGroup({ kind: 'internal', name: '县项目办', ownerId: owner.id })
    const hook = all.sim.addRobot(group.id)
    const key = new URL(hook).searchParams.get('key') ?? ''
    return { ...all, group, hook, key, post: (content: RobotContent) => all.wecom.robots.post(key, content) }
  }

  test.each<[RobotContent, string]>([
    [
      { kind: 'text', text: '开会', mentionUsers: ['LiMing', '@all'], mentionMobiles: ['13800000000'] },
      'text',
    ],
    [{ kind: 'markdown', text: many(4096) }, 'markdown'],
    [{ kind: 'markdown_v2', text: '| a |\n| - |' }, 'markdown'],
    [{ kind: 'image', bytes: PNG }, 'image'],
    [{ kind: 'news', articles: [{ title: '标题', url }] }, 'news'],
    [{ kind: 'card', card: cards.textNotice }, 'template_card'],
    [{ kind: 'card', card: cards.newsNotice }, 'template_card'],
  ])('posts %j', async (content, kind) => {
    const { group, post } = await withRobot()
    await post(content)
    expect(group.posts).toMatchObject([{ kind, via: 'robot' }])
    if (content.kind === 'text') expect(group.posts[0]?.mentions).toEqual(['LiMing', '@all', '13800000000'])
  })

  test('posts files that were uploaded for it', async () => {
    const { wecom, group, key, post } = await withRobot()
    const mediaId = await wecom.robots.upload(key, 'file', '名单.xlsx', Buffer.from('content'))
    await post({ kind: 'file', mediaId })
    expect(group.posts).toMatchObject([{ kind: 'file', text: '[文件]名单.xlsx' }])
    const ofApp = await wecom.media.upload('file', '名单.xlsx', Buffer.from('content'))
    expect(await failureOf(post({ kind: 'file', mediaId: ofApp }))).toBe('rejected:40007')
  })

  test.each<[RobotContent, string]>([
    [{ kind: 'text', text: many(2049) }, '文本有 2049 字节'],
    [{ kind: 'markdown', text: many(4097) }, '文本有 4097 字节'],
    [{ kind: 'image', bytes: Buffer.concat([PNG, Buffer.alloc(2 * 1024 * 1024)]) }, '图片最大 2 MB'],
    [{ kind: 'image', bytes: Buffer.from('no picture') }, '文件不是 JPG 或 PNG'],
  ])('does not post what is too much', async (content, words) => {
    const { post, calls } = await withRobot()
    expect(await wordsOf(post(content))).toContain(words)
    expect(calls).toEqual([])
  })

  test('takes twenty a minute, and none once it is removed', async () => {
    const { sim, hook, post } = await withRobot()
    for (let index = 0; index < 20; index += 1) await post({ kind: 'text', text: `${index}` })
    expect(await failureOf(post({ kind: 'text', text: 'x' }))).toBe('throttled:45009')
    sim.removeRobot(hook)
    expect(await failureOf(post({ kind: 'text', text: 'x' }))).toBe('recipient:93000')
  })
})
