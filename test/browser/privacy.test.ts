import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { desk, openBrowser, openWindow, phone } from '../support/browser.ts'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('one’s own data, in a browser', () => {
  let stage: Stage
  let browser: Browser

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    await bindFirst(stage, stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' }), 'qingnong', '610802101')
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.close()
  })

  async function windowOf(visitor: Visitor, size: typeof phone) {
    const { context, page, faults } = await openWindow(browser, size)
    const [name = '', value = ''] = visitor.cookie.split('=')
    await context.addCookies([{ name, value, url: stage.serverUrl }])
    return { context, page, faults, open: (path: string) => page.goto(`${stage.serverUrl}${path}`) }
  }
  const isNoWiderThanWindow = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')

  test.each([
    ['phone', phone, '王镇川'],
    ['desk', desk, '李镇川'],
  ] as const)(
    'on a %s somebody reads what goes and what stays, is asked twice, and is out',
    async (_name, size, who) => {
      const { context, page, faults, open } = await windowOf(await signIn(stage, who), size)
      await open('/me/data')
      await page.getByRole('link', { name: '删除我的信息' }).click()
      expect(await page.textContent('main')).toContain('名册是所在单位的工作档案')
      expect(await isNoWiderThanWindow(page)).toBe(true)
      await page.getByRole('button', { name: '我要删除' }).click()
      await page.getByLabel('您的姓名').fill('别人')
      await page.getByRole('button', { name: '确定删除' }).click()
      expect(await page.getByRole('alert').textContent()).toContain('什么也没有删除')
      expect(await isNoWiderThanWindow(page)).toBe(true)
      await page.getByLabel('您的姓名').fill(who)
      await page.getByRole('button', { name: '确定删除' }).click()
      expect(await page.textContent('main')).toContain('您的信息已经删除')
      await open('/me')
      expect(page.url()).toContain('/sign-in')
      expect(await rows(stage, `select phone_index from persons where name = '${who}'`)).toEqual([
        { phone_index: null },
      ])
      expect(faults.filter(each => !each.includes('422'))).toEqual([])
      await context.close()
    },
  )

  test.each([
    ['phone', phone],
    ['desk', desk],
  ] as const)(
    'on a %s an office looks at a number in a few taps, and deletes who has left',
    async (name, size) => {
      const head = '单位编码,姓名,手机号,角色,职务,状态\n'
      const who = name === 'phone' ? '马黄梁' : '新书记'
      const id = await personId(stage, who)
      const { context, page, faults, open } = await windowOf(await signIn(stage, '林县书'), size)
      await open(`/console/persons/${id}`)
      await page.getByText('查看完整号码').click()
      await page.getByLabel('为什么要看').selectOption('contact')
      await page.getByRole('button', { name: '查看并留痕' }).click()
      expect(await page.textContent('main')).toMatch(/139000000\d\d/)
      const next = name === 'phone' ? '新书记' : '再新书'
      await importCsv(
        stage,
        'qingnong',
        `${head}610802102,${next},139000000${name === 'phone' ? 33 : 34},乡镇团委成员,团委书记,在岗\n`,
      )
      await open(`/console/persons/${id}`)
      await page.getByText(`删除${who}的信息`).click()
      await page.getByLabel(/请照写姓名/).fill(who)
      await page.getByRole('button', { name: '删除，不能恢复' }).click()
      await page.getByRole('status').waitFor()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('已删除')
      expect(await page.textContent('main')).toContain('单位办理：')
      expect(await isNoWiderThanWindow(page)).toBe(true)
      expect(faults).toEqual([])
      await context.close()
    },
  )
})
