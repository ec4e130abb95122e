import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { MINUTE } from '../limits.ts'
import { type MediaType, readUpload } from '../media.ts'
import { flag, integer, isRecord, record, text } from './fields.ts'
import { type ApiCall, type ApiTable, get, type OpenCall, post } from './platform.ts'

const MEDIA_TYPES: MediaType[] = ['image', 'voice', 'video', 'thumb']
/** @see developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken */
const STABLE_PER_MINUTE = 10_000
const STABLE_PER_DAY = 500_000
const CLASSIC_PER_DAY = 2000

function accountOf({ core }: OpenCall, appId: unknown, secret: unknown): OfficialAccount {
  if (!appId) refuse(41002, 'appid missing')
  if (!secret) refuse(41004, 'appsecret missing')
  const account = core.accounts.find(candidate => candidate.appId === appId)
  if (!account) refuse(40013, 'invalid appid')
  if (account.secret !== secret) refuse(40125, 'invalid appsecret')
  return account
}

/** The daily quotas of an Official Account; 45009 beyond. */
export function takeDaily({ core, subject }: ApiCall<OfficialAccount>, name: string, limit: number): void {
  if (!core.limits.has('officialQuota')) return
  if (!core.limits.takeToday(`oa|${subject.appId}|${name}`, limit))
    refuse(45009, 'reach max api daily quota limit')
}

function stableToken(call: OpenCall) {
  const { core, body } = call
  if (body.grant_type !== 'client_credential') refuse(40002, 'invalid grant_type')
  const account = accountOf(call, body.appid, body.secret)
  const key = `stable|${account.appId}`
  if (core.limits.has('officialQuota')) {
    if (!core.limits.take(`${key}|m`, STABLE_PER_MINUTE, MINUTE))
      refuse(45011, 'api minute-quota reach limit')
    if (!core.limits.takeToday(`${key}|d`, STABLE_PER_DAY)) refuse(45009, 'reach max api daily quota limit')
  }
  return { ...core.tokens.stable(account, flag(body, 'force_refresh', false)) }
}

function classicToken(call: OpenCall) {
  const { core, query } = call
  if (query.grant_type !== 'client_credential') refuse(40002, 'invalid grant_type')
  const account = accountOf(call, query.appid, query.secret)
  const free = core.limits.takeToday(`classic|${account.appId}`, CLASSIC_PER_DAY)
  if (core.limits.has('officialQuota') && !free) refuse(45009, 'reach max api daily quota limit')
  return { ...core.tokens.classic(account) }
}

/** A person who does not follow is known by openid only. @see developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo */
function userInfo(call: ApiCall<OfficialAccount>) {
  const { core, query } = call
  takeDaily(call, 'user/info', 5_000_000)
  const person = query.openid ? core.world.byOpenId(query.openid) : undefined
  if (!person) refuse(40003, 'invalid openid')
  if (!person.follows) return { subscribe: 0, openid: person.openId }
  return {
    subscribe: 1,
    openid: person.openId,
    nickname: '',
    sex: 0,
    language: 'zh_CN',
    city: '',
    province: '',
    country: '',
    headimgurl: '',
    subscribe_time: unixSeconds(person.followedAt ?? core.clock.now()),
    ...(person.unionId === undefined ? {} : { unionid: person.unionId }),
    remark: '',
    groupid: 0,
    tagid_list: [],
    subscribe_scene: person.followScene === undefined ? 'ADD_SCENE_SEARCH' : 'ADD_SCENE_QR_CODE',
    qr_scene: /^\d+$/.test(person.followScene ?? '') ? Number(person.followScene) : 0,
    qr_scene_str: /^\d+$/.test(person.followScene ?? '') ? '' : (person.followScene ?? ''),
  }
}

const TEMPORARY_SECONDS = 2_592_000

/** Service accounts only. @see developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode */
function createQrCode(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  if (subject.kind !== 'service') refuse(48001, 'api unauthorized')
  takeDaily(call, 'qrcode/create', 100_000)
  const action = text(body, 'action_name', { code: 40053 })
  if (!/^QR_(LIMIT_)?(STR_)?SCENE$/.test(action)) refuse(40053, 'invalid action info')
  const scene = record(record(body, 'action_info'), 'scene')
  const permanent = action.includes('LIMIT')
  if (action.includes('STR')) text(scene, 'scene_str', { max: 64, code: 40053 })
  else integer(scene, 'scene_id', 1, permanent ? 100_000 : 4_294_967_295)
  const seconds = permanent ? undefined : integer(body, 'expire_seconds', 1, TEMPORARY_SECONDS, 60)
  const value = action.includes('STR') ? String(scene.scene_str) : String(scene.scene_id)
  const ticket = `gQ${core.ids.letters(90)}==`
  return {
    ticket,
    ...(seconds === undefined ? {} : { expire_seconds: seconds }),
    url: `${core.url}/follow/${encodeURIComponent(value)}`,
  }
}

function upload({ core, subject, query, raw, contentType }: ApiCall<OfficialAccount>) {
  const { type, fileName, bytes } = readUpload(query.type ?? '', MEDIA_TYPES, contentType, raw)
  const media = core.media.put({ type, fileName, bytes, owner: subject.appId })
  return { type, media_id: media.id, created_at: unixSeconds(media.createdAt) }
}

function setMenu(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  takeDaily(call, 'menu/create', 1000)
  const buttons = body.button
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > 3)
    refuse(40016, 'invalid button size')
  if (!buttons.every(isRecord)) refuse(40016, 'invalid button')
  subject.menu = body
  core.log.add('menu', { which: 'officialAccount' })
  return {}
}

export const officialBase: ApiTable<OfficialAccount> = {
  '/cgi-bin/stable_token': { method: 'POST', open: true, counted: false, runOpen: stableToken },
  '/cgi-bin/token': { method: 'GET', open: true, counted: false, runOpen: classicToken },
  '/cgi-bin/getcallbackip': get(() => ({ ip_list: ['127.0.0.1/32'] })),
  '/cgi-bin/user/info': get(userInfo),
  '/cgi-bin/qrcode/create': post(createQrCode),
  '/cgi-bin/media/upload': { method: 'POST', upload: true, run: upload },
  '/cgi-bin/menu/create': post(setMenu),
}
