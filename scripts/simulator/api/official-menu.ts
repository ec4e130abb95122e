import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { byteLength } from '../text.ts'
import { type Body, isRecord } from './fields.ts'
import { stateOf, takeDaily } from './official-state.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

type Call = ApiCall<OfficialAccount>

/** Types with the field that each needs. @see developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu */
const TYPES: Record<string, 'key' | 'url' | 'pagepath' | 'media_id' | 'article_id'> = {
  click: 'key',
  view: 'url',
  scancode_push: 'key',
  scancode_waitmsg: 'key',
  pic_sysphoto: 'key',
  pic_photo_or_album: 'key',
  pic_weixin: 'key',
  location_select: 'key',
  media_id: 'media_id',
  miniprogram: 'pagepath',
  article_id: 'article_id',
}

interface Level {
  most: number
  nameBytes: number
  codes: { count: number; type: number; name: number; key: number; url: number }
}

const TOP: Level = {
  most: 3,
  nameBytes: 16,
  codes: { count: 40016, type: 40017, name: 40018, key: 40019, url: 40020 },
}
const BELOW: Level = {
  most: 5,
  nameBytes: 60,
  codes: { count: 40023, type: 40024, name: 40025, key: 40026, url: 40027 },
}

function checkButtons(buttons: unknown, level: Level): void {
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > level.most)
    refuse(level.codes.count, 'invalid button size')
  for (const button of buttons) {
    if (!isRecord(button)) refuse(level.codes.type, 'invalid button type')
    const { name } = button
    if (typeof name !== 'string' || name === '' || byteLength(name) > level.nameBytes)
      refuse(level.codes.name, 'invalid button name size')
    if (level === TOP && Array.isArray(button.sub_button) && button.sub_button.length > 0)
      checkButtons(button.sub_button, BELOW)
    else checkAction(button, level)
  }
}

function checkAction(button: Body, level: Level): void {
  const needed = typeof button.type === 'string' ? TYPES[button.type] : undefined
  if (!needed) refuse(level.codes.type, 'invalid button type')
  const value = button[needed]
  const isAddress = needed === 'url' || needed === 'pagepath'
  const code = isAddress ? level.codes.url : level.codes.key
  if (typeof value !== 'string' || value === '' || byteLength(value) > (isAddress ? 1024 : 128))
    refuse(code, `invalid button ${needed} size`)
  if (needed === 'url' && !URL.canParse(value)) refuse(40055, 'invalid button url domain')
}

function setMenu(call: Call) {
  const { core, subject, body } = call
  takeDaily(call, 'menu/create', 1000)
  checkButtons(body.button, TOP)
  subject.menu = body
  stateOf(subject).menuId += 1
  core.log.add('menu', { which: 'officialAccount' })
  return {}
}

function readMenu({ subject }: Call) {
  if (!isRecord(subject.menu)) refuse(46003, 'menu no exist')
  // each button comes back with its list, empty or not
  const buttons = (subject.menu.button as Body[]).map(button => ({ sub_button: [], ...button }))
  return { menu: { button: buttons, menuid: stateOf(subject).menuId } }
}

function deleteMenu(call: Call) {
  takeDaily(call, 'menu/delete', 1000)
  delete call.subject.menu
  return {}
}

export const officialMenu: ApiTable<OfficialAccount> = {
  '/cgi-bin/menu/create': post(setMenu),
  '/cgi-bin/menu/get': get(readMenu),
  '/cgi-bin/menu/delete': get(deleteMenu),
}
