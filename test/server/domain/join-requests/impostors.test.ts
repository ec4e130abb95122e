import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { groupById } from '../../../../db/queries/groups.ts'
import { requestsWithRoom } from '../../../../db/queries/join-passes.ts'
import type { SimGroup, SimPerson } from '../../../../scripts/simulator/index.ts'
import { admitPerson } from '../../../../server/domain/join-requests/admit.ts'
import { isSetApart } from '../../../../server/domain/join-requests/decide.ts'
import { runRequests } from '../../../../server/jobs/look-after-requests.ts'
import { inTransaction } from '../../../../server/runtime.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  importCsv,
  newsFor,
  rows,
} from '../../../support/matrix.ts'
import { openStage, type Stage } from '../../../support/stage.ts'

const HOUR_MS = 3_600_000
const names = [...'甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒'].map(
  last => `钱${last}${last}`,
)
const member = (name: string, phone: string, status = '在岗') =>
  `陕西省,榆林市,榆阳区,榆阳区第一团支部,${name},${phone},,,全国项目,镇川镇政府,2026-08-01,2027-07-31,${status}\n`
const roster = `省份,地市,区县,团支部,姓名,手机号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态
陕西省,榆林市,榆阳区,榆阳区第一团支部,周支书,13800000005,团支部书记,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗
${names.map((name, index) => member(name, `1390000${1000 + index}`)).join('')}${member('孙双双', '13900002001')}${member('孙双双', '13900002002')}${member('吴未到', '13900002003', '待派遣')}${member('吴将至', '13900002004', '待派遣')}`

describe('impostors, full groups and owners who have gone', () => {
  let stage: Stage
  let liu: SimPerson
  let zhao: SimPerson
  let zhou: SimPerson
  let branch: { chat: SimGroup; number: number }
  let wechat: number
  let serial = 0
  const fresh = names.map((name, index) => ({ name, phone: `1390000${1000 + index}` }))
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const somebody = (name: string, accounts: Partial<SimPerson> = {}) =>
    stage.sim.addPerson({ name, openId: `o-${++serial}`, externalUserId: `wm-${serial}`, ...accounts })
  const ask = (person: SimPerson, text: string, group = branch.number) => say(person, `入群 ${group} ${text}`)
  const numberIn = (answer: string) => Number(/编号 (\d+)/.exec(answer)?.[1])
  const run = (query: string) => stage.rt.db.execute(query)
  const next = () => {
    const one = fresh.shift()
    if (!one) throw new Error('the branch is used up')
    return one
  }
  const codesOf = (person: SimPerson) =>
    stage.received(person.id).filter(text => text.includes('专属入群码（'))
  const passOf = (person: SimPerson) => /(https?:\/\/\S+)$/.exec(codesOf(person).at(-1) ?? '')?.[1] ?? ''
  const request = async (id: number) =>
    (await rows<Record<string, unknown>>(stage, `select * from join_requests where id = ${id}`))[0]
  const lastRequest = async () =>
    Number((await rows<{ id: string }>(stage, 'select max(id) as id from join_requests'))[0]?.id)
  const personNamed = async (name: string) =>
    (await rows<{ id: string }>(stage, `select id from persons where name = '${name}'`))[0]?.id
  const memberships = (name: string, group = branch.number) =>
    rows(
      stage,
      `select m.known_by, m.address from group_members m join persons p on p.id = m.person_id
       where p.name = '${name}' and m.group_id = ${group} and m.left_at is null`,
    )
  const openTasks = (where: string) =>
    rows(stage, `select kind from tasks where closed_at is null and ${where} order by kind`)
  const fill = (...groups: number[]) =>
    run(`update groups set size = capacity where id in (${groups.join()})`)
  const empty = (...groups: number[]) => run(`update groups set size = 3 where id in (${groups.join()})`)
  const retire = (name: string) =>
    run(
      `update roles set ended_at = now() where ended_at is null and person_id = (select id from persons where name = '${name}')`,
    )
  const reinstate = (name: string) =>
    run(`update roles set ended_at = null where person_id = (select id from persons where name = '${name}')`)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    liu = stage.sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    zhao = stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = stage.sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    branch = await claimGroup(stage, zhou, '榆阳区第一团支部', '团支部群')
    wechat = groupNumber(
      await say(zhou, '建群 团支部群 微信群 3人 榆阳支部微信群 入群码 https://weixin.example.cn/g/1'),
    )
    const result = await importCsv(stage, 'xibu', roster)
    if (!result.isApplied) throw new Error(JSON.stringify(result.problems))
  })
  beforeEach(() => {
    stage.clock.advance(25 * HOUR_MS)
  })
  afterAll(() => stage.close())

  test.each([
    ['at once', 0],
    ['two days late, when the first can only be called', 49],
  ])('of two accounts approved as one person %s, only the second gets the code', async (_when, hours) => {
    const { name, phone } = next()
    const [impostor, real] = [somebody('冒名的'), somebody(name)]
    const id = numberIn(await ask(impostor, `我叫${name}`))
    stage.clock.advance(hours * HOUR_MS)
    await say(zhou, `同意 ${id}`)
    if (hours > 0) await stage.settle()
    await say(zhou, `撤销 ${id} 冒名`)
    await ask(real, `${name} ${phone}`)
    expect(await say(zhou, `同意 ${await lastRequest()}`)).toContain(`已同意${name}`)
    await stage.settle()
    await say(impostor, '你好')
    await stage.settle()
    expect(codesOf(impostor)).toEqual([])
    expect(codesOf(real)).toHaveLength(1)
    await stage.sim.joinByCode(passOf(real), real.id)
    await afterEvents(stage)
    expect(await memberships(name)).toEqual([{ known_by: 'join_pass', address: real.externalUserId }])
  })

  test('who came in by a code whose approval was taken back is not named by it again', async () => {
    const { name, phone } = next()
    const impostor = somebody('冒名的')
    await ask(impostor, `${name} ${phone}`)
    await stage.settle()
    await stage.sim.joinByCode(passOf(impostor), impostor.id)
    await afterEvents(stage)
    expect(await memberships(name)).toHaveLength(1)
    expect(await say(liu, `撤销 ${await lastRequest()} 冒名`)).toContain('已请群主移出')
    for (let time = 0; time < 2; time++) {
      await say(zhou, `核对 ${branch.number}`)
      await afterEvents(stage)
      expect(await memberships(name)).toEqual([])
    }
  })

  test('asking again does not keep an approval from being taken back', async () => {
    const { name, phone } = next()
    const impostor = somebody('冒名的')
    await ask(impostor, `${name} ${phone}`)
    const id = await lastRequest()
    await ask(impostor, '我叫欧阳长风')
    expect(await say(zhou, `撤销 ${id} 冒名`)).toContain('已撤回同意')
    expect(await request(id)).toMatchObject({ decision: 'referred' })
  })

  test('a refusal is taken back though a later request came to nothing, and not when one waits', async () => {
    const { name } = next()
    const person = somebody(name)
    const id = numberIn(await ask(person, `我叫${name}`))
    await say(zhou, `拒绝 ${id} 不认识`)
    await ask(person, '我叫欧阳长风')
    expect(await say(zhou, `撤销 ${id}`)).toContain('已撤回拒绝')
    await say(zhou, `拒绝 ${id} 不认识`)
    await ask(person, `我叫${name}，再试`)
    expect(await say(zhou, `撤销 ${id}`)).toContain('后来又申请过')
  })

  test.each([['撤销'], ['拒绝']])('a human’s %s stands until a human says yes', async verb => {
    const { name, phone } = next()
    const [impostor, real] = [somebody('冒名的'), somebody(name)]
    const line = `${name} ${phone}`
    if (verb === '撤销') {
      await ask(impostor, line)
      await say(zhou, `撤销 ${await lastRequest()} 冒名`)
    } else await say(zhou, `拒绝 ${numberIn(await ask(impostor, `我叫${name}`))} 冒名`)
    expect(await ask(impostor, line)).toContain('已转本单位负责同志核实')
    expect(await ask(impostor, `${line} 本人申请`)).toContain('已转本单位负责同志核实')
    expect(await request(await lastRequest())).toMatchObject({ decision: 'referred', reason: 'doubted' })
    await say(zhou, `拒绝 ${await lastRequest()} 冒名`)
    stage.clock.advance(25 * HOUR_MS)
    await ask(real, line)
    expect(await request(await lastRequest())).toMatchObject({ decision: 'referred', reason: 'doubted' })
    await say(zhou, `同意 ${await lastRequest()}`)
    expect(await ask(real, line, wechat)).toContain('审核通过')
  })

  test('taking an impostor’s approval back leaves the true member in the group', async () => {
    const { name, phone } = next()
    const [impostor, real] = [somebody('冒名的'), somebody(name)]
    await ask(real, `${name} ${phone}`)
    await stage.settle()
    await stage.sim.joinByCode(passOf(real), real.id)
    await afterEvents(stage)
    const id = numberIn(await ask(impostor, `${name} ${phone}`))
    await say(zhou, `同意 ${id}`)
    expect(await say(zhou, `撤销 ${id} 冒名`)).not.toContain('移出')
    expect(await memberships(name)).toEqual([{ known_by: 'join_pass', address: real.externalUserId }])
    expect(await openTasks(`address = '${real.externalUserId}'`)).toEqual([])
  })

  test('who came by invitation and was named by the binding of the approval is named no more', async () => {
    const { name, phone } = next()
    const impostor = somebody('冒名的', { unionId: 'u-impostor' })
    await ask(impostor, `${name} ${phone}`)
    await stage.settle()
    // as the nightly look-up of followers notes it
    await run(`update identities set union_id = 'u-impostor' where address = '${impostor.openId}'`)
    await stage.sim.joinGroup(branch.chat.id, impostor.id)
    await afterEvents(stage)
    expect(await memberships(name)).toEqual([{ known_by: 'unionid', address: impostor.externalUserId }])
    expect(await say(liu, `撤销 ${await lastRequest()} 冒名`)).toContain('已请群主移出')
    expect(await memberships(name)).toEqual([])
    expect(await openTasks(`address = '${impostor.externalUserId}' and source is null`)).toEqual([
      { kind: 'remove_member' },
    ])
  })

  test('what the reconcile misses is no invitation: who holds the shared link is to be removed, whatever named them since', async () => {
    const { name, phone } = next()
    const personId = await personNamed(name)
    await run(
      `insert into tasks (kind, group_id, person_id, why, source, due_on, created_at)
       values ('invite_member', ${wechat}, ${personId}, '缺', 'project assumption', '2026-12-01', now())`,
    )
    await ask(somebody('冒名的'), `${name} ${phone}`, wechat)
    await run(
      `update group_members set known_by = 'nickname' where group_id = ${wechat} and person_id = ${personId}`,
    )
    expect(await say(liu, `撤销 ${await lastRequest()} 冒名`)).toContain('已请群主移出')
    expect(await memberships(name, wechat)).toEqual([])
    expect(await openTasks(`person_id = ${personId}`)).toEqual([
      { kind: 'invite_member' },
      { kind: 'remove_member' },
    ])
  })

  test('of two of one name, whose number is neither’s, a human says which', async () => {
    await ask(somebody('孙双双'), '孙双双 13700001111')
    const id = await lastRequest()
    const candidateIds = (await request(id))?.candidate_ids as number[]
    expect(candidateIds).toHaveLength(2)
    expect(await say(zhou, `同意 ${id}`)).toContain('请写明是第几位')
    expect(await request(id)).toMatchObject({ decision: 'referred' })
    expect(await say(zhou, `同意 ${id} 2`)).toContain('已同意孙双双')
    expect(await request(id)).toMatchObject({ person_id: String(candidateIds[1]) })
  })

  test.each([
    ['name and phone', [seen(1, 'exact', 'right'), seen(2, 'exact', 'wrong')], true],
    ['both', [seen(1, 'exact', 'right'), seen(2, 'exact', 'right')], false],
    ['neither', [seen(1, 'exact', 'wrong'), seen(2, 'exact', 'wrong')], false],
    ['the second', [seen(1, 'exact', 'wrong'), seen(2, 'exact', 'right')], false],
    ['a phone without the name', [seen(1, 'sound', 'right'), seen(2, 'exact', 'absent')], false],
  ])('the first of several is set apart by proof alone: %s', (_what, candidates, isApart) => {
    expect(isSetApart([1, 2], candidates)).toBe(isApart)
  })

  test('the same words after a day get a new number, on the roster or not', async () => {
    const { name } = next()
    const [known, unknown] = [somebody('甲'), somebody('乙')]
    const lines = [
      [known, `我叫${name}`],
      [unknown, '我叫欧阳长风'],
    ] as const
    for (const [person, line] of lines) {
      const id = numberIn(await ask(person, line))
      expect(numberIn(await ask(person, line))).toBe(id)
      stage.clock.advance(25 * HOUR_MS)
      expect(numberIn(await ask(person, line))).toBeGreaterThan(id)
      expect(await request(id)).toMatchObject({ decision: 'rejected' })
    }
  })

  test('a group whose size is only said is filled to its last place and no further', async () => {
    await fill(branch.number)
    await run(`update groups set size = capacity - 1 where id = ${wechat}`)
    const answers: string[] = []
    for (let time = 0; time < 3; time++) {
      const { name, phone } = next()
      answers.push(await ask(somebody(name), `${name} ${phone}`, wechat))
    }
    expect(answers.map(answer => answer.includes('入群方式：'))).toEqual([true, false, false])
    await empty(branch.number, wechat)
    await runRequests(stage.rt)
    expect(await requestsWithRoom(stage.rt.db, 0, 10)).toEqual([])
  })

  test('what a human approved in spite of the roster stands while they wait for room', async () => {
    await fill(branch.number, wechat)
    const person = somebody('吴未到')
    await ask(person, '吴未到 13900002003')
    const id = await lastRequest()
    expect(await say(zhou, `同意 ${id}`)).toContain('已同意吴未到')
    await empty(branch.number, wechat)
    await runRequests(stage.rt)
    expect(await request(id)).toMatchObject({ decision: 'approved', admitted_to: String(branch.number) })
  })

  test('when the roster has changed since, it does not; who decided hears of it, and the account is nobody’s again', async () => {
    await fill(branch.number, wechat)
    const person = somebody('吴将至')
    await ask(person, '吴将至 13900002004')
    const id = await lastRequest()
    await say(zhou, `同意 ${id}`)
    const binding = `select person_id is not null as bound from identities where address = '${person.openId}'`
    expect(await rows(stage, binding)).toEqual([{ bound: true }])
    await run(`update roster_entries set status = '离岗' where person_id = ${await personNamed('吴将至')}`)
    await empty(branch.number, wechat)
    const told = newsFor(stage, zhou)
    await runRequests(stage.rt)
    await stage.settle()
    expect(await request(id)).toMatchObject({ decision: 'rejected', reason: 'service_ended' })
    expect(told().join()).toContain('名册已有变动')
    expect(await rows(stage, binding)).toEqual([{ bound: false }])
  })

  test('who waits for room is bound with the admission, or not at all', async () => {
    await fill(branch.number, wechat)
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    const asked = await request(await lastRequest())
    // somebody let the account go meanwhile
    await run(`update identities set person_id = null, bound_by = null where address = '${person.openId}'`)
    const group = await groupById(stage.rt.db, branch.number)
    if (!group) throw new Error('no group')
    const answer = await inTransaction(stage.rt, tx =>
      admitPerson(tx, {
        requestId: Number(asked?.id),
        group,
        personId: Number(asked?.person_id),
        identityId: Number(asked?.identity_id),
        reason: 'matched',
        isWaiting: true,
      }),
    )
    expect(answer).toBeNull()
    expect(await rows(stage, `select person_id from identities where address = '${person.openId}'`)).toEqual([
      { person_id: null },
    ])
    await empty(branch.number, wechat)
    await runRequests(stage.rt)
  })

  test('who waits for room holds up nobody behind them', async () => {
    await fill(branch.number, wechat)
    const ids: number[] = []
    for (let time = 0; time < 2; time++) {
      const { name, phone } = next()
      await ask(somebody(name), `${name} ${phone}`)
      ids.push(await lastRequest())
    }
    // a place that a code on its way will take is no room
    const { name } = next()
    await run(`update groups set size = capacity - 1 where id = ${branch.number}`)
    await run(
      `insert into join_passes (group_id, person_id, state, created_at) values (${branch.number}, ${await personNamed(name)}, 'zz', now())`,
    )
    expect(await requestsWithRoom(stage.rt.db, 0, 10)).toEqual([])
    await run(`delete from join_passes where state = 'zz'`)
    await empty(branch.number, wechat)
    expect(await requestsWithRoom(stage.rt.db, 0, 1)).toEqual([ids[0]])
    expect(await requestsWithRoom(stage.rt.db, ids[0] as number, 10)).toEqual([ids[1]])
    // the first fails each time
    await run(
      `alter table join_decisions add constraint zz check (request_id <> ${ids[0]} or step <> 'admitted') not valid`,
    )
    await runRequests(stage.rt)
    expect(await request(ids[0] as number)).toMatchObject({ admitted_to: null })
    expect(await request(ids[1] as number)).toMatchObject({ admitted_to: String(branch.number) })
    await run('alter table join_decisions drop constraint zz')
    await runRequests(stage.rt)
    expect(await request(ids[0] as number)).toMatchObject({ admitted_to: String(branch.number) })
  })

  test('an owner who has gone from the roster is told no names; the county is asked instead', async () => {
    const byHand = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 拉人群 入群码 拉人'))
    await retire('周支书')
    const [owner, county] = [newsFor(stage, zhou), newsFor(stage, zhao)]
    const { name, phone } = next()
    expect(await ask(somebody(name), `${name} ${phone}`, byHand)).toContain('已经请本单位负责同志拉您入群')
    await stage.settle()
    expect(owner().join()).not.toContain(name)
    expect(county().join()).toContain(`【请拉人入群】${name}`)
    expect(
      await rows(
        stage,
        `select p.name from tasks t join persons p on p.id = t.asked_id where t.group_id = ${byHand} and t.source is null`,
      ),
    ).toEqual([{ name: '赵县办' }])
    expect(await say(zhou, '任务')).not.toContain(name)
    await run(
      `update tasks set closed_at = now(), closed_by = 'word' where group_id = ${byHand} and kind = 'invite_member'`,
    )
    expect(await say(liu, `撤销 ${await lastRequest()} 冒名`)).toContain('移出')
    await stage.settle()
    expect(owner().join()).not.toContain(name)
    expect(county().join()).toMatch(/请移出成员/)
    // full as well
    await fill(branch.number, wechat, byHand)
    const other = next()
    await ask(somebody(other.name), `${other.name} ${other.phone}`, byHand)
    await stage.settle()
    expect(owner().join()).not.toContain('群已满')
    expect(county().join()).toContain('群已满')
    await reinstate('周支书')
    await empty(branch.number, wechat)
    await runRequests(stage.rt)
    await say(zhou, `解散 ${byHand}`)
  })

  test('whom a list has named by a nickname is added to the app’s group all the same', async () => {
    const made = await say(zhou, '建群 团支部群 应用群 3人 榆阳应用群')
    const number = Number(/群号 (\d+)/.exec(made)?.[1])
    await stage.settle()
    const [group] = await rows<{ chat_id: string }>(stage, `select chat_id from groups where id = ${number}`)
    const { name, phone } = next()
    const personId = await personNamed(name)
    await run(
      `insert into group_members (group_id, person_id, nickname, known_by, joined_at) values (${number}, ${personId}, '${name}', 'nickname', now())`,
    )
    const colleague = stage.sim.addPerson({ name, wecomUserId: `member-${name}` })
    expect(await ask(colleague, `${name} ${phone}`, number)).toContain('系统马上把您加进群')
    await stage.settle()
    expect(stage.sim.group(group?.chat_id ?? '').members.has(colleague.id)).toBe(true)
    await say(zhou, `解散 ${number}`)
  })

  test('a way in that the platform has lost is made anew', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    // an attempt that broke off had made one, which is gone
    await run(
      `update join_passes set config_id = 'gone' where person_id = ${await personNamed(name)} and used_at is null`,
    )
    await stage.settle()
    await stage.sim.joinByCode(passOf(person), person.id)
    await afterEvents(stage)
    expect(await memberships(name)).toHaveLength(1)
  })

  test('what is said for a decision stands sealed in its step and nowhere else', async () => {
    const { name } = next()
    const person = somebody(name)
    const told = newsFor(stage, person)
    const id = numberIn(await ask(person, `我叫${name}`))
    await say(zhou, `拒绝 ${id} 这是13811112222王某`)
    await say(zhou, `撤销 ${id} 听13811112222王某说的`)
    await stage.settle()
    expect(told().join()).toContain('王某')
    const explanation = (await request(id))?.explanation as string
    expect(explanation).toMatch(/周支书拒绝.*周支书撤销了结论$/)
    expect(explanation).not.toContain('王某')
    await say(zhou, `拒绝 ${id}`)
  })

  test('a name on a roll call makes nobody a member whose true account then needs a human', async () => {
    const { name, phone } = next()
    await run(
      `insert into group_members (group_id, person_id, known_by, joined_at) values (${wechat}, ${await personNamed(name)}, 'roll_call', now())`,
    )
    expect(await ask(somebody(name), `${name} ${phone}`, wechat)).toContain('审核通过')
  })

  test('whose turn it is hears at once that a request waits again', async () => {
    const { name } = next()
    const id = numberIn(await ask(somebody(name), `我叫${name}`))
    await say(zhou, `拒绝 ${id}`)
    await stage.settle()
    const [owner, undoer] = [newsFor(stage, zhou), newsFor(stage, liu)]
    await say(liu, `撤销 ${id} 再看看`)
    await stage.settle()
    expect(owner().join()).toContain(`【入群申请 ${id}】`)
    expect(undoer().join()).not.toContain(`【入群申请 ${id}】`)
  })
})

function seen(personId: number, name: string, phone: string) {
  return { personId, name, phone, idNumber: 'absent', idTail: 'absent' }
}
