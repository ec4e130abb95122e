import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { signIn, type Visitor } from '../support/console.ts'
import { bindFirst, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('the forms of the volunteers’ programme, as a province sees them', () => {
  let stage: Stage
  let province: Visitor
  let unitId: number
  let officer: SimPerson
  const path = (form: string, period = '2026') => `/console/forms/${form}/${unitId}/${period}`

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    await bindFirst(stage, officer, 'xibu', '610000')
    groupNumber(
      await stage.say(officer.id, '建群 省西部计划工作群 微信群 46人 陕西西部计划工作群 入群码 拉人'),
    )
    province = await signIn(stage, '陈省办')
    const [unit] = await rows<{ id: string }>(
      stage,
      `select id from units where programme = 'xibu' and code = '610000'`,
    )
    unitId = Number(unit?.id)
  })
  afterAll(() => stage.close())

  test('on the page every figure leads to its source, and no number is whole', async () => {
    const branches = await province.get(path('branch-summary'))
    expect(branches.status).toBe(200)
    expect(branches.text).toMatch(/href="\/console\/roster\?unit=\d+">3</)
    expect(branches.text).toContain('周支书 138****0005')
    expect(branches.text).toContain('赵县办 138****0004')
    expect(branches.text).not.toMatch(/138000000\d\d/)
    const source = /href="(\/console\/roster\?unit=\d+)"/.exec(branches.text)?.[1] as string
    expect((await province.get(source)).text).toContain('周支书')
    const groups = await province.get(path('matrix-summary'))
    expect(groups.text).toMatch(/href="\/console\/groups\/\d+">46</)
    expect(groups.text).not.toMatch(/138000000\d\d/)
  })

  test('in the file numbers are whole, and that it was taken is noted', async () => {
    const response = await fetch(`${stage.serverUrl}${path('branch-summary')}/xlsx`, {
      headers: { cookie: province.cookie },
    })
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    const values = JSON.stringify(workbook.worksheets[0]?.getSheetValues())
    expect(values).toContain('周支书 13800000005')
    const noted = await rows(
      stage,
      `select details->>'form' as form from audit_log where action = 'sheet.exported' order by id desc limit 1`,
    )
    expect(noted).toEqual([{ form: 'branch-summary' }])
  })

  test('the diagram is a picture on its page, with what it shows in words', async () => {
    const page = await province.get(path('matrix-diagram', '2026-09'))
    expect(page.text).toContain(`${path('matrix-diagram', '2026-09')}/picture.svg`)
    expect(page.text).toContain('alt="陕西省西部计划微信群矩阵框架图')
    const picture = await province.get(`${path('matrix-diagram', '2026-09')}/picture.svg`)
    expect(picture.headers.get('content-type')).toContain('image/svg+xml')
    expect(picture.text).toContain('陕西西部计划工作群')
    expect(picture.text).toContain('还没有建')
    const small = await province.get(`${path('matrix-diagram', '2026-09')}/picture.svg?size=phone`)
    expect(small.text).toContain('width="360"')
  })

  test('in the chat it comes as a PNG, and says what is missing', async () => {
    const answer = await stage.say(officer.id, '框架图')
    // of 榆林, both counties' branches; 榆阳 has 研究生支教团 members
    expect(answer).toBe('陕西省的框架图随后发给您。还有 4 个该建的群没有建，图上是红字。')
    await stage.settle()
    const picture = stage.sim.inbox(officer.id).findLast(message => message.kind === 'image')
    expect(picture).toBeDefined()
    expect(await stage.say(officer.id, '框架图 榆阳区')).toContain('榆阳区的框架图随后发给您。还有 2 个')
    expect(await stage.say(officer.id, '框架图 成都市')).toBe(
      '您管理的单位里没有“成都市”。要看自己单位的，只发：框架图',
    )
  })
})
