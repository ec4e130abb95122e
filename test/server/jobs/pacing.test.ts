import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openAlarms } from '../../../db/queries/alarms.ts'
import { identityOf } from '../../../db/queries/identities.ts'
import { claim, inTurn } from '../../../db/queries/outgoing.ts'
import { reachableToday } from '../../../db/queries/windows.ts'
import { dailyCounts, identities, outgoingMessages } from '../../../db/schema/index.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { sendToIdentity, sendToPerson } from '../../../server/domain/outgoing/enqueue.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { bindFirst, bindThrough, fillMatrix } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

/** What the platforms lose or refuse when it comes too fast never gets that far. */
describe('sending within the limits', () => {
  let stage: Stage
  let officer: SimPerson
  let owner: SimPerson
  let officerId: number
  let ownerId: number

  const accountOf = async (channel: string, address: string) => {
    const account = await identityOf(stage.rt.db, channel, address)
    if (!account) throw new Error(`no account ${address}`)
    return account
  }
  const messages = () => stage.rt.db.query.outgoingMessages.findMany({ orderBy: (t, { asc }) => asc(t.id) })
  const newest = async () => (await messages()).at(-1)
  const dropped = () => stage.sim.log.filter(entry => entry.kind === 'dropped')
  const calls = (path: string) =>
    stage.sim.log.filter(entry => entry.kind === 'api' && String(entry.path).includes(path)).length
  /** Two processes, again and again. */
  const deliverFor = async (seconds: number, step: number) => {
    for (let passed = 0; passed < seconds; passed += step) {
      await Promise.all([deliverDue(stage.rt), deliverDue(stage.rt)])
      stage.clock.advance(step * 1000)
    }
  }
  const receivedSince = (person: SimPerson, count: number) => stage.received(person.id).slice(count)

  beforeAll(async () => {
    stage = await openStage({ env: { WECOM_ACCOUNT_CAP: '1' } })
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin', openId: 'o-lin' })
    owner = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, officer, 'qingnong', '610802')
    await bindThrough(stage, officer, owner)
    officerId = (await accountOf('wecom', 'lin')).personId as number
    ownerId = (await accountOf('official-account', 'o-wang')).personId as number
  })
  beforeEach(async () => {
    stage.sim.faults.clear()
    stage.clock.advance(3600_000)
    await stage.rt.db.delete(outgoingMessages)
    await stage.rt.db.delete(dailyCounts)
  })
  afterAll(() => stage.close())

  test('sixty messages to one member: none is lost, they come in order, and none was tried in vain', async () => {
    const before = stage.received(officer.id).length
    const texts = Array.from({ length: 60 }, (_, index) => `第 ${index} 条`)
    for (const text of texts) await sendToPerson(stage.rt, officerId, 'task', text)
    await deliverFor(60, 2)
    const afterAMinute = receivedSince(officer, before)
    expect(afterAMinute.length).toBeGreaterThan(15)
    expect(afterAMinute.length).toBeLessThanOrEqual(30)
    await deliverFor(400, 7)
    expect(receivedSince(officer, before)).toEqual(texts)
    expect(dropped()).toEqual([])
    expect(new Set((await messages()).map(message => message.attempts))).toEqual(new Set([1]))
  })

  test('who waits for an answer does not wait behind reports', async () => {
    const before = stage.received(officer.id).length
    for (let index = 0; index < 20; index++)
      await sendToPerson(stage.rt, officerId, 'report', `月报 ${index}`)
    await deliverDue(stage.rt)
    for (const text of ['答复一', '答复二']) await sendToPerson(stage.rt, officerId, 'reply', text)
    await sendToPerson(stage.rt, officerId, 'report', '后来的月报')
    await deliverDue(stage.rt)
    expect(receivedSince(officer, before).slice(-3)).toEqual(['月报 14', '答复一', '答复二'])
    await deliverFor(120, 7)
    expect(receivedSince(officer, before).slice(-6)).toEqual([
      ...Array.from({ length: 5 }, (_, index) => `月报 ${15 + index}`),
      '后来的月报',
    ])
  })

  test('a person’s messages are claimed one at a time, whoever asks', async () => {
    for (const text of ['一', '二', '三']) await sendToPerson(stage.rt, officerId, 'task', text)
    await sendToPerson(stage.rt, ownerId, 'task', '别人的')
    const claimNow = async () => {
      const now = stage.clock.now()
      const claimed = await claim(
        stage.rt.db,
        (await inTurn(stage.rt.db, now, 12)).map(due => due.id),
        now,
      )
      return claimed.map(message => message.id).sort((a, b) => a - b)
    }
    const all = (await messages()).map(message => message.id)
    expect(await claimNow()).toEqual([all[0], all[3]])
    expect(await claimNow()).toEqual([])
    // its process is dead: those behind it go on
    stage.clock.advance(61_000)
    expect(await claimNow()).toEqual([all[1]])
  })

  test('when the app’s day is used up: the other account, otherwise tomorrow, and operators know', async () => {
    await stage.say(officer.id, '帮助', 'officialAccount')
    const official = await accountOf('official-account', 'o-lin')
    await stage.rt.db.insert(dailyCounts).values({ key: 'wecom.app.day', day: today(), count: 200 })
    const sent = calls('message/send')
    const { id } = await accountOf('wecom', 'lin')
    await sendToIdentity(stage.rt, id, 'task', '只有企业微信')
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({
      status: 'pending',
      attempts: 0,
      nextAttemptAt: new Date(Date.parse(`${today()}T00:00:00+08:00`) + 86_400_000),
      error: expect.stringContaining('额度已用完'),
    })
    expect(calls('message/send')).toBe(sent)
    expect(await openAlarms(stage.rt.db)).toMatchObject([
      { cause: 'quota:wecom.app.day', words: expect.stringContaining('企业微信应用消息') },
    ])
    await stage.rt.db.update(identities).set({ personId: officerId }).where(eq(identities.id, official.id))
    await sendToPerson(stage.rt, officerId, 'task', '还有公众号')
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({ status: 'sent' })
    expect(stage.sim.inbox(officer.id).at(-1)).toMatchObject({ text: '还有公众号', via: 'officialAccount' })
    stage.clock.advance(86_400_000)
    await deliverDue(stage.rt)
    expect(stage.received(officer.id).at(-1)).toBe('只有企业微信')
  })

  const today = () => new Date(stage.clock.now().getTime() + 8 * 3600_000).toISOString().slice(0, 10)

  describe('the window of an Official Account', () => {
    const windowOf = async () => {
      const { windowEndsAt, windowLeft } = await accountOf('official-account', 'o-wang')
      return { windowEndsAt, windowLeft }
    }
    /** The owner writes; that this opens the window is noted behind the answer. */
    const ownerWrites = async () => {
      await stage.say(owner.id, '帮助')
      const end = stage.clock.now().getTime() + 48 * 3600_000
      await expect.poll(async () => (await windowOf()).windowEndsAt?.getTime()).toBe(end)
    }
    const setWindow = (minutes: number, left: number) =>
      stage.rt.db
        .update(identities)
        .set({ windowEndsAt: new Date(stage.clock.now().getTime() + minutes * 60_000), windowLeft: left })
        .where(eq(identities.address, 'o-wang'))

    test('is counted down, and when it is empty the person is called once without a try', async () => {
      await ownerWrites()
      await setWindow(60, 2)
      const [messagesBefore, templatesBefore] = [calls('custom/send'), calls('template/send')]
      for (const text of ['一', '二', '三', '四']) await sendToPerson(stage.rt, ownerId, 'task', text)
      await deliverDue(stage.rt)
      expect((await messages()).map(message => message.status)).toEqual([
        'sent',
        'sent',
        'waiting',
        'waiting',
      ])
      expect(await windowOf()).toMatchObject({ windowLeft: 0 })
      expect([calls('custom/send') - messagesBefore, calls('template/send') - templatesBefore]).toEqual([
        2, 1,
      ])
    })

    test('stays closed: a day later one more call goes out, for all that waits', async () => {
      await setWindow(-1, 5)
      const before = calls('template/send')
      for (let hour = 0; hour < 30; hour++) {
        await sendToPerson(stage.rt, ownerId, 'task', `第 ${hour} 小时`)
        await deliverDue(stage.rt)
        stage.clock.advance(3600_000)
      }
      expect(calls('template/send') - before).toBe(2)
    })

    test('over in time: straight to the template', async () => {
      await setWindow(-1, 5)
      const before = calls('custom/send')
      await sendToPerson(stage.rt, ownerId, 'task', '窗口已过')
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'waiting' })
      expect(calls('custom/send')).toBe(before)
    })

    test.each([
      ['that the platform sees closed is closed', 60, 5],
      ['that was never seen is asked about, once', null, null],
    ])('%s', async (_name, minutes, left) => {
      stage.clock.advance(49 * 3600_000)
      if (minutes === null)
        await stage.rt.db
          .update(identities)
          .set({ windowEndsAt: null, windowLeft: null })
          .where(eq(identities.address, 'o-wang'))
      else await setWindow(minutes, left as number)
      const before = calls('custom/send')
      for (const text of ['一', '二']) await sendToPerson(stage.rt, ownerId, 'task', text)
      await deliverDue(stage.rt)
      expect(calls('custom/send') - before).toBe(1)
      expect(await windowOf()).toMatchObject({ windowLeft: 0, windowEndsAt: expect.any(Date) })
      expect((await messages()).map(message => message.status)).toEqual(['waiting', 'waiting'])
    })

    test('gets back what did not go out', async () => {
      await ownerWrites()
      await setWindow(60, 3)
      stage.sim.faults.on('quota-exhausted', { path: 'custom/send', times: 1 })
      await sendToPerson(stage.rt, ownerId, 'task', '太快了')
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'retrying' })
      expect(await windowOf()).toMatchObject({ windowLeft: 3 })
      stage.clock.advance(60_000)
      await deliverDue(stage.rt)
      expect(await windowOf()).toMatchObject({ windowLeft: 2 })
    })

    test('by many at once gives out no more than it holds', async () => {
      await setWindow(60, 3)
      const { id } = await accountOf('official-account', 'o-wang')
      for (let index = 0; index < 8; index++) await sendToIdentity(stage.rt, id, 'reply', `第 ${index}`)
      await Promise.all([1, 2, 3].map(() => deliverDue(stage.rt)))
      expect((await messages()).filter(message => message.status === 'sent')).toHaveLength(3)
    })

    test('is what tells operators whom they reach today', async () => {
      await setWindow(60, 4)
      expect(await reachableToday(stage.rt.db, stage.clock.now())).toMatchObject({
        byMessage: 1,
        messagesLeft: 4,
      })
      await setWindow(60, 0)
      expect(await reachableToday(stage.rt.db, stage.clock.now())).toEqual({
        byMessage: 0,
        messagesLeft: 0,
        // the officer's, too, by now
        byTemplateOnly: 2,
        notAtAll: 0,
      })
      await stage.rt.db.update(identities).set({ isReachable: false }).where(eq(identities.address, 'o-wang'))
      expect(await reachableToday(stage.rt.db, stage.clock.now())).toMatchObject({
        byTemplateOnly: 1,
        notAtAll: 1,
      })
    })
  })
})
