import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identityOf } from '../../../db/queries/identities.ts'
import { updateOutgoing } from '../../../db/queries/notices.ts'
import { claim, inTurn } from '../../../db/queries/outgoing.ts'
import { personsNamed } from '../../../db/queries/persons.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { nameKey } from '../../../server/domain/names/name-key.ts'
import { sendToPerson } from '../../../server/domain/outgoing/enqueue.ts'
import { recoverInFlight } from '../../../server/jobs/deliver/recover.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { startSchedule } from '../../../server/jobs/schedule.ts'
import { bindFirst, bindThrough, fillMatrix } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

/** One message on its way, and what each kind of trouble makes of it. */
describe('sending', () => {
  let stage: Stage
  let officer: SimPerson
  let owner: SimPerson
  let officerId: number
  let ownerId: number

  const personIdOf = async (address: string) => {
    const found =
      (await identityOf(stage.rt.db, 'wecom', address)) ??
      (await identityOf(stage.rt.db, 'official-account', address))
    return found?.personId as number
  }
  /** Status of the newest outgoing message. */
  const newest = async () => {
    const [row] = await stage.rt.db.query.outgoingMessages.findMany({
      orderBy: (table, { desc }) => desc(table.id),
      limit: 1,
    })
    return row
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    owner = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, officer, 'qingnong', '610802')
    await bindThrough(stage, officer, owner)
    officerId = await personIdOf('lin')
    ownerId = await personIdOf('o-wang')
  })
  beforeEach(() => stage.sim.faults.clear())
  afterAll(() => stage.close())

  test('a message goes to the WeCom account', async () => {
    await sendToPerson(stage.rt, officerId, 'task', '第一条')
    expect(await deliverDue(stage.rt)).toBe(1)
    expect(stage.received(officer.id).at(-1)).toBe('第一条')
    expect(await newest()).toMatchObject({ status: 'sent', attempts: 1 })
    expect(await deliverDue(stage.rt)).toBe(0)
  })

  test('a long text arrives whole, in parts that fit, in order', async () => {
    const text = `开头${'这一句话有十几个字。'.repeat(150)}结尾`
    await sendToPerson(stage.rt, officerId, 'task', text)
    await stage.settle()
    const parts = stage.received(officer.id).slice(-3)
    expect(parts.join('')).toContain('结尾')
    expect(parts.slice(-3).join('').endsWith(text.slice(-1200))).toBe(true)
    expect(stage.sim.log.filter(entry => entry.kind === 'cut')).toEqual([])
  })

  test('a server error is tried again later and not given up', async () => {
    stage.sim.faults.on('http-500', { path: 'message/send', times: 2 })
    await sendToPerson(stage.rt, officerId, 'task', '再试一次')
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({ status: 'retrying', attempts: 1 })
    expect(await deliverDue(stage.rt)).toBe(0)
    for (let minute = 0; minute < 3; minute++) {
      stage.clock.advance(60_000)
      await deliverDue(stage.rt)
    }
    expect(await newest()).toMatchObject({ status: 'sent', attempts: 3 })
    expect(stage.received(officer.id).filter(text => text === '再试一次')).toHaveLength(1)
  })

  test('a void token is fetched anew, once', async () => {
    stage.sim.faults.on('token-void')
    await sendToPerson(stage.rt, officerId, 'task', '令牌失效')
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({ status: 'sent', attempts: 1 })
  })

  test('an Official Account owner outside the window is called by a template message', async () => {
    stage.clock.advance(49 * 3600_000)
    await sendToPerson(stage.rt, ownerId, 'task', '窗口外')
    await stage.settle()
    expect(await newest()).toMatchObject({ status: 'waiting' })
    const last = stage.sim.inbox(owner.id).at(-1)
    expect(last?.kind).toContain('template')
    expect(stage.received(owner.id)).not.toContain('窗口外')
    await stage.say(owner.id, '好')
    await stage.settle()
    expect(stage.received(owner.id).at(-1)).toBe('窗口外')
    await sendToPerson(stage.rt, ownerId, 'task', '窗口内')
    await stage.settle()
    expect(stage.received(owner.id).at(-1)).toBe('窗口内')
  })

  test('somebody without an account fails plainly', async () => {
    const [nobody] = await personsNamed(stage.rt.db, '/', nameKey('贺圈书'))
    await sendToPerson(stage.rt, nobody?.personId as number, 'task', '到不了')
    await deliverDue(stage.rt)
    expect(await newest()).toMatchObject({ status: 'failed', error: expect.stringContaining('没有绑定') })
  })

  test('what was in flight when its process died: a person gets it again, a group post becomes unknown', async () => {
    await sendToPerson(stage.rt, officerId, 'task', '进程死了')
    const now = stage.clock.now()
    const [claimed] = await claim(
      stage.rt.db,
      (await inTurn(stage.rt.db, now, 10)).map(due => due.id),
      now,
    )
    expect(await recoverInFlight(stage.rt)).toBe(0)
    stage.clock.advance(16 * 60_000)
    expect(await recoverInFlight(stage.rt)).toBe(1)
    await deliverDue(stage.rt)
    expect(stage.received(officer.id).filter(text => text === '进程死了')).toHaveLength(1)
    await updateOutgoing(stage.rt.db, claimed?.id as number, {
      kind: 'robot',
      status: 'sending',
      claimedAt: new Date(0),
    })
    await recoverInFlight(stage.rt)
    expect(await newest()).toMatchObject({ status: 'unknown' })
    expect(await deliverDue(stage.rt)).toBe(0)
  })

  test('a post that could not be recorded is not sent again', async () => {
    const chat = stage.sim.createGroup({ kind: 'internal', name: '青农榆阳', ownerId: officer.id })
    await stage.say(officer.id, `建群 县级青农群 机器人群 30人 青农榆阳 ${stage.sim.addRobot(chat.id)}`)
    await stage.say(officer.id, '通知 便民 明天停水，请互相转告。')
    await stage.say(officer.id, '确认')
    await stage.rt.db.execute(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
    )
    await stage.rt.db.execute(
      'create trigger refuse before insert on receipts for each row execute function refuse()',
    )
    await stage.settle()
    await stage.rt.db.execute('drop trigger refuse on receipts')
    stage.clock.advance(16 * 60_000)
    await recoverInFlight(stage.rt)
    await stage.settle()
    expect(stage.sim.group(chat.id).posts).toHaveLength(1)
    const delivery = await stage.rt.db.query.deliveries.findFirst()
    expect(delivery).toMatchObject({ route: 'robot', status: 'unknown' })
    // the owner looks into the group and says that it is there
    expect(await stage.say(officer.id, '转')).toContain('已登记')
    expect(await stage.rt.db.query.deliveries.findFirst()).toMatchObject({ status: 'posted' })
  })

  test('two workers at once send each message once', async () => {
    for (let number = 0; number < 30; number++)
      await sendToPerson(stage.rt, number % 2 ? officerId : ownerId, 'task', `并发 ${number}`)
    const taken = await Promise.all([deliverDue(stage.rt), deliverDue(stage.rt), deliverDue(stage.rt)])
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(30)
    await stage.settle()
    const texts = [...stage.received(officer.id), ...stage.received(owner.id)].filter(text =>
      text.startsWith('并发 '),
    )
    expect(new Set(texts).size).toBe(texts.length)
  })

  test('the schedule does it by itself, in two processes and once', async () => {
    const schedules = await Promise.all(
      [1, 2].map(() => startSchedule(stage.rt, stage.updates, stage.databaseUrl)),
    )
    // the thirty messages before have used up what this person may be sent at once
    stage.clock.advance(60_000)
    await sendToPerson(stage.rt, officerId, 'task', '自己发生')
    await expect
      .poll(() => stage.received(officer.id).includes('自己发生'), { timeout: 20_000, interval: 100 })
      .toBe(true)
    for (const schedule of schedules) await schedule.stop()
    expect(stage.received(officer.id).filter(text => text === '自己发生')).toHaveLength(1)
  }, 60_000)
})
