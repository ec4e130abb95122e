import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import { mainApp } from '../core.ts'
import { type ApiCall, type ApiTable, get, type OpenCall, post } from './platform.ts'

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
  '/cgi-bin/menu/create': post(setMenu),
}
