import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { integer, record, text } from './fields.ts'
import { stateOf, takeDaily } from './official-state.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const TEMPORARY_SECONDS = 2_592_000
const DEFAULT_SECONDS = 60
const MOST_LASTING = 100_000

/** QR codes with a scene. @see developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode */
function createCode(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  takeDaily(call, 'qrcode/create', 100_000)
  const { sceneCodes } = stateOf(subject)
  const action = text(body, 'action_name', { code: 40053 })
  if (!/^QR_(LIMIT_)?(STR_)?SCENE$/.test(action)) refuse(40053, 'invalid action info')
  const given = record(record(body, 'action_info'), 'scene')
  const lasts = action.includes('LIMIT')
  const scene = action.includes('STR')
    ? text(given, 'scene_str', { max: 64, code: 40053 })
    : String(integer(given, 'scene_id', 1, lasts ? 100_000 : 4_294_967_295))
  const seconds = lasts ? undefined : integer(body, 'expire_seconds', 1, TEMPORARY_SECONDS, DEFAULT_SECONDS)
  const before = [...sceneCodes.values()].filter(code => code.expiresAt === undefined)
  if (lasts && before.length >= MOST_LASTING) refuse(45029, 'qrcode count out of limit')
  const code = {
    scene,
    ticket: `gQ${core.ids.letters(90)}==`,
    url: `http://weixin.qq.com/q/${core.ids.letters(22)}`,
    ...(seconds === undefined ? {} : { expiresAt: core.clock.now().getTime() + seconds * 1000 }),
  }
  sceneCodes.set(code.ticket, code)
  return {
    ticket: code.ticket,
    ...(seconds === undefined ? {} : { expire_seconds: seconds }),
    url: code.url,
  }
}

export const officialCodes: ApiTable<OfficialAccount> = { '/cgi-bin/qrcode/create': post(createCode) }
