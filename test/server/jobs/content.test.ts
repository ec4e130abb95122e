import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identityOf } from '../../../db/queries/identities.ts'
import { dailyCounts, deliveries, outgoingMessages, receipts } from '../../../db/schema/index.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { attachFile } from '../../../server/domain/outgoing/attach-file.ts'
import { sendToPerson, sendWelcome, sendWithFiles } from '../../../server/domain/outgoing/enqueue.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { bindFirst, bindThrough, claimGroup, fillMatrix, rows } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

/** What a message holds arrives whole, in whatever form the platform has for it. */
describe('what goes out', () => {
  let stage: Stage
  let officer: SimPerson
  let owner: SimPerson
  let officerId: number
  let ownerId: number

  const personIdOf = async (channel: string, address: string) =>
    (await identityOf(stage.rt.db, channel, address))?.personId as number
  const newest = async () =>
    (
      await stage.rt.db.query.outgoingMessages.findMany({
        orderBy: (table, { desc }) => desc(table.id),
        limit: 1,
      })
    )[0]
  const newsOf = async (person: SimPerson, work: () => Promise<unknown>) => {
    const before = stage.sim.inbox(person.id).length
    await work()
    await deliverDue(stage.rt)
    return stage.sim.inbox(person.id).slice(before)
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    owner = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, officer, 'qingnong', '610802')
    await bindThrough(stage, officer, owner)
    officerId = await personIdOf('wecom', 'lin')
    ownerId = await personIdOf('official-account', 'o-wang')
  })
  beforeEach(async () => {
    stage.sim.faults.clear()
    stage.clock.advance(600_000)
    await stage.say(owner.id, '帮助')
    await stage.rt.db.delete(receipts)
    await stage.rt.db.delete(deliveries)
    await stage.rt.db.delete(outgoingMessages)
  })
  afterAll(() => stage.close())

  describe('a file', () => {
    const sheet = Buffer.from('跟踪摸底表 2026-09')

    test('is sent as a file in WeCom, behind the text', async () => {
      const file = await attachFile(stage.rt, officerId, '月报 2026-09.xlsx', sheet)
      const news = await newsOf(officer, () =>
        sendWithFiles(stage.rt, { personId: officerId }, 'report', { texts: ['月报请核对'], files: [file] }),
      )
      expect(news.map(({ kind, text }) => [kind, text])).toEqual([
        ['text', '月报请核对'],
        ['file', expect.stringContaining('月报 2026-09.xlsx')],
      ])
      expect(await newest()).toMatchObject({ status: 'sent' })
    })

    test('is a link in the Official Account, which leads to it', async () => {
      const file = await attachFile(stage.rt, ownerId, '月报 2026-09.xlsx', sheet)
      const news = await newsOf(owner, () =>
        sendWithFiles(stage.rt, { personId: ownerId }, 'report', { texts: ['月报请核对'], files: [file] }),
      )
      const link = /附件“月报 2026-09\.xlsx”：(\S+)$/.exec(news[1]?.text ?? '')?.[1] as string
      const answer = await fetch(link)
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(sheet)
    })

    test.each([
      ['too small', Buffer.from('x')],
      ['too large', Buffer.alloc(20 * 1024 * 1024 + 1)],
    ])('that is %s for WeCom is a link there, too', async (_why, bytes) => {
      const file = await attachFile(stage.rt, officerId, '文件.bin', bytes)
      const news = await newsOf(officer, () =>
        sendWithFiles(stage.rt, { personId: officerId }, 'report', { texts: [], files: [file] }),
      )
      expect(news.map(({ kind, text }) => [kind, text])).toEqual([['text', `附件“文件.bin”：${file.link}`]])
    })

    test('that fails goes out later without the text a second time', async () => {
      const file = await attachFile(stage.rt, officerId, '表.xlsx', sheet)
      stage.sim.faults.on('http-500', { path: 'media/upload', times: 1 })
      const first = await newsOf(officer, () =>
        sendWithFiles(stage.rt, { personId: officerId }, 'report', { texts: ['只说一次'], files: [file] }),
      )
      expect(first.map(message => message.text)).toEqual(['只说一次'])
      expect(await newest()).toMatchObject({ status: 'retrying', sentCount: 1 })
      const second = await newsOf(officer, async () => stage.clock.advance(10_000))
      expect(second.map(message => message.kind)).toEqual(['file'])
    })

    test('that is kept no more fails with the reason', async () => {
      const file = await attachFile(stage.rt, officerId, '表.xlsx', sheet)
      stage.clock.advance(73 * 3600_000)
      await newsOf(officer, () =>
        sendWithFiles(stage.rt, { personId: officerId }, 'report', { texts: [], files: [file] }),
      )
      expect(await newest()).toMatchObject({ status: 'failed', error: '附件已过期' })
    })
  })

  test('what would be a link or break the request is shown as it was written', async () => {
    const news = await newsOf(officer, () =>
      sendToPerson(
        stage.rt,
        officerId,
        'task',
        '群名“<a href="https://x.example">领奖</a>”\u0001\ud800好\r\n完',
      ),
    )
    expect(news.map(message => message.text)).toEqual([
      '群名“＜a href="https://x.example">领奖＜/a>”\ufffd好\n完',
    ])
  })

  describe('a welcome', () => {
    let guest: SimPerson
    let guests = 0
    const befriend = async () => {
      guest = stage.sim.addPerson({ name: '张客', externalUserId: `wm-guest-${guests++}` })
      await stage.sim.befriend(officer.id, guest.id)
      await stage.sim.idle()
      const [code] = [...stage.sim.log].reverse().filter(entry => entry.kind === 'befriended')
      expect(code).toMatchObject({ customerId: guest.id })
    }

    test('goes out in its twenty seconds', async () => {
      await befriend()
      stage.clock.advance(2000)
      await deliverDue(stage.rt)
      expect(stage.sim.inbox(guest.id).map(message => message.text)).toEqual([
        expect.stringContaining('您好'),
      ])
      expect(await newest()).toMatchObject({ kind: 'welcome', purpose: 'welcome', status: 'sent' })
    })

    test('is not sent late', async () => {
      await befriend()
      const before = stage.sim.log.length
      stage.clock.advance(20_000)
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'failed', error: '已过时限，没有发出' })
      expect(stage.sim.log.slice(before).filter(entry => entry.kind === 'api')).toEqual([])
    })

    test('that the platform refuses is not tried again', async () => {
      await sendWelcome(stage.rt, 'no-such-code', '您好')
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({
        status: 'failed',
        attempts: 1,
        error: expect.stringContaining('41050'),
      })
    })

    test('that meets a server error is tried again in time', async () => {
      await befriend()
      stage.sim.faults.on('http-500', { path: 'send_welcome_msg', times: 1 })
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'retrying' })
      stage.clock.advance(6000)
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'sent' })
      expect(stage.sim.inbox(guest.id)).toHaveLength(1)
    })

    test('that is too long ends in 「…」 and a link to the whole', async () => {
      await befriend()
      const [row] = await stage.rt.db.select().from(outgoingMessages)
      const [code] = JSON.parse(stage.rt.vault.open(row?.textsSealed as string)) as string[]
      await stage.rt.db.delete(outgoingMessages)
      const whole = '欢迎您，请先看群规。'.repeat(200)
      await sendWelcome(stage.rt, code as string, whole)
      await deliverDue(stage.rt)
      const text = stage.sim.inbox(guest.id).at(-1)?.text as string
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4000)
      const link = /…\n全文：(\S+)$/.exec(text)?.[1] as string
      expect(await (await fetch(link)).text()).toContain(whole)
    })
  })

  test('a customer group that has had this month’s messages is relayed to by hand; the others get theirs', async () => {
    stage.clock.set(new Date('2026-11-10T09:00:00+08:00'))
    await stage.say(officer.id, '帮助')
    const one = await claimGroup(stage, officer, '青农榆阳', '县级青农群')
    const two = await claimGroup(stage, officer, '镇川青年', '团青群 镇川镇')
    await stage.rt.db
      .insert(dailyCounts)
      .values({ key: `mass.group.month:${one.chat.id}`, day: '2026-11-01', count: 30 })
    await stage.say(officer.id, '通知 便民 明天停水，请互相转告。')
    expect(await stage.say(officer.id, '确认')).toContain('已发出')
    await stage.settle()
    const [task] = stage.sim.massTasks(officer.id)
    expect(task?.targets.map(target => target.id)).toEqual([two.chat.id])
    expect(
      await rows(stage, 'select d.route, d.status, d.group_id from deliveries d order by d.group_id'),
    ).toEqual([
      { route: 'relay', status: 'sent', group_id: String(one.number) },
      { route: 'mass', status: 'sent', group_id: String(two.number) },
    ])
    expect(stage.received(officer.id).join()).toContain(`青农榆阳（${one.number}）`)
    await stage.sim.confirmMassTask(officer.id, task?.msgid as string)
    await stage.settle()
    expect(await stage.say(officer.id, '转')).toContain('已登记')
    expect(await rows(stage, 'select distinct status from deliveries')).toEqual([{ status: 'posted' }])
  })
})
