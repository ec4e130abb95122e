import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertActivity, insertRecord } from '../../db/queries/records.ts'
import type { Answer, Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** The figures at the top: what is counted, by its name. */
function figures({ text }: Answer): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(/class="figure [^"]*"[^>]*><b>(\d+)<\/b><span>([^<]+)<\/span>/g)].map(each => [
      each[2] ?? '',
      Number(each[1]),
    ]),
  )
}

describe('records', () => {
  let stage: Stage
  let matrix: FullMatrix
  let county: Visitor
  let group: number
  let unit: number
  let machine: number
  let settled: number

  const category = async (id: number) =>
    (
      await rows<{ category: string; decided_by: string }>(
        stage,
        `select category, decided_by from message_records where id = ${id}`,
      )
    )[0]
  const audit = () =>
    rows<{ details: Record<string, unknown>; actor: string; subject: number }>(
      stage,
      `select a.details, p.name as actor, a.subject_id::int as subject from audit_log a join persons p on p.id = a.actor_id
       where action = 'record.recategorised' order by a.id`,
    )

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    county = matrix.visitors.county
    group = matrix.things.groupId as number
    unit = matrix.things.unitId as number
    const [township] = await rows<{ id: number }>(
      stage,
      `select unit_id::int as id from groups where id = ${group}`,
    )
    const [elsewhere] = await rows<{ id: number; unit: number }>(
      stage,
      "select id::int, unit_id::int as unit from groups where name = '贺圈青年群'",
    )
    const record = (
      day: string,
      what: { category: string; count: number; by?: number; groupId?: number; unitId?: number },
    ) =>
      insertRecord(stage.rt.db, {
        groupId: what.groupId ?? group,
        unitId: what.unitId ?? (township?.id as number),
        month: day.slice(0, 7),
        recordedOn: day,
        category: what.category,
        count: what.count,
        source: what.by === undefined ? 'counted' : 'forwarded',
        decidedBy: what.by === undefined ? 'person' : 'machine',
        confidence: what.by ?? null,
        excerpt: what.by === undefined ? null : '羊绒今天<b>八十</b>一斤',
        createdAt: stage.clock.now(),
      })
    machine = await record('2026-09-03', { category: '新闻娱乐', count: 1, by: 0.874 })
    await record('2026-08-30', { category: '便民服务', count: 5 })
    settled = await record('2026-07-10', { category: '其他', count: 7 })
    await record('2026-09-04', {
      category: '政策法规',
      count: 9,
      groupId: elsewhere?.id as number,
      unitId: elsewhere?.unit as number,
    })
    await insertActivity(stage.rt.db, {
      unitId: elsewhere?.unit as number,
      kind: 'activities.matchmaking',
      heldOn: '2026-09-02',
      month: '2026-09',
      place: '定边广场',
      createdAt: stage.clock.now(),
    })
  })
  afterAll(() => stage.close())

  test.each<[keyof FullMatrix['visitors'], string, Record<string, number>]>([
    ['county', '', { 条消息: 4, 政策法规: 0, 致富信息: 3, 新闻娱乐: 1, 便民服务: 0, 其他: 0 }],
    ['city', '', { 条消息: 13, 政策法规: 9, 致富信息: 3, 新闻娱乐: 1, 便民服务: 0, 其他: 0 }],
    ['owner', '', { 条消息: 4, 政策法规: 0, 致富信息: 3, 新闻娱乐: 1, 便民服务: 0, 其他: 0 }],
    ['otherCounty', '', { 条消息: 9, 政策法规: 9, 致富信息: 0, 新闻娱乐: 0, 便民服务: 0, 其他: 0 }],
    ['county', '?month=2026-08', { 条消息: 5, 政策法规: 0, 致富信息: 0, 新闻娱乐: 0, 便民服务: 5, 其他: 0 }],
    ['city', '?category=致富信息', { 条消息: 3, 致富信息: 3 }],
    ['city', '?source=forwarded', { 条消息: 1, 政策法规: 0, 致富信息: 0, 新闻娱乐: 1, 便民服务: 0, 其他: 0 }],
    [
      'county',
      "?month=2026-9'&category=x&page=-1",
      { 条消息: 4, 政策法规: 0, 致富信息: 3, 新闻娱乐: 1, 便民服务: 0, 其他: 0 },
    ],
  ])(
    '%s asks for records%s: the totals are of what is theirs and asked for',
    async (who, query, expected) => {
      const answer = await matrix.visitors[who].get(`/console/records${query}`)
      expect(answer.status).toBe(200)
      expect(figures(answer)).toEqual(expected)
    },
  )

  test('a unit or a group that one does not look after is not there', async () => {
    expect(figures(await matrix.visitors.city.get(`/console/records?unit=${unit}`))).toMatchObject({
      条消息: 4,
    })
    expect(figures(await county.get(`/console/records?group=${group}`))).toMatchObject({ 条消息: 4 })
    for (const who of ['otherCounty', 'branch', 'owner'] as const)
      expect((await matrix.visitors[who].get(`/console/records?unit=${unit}`)).status).toBe(404)
    for (const who of ['otherCounty', 'branch'] as const)
      expect((await matrix.visitors[who].get(`/console/records?group=${group}`)).status).toBe(404)
    expect((await matrix.visitors.member.get('/console/records')).status).toBe(404)
  })

  test('a row says what was sent, from where, and who decided; activities stand below', async () => {
    const page = plain(await county.get('/console/records'))
    expect(page).toMatch(
      /9月3日 羊绒今天&#60;b&#62;八十&#60;\/b&#62;一斤 .* 机器 87% 1 镇川羊倌群 镇川镇 转发/,
    )
    expect(page).toMatch(/9月7日 只报了条数 .* 人工 3 镇川羊倌群 镇川镇 登记 王镇川/)
    expect(page).toMatch(/线下活动（1） .*9月5日 技能培训 镇川镇 镇川羊倌群 羊圈小学 35 王镇川/)
    expect(page).not.toContain('定边广场')
    const activities = plain(await county.get('/console/records?activity=activities.skillsTraining'))
    expect(activities).toContain('羊圈小学')
    expect(activities).not.toContain('羊绒')
    expect(plain(await county.get('/console/records?activity=activities.matchmaking'))).toContain(
      '没有登记过线下活动',
    )
  })

  test('a category is put right by hand, once, and it is noted who changed what', async () => {
    const path = `/console/records/${machine}/category`
    const back = `unit=${unit}&month=2026-09&page=1`
    const done = await county.post(path, { to: '致富信息', back })
    expect(done).toMatchObject({ status: 303, location: `/console/records?unit=${unit}&month=2026-09` })
    expect(await category(machine)).toEqual({ category: '致富信息', decided_by: 'person' })
    expect((await county.post(path, { to: '致富信息', back })).status).toBe(303)
    expect(await audit()).toEqual([
      {
        actor: '林县书',
        subject: group,
        details: {
          record: machine,
          month: '2026-09',
          from: '新闻娱乐',
          to: '致富信息',
          wasDecidedBy: 'machine',
        },
      },
    ])
    expect(figures(await county.get('/console/records'))).toMatchObject({
      条消息: 4,
      致富信息: 4,
      新闻娱乐: 0,
    })
    // where one is led back to is of our making, whatever the form says
    const elsewhere = await county.post(path, { to: '致富信息', back: 'https://example.com/?unit=1' })
    expect(elsewhere.location).toBe('/console/records?')
  })

  test('with scripts the row alone comes back', async () => {
    const form = async (to: string) => {
      const token =
        /name="_token" value="([^"]+)"/.exec((await county.get('/console/records')).text)?.[1] ?? ''
      const response = await fetch(`${stage.serverUrl}/console/records/${machine}/category`, {
        method: 'POST',
        headers: { cookie: county.cookie, 'hx-request': 'true' },
        body: new URLSearchParams({ _token: token, to, back: '' }),
      })
      return { status: response.status, text: await response.text() }
    }
    const { status, text } = await form('便民服务')
    expect(status).toBe(200)
    expect(text).toMatch(/^<tr>[\s\S]*<option selected>便民服务<\/option>[\s\S]*改为便民服务[\s\S]*<\/tr>$/)
    expect(await category(machine)).toMatchObject({ category: '便民服务' })
    const refused = await form('天气')
    expect(refused.text).toContain('没有这个类别')
    expect(refused.text).toContain('<option selected>便民服务</option>')
    expect(await category(machine)).toMatchObject({ category: '便民服务' })
  })

  test('a month that is settled stays as it is', async () => {
    const page = await county.get('/console/records?month=2026-07')
    expect(plain(page)).toContain('2026年7月的报表已经定了')
    expect(page.text).not.toContain('name="to"')
    const refused = await county.post(`/console/records/${settled}/category`, {
      to: '致富信息',
      back: 'month=2026-07',
    })
    expect(refused.status).toBe(422)
    expect(plain(refused)).toContain('2026-07 的报表已经定了')
    expect(figures(refused)).toMatchObject({ 其他: 7 })
    expect(await category(settled)).toEqual({ category: '其他', decided_by: 'person' })
  })

  test('what is no category, and what is not one’s own, changes nothing', async () => {
    const before = await category(machine)
    const refused = await county.post(`/console/records/${machine}/category`, { to: '天气' })
    expect(refused.status).toBe(422)
    expect(plain(refused)).toContain('请从五类里选一类')
    for (const who of ['otherCounty', 'otherOwner', 'branch', 'member'] as const) {
      const answer = await matrix.visitors[who].post(`/console/records/${machine}/category`, { to: '其他' })
      expect(answer.status).toBe(404)
    }
    expect((await county.post('/console/records/99999/category', { to: '其他' })).status).toBe(404)
    expect(await category(machine)).toEqual(before)
  })

  test('the owner of the group may too', async () => {
    expect(
      (await matrix.visitors.owner.post(`/console/records/${machine}/category`, { to: '其他' })).status,
    ).toBe(303)
    expect(await category(machine)).toMatchObject({ category: '其他' })
    expect((await audit()).at(-1)).toMatchObject({ actor: '王镇川', details: { to: '其他' } })
  })

  test('a long list has pages', async () => {
    await rows(
      stage,
      `insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, created_at)
       select group_id, unit_id, '2026-08', '2026-08-15', '其他', 1, 'counted', 'person', now() from message_records, generate_series(1, 120) where id = ${machine}`,
    )
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(page => county.get(`/console/records?month=2026-08&category=其他&page=${page}`)),
    )
    const counted = [first, second, third].map(page => page?.text.match(/name="to"/g)?.length ?? 0)
    expect(counted).toEqual([50, 50, 20])
    for (const page of [first, second, third]) expect(figures(page as Answer)).toMatchObject({ 条消息: 120 })
    expect(first?.text).toContain('rel="next"')
    expect(third?.text).not.toContain('rel="next"')
  })
})
