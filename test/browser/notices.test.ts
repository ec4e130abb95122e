import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { desk, openBrowser, openWindow, phone } from '../support/browser.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A notice from its first, faulty draft to the last receipt, as people see it in a browser. */
describe('a notice in the browser', () => {
  let stage: Stage
  let browser: Browser
  const people: Record<'gao' | 'lin' | 'wang' | 'ma', SimPerson> = {} as never

  beforeAll(async () => {
    stage = await openStage()
    browser = await openBrowser()
    await fillMatrix(stage)
    const { sim, say } = stage
    people.gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.lin = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, people.gao, 'qingnong', '610800')
    await bindThrough(stage, people.gao, people.lin)
    for (const person of [people.wang, people.ma]) await bindThrough(stage, people.lin, person)
    await say(people.wang.id, '建群 团青群 微信群 86人 镇川青年之家 入群码 https://example.cn/1')
    await say(people.wang.id, '建群 团青群 微信群 40人 镇川电商 入群码 拉人')
    await say(people.ma.id, '建群 团青群 微信群 30人 麻黄梁青年 入群码 拉人')
    await stage.settle()
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  async function openAs(name: string, size: typeof desk, options: { javaScriptEnabled?: boolean } = {}) {
    const opened = await openWindow(browser, size, options)
    const { cookie } = await signIn(stage, name)
    const [key = '', value = ''] = cookie.split('=')
    await opened.context.addCookies([{ name: key, value, url: stage.serverUrl }])
    return opened
  }
  const go = (page: Page, path: string) => page.goto(`${stage.serverUrl}${path}`)
  const isTooWide = (page: Page) => page.locator('html').evaluate(root => root.scrollWidth > root.clientWidth)

  test('the city writes one with an ID number in it, mends it, sends it, and watches it arrive', async () => {
    const { context, page, faults } = await openAs('高市书', desk)
    await go(page, '/console/notices')
    await page.getByRole('link', { name: '写通知' }).click()
    const body = page.getByLabel('正文')
    await body.fill('请各团委核对创业贷款名单：\n张三 61080220010307312X')
    await page.getByRole('button', { name: /下一步/ }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('61080220010307312X')
    expect(await body.inputValue()).toBe('请各团委核对创业贷款名单：\n张三 61080220010307312X')
    // the browser itself notes a refused form
    expect(faults.splice(0).filter(fault => !fault.includes('422'))).toEqual([])

    await body.fill('请各团委核对创业贷款名单：\n名单见附件，周五前回复。')
    await page.getByRole('button', { name: /下一步/ }).click()
    await page.getByText('个群会收到').waitFor()
    expect(await page.locator('.figure').first().innerText()).toMatch(/^3\s*个群会收到/)
    await page.getByRole('link', { name: '修改' }).click()
    expect(await body.inputValue()).toBe('请各团委核对创业贷款名单：\n名单见附件，周五前回复。')
    await page.getByRole('button', { name: /下一步/ }).click()
    await page.getByLabel('类别').selectOption('致富信息')
    await page.getByRole('button', { name: '确认发出' }).click()
    await page.getByText('通知 1 已发出').waitFor()
    expect(page.url()).toBe(`${stage.serverUrl}/console/notices/1`)
    await stage.settle()
    expect(stage.received(people.wang.id).at(-2)).toContain(
      '请各团委核对创业贷款名单：\n名单见附件，周五前回复。\n看过请点：',
    )

    const bar = page.locator('.big-progress .progress')
    expect(await bar.innerText()).toBe('0/3')
    await stage.say(people.ma.id, '收 1')
    await page.locator('[sse-swap] td.number', { hasText: /^1$/ }).waitFor()
    await stage.say(people.ma.id, '转 1')
    await bar.getByText('1/3').waitFor()
    await stage.say(people.wang.id, '转 1')
    await page.getByText('全部传达到位').waitFor()
    expect(await bar.innerText()).toBe('3/3')
    expect(
      await page
        .locator('img.curve')
        .evaluate(image => (image as unknown as { naturalWidth: number }).naturalWidth),
    ).toBe(760)
    // the stream is over, and the browser does not come back for it
    const requests: string[] = []
    page.on('request', request => requests.push(request.url()))
    await page.waitForTimeout(3500)
    expect(requests).toEqual([])
    await page.getByRole('link', { name: '刷新' }).click()
    await page.getByText('全部到位，没有等着的群').waitFor()
    expect(faults).toEqual([])
    await context.close()
  }, 120_000)

  test('on a phone without scripts an owner reads, says so, and settles the notice', async () => {
    await stage.say(people.lin.id, '通知 便民 明天上午停水，请互相转告')
    await stage.say(people.lin.id, '确认')
    await stage.settle()
    const { context, page, faults } = await openAs('王镇川', phone, { javaScriptEnabled: false })
    await go(page, '/me')
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('王镇川')
    await page.getByRole('link', { name: '明天上午停水，请互相转告' }).click()
    await page.getByText('待您转发').first().waitFor()
    await page.getByRole('button', { name: '我已阅读' }).click()
    await page.getByText('已记下您已阅读').waitFor()
    await page.getByRole('button', { name: /^转：都/ }).click()
    await page.getByText(/已登记转发到/).waitFor()
    expect(await page.getByText('已到群').count()).toBe(2)
    for (const path of [
      '/me',
      '/me/notices',
      '/me/notices/2',
      '/me/groups',
      '/me/requests',
      '/me/data',
      '/me/consent',
      '/me/sessions',
    ]) {
      await go(page, path)
      expect([path, await isTooWide(page)]).toEqual([path, false])
    }
    await go(page, '/me/notices')
    expect(await page.getByText('已读', { exact: true }).count()).toBe(1)
    expect(faults).toEqual([])
    await context.close()
  })
})
