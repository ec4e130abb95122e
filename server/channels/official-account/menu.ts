import { ChannelError } from '../errors.ts'
import type { PlatformAnswer } from '../http.ts'
import { textBytes } from '../text.ts'
import { partOf, partsOf, refuseUnless, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { MenuButton, MenuEntry, Menus } from './ports.ts'

/** @see https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu.html */
const MAX_BUTTONS = 3
const MAX_ENTRIES = 5
/** Bytes of UTF-8. */
const MAX_BUTTON_NAME = 16
const MAX_ENTRY_NAME = 60
const MAX_KEY = 128
const MAX_URL = 1024
const NO_MENU = 46003

/** 自定义菜单. */
export function createMenus(client: OfficialAccountClient): Menus {
  return {
    async setMenu(buttons) {
      client.require('menu')
      refuseUnless(
        buttons.length >= 1 && buttons.length <= MAX_BUTTONS,
        `菜单应有 1 至 ${MAX_BUTTONS} 个按钮`,
      )
      await client.call({
        path: '/cgi-bin/menu/create',
        body: { button: buttons.map(buttonBody) },
        // the whole menu is replaced, so twice is as good as once
        isSafe: true,
      })
    },

    async readMenu() {
      client.require('menu')
      try {
        const answer = await client.call({ path: '/cgi-bin/menu/get', isSafe: true })
        return partsOf(partOf(answer, 'menu'), 'button').flatMap(readButton)
      } catch (error) {
        if (error instanceof ChannelError && error.platformCode === NO_MENU) return []
        throw error
      }
    },

    async deleteMenu() {
      client.require('menu')
      await client.call({ path: '/cgi-bin/menu/delete', isSafe: true })
    },
  }
}

function buttonBody(button: MenuButton): Record<string, unknown> {
  if (!('entries' in button)) return entryBody(button, MAX_BUTTON_NAME)
  const { name, entries } = button
  checkName(name, MAX_BUTTON_NAME)
  refuseUnless(
    entries.length >= 1 && entries.length <= MAX_ENTRIES,
    `菜单“${name}”应有 1 至 ${MAX_ENTRIES} 项`,
  )
  return { name, sub_button: entries.map(entry => entryBody(entry, MAX_ENTRY_NAME)) }
}

function entryBody(entry: MenuEntry, maxNameBytes: number): Record<string, unknown> {
  const { name } = entry
  checkName(name, maxNameBytes)
  if ('command' in entry) {
    refuseUnless(
      entry.command !== '' && textBytes(entry.command) <= MAX_KEY,
      `菜单“${name}”的命令应为 1 至 ${MAX_KEY} 字节`,
    )
    return { type: 'click', name, key: entry.command }
  }
  refuseUnless(
    /^https?:\/\//.test(entry.url) && textBytes(entry.url) <= MAX_URL,
    `菜单“${name}”的网址应以 http 开头，不超过 ${MAX_URL} 字节`,
  )
  return { type: 'view', name, url: entry.url }
}

function checkName(name: string, maxBytes: number): void {
  refuseUnless(
    name !== '' && textBytes(name) <= maxBytes,
    `菜单名“${name}”应为 1 至 ${maxBytes} 字节（一个汉字 3 字节）`,
  )
}

function readButton(part: PlatformAnswer): MenuButton[] {
  const entries = partsOf(part, 'sub_button')
  if (entries.length > 0) return [{ name: textOf(part, 'name'), entries: entries.flatMap(readEntry) }]
  return readEntry(part)
}

function readEntry(part: PlatformAnswer): MenuEntry[] {
  const name = textOf(part, 'name')
  if (textOf(part, 'type') === 'click') return [{ name, command: textOf(part, 'key') }]
  return textOf(part, 'type') === 'view' ? [{ name, url: textOf(part, 'url') }] : []
}
