import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import { mainApp, unixSeconds } from '../core.ts'
import { type MediaType, readUpload } from '../media.ts'
import { type ApiCall, type ApiTable, get, type OpenCall, post } from './platform.ts'

const MEDIA_TYPES: MediaType[] = ['image', 'voice', 'video', 'file']

/** @see developer.work.weixin.qq.com/document/path/91039 */
function getToken({ core, query }: OpenCall) {
  const { corpid, corpsecret } = query
  if (!corpid) refuse(41002, 'corpid missing')
  if (!corpsecret) refuse(41004, 'corpsecret missing')
  const ofCorp = core.apps.filter(app => app.corpId === corpid)
  if (ofCorp.length === 0) refuse(40013, 'invalid corpid')
  const app = ofCorp.find(candidate => candidate.secret === corpsecret)
  if (!app) refuse(40001, 'invalid credential')
  return { ...core.tokens.wecom(app) }
}

/** @see developer.work.weixin.qq.com/document/path/90196 ; contact details stay hidden from apps made after 2022-06-20 */
function getUser({ core, query }: ApiCall<WecomApp>) {
  if (!query.userid) refuse(40058, 'invalid parameter: userid missing')
  const person = core.world.byUserId(query.userid)
  if (!person) refuse(60111, 'userid not found')
  return {
    userid: person.wecomUserId,
    name: person.name,
    department: [1],
    main_department: 1,
    order: [0],
    is_leader_in_dept: [0],
    position: person.note ?? '',
    status: 1,
    enable: 1,
    isleader: 0,
    extattr: { attrs: [] },
    telephone: '',
    alias: '',
    hide_mobile: 0,
  }
}

/** @see developer.work.weixin.qq.com/document/path/90253 */
function upload({ core, subject, query, raw, contentType }: ApiCall<WecomApp>) {
  const { type, fileName, bytes } = readUpload(query.type ?? '', MEDIA_TYPES, contentType, raw)
  const media = core.media.put({ type, fileName, bytes, owner: subject.corpId })
  return { type, media_id: media.id, created_at: String(unixSeconds(media.createdAt)) }
}

function setMenu({ core, subject, body }: ApiCall<WecomApp>) {
  const buttons = body.button
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > 3)
    refuse(40016, 'invalid button size')
  subject.menu = body
  core.log.add('menu', { which: 'wecom', main: subject === mainApp(core) })
  return {}
}

export const wecomBase: ApiTable<WecomApp> = {
  '/cgi-bin/gettoken': { method: 'GET', open: true, counted: false, runOpen: getToken },
  '/cgi-bin/getcallbackip': get(() => ({ ip_list: ['127.0.0.1'] })),
  '/cgi-bin/get_api_domain_ip': get(() => ({ ip_list: ['127.0.0.1'] })),
  '/cgi-bin/user/get': get(getUser),
  '/cgi-bin/media/upload': { method: 'POST', upload: true, run: upload },
  '/cgi-bin/menu/create': post(setMenu),
}
