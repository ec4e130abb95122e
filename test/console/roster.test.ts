import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signIn, type Visitor } from '../support/console.ts'
import { fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('the roster of the units that one runs', () => {
  let stage: Stage
  let lin: Visitor
  let gao: Visitor
  const unitId = async (programme: string, code: string) =>
    (
      await rows<{ id: string }>(
        stage,
        `select id from units where programme = '${programme}' and code = '${code}'`,
      )
    )[0]?.id as string
  const names = (text: string) =>
    [...text.matchAll(/<a href="\/console\/persons\/\d+">([^<]+)<\/a>/g)].map(match => match[1])

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    lin = await signIn(stage, '林县书')
    gao = await signIn(stage, '高市书')
  })
  afterAll(() => stage.close())

  test('shows one’s own subtree and nobody else, with masked phones only', async () => {
    const { status, text } = await lin.get('/console/roster')
    expect(status).toBe(200)
    expect(names(text)).toEqual(['林县书', '王镇川', '李镇川', '马黄梁'])
    expect(text).toContain('139****0011')
    expect(text).not.toMatch(/139\d{8}/)
    expect(names((await gao.get('/console/roster')).text)).toHaveLength(7)
  })

  test.each([
    ['a part of a name', '镇川', ['王镇川', '李镇川']],
    ['a whole phone', '139 0000 0012', ['李镇川']],
    ['a phone of another county', '13900000014', []],
    ['a name of another county', '贺圈', []],
    ['a part of a phone', '1390000', []],
    ['something that is no pattern', '%', []],
  ])('finds by %s', async (_what, search, found) => {
    const { text } = await lin.get(`/console/roster?search=${encodeURIComponent(search)}`)
    expect(names(text)).toEqual(found)
    if (found.length === 0) expect(text).toContain('没有符合的人')
  })

  test('finds by the whole ID number, and not by a wrong one', async () => {
    const office = await signIn(stage, '赵县办')
    expect(names((await office.get('/console/roster?search=61080220010307312x')).text)).toEqual(['张思雨'])
    expect(names((await office.get('/console/roster?search=610802200103073121')).text)).toEqual([])
  })

  test('filters by status and by unit, and says how many there are', async () => {
    const office = await signIn(stage, '赵县办')
    expect(names((await office.get('/console/roster?status=离岗')).text)).toEqual(['李晓东'])
    expect((await office.get('/console/roster')).text).toContain('共 5 条 · 在岗 4 · 离岗 1')
    const zhenchuan = await unitId('qingnong', '610802101')
    const { text } = await lin.get(`/console/roster?unit=${zhenchuan}`)
    expect(names(text)).toEqual(['王镇川', '李镇川'])
    expect(text).toContain('<h1>镇川镇的名册</h1>')
  })

  test('another county’s unit is not there, nor is the unit above', async () => {
    for (const code of ['610825', '610825101', '610800'])
      expect((await lin.get(`/console/roster?unit=${await unitId('qingnong', code)}`)).status).toBe(404)
    expect((await lin.get('/console/roster?unit=999999')).status).toBe(404)
  })

  test('is nothing for a volunteer or a stranger', async () => {
    expect((await (await signIn(stage, '阿依古丽·买买提')).get('/console/roster')).status).toBe(404)
    const response = await fetch(`${stage.serverUrl}/console/roster`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      '/sign-in?to=%2Fconsole%2Froster',
    ])
  })

  test('turns pages of fifty', async () => {
    const youths = Array.from(
      { length: 60 },
      (_, index) =>
        `610825101,青年${'甲乙丙丁戊己庚辛壬癸'[index % 10]}${'一二三四五六'[Math.floor(index / 10)]},1370000${1000 + index},农村团员青年,在岗`,
    )
    const head = '单位编码,姓名,手机号,角色,状态'
    const officer = '610825101,贺圈书,13900000014,乡镇团委成员,在岗'
    const result = await importCsv(stage, 'qingnong', [head, officer, ...youths].join('\n'))
    expect(result).toMatchObject({ isApplied: true, new: 60 })
    const ding = await signIn(stage, '丁县书')
    const first = await ding.get('/console/roster')
    expect(names(first.text)).toHaveLength(50)
    expect(first.text).toContain('/console/roster?page=2')
    const second = await ding.get('/console/roster?page=2')
    expect(names(second.text)).toHaveLength(12)
    expect(new Set([...names(first.text), ...names(second.text)]).size).toBe(62)
    expect(second.text).not.toContain('page=3')
  })
})
