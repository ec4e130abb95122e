import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { identityOf } from '../../db/queries/identities.ts'
import { reachOfNotices } from '../../db/queries/notice-counts.ts'
import { insertNotice, type NoticeAudience } from '../../db/queries/notices.ts'
import { inTurn } from '../../db/queries/outgoing.ts'
import { rolesOf } from '../../db/queries/persons.ts'
import { unitByCode } from '../../db/queries/units.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { beginMissedLevels } from '../../server/domain/notices/by-level.ts'
import { correctNotice } from '../../server/domain/notices/correct.ts'
import { escalateDue } from '../../server/domain/notices/escalate.ts'
import { handOverDeliveries } from '../../server/domain/notices/hand-over.ts'
import { issueNotice, type NoticeInput, planReach } from '../../server/domain/notices/issue.ts'
import { withdrawNotice } from '../../server/domain/notices/withdraw.ts'
import { countNotices, recountEnded } from '../../server/jobs/count-notices.ts'
import { deliverDue } from '../../server/jobs/deliver.ts'
import { inTransaction } from '../../server/runtime.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage, toMorning } from '../support/stage.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

/** The whole matrix of a city, with a group of each kind; sizes are powers of two, so that a sum of people names the groups. */
const GROUPS = {
  city: { unit: '610800', kind: 'city-cadres', owner: '高市书', size: 1 },
  robot: { unit: '610802', kind: 'county-cadres', owner: '林县书', size: 2 },
  appchat: { unit: '610802', kind: 'county-youth', owner: '林县书', size: 4 },
  ownerless: { unit: '610825', kind: 'county-cadres', owner: null, size: 8 },
  relay: { unit: '610802101', kind: 'youth', owner: '王镇川', size: 16 },
  mass: { unit: '610802102', kind: 'youth', owner: '马黄梁', size: 32 },
  other: { unit: '610825101', kind: 'youth', owner: '贺圈书', size: 64 },
} as const
type GroupName = keyof typeof GROUPS

/** A copy without the line that asks to say that one has read it. */
const wordsOf = (text: string | undefined) => text?.split('\n看过请点：')[0]

/** A notice goes down: to whom, when, by which way, and what becomes of it where that way is closed. */
describe('a cascade', () => {
  let stage: Stage
  const people: Record<string, SimPerson> = {}
  const actors: Record<string, KnownActor> = {}
  const ids = {} as Record<GroupName, number>
  const chats = {} as Record<GroupName, string>

  const bind = async (name: string, key: string, account: Partial<SimPerson>) => {
    const person = stage.sim.addPerson({ name, ...account })
    people[key] = person
    if (key === 'city') await bindFirst(stage, person, 'qingnong', '610800')
    else await bindThrough(stage, people.city as SimPerson, person)
    const identity =
      (await identityOf(stage.rt.db, 'wecom', account.wecomUserId ?? '')) ??
      (await identityOf(stage.rt.db, 'official-account', account.openId ?? ''))
    const personId = identity?.personId as number
    actors[key] = {
      identityId: identity?.id as number,
      channel: 'wecom',
      address: '',
      boundBy: 'code',
      ownsGroups: true,
      person: { id: personId, name },
      roles: await rolesOf(stage.rt.db, personId),
    } as KnownActor
  }
  const issue = (from: string, code: string, input: Partial<NoticeInput> & { body: string }) =>
    inTransaction(stage.rt, async tx => {
      const unit = await unitByCode(tx.db, 'qingnong', code)
      return issueNotice(tx, actors[from] as KnownActor, {
        unitId: unit?.id as number,
        category: '其他',
        importance: 'normal',
        ...input,
      })
    })
  const at = (moment: string) => stage.clock.set(new Date(moment))
  /** Another day; who is on the Official Account has just written. */
  const onDay = async (moment: string) => {
    at(moment)
    await stage.say((people.wang as SimPerson).id, '帮助')
  }
  const newsOf = (key: string) => stage.received((people[key] as SimPerson).id)
  const postsOf = (name: GroupName) => stage.sim.group(chats[name]).posts
  /** How the groups stand with a notice: `route status`. */
  const standing = async (noticeId: number) => {
    const found = await rows<{ group_id: string; standing: string }>(
      stage,
      `select group_id, route || ' ' || status as standing from deliveries where notice_id = ${noticeId}`,
    )
    return Object.fromEntries(
      (Object.keys(ids) as GroupName[]).flatMap(name => {
        const row = found.find(each => Number(each.group_id) === ids[name])
        return row ? [[name, row.standing]] : []
      }),
    )
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, rt } = stage
    await bind('高市书', 'city', { wecomUserId: 'gao' })
    await bind('林县书', 'county', { wecomUserId: 'lin' })
    await bind('王镇川', 'wang', { openId: 'o-wang' })
    await bind('马黄梁', 'ma', { wecomUserId: 'ma' })
    await bind('贺圈书', 'he', { wecomUserId: 'he' })
    const owner = (key: string) => (people[key] as SimPerson).id
    const internal = sim.createGroup({ kind: 'internal', name: '榆阳机器人群', ownerId: owner('county') })
    const customer = sim.createGroup({ kind: 'customer', name: '麻黄梁青年', ownerId: owner('ma') })
    await rt.channels.wecom?.createAppChat({
      chatId: 'yuyang',
      name: '榆阳',
      owner: 'lin',
      members: ['lin', 'ma'],
    })
    Object.assign(chats, { robot: internal.id, appchat: 'yuyang', mass: customer.id })
    const key = new URL(sim.addRobot(internal.id)).searchParams.get('key') as string
    const platforms = { robot: 'internal', appchat: 'appchat', mass: 'customer' } as Record<string, string>
    for (const [name, group] of Object.entries(GROUPS)) {
      const [row] = await rt.db.execute<{ id: string }>(sql`
        insert into groups (programme, kind, unit_id, name, platform, owner_id, chat_id, webhook_sealed, capacity, size, created_at)
        select 'qingnong', ${group.kind}, u.id, ${`群${name}`}, ${platforms[name] ?? 'wechat'},
          (select id from persons where name = ${group.owner}),
          ${name === 'robot' ? null : (chats[name as GroupName] ?? null)},
          ${name === 'robot' ? rt.vault.seal(key) : null}, 500, ${group.size}, now()
        from units u where u.programme = 'qingnong' and u.code = ${group.unit} returning id`)
      ids[name as GroupName] = Number(row?.id)
    }
    await sim.idle()
    await rt.db.execute(`delete from unclaimed_chats`)
    await rt.db.execute(`delete from chat_readings`)
  })
  afterEach(async () => {
    stage.sim.faults.clear()
    // what a test has left open is not the next one's
    await stage.rt.db.execute(
      `update outgoing_messages set status = 'cancelled' where status in ('pending', 'retrying', 'waiting')`,
    )
    await stage.rt.db.execute(
      `update deliveries set status = 'withdrawn', due_at = null where status <> 'posted'`,
    )
    toMorning(stage.clock)
    await stage.say((people.wang as SimPerson).id, '帮助')
  })
  afterAll(() => stage.close())

  describe('reaches', () => {
    const unitIdOf = async (code: string) => (await unitByCode(stage.rt.db, 'qingnong', code))?.id as number
    const reached = async (audience: NoticeAudience) => {
      const unit = await unitByCode(stage.rt.db, 'qingnong', '610800')
      if (!unit) throw new Error('no unit')
      const { people: sum, groups } = await planReach(stage.rt, unit, audience)
      const names = (Object.keys(GROUPS) as GroupName[]).filter(name => sum & GROUPS[name].size)
      expect(groups).toBe(names.length)
      return names
    }

    test('all groups when nothing narrows it', async () => {
      expect(await reached({})).toEqual(Object.keys(GROUPS))
    })

    test.each<[string, NoticeAudience, GroupName[]]>([
      ['a level', { levels: ['county'] }, ['robot', 'appchat', 'ownerless']],
      ['levels', { levels: ['city', 'township'] }, ['city', 'relay', 'mass', 'other']],
      ['a group kind', { groupKinds: ['youth'] }, ['relay', 'mass', 'other']],
      ['a level and a kind together', { levels: ['county'], groupKinds: ['county-youth'] }, ['appchat']],
    ])('%s', async (_what, audience, names) => {
      expect(await reached(audience)).toEqual(names)
    })

    test('units with all below them, and each part narrows the others', async () => {
      const [dingbian, town] = [await unitIdOf('610825'), await unitIdOf('610802101')]
      expect(await reached({ unitIds: [dingbian, town] })).toEqual(['ownerless', 'relay', 'other'])
      expect(await reached({ unitIds: [dingbian], levels: ['township'] })).toEqual(['other'])
    })

    test('the units that have not answered an earlier notice, and the groups that got one', async () => {
      const { id } = await issue('city', '610800', {
        body: '请报人数。',
        audience: { levels: ['county', 'township'] },
        ask: { kind: 'number', question: '报名人数', measure: '人' },
      })
      for (const [code, replaced] of [
        ['610802', null],
        ['610825', stage.clock.now()],
      ] as const)
        await stage.rt.db.execute(sql`
          insert into notice_answers (notice_id, unit_id, person_id, answer_sealed, answered_at, replaced_at)
          values (${id}, ${await unitIdOf(code)}, ${actors.city?.person.id}, '', now(), ${replaced?.toISOString() ?? null})`)
      expect(await reached({ unansweredOf: id })).toEqual(['ownerless', 'relay', 'mass', 'other'])
      expect(await reached({ unansweredOf: id, groupKinds: ['youth'] })).toEqual(['relay', 'mass', 'other'])
      expect(await reached({ gotNotice: id })).toEqual([])
      await stage.settle()
      expect(await reached({ gotNotice: id })).toEqual(['robot', 'appchat', 'relay', 'mass', 'other'])
      // the request says what is asked, and how to answer
      expect(newsOf('he').at(-1)).toContain(`请答复：报名人数（回复：答 ${id} 数字（人））`)
    })

    test.each<[string, (ids: { above: number; plain: number }) => NoticeAudience, string]>([
      [
        'a level that the programme does not have',
        () => ({ levels: ['province'] }),
        '没有这样的层级：province',
      ],
      ['a kind that it does not have', () => ({ groupKinds: ['work'] }), '没有这样的群类型：work'],
      ['no unit at all', () => ({ unitIds: [] }), '没有选单位'],
      [
        'a unit that is not below',
        ({ above }) => ({ unitIds: [above] }),
        '只能发给榆阳区和它的下级，这些不是：榆林市',
      ],
      ['a notice that asks nothing', ({ plain }) => ({ unansweredOf: plain }), '没有要求答复'],
      ['a notice that is not there', () => ({ gotNotice: 99_999 }), '没有编号是 99999'],
    ])('no %s', async (_what, audience, words) => {
      const { id: plain } = await issue('county', '610802', { body: '没有要求答复的通知。' })
      const above = await unitIdOf('610800')
      await expect(
        issue('county', '610802', { body: '发给谁？', audience: audience({ above, plain }) }),
      ).rejects.toThrow(words)
    })
  })

  test('level by level: each branch goes on when the level above has it, or when its time is over', async () => {
    await onDay('2026-10-12T09:00:00+08:00')
    const { id } = await issue('city', '610800', { body: '逐级传达。', mode: 'by-level' })
    const heard = (key: string) => newsOf(key).filter(text => text.includes(`【通知 ${id}】`)).length
    const state = () => ({
      city: heard('city'),
      county: postsOf('robot').filter(post => wordsOf(post.text) === '逐级传达。').length,
      wang: heard('wang'),
      he: heard('he'),
    })
    await stage.settle()
    expect(state()).toEqual({ city: 1, county: 0, wang: 0, he: 0 })
    // the city has relayed: both counties begin at once; 榆阳's groups post by themselves, so its towns follow
    await stage.say((people.city as SimPerson).id, `转 ${id}`)
    await stage.settle()
    expect(state()).toEqual({ city: 1, county: 1, wang: 1, he: 0 })
    expect(
      stage.sim
        .massTasks((people.ma as SimPerson).id)
        .at(-1)
        ?.text.split('\n')[0],
    ).toBe('逐级传达。')
    // 定边's group has no owner: its town waits for its time, and no longer
    expect(await beginMissedLevels(stage.rt)).toBe(0)
    at('2026-10-12T12:59:00+08:00')
    await stage.settle()
    expect(state().he).toBe(0)
    at('2026-10-12T13:01:00+08:00')
    await stage.settle()
    expect(state().he).toBe(1)
  })

  test('level by level, what no posting lets begin is found by the job, and nobody is woken for it', async () => {
    at('2026-10-13T21:00:00+08:00')
    const { id } = await issue('city', '610800', { body: '逐级，末一个群解散了。', mode: 'by-level' })
    await deliverDue(stage.rt)
    await stage.rt.db.execute(
      `update deliveries set status = 'posted' where notice_id = ${id} and group_id = ${ids.city}`,
    )
    at('2026-10-13T22:30:00+08:00')
    expect(await beginMissedLevels(stage.rt)).toBeGreaterThan(0)
    expect(await beginMissedLevels(stage.rt)).toBe(0)
    const [row] = await rows<{ at: string }>(
      stage,
      `select next_attempt_at as at from outgoing_messages where notice_id = ${id} and group_id = ${ids.robot}`,
    )
    expect(new Date(row?.at as string)).toEqual(new Date('2026-10-14T07:00:00+08:00'))
  })

  test('a copy that is relayed by hand carries a mark, and tells those whom it concerns where it came from', async () => {
    const { id } = await issue('county', '610802', { body: '通知：明天停水，\n请互相转告。' })
    await stage.settle()
    const copy = newsOf('wang').find(text => text.includes('明天停水')) as string
    expect(copy).toMatch(/^通知：明天停水，\n请互相转告。\n看过请点：\S+\n〔陕-000\d〕$/)
    expect(wordsOf(postsOf('robot').at(-1)?.text)).toBe('通知：明天停水，\n请互相转告。')
    const say = (key: string, text: string) => stage.say((people[key] as SimPerson).id, text)
    const mark = copy.slice(copy.indexOf('〔'))
    // forwarded as it stands; the county and the city run the township and see the name
    expect(await say('county', `出处 ${copy}`)).toContain(`${mark}是通知 ${id} 的一份：榆阳区`)
    expect(await say('city', `出处 ${mark}`)).toContain('请镇川镇“群relay”的群主王镇川转发的')
    expect(await say('wang', copy)).toContain(`${mark}是通知 ${id} 的一份`)
    // who does not run the township hears no name; another county hears nothing
    const fromMa = await say('ma', `出处 ${mark}`)
    expect(fromMa).toContain('镇川镇“群relay”的群主转发的')
    expect(fromMa).not.toContain('王镇川')
    // as of a mark that is not there
    const foreign = await say('he', `出处 ${copy}`)
    expect(foreign).toContain('没有查到')
    expect(foreign).toBe((await say('he', '出处 〔陕-9876〕')).replace('〔陕-9876〕', mark))
    expect(await say('county', `出处 ${mark.replace('陕', '川')}`)).toContain('没有查到')
    expect(await say('he', '出处 是什么')).toContain('如：出处')
  })

  test('link, picture and file go as each channel takes them; a step that failed goes on behind what was sent', async () => {
    const { id } = await issue('city', '610800', { body: '看图。', link: 'https://example.cn/a' })
    for (const [kind, name] of [
      ['picture', '图.png'],
      ['file', '表.xlsx'],
    ] as const)
      await stage.rt.db.execute(sql`
        insert into notice_files (notice_id, kind, name, mime, size, hash, bytes_sealed, uploaded_by, created_at)
        values (${id}, ${kind}, ${name}, 'x', 16, ${name}, ${stage.rt.vault.seal(PNG.toString('base64'))},
          ${actors.city?.person.id}, now())`)
    stage.sim.faults.on('busy', { path: 'upload', times: 2 })
    const [robotBefore, chatBefore] = [postsOf('robot').length, postsOf('appchat').length]
    const before = Object.fromEntries(
      ['wang', 'he'].map(key => [key, stage.sim.inbox((people[key] as SimPerson).id).length]),
    )
    await stage.settle()
    stage.clock.advance(60_000)
    await stage.settle()
    const kinds = (posts: { kind: string; text: string }[]) =>
      posts.map(({ kind, text }) => `${kind} ${text.split('\n')[0]}`)
    expect(kinds(postsOf('robot').slice(robotBefore))).toEqual([
      'text 看图。',
      'image [图片]',
      'file [文件]表.xlsx',
    ])
    expect(kinds(postsOf('appchat').slice(chatBefore))).toEqual([
      'text 看图。',
      'image [图片]',
      'file [文件]表.xlsx',
    ])
    expect(wordsOf(postsOf('robot').at(robotBefore)?.text)).toBe('看图。\nhttps://example.cn/a')
    const inbox = (key: string) =>
      kinds(
        stage.sim
          .inbox((people[key] as SimPerson).id)
          .slice(before[key])
          .filter(message => message.from === 'bot'),
      )
    expect(inbox('he')).toEqual([
      'text 看图。',
      'image [图片]',
      'file [文件]表.xlsx',
      expect.stringContaining('【通知'),
    ])
    expect(inbox('wang')).toEqual([
      'text 看图。',
      'image [图片]',
      expect.stringContaining('表.xlsx”：http'),
      expect.stringContaining('【通知'),
    ])
    const task = stage.sim.massTasks((people.ma as SimPerson).id).at(-1)
    expect(wordsOf(task?.text)).toBe('看图。')
    expect(task?.attachments.map(each => each.msgtype)).toEqual(['link', 'image', 'file'])
  })

  test('what has not gone out is corrected, or taken back', async () => {
    const { id } = await issue('county', '610802', { body: '原来的话。' })
    const written = await rows<{ unit_id: number; author_id: number }>(
      stage,
      `select unit_id, author_id from notices where id = ${id}`,
    )
    const follow = {
      programme: 'qingnong',
      unitId: Number(written[0]?.unit_id),
      authorId: Number(written[0]?.author_id),
      category: '其他',
      kind: 'correction',
      aboutId: id,
      issuedAt: stage.clock.now(),
      deadlineAt: stage.clock.now(),
    }
    await insertNotice(stage.rt.db, { ...follow, body: '改过一次。' })
    await insertNotice(stage.rt.db, { ...follow, body: '改过两次。' })
    await stage.settle()
    expect(wordsOf(postsOf('robot').at(-1)?.text)).toBe('改过两次。')
    expect(newsOf('wang').at(-2)).toMatch(/^改过两次。\n看过请点：\S+\n〔陕-/)

    const { id: second } = await issue('county', '610802', { body: '不该发的话。' })
    await stage.rt.db.execute(`update notices set withdrawn_at = now() where id = ${second}`)
    const before = postsOf('robot').length
    await stage.settle()
    expect(postsOf('robot')).toHaveLength(before)
    expect(await standing(second)).toEqual({
      robot: 'robot withdrawn',
      appchat: 'appchat withdrawn',
      relay: 'relay withdrawn',
      mass: 'mass withdrawn',
    })
    const states = await rows(
      stage,
      `select distinct status from outgoing_messages where notice_id = ${second}`,
    )
    expect(states).toEqual([{ status: 'cancelled' }])
  })

  test('near the deadline owners relay what no robot, app chat or task has brought; nothing is posted twice', async () => {
    await onDay('2026-10-19T09:00:00+08:00')
    stage.sim.faults.on('quota-exhausted')
    const { id } = await issue('city', '610800', { body: '两小时没有接口。', importance: 'urgent' })
    await stage.rt.db.execute(`update groups set owner_id = null where id = ${ids.appchat}`)
    await deliverDue(stage.rt)
    const [robotBefore, chatBefore] = [postsOf('robot').length, postsOf('appchat').length]
    at('2026-10-19T09:47:00+08:00')
    await stage.settle()
    expect((await standing(id)).robot).toBe('robot pending')
    stage.sim.faults.clear()
    stage.sim.faults.on('quota-exhausted', { path: 'webhook' })
    at('2026-10-19T09:48:30+08:00')
    await stage.rt.db.execute(
      `update outgoing_messages set next_attempt_at = '2026-10-19T09:55:00+08:00' where notice_id = ${id} and kind <> 'person'`,
    )
    await stage.settle()
    const after = await standing(id)
    expect(after).toMatchObject({ robot: 'relay sent', mass: 'relay sent' })
    expect(after.appchat).toMatch(/^relay (sent|failed)$/)
    expect(newsOf('county').filter(text => text.includes(`【通知 ${id}】`))).toHaveLength(1)
    stage.sim.faults.clear()
    at('2026-10-19T10:10:00+08:00')
    await stage.settle()
    expect(postsOf('robot')).toHaveLength(robotBefore)
    expect(postsOf('appchat')).toHaveLength(chatBefore)
    // the group without an owner: those who answer for the unit were asked
    await stage.rt.db.execute(
      `update groups set owner_id = (select id from persons where name = '林县书') where id = ${ids.appchat}`,
    )
    expect(await stage.say((people.county as SimPerson).id, `转 ${id}`)).toContain('群robot')
    expect((await standing(id)).robot).toBe('relay posted')
  })

  test('who brings a notice into a group before its robot does spares the group the second copy', async () => {
    stage.sim.faults.on('quota-exhausted', { path: 'webhook' })
    const { id } = await issue('city', '610800', {
      body: '先到先得。',
      audience: { groupKinds: ['county-cadres'] },
    })
    await deliverDue(stage.rt)
    const before = postsOf('robot').length
    await stage.rt.db.execute(sql`
      insert into delivery_asks (delivery_id, person_id, step, asked_at)
      select id, ${actors.city?.person.id}, 'unit-above', now() from deliveries
      where notice_id = ${id} and group_id = ${ids.robot}`)
    expect(await stage.say((people.city as SimPerson).id, `转 ${id} ${ids.robot}`)).toContain('群robot')
    stage.sim.faults.clear()
    stage.clock.advance(3600_000)
    await stage.settle()
    expect(postsOf('robot')).toHaveLength(before)
    expect(
      await rows(stage, `select status from outgoing_messages where notice_id = ${id} and kind = 'robot'`),
    ).toEqual([{ status: 'cancelled' }])
  })

  test('in the night nothing goes out but what is urgent: retries, requests by hand-over, all wait', async () => {
    await onDay('2026-10-20T21:59:00+08:00')
    const { id } = await issue('county', '610802', { body: '晚上写的。' })
    at('2026-10-20T22:01:00+08:00')
    await stage.settle()
    expect((await standing(id)).robot).toBe('robot pending')
    await inTransaction(stage.rt, tx =>
      handOverDeliveries(tx, { id: ids.relay, name: '群relay' }, actors.he?.person.id as number),
    )
    await stage.settle()
    expect(newsOf('he').some(text => text.includes('晚上写的'))).toBe(false)
    at('2026-10-21T07:00:00+08:00')
    await stage.settle()
    expect(wordsOf(postsOf('robot').at(-1)?.text)).toBe('晚上写的。')
    expect(newsOf('he').some(text => text.includes('晚上写的'))).toBe(true)
  })

  test('who answers for a unit is asked once, however many of its groups are late', async () => {
    await onDay('2026-10-22T09:00:00+08:00')
    await stage.rt.db.execute(`
      insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
      select 'qingnong', 'youth', u.id, '多' || n, 'wechat', null, 500, 0, now()
      from units u, generate_series(1, 1500) n where u.code = '610825101'`)
    const { id } = await issue('city', '610800', { body: '许多群。', audience: { groupKinds: ['youth'] } })
    await stage.settle()
    const before = newsOf('he').length
    at('2026-10-22T15:01:00+08:00')
    await stage.settle()
    const news = newsOf('he').slice(before)
    expect(news).toHaveLength(1)
    // their own group and all those without an owner, in one message
    expect(news[0]).toContain(`【提醒】榆林市的通知 ${id}`)
    expect(news[0]).toContain('共 1500 个群')
    await stage.rt.db.execute(`update groups set dissolved_at = now() where name like '多%'`)
  })

  describe('who has answered in the night', () => {
    const night = async (names: string[]) => {
      await stage.rt.db.execute(sql`
        insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
        select 'qingnong', 'youth', u.id, n.name, 'wechat', ${actors.he?.person.id}, 500, 1, now()
        from units u, unnest(${sql.param(names)}::text[]) as n (name) where u.code = '610825101'`)
      const found = await rows<{ id: string; name: string }>(
        stage,
        `select id, name from groups where name like '夜%' and dissolved_at is null order by name`,
      )
      return new Map(found.map(each => [each.name, Number(each.id)]))
    }
    const names = ['夜一', '夜二', '夜三', '夜四']
    let day = 0
    /** A notice of the morning; the server stands still until the night, so that its chases wait for the next morning. */
    const chasedAtNight = async () => {
      day++
      const date = `2026-11-${String(day).padStart(2, '0')}`
      await onDay(`${date}T09:00:00+08:00`)
      const unit = await unitByCode(stage.rt.db, 'qingnong', '610825101')
      const { id } = await issue('city', '610800', {
        body: `第 ${day} 天的通知。`,
        audience: { unitIds: [unit?.id as number] },
      })
      await stage.settle()
      at(`${date}T23:00:00+08:00`)
      while ((await inTransaction(stage.rt, escalateDue)).deliveries > 0);
      const before = { he: newsOf('he').length, city: newsOf('city').length }
      const news = async () => {
        at(`2026-11-${String(day + 1).padStart(2, '0')}T07:00:00+08:00`)
        await deliverDue(stage.rt)
        return {
          he: newsOf('he')
            .slice(before.he)
            .filter(text => text.startsWith('【提醒】') && text.includes(`通知 ${id} `))
            .join('\n'),
          city: newsOf('city')
            .slice(before.city)
            .filter(text => text.startsWith('【请协助】') && text.includes(`通知 ${id}（`))
            .join('\n'),
        }
      }
      return { id, news }
    }

    test('nobody is chased after they answered, whatever waits for the morning', async () => {
      const groups = await night(names)
      await fc.assert(
        fc.asyncProperty(fc.subarray(names), fc.boolean(), async (done, all) => {
          const { id, news } = await chasedAtNight()
          const numbers = done.map(name => groups.get(name)).join(' ')
          if (all) await stage.say((people.he as SimPerson).id, `转 ${id}`)
          else if (done.length > 0) await stage.say((people.he as SimPerson).id, `转 ${id} ${numbers}`)
          const { he, city } = await news()
          const open = all ? [] : [...names.filter(name => !done.includes(name)), '群other']
          for (const name of names) {
            expect([name, he.includes(name)]).toEqual([name, open.includes(name)])
            expect([name, city.includes(name)]).toEqual([name, open.includes(name)])
          }
          expect(he.includes(`通知 ${id} 要在`)).toBe(open.length > 0)
          await stage.rt.db.execute(
            `update deliveries set status = 'withdrawn', due_at = null where status <> 'posted'`,
          )
        }),
        { numRuns: 6, seed: 11 },
      )
    })

    test.each<[string, (id: number) => Promise<unknown>]>([
      [
        'withdrawn',
        id =>
          withdrawNotice(stage.rt, actors.city as KnownActor, {
            noticeId: id,
            reason: '时间有变',
            importance: 'normal',
          }),
      ],
      [
        'corrected',
        id => correctNotice(stage.rt, actors.city as KnownActor, { noticeId: id, body: '改过的通知。' }),
      ],
      [
        'of dissolved groups',
        () => stage.rt.db.execute(`update groups set dissolved_at = now() where name like '夜%'`),
      ],
    ])('what was %s is not chased for either', async (what, settle) => {
      const { id, news } = await chasedAtNight()
      await settle(id)
      const { he, city } = await news()
      if (what === 'of dissolved groups') expect([he, city].filter(text => text.includes('夜'))).toEqual([])
      else expect([he, city]).toEqual(['', ''])
    })

    test('who comes with 转 is not handed the reminder that waited for them to come', async () => {
      await onDay('2026-11-20T09:00:00+08:00')
      const { id } = await issue('county', '610802', {
        body: '窗口关着。',
        audience: { groupKinds: ['youth'] },
      })
      await stage.settle()
      // the window has closed: they are called by a template message
      await stage.rt.db.execute(
        `update identities set window_ends_at = '2026-11-20T12:00:00+08:00' where address = 'o-wang'`,
      )
      at('2026-11-20T15:01:00+08:00')
      await stage.settle()
      const waiting = `select purpose from outgoing_messages where status = 'waiting' order by id`
      expect((await rows<{ purpose: string }>(stage, waiting)).map(row => row.purpose)).toEqual(['reminder'])
      const before = newsOf('wang').length
      await stage.say((people.wang as SimPerson).id, `转 ${id}`)
      await stage.settle()
      expect(newsOf('wang').slice(before)).toEqual([])
      expect(await rows(stage, waiting)).toEqual([])
    })

    test('is not asked once more in the morning: what was written to those who had not answered does not go out', async () => {
      await onDay('2026-11-23T09:00:00+08:00')
      const { id } = await issue('city', '610800', {
        body: '请报人数。',
        audience: { levels: ['township'] },
        ask: { kind: 'number', question: '报名人数', measure: '人' },
      })
      await stage.settle()
      at('2026-11-23T22:30:00+08:00')
      const { id: again } = await issue('city', '610800', {
        body: '没有报的请报。',
        audience: { unansweredOf: id },
      })
      expect(await standing(again)).toEqual({
        relay: 'relay pending',
        mass: 'mass pending',
        other: 'relay pending',
      })
      await stage.say((people.he as SimPerson).id, `答 ${id} 5`)
      await stage.say((people.ma as SimPerson).id, `答 ${id} 3`)
      expect(await standing(again)).toEqual({
        relay: 'relay pending',
        mass: 'mass withdrawn',
        other: 'relay withdrawn',
      })
      at('2026-11-24T07:00:00+08:00')
      await stage.settle()
      expect(newsOf('he').some(text => text.includes('没有报的请报'))).toBe(false)
      expect(newsOf('wang').some(text => text.includes('没有报的请报'))).toBe(true)
      // one that is out is asked after no more once they have answered
      await stage.say((people.wang as SimPerson).id, `答 ${id} 1`)
      expect(
        await rows(stage, `select 1 from deliveries where notice_id = ${again} and due_at is not null`),
      ).toEqual([])
    })
  })

  test('the counters of all notices are exact, before and after they are folded', async () => {
    const counted = async () => {
      const all = await rows<{ id: string; path: string; groups: number; posted: number }>(
        stage,
        `select n.id, u.path,
          (count(*) filter (where d.status = 'posted' or d.status <> 'withdrawn' and g.dissolved_at is null))::int as groups,
          (count(*) filter (where d.status = 'posted'))::int as posted
        from notices n join units u on u.id = n.unit_id join deliveries d on d.notice_id = n.id
          join groups g on g.id = d.group_id group by n.id, u.path`,
      )
      return new Map(all.map(({ id, path, groups, posted }) => [Number(id), { path, groups, posted }]))
    }
    const exact = await counted()
    expect(exact.size).toBeGreaterThan(20)
    const check = async () => {
      const wanted = [...exact].map(([id, { path }]) => ({ id, unitPath: path }))
      const kept = await reachOfNotices(stage.rt.db, wanted)
      for (const [id, { groups, posted }] of exact)
        expect([id, kept.get(id)]).toEqual([id, { groups, posted }])
    }
    await check()
    expect(await countNotices(stage.rt)).toBeGreaterThan(0)
    await check()
    expect(await countNotices(stage.rt)).toBe(0)
    // what a fault has put wrong is right again after the daily count
    await stage.rt.db.execute('update notice_counts set groups = groups + 1, posted = 0')
    await recountEnded(stage.rt)
    const [wrong] = await rows<{ n: number }>(
      stage,
      `select count(*)::int as n from notice_counts c join notices n on n.id = c.notice_id
      where n.deadline_at between '${new Date(stage.clock.now().getTime() - 86_400_000).toISOString()}' and '${stage.clock.now().toISOString()}'
        and c.groups <> (select count(*) from deliveries d join groups g on g.id = d.group_id where d.notice_id = n.id
          and (d.status = 'posted' or d.status <> 'withdrawn' and g.dissolved_at is null))`,
    )
    expect(wrong?.n).toBe(0)
  })

  test('of a part of a notice its own groups count', async () => {
    await onDay('2026-12-01T09:00:00+08:00')
    const { id } = await issue('city', '610800', { body: '全市的通知。' })
    await stage.settle()
    const part = async (code: string) => {
      const unit = await unitByCode(stage.rt.db, 'qingnong', code)
      // asked as of another minute: what is kept is not what is tested
      minute += 60_000
      return (await reachOfNotices(stage.rt.db, [{ id, unitPath: unit?.path as string }], minute)).get(id)
    }
    let minute = 0
    expect(await part('610802')).toEqual({ groups: 4, posted: 2 })
    expect(await part('610825101')).toEqual({ groups: 1, posted: 0 })
    await stage.say((people.he as SimPerson).id, `转 ${id}`)
    expect(await part('610825101')).toEqual({ groups: 1, posted: 1 })
    expect(await part('610800')).toEqual({ groups: 7, posted: 3 })
    // of a very large part nobody waits for the count: it is there when it is asked for again
    const { id: later } = await issue('city', '610800', { body: '又一个全市的通知。' })
    await stage.rt.db.execute(`
      insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at, dissolved_at)
      select 'qingnong', 'youth', id, '海' || n, 'wechat', 500, 0, now(), now()
      from units, generate_series(1, 10000) n where code = '610825101'`)
    const wanted = [
      { id: later, unitPath: (await unitByCode(stage.rt.db, 'qingnong', '610825101'))?.path as string },
    ]
    expect(await reachOfNotices(stage.rt.db, wanted)).toEqual(new Map())
    await vi.waitFor(async () =>
      expect((await reachOfNotices(stage.rt.db, wanted)).get(later)).toEqual({ groups: 1, posted: 0 }),
    )
    await stage.rt.db.execute(`delete from groups where name like '海%'`)
  })

  test('a big notice does not hold up a small urgent one, nor one unit’s load another’s', async () => {
    const { id: big } = await issue('city', '610800', {
      body: '大通知。',
      audience: { groupKinds: ['youth'] },
    })
    await stage.rt.db.execute(`
      insert into outgoing_messages (kind, person_id, notice_id, purpose, texts_sealed, status, next_attempt_at, created_at)
      select 'person', null, ${big}, 'relay', '', 'pending', now() - interval '60 days', now() from generate_series(1, 10000)`)
    const { id: urgent } = await issue('county', '610802', {
      body: '小而急。',
      importance: 'urgent',
      audience: { groupKinds: ['county-cadres'] },
    })
    const { id: small } = await issue('county', '610802', {
      body: '小而不急。',
      audience: { groupKinds: ['county-youth'] },
    })
    const due = await inTurn(stage.rt.db, stage.clock.now(), 20)
    const noticeOf = new Map(
      (
        await rows<{ id: string; notice_id: string }>(
          stage,
          `select id, notice_id from outgoing_messages where notice_id in (${urgent}, ${small})`,
        )
      ).map(row => [Number(row.id), Number(row.notice_id)]),
    )
    const places = (id: number) => due.flatMap((each, place) => (noticeOf.get(each.id) === id ? [place] : []))
    expect(places(urgent)).toEqual([0])
    expect(places(small)[0]).toBeLessThan(5)
    await stage.rt.db.execute(`delete from outgoing_messages where notice_id = ${big} and person_id is null`)
  })
})
