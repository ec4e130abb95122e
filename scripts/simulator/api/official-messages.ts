import { refuse } from '../api-error.ts'
import type { Core, OfficialAccount } from '../core.ts'
import { deliver } from '../delivery.ts'
import type { PersonRecord } from '../world.ts'
import { readContent } from './contents.ts'
import { type Body, isRecord, text } from './fields.ts'
import { officialMass } from './official-mass.ts'
import { officialNotices } from './official-notices.ts'
import { permitted } from './official-permissions.ts'
import { takeDaily } from './official-state.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const CUSTOM_TYPES = ['text', 'image', 'voice', 'video', 'news', 'mpnews', 'msgmenu', 'miniprogrampage']

function personOf(core: Core, body: Body): PersonRecord {
  const person = core.world.byOpenId(text(body, 'touser', { code: 40003 }))
  if (!person) refuse(40003, 'invalid openid')
  return person
}

/** 客服消息. @see developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage */
function sendCustom(call: ApiCall<OfficialAccount>) {
  const { core, subject, body } = call
  takeDaily(call, 'custom/send', 500_000)
  const person = personOf(core, body)
  if (isRecord(body.news) && Array.isArray(body.news.articles) && body.news.articles.length > 1)
    refuse(45008, 'article size out of limit')
  const content = readContent(core, body, {
    types: CUSTOM_TYPES,
    textBytes: 2048,
    overlong: 'refuse',
    markdownBytes: 0,
    cards: 'notices',
    mediaOwner: subject.appId,
    where: 'custom/send',
  })
  // who left has no window either: the platform answers the same
  if (!person.follows && core.limits.has('serviceWindow'))
    refuse(45015, 'response out of time limit or subscription is canceled')
  core.windows.use(person.openId ?? '')
  deliver(core, person, 'officialAccount', content, 'custom/send')
  return {}
}

export const officialMessages: ApiTable<OfficialAccount> = permitted({
  '/cgi-bin/message/custom/send': post(sendCustom),
  ...officialNotices,
  ...officialMass,
})
