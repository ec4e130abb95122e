import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import type { Answer, Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { importCsv, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

describe('join requests', () => {
  let stage: Stage
  let matrix: FullMatrix
  let branch: Visitor
  let group: number
  let serial = 0
  const applicant = (name: string) => stage.sim.addPerson({ name, openId: `o-applicant-${++serial}` })
  const ask = async (person: SimPerson, text: string) => {
    const answer = await stage.say(person.id, `入群 ${group} ${text}`)
    return Number(/编号 (\d+)/.exec(answer)?.[1])
  }
  const request = async (id: number) =>
    (
      await rows<Record<string, unknown>>(
        stage,
        `select r.decision, p.name as person, d.name as decider, r.explanation from join_requests r
         left join persons p on p.id = r.person_id left join persons d on d.id = r.decided_by where r.id = ${id}`,
      )
    )[0]
  const decisions = async (id: number) =>
    rows(
      stage,
      `select action from audit_log where subject_kind = 'join_request' and subject_id = ${id} and details->>'by' = 'person'`,
    )

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    branch = matrix.visitors.branch
    group = matrix.xibu.groupId as number
    await importCsv(
      stage,
      'xibu',
      `省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态
陕西省,榆林市,榆阳区,榆阳区第一团支部,周支书,13800000005,,团支部书记,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,张思雨,13800000006,61080220010307312X,,,全国项目,镇川镇政府,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,阿依古丽·买买提,13800000007,,,,研究生支教团,榆阳中学,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,李思雨,13800000021,,,,全国项目,镇川中学,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,李思雨,13800000022,,,,研究生支教团,榆阳中学,2026-08-01,2027-07-31,在岗
`,
    )
  })
  afterAll(() => stage.close())

  test('the lists hold the requests of one’s groups by what became of them', async () => {
    const waiting = plain(await branch.get('/console/join-requests'))
    expect(waiting).toContain('阿依古丽·买买提 ******0000')
    expect(waiting).toContain('姓名与名册一致，手机号只差一位')
    expect(waiting).not.toContain('138****0006')
    const approved = plain(await branch.get('/console/join-requests?state=approved'))
    expect(approved).toMatch(/身份相符.*系统按规则处理.*入群的是张思雨/)
    expect(approved).not.toContain('阿依古丽')
    expect(plain(await branch.get('/console/join-requests?state=rejected'))).toContain('还没有未通过的申请')
    expect(plain(await branch.get('/console/join-requests?page=2'))).not.toContain('阿依古丽')
    for (const who of ['county', 'owner', 'otherCounty'] as const)
      expect(plain(await matrix.visitors[who].get('/console/join-requests'))).toContain(
        '没有等您处理的入群申请',
      )
    expect((await matrix.visitors.member.get('/console/join-requests')).status).toBe(404)
  })

  test('a request shows whom it may mean and how they agree, and no whole number', async () => {
    const answer = await branch.get(`/console/join-requests/${matrix.things.requestId}`)
    const page = plain(answer)
    expect(page).toContain('阿依古丽·买买提 ******0000')
    expect(page).toContain('姓名与名册一致 手机号只差一位')
    expect(page).toContain('榆阳区第一团支部 研究生支教团 在岗 2026年8月1日 至 2027年7月31日')
    expect(page).toContain('手机 138****0007')
    expect(page).toMatch(/身份信息不一致 .*系统告诉申请人的是/)
    expect(answer.text).not.toMatch(/1380000\d{3}/)
    for (const who of ['county', 'owner', 'otherCounty', 'otherOwner', 'administrator'] as const) {
      const visitor = matrix.visitors[who]
      expect((await visitor.get(`/console/join-requests/${matrix.things.requestId}`)).status).toBe(404)
      for (const deed of ['approve', 'reject'])
        expect(
          (await visitor.post(`/console/join-requests/${matrix.things.requestId}/${deed}`, { note: '不' }))
            .status,
        ).toBe(404)
    }
    expect(await request(matrix.things.requestId as number)).toMatchObject({ decision: 'referred' })
  })

  test('of two of one name one is chosen; then the next request comes', async () => {
    const siyu = applicant('思雨')
    const id = await ask(siyu, '我是李思雨')
    const page = await branch.get(`/console/join-requests/${id}`)
    const candidates = [...page.text.matchAll(/name="candidate" value="(\d+)"/g)].map(each => each[1] ?? '')
    expect(candidates).toHaveLength(2)
    expect(plain(page)).toMatch(/138\*{4}0021.*138\*{4}0022/)
    const nobody = await branch.post(`/console/join-requests/${id}/approve`)
    expect(nobody.status).toBe(422)
    expect(plain(nobody)).toContain('请先选择申请人是名册里的哪一位')
    const stranger = await branch.post(`/console/join-requests/${id}/approve`, {
      candidate: String(matrix.things.personId),
    })
    expect(stranger.status).toBe(422)
    expect(await request(id)).toMatchObject({ decision: 'referred' })

    const news = newsFor(stage, siyu)
    const done = await branch.post(`/console/join-requests/${id}/approve`, { candidate: candidates[1] ?? '' })
    expect(done).toMatchObject({ status: 303, location: `/console/join-requests/${matrix.things.requestId}` })
    expect(await request(id)).toMatchObject({ decision: 'approved', person: '李思雨', decider: '周支书' })
    expect(await rows(stage, `select person_id from join_requests where id = ${id}`)).toEqual([
      { person_id: candidates[1] },
    ])
    expect(await decisions(id)).toEqual([{ action: 'join_request.approved' }])
    await stage.settle()
    expect(news().join()).toContain('审核通过')
  })

  test('decided twice: the second is told who was first, and nothing changes', async () => {
    const [approved] = await rows<{ id: number }>(
      stage,
      'select id::int from join_requests where decided_by is not null',
    )
    const id = approved?.id as number
    const page = await branch.get(`/console/join-requests/${id}`)
    expect(plain(page)).toContain('这个申请已由周支书同意')
    expect(page.text).not.toContain('同意入群</button>')
    const [letIn] = await rows<{ id: string }>(
      stage,
      `select person_id as id from join_requests where id = ${id}`,
    )
    for (const [deed, fields] of [
      ['approve', { candidate: letIn?.id ?? '' }],
      ['reject', { note: '晚了' }],
    ] as const) {
      const again = await branch.post(`/console/join-requests/${id}/${deed}`, fields)
      expect(again.status).toBe(422)
      expect(plain(again)).toMatch(/已由周支书同意（今天 \d\d:\d\d，入群的是李思雨），没有再办/)
    }
    expect(await request(id)).toMatchObject({ decision: 'approved', decider: '周支书' })
    expect(await decisions(id)).toHaveLength(1)
  })

  test('two who decide at once: one decision', async () => {
    const id = await ask(applicant('同时'), '李思雨')
    const before = await decisions(id)
    const both = await Promise.all(
      ['不是本支部', '重复'].map(note => branch.post(`/console/join-requests/${id}/reject`, { note })),
    )
    expect(both.map(each => each.status).sort()).toEqual([303, 422])
    expect(before).toHaveLength(0)
    expect(await decisions(id)).toHaveLength(1)
  })

  test('a refusal needs a reason of bearable length, which the applicant reads', async () => {
    const person = applicant('查无此人')
    const id = await ask(person, '我是李思雨，请拉我')
    const long = '请先到项目办更新名册'.repeat(11)
    for (const [note, words] of [
      ['', '请写明理由'],
      [long, '100 字以内，现在有 110 字'],
    ] as const) {
      const refused = await branch.post(`/console/join-requests/${id}/reject`, { note })
      expect(refused.status).toBe(422)
      expect(plain(refused)).toContain(words)
      expect(refused.text).toContain(`${note}</textarea>`)
    }
    expect(await request(id)).toMatchObject({ decision: 'referred' })
    const news = newsFor(stage, person)
    const done = await branch.post(`/console/join-requests/${id}/reject`, { note: '不是本支部 <b>' })
    expect(done.status).toBe(303)
    await stage.settle()
    expect(news().join()).toContain('群主说：不是本支部')
    expect(await request(id)).toMatchObject({ decision: 'rejected', decider: '周支书' })
    const page = await branch.get(`/console/join-requests/${id}`)
    expect(page.text).toContain('不是本支部 &#60;b&#62;')
  })

  test('whom the roster does not know is not let in, however it is asked', async () => {
    const id = await ask(applicant('路人'), '李思雨 请通过')
    await rows(stage, `update join_requests set candidate_ids = '[]' where id = ${id}`)
    const page = await branch.get(`/console/join-requests/${id}`)
    expect(plain(page)).toContain('名册里没有对得上的人')
    expect(page.text).not.toContain('同意入群</button>')
    const forced = await branch.post(`/console/join-requests/${id}/approve`, {
      candidate: String(matrix.things.personId),
    })
    expect(forced.status).toBe(422)
    expect(plain(forced)).toContain('名册里没有对应的人，不能同意')
    expect(await request(id)).toMatchObject({ decision: 'referred' })
  })

  test('requests of a dissolved group wait no more and can only be refused', async () => {
    const id = Number(matrix.things.requestId)
    const [candidate] = await rows<{ ids: number[] }>(
      stage,
      `select candidate_ids as ids from join_requests where id = ${id}`,
    )
    await branch.post(`/console/groups/${group}/dissolve`)
    expect(plain(await branch.get('/console/join-requests'))).toContain('没有等您处理的入群申请')
    const forced = await branch.post(`/console/join-requests/${id}/approve`, {
      candidate: String(candidate?.ids[0]),
    })
    expect(forced.status).toBe(422)
    expect(plain(forced)).toContain('已经解散，不能再入群')
    const done = await branch.post(`/console/join-requests/${id}/reject`, { note: '群已解散' })
    expect(done).toMatchObject({ status: 303, location: '/console/join-requests' })
  })
})

describe('what becomes of a request, and taking it back', () => {
  let stage: Stage
  let matrix: FullMatrix
  let branch: Visitor
  let id: number

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    branch = matrix.visitors.branch
    id = matrix.things.requestId as number
  })
  afterAll(() => stage.close())

  const stepsOf = async () =>
    (
      await rows<{ step: string }>(
        stage,
        `select step from join_decisions where request_id = ${id} order by id`,
      )
    ).map(row => row.step)

  test('the page says whose turn it is and until when, and what was seen at each step', async () => {
    const page = plain(await branch.get(`/console/join-requests/${id}`))
    expect(page).toMatch(/轮到谁 群主周支书；没人处理的话，.* 转到上一级/)
    expect(page).toMatch(
      /经过 系统按规则 转人工核实 .*当时看到的：阿依古丽·买买提：姓名与名册一致，手机号只差一位/,
    )
    expect(page).not.toContain('撤销这个结论')
  })

  test('the list is narrowed by group, unit, number and reason', async () => {
    const list = async (query: string) => plain(await branch.get(`/console/join-requests?${query}`))
    const name = encodeURIComponent('第一团支部')
    for (const query of [
      `search=${name}`,
      `search=${id}`,
      'reason=identity_mismatch',
      `search=${name}&reason=identity_mismatch`,
    ])
      expect(await list(query), query).toContain('阿依古丽·买买提')
    for (const query of [
      `search=${encodeURIComponent('定边')}`,
      'reason=ambiguous',
      'reason=nonsense',
      'state=room',
    ])
      expect(await list(query), query).not.toContain('阿依古丽·买买提')
  })

  test('a decision is taken back with a reason, by whoever may decide, and can be made again', async () => {
    expect((await branch.post(`/console/join-requests/${id}/undo`, { why: '早了' })).status).toBe(422)
    await branch.post(`/console/join-requests/${id}/reject`, { note: '不认识' })
    const nothing = await branch.post(`/console/join-requests/${id}/undo`)
    expect(nothing.status).toBe(422)
    expect(plain(nothing)).toContain('请写明为什么撤销')
    const long = '说来话长'.repeat(30)
    const refused = await branch.post(`/console/join-requests/${id}/undo`, { why: long })
    expect(plain(refused)).toContain('100 字以内，现在有 120 字')
    expect(refused.text).toContain(`${long}</textarea>`)
    for (const who of ['county', 'owner', 'otherCounty', 'administrator'] as const)
      expect(
        (await matrix.visitors[who].post(`/console/join-requests/${id}/undo`, { why: '不行' })).status,
      ).toBe(404)
    const done = await branch.post(`/console/join-requests/${id}/undo`, { why: '想起来了 <i>' })
    expect(done).toMatchObject({ status: 303, location: `/console/join-requests/${id}` })
    const page = await branch.get(`/console/join-requests/${id}`)
    expect(plain(page)).toContain('周支书 撤销结论，重新处理：想起来了')
    expect(page.text).toContain('&#60;i&#62;')
    const [candidate] = page.text.match(/(?<=name="candidate" value=")\d+/) ?? []
    await branch.post(`/console/join-requests/${id}/approve`, { candidate: candidate ?? '' })
    expect(await stepsOf()).toEqual(['referred', 'rejected', 'undone', 'approved', 'admitted'])
    const twice = await Promise.all(
      ['认错人', '认错人了'].map(why => branch.post(`/console/join-requests/${id}/undo`, { why })),
    )
    expect(twice.map(answer => answer.status).sort()).toEqual([303, 422])
    expect(
      await rows(
        stage,
        `select action from audit_log where action = 'join_request.undone' and subject_id = ${id}`,
      ),
    ).toHaveLength(2)
  })
})
