import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { desk, openBrowser, openWindow } from '../support/browser.ts'
import { signIn } from '../support/console.ts'
import { fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const head = '单位编码,姓名,手机号,身份证号,角色,职务,状态\n'
const wang = '610802101,王镇川,13900000011,,乡镇团委成员,团委书记,在岗\n'
const li = '610802101,李镇川,13900000012,,乡镇团委成员,团委副书记,在岗\n'

let stage: Stage
let browser: Browser
beforeAll(async () => {
  stage = await openStage()
  await fillMatrix(stage)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await stage.close()
})

async function choose(page: Page, name: string, csv: string): Promise<void> {
  await page.getByLabel('名册文件').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(csv) })
  await page.getByRole('button', { name: '上传并核对' }).click()
  await page.getByRole('heading', { level: 1, name: `核对 ${name}` }).waitFor()
}

test('林县书 uploads a roster, mends it, looks at it, applies it, and takes it back', async () => {
  const standing = () =>
    rows(
      stage,
      `select p.name, p.phone_index, e.role, e.title, e.status, r.id is not null as has_role
       from roster_entries e join persons p on p.id = e.person_id
       left join roles r on r.person_id = e.person_id and r.unit_id = e.unit_id and r.role = e.role and r.ended_at is null
       where e.gone_import_id is null order by e.unit_id, p.id`,
    )
  const before = await standing()
  const { context, page, faults } = await openWindow(browser, desk)
  const { cookie } = await signIn(stage, '林县书')
  await context.addCookies([{ name: 'qz', value: cookie.slice('qz='.length), url: stage.serverUrl }])
  page.on('dialog', dialog => void dialog.accept())

  await page.goto(`${stage.serverUrl}/console`)
  await page.getByRole('navigation', { name: '主导航' }).getByRole('link', { name: '名册' }).click()
  const roster = page.getByRole('region', { name: '名册' }).getByRole('row')
  const atFirst = await roster.allInnerTexts()
  expect(atFirst).toHaveLength(5)
  await page.getByRole('link', { name: '导入名册' }).click()

  // a phone with a digit too few, a unit that is not there, an ID number that cannot be
  await choose(
    page,
    '有错的.csv',
    `${head}${wang.replace('13900000011', '1390000001')}610899,某人,13900000031,,乡镇团委成员,,在岗\n${li.replace(',,乡镇', ',610802200103073121,乡镇')}`,
  )
  const errors = page.getByRole('region', { name: '错误' })
  for (const words of ['不是 11 位手机号', '没有编码是 610899 的单位', '校验位不对'])
    await errors.getByText(words).waitFor()
  expect(await page.getByRole('button', { name: '确认导入' }).count()).toBe(0)
  await page.getByRole('link', { name: '上传改好的文件' }).click()

  // enough people that the import is still at work when its page comes, and asks for itself
  const youths = Array.from(
    { length: 4000 },
    (_, index) =>
      `610802101,青年${'甲乙丙丁戊己庚辛壬癸'[index % 10]},1370000${1000 + index},,农村团员青年,,在岗`,
  )
  await choose(page, '改好的.csv', `${head}${wang.replace('团委书记', '团委第一书记')}${youths.join('\n')}\n`)
  const figure = (name: string) => page.locator('.figure', { hasText: name }).locator('b').innerText()
  expect(await Promise.all(['新增', '变动', '离开', '行有误'].map(figure))).toEqual(['4000', '1', '1', '0'])
  await page.getByRole('region', { name: '变动' }).getByText('团委书记 → 团委第一书记').waitFor()
  await page.getByRole('region', { name: '离开' }).getByText('李镇川').waitFor()

  // another import is under way, so that this one waits and its page is seen waiting
  let letGo = () => {}
  const other = stage.rt.db.transaction(async tx => {
    await tx.execute("select pg_advisory_xact_lock(hashtext('roster:qingnong'))")
    await new Promise<void>(resolve => {
      letGo = resolve
    })
  })
  await page.getByRole('button', { name: '确认导入' }).click()
  await page.getByRole('heading', { name: '正在导入' }).waitFor()
  letGo()
  await other
  await page.getByRole('heading', { level: 1, name: '导入 改好的.csv' }).waitFor()
  await page.getByRole('status').getByText('名册已导入。').waitFor()
  expect(await figure('新增')).toBe('4000')
  await page.getByRole('link', { name: '名册' }).first().click()
  await page.getByLabel('姓名或完整的号码').fill('13700001000')
  await page.getByRole('button', { name: '查找' }).click()
  await page.getByRole('link', { name: '青年甲' }).waitFor()

  await page.goto(`${stage.serverUrl}/console/imports`)
  await page.getByRole('link', { name: '改好的.csv' }).click()
  await page.getByRole('button', { name: '撤销这次导入' }).click()
  await page.getByRole('status').getByText('已撤销，名册和职务恢复到导入之前。').waitFor()
  expect(await standing()).toEqual(before)
  await page.getByRole('navigation', { name: '主导航' }).getByRole('link', { name: '名册' }).click()
  await page.getByText('共 4 条').waitFor()
  expect(await roster.allInnerTexts()).toEqual(atFirst)

  expect(faults).toEqual([])
  await context.close()
}, 120_000)
