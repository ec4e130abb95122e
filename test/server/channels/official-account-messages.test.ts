import { describe, expect, test } from 'vitest'
import { keywordData, shortened } from '../../../server/channels/official-account/keyword-fields.ts'
import { commandOfMenuItem, menuItemId } from '../../../server/channels/official-account/menu-items.ts'
import type { ServiceMessage } from '../../../server/channels/official-account/ports.ts'
import { openAccount, picture, refusal } from './official-account-stage.ts'

const openId = 'oWangFang'

describe('客服消息', () => {
  test('of every kind arrive', async () => {
    const { sim, channel, fang } = await openAccount({}, { serviceMessagesPerMessage: 20 })
    await sim.say(fang.id, '你好')
    const { mediaId } = await channel.uploadMedia('image', { name: '点.png', bytes: picture })
    const messages: ServiceMessage[] = [
      { kind: 'text', text: '“你好”，<团支部> & \\u4f60 🎉' },
      { kind: 'image', mediaId },
      {
        kind: 'news',
        title: '九月通知',
        description: '请转发',
        url: 'https://example.cn/1',
        pictureUrl: null,
      },
      {
        kind: 'menu',
        head: '有 2 件事',
        items: [
          { command: '收', text: '收到' },
          { command: '任务', text: '看任务' },
        ],
        tail: '点一下即可',
      },
    ]
    for (const message of messages) await channel.sendServiceMessage(openId, message)
    expect(sim.inbox(fang.id).filter(each => each.from === 'bot')).toMatchObject([
      { kind: 'text', text: '“你好”，<团支部> & \\u4f60 🎉' },
      { kind: 'image', mediaId },
      { kind: 'news', card: { title: '九月通知', url: 'https://example.cn/1' } },
      { kind: 'msgmenu', card: { title: '有 2 件事', note: '点一下即可' } },
    ])
  })

  test('a tap on a menu comes back with our command', async () => {
    const { sim, channel, fang, told } = await openAccount()
    await sim.say(fang.id, '你好')
    await channel.sendServiceMessage(openId, {
      kind: 'menu',
      head: '通知 12',
      items: [{ command: '收 12', text: '收到' }],
      tail: '',
    })
    await sim.tapCard(fang.id, sim.inbox(fang.id).at(-1)?.id ?? '', menuItemId('收 12'))
    const [content, id = ''] = (await told('Content', 'bizmsgmenuid')).at(-1) ?? []
    expect([content, commandOfMenuItem(id)]).toEqual(['收到', '收 12'])
    expect([commandOfMenuItem('101'), commandOfMenuItem('qz:')]).toEqual([null, null])
  })

  test.each<[string, ServiceMessage]>([
    ['no text', { kind: 'text', text: '' }],
    ['2049 bytes', { kind: 'text', text: `${'团'.repeat(682)}abc` }],
    ['a menu without items', { kind: 'menu', head: '', items: [], tail: '' }],
    [
      'a long title',
      { kind: 'news', title: '团'.repeat(65), description: '', url: 'https://a.cn', pictureUrl: null },
    ],
  ])('are refused here with %s', async (_what, message) => {
    const { channel, traces } = await openAccount()
    expect(await refusal(() => channel.sendServiceMessage(openId, message))).toEqual(['rejected', null])
    expect(traces).toEqual([])
  })

  test('tell a closed window from a used-up one, and both from a stranger', async () => {
    const { sim, channel, fang, clock } = await openAccount()
    const send = () => channel.sendText(openId, '提醒')
    expect(await refusal(send)).toEqual(['window_closed', 45015])
    await sim.say(fang.id, '在')
    for (let index = 0; index < 5; index += 1) await send()
    expect(await refusal(send)).toEqual(['window_closed', 45047])
    clock.advance(48 * 3_600_000)
    expect(await refusal(send)).toEqual(['window_closed', 45015])
    expect(await refusal(() => channel.sendText('oNobody', '在吗'))).toEqual(['recipient', 40003])
  })
})

describe('模板消息', () => {
  const data = {
    thing1: '创业贷款名单报送',
    number2: '12.5',
    character_string3: 'NO-2026/09',
    date4: '2026年9月12日',
    phrase5: '待办理',
    name6: '王芳',
  }

  test('arrive once for one client_msg_id and end in an event with the same id', async () => {
    const { sim, channel, fang, told } = await openAccount()
    const message = {
      address: openId,
      templateId: 'all',
      data,
      clientMessageId: 'n12',
      url: 'https://a.cn/1',
    }
    const first = await channel.sendTemplateMessage(message)
    const second = await channel.sendTemplateMessage(message)
    expect(BigInt(first.platformId) > 2n ** 53n).toBe(true)
    expect(second).toEqual(first)
    expect(await told('Event', 'MsgID', 'Status')).toEqual([
      ['TEMPLATESENDJOBFINISH', first.platformId, 'success'],
    ])
    expect(sim.inbox(fang.id)).toMatchObject([{ kind: 'template', card: { url: 'https://a.cn/1' } }])
  })

  test.each<[string, string, string]>([
    ['thing', 'thing1', '团'.repeat(21)],
    ['number', 'number2', '十二'],
    ['number', 'number2', '1'.repeat(33)],
    ['character_string', 'character_string3', '编号 1'],
    ['date', 'date4', '九月十二日'],
    ['phrase', 'phrase5', '等待上级审核'],
    ['phrase', 'phrase5', 'OK'],
    ['name', 'name6', '欧'.repeat(11)],
    ['anything', 'thing1', ''],
  ])('a %s must fit: both the client and the platform refuse %s = %s', async (_kind, name, value) => {
    const { channel, traces, raw } = await openAccount()
    const broken = { ...data, [name]: value }
    const send = () => channel.sendTemplateMessage({ address: openId, templateId: 'all', data: broken })
    expect(await refusal(send)).toEqual(['rejected', null])
    await expect(send()).rejects.toThrow(name)
    expect(traces).toEqual([])
    const body = {
      touser: openId,
      template_id: 'all',
      data: Object.fromEntries(Object.entries(broken).map(([key, text]) => [key, { value: text }])),
    }
    expect((await raw('/cgi-bin/message/template/send', body)).errcode).toBe(47003)
  })

  test.each<[string, string[]]>([
    ['time2', ['15:01', '2019年10月1日 15:01', '2019-10-01 15:01:02', '8:00~9:30']],
    ['date4', ['2019年10月1日', '2019年10月1日 15:01', '2019年10月1日~2019年10月3日']],
    ['amount5', ['100', '￥100.50元', '1.5元']],
    ['phone_number6', ['+86-0766-66888866', '13800138000']],
    ['car_number7', ['粤A8Z888挂']],
    ['name8', ['买买提·艾力', 'Li Ming']],
    ['letter9', ['ABc']],
    ['symbol10', ['※→']],
    ['thing11', ['20个以内的字符，可汉字、数字或符号']],
    ['const12', ['已受理，等待处理，没有固定的长度限制的常量也放行']],
  ])('%s takes %j', (name, values) => {
    for (const value of values) expect(keywordData({ [name]: value })).toEqual({ [name]: { value } })
  })

  test('a notice is shortened so that one sees it, and its time gets the year it needs', async () => {
    const { sim, channel, fang, clock } = await openAccount()
    const long = '关于报送2026年农村青年创业贷款申请人员名单的通知'
    await channel.sendTemplate(openId, { title: long, time: '3月6日 18:00', note: '请回复' }, null)
    clock.set(new Date('2026-12-30T10:00:00+08:00'))
    await channel.sendTemplate(openId, { title: '短', time: '1月4日 09:00', note: '请回复' }, null)
    expect(sim.inbox(fang.id).map(message => message.card?.rows.map(row => row.value))).toEqual([
      ['关于报送2026年农村青年创业贷款申请…', '2026年3月6日 18:00', '请回复'],
      ['短', '2027年1月4日 09:00', '请回复'],
    ])
    expect([shortened('团'.repeat(20), 20), [...shortened('🎉'.repeat(21), 20)].length]).toEqual([
      '团'.repeat(20),
      20,
    ])
  })

  test.each<['failed:user block' | 'failed: system failed' | 'failed:freq limit']>([
    ['failed:user block'],
    ['failed: system failed'],
    ['failed:freq limit'],
  ])('end in %s where they do not arrive', async outcome => {
    const { sim, channel, fang, told } = await openAccount()
    sim.official.setTemplateOutcome(fang.id, outcome)
    const { platformId } = await channel.sendTemplateMessage({ address: openId, templateId: 'all', data })
    expect(await told('MsgID', 'Status')).toEqual([[platformId, outcome]])
    expect(sim.inbox(fang.id)).toEqual([])
  })

  test('are refused to who does not follow, without a template, and beyond the day’s number', async () => {
    const { sim, channel, fang } = await openAccount({ templateDailyCap: 1 })
    const message = { address: openId, templateId: 'all', data }
    await channel.sendTemplateMessage(message)
    expect(await refusal(() => channel.sendTemplateMessage(message))).toEqual(['throttled', 45009])
    sim.limits.set('templateQuota', false)
    expect(await refusal(() => channel.sendTemplateMessage({ ...message, templateId: 'x' }))).toEqual([
      'config',
      40037,
    ])
    await sim.unfollow(fang.id)
    expect(await refusal(() => channel.sendTemplateMessage(message))).toEqual(['recipient', 43004])
    const without = await openAccount({ noticeTemplate: null })
    const notice = { title: '通知', time: '09:00', note: '' }
    expect(await refusal(() => without.channel.sendTemplate(openId, notice, null))).toEqual(['config', null])
  })
})

describe('订阅通知', () => {
  const notice = {
    address: openId,
    templateId: 'once',
    data: { thing1: '周五例会', time2: '2026年3月6日 15:00' },
  }

  test('one consent lets one through, and every step is told', async () => {
    const { sim, channel, fang, told } = await openAccount()
    const send = () => channel.sendSubscriptionNotice(notice)
    expect(await refusal(send)).toEqual(['window_closed', 43101])
    await sim.official.answerPopup(fang.id, { once: 'accept', always: 'reject' }, 2)
    expect(await send()).toEqual({ platformId: '' })
    expect(await refusal(send)).toEqual(['window_closed', 43101])
    expect(await told('Event', 'TemplateId', 'SubscribeStatusString', 'ErrorStatus')).toEqual([
      ['subscribe_msg_popup_event', 'once', 'accept', undefined],
      ['subscribe_msg_sent_event', 'once', undefined, 'success'],
    ])
    expect(sim.inbox(fang.id)).toMatchObject([{ kind: 'subscription' }])
  })

  test('a long-term consent lasts until it is taken back, followed or not', async () => {
    const { sim, channel, fang } = await openAccount()
    const send = () =>
      channel.sendSubscriptionNotice({ address: openId, templateId: 'always', data: { thing1: '已办结' } })
    await sim.official.answerPopup(fang.id, { always: 'accept' })
    await sim.unfollow(fang.id)
    for (let index = 0; index < 3; index += 1) await send()
    await sim.official.changeConsent(fang.id, { always: 'reject' })
    expect(await refusal(send)).toEqual(['window_closed', 43101])
    expect(await channel.subscriptionTemplates()).toEqual([
      { templateId: 'once', title: '会议通知', isLongTerm: false },
      { templateId: 'always', title: '办件进度', isLongTerm: true },
    ])
  })
})
