import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appendAudit } from '../../db/queries/platform.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { actionWords, auditActions } from '../../server/domain/audit/action-words.ts'
import { deleteExpired } from '../../server/jobs/housekeeping.ts'
import { type Answer, personId, signIn, type Visitor, visitorWith } from '../support/console.ts'
import { bindFirst, bindThrough, claimGroup, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** What a volunteer, an owner and an officer find of themselves. */
describe('the person’s pages', () => {
  let stage: Stage
  const people: Record<'liu' | 'zhao' | 'zhou' | 'zhang' | 'wang' | 'lin' | 'gao', SimPerson> = {} as never
  let owner: Visitor
  let volunteer: Visitor
  let zhangId: number
  let branchGroup: number
  let spareGroup: number

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, say } = stage
    people.gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.lin = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    people.zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    people.zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    people.zhang = sim.addPerson({ name: '张思雨', openId: 'o-zhang', externalUserId: 'wm-zhang' })
    await bindFirst(stage, people.gao, 'qingnong', '610800')
    await bindThrough(stage, people.gao, people.lin)
    await bindThrough(stage, people.lin, people.wang)
    await bindFirst(stage, people.liu, 'xibu', '610800')
    await bindThrough(stage, people.liu, people.zhao)
    await bindThrough(stage, people.zhao, people.zhou)
    const branch = await claimGroup(stage, people.zhou, '榆阳第一团支部群', '团支部群')
    branchGroup = branch.number
    spareGroup = groupNumber(
      await say(people.zhou.id, '建群 团支部群 微信群 3人 第一团支部备用群 入群码 拉人'),
    )
    expect(await say(people.zhang.id, `入群 ${branchGroup} 张思雨 12345`)).not.toContain('审核通过')
    await say(people.zhang.id, `入群 ${branchGroup} 张思雨 13800000006`)
    await stage.settle()
    const [{ id } = { id: '' }] = await rows<{ id: string }>(
      stage,
      `select person_id as id from identities where address = 'o-zhang'`,
    )
    zhangId = Number(id)
    // WeCom lets her in; the group is read, and she is known by her pass
    const [pass] = await rows<{ state: string }>(
      stage,
      `select state from join_passes where person_id = ${zhangId}`,
    )
    await sim.joinGroup(branch.chat.id, people.zhang.id, { state: pass?.state as string })
    await sim.idle()
    stage.clock.advance(3000)
    await stage.settle()
    owner = await signIn(stage, '周支书')
    volunteer = await signIn(stage, zhangId)
    await say(people.zhao.id, '通知 政策 请各支部周五前报送考勤表')
    await say(people.zhao.id, '确认')
    await stage.settle()
  })
  afterAll(() => stage.close())

  test('everybody has the pages; each says what is there, or that nothing is', async () => {
    for (const visitor of [owner, volunteer, await signIn(stage, '丁县书')])
      for (const path of ['', '/groups', '/requests', '/notices', '/data', '/consent', '/sessions']) {
        const page = await visitor.get(`/me${path}`)
        expect([path, page.status]).toEqual([path, 200])
        expect(page.text).toContain('name="_token"')
      }
    const stranger = await signIn(stage, '丁县书')
    expect((await stranger.get('/me')).text).toContain('没有等您办的事')
    expect((await stranger.get('/me/notices')).text).toContain('还没有发给您的通知')
    expect((await stranger.get('/me/requests')).text).toContain('您还没有申请过入群')
    expect((await stranger.get('/me/groups')).text).toContain('系统还不知道您在哪些群里')
    expect((await visitorWith(stage, '').get('/me/notices/1')).location).toBe(
      '/sign-in?to=%2Fme%2Fnotices%2F1',
    )
  })

  test('the first page says what one is and what waits', async () => {
    const page = await owner.get('/me')
    expect(page.text).toContain('周支书，您好')
    expect(page.text).toContain('团支部书记')
    expect(page.text).toContain('2 个群的群主')
    expect(page.text).toContain('请各支部周五前报送考勤表')
    expect(page.text).toContain('1 个群待您转发')
    const theirs = await volunteer.get('/me')
    expect(theirs.text).toContain('西部计划志愿者')
    expect(theirs.text).not.toContain('考勤表')
    expect(theirs.text).not.toContain('href="/console"')
  })

  test('groups: owned ones lead on, others say how one is known there', async () => {
    const own = await owner.get('/me/groups')
    expect(own.text).toContain(`href="/console/groups/${branchGroup}"`)
    const theirs = await volunteer.get('/me/groups')
    expect(theirs.text).toContain('榆阳第一团支部群')
    expect(theirs.text).toContain('凭入群码进群')
    expect(theirs.text).not.toContain('href="/console/groups/')
    expect(theirs.text).not.toContain('备用群')
  })

  test('requests say what was decided and what helps, and nothing of which field was wrong', async () => {
    const page = await volunteer.get('/me/requests')
    expect(page.text).toContain('通过</span>')
    expect(page.text.match(/<b>榆阳第一团支部群<\/b>/g)?.length).toBeGreaterThanOrEqual(2)
    expect(page.text).not.toMatch(/手机号(不一致|只差一位)|名册姓名/)
    expect((await owner.get('/me/requests')).text).not.toContain('<b>榆阳第一团支部群</b>')
  })

  test('a notice is there for the owner at once, for members when it is in their group, for nobody else', async () => {
    expect((await owner.get('/me/notices/1')).status).toBe(200)
    expect((await volunteer.get('/me/notices/1')).status).toBe(404)
    const [mass] = stage.sim.massTasks(people.zhou.id)
    await stage.sim.confirmMassTask(people.zhou.id, mass?.msgid as string)
    await stage.settle()
    const page = await volunteer.get('/me/notices/1')
    expect(page.status).toBe(200)
    expect(page.text).toContain('请各支部周五前报送考勤表')
    expect(page.text).toContain('我已阅读')
    expect(page.text).not.toContain('我做群主的群')
    expect((await volunteer.get('/me/notices')).text).toContain('打开过')
    for (const name of ['王镇川', '丁县书', '阿依古丽·买买提']) {
      const other = await signIn(stage, name)
      expect((await other.get('/me/notices/1')).status, name).toBe(404)
      expect((await other.post('/me/notices/1/acknowledge')).status, name).toBe(404)
      expect((await other.post('/me/notices/1/relayed')).status, name).toBe(404)
      expect((await other.get('/me/notices')).text, name).not.toContain('考勤表')
    }
    expect((await volunteer.get('/me/notices/99')).status).toBe(404)
  })

  test('reading is noted once, and saying so twice counts once', async () => {
    const at = stage.clock.now().toISOString()
    stage.clock.advance(60_000)
    await volunteer.get('/me/notices/1')
    for (let time = 0; time < 2; time++) {
      const answer = await volunteer.post('/me/notices/1/acknowledge')
      expect([answer.status, answer.location]).toEqual([303, '/me/notices/1'])
      stage.clock.advance(60_000)
    }
    const [reading, ...more] = await rows<{ opened_at: string; acknowledged_at: string }>(
      stage,
      `select opened_at, acknowledged_at from notice_readings where person_id = ${zhangId}`,
    )
    expect(more).toEqual([])
    expect(new Date(reading?.opened_at ?? 0).toISOString()).toBe(at)
    expect(new Date(reading?.acknowledged_at ?? 0).getTime() - new Date(at).getTime()).toBe(60_000)
    expect((await volunteer.get('/me/notices/1')).text).toContain('说已阅读')
    expect((await volunteer.get('/me')).text).not.toContain('考勤表')
  })

  test('an owner settles with one tap, all or one group, and a second tap does no harm', async () => {
    const extra = groupNumber(
      await stage.say(people.zhou.id, '建群 团支部群 微信群 5人 第一团支部值班群 入群码 拉人'),
    )
    await stage.say(people.zhao.id, '通知 便民 周末停电安排')
    await stage.say(people.zhao.id, '确认')
    await stage.settle()
    const page = await owner.get('/me/notices/2')
    expect(page.text).toContain('转：都转发好了')
    expect(page.text).toContain('请在企业微信里确认群发')
    expect(flash(await owner.post('/me/notices/2/received'))).toContain('已记下您看到了')
    expect(await states()).toEqual(['received', 'received'])
    expect(flash(await owner.post('/me/notices/2/relayed', { group: String(extra) }))).toContain(
      '第一团支部值班群',
    )
    expect(flash(await owner.post('/me/notices/2/relayed', { group: String(extra) }))).toContain(
      '已经登记过了',
    )
    const half = await owner.get('/me/notices/2')
    expect(half.text).toContain('转：已转发到群')
    expect(flash(await owner.post('/me/notices/2/relayed'))).toContain('第一团支部备用群')
    expect(flash(await owner.post('/me/notices/2/relayed'))).toContain('已经登记过了')
    expect(flash(await owner.post('/me/notices/2/received'))).toContain('已经登记过了')
    expect(await states()).toEqual(['received', 'received', 'relayed', 'relayed'])
    // a group that is not theirs to settle
    expect(flash(await owner.post('/me/notices/2/relayed', { group: '999' }))).toContain('已经登记过了')
    expect(spareGroup).not.toBe(extra)

    async function states() {
      const found = await rows<{ kind: string }>(
        stage,
        `select r.kind from receipts r join deliveries d on d.id = r.delivery_id where d.notice_id = 2 order by r.kind`,
      )
      return found.map(row => row.kind)
    }
  })

  test('what is known is shown masked, with where it comes from', async () => {
    const { text } = await volunteer.get('/me/data')
    for (const part of [
      '138****0006',
      '610*************2X',
      '没有登记',
      '公众号',
      '入群审核通过',
      '榆阳区第一团支部',
      '镇川镇政府',
      '2026年8月1日 至 2027年7月31日',
      '60 天删除',
    ])
      expect(text).toContain(part)
    for (const secret of ['13800000006', '61080220010307312X', 'o-zhang', 'wm-zhang'])
      expect(text).not.toContain(secret)
  })

  test('and so is who looked at it, with office, time and reason', async () => {
    await appendAudit(stage.rt.db, {
      at: stage.clock.now(),
      actorId: await personId(stage, '赵县办'),
      action: 'person.unmasked',
      subjectKind: 'person',
      subjectId: zhangId,
      details: { reason: '办理保险' },
    })
    const { text } = await volunteer.get('/me/data')
    expect(text).toContain('赵县办（榆阳区主任）：')
    expect(text).toContain('查看了完整的手机号、身份证号，理由：办理保险')
    expect(text).toMatch(/系统：<\/b>导入名册（新增 9/)
    expect(text).toContain('入群申请通过（系统按规则）')
    expect(text).toContain('您本人：</b>登录网页（演示）')
    expect((await owner.get('/me/data')).text).not.toContain('办理保险')
    expect((await owner.get('/me/data')).text).toContain('赵县办（榆阳区主任）：</b>发了账号绑定码')
  })

  test('a long trail is paged', async () => {
    for (let entry = 0; entry < 60; entry++)
      await appendAudit(stage.rt.db, {
        at: stage.clock.now(),
        actorId: null,
        action: 'identity.bound',
        subjectKind: 'person',
        subjectId: await personId(stage, '马黄梁'),
        details: { channel: 'wecom', by: 'code' },
      })
    const ma = await signIn(stage, '马黄梁')
    const count = (page: Answer) => page.text.match(/绑定企业微信账号（凭绑定码）/g)?.length ?? 0
    const first = await ma.get('/me/data')
    expect(count(first)).toBeLessThanOrEqual(50)
    expect(first.text).toContain('/me/data?page=2')
    expect(count(first) + count(await ma.get('/me/data?page=2'))).toBe(60)
  })

  test('every action that is written has words, and an unknown one is not hidden', async () => {
    const written = await rows<{ action: string }>(stage, 'select distinct action from audit_log')
    expect(written.map(row => row.action).filter(action => !auditActions.includes(action))).toEqual([])
    for (const action of auditActions) expect(actionWords(action, {})).toMatch(/^[\p{Script=Han}\p{P}]+$/u)
    expect(actionWords('moon.painted', {})).toBe('其他操作（moon.painted）')
    expect(actionWords('constructor', {})).toBe('其他操作（constructor）')
  })

  test('consent is given to the text that was seen, once, and taken back as easily', async () => {
    const page = await volunteer.get('/me/consent')
    for (const head of ['为什么要', '要什么', '谁能看到', '保存多久', '怎样撤回'])
      expect(page.text).toContain(head)
    const day = /name="day" value="([^"]+)"/.exec(page.text)?.[1] as string
    const old = await volunteer.post('/me/consent', { answer: 'agree', day: '2020-01-01' })
    expect([old.status, old.text.includes('说明的内容已经更新')]).toEqual([422, true])
    expect((await volunteer.post('/me/consent', { answer: 'maybe', day })).status).toBe(422)
    for (let time = 0; time < 2; time++)
      expect((await volunteer.post('/me/consent', { answer: 'agree', day })).status).toBe(303)
    expect((await volunteer.get('/me/consent')).text).toContain('已同意')
    for (let time = 0; time < 2; time++) await volunteer.post('/me/consent', { answer: 'withdraw' })
    expect((await volunteer.get('/me/consent')).text).toContain('已撤回')
    expect(
      await rows(
        stage,
        `select purpose, text_of::text as day, withdrawn_at is not null as is_withdrawn from consents where person_id = ${zhangId}`,
      ),
    ).toEqual([{ purpose: 'id-number', day, is_withdrawn: true }])
    expect(
      await rows(
        stage,
        `select action from audit_log where action like 'consent.%' and subject_id = ${zhangId} order by id`,
      ),
    ).toEqual([{ action: 'consent.given' }, { action: 'consent.withdrawn' }])
  })

  test('sessions are one’s own: others are ended from here, somebody else’s are not there', async () => {
    const [here, there, third] = [
      await signIn(stage, '刘市办'),
      await signIn(stage, '刘市办'),
      await signIn(stage, '刘市办'),
    ]
    const page = await here.get('/me/sessions')
    expect(page.text.match(/class="own-group"/g)).toHaveLength(3)
    expect(page.text.match(/就是这里/g)).toHaveLength(1)
    expect(page.text).toContain('电脑上的浏览器')
    const ids = [...page.text.matchAll(/\/me\/sessions\/(\d+)\/end/g)].map(found => Number(found[1]))
    expect((await volunteer.post(`/me/sessions/${ids[0]}/end`)).status).toBe(404)
    // the newest stands first: third, there, here
    expect((await here.post(`/me/sessions/${ids[1]}/end`)).status).toBe(303)
    expect((await there.get('/me')).location).toContain('/sign-in')
    expect((await here.post(`/me/sessions/${ids[1]}/end`)).status).toBe(404)
    expect((await third.get('/me')).status).toBe(200)
    expect(flash(await here.post('/me/sessions/end-others'))).toContain('其他 1 处')
    expect(flash(await here.post('/me/sessions/end-others'))).toContain('没有其他登录')
    expect((await third.get('/me')).location).toContain('/sign-in')
    expect((await here.get('/me/sessions')).text.match(/class="own-group"/g)).toHaveLength(1)
    expect((await rows(stage, `select id from audit_log where action = 'session.ended'`)).length).toBe(2)
  })

  test('all devices out, and the API tokens that were made from the account with them, when one says so', async () => {
    const here = await signIn(stage, '刘市办')
    const unit = await rows<{ id: string }>(
      stage,
      `select id from units where programme = 'xibu' and code = '610800'`,
    )
    const until = new Date(stage.clock.now().getTime() + 10 * 86_400_000).toISOString().slice(0, 10)
    await here.post('/console/api-tokens', {
      name: '台帐',
      unit: String(unit[0]?.id),
      scopes: 'units:read',
      until,
    })
    const standing = () => rows(stage, `select name from api_tokens where ended_at is null`)
    expect(await standing()).toEqual([{ name: '台帐' }])
    // it ends within two weeks: told once, however often the night's work is done
    const told = () =>
      rows(
        stage,
        `select id from outgoing_messages where purpose = 'task' and person_id = (select id from persons where name = '刘市办')`,
      )
    const before = (await told()).length
    for (let night = 0; night < 2; night++) await deleteExpired(stage.rt)
    expect((await told()).length).toBe(before + 1)
    expect((await here.get('/me/sessions')).text).toContain('停用我建的 1 个接口令牌')
    await here.post('/me/sessions/end-others')
    expect(await standing()).toHaveLength(1)
    expect(flash(await here.post('/me/sessions/end-others', { tokens: 'yes' }))).toContain(
      '停用了 1 个接口令牌',
    )
    expect(await standing()).toEqual([])
    expect((await here.get('/me/sessions')).text).not.toContain('接口令牌')
  })

  describe('网页 in the chat', () => {
    const linkIn = (answer: string) => /https?:\/\/\S+\/sign-in\/link\/\S+/.exec(answer)?.[0] as string

    test.each([
      ['网页', 'zhou', '/console'],
      ['后台', 'zhao', '/console'],
      ['登录', 'zhang', '/me'],
    ] as const)('“%s” of %s leads to %s, once', async (word, who, path) => {
      const answer = await stage.say(people[who].id, word)
      expect(answer).toContain('10 分钟内有效')
      const link = linkIn(answer)
      expect((await fetch(link)).status).toBe(200)
      const open = () => fetch(link, { method: 'POST', redirect: 'manual' })
      const first = await open()
      expect([first.status, first.headers.get('location')]).toEqual([303, path])
      expect((await open()).status).toBe(410)
    })

    test('an account that is not bound is told how to become so, and gets no link', async () => {
      const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-stranger' })
      const answer = await stage.say(stranger.id, '网页')
      expect(answer).toContain('要先绑定账号')
      expect(answer).not.toContain('sign-in')
    })

    test('in a group, where everybody reads it, there is no link', async () => {
      const group = stage.sim.createGroup({ kind: 'internal', name: '工作群', ownerId: people.zhao.id })
      const answers = await stage.sim.aibot.mention(group.id, people.zhao.id, '网页')
      const answer = answers.map(message => message.text).join('\n')
      expect(answer).toContain('单聊')
      expect(answer).not.toContain('sign-in')
    })
  })
})

function flash(answer: Answer): string {
  expect(answer.status).toBe(303)
  const cookie = answer.headers.getSetCookie().find(each => each.startsWith('qz_said=')) ?? ''
  return decodeURIComponent(cookie.split(';')[0] ?? '')
}

describe('who had the list in which one stands', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
  })
  afterAll(() => stage.close())

  const exported = async (code: string, at: string, details = {}) => {
    const [unit] = await rows<{ id: string }>(
      stage,
      `select id from units where programme = 'xibu' and code = '${code}'`,
    )
    await appendAudit(stage.rt.db, {
      at: new Date(at),
      actorId: await personId(stage, '刘市办'),
      action: 'roster.exported',
      subjectKind: 'unit',
      subjectId: Number(unit?.id),
      details: { count: 9, ...details },
    })
  }

  test('an export of a whole unit is told to each who was in it then, and to nobody else', async () => {
    // twice on one day by a program, page by page; and of the other county
    await exported('610800', '2026-09-07T10:00:00+08:00', { by: 'api' })
    await exported('610800', '2026-09-07T10:00:05+08:00', { by: 'api' })
    await exported('610825', '2026-09-07T11:00:00+08:00')
    // before the roster had anybody
    await exported('610802', '2026-09-01T10:00:00+08:00')
    stage.clock.advance(3 * 3600_000)
    const told = async (name: string) => {
      const { text } = await (await signIn(stage, name)).get('/me/data')
      return [...text.matchAll(/导出([^<]*)<\/?/g)].map(([, words]) => words?.trim())
    }
    expect(await told('周支书')).toEqual(['榆林市的名册，里面有您（单位的程序，通过接口令牌），当天 2 次'])
    const [county] = (await told('阿依古丽·买买提')).concat([])
    expect(county).toContain('榆林市的名册')
    expect(await told('陈省办')).toEqual([])
    expect(await told('王镇川')).toEqual([])
  })
})
