import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { fetchPictures } from '../../server/jobs/fetch-pictures.ts'
import { openBrowser, openWindow, phone } from '../support/browser.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A red square, large enough to be looked at, as a PNG that a browser draws itself. */
const DRAW = `(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 600 })
  const pen = canvas.getContext('2d')
  pen.fillStyle = '#c8c1b4'; pen.fillRect(0, 0, 900, 600)
  pen.strokeStyle = '#40332a'; pen.lineWidth = 6; pen.beginPath()
  pen.moveTo(120, 0); pen.lineTo(300, 260); pen.lineTo(280, 420); pen.lineTo(420, 600); pen.stroke()
  return canvas.toDataURL('image/png').split(',')[1]
})()`

describe('a slip with pictures, on a phone', () => {
  let stage: Stage
  let browser: Browser
  let county: SimPerson
  let volunteer: SimPerson

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    county = stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    const secretary = stage.sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    volunteer = stage.sim.addPerson({ name: '阿依古丽·买买提', wecomUserId: 'ayi' })
    await bindFirst(stage, county, 'xibu', '610802')
    await bindThrough(stage, county, secretary)
    await bindThrough(stage, secretary, volunteer)
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.close()
  })

  async function openAs(page: Page, name: string, address: string): Promise<void> {
    const { cookie } = await signIn(stage, name)
    const [key = '', value = ''] = cookie.split('=')
    await page.context().addCookies([{ name: key, value, url: stage.serverUrl }])
    await page.goto(`${stage.serverUrl}${address}`)
  }
  /** What each picture of the page is drawn as. */
  const drawn = (page: Page) =>
    page.evaluate<{ width: number; isThere: boolean }[]>(
      `Promise.all([...document.querySelectorAll('.picture img')].map(async picture => {
        picture.loading = 'eager'
        await picture.decode()
        return { width: picture.getBoundingClientRect().width, isThere: picture.naturalWidth > 0 }
      }))`,
    )
  const excess = (page: Page) =>
    page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')

  test('its reporter puts one on, and the office sees it within the width of the window', async () => {
    await stage.say(volunteer.id, '上报 困难 宿舍的墙有裂缝')
    await stage.say(volunteer.id, '确认')
    await stage.sim.sendImage(volunteer.id)
    await fetchPictures(stage.rt)

    const own = await openWindow(browser, phone)
    await openAs(own.page, volunteer.name, '/me/slips/1')
    const bytes = Buffer.from(await own.page.evaluate<string>(DRAW), 'base64')
    await own.page.setInputFiles('input[name="picture"]', {
      name: '墙.png',
      mimeType: 'image/png',
      buffer: bytes,
    })
    await own.page.click('button:has-text("上传")')
    expect(await own.page.textContent('.said')).toContain('图片已放上')
    expect(await drawn(own.page)).toHaveLength(2)
    expect(own.faults).toEqual([])
    await own.context.close()

    const { context, page, faults } = await openWindow(browser, phone)
    await openAs(page, '赵县办', '/console/slips/1')
    const pictures = await drawn(page)
    expect(pictures.map(picture => picture.isThere)).toEqual([true, true])
    for (const { width } of pictures) expect(width).toBeLessThanOrEqual(phone.width)
    expect(await excess(page)).toBeLessThanOrEqual(0)
    await page.fill('textarea[name="text"]', '明天来看')
    await page.click('button:has-text("答复")')
    expect(await page.textContent('.said')).toContain('已答复')
    expect(faults).toEqual([])
    await page.click('.picture a >> nth=1')
    expect(page.url()).toContain('/console/slips/1/pictures/2')
    expect(await page.evaluate<number>('document.images[0].naturalWidth')).toBe(900)
    await context.close()
  })
})
