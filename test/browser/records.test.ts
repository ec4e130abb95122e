import { readFile } from 'node:fs/promises'
import exceljs from 'exceljs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { desk, openBrowser, openWindow, phone } from '../support/browser.ts'
import type { Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('from an applicant to the sheet, in a browser', () => {
  let stage: Stage
  let matrix: FullMatrix
  let browser: Browser

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    browser = await openBrowser()
    const { things, xibu } = matrix
    for (const groupId of [things.groupId, xibu.groupId] as number[])
      await rows(
        stage,
        `insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, confidence, excerpt, created_at)
         select id, unit_id, '2026-09', '2026-09-06', '新闻娱乐', 1, 'forwarded', 'machine', 0.52, '羊绒收购价今天又涨了', now() from groups where id = ${groupId}`,
      )
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.close()
  })

  /** A window in which somebody is signed in; whatever the browser complains of is a fault. */
  async function windowOf(visitor: Visitor, size: typeof phone) {
    const { context, page, faults } = await openWindow(browser, size)
    const [name = '', value = ''] = visitor.cookie.split('=')
    await context.addCookies([{ name, value, url: stage.serverUrl }])
    return { context, page, faults, open: (path: string) => page.goto(`${stage.serverUrl}${path}`) }
  }

  const isNoWiderThanWindow = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')

  test('on a phone an owner lets somebody in and puts a category right', async () => {
    const { context, page, faults, open } = await windowOf(matrix.visitors.branch, phone)
    await open('/console')
    await page.getByRole('link', { name: '入群申请', exact: true }).click()
    await page.getByRole('link', { name: /申请 \d+/ }).click()
    expect(await page.textContent('main')).toContain('手机号只差一位')
    expect(await page.getByRole('radio', { name: /是这一位/ }).isChecked()).toBe(true)
    await page.getByRole('button', { name: '同意入群' }).click()
    await page.getByRole('status').waitFor()
    expect(await page.getByRole('status').textContent()).toContain(
      '已同意阿依古丽·买买提加入“榆阳沙柳支部群”',
    )
    expect(await isNoWiderThanWindow(page)).toBe(true)
    expect(
      await rows(stage, `select decision from join_requests where id = ${matrix.things.requestId}`),
    ).toEqual([{ decision: 'approved' }])

    await page.getByRole('link', { name: '记录', exact: true }).click()
    const row = page.getByRole('row', { name: /羊绒收购价/ })
    expect(await row.textContent()).toContain('机器 52%')
    await row.getByRole('combobox').selectOption('致富信息')
    await row.getByText('改为致富信息').waitFor()
    expect(await row.textContent()).toContain('人工')
    expect(await isNoWiderThanWindow(page)).toBe(true)
    expect(
      await rows(
        stage,
        `select category, decided_by from message_records where group_id = ${matrix.xibu.groupId}`,
      ),
    ).toEqual([{ category: '致富信息', decided_by: 'person' }])
    // the row that came back can be changed again
    await row.getByRole('combobox').selectOption('便民服务')
    await row.getByText('改为便民服务').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('on a desk an officer follows a figure of the sheet, and the file holds what the page shows', async () => {
    const { context, page, faults, open } = await windowOf(matrix.visitors.county, desk)
    await open('/console/sheets?month=2026-09')
    await page.getByRole('link', { name: '榆阳区' }).click()
    const cell = page.locator('.sheet tbody tr').first().locator('td').nth(15)
    expect(await cell.textContent()).toBe('1')
    const shown = await page
      .locator('.sheet tbody tr')
      .first()
      .evaluate((row: { cells: Iterable<{ textContent: string }> }) =>
        [...row.cells].map(each => each.textContent),
      )
    expect(shown.slice(0, 5)).toEqual(['镇川镇', '12', '36', '480', '1'])

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '下载 XLSX' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('跟踪摸底表-榆阳区-2026-09.xlsx')
    const workbook = new exceljs.Workbook()
    const file = await readFile(await download.path())
    await workbook.xlsx.load(file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer)
    const printed = shown.map((_, column) => String(workbook.worksheets[0]?.getCell(7, column + 1).value))
    expect(printed).toEqual(shown)

    // the picture is there, not its words alone
    const chart = page.getByRole('img', { name: /近 6 个月发送微信条数/ })
    expect(await chart.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(560)

    await cell.getByRole('link').click()
    await page.waitForURL(/\/console\/records\?/)
    expect(await page.textContent('main')).toContain('羊绒收购价今天又涨了')
    expect(await page.locator('.figure b').first().textContent()).toBe('1')
    expect(faults).toEqual([])
    await context.close()
  })
})
