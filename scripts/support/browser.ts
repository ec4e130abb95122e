import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContext, chromium as engine, type Page } from 'playwright-core'

/** A real Chromium, shipped inside an npm package; one that the machine has is taken with `CHROMIUM=/path`. */
export async function openBrowser(): Promise<Browser> {
  const own = process.env.CHROMIUM
  return engine.launch({
    executablePath: own && existsSync(own) ? own : await chromium.executablePath(),
    args: [
      '--no-sandbox',
      '--no-zygote',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
      '--font-render-hinting=none',
    ],
    // without a locale of UTF-8 it cannot name a download in Chinese
    env: { ...process.env, LC_ALL: 'C.UTF-8', FONTCONFIG_FILE: fontSettings() },
    headless: true,
  })
}

/** A fontconfig file that names the Chinese font of an npm package: a bare machine has none. */
function fontSettings(): string {
  const folder = join(tmpdir(), 'qunzhen-fonts')
  mkdirSync(folder, { recursive: true })
  const fonts = dirname(
    createRequire(import.meta.url).resolve('@expo-google-fonts/noto-sans-sc/package.json'),
  )
  const file = join(folder, 'fonts.conf')
  const folders = ['400Regular', '700Bold'].map(weight => `<dir>${join(fonts, weight)}</dir>`)
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${folders.join('')}<cachedir>${join(folder, 'cache')}</cachedir></fontconfig>`,
  )
  return file
}

export const phone = { width: 400, height: 800 }
export const desk = { width: 1280, height: 900 }

/** A window of its own, as somebody has it who has never been here. */
export async function openWindow(
  browser: Browser,
  size: { width: number; height: number },
  options: { javaScriptEnabled?: boolean; userAgent?: string } = {},
): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
  const context = await browser.newContext({
    viewport: size,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    ...options,
  })
  const page = await context.newPage()
  const faults: string[] = []
  // whatever the browser complains of: a script error, a refused style, a file that is not there
  page.on('pageerror', error => faults.push(`${error.name}: ${error.message}`))
  page.on('console', message => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return { context, page, faults }
}
