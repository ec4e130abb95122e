import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimGroup, SimPerson } from '../../scripts/simulator/index.ts'
import { followServiceDays } from '../../server/jobs/follow-service-days.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  duringImport,
  fillMatrix,
  groupNumber,
  importCsv,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const head =
  '省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态\n'

/** A row of a branch of 榆林市. */
function volunteer(
  name: string,
  phone: string,
  {
    county = '榆阳区',
    branch = `${county}第一团支部`,
    role = '',
    category = '全国项目',
    from = '2026-08-01',
    to = '2027-07-31',
    status = '在岗',
  }: Partial<Record<'county' | 'branch' | 'role' | 'category' | 'from' | 'to' | 'status', string>> = {},
): string {
  return `陕西省,榆林市,${county},${branch},${name},${phone},,${role},,${category},,${from},${to},${status}\n`
}

const secretary = volunteer('周支书', '13800000005', { role: '团支部书记' })
const zhang = volunteer('张思雨', '13800000006').replace(',13800000006,,', ',13800000006,61080220010307312X,')
const girl = volunteer('阿依古丽·买买提', '13800000007', { category: '研究生支教团' })
const former = volunteer('李晓东', '13800000008', { from: '2025-08-01', to: '2026-07-31', status: '离岗' })
const dingbian = volunteer('张思雨', '13800000009', { county: '定边县' })

interface TaskRow extends Record<string, unknown> {
  group: string
  kind: string
  why: string
  closed_by: string | null
}

describe('when the roster says that people have changed', () => {
  let stage: Stage
  let zhao: SimPerson
  let zhou: SimPerson
  let zhangs: SimPerson
  let branch: { chat: SimGroup; number: number }
  let ordinary: number
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const tasks = () =>
    rows<TaskRow>(
      stage,
      `select g.name as group, t.kind, t.why, t.closed_by from tasks t join groups g on g.id = t.group_id order by g.id, t.kind, t.why, t.id`,
    )
  const rolesNow = () =>
    rows(
      stage,
      `select p.name, u.name as unit, r.role from roles r join persons p on p.id = r.person_id join units u on u.id = r.unit_id
       where r.ended_at is null and u.programme = 'xibu' and u.kind = 'volunteer-branch' order by p.id, u.id`,
    )
  const csv = (...lines: string[]) => importCsv(stage, 'xibu', head + lines.join(''))

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    zhangs = sim.addPerson({ name: '张思雨', openId: 'o-z', externalUserId: 'wm-z' })
    await bindFirst(stage, zhao, 'xibu', '610802')
    await bindThrough(stage, zhao, zhou)
    branch = await claimGroup(stage, zhou, '榆阳一支部客户群', '团支部群')
    ordinary = groupNumber(
      await say(zhou, '建群 团支部群 微信群 4人 榆阳一支部微信群 入群码 https://example.cn/g'),
    )
    await say(zhangs, `入群 ${branch.number} 张思雨 13800000006`)
    await stage.settle()
    const code = /(https?:\/\/\S+)$/.exec(stage.received(zhangs.id).at(-1) ?? '')?.[1] as string
    await stage.sim.joinByCode(code, zhangs.id)
    await afterEvents(stage)
    await say(zhangs, `入群 ${ordinary} 张思雨 13800000006`)
    await stage.settle()
  })
  afterEach(() => stage.close())

  test('who left is a task at once in every group they were in, and one message; the event and the word close them', async () => {
    const news = newsFor(stage, zhou)
    await csv(secretary, girl, former)
    expect(await tasks()).toEqual([
      {
        group: '榆阳一支部客户群',
        kind: 'remove_member',
        why: '张思雨：已不在名册（原榆阳区第一团支部），请移出',
        closed_by: null,
      },
      {
        group: '榆阳一支部微信群',
        kind: 'remove_member',
        why: '张思雨：已不在名册（原榆阳区第一团支部），请移出',
        closed_by: null,
      },
    ])
    await stage.settle()
    const told = news()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/【人员变动】您负责的 2 个群要跟着名册更新：\n· 请移出 2 人次：张思雨、张思雨\n/)
    expect(told[0]).toContain('/console/groups?state=tasks')
    await stage.sim.leaveGroup(branch.chat.id, zhangs.id)
    await afterEvents(stage)
    const [, left] = await rows<{ id: string }>(stage, 'select id from tasks order by group_id')
    expect(await say(zhou, `完成 ${left?.id}`)).toContain('已登记为完成')
    expect((await tasks()).map(task => task.closed_by)).toEqual(['reading', 'word'])
    expect(news()).toEqual([])
  })

  test('the same file once more asks nobody anything', async () => {
    await csv(secretary, girl, former)
    await stage.settle()
    const before = await tasks()
    const news = newsFor(stage, zhou)
    await csv(secretary, girl, former)
    await stage.settle()
    expect(await tasks()).toEqual(before)
    expect(news()).toEqual([])
  })

  test('a file that took somebody off by mistake is made good by the next: the tasks are void', async () => {
    await csv(secretary, girl, former)
    await csv(secretary, zhang, girl, former)
    expect((await tasks()).map(task => task.closed_by)).toEqual(['void', 'void'])
    await stage.settle()
    expect(await say(zhou, '任务')).toContain('没有待办')
  })

  test('who moved to another branch leaves the groups of the one and is invited to those of the other', async () => {
    const second = '榆阳区第二团支部'
    await csv(
      secretary,
      zhang,
      girl,
      former,
      volunteer('吴支书', '13800000021', { branch: second, role: '团支部书记' }),
    )
    const wu = stage.sim.addPerson({ name: '吴支书', wecomUserId: 'wu' })
    await bindThrough(stage, zhao, wu)
    await say(wu, '建群 团支部群 微信群 1人 榆阳二支部微信群 入群码 拉人')
    await stage.settle()
    const [zhouNews, wuNews] = [newsFor(stage, zhou), newsFor(stage, wu)]
    await csv(
      secretary,
      girl,
      former,
      volunteer('吴支书', '13800000021', { branch: second, role: '团支部书记' }),
      zhang.replace('榆阳区第一团支部', second),
    )
    await stage.settle()
    expect((await tasks()).map(({ group, kind, why }) => [group, kind, why])).toEqual([
      ['榆阳一支部客户群', 'remove_member', `张思雨：已转到${second}（原榆阳区第一团支部），请移出`],
      ['榆阳一支部微信群', 'remove_member', `张思雨：已转到${second}（原榆阳区第一团支部），请移出`],
      ['榆阳二支部微信群', 'invite_member', `张思雨：名册新增，在${second}，请拉入群`],
    ])
    expect(zhouNews()).toHaveLength(1)
    expect(wuNews()).toEqual([expect.stringContaining('请拉入 1 人次：张思雨')])
  })

  test('who has an account, and comes to a group with a way in, is told it and nobody is bothered', async () => {
    await csv(secretary, girl, former)
    await stage.settle()
    const news = newsFor(stage, zhangs)
    const open = (await tasks()).length
    await csv(secretary, zhang, girl, former)
    await stage.settle()
    // still in both groups: nothing is asked of anybody
    expect(news()).toEqual([])
    await csv(secretary, girl, former)
    await rows(stage, `update group_members set left_at = now() where person_id is not null`)
    await csv(secretary, zhang, girl, former)
    await stage.settle()
    expect(news()).toEqual([
      expect.stringMatching(
        new RegExp(
          `【请入群】您在榆阳区第一团支部，请加入：\\n· 榆阳一支部客户群：回复“入群 ${branch.number}”领取您的入群码\\n入群方式`,
        ),
      ),
    ])
    expect((await tasks()).filter(task => task.kind === 'invite_member')).toEqual([])
    expect(open).toBe(2)
  })

  test('somebody who changes their role in one branch stays where they are', async () => {
    await csv(
      secretary,
      volunteer('张思雨', '13800000006', { role: '支部委员' }).replace(
        ',13800000006,,',
        ',13800000006,61080220010307312X,',
      ),
      girl,
      former,
    )
    expect(await tasks()).toEqual([])
    expect(await rolesNow()).toContainEqual({
      name: '张思雨',
      unit: '榆阳区第一团支部',
      role: 'branch-committee-member',
    })
  })

  test('a person of two programmes who leaves one keeps what they are in the other', async () => {
    const qingnong = (status: string) =>
      importCsv(
        stage,
        'qingnong',
        `单位编码,姓名,手机号,身份证号,角色,职务,状态\n610802102,张思雨,13800000006,61080220010307312X,乡镇团委成员,团委委员,${status}\n610802102,马黄梁,13900000013,,乡镇团委成员,团委书记,在岗\n`,
      )
    await qingnong('在岗')
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, lin, 'qingnong', '610802')
    await say(lin, '建群 县级青农群 微信群 20人 青农榆阳 入群码 拉人')
    await csv(secretary, girl, former)
    const after = await tasks()
    expect(after.map(task => task.group)).toEqual(['榆阳一支部客户群', '榆阳一支部微信群'])
    await qingnong('离岗')
    expect((await tasks()).slice(after.length).map(({ group, why }) => [group, why])).toEqual([
      ['青农榆阳', '张思雨：已不在名册（原麻黄梁镇），如在群里请移出'],
    ])
  })

  test('tasks of a group without an owner go to whoever answers for its unit, with what they own in one message', async () => {
    await rows(stage, `update groups set owner_id = null where id = ${ordinary}`)
    const [own, above] = [newsFor(stage, zhou), newsFor(stage, zhao)]
    await csv(secretary, girl, former)
    await stage.settle()
    expect(own()).toEqual([
      expect.stringContaining(
        '您负责的 2 个群（1 个还没有群主）要跟着名册更新：\n· 请移出 2 人次：张思雨、张思雨',
      ),
    ])
    expect(above()).toEqual([])
    const askedOf = await rows(stage, `select p.name from tasks t join persons p on p.id = t.asked_id`)
    expect(askedOf).toEqual([{ name: '周支书' }, { name: '周支书' }])
  })

  test('where the secretary has gone too, the county is told, and asked who takes over', async () => {
    const news = newsFor(stage, zhao)
    await csv(girl, former)
    await stage.settle()
    expect(news()).toEqual([
      expect.stringContaining('您负责的 2 个群（2 个还没有群主）要跟着名册更新'),
      expect.stringMatching(
        /【交接】名册变动后，周支书（榆阳区第一团支部，2 个群）的工作要有人接[\s\S]*交接 \d+ 姓名/,
      ),
    ])
  })

  test('a crash behind the tasks leaves nothing: no task, no message, no right', async () => {
    const before = { tasks: await tasks(), roles: await rolesNow() }
    const news = newsFor(stage, zhou)
    await rows(
      stage,
      `create function refuse() returns trigger as 'begin raise exception ''cut off''; end' language plpgsql`,
    )
    await rows(
      stage,
      `create trigger cut_off before insert on hand_overs for each row execute function refuse()`,
    )
    await expect(csv(zhang, girl, former)).rejects.toThrow()
    await stage.settle()
    expect({ tasks: await tasks(), roles: await rolesNow() }).toEqual(before)
    expect(news()).toEqual([])
    await rows(stage, `drop trigger cut_off on hand_overs`)
    await csv(zhang, girl, former)
    expect((await rolesNow()).map(role => role.name)).not.toContain('周支书')
  })

  test('the yearly change-over of a cohort is one import: who stays is left alone, who goes and comes is one message', async () => {
    const crowd = (first: number, count: number, from: string, to: string) =>
      Array.from({ length: count }, (_, index) =>
        volunteer(
          `志愿${'甲乙丙丁戊己庚辛壬癸'[(first + index) % 10]}${'一二三四五六七八九十'[Math.floor((first + index) / 10)]}`,
          `137000${String(10000 + first + index)}`,
          { from, to },
        ),
      )
    // as 附件1 of 〔2020〕3号 has it, ten of the old ones stay for ten who come
    const old = crowd(0, 20, '2025-08-01', '2026-09-30')
    const stay = crowd(0, 10, '2025-08-01', '2027-09-30')
    const fresh = crowd(40, 10, '2026-09-01', '2027-08-31')
    await csv(secretary, zhang, girl, former, ...old)
    await stage.settle()
    await rows(stage, `update tasks set closed_at = now(), closed_by = 'word' where closed_at is null`)
    const news = newsFor(stage, zhou)
    const result = await csv(secretary, zhang, girl, former, ...stay, ...fresh)
    expect(result).toMatchObject({ new: 10, changed: 10, gone: 10 })
    await stage.settle()
    const open = (await tasks()).filter(task => task.closed_by === null)
    const counts = Object.groupBy(open, task => `${task.group} ${task.kind}`)
    expect(Object.fromEntries(Object.entries(counts).map(([key, each]) => [key, each?.length]))).toEqual({
      '榆阳一支部客户群 invite_member': 10,
      '榆阳一支部微信群 remove_member': 10,
    })
    const told = news()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/请移出 10 人次[\s\S]*请拉入 10 人次：/)
    expect(told[0]?.match(/志愿/g)).toHaveLength(20)
  })

  describe('services that begin and end on a day', () => {
    const dawn = async (day: string) => {
      stage.clock.set(new Date(`${day}T00:05:00+08:00`))
      await followServiceDays(stage.rt)
    }

    beforeEach(() => followServiceDays(stage.rt))

    test('the last day is whole; with the next right and place are gone, and nobody is woken for it', async () => {
      await csv(secretary, zhang.replace('2027-07-31', '2026-09-30'), girl, former)
      expect(await tasks()).toEqual([])
      stage.clock.set(new Date('2026-09-30T23:59:00+08:00'))
      await followServiceDays(stage.rt)
      expect(await tasks()).toEqual([])
      const news = newsFor(stage, zhou)
      await dawn('2026-10-01')
      expect((await tasks()).map(task => task.why)).toEqual([
        '张思雨：服务期已结束（原榆阳区第一团支部），请移出',
        '张思雨：服务期已结束（原榆阳区第一团支部），请移出',
      ])
      expect(
        (await rolesNow()).filter(role => role.unit === '榆阳区第一团支部' && role.name === '张思雨'),
      ).toEqual([])
      await stage.settle()
      expect(news()).toEqual([])
      stage.clock.set(new Date('2026-10-01T08:00:00+08:00'))
      await stage.settle()
      expect(news()).toEqual([expect.stringContaining('请移出 2 人次')])
    })

    test('who starts on the first of next month is invited on that day', async () => {
      await csv(secretary, zhang, girl, former, volunteer('新来的', '13800000031', { from: '2026-10-01' }))
      expect(await tasks()).toEqual([])
      expect((await rolesNow()).map(role => role.name)).not.toContain('新来的')
      await dawn('2026-10-01')
      expect((await tasks()).map(({ kind, why }) => [kind, why])).toEqual([
        ['invite_member', '新来的：今天起在榆阳区第一团支部服务，请拉入群'],
      ])
      await dawn('2026-10-01')
      expect(await tasks()).toHaveLength(1)
    })

    test('days on which the server stood still are followed together, over the end of a month and a leap day', async () => {
      await csv(
        secretary,
        girl,
        former,
        zhang.replace('2027-07-31', '2028-02-28'),
        volunteer('闰日来', '13800000032', { from: '2028-02-29', to: '2028-12-31' }),
        volunteer('三月来', '13800000033', { from: '2028-03-01', to: '2028-12-31' }),
      )
      await dawn('2028-02-28')
      await rows(stage, `update tasks set closed_at = now(), closed_by = 'void' where closed_at is null`)
      await dawn('2028-03-02')
      const open = (await tasks()).filter(task => task.closed_by === null)
      expect([...new Set(open.map(({ why }) => why.split('：')[0]))].sort()).toEqual([
        '三月来',
        '张思雨',
        '闰日来',
      ])
    })

    test.each([
      ['is renewed keeps their', zhang.replace('2027-07-31', '2026-09-30'), [zhang], true],
      ['is taken off gets no', zhang.replace('2026-08-01', '2026-10-01'), [], false],
    ])('who %s right, though the day turns while the file is being applied', async (_, of, then, held) => {
      await csv(secretary, girl, former, of)
      const file = head + [secretary, girl, former, ...then].join('')
      await duringImport(stage, 'xibu', file, () => dawn('2026-10-01'))
      await dawn('2026-10-02')
      const ever = await rows(
        stage,
        `select r.ended_at is null as held from roles r join persons p on p.id = r.person_id join units u on u.id = r.unit_id
         where p.name = '张思雨' and u.name = '榆阳区第一团支部'`,
      )
      expect(ever).toEqual([{ held }])
    })

    test('the next term of somebody carries on from the last: they lose nothing in between', async () => {
      await csv(
        secretary,
        girl,
        former,
        zhang.replace('2027-07-31', '2026-09-30'),
        zhang.replace('2026-08-01', '2026-10-01'),
      )
      await dawn('2026-10-01')
      expect(await tasks()).toEqual([])
      expect(
        (await rolesNow()).filter(role => role.name === '张思雨' && role.unit === '榆阳区第一团支部'),
      ).toHaveLength(1)
    })
  })

  test('another branch, another county and who is nobody’s business hear nothing', async () => {
    const before = await rows<{ id: string }>(stage, 'select id from outgoing_messages')
    await csv(secretary, girl, former, zhang, dingbian)
    expect(await rows(stage, 'select id from outgoing_messages')).toEqual(before)
    expect(await tasks()).toEqual([])
  })
})
