import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { showPresence } from '../../../db/presence.ts'
import { identityOf } from '../../../db/queries/identities.ts'
import { updateOutgoing } from '../../../db/queries/notices.ts'
import {
  claim,
  inTurn,
  letGo,
  lostOutgoing,
  noteCalling,
  retryLost,
  takeOverLost,
} from '../../../db/queries/outgoing.ts'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { sendToPerson } from '../../../server/domain/outgoing/enqueue.ts'
import { recoverInFlight } from '../../../server/jobs/deliver/recover.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { bindFirst, claimGroup, fillMatrix } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

/** What a process had in hand when it died. */
describe('what a killed process leaves behind', () => {
  let stage: Stage
  let officer: SimPerson
  let officerId: number

  const claimAll = async (by: number | null) => {
    const now = stage.clock.now()
    const ids = (await inTurn(stage.rt.db, now, 10)).map(due => due.id)
    await claim(stage.rt.db, ids, now, by)
    return ids
  }
  const newest = () =>
    stage.rt.db.query.outgoingMessages.findFirst({ orderBy: (table, { desc }) => desc(table.id) })
  const recoverAfter = (ms: number) => {
    stage.clock.advance(ms)
    return recoverInFlight(stage.rt)
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, officer, 'qingnong', '610802')
    officerId = (await identityOf(stage.rt.db, 'wecom', 'lin'))?.personId as number
  })
  beforeEach(() => stage.sim.faults.clear())
  afterAll(() => stage.close())

  test('is known as soon as it is gone, and left alone as long as it lives', async () => {
    const alive = await showPresence(stage.databaseUrl)
    await sendToPerson(stage.rt, officerId, 'task', '办一件事')
    await claimAll(alive.number)
    expect(await recoverAfter(60_000)).toBe(0)
    await alive.leave()
    expect(await recoverInFlight(stage.rt)).toBe(1)
    await deliverDue(stage.rt)
    expect(stage.received(officer.id).filter(text => text === '办一件事')).toHaveLength(1)
  })

  test('goes back when its call had not begun, and is uncertain when it had', async () => {
    const dead = await showPresence(stage.databaseUrl)
    await dead.leave()
    await sendToPerson(stage.rt, officerId, 'task', '一个帖子')
    const id = (await newest())?.id as number
    await updateOutgoing(stage.rt.db, id, { kind: 'robot' })
    await claimAll(dead.number)
    expect(await recoverAfter(11_000)).toBe(1)
    expect(await newest()).toMatchObject({ status: 'pending', attempts: 0 })
    await claimAll(dead.number)
    expect(await noteCalling(stage.rt.db, [id], dead.number + 1, stage.clock.now())).toEqual(new Set())
    expect(await noteCalling(stage.rt.db, [id], dead.number, stage.clock.now())).toEqual(new Set([id]))
    await recoverAfter(11_000)
    expect(await newest()).toMatchObject({ status: 'unknown', attempts: 1 })
  })

  test('is taken over by one process of several, and again when that one dies with it', async () => {
    const [dead, one, other] = [
      await showPresence(stage.databaseUrl),
      await showPresence(stage.databaseUrl),
      await showPresence(stage.databaseUrl),
    ]
    await dead.leave()
    const ids: number[] = []
    for (let each = 0; each < 5; each++) {
      await sendToPerson(stage.rt, officerId, 'task', `第${each}件事`)
      ids.push((await newest())?.id as number)
    }
    await claim(stage.rt.db, ids, stage.clock.now(), dead.number)
    stage.clock.advance(11_000)
    const before = new Date(stage.clock.now().getTime() - 10_000)
    const since = { unseen: before, silent: new Date(0) }
    const take = async (who: typeof one) =>
      takeOverLost(stage.rt.db, await lostOutgoing(stage.rt.db, since), who.number)
    const taken = await Promise.all([take(one), take(other)])
    expect(taken.map(rows => rows.length).sort()).toEqual([0, ids.length])
    expect(taken.flat().every(message => message.lostBy === dead.number)).toBe(true)
    const [owner, idle] = taken[0]?.length ? [one, other] : [other, one]
    expect(await take(idle)).toEqual([])
    await owner.leave()
    expect(await take(idle)).toHaveLength(ids.length)
    // the dead one's word counts no more
    await retryLost(stage.rt.db, ids, owner.number, stage.clock.now())
    expect((await newest())?.status).toBe('sending')
    await letGo(stage.rt.db, ids, idle.number)
    await idle.leave()
    expect(await recoverInFlight(stage.rt)).toBe(ids.length)
    expect(await newest()).toMatchObject({ status: 'retrying' })
    await deliverDue(stage.rt)
  })

  describe('of a mass task', () => {
    const tasks = () => stage.sim.massTasks(officer.id)
    const massMessage = () =>
      stage.rt.db.query.outgoingMessages.findFirst({
        where: (table, { eq }) => eq(table.kind, 'mass'),
        orderBy: (table, { desc }) => desc(table.id),
      })
    const notice = async (text: string) => {
      await stage.say(officer.id, `通知 便民 ${text}`)
      await stage.say(officer.id, '确认')
      await deliverDue(stage.rt)
    }

    beforeAll(async () => {
      await claimGroup(stage, officer, '青农榆阳', '县级青农群')
    })

    test('the platform is asked: one whose answer was lost is not made twice', async () => {
      stage.sim.faults.on('answers-lost', { path: 'add_msg_template', times: 1 })
      await notice('明天停水，请互相转告。')
      expect(await massMessage()).toMatchObject({ status: 'sending' })
      await recoverAfter(11_000)
      expect(tasks()).toHaveLength(1)
      expect(await massMessage()).toMatchObject({ status: 'sent', platformId: tasks()[0]?.msgid })
    })

    test('also when our own address, which stands below the words, was changed meanwhile', async () => {
      stage.sim.faults.on('answers-lost', { path: 'add_msg_template', times: 1 })
      await notice('大后天停气，请互相转告。')
      const made = tasks().length
      const address = stage.rt.publicUrl
      stage.rt.publicUrl = 'https://new.example.cn'
      await recoverAfter(11_000)
      await recoverAfter(21_000)
      stage.rt.publicUrl = address
      expect(tasks()).toHaveLength(made)
      expect(await massMessage()).toMatchObject({ status: 'sent' })
      stage.sim.faults.clear()
    })

    test('one that was never made is made, once the platform has had time to list it', async () => {
      stage.sim.faults.on('http-500', { path: 'add_msg_template', times: 1 })
      const made = tasks().length
      await notice('后天停电，请互相转告。')
      await recoverAfter(11_000)
      expect(await massMessage()).toMatchObject({ status: 'sending' })
      await recoverAfter(11_000)
      await deliverDue(stage.rt)
      expect(tasks()).toHaveLength(made + 1)
      expect(await massMessage()).toMatchObject({ status: 'sent' })
    })

    test('of several with one owner each is given its own', async () => {
      const before = tasks().length
      for (const text of [
        '一号通知：请收看公开课。',
        '二号通知：请报送名单。',
        '一号通知：请收看公开课。\n地点：礼堂',
      ]) {
        stage.sim.faults.on('answers-lost', { path: 'add_msg_template', times: 1 })
        await notice(text)
        // what goes to one person waits for a minute for what is lost on its way to them
        stage.clock.advance(61_000)
      }
      const made = tasks().slice(before)
      await recoverAfter(11_000)
      const rows = await stage.rt.db.query.outgoingMessages.findMany({
        where: (table, { eq }) => eq(table.kind, 'mass'),
        orderBy: (table, { desc }) => desc(table.id),
        limit: 3,
      })
      expect(made).toHaveLength(3)
      expect(rows.map(row => [row.status, row.platformId]).reverse()).toEqual(
        made.map(task => ['sent', task.msgid]),
      )
    })

    test('one whose owner has another under way waits: the tasks would look the same', async () => {
      stage.sim.faults.on('answers-lost', { path: 'add_msg_template', times: 1 })
      stage.clock.advance(61_000)
      await notice('今晚停水，请互相转告。')
      const id = (await massMessage())?.id as number
      await stage.rt.db.execute(sql`
        insert into outgoing_messages (kind, person_id, purpose, texts_sealed, status, claimed_at, claimed_by, next_attempt_at, created_at)
        select kind, person_id, purpose, texts_sealed, 'sending', claimed_at, -5, next_attempt_at, created_at
        from outgoing_messages where id = ${id}`)
      stage.clock.advance(9_000)
      await stage.rt.db.execute(
        sql`update outgoing_messages set claimed_at = ${stage.clock.now().toISOString()} where claimed_by = -5`,
      )
      await recoverAfter(2000)
      const state = () =>
        stage.rt.db.query.outgoingMessages.findFirst({ where: (table, { eq }) => eq(table.id, id) })
      expect(await state()).toMatchObject({ status: 'sending' })
      await stage.rt.db.execute(sql`delete from outgoing_messages where claimed_by = -5`)
      await recoverInFlight(stage.rt)
      expect(await state()).toMatchObject({ status: 'sent', platformId: tasks().at(-1)?.msgid })
    })
  })
})

test('a small urgent notice does not wait behind a large one, nor one unit behind another', async () => {
  const stage = await openStage()
  try {
    await fillMatrix(stage)
    const { db } = stage.rt
    const now = stage.clock.now()
    const at = `'${now.toISOString()}'::timestamptz`
    await db.execute(`
      insert into notices (programme, unit_id, author_id, body, category, importance, issued_at, deadline_at)
      select 'qingnong', (select id from units where code = code_of and programme = 'qingnong'), (select min(id) from persons),
        code_of, '其他', importance, ${at}, ${at}
      from (values ('610800', 'normal'), ('610802', 'normal'), ('610825', 'urgent')) as n (code_of, importance)`)
    const rows = (body: string, count: number, due: number) =>
      db.execute(`
        insert into outgoing_messages (kind, notice_id, purpose, texts_sealed, status, next_attempt_at, created_at)
        select 'robot', (select id from notices where body = '${body}'), 'notice', '', 'pending', ${at} - ${due} * interval '1 s', ${at}
        from generate_series(1, ${count})`)
    await rows('610800', 50, 30)
    await rows('610802', 2, 20)
    await rows('610825', 2, 10)
    const bodies = new Map((await db.query.notices.findMany()).map(notice => [notice.id, notice.body]))
    const messages = new Map(
      (await db.query.outgoingMessages.findMany()).map(message => [
        message.id,
        bodies.get(message.noticeId ?? 0),
      ]),
    )
    const first = (await inTurn(db, now, 20)).slice(0, 6).map(due => messages.get(due.id))
    expect(first).toEqual(['610825', '610825', '610800', '610802', '610800', '610802'])
  } finally {
    await stage.close()
  }
})
