import { afterAll, beforeAll, expect, test } from 'vitest'
import { desk, openBrowser, openWindow } from '../../support/browser.ts'
import { openStage, type Stage } from '../../support/stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})

afterAll(() => stage.close())

test('the description is shown in a browser, by our own files alone and without a complaint', async () => {
  const browser = await openBrowser()
  try {
    const { page, faults } = await openWindow(browser, desk)
    const asked: string[] = []
    page.on('request', request => asked.push(request.url()))
    const response = await page.goto(`${stage.serverUrl}/docs`, { waitUntil: 'networkidle' })
    expect(response?.headers()['content-security-policy']).toContain("script-src 'self';")
    await page.locator('.opblock-summary').first().waitFor()
    expect(await page.locator('.opblock-summary-path').allTextContents()).toEqual(
      expect.arrayContaining(['/api/v1/units', '/api/v1/notices', '/api/v1/forms/tracking-sheet']),
    )
    expect(await page.locator('.opblock-summary').count()).toBe(13)
    await page.locator('.opblock-summary', { hasText: '发通知' }).click()
    await page.locator('.opblock-description', { hasText: 'Idempotency-Key' }).waitFor()
    expect(faults).toEqual([])
    expect(asked.filter(url => !url.startsWith(stage.serverUrl) && !url.startsWith('data:'))).toEqual([])
    if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT, fullPage: true })
  } finally {
    await browser.close()
  }
})
