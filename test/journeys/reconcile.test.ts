import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimGroup, SimPerson } from '../../scripts/simulator/index.ts'
import { reconcileAll } from '../../server/domain/groups/reconcile-units.ts'
import { tellFindings } from '../../server/domain/groups/tell-findings.ts'
import { readAllGroups } from '../../server/jobs/read-groups.ts'
import { readUnionIds } from '../../server/jobs/read-union-ids.ts'
import { endDueRollCalls } from '../../server/jobs/reconcile-groups.ts'
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
import { openStage, type Stage } from '../support/stage.ts'

const DAY_MS = 86_400_000

describe('成员核对', () => {
  let stage: Stage
  let zhao: SimPerson
  let zhou: SimPerson
  let branch: { chat: SimGroup; number: number }
  let wechat: number
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  /** The next night: everything is read, checked, and in the morning people are told. */
  const night = async () => {
    stage.clock.advance(DAY_MS)
    await readUnionIds(stage.rt)
    await readAllGroups(stage.rt)
    await stage.settle()
    await reconcileAll(stage.rt)
    await tellFindings(stage.rt)
    await stage.settle()
  }
  const open = (group: number) =>
    rows<{ kind: string; who: string }>(
      stage,
      `select t.kind, coalesce(p.name, t.address, t.about) as who from tasks t left join persons p on p.id = t.person_id
       where t.group_id = ${group} and t.closed_at is null order by 1, 2`,
    )
  const members = (group: number) =>
    rows<{ who: string; known_by: string | null }>(
      stage,
      `select coalesce(p.name, m.nickname) as who, m.known_by from group_members m left join persons p on p.id = m.person_id
       where m.group_id = ${group} and m.left_at is null order by 1`,
    )

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    const liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    branch = await claimGroup(stage, zhou, '榆阳区第一团支部', '团支部群')
    wechat = groupNumber(await say(zhao, '建群 研究生支教团联络群 微信群 3人 榆阳研支团 入群码 拉人'))
  })
  afterAll(() => stage.close())

  test('the night finds who is missing; the owner is told once, in one message, and why', async () => {
    const news = newsFor(stage, zhou)
    await night()
    expect(await open(branch.number)).toEqual([
      { kind: 'invite_member', who: '张思雨' },
      { kind: 'invite_member', who: '赵县办' },
      { kind: 'invite_member', who: '阿依古丽·买买提' },
    ])
    const [message, ...more] = news()
    expect(more).toEqual([])
    expect(message).toContain('【成员核对】新发现 3 件：')
    expect(message).toContain(
      '张思雨（榆阳区第一团支部西部计划志愿者）：应在群里，还不在，请拉入或请本人申请入群',
    )
    expect(message).toContain('依据：全国项目办发〔2018〕1号 二.4')
    await night()
    expect(news()).toEqual([])
  })

  test('who runs the unit is asked for what is not the owner’s: 专人, groups, people whom the roster lacks', async () => {
    const answer = await say(zhao, '任务')
    expect(answer).toContain('榆阳区还没有管群的专人：请指定一位')
    expect(answer).toContain('名册上榆阳区的项目办负责同志有 1 人，应有2人')
    expect(answer).toContain('名册上榆阳区的团委负责同志')
  })

  test('join event → reading → the task is closed; leave event → it is there again', async () => {
    const zhang = stage.sim.addPerson({
      name: '张思雨',
      openId: 'o-zhang',
      externalUserId: 'wm-zhang',
      unionId: 'u-zhang',
    })
    await say(zhang, `入群 ${branch.number} 张思雨 13800000006`)
    await stage.settle()
    const code = /(https?:\/\/\S+)$/.exec(
      stage.received(zhang.id).findLast(text => text.includes('入群码')) ?? '',
    )?.[1]
    await stage.sim.joinByCode(code ?? '', zhang.id)
    await afterEvents(stage)
    expect((await open(branch.number)).map(task => task.who)).toEqual(['赵县办', '阿依古丽·买买提'])
    expect(await members(branch.number)).toContainEqual({ who: '张思雨', known_by: 'join_pass' })
    expect(
      await rows(stage, `select closed_by from tasks where kind = 'invite_member' and closed_at is not null`),
    ).toEqual([{ closed_by: 'reading' }])

    // a friend comes in by the same code
    const news = newsFor(stage, zhou)
    const friend = stage.sim.addPerson({ name: '她的朋友', externalUserId: 'wm-friend' })
    await stage.sim.joinGroup(branch.chat.id, friend.id)
    await afterEvents(stage)
    expect(await open(branch.number)).toContainEqual({ kind: 'identify_member', who: 'wm-friend' })
    expect(news().join()).toContain('她的朋友：认不出是谁')
    await stage.sim.leaveGroup(branch.chat.id, friend.id)
    await afterEvents(stage)
    expect((await open(branch.number)).map(task => task.kind)).toEqual(['invite_member', 'invite_member'])

    await stage.sim.leaveGroup(branch.chat.id, zhang.id)
    await afterEvents(stage)
    await night()
    expect((await open(branch.number)).map(task => task.who)).toContain('张思雨')
  })

  test('the chain: a unionid that the Official Account told, a remark that the owner wrote, a nickname; proof replaces belief', async () => {
    const { sim } = stage
    const zhang = sim.persons().find(each => each.openId === 'o-zhang') as SimPerson
    // the same person comes back by an invitation: no code, but the Official Account knows the unionid
    await sim.joinGroup(branch.chat.id, zhang.id)
    const girl = sim.addPerson({ name: '沙漠玫瑰', externalUserId: 'wm-girl' })
    await sim.befriend(zhou.id, girl.id)
    await sim.customers.note(zhou.id, girl.id, { remark: '一支部-阿依古丽·买买提' })
    await sim.joinGroup(branch.chat.id, girl.id)
    await afterEvents(stage)
    await night()
    expect(await members(branch.number)).toEqual(
      expect.arrayContaining([
        { who: '张思雨', known_by: 'unionid' },
        { who: '阿依古丽·买买提', known_by: 'remark' },
      ]),
    )
    // belief binds nothing
    expect(
      await rows(stage, `select 1 from identities where address = 'wm-girl' and person_id is not null`),
    ).toEqual([])
    // the person herself comes with her own account: the other one is a stranger again
    await rows(
      stage,
      `insert into identities (channel, address, person_id, bound_at, bound_by, created_at)
       select 'wecom', 'wm-herself', id, now(), 'join_request', now() from persons where name = '阿依古丽·买买提'`,
    )
    const herself = sim.addPerson({ name: '古丽', externalUserId: 'wm-herself' })
    await sim.joinGroup(branch.chat.id, herself.id)
    await afterEvents(stage)
    expect(await members(branch.number)).toEqual(
      expect.arrayContaining([
        { who: '阿依古丽·买买提', known_by: 'binding' },
        { who: '沙漠玫瑰', known_by: null },
      ]),
    )
    expect(await open(branch.number)).toContainEqual({ kind: 'identify_member', who: 'wm-girl' })
  })

  test('an ordinary group: nobody has read it, which is all that is said until somebody pastes a list', async () => {
    expect(await open(wechat)).toContainEqual({ kind: 'members_unread', who: '' })
    expect((await open(wechat)).map(task => task.kind)).not.toContain('invite_member')
    const answer = await say(zhao, `核对 ${wechat}`)
    expect(answer).toContain(`签到 ${wechat}`)
    const pasted = await say(zhao, `核对 ${wechat}\n#接龙\n1. 赵县办\n2. 某某某`)
    expect(pasted).toContain('未进群 1 人，不该在群 1 人')
    expect(await open(wechat)).toEqual(
      expect.arrayContaining([
        { kind: 'identify_member', who: '某某某' },
        { kind: 'invite_member', who: '阿依古丽·买买提' },
      ]),
    )
    expect((await open(wechat)).map(task => task.kind)).not.toContain('members_unread')
    // where nothing can be read the owner's word closes it, and is marked
    const [task] = await rows<{ id: string }>(stage, `select id from tasks where about = '某某某'`)
    expect(await say(zhao, `完成 ${task?.id}`)).toContain('以您的答复为准')
    expect(await rows(stage, `select closed_by from tasks where id = ${task?.id}`)).toEqual([
      { closed_by: 'word' },
    ])
    await night()
    expect(await open(wechat)).not.toContainEqual({ kind: 'identify_member', who: '某某某' })
  })

  test('what the system can see for itself is closed by no word', async () => {
    const [task] = await rows<{ id: string }>(
      stage,
      `select id from tasks where kind = 'manager_missing' and closed_at is null
      and unit_id = (select unit_id from groups where id = ${wechat})`,
    )
    expect(await say(zhao, `完成 ${task?.id}`)).toContain('还没有变')
    await rows(
      stage,
      `update units set manager_id = (select id from persons where name = '赵县办') where id = (select unit_id from groups where id = ${wechat})`,
    )
    expect(await say(zhao, `完成 ${task?.id}`)).toContain('已经办好')
  })

  describe('签到', () => {
    let link: string
    const page = (path: string, fields?: Record<string, string>) =>
      fetch(path, fields ? { method: 'POST', body: new URLSearchParams(fields) } : {}).then(
        async response => ({
          status: response.status,
          text: await response.text(),
        }),
      )

    test('the owner gets a link to post; it shows nothing of anybody, and answers all alike', async () => {
      const answer = await say(zhao, `签到 ${wechat}`)
      link = (/(http\S+\/roll-calls\/\S+)/.exec(answer)?.[1] ?? '').replace(
        stage.rt.publicUrl,
        stage.serverUrl,
      )
      expect(await say(zhao, `签到 ${wechat}`)).toContain(/roll-calls\/\S+/.exec(link)?.[0] ?? 'none')
      const asked = await page(link)
      expect(asked.status).toBe(200)
      expect(asked.text).not.toMatch(/古丽|赵县办/)
      const right = await page(link, { name: '阿依古丽买买提', tail: '0007' })
      const wrong = await page(link, { name: '阿依古丽·买买提', tail: '9999' })
      const unknown = await page(link, { name: '没有这个人', tail: '0007' })
      expect([wrong.text, unknown.text]).toEqual([right.text, right.text])
      expect(await rows(stage, 'select known_by from roll_call_answers')).toEqual([{ known_by: 'phone' }])
    })

    test('guessing ends after five tries at a name', async () => {
      await rows(stage, 'delete from roll_call_answers')
      for (let tail = 1000; tail < 1010; tail++)
        await page(link, { name: '阿依古丽·买买提', tail: String(tail) })
      await page(link, { name: '阿依古丽·买买提', tail: '0007' })
      expect(await rows(stage, 'select 1 from roll_call_answers')).toEqual([])
      stage.clock.advance(3_700_000)
      await page(link, { name: '阿依古丽·买买提', tail: '0007' })
      expect(await rows(stage, 'select 1 from roll_call_answers')).toHaveLength(1)
    })

    test('its time is over: it is the reading, findings close, the link is dead', async () => {
      const news = newsFor(stage, zhao)
      stage.clock.advance(DAY_MS)
      expect(await endDueRollCalls(stage.rt)).toBe(1)
      expect(await endDueRollCalls(stage.rt)).toBe(0)
      await stage.settle()
      expect(news().join()).toContain('【签到结束】“榆阳研支团”')
      expect(await members(wechat)).toContainEqual({ who: '阿依古丽·买买提', known_by: 'roll_call' })
      expect((await open(wechat)).map(task => task.kind)).not.toContain('invite_member')
      expect((await page(link)).status).toBe(404)
      expect((await page(link, { name: '阿依古丽·买买提', tail: '0007' })).status).toBe(404)
    })

    test('ended by the owner’s word: whoever did not sign in is missing', async () => {
      await say(zhao, `签到 ${wechat}`)
      const answer = await say(zhao, `签到 ${wechat} 结束`)
      expect(answer).toContain('未签到　阿依古丽·买买提')
      expect(await open(wechat)).toContainEqual({ kind: 'invite_member', who: '阿依古丽·买买提' })
      expect(await say(zhao, `签到 ${wechat} 结束`)).toContain('没有正在进行的签到')
      expect(await say(zhou, `签到 ${wechat}`)).toContain('没有权限')
      expect(await say(zhou, `签到 ${branch.number}`)).toContain('成员由平台读取')
    })
  })

  test('a dissolved group is asked about no more', async () => {
    await say(zhao, `解散 ${wechat}`)
    await night()
    expect(await open(wechat)).toEqual([])
  })
})
