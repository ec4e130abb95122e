import { type Body, isRecord } from './api/fields.ts'
import { stateOf } from './api/official-state.ts'
import type { Core, OfficialAccount } from './core.ts'
import { tellAccount } from './official-events.ts'
import type { Reply } from './types.ts'
import type { PersonRecord } from './world.ts'
import type { XmlFields } from './xml.ts'

/** What the person does after the tap, where the entry asks for something. */
export interface MenuDetails {
  /** What the scanned code says. */
  scanResult?: string
  pictureCount?: number
  place?: { latitude: number; longitude: number; label: string }
}

/** Taps an entry of the account's menu; entries that only open something tell the account where they lead. */
export function tapMenu(
  core: Core,
  account: OfficialAccount,
  person: PersonRecord,
  name: string,
  details: MenuDetails,
): Promise<Reply[]> {
  const button = entries(account.menu).find(entry => entry.name === name)
  if (!button) throw new Error(`the menu has no entry ${name}`)
  const type = String(button.type)
  core.log.add('menu_click', { personId: person.id, via: 'officialAccount', key: button.key ?? button.url })
  // a tap that opens a page is no reason to be written to
  if (!opensPage(type)) core.windows.open(person.openId ?? '', 'menu')
  return tellAccount(core, account, person, eventOf(type, button, stateOf(account).menuId, details))
}

const opensPage = (type: string) => type === 'view' || type === 'miniprogram'

function entries(menu: unknown): Body[] {
  const list = isRecord(menu) && Array.isArray(menu.button) ? menu.button.filter(isRecord) : []
  return list.flatMap(button =>
    Array.isArray(button.sub_button) && button.sub_button.length > 0
      ? button.sub_button.filter(isRecord)
      : [button],
  )
}

/** @see developers.weixin.qq.com/doc/service/guide/product/menu/Custom_Menu_Push_Events */
function eventOf(type: string, button: Body, menuId: number, details: MenuDetails): XmlFields {
  switch (type) {
    case 'click':
      return { Event: 'CLICK', EventKey: String(button.key) }
    case 'view':
      return { Event: 'VIEW', EventKey: String(button.url), MenuId: menuId }
    case 'miniprogram':
      return { Event: 'view_miniprogram', EventKey: String(button.pagepath), MenuId: menuId }
    case 'scancode_push':
    case 'scancode_waitmsg':
      return {
        Event: type,
        EventKey: String(button.key),
        ScanCodeInfo: { ScanType: 'qrcode', ScanResult: details.scanResult ?? '' },
      }
    case 'location_select': {
      const { latitude, longitude, label } = details.place ?? { latitude: 38, longitude: 109, label: '' }
      return {
        Event: type,
        EventKey: String(button.key),
        SendLocationInfo: {
          Location_X: String(latitude),
          Location_Y: String(longitude),
          Scale: '15',
          Label: label,
          Poiname: '',
        },
      }
    }
    default: {
      const count = details.pictureCount ?? 1
      return {
        Event: type,
        EventKey: String(button.key),
        SendPicsInfo: {
          Count: count,
          PicList: {
            item: Array.from({ length: count }, (_, index) => ({
              PicMd5Sum: String(index).padStart(32, '0'),
            })),
          },
        },
      }
    }
  }
}
