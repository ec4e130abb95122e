import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identityOf } from '../../../db/queries/identities.ts'
import { inTurn } from '../../../db/queries/outgoing.ts'
import { deliveries, groups, identities, outgoingMessages } from '../../../db/schema/index.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { askPlatform, sendToIdentity, sendToPerson } from '../../../server/domain/outgoing/enqueue.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { bindFirst, bindThrough, fillMatrix } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What passes is waited for; what cannot be undone is not done twice; who waits does not wait for the others. */
describe('when a platform makes trouble', () => {
  let stage: Stage
  let officer: SimPerson
  let owner: SimPerson
  let officerId: number
  let ownerId: number

  const messages = () => stage.rt.db.query.outgoingMessages.findMany({ orderBy: (t, { asc }) => asc(t.id) })
  const newest = async () => (await messages()).at(-1)
  const calls = (path: string) =>
    stage.sim.log.filter(entry => entry.kind === 'api' && String(entry.path).includes(path)).length
  const deliverIn = async (ms: number) => {
    stage.clock.advance(ms)
    await deliverDue(stage.rt)
  }
  const minutesToRetry = async () =>
    (((await newest())?.nextAttemptAt.getTime() ?? 0) - stage.clock.now().getTime()) / MINUTE

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    owner = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, officer, 'qingnong', '610802')
    await bindThrough(stage, officer, owner)
    officerId = (await identityOf(stage.rt.db, 'wecom', 'lin'))?.personId as number
    ownerId = (await identityOf(stage.rt.db, 'official-account', 'o-wang'))?.personId as number
  })
  beforeEach(async () => {
    stage.sim.faults.clear()
    stage.clock.advance(HOUR)
    await stage.rt.db.update(deliveries).set({ outgoingId: null })
    await stage.rt.db.delete(outgoingMessages)
  })
  afterAll(() => stage.close())

  describe('a message to a person', () => {
    test('is held while an operator sees to a setting: ten minutes, then hourly, for a day', async () => {
      stage.sim.faults.on('ip-refused', { path: 'message/send' })
      await sendToPerson(stage.rt, officerId, 'task', '等名单改好')
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'retrying', error: '平台拒绝（60020）' })
      expect(await minutesToRetry()).toBe(10)
      await deliverIn(10 * MINUTE)
      expect(await minutesToRetry()).toBe(60)
      for (let hour = 0; hour < 20; hour++) await deliverIn(HOUR)
      expect(await newest()).toMatchObject({ status: 'retrying', attempts: 22 })
      stage.sim.faults.clear()
      await deliverIn(HOUR)
      expect(await newest()).toMatchObject({ status: 'sent' })
    })

    test('fails when nobody sees to it for a day', async () => {
      stage.sim.faults.on('no-permission', { path: 'message/send' })
      await sendToPerson(stage.rt, officerId, 'task', '没人管')
      for (let hour = 0; hour <= 25; hour++) await deliverIn(HOUR)
      expect(await newest()).toMatchObject({ status: 'failed', error: '平台拒绝（48002）' })
    })

    test('survives half a day without an answer', async () => {
      stage.sim.faults.on('http-500', { path: 'message/send' })
      await sendToPerson(stage.rt, officerId, 'task', '半天不通')
      for (let passed = 0; passed < 12 * HOUR; passed += 5 * MINUTE) await deliverIn(5 * MINUTE)
      expect(await newest()).toMatchObject({ status: 'retrying' })
      expect((await newest())?.attempts).toBeGreaterThan(12)
      stage.sim.faults.clear()
      await deliverIn(HOUR)
      expect(await newest()).toMatchObject({ status: 'sent' })
    })

    test('is checked for duplicates from the second attempt on', async () => {
      stage.sim.faults.on('answers-lost', { path: 'message/send', times: 3 })
      await sendToPerson(stage.rt, officerId, 'task', '应答丢了')
      await deliverDue(stage.rt)
      for (const seconds of [6, 21, 61]) await deliverIn(seconds * 1000)
      expect(await newest()).toMatchObject({ status: 'sent', attempts: 4 })
      // the first went without the check, which compares whole requests; all others are one
      expect(stage.received(officer.id).filter(text => text === '应答丢了')).toHaveLength(2)
    })

    test('calls the person once although an answer was lost, and again when they came and left', async () => {
      stage.clock.advance(49 * HOUR)
      const called = () => stage.sim.inbox(owner.id).filter(({ kind }) => kind.includes('template')).length
      const before = called()
      stage.sim.faults.on('answers-lost', { path: 'template/send', times: 1 })
      await sendToPerson(stage.rt, ownerId, 'task', '叫一次')
      await deliverDue(stage.rt)
      await deliverIn(6000)
      expect(await newest()).toMatchObject({ status: 'waiting' })
      expect(called() - before).toBe(1)
      await deliverIn(25 * HOUR)
      const { id } = (await newest()) ?? {}
      const again = { status: 'pending', attempts: 0, nextAttemptAt: stage.clock.now() }
      await stage.rt.db
        .update(outgoingMessages)
        .set(again)
        .where(eq(outgoingMessages.id, id as number))
      await deliverDue(stage.rt)
      expect(called() - before).toBe(2)
    })
  })

  test('a welcome whose answer was lost has been sent', async () => {
    const guest = stage.sim.addPerson({ name: '张客', externalUserId: 'wm-guest' })
    await stage.sim.befriend(officer.id, guest.id)
    await stage.sim.idle()
    stage.sim.faults.on('answers-lost', { path: 'send_welcome_msg', times: 1 })
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({ kind: 'welcome', status: 'retrying' })
    await deliverIn(6000)
    expect(await newest()).toMatchObject({ status: 'sent', attempts: 2 })
    expect(stage.sim.inbox(guest.id)).toHaveLength(1)
  })

  test('refused credentials are not tried again by every message', async () => {
    const fresh = await openStage({ env: { WECOM_SECRET: 'wrong-secret' } })
    try {
      await fillMatrix(fresh)
      await bindFirst(
        fresh,
        fresh.sim.addPerson({ name: '林县书', wecomUserId: 'lin' }),
        'qingnong',
        '610802',
      )
      const personId = (await identityOf(fresh.rt.db, 'wecom', 'lin'))?.personId as number
      const fetched = () =>
        fresh.sim.log.filter(entry => entry.kind === 'api' && String(entry.path).includes('gettoken')).length
      const before = fetched()
      for (let index = 0; index < 5; index++) await sendToPerson(fresh.rt, personId, 'task', `第 ${index} 条`)
      await fresh.settle()
      expect(fetched() - before).toBe(1)
      fresh.clock.advance(10 * MINUTE)
      await fresh.settle()
      expect(fetched() - before).toBe(2)
      const stored = await fresh.rt.db.query.outgoingMessages.findMany()
      expect(stored.map(({ status, attempts }) => [status, attempts])).toEqual(Array(5).fill(['retrying', 2]))
    } finally {
      await fresh.close()
    }
  })

  test('one that does not answer is left alone for half a minute; the other goes on', async () => {
    for (let index = 0; index < 30; index++) {
      const address = `member${index}`
      stage.sim.addPerson({ name: `成员${index}`, wecomUserId: address })
      const [account] = await stage.rt.db
        .insert(identities)
        .values({ channel: 'wecom', address, createdAt: stage.clock.now() })
        .returning({ id: identities.id })
      await sendToIdentity(stage.rt, account?.id as number, 'task', '大家好')
    }
    await stage.say(owner.id, '帮助')
    await sendToPerson(stage.rt, ownerId, 'report', '公众号照发')
    stage.sim.faults.on('http-500', { path: 'message/send' })
    const before = calls('message/send')
    await deliverDue(stage.rt)
    expect(calls('message/send') - before).toBeLessThan(20)
    const untried = (await messages()).filter(message => message.attempts === 0)
    expect(untried.length).toBeGreaterThan(10)
    expect(await newest()).toMatchObject({ status: 'sent' })
    stage.sim.faults.clear()
    const meanwhile = calls('message/send')
    await deliverIn(20_000)
    expect(calls('message/send')).toBe(meanwhile)
    await deliverIn(11_000)
    expect((await messages()).map(({ status }) => status)).toEqual(Array(31).fill('sent'))
  })

  test('who waits at the other end goes first, then work, then the rest', async () => {
    const now = stage.clock.now()
    const row = { textsSealed: 'x', status: 'pending', createdAt: now }
    const kinds: [kind: string, purpose: string][] = [
      ['person', 'relay'],
      ['robot', 'notice'],
      ['person', 'report'],
      ['person', 'task'],
      ['join_pass', 'pass'],
      ['person', 'escalation'],
      ['person', 'reply'],
      ['response', 'reply'],
      ['welcome', 'welcome'],
    ]
    await stage.rt.db.insert(outgoingMessages).values(
      kinds.map(([kind, purpose], index) => ({
        ...row,
        kind,
        purpose,
        nextAttemptAt: new Date(now.getTime() - 1000 + index),
      })),
    )
    const all = new Map((await messages()).map(message => [message.id, message]))
    const listed = await inTurn(stage.rt.db, now, 10)
    expect(listed.map(due => all.get(due.id)?.purpose)).toEqual([
      'reply',
      'reply',
      'welcome',
      'task',
      'pass',
      'escalation',
      'relay',
      'notice',
      'report',
    ])
    expect(listed[1]?.channel).toBe('aibot')
    expect((await inTurn(stage.rt.db, now, 1)).map(due => due.channel).sort()).toEqual([
      'aibot',
      'official-account',
      'wecom',
    ])
  })

  test('a run takes no more when the server stops, or when its time is over', async () => {
    await sendToPerson(stage.rt, officerId, 'task', '下一轮')
    expect(await deliverDue(stage.rt, { signal: AbortSignal.abort() })).toBe(0)
    expect(await deliverDue(stage.rt, { runMs: 0 })).toBe(0)
    expect(await newest()).toMatchObject({ status: 'pending', attempts: 0 })
    const stop = new AbortController()
    stage.sim.faults.on('slow-answers', { path: 'message/send', ms: 300 })
    const run = deliverDue(stage.rt, { signal: stop.signal })
    await expect.poll(async () => (await newest())?.status).toBe('sending')
    await sendToPerson(stage.rt, ownerId, 'task', '停了')
    stop.abort()
    expect(await run).toBe(1)
    expect((await messages()).map(({ status }) => status)).toEqual(['sent', 'pending'])
  })

  describe('a group', () => {
    let groupId: number
    let chat: { id: string }

    test('gets a post once although our own database failed before the call', async () => {
      chat = stage.sim.createGroup({ kind: 'internal', name: '青农榆阳', ownerId: officer.id })
      await stage.say(officer.id, `建群 县级青农群 机器人群 30人 青农榆阳 ${stage.sim.addRobot(chat.id)}`)
      await stage.say(officer.id, '通知 便民 明天停水，请互相转告。')
      await stage.say(officer.id, '确认')
      await stage.rt.db.execute(
        `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
      )
      await stage.rt.db.execute(
        'create trigger refuse before insert or update on pacing for each row execute function refuse()',
      )
      await deliverDue(stage.rt)
      const robot = async () => (await messages()).find(message => message.kind === 'robot')
      expect(await robot()).toMatchObject({ status: 'retrying' })
      await stage.rt.db.execute('drop trigger refuse on pacing')
      await deliverIn(6000)
      expect(await robot()).toMatchObject({ status: 'sent' })
      expect(stage.sim.group(chat.id).posts).toHaveLength(1)
      groupId = (await robot())?.groupId as number
    })

    test('whose post has no answer is not posted to again', async () => {
      stage.sim.faults.on('answers-lost', { path: 'webhook/send', times: 1 })
      await stage.say(officer.id, '通知 便民 后天停电，请互相转告。')
      await stage.say(officer.id, '确认')
      await deliverDue(stage.rt)
      await deliverIn(HOUR)
      expect((await messages()).find(message => message.kind === 'robot')).toMatchObject({
        status: 'unknown',
      })
      expect(stage.sim.group(chat.id).posts).toHaveLength(2)
    })

    test('of the app that was made already is taken as made', async () => {
      stage.sim.addPerson({ name: '另一位', wecomUserId: 'another' })
      const wanted = { chatId: 'qunzhen77', name: '应用群', owner: 'lin', members: ['lin', 'another'] }
      stage.sim.faults.on('answers-lost', { path: 'appchat/create', times: 1 })
      const make = () => stage.rt.channels.wecom?.createAppChat(wanted)
      await expect(make()).rejects.toMatchObject({ reason: 'unreachable' })
      expect(await make()).toBe('qunzhen77')
    })

    test('that was dissolved is not made', async () => {
      await stage.rt.db.update(groups).set({ dissolvedAt: stage.clock.now() }).where(eq(groups.id, groupId))
      const before = calls('appchat/create')
      await askPlatform(stage.rt, { kind: 'create_appchat', groupId, personId: officerId })
      await deliverDue(stage.rt)
      expect(await newest()).toMatchObject({ status: 'failed', error: '群已解散' })
      expect(calls('appchat/create')).toBe(before)
    })
  })
})
