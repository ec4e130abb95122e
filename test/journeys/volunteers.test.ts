import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identities } from '../../db/schema/index.ts'
import { eraseOwn } from '../../server/domain/privacy/erase.ts'
import { eraseAfterRetention } from '../../server/domain/privacy/retention.ts'
import { keepVolunteerFiles } from '../../server/domain/volunteers/files.ts'
import { remindOfVolunteers } from '../../server/domain/volunteers/remind.ts'
import { signIn, type Visitor } from '../support/console.ts'
import { rows } from '../support/matrix.ts'
import { openUniversity, type University } from '../support/university.ts'

const DAY = 86_400_000
const REMINDED = '很久没有联系'

/** 山东科技大学 with its volunteers of two years, a college, a mentor, and another university's volunteer. */
describe('the volunteer database of a university', () => {
  let u: University
  let officer: Visitor
  let dean: Visitor
  let collegeId: number
  let mentor: { personId: number; simId: string }
  let zhang: { personId: number; simId: string }
  let twins: { personId: number; simId: string }[]

  const one = async (query: string) => Number((await rows<{ id: string }>(u.stage, query))[0]?.id ?? 0)
  const fileOf = (personId: number) => one(`select id from volunteer_files where person_id = ${personId}`)
  const holder = (name: string, unitId: number, role: string) =>
    one(`with p as (insert into persons (name, name_key, sound_key, created_at)
        values ('${name}', '${name}', '${name}', now()) returning id)
      insert into roles (person_id, unit_id, role, started_at) select id, ${unitId}, '${role}', now() from p
      returning person_id as id`)
  const account = async (personId: number, name: string) => {
    const at = u.stage.clock.now()
    await u.stage.rt.db.insert(identities).values({
      channel: 'official-account',
      address: `o-${personId}`,
      personId,
      boundAt: at,
      boundBy: 'code',
      createdAt: at,
    })
    return { personId, simId: u.stage.sim.addPerson({ name, openId: `o-${personId}` }).id }
  }
  const post = (who: Visitor, personId: number, what: string, fields: Record<string, string>) =>
    fileOf(personId).then(id => who.post(`/console/volunteers/${id}/${what}`, fields))
  const pageOf = async (personId: number, who = officer) =>
    (await who.get(`/console/volunteers/${await fileOf(personId)}`)).text
  const touches = () =>
    rows(
      u.stage,
      `select p.name, t.on::text from volunteer_touches t join volunteer_files f on f.id = t.file_id
      join persons p on p.id = f.person_id order by t.id`,
    )
  const sent = async (personId: number) => {
    const found = await rows<{ texts_sealed: string }>(
      u.stage,
      `select texts_sealed from outgoing_messages where person_id = ${personId} and purpose = 'reminder' order by id`,
    )
    return found.map(row => (JSON.parse(u.stage.rt.vault.open(row.texts_sealed)) as string[]).join('\n'))
  }

  beforeAll(async () => {
    u = await openUniversity()
    zhang = await u.volunteer({ name: '张远' })
    twins = [await u.volunteer({ name: '王双' }), await u.volunteer({ name: '王双', place: '山东' })]
    const old = await u.volunteer({
      name: '周延期',
      startsOn: '2025-07-25',
      endsOn: '2026-07-24',
      status: '离岗',
    })
    await u.volunteer({ name: '周延期', personId: old.personId })
    await u.volunteer({ name: '校友甲', startsOn: '2024-07-25', endsOn: '2025-07-24', status: '离岗' })
    await u.volunteer({ name: '李别校', university: '青岛大学' })
    // once of this university, and now of another, which looks after them
    const elsewhere = await u.volunteer({
      name: '吴读研',
      startsOn: '2023-07-25',
      endsOn: '2024-07-24',
      status: '离岗',
    })
    await u.volunteer({ name: '吴读研', personId: elsewhere.personId, university: '青岛大学' })
    collegeId = await one(`insert into units (programme, code, name, kind, level, parent_id, path, created_at)
      values ('xibu', '1042401', '矿业学院项目办', 'college-office', 'college', ${u.unitId}, '', now()) returning id`)
    await rows(
      u.stage,
      `update units c set path = p.path || c.id || '/' from units p where c.id = ${collegeId} and p.id = c.parent_id`,
    )
    const mentorId = await holder('冯导师', u.unitId, 'mentor')
    mentor = await account(mentorId, '冯导师')
    officer = await signIn(u.stage, u.maker.person.id)
    dean = await signIn(u.stage, await holder('陈院长', collegeId, 'college-office-director'))
  })
  afterAll(() => u.stage.close())

  test('has everybody of the rosters of all years once, and nobody of another university', async () => {
    expect([await keepVolunteerFiles(u.stage.rt), await keepVolunteerFiles(u.stage.rt)]).toEqual([6, 0])
    const { text } = await officer.get('/console/volunteers')
    for (const word of ['张远', '王双', '周延期', '校友甲', '2024 年', '2025 年'])
      expect(text).toContain(word)
    expect(text).not.toContain('李别校')
    const stage = async (query: string) => (await officer.get(`/console/volunteers?${query}`)).text
    const extended = await stage('stage=extended')
    expect(extended).toContain('周延期')
    expect(extended).not.toContain('校友甲')
    for (const name of ['校友甲', '吴读研']) expect(await stage('stage=alumni')).toContain(name)
    expect(await stage('stage=in_service')).not.toContain('吴读研')
    expect(await stage(`search=${encodeURIComponent('张')}&year=2026`)).toContain('张远')
    expect(await stage('year=2024')).not.toContain('张远')
  })

  test('is for the office of the university, and for a college of its own people only', async () => {
    const id = await fileOf(zhang.personId)
    const above = await signIn(u.stage, u.above.person.id)
    const mentorHere = await signIn(u.stage, mentor.personId)
    for (const who of [above, dean, mentorHere])
      expect((await who.get(`/console/volunteers/${id}`)).status).toBe(404)
    expect((await above.get('/console/volunteers')).text).not.toContain('张远')
    expect((await above.post('/console/volunteers', { name: '某某' })).status).toBe(404)
    expect(
      (await post(officer, zhang.personId, 'place', { college: String(collegeId), year: '2026' })).status,
    ).toBe(303)
    expect((await dean.get(`/console/volunteers/${id}`)).status).toBe(200)
    const { text } = await dean.get('/console/volunteers')
    expect(text).toContain('张远')
    expect(text).not.toContain('王双')
    // a college gives nobody away
    expect((await post(dean, zhang.personId, 'place', { college: '', year: '2026' })).status).toBe(422)
    expect(
      (await post(dean, twins[0]?.personId as number, 'steps', { step: 'selected', on: '2026-06-01' }))
        .status,
    ).toBe(404)
  })

  test('takes a candidate whom the roster will know again, and the steps of a way', async () => {
    const made = await dean.post('/console/volunteers', {
      office: String(collegeId),
      name: '苗 苗',
      phone: '13912345678',
      year: '2028',
    })
    expect(made.location).toMatch(/^\/console\/volunteers\/\d+$/)
    const again = await officer.post('/console/volunteers', {
      office: String(u.unitId),
      name: '苗苗',
      phone: '139 1234 5678',
      year: '2028',
    })
    expect([again.status, again.text.includes('没有再建')]).toEqual([422, true])
    const bad = await dean.post('/console/volunteers', {
      office: String(collegeId),
      name: '苗苗',
      phone: '12',
      year: '2028',
    })
    expect([bad.status, bad.text.includes('value="苗苗"')]).toEqual([422, true])
    const personId = await one(`select id from persons where name = '苗苗'`)
    await post(dean, personId, 'steps', { step: 'applied', on: '2026-09-01' })
    expect(await pageOf(personId, dean)).toContain('预报名')
    expect((await post(dean, personId, 'steps', { step: 'selected', on: '2027-01-01' })).status).toBe(422)
    await post(dean, personId, 'steps/back', { step: 'applied' })
    expect((await dean.get('/console/volunteers?stage=candidate')).text).toContain('苗苗')
  })

  test('takes colleges, years and mentors of many as they are copied from Excel, or none of them', async () => {
    const paste = (lines: string[][], who = officer, office = u.unitId) =>
      who.post('/console/volunteers/many', {
        office: String(office),
        lines: lines.map(cells => cells.join('\t')).join('\r\n'),
      })
    const heads = ['姓名', '院系', '毕业年份', '导师']
    const alumnus = await fileOf(await one(`select id from persons where name = '校友甲'`))
    const placed = () =>
      rows(
        u.stage,
        `select c.name as college, f.year, m.name as mentor from volunteer_files f
         left join units c on c.id = f.college_id left join volunteer_mentors v on v.file_id = f.id and v.until_on is null
         left join persons m on m.id = v.mentor_id where f.id = ${alumnus}`,
      )
    const bad = await paste([
      heads,
      ['校友甲', '矿业学院', '2023', ''],
      ['没有人', '', '2023', ''],
      ['王双', '', '2026', ''],
      ['张远', '文学院', '', ''],
      ['周延期', '', '二五', '某导师'],
    ])
    expect(bad.status).toBe(422)
    for (const word of ['没有人', '有 2 位叫王双', '本校没有“文学院”', '毕业年份', '校友甲\t矿业学院'])
      expect(bad.text).toContain(word)
    expect(await placed()).toEqual([{ college: null, year: 2024, mentor: null }])
    const good = await paste([
      heads,
      ['校 友甲', '矿业学院', '2023', '冯导师'],
      ['吴读研', '', '', '冯导师'],
      [''],
    ])
    expect(good.status).toBe(303)
    expect(await placed()).toEqual([{ college: '矿业学院项目办', year: 2023, mentor: '冯导师' }])
    const told = await rows<{ texts_sealed: string }>(
      u.stage,
      `select texts_sealed from outgoing_messages where person_id = ${mentor.personId} and purpose = 'task'`,
    )
    // bundled: two in one message
    expect(told.map(row => u.stage.rt.vault.open(row.texts_sealed)).join()).toMatch(
      /^[^【]*【志愿者导师】[^【]*校友甲、吴读研[^【]*$/,
    )
    // a college writes of its own people, and gives nobody away
    expect((await paste([['周延期', '', '2025', '']], dean, collegeId)).text).toContain('没有“周延期”')
    expect((await paste([['校友甲', '', '2022', '']], dean)).status).toBe(422)
    for (const name of ['校友甲', '吴读研'])
      await post(officer, await one(`select id from persons where name = '${name}'`), 'mentor', {
        mentor: '',
      })
    await rows(u.stage, `delete from outgoing_messages where person_id = ${mentor.personId}`)
  })

  test('has touches in one line of the chat: of the mentor, of the volunteer, and not of strangers', async () => {
    const { stage } = u
    expect(await stage.say(mentor.simId, '联系 张远 昨天电话')).toContain('没有“张远”')
    for (const each of [zhang, ...twins, zhang])
      await post(officer, each.personId, 'mentor', { mentor: String(mentor.personId) })
    // who is their mentor already is not told again
    const told = `select id from outgoing_messages where person_id = ${mentor.personId} and purpose = 'task'`
    expect(await rows(stage, told)).toHaveLength(3)
    expect(await stage.say(mentor.simId, '联系 张远 昨天电话，一切都好')).toContain('2026-09-06 和张远联系')
    expect(await stage.say(zhang.simId, '联系 导师 今天通了电话')).toContain('记下了')
    const which = await stage.say(mentor.simId, '联系 王双 9月5日微信')
    expect(which).toContain('有 2 位叫“王双”，还没有记下')
    expect(which).toContain('山东团支部')
    const number = await fileOf(twins[1]?.personId as number)
    expect(await stage.say(mentor.simId, `联系 ${number} 9月5日微信`)).toContain('2026-09-05 和王双联系')
    expect(await touches()).toEqual([
      { name: '张远', on: '2026-09-06' },
      { name: '张远', on: '2026-09-07' },
      { name: '王双', on: '2026-09-05' },
    ])
    // no day is no reason to take today's, and hours are no day
    expect(await stage.say(mentor.simId, '联系 张远 2月30日电话')).toContain('没有记下')
    expect(await stage.say(mentor.simId, '联系 张远 1.5小时长谈')).toContain('今天 和张远联系')
    // a volunteer notes nothing of another, nor a mentor of another's
    expect(await stage.say(twins[0]?.simId as string, '联系 张远 今天')).toContain('没有“张远”')
    expect(await stage.say(mentor.simId, '联系 周延期 今天电话')).toContain('没有“周延期”')
    const mine = await stage.say(mentor.simId, '我的志愿者')
    expect(mine).toContain('您带 3 位志愿者')
    expect(mine).toContain('张远（陕西团支部）：今天联系过')
    expect(mine).toContain('还没有联系的记录')
    const read = `select id from audit_log where action = 'volunteer.viewed' and subject_id = ${zhang.personId}`
    const before = await rows(stage, read)
    expect(await pageOf(zhang.personId)).toContain('一切都好')
    // what mentors wrote is read with a line in the log, and where nothing is written there is none
    expect(await rows(stage, read)).toHaveLength(before.length + 1)
    await pageOf(await one(`select id from persons where name = '校友甲'`))
    expect(await rows(stage, `select id from audit_log where action = 'volunteer.viewed'`)).toHaveLength(1)
  })

  test('offers a slip for a hardship, and sends none by itself', async () => {
    const { stage } = u
    const reply = await stage.say(zhang.simId, '联系 导师 今天电话，我宿舍没有暖气太冷了，希望帮忙解决一下')
    expect(reply).toContain('记下了')
    expect(reply).toContain('要的话请回“要”')
    expect(await rows(stage, 'select id from slips')).toEqual([])
    expect(await stage.say(zhang.simId, '要')).toContain('哪一类')
    await stage.say(zhang.simId, '取消')
  })

  test('keeps 户口 two years and 入学资格 one, and tells before it ends, once for each number of days', async () => {
    const { rt, clock } = u.stage
    for (const [what, since] of [
      ['household', '2024-10-01'],
      ['place', '2026-09-01'],
      ['records', '2026-09-01'],
    ] as const)
      expect((await post(officer, zhang.personId, 'keeps', { what, since })).status).toBe(303)
    expect(
      (await post(officer, zhang.personId, 'keeps', { what: 'place', since: '2026-09-01' })).status,
    ).toBe(422)
    const text = await pageOf(zhang.personId)
    for (const word of ['2026年9月30日', '2027年8月31日', '没有期限', '四(一).2'])
      expect(text).toContain(word)
    await remindOfVolunteers(rt)
    await remindOfVolunteers(rt)
    expect((await sent(zhang.personId)).filter(each => each.includes('户口'))).toHaveLength(1)
    expect((await sent(u.maker.person.id)).join()).toContain('张远的户口：保留到 2026-09-30，还有 23 天到期')
    clock.advance(17 * DAY)
    await remindOfVolunteers(rt)
    expect((await sent(zhang.personId)).filter(each => each.includes('户口'))).toHaveLength(2)
    const keep = await one(`select id from volunteer_keeps where what = 'household'`)
    // a session does not outlast these days
    officer = await signIn(u.stage, u.maker.person.id)
    expect((await post(officer, zhang.personId, 'keeps/end', { keep: String(keep) })).status).toBe(303)
    clock.advance(DAY)
    await remindOfVolunteers(rt)
    expect((await sent(zhang.personId)).filter(each => each.includes('户口'))).toHaveLength(2)
    const own = await (await signIn(u.stage, zhang.personId)).get('/me/data')
    expect(own.text).toContain('山东科技大学校项目办的志愿者数据库')
    expect(own.text).toContain('入学资格（2026年9月1日起，到2027年8月31日）')
    expect(own.text).not.toContain('户口（')
  })

  test('reminds the mentor after 30 days, once a week until there is a touch, and the office of who has none', async () => {
    const { rt, clock, say } = u.stage
    const quiet = async (personId: number) => (await sent(personId)).filter(each => each.includes(REMINDED))
    // 周延期 serves since July of last year, extended, and has no mentor
    const [office] = (await sent(u.maker.person.id)).filter(each => each.includes('还没有导师'))
    expect(office).toContain('有 1 位在岗志愿者还没有导师')
    expect(office).toContain('周延期：409 天没有联系的记录')
    const before = await quiet(mentor.personId)
    expect(before[0]).toContain('王双：44 天没有联系的记录')
    expect(before[0]).not.toContain('张远')
    expect(before[0]).toContain('山科大党发〔2021〕52号 三(四)')
    clock.set(new Date('2026-10-20T09:40:00+08:00'))
    await remindOfVolunteers(rt)
    await remindOfVolunteers(rt)
    const after = await quiet(mentor.personId)
    expect(after).toHaveLength(before.length + 1)
    // bundled: three in one message
    expect(after.at(-1)).toContain('有 3 位很久没有联系了')
    await say(mentor.simId, '联系 张远 今天电话')
    clock.advance(6 * DAY)
    await remindOfVolunteers(rt)
    expect(await quiet(mentor.personId)).toHaveLength(after.length)
    clock.advance(DAY)
    await remindOfVolunteers(rt)
    expect((await quiet(mentor.personId)).at(-1)).toContain('有 2 位很久没有联系了')
    // a mentor who has left is none
    await rows(u.stage, `update roles set ended_at = now() where person_id = ${mentor.personId}`)
    clock.advance(7 * DAY)
    await remindOfVolunteers(rt)
    expect(await quiet(mentor.personId)).toHaveLength(after.length + 1)
    expect((await sent(u.maker.person.id)).at(-1)).toContain('有 3 位在岗志愿者还没有导师')
    officer = await signIn(u.stage, u.maker.person.id)
    expect(await pageOf(zhang.personId)).toContain('已不在学校任职')
    // nor can one be reminded whom no account reaches: then it is the office's
    const unbound = await holder('郑无号', u.unitId, 'mentor')
    await post(officer, zhang.personId, 'mentor', { mentor: String(unbound) })
    clock.advance(28 * DAY)
    await remindOfVolunteers(rt)
    expect(await quiet(unbound)).toEqual([])
    const [alone, deaf] = (await sent(u.maker.person.id)).slice(-2)
    expect(alone).toContain('有 3 位在岗志愿者还没有导师')
    expect(deaf).toMatch(/有 1 位在岗志愿者很久没有联系了，导师没有绑定账号[\s\S]*张远/)
    // who serves for another university is its business
    expect((await sent(u.maker.person.id)).join()).not.toContain('吴读研')
  })

  test('shows what was paid to the office that pays, and only that it was to a college', async () => {
    const deans = (await rows<{ id: string }>(u.stage, `select id from persons where name = '陈院长'`)).map(
      row => Number(row.id),
    )
    officer = await signIn(u.stage, u.maker.person.id)
    dean = await signIn(u.stage, deans[0] as number)
    await rows(
      u.stage,
      `with run as (insert into subsidy_runs (unit_id, year, way, status, made_by, made_at)
         values (${u.unitId}, 2026, 'bank', 'approved', ${u.maker.person.id}, now()) returning id)
       insert into subsidy_items (run_id, person_id, name, place, is_out_of_province, starts_on, fen)
       select id, ${zhang.personId}, '张远', '陕西团支部', true, '2026-07-25', 600000 from run`,
    )
    // what another office pays is not for these eyes
    await rows(
      u.stage,
      `with run as (insert into subsidy_runs (unit_id, year, way, status, made_by, made_at)
         values (${collegeId}, 2026, 'bank', 'approved', ${u.maker.person.id}, now()) returning id)
       insert into subsidy_items (run_id, person_id, name, place, is_out_of_province, starts_on, fen)
       select id, ${zhang.personId}, '张远', '陕西团支部', true, '2026-07-25', 123400 from run`,
    )
    expect(await pageOf(zhang.personId)).toContain('已批准，由银行发放，6,000.00 元')
    const theirs = await pageOf(zhang.personId, dean)
    expect(theirs).toContain('已批准，由银行发放')
    expect(theirs).not.toContain('6,000')
  })

  test('is exported with a line in the log, and forgets whoever asks for it', async () => {
    const answer = await officer.get('/console/volunteers.xlsx?stage=in_service')
    expect(answer.headers.get('content-type')).toContain('spreadsheetml')
    expect(
      await rows(
        u.stage,
        `select details ->> 'count' as count from audit_log where action = 'volunteer.exported'`,
      ),
    ).toEqual([{ count: '3' }])
    await eraseOwn(u.stage.rt, { ...u.maker, person: { id: zhang.personId, name: '张远' } })
    for (const name of ['touches', 'keeps', 'mentors', 'steps', 'reminders'])
      expect(
        await rows(
          u.stage,
          `select t.id from volunteer_${name} t join volunteer_files f on f.id = t.file_id where f.person_id = ${zhang.personId}`,
        ),
      ).toEqual([])
    // a candidate of 2028 who came on no roster is forgotten two years after; an alumnus whose 档案 is kept is not
    const [child, alumnus] = [
      await one(`select id from persons where name = '苗苗'`),
      await one(`select id from persons where name = '校友甲'`),
    ]
    officer = await signIn(u.stage, u.maker.person.id)
    await post(officer, alumnus, 'keeps', { what: 'records', since: '2024-07-01' })
    u.stage.clock.set(new Date('2030-12-31T09:00:00+08:00'))
    await eraseAfterRetention(u.stage.rt)
    expect(await fileOf(child)).toBeGreaterThan(0)
    u.stage.clock.set(new Date('2031-01-01T09:00:00+08:00'))
    await eraseAfterRetention(u.stage.rt)
    expect(
      await rows(u.stage, `select name from persons where id in (${child}, ${alumnus}) order by id`),
    ).toEqual([{ name: '校友甲' }, { name: '已删除' }])
    expect(await fileOf(child)).toBe(0)
  })
})
