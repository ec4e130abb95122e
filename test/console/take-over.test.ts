import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeAdministrator, makeSignInLink } from '../../server/domain/sign-in/sessions.ts'
import { followServiceDays } from '../../server/jobs/follow-service-days.ts'
import { personId, signIn, visitorWith } from '../support/console.ts'
import { applyDraftOf, settledDraft } from '../support/drafts.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const head = '单位编码,姓名,手机号,角色,职务,状态\n'

const nameAt = (at: number) => `同${String.fromCharCode(0x4e00 + at)}`

/** An ID number with its check character. @param body 17 digits (GB 11643-1999), cut or filled to fit */
function idNumber(body: string): string {
  const digits = body.slice(0, 17).padEnd(17, '1')
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = [...digits].reduce((total, digit, at) => total + Number(digit) * (weights[at] as number), 0)
  return `${digits}${'10X98765432'[sum % 11]}`
}

describe('nobody gets hold of what is not theirs', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
  })
  afterEach(() => stage.close())

  const unit = async (code: string) =>
    (
      await rows<{ id: string }>(
        stage,
        `select id from units where programme = 'qingnong' and code = '${code}'`,
      )
    )[0]?.id as string

  async function importAs(name: string, unitCode: string, csv: string, heading = head) {
    const visitor = await signIn(stage, name)
    const { location } = await visitor.upload(
      '/console/imports/new',
      { field: 'file', name: '名册.csv', bytes: Buffer.from(heading + csv) },
      { unit: await unit(unitCode) },
    )
    return { visitor, draft: location ?? '' }
  }

  test.each([
    ['a plain role', '贺圈镇的一员', '乡镇团委成员'],
    ['an office of the same rank', '团委书记', '乡镇团委成员'],
  ])(
    'entering another county’s secretary in one’s own roster with %s gives no code for them',
    async (_, title, role) => {
      const { visitor, draft } = await importAs(
        '丁县书',
        '610825',
        `610825101,贺圈书,13900000014,乡镇团委成员,团委书记,在岗\n610825101,王镇川,13900000011,${role},${title},在岗\n`,
      )
      stage.clock.advance(60_000)
      expect(await applyDraftOf(visitor, draft)).toMatch(/\/console\/imports\/\d+$/)
      const person = await personId(stage, '王镇川')
      const answer = await visitor.post(`/console/persons/${person}/binding-code`)
      expect(answer.status).toBe(422)
      expect(answer.text).toContain('不在您的下级')
      expect(await rows(stage, `select id from binding_codes where person_id = ${person}`)).toEqual([])
      // those above the place where he has stood longest still may
      const lin = await signIn(stage, '林县书')
      expect((await lin.post(`/console/persons/${person}/binding-code`)).text).toMatch(
        /绑定码：<b class="code">[0-9A-Z]{8}/,
      )
    },
  )

  describe('of 新支书, whom 榆阳区 has as a secretary and 定边县 enters as well, has the code', () => {
    const columns = '省份,地市,区县,团支部,姓名,手机号,角色,人员类别,服务开始日期,服务结束日期,状态\n'
    const inBranch = (branch: string, from: string, to: string, status = '在岗') =>
      `陕西省,榆林市,${branch.slice(0, 3)},${branch},新支书,13800000077,团支部书记,全国项目,${from},${to},${status}\n`
    const [own, other] = ['榆阳区第二团支部', '定边县第二团支部']
    /** What the file of a branch says on a day, so that whoever it leaves out is gone from there. */
    type Step = readonly [day: string, branch: string, ...lines: string[]]
    const filler = (branch: string) =>
      inBranch(branch, '', '').replace(
        '新支书,13800000077,团支部书记',
        `${branch.slice(0, 2)}员,1380000009${branch.length},`,
      )

    test.each<{ when: string; steps: Step[]; mayGive: string[] }>([
      {
        when: 'its office, before the service begins',
        steps: [
          ['2026-09-08', own, inBranch(own, '2026-10-01', '2027-07-31')],
          ['2026-09-09', other, inBranch(other, '2026-09-01', '2027-07-31')],
        ],
        mayGive: ['赵县办', '刘市办'],
      },
      {
        when: 'its office, while the service is not assigned',
        steps: [
          ['2026-09-08', own, inBranch(own, '', '', '待派遣')],
          ['2026-09-09', other, inBranch(other, '2026-09-01', '2027-07-31')],
          ['2026-10-01', own, inBranch(own, '', '')],
        ],
        mayGive: ['赵县办', '刘市办'],
      },
      {
        when: 'its office, behind two terms of which the second was known in time',
        steps: [
          [
            '2026-09-08',
            own,
            inBranch(own, '2026-08-01', '2026-09-20') + inBranch(own, '2026-10-01', '2027-07-31'),
          ],
          ['2026-09-22', other, inBranch(other, '2026-09-01', '2027-07-31')],
        ],
        mayGive: ['赵县办', '刘市办'],
      },
      {
        when: 'its office, when the branch in it is another since',
        steps: [
          ['2026-09-08', own, inBranch(own, '', '')],
          ['2026-09-09', other, inBranch(other, '', '')],
          ['2026-09-10', '榆阳区第三团支部', inBranch('榆阳区第三团支部', '', '')],
          ['2026-09-11', own, filler(own)],
        ],
        mayGive: ['赵县办', '刘市办'],
      },
      {
        when: 'its office, when the other’s import of before was undone',
        steps: [
          ['2026-09-07', other, inBranch(other, '', ''), 'undone'],
          ['2026-09-08', own, inBranch(own, '', '')],
          ['2026-09-09', other, inBranch(other, '', '')],
        ],
        mayGive: ['赵县办', '刘市办'],
      },
      {
        when: 'only the city, when a term had ended and the next was entered behind the other’s',
        steps: [
          ['2026-09-08', own, inBranch(own, '', '')],
          ['2026-09-09', own, filler(own)],
          ['2026-09-10', other, inBranch(other, '', '')],
          ['2026-09-11', own, inBranch(own, '', '')],
        ],
        mayGive: ['刘市办'],
      },
      {
        when: 'only the city, when the other had them years ago',
        steps: [
          ['2026-09-08', other, inBranch(other, '', '')],
          ['2026-09-09', other, filler(other)],
          ['2028-09-10', own, inBranch(own, '', '')],
          ['2028-09-11', other, inBranch(other, '', '')],
        ],
        mayGive: ['刘市办'],
      },
    ])('$when', async ({ steps, mayGive }) => {
      await importCsv(
        stage,
        'xibu',
        '省份,地市,区县,姓名,手机号,角色,状态\n陕西省,榆林市,定边县,钱县办,13800000050,项目办负责同志,在岗\n',
      )
      for (const [day, , line, undone] of steps) {
        stage.clock.set(new Date(`${day}T00:05:00+08:00`))
        await followServiceDays(stage.rt)
        const result = await importCsv(stage, 'xibu', columns + line)
        expect(result.problems).toEqual([])
        if (undone) await undoAsOperator(result.importId as number)
      }
      stage.clock.advance(30 * 86_400_000)
      await followServiceDays(stage.rt)
      const person = await personId(stage, '新支书')
      const given: string[] = []
      for (const name of ['钱县办', '赵县办', '刘市办']) {
        const visitor = await signIn(stage, name)
        const { text } = await visitor.post(`/console/persons/${person}/binding-code`)
        if (/绑定码：<b class="code">[0-9A-Z]{8}/.test(text)) given.push(name)
        else expect(text).toContain('不在您的下级')
      }
      expect(given).toEqual(mayGive)
    })

    /** An import of the command line has no office that could undo it; the rows are turned back all the same. */
    async function undoAsOperator(id: number) {
      const [top] = await rows<{ id: string }>(
        stage,
        `select id from units where programme = 'xibu' and code = '610800'`,
      )
      await rows(stage, `update roster_imports set unit_id = ${top?.id} where id = ${id}`)
      const city = await signIn(stage, '刘市办')
      expect((await city.post(`/console/imports/${id}/undo`)).status).toBe(303)
    }
  })

  test('nor does anybody’s officer get a code for whoever looks after the server', async () => {
    const person = await personId(stage, '李镇川')
    await makeAdministrator(stage.rt, person)
    const lin = await signIn(stage, '林县书')
    const answer = await lin.post(`/console/persons/${person}/binding-code`)
    expect([answer.status, answer.text.includes('在服务器上发放')]).toEqual([422, true])
  })

  test('an account that was believed by name and phone opens no server', async () => {
    const person = await personId(stage, '李镇川')
    const [identity] = await rows<{ id: string }>(
      stage,
      `insert into identities (channel, address, person_id, bound_by, created_at) values ('official-account', 'o-li', ${person}, 'join_request', now()) returning id`,
    )
    await makeAdministrator(stage.rt, person)
    expect(await rows(stage, `select person_id from identities where address = 'o-li'`)).toEqual([
      { person_id: null },
    ])
    // and one that comes later by the same way gives no hold either
    await rows(
      stage,
      `update identities set person_id = ${person}, bound_by = 'join_request' where address = 'o-li'`,
    )
    const link = await makeSignInLink(stage.rt, { personId: person, identityId: Number(identity?.id) }, '/me')
    const response = await fetch(link, { method: 'POST', redirect: 'manual' })
    const cookie =
      response.headers
        .getSetCookie()
        .find(each => each.startsWith('qz='))
        ?.split(';')[0] ?? ''
    expect((await visitorWith(stage, cookie).get('/console/server')).status).toBe(404)
  })

  test('a new code for a lost account puts everybody out who is signed in with the old one', async () => {
    const gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, lin)
    const thief = await signIn(stage, '林县书')
    expect((await thief.get('/me')).status).toBe(200)
    const again = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin2' })
    await bindThrough(stage, gao, again)
    expect((await thief.get('/me')).status).toBe(303)
  })

  test('a file of many strangers’ ID numbers tells nothing of any one of them', async () => {
    const numbers = Array.from({ length: 30 }, (_, at) => idNumber(`6108022001010${String(100 + at)}`))
    const withNumbers = '单位编码,姓名,身份证号,角色,职务,状态\n'
    const city = await importAs(
      '高市书',
      '610800',
      numbers
        .map((number, at) => `610802102,${nameAt(at)},${number},乡镇团委成员,委员,在岗\n`)
        .concat('610802102,马黄梁,,乡镇团委成员,团委书记,在岗\n')
        .join(''),
      withNumbers,
    )
    expect(await applyDraftOf(city.visitor, city.draft)).toMatch(/\/console\/imports\/\d+$/)
    const probe = (count: number) =>
      importAs(
        '丁县书',
        '610825',
        numbers
          .slice(0, count)
          .map((number, at) => `610825101,${nameAt(at + 500)},${number},乡镇团委成员,委员,在岗\n`)
          .join(''),
        withNumbers,
      )
    for (const count of [3, 30]) {
      const { visitor, draft } = await probe(count)
      const { text } = await settledDraft(visitor, draft)
      expect(text).toContain('名册')
      expect(text).not.toContain('与系统里登记的不同')
    }
  })

  test('an import is not taken back over the head of an office that has taken the person on since', async () => {
    const numberOf = (name: string) =>
      rows<{ phone_index: string }>(stage, `select phone_index from persons where name = '${name}'`)
    const idRow = (unitCode: string, number: string, phone: string) =>
      `${unitCode},苏同志,${number},${phone},乡镇团委成员,委员,在岗\n`
    const heading = '单位编码,姓名,身份证号,手机号,角色,职务,状态\n'
    const number = idNumber('61080220010101111')
    const he = '610825101,贺圈书,,13900000014,乡镇团委成员,团委书记,在岗\n'
    const apply = async (name: string, unitCode: string, csv: string) => {
      stage.clock.advance(60_000)
      const { visitor, draft } = await importAs(name, unitCode, csv, heading)
      const location = await applyDraftOf(visitor, draft)
      expect(location).toMatch(/\/console\/imports\/\d+$/)
      return { visitor, path: location as string }
    }
    await apply('丁县书', '610825', he + idRow('610825101', number, '13700000001'))
    const mended = await apply('丁县书', '610825', he + idRow('610825101', number, '13700000002'))
    const right = await numberOf('苏同志')
    await apply(
      '林县书',
      '610802',
      `610802102,马黄梁,,13900000013,乡镇团委成员,团委书记,在岗\n${idRow('610802102', number, '13700000002')}`,
    )
    const answer = await mended.visitor.post(`${mended.path}/undo`)
    expect([answer.status, answer.text.includes('以外的单位登记')]).toEqual([422, true])
    expect(await numberOf('苏同志')).toEqual(right)
  })

  test('nobody who is not signed in gets as far as sending a file', async () => {
    const body = new FormData()
    body.set('file', new Blob([new Uint8Array(1024 * 1024)]), 'x.csv')
    for (const path of ['/console/imports/new', '/sign-out', '/sign-in/link/x', '/sign-in/demo']) {
      const { status } = await fetch(`${stage.serverUrl}${path}`, {
        method: 'POST',
        body,
        redirect: 'manual',
      })
      expect([303, 415], path).toContain(status)
    }
  })

  test('an owner who has gone from the roster neither sees into the group nor counts as proof', async () => {
    const gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const wang = stage.sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, lin)
    await bindThrough(stage, lin, wang)
    await stage.say(wang.id, '建群 团青群 微信群 86人 镇川青年 入群码 拉人')
    await stage.say(lin.id, '通知 便民 明天停水')
    await stage.say(lin.id, '确认')
    await stage.settle()
    await rows(
      stage,
      `update roles set ended_at = now() where person_id = (select id from persons where name = '王镇川')`,
    )
    expect(await stage.say(wang.id, '转')).toContain('没有等待转发')
    expect(await rows(stage, `select id from receipts where kind = 'relayed'`)).toEqual([])
    const visitor = await signIn(stage, '王镇川')
    expect((await visitor.get('/console')).text).not.toContain('镇川青年')
  })
})
