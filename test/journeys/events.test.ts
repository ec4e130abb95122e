import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { handleEvent } from '../../server/domain/events/handle-event.ts'
import { botFor } from '../../server/main.ts'
import { createUpdateHandler } from '../../server/updates.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage, toMorning } from '../support/stage.ts'

const HOUR = 3600_000

/** What people and administrators do on the platforms, and what becomes of it here. */
describe('what happens on the platforms', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  let ma: SimPerson
  let wang: SimPerson
  let youths = 0
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const aYouth = () =>
    stage.sim.addPerson({
      name: '张小明',
      openId: `o-youth-${++youths}`,
      externalUserId: `wmYouth${youths}`,
      follows: false,
    })
  const accountOf = async (person: SimPerson) => {
    const [row] = await rows<{ person_id: string | null; bound_by: string | null; is_reachable: boolean }>(
      stage,
      `select person_id, bound_by, is_reachable from identities where address in ('${person.openId}', '${person.wecomUserId}')`,
    )
    return row
  }
  const membersOf = async (number: number) =>
    (
      await rows<{ address: string }>(
        stage,
        `select address from group_members where group_id = ${number} and left_at is null order by address`,
      )
    ).map(row => row.address)
  const alarms = async () =>
    (
      await rows<{ cause: string }>(stage, 'select cause from alarms where closed_at is null order by id')
    ).map(row => row.cause)
  /** The event has its effects before the bot greets. */
  const followAgain = (person: SimPerson) => {
    const bot = botFor(stage.rt.channels, stage.rt.templates)
    return createUpdateHandler(stage.rt, {
      handle: async (rt, update, id) => ((await handleEvent(rt, update)) ? null : bot.handle(rt, update, id)),
    }).accept({
      channel: 'official-account',
      addressSpace: 'official-account',
      dedupeKey: `follow:${person.openId}`,
      address: person.openId as string,
      recipient: '',
      at: stage.clock.now(),
      kind: 'followed',
      scene: null,
      isScan: false,
    })
  }
  const missed = () => stage.logLines.filter(line => line.includes('an event of a group was lost')).length

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    for (const person of [ma, wang]) await bindThrough(stage, county, person)
  })
  beforeEach(() => {
    stage.sim.faults.clear()
    stage.clock.advance(60_000)
  })
  afterAll(() => stage.close())

  test('an event of a group gets lost: the next one tells, and nobody is missing', async () => {
    const { chat, number } = await claimGroup(stage, ma, '麻黄梁青年', '团青群')
    const [first, second] = [aYouth(), aYouth()] as const
    stage.sim.faults.on('drop-callbacks', { path: 'change_external_chat', times: 1 })
    await stage.sim.joinGroup(chat.id, first.id)
    await afterEvents(stage)
    expect(await membersOf(number)).not.toContain(first.externalUserId)
    const before = missed()
    await stage.sim.joinGroup(chat.id, second.id)
    expect(missed()).toBe(before + 1)
    await afterEvents(stage)
    expect(await membersOf(number)).toEqual(
      expect.arrayContaining([first.externalUserId, second.externalUserId]),
    )
  })

  test('events of a group come twice and in any order: the list is right, and read no more often than needed', async () => {
    const { chat, number } = await claimGroup(stage, ma, '麻黄梁电商', '团青群')
    stage.sim.faults.on('duplicate-callbacks')
    stage.sim.faults.on('reorder-callbacks', { times: 2, ms: 50 })
    const people = Array.from({ length: 5 }, aYouth)
    await Promise.all(people.map(person => stage.sim.joinGroup(chat.id, person.id)))
    await stage.sim.leaveGroup(chat.id, people[0]?.id as string)
    await afterEvents(stage)
    expect(await membersOf(number)).toEqual(
      ['ma', ...people.slice(1).map(person => person.externalUserId)].sort(),
    )
    const reads = () => stage.sim.log.filter(entry => String(entry.path).includes('groupchat/get')).length
    const before = reads()
    await stage.settle()
    expect(reads()).toBe(before)
  })

  test('a customer adds a member of staff and is welcomed in time', async () => {
    const youth = aYouth()
    await stage.sim.befriend(ma.id, youth.id)
    await stage.settle()
    const welcome = stage.sim.inbox(youth.id).map(message => message.text)
    expect(welcome).toEqual([expect.stringMatching(/身份证号[\s\S]*入群 群号[\s\S]*绑定 绑定码/)])
    expect(await rows(stage, "select error from outgoing_messages where kind = 'welcome'")).toEqual([
      { error: null },
    ])
  })

  test('a template message is refused: the notice counts as not delivered, and is found by 任务', async () => {
    const number = groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 拉人'))
    stage.clock.advance(49 * HOUR)
    stage.sim.official.setTemplateOutcome(wang.id, 'failed:user block')
    await say(county, '通知 便民 明天停电。')
    await say(county, '确认')
    await stage.settle()
    expect(
      await rows(
        stage,
        `select d.status, o.status as message, o.error from deliveries d join outgoing_messages o on o.id = d.outgoing_id where d.group_id = ${number}`,
      ),
    ).toEqual([{ status: 'failed', message: 'failed', error: '对方拒收公众号的模板消息' }])
    expect(await say(wang, '任务')).toContain('待转发的通知')
    expect(await say(wang, '转')).toContain('已登记：通知')
  })

  test('a template message fails: it is sent once more, and then operators know', async () => {
    const calls = () => stage.sim.log.filter(entry => String(entry.path).includes('template/send')).length
    stage.clock.advance(49 * HOUR)
    toMorning(stage.clock)
    await stage.settle()
    stage.sim.official.setTemplateOutcome(wang.id, 'failed: system failed')
    await say(county, '通知 便民 明天停水。')
    await say(county, '确认')
    const before = calls()
    await stage.settle()
    expect(calls()).toBe(before + 1)
    expect(await alarms()).not.toContain('template:failed')
    stage.clock.advance(10 * 60_000)
    await stage.settle()
    expect(calls()).toBe(before + 2)
    expect(await alarms()).toContain('template:failed')
    stage.clock.advance(HOUR)
    await stage.settle()
    expect(calls()).toBe(before + 2)
    stage.sim.official.setTemplateOutcome(wang.id, 'success')
    await say(wang, '转')
  })

  test('somebody takes back an authorisation: it is on record', async () => {
    await stage.sim.official.revokeAuthorization(wang.id, '205')
    expect(
      await rows(
        stage,
        "select details->'revoked' as revoked from audit_log where action = 'authorization.revoked'",
      ),
    ).toEqual([{ revoked: ['205'] }])
    expect(await accountOf(wang)).toMatchObject({ bound_by: 'code', is_reachable: true })
  })

  test('a member’s userid is changed: they go on as who they are, in the chat and in their groups', async () => {
    const [{ id: number } = { id: 0 }] = await rows<{ id: number }>(
      stage,
      "select id::int from groups where name = '麻黄梁青年'",
    )
    await stage.sim.admin.renameUserId(ma.id, 'ma-huangliang')
    expect(await say(ma, '我的群')).toContain('群主　')
    expect(await membersOf(number)).toContain('ma-huangliang')
    expect(await membersOf(number)).not.toContain('ma')
  })

  test('a member leaves the corp: unbound, and the county is asked for another owner', async () => {
    const news = newsFor(stage, county)
    await stage.sim.admin.removeMember(ma.id)
    await stage.settle()
    expect(news().join('\n')).toMatch(/【请换群主】马黄梁已离开企业微信[\s\S]*麻黄梁青年/)
    expect(
      await rows(stage, "select person_id, is_reachable from identities where address = 'ma-huangliang'"),
    ).toEqual([{ person_id: null, is_reachable: false }])
  })

  test('an owner unfollows: the account is nobody’s, and only a code brings them back', async () => {
    await stage.sim.unfollow(wang.id)
    expect(await accountOf(wang)).toEqual({ person_id: null, bound_by: null, is_reachable: false })
    await stage.sim.follow(wang.id)
    expect(await say(wang, '我的群')).toContain('要先绑定')
    expect(await accountOf(wang)).toMatchObject({ is_reachable: true })
    await bindThrough(stage, county, wang)
    expect(await say(wang, '我的群')).toContain('镇川青年')
  })

  test('a youth who registered unfollows and comes back: counted once', async () => {
    const [{ id } = { id: 0 }] = await rows<{ id: number }>(
      stage,
      "select id::int from groups where name = '镇川青年'",
    )
    const youth = aYouth()
    await stage.sim.follow(youth.id)
    expect(await say(youth, `入群 ${id} 张小明 在乡 务农`)).toContain('登记好了')
    const before = await accountOf(youth)
    expect(before).toMatchObject({ bound_by: 'registration' })
    stage.clock.advance(60_000)
    await stage.sim.unfollow(youth.id)
    expect(await accountOf(youth)).toEqual({ person_id: null, bound_by: null, is_reachable: false })
    stage.clock.advance(HOUR)
    await stage.sim.follow(youth.id)
    expect((await followAgain(youth)).reply).toContain('张小明，您好')
    expect(await accountOf(youth)).toEqual(before)
    expect(await say(youth, `入群 ${id} 张小明 外出 务工`)).toContain('登记好了')
    expect(await rows(stage, 'select residence from registrations')).toEqual([{ residence: 'away' }])
  })
})
