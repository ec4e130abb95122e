import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { desk, openBrowser, openWindow, phone } from './support/browser.ts'
import { runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run pages [-- --url http://127.0.0.1:3000] [--out docs/pages] [--only 名字]

给正在演示的服务（npm run demo 演完之后）的每一页拍照：电脑和手机两种大小。

  --url    控制台的网址（默认 http://127.0.0.1:3000）
  --out    放照片的目录（默认 docs/pages）
  --only   只拍名字里有这几个字的`

/** Nobody looks at a picture that is longer. */
const MAX_HEIGHT = 1800

interface Shot {
  name: string
  /** Whom to play: found by name, office or unit. null: nobody is signed in. */
  as: string | null
  path: string
  /** Follow the first link to such an address from there. */
  follow?: RegExp
  sizes?: ('desk' | 'phone')[]
}

const CITY = '青工农部部长'
const COUNTY = '榆阳区'
const ADMINISTRATOR = '系统管理员'
const OWNER = '镇川镇'

const shots: Shot[] = [
  { name: 'sign-in', as: null, path: '/sign-in' },
  { name: 'sign-in-demo', as: null, path: '/sign-in/demo' },
  { name: 'matrix', as: CITY, path: '/console' },
  { name: 'matrix-notices', as: CITY, path: '/console?by=notices' },
  { name: 'matrix-records', as: COUNTY, path: '/console?by=records' },
  { name: 'unit', as: COUNTY, path: '/console', follow: /^\/console\/units\/\d+$/ },
  { name: 'groups', as: COUNTY, path: '/console/groups' },
  { name: 'group', as: COUNTY, path: '/console/groups', follow: /^\/console\/groups\/\d+$/ },
  { name: 'group-new', as: COUNTY, path: '/console/groups/new' },
  { name: 'join-requests', as: '项目办主任', path: '/console/join-requests' },
  {
    name: 'join-request',
    as: '项目办主任',
    path: '/console/join-requests?state=approved',
    follow: /^\/console\/join-requests\/\d+/,
  },
  { name: 'notices', as: CITY, path: '/console/notices' },
  { name: 'notice', as: CITY, path: '/console/notices', follow: /^\/console\/notices\/\d+$/ },
  { name: 'notice-new', as: CITY, path: '/console/notices/new' },
  { name: 'records', as: COUNTY, path: '/console/records?month=2026-09' },
  { name: 'forms', as: CITY, path: '/console/forms' },
  { name: 'forms-of-one', as: CITY, path: '/console/forms?form=tracking-sheet' },
  {
    name: 'form',
    as: COUNTY,
    path: '/console/forms',
    follow: /^\/console\/forms\/tracking-sheet\/\d+\/\d{4}-\d\d$/,
  },
  {
    name: 'form-plan',
    as: COUNTY,
    path: '/console/forms',
    follow: /^\/console\/forms\/plan-sheet\/\d+\/\d{4}$/,
  },
  { name: 'accounts', as: COUNTY, path: '/console/accounts' },
  { name: 'roster', as: COUNTY, path: '/console/roster' },
  { name: 'person', as: COUNTY, path: '/console/roster', follow: /^\/console\/persons\/\d+$/ },
  { name: 'imports', as: COUNTY, path: '/console/imports' },
  { name: 'import-new', as: COUNTY, path: '/console/imports/new' },
  { name: 'audit', as: CITY, path: '/console/audit' },
  { name: 'api-tokens', as: COUNTY, path: '/console/api-tokens' },
  { name: 'me', as: OWNER, path: '/me' },
  { name: 'me-groups', as: OWNER, path: '/me/groups' },
  { name: 'me-notices', as: OWNER, path: '/me/notices' },
  { name: 'me-notice', as: OWNER, path: '/me/notices', follow: /^\/me\/notices\/\d+$/ },
  { name: 'me-requests', as: OWNER, path: '/me/requests' },
  { name: 'me-data', as: OWNER, path: '/me/data' },
  { name: 'me-consent', as: OWNER, path: '/me/consent' },
  { name: 'me-sessions', as: OWNER, path: '/me/sessions' },
  { name: 'server', as: ADMINISTRATOR, path: '/console/server' },
  { name: 'server-updates', as: ADMINISTRATOR, path: '/console/server/updates' },
  { name: 'server-deliveries', as: ADMINISTRATOR, path: '/console/server/deliveries' },
  { name: 'server-calls', as: ADMINISTRATOR, path: '/console/server/calls' },
  { name: 'server-settings', as: ADMINISTRATOR, path: '/console/server/settings' },
  { name: 'self-check', as: ADMINISTRATOR, path: '/console/server/self-check' },
  { name: 'not-found', as: OWNER, path: '/console/units/999999' },
]

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:3000' },
      out: { type: 'string', default: 'docs/pages' },
      only: { type: 'string', default: '' },
    },
  })
  mkdirSync(values.out, { recursive: true })
  const browser = await openBrowser()
  let failed = 0
  try {
    for (const shot of shots.filter(each => each.name.includes(values.only)))
      for (const [size, window] of [
        ['desk', desk],
        ['phone', phone],
      ] as const) {
        if (shot.sizes && !shot.sizes.includes(size)) continue
        const { context, page } = await openWindow(browser, window)
        try {
          await goTo(page, values.url, shot)
          await photograph(page, window, join(values.out, `${shot.name}-${size}.jpg`))
        } catch (error) {
          failed++
          console.error(`${shot.name}-${size}：${(error as Error).message.split('\n')[0]}`)
        } finally {
          await context.close()
        }
      }
  } finally {
    await browser.close()
  }
  console.log(`照片在 ${values.out}/${failed > 0 ? `，有 ${failed} 张没拍成` : ''}`)
  return failed === 0 ? 0 : 1
})

async function goTo(page: Page, url: string, { as, path, follow }: Shot): Promise<void> {
  if (as === null) {
    await page.goto(`${url}${path}`)
    return
  }
  page.setDefaultTimeout(8000)
  await page.goto(`${url}/sign-in/demo?search=${encodeURIComponent(as)}`)
  await page.locator('main li button').first().click()
  await page.goto(`${url}${path}`)
  if (!follow) return
  const addresses = await page
    .locator('main a')
    .evaluateAll(links => links.map(link => link.getAttribute('href')))
  const found = addresses.find(address => address !== null && follow.test(address))
  if (!found) throw new Error(`${path} leads to nothing like ${follow}`)
  await page.goto(`${url}${found}`)
}

async function photograph(
  page: Page,
  window: { width: number; height: number },
  file: string,
): Promise<void> {
  // pictures drawn by the server and parts fetched by the page
  await page.waitForTimeout(400)
  const height = await page.evaluate<number>('document.documentElement.scrollHeight')
  await page.setViewportSize({
    width: window.width,
    height: Math.min(Math.max(height, window.height), MAX_HEIGHT),
  })
  await page.screenshot({ path: file, type: 'jpeg', quality: 72 })
}
