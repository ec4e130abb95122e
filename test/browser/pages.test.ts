import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { desk, openBrowser, openWindow, phone } from '../support/browser.ts'
import type { Visitor } from '../support/console.ts'
import { addressOf, type ConsoleRoute, consoleRoutes } from '../support/console-routes.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Answers that are no pages: files, pictures, streams and parts of pages. */
const noPage =
  /\/(live|children|xlsx|export|rows|progress|fragment|file)$|\/(files|pictures)\/:\w+$|\.(svg|png|xlsx|csv)$/

/** Who looks at a page: the one who may, of those who have it. */
function viewerFor(
  matrix: FullMatrix,
  { url, policy }: ConsoleRoute,
): { visitor: Visitor; ids: Record<string, number | string> } {
  const { visitors, things, xibu } = matrix
  const ids = { month: '2026-09', ...things }
  if (policy === 'administrator' || policy === 'overseer' || url.startsWith('/console/server'))
    return { visitor: visitors.administrator, ids }
  if (typeof policy !== 'string' && policy.name === 'join request')
    return { visitor: visitors.branch, ids: { ...ids, ...xibu } }
  if (/^\/console\/(volunteers|subsidies)/.test(url)) return { visitor: visitors.university, ids }
  if (url.startsWith('/me/payments')) return { visitor: visitors.member, ids }
  if (url.startsWith('/me')) return { visitor: visitors.owner, ids }
  return { visitor: visitors.county, ids }
}

describe('every page, on a desk and on a phone', () => {
  let stage: Stage
  let matrix: FullMatrix
  let browser: Browser
  let pages: ConsoleRoute[]

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    browser = await openBrowser()
    pages = (await consoleRoutes(stage)).filter(
      ({ method, url, policy }) => method === 'GET' && policy !== 'public' && !noPage.test(url),
    )
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.close()
  })

  async function openAs(page: Page, visitor: Visitor, address: string): Promise<number> {
    const [name = '', value = ''] = visitor.cookie.split('=')
    await page.context().addCookies([{ name, value, url: stage.serverUrl }])
    const response = await page.goto(`${stage.serverUrl}${address}`)
    return response?.status() ?? 0
  }

  test.each([
    ['a desk', desk],
    ['a phone', phone],
  ] as const)(
    'on %s nothing sticks out, nothing fails, and everybody can use it',
    async (_name, size) => {
      const wrong: string[] = []
      for (const route of pages) {
        const { visitor, ids } = viewerFor(matrix, route)
        const address = addressOf(route.url, ids)
        const { context, page, faults } = await openWindow(browser, size)
        const status = await openAs(page, visitor, address)
        if (status !== 200) wrong.push(`${address}: ${status}`)
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
        if (wide > 0) wrong.push(`${address}: ${wide} px wider than the window`)
        const twice = await page.evaluate<string[]>(
          '[...document.querySelectorAll("[id]")].map(each => each.id).filter((id, at, all) => all.indexOf(id) !== at)',
        )
        wrong.push(...twice.map(id => `${address}: two elements are #${id}`))
        await page.evaluate(axe)
        const findings = await page.evaluate<string[]>(
          `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
            .filter(each => each.impact === 'serious' || each.impact === 'critical')
            .map(each => each.id + ': ' + each.nodes[0].html.slice(0, 160)))`,
        )
        wrong.push(
          ...findings.map(each => `${address}: ${each}`),
          ...faults.map(each => `${address}: ${each}`),
        )
        await context.close()
      }
      expect(wrong).toEqual([])
    },
    300_000,
  )
})
