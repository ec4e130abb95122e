import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billsOfPerson } from '../../db/queries/pay-bills.ts'
import { runById } from '../../db/queries/subsidies.ts'
import { approveRun } from '../../server/domain/subsidies/approve.ts'
import { makeRun, setYearBudget, submitRun } from '../../server/domain/subsidies/runs.ts'
import { payDueBills } from '../../server/jobs/pay-bills.ts'
import { openBrowser, openWindow, phone } from '../support/browser.ts'
import { signIn } from '../support/console.ts'
import { accountSettings } from '../support/stage.ts'
import { openUniversity, type University } from '../support/university.ts'

/** WeChat's script as far as the page uses it: it takes what it is given, and the platform's page is shown at once. */
const playedScript = `
  window.asked = []
  window.wx = {
    config: given => window.asked.push(['config', given]),
    ready: then => then(),
    error() {},
    requestMerchantTransfer(given) { window.asked.push(['transfer', given]); given.success({}) },
  }`

describe('the page on which a payment is taken', () => {
  let u: University
  let browser: Browser

  beforeAll(async () => {
    u = await openUniversity()
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await u?.stage.close()
  })

  test('hands the order to WeChat by its own script, within the content security policy', async () => {
    const { rt, sim, serverUrl } = u.stage
    const { personId, simId } = await u.volunteer({ name: '张远' })
    await setYearBudget(rt, u.maker, { unitId: u.unitId, year: 2026, fen: 600_000 })
    const runId = await makeRun(rt, u.maker, { unitId: u.unitId, way: 'wechat' })
    await submitRun(rt, u.maker, runId, rt.config.wechatPay)
    const hash = (await runById(rt.db, runId))?.contentHash ?? ''
    await approveRun(rt, u.checker, { runId, hash }, rt.config.wechatPay)
    await payDueBills(rt)
    // a browser keeps no session of an https address that it reads by http
    rt.publicUrl = serverUrl
    const { cookie } = await signIn(u.stage, personId)
    const [name = '', value = ''] = cookie.split('=')
    const userAgent = 'Mozilla/5.0 (iPhone) MicroMessenger/8.0.50'
    const { context, page, faults } = await openWindow(browser, phone, { userAgent })
    await context.addCookies([{ name, value, url: serverUrl }])
    await page.route('https://res.wx.qq.com/**', route =>
      route.fulfill({ contentType: 'text/javascript', body: playedScript }),
    )
    await page.goto(`${serverUrl}/pay`)
    await page.getByRole('button', { name: '确认收款' }).click()
    const asked = Object.fromEntries(await page.evaluate<[string, Record<string, string>][]>('window.asked'))
    const [own] = await billsOfPerson(rt.db, personId)
    const played = sim.pay.bill(own?.bill.number ?? '')
    expect(asked.config).toMatchObject({
      appId: accountSettings.appId,
      jsApiList: ['requestMerchantTransfer'],
      signature: expect.stringMatching(/^[0-9a-f]{40}$/),
    })
    expect(asked.transfer).toMatchObject({
      mchId: played.mchId,
      appId: accountSettings.appId,
      package: played.packageInfo,
    })
    await sim.pay.confirm(simId, played.packageInfo ?? '')
    await payDueBills(rt)
    await page.reload()
    expect(await page.getByText('这笔补贴已经收过了').count()).toBe(1)
    expect(faults).toEqual([])
    await context.close()
  })
})
