import { describe, expect, test } from 'vitest'
import type { MassAudience, MassContent } from '../../../server/channels/official-account/ports.ts'
import { openAccount, picture, refusal } from './official-account-stage.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const everybody: MassAudience = { to: 'all' }
const text: MassContent = { kind: 'text', text: '本月政策汇编' }

describe('群发', () => {
  test('reaches all followers, and the account hears how many', async () => {
    const { sim, channel, fang, told, clock } = await openAccount()
    const gone = sim.addPerson({ name: '已取关', openId: 'oGone', follows: false })
    const li = sim.addPerson({ name: '李强', openId: 'oLi' })
    const job = await channel.sendMass(everybody, text, 'mass-1')
    expect(job).toEqual({
      messageId: expect.stringMatching(/^\d+$/),
      dataId: expect.stringMatching(/^\d+$/),
      isRepeat: false,
      confirmBefore: new Date(clock.now().getTime() + 30 * MINUTE),
    })
    expect(await told('Event', 'MsgID', 'Status', 'TotalCount', 'SentCount', 'ErrorCount')).toEqual([
      ['MASSSENDJOBFINISH', job.messageId, 'send success', '2', '2', '0'],
    ])
    expect([fang, li, gone].map(person => sim.inbox(person.id).length)).toEqual([1, 1, 0])
    expect(await channel.readMass({ ...job, messageId: job.messageId ?? '' })).toBe('sent')
  })

  test('an article goes to a tag, can be previewed and taken back', async () => {
    const { sim, channel, fang } = await openAccount()
    sim.addPerson({ name: '李强', openId: 'oLi' })
    const article: MassContent = { kind: 'article', mediaId: sim.official.addArticle('创业贷款怎么申请') }
    await channel.previewMass('oLi', article)
    const tag = await channel.createTag('镇川镇')
    await channel.tagFollowers(tag.tagId, ['oWangFang'])
    const job = await channel.sendMass({ to: 'tag', tagId: tag.tagId }, article, 'mass-2')
    await sim.idle()
    expect(sim.log.filter(entry => entry.how === 'mass').map(entry => entry.personId)).toEqual([fang.id])
    await channel.deleteMass(job.messageId ?? '')
    expect(sim.inbox(fang.id)).toMatchObject([{ text: '创业贷款怎么申请', recalled: true }])
    expect(await channel.readMass({ ...job, messageId: job.messageId ?? '' })).toBe('deleted')
  })

  test('pictures and voices go by their media ids, to a list too', async () => {
    const { sim, channel, fang } = await openAccount()
    sim.addPerson({ name: '李强', openId: 'oLi' })
    const { mediaId, url } = await channel.uploadLastingImage({ name: 'a.png', bytes: picture })
    expect(url).toMatch(/^http/)
    const list: MassAudience = { to: 'list', addresses: ['oWangFang', 'oLi', 'oNobody'] }
    await channel.sendMass(list, { kind: 'images', mediaIds: [mediaId, mediaId] }, 'mass-3')
    await channel.previewMass('oWangFang', { kind: 'images', mediaIds: [mediaId] })
    await sim.idle()
    expect(
      sim
        .inbox(fang.id)
        .map(message => message.text)
        .sort(),
    ).toEqual(['[图片]', '[图片][图片]'])
    const voice: MassContent = { kind: 'voice', mediaId: 'gone' }
    expect(await refusal(() => channel.sendMass(everybody, voice, 'mass-4'))).toEqual(['rejected', 40007])
  })

  test('the same number again sends nothing again', async () => {
    const { sim, channel, fang, clock } = await openAccount({}, { limits: { massQuota: false } })
    await channel.sendMass(everybody, text, 'mass-1')
    expect(await refusal(() => channel.sendMass(everybody, text, 'mass-1'))).toEqual(['throttled', 45066])
    clock.advance(2 * MINUTE)
    expect(await channel.sendMass(everybody, text, 'mass-1')).toMatchObject({
      isRepeat: true,
      messageId: null,
    })
    await sim.idle()
    expect(sim.inbox(fang.id)).toHaveLength(1)
  })

  test.each<[string, MassAudience, MassContent, string]>([
    ['a list of one', { to: 'list', addresses: ['oWangFang'] }, text, 'm'],
    ['no text', everybody, { kind: 'text', text: '' }, 'm'],
    ['no pictures', everybody, { kind: 'images', mediaIds: [] }, 'm'],
    ['a number of 65 characters', everybody, text, 'm'.repeat(65)],
    ['no number', everybody, text, ''],
  ])('is refused here with %s', async (_what, audience, content, number) => {
    const { channel, traces } = await openAccount()
    expect(await refusal(() => channel.sendMass(audience, content, number))).toEqual(['rejected', null])
    expect(traces).toEqual([])
  })

  test('a subscription account has one a day', async () => {
    const { channel, clock } = await openAccount({ kind: 'subscription' })
    await channel.sendMass(everybody, text, 'a')
    expect(await refusal(() => channel.sendMass(everybody, text, 'b'))).toEqual(['throttled', 45028])
    clock.advance(DAY)
    await channel.sendMass(everybody, text, 'c')
  })

  test('a service account has four a month, to everybody and to each person', async () => {
    const { sim, channel, clock, told } = await openAccount()
    const li = sim.addPerson({ name: '李强', openId: 'oLi' })
    for (const day of [1, 2, 3, 4]) {
      await channel.sendMass(everybody, text, `day ${day}`)
      await sim.idle()
      clock.advance(DAY)
    }
    expect(await refusal(() => channel.sendMass(everybody, text, 'day 5'))).toEqual(['throttled', 45028])
    const newcomer = sim.addPerson({ name: '新人', openId: 'oNew' })
    const list: MassAudience = { to: 'list', addresses: ['oLi', 'oNew'] }
    await channel.sendMass(list, text, 'list')
    expect((await told('TotalCount', 'FilterCount', 'SentCount')).at(-1)).toEqual(['2', '1', '1'])
    expect([sim.inbox(li.id).length, sim.inbox(newcomer.id).length]).toEqual([4, 1])
    clock.advance(27 * DAY)
    await channel.sendMass(everybody, text, 'next month')
    await sim.idle()
    expect(sim.inbox(li.id)).toHaveLength(5)
  })

  describe('with API群发保护', () => {
    const state = async (stage: Awaited<ReturnType<typeof openAccount>>, after: number) => {
      const { messageId, confirmBefore } = await stage.channel.sendMass(everybody, text, 'm')
      const job = { messageId: messageId ?? '', confirmBefore }
      stage.clock.advance(after)
      return { job, read: () => stage.channel.readMass(job) }
    }

    test('an administrator’s word lets it out', async () => {
      const stage = await openAccount({ massProtection: true })
      const { job, read } = await state(stage, 29 * MINUTE)
      expect(await read()).toBe('sending_or_awaiting_confirmation')
      expect(stage.sim.official.massesToConfirm()).toEqual([
        { msgId: job.messageId, text: '本月政策汇编', until: job.confirmBefore },
      ])
      stage.sim.official.confirmMass(job.messageId)
      expect(await stage.told('Status')).toEqual([['send success']])
      expect(await read()).toBe('sent')
    })

    test('silence of 30 minutes ends it', async () => {
      const stage = await openAccount({ massProtection: true })
      const { job, read } = await state(stage, 30 * MINUTE)
      expect(await read()).toBe('failed')
      expect(() => stage.sim.official.confirmMass(job.messageId)).toThrow('does not wait')
      expect(await stage.told('Status', 'SentCount')).toEqual([['err(40002)', '0']])
      expect(stage.sim.inbox(stage.fang.id)).toEqual([])
    })

    test('so does a refusal', async () => {
      const stage = await openAccount({ massProtection: true })
      const { job, read } = await state(stage, MINUTE)
      stage.sim.official.rejectMass(job.messageId)
      expect(await read()).toBe('failed')
      expect(await stage.told('Status')).toEqual([['err(40001)']])
    })
  })
})
