import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { HOUR } from '../limits.ts'
import { isMember } from '../visible.ts'
import { text } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

const TICKET_LIFE = 1800_000
/** @see developer.work.weixin.qq.com/document/path/90312 */
const CORP_TICKETS_PER_HOUR = 400
const APP_TICKETS_PER_HOUR = 100
const PAGE_TICKET_SECONDS = 7200

/** A code is good once, for five minutes, and for the app that asked. @see developer.work.weixin.qq.com/document/path/91023 */
function identify({ core, subject, query }: ApiCall<WecomApp>) {
  const { corp } = core.world
  const code = query.code ? corp.loginCodes.get(query.code) : undefined
  const now = core.clock.now().getTime()
  if (!code || code.used || code.expiresAt <= now || code.agentId !== subject.agentId)
    refuse(40029, 'invalid code')
  code.used = true
  const person = core.world.person(code.personId)
  if (isMember(core, subject, person)) {
    if (!code.withDetails) return { userid: person.wecomUserId }
    const ticket = core.ids.letters(64)
    corp.privateTickets.set(ticket, { personId: person.id, expiresAt: now + TICKET_LIFE })
    return { userid: person.wecomUserId, user_ticket: ticket }
  }
  const isCustomer = (core.world.relations.get(person.externalUserId ?? '')?.length ?? 0) > 0
  return {
    openid: person.openId ?? `o${person.id}`,
    ...(isCustomer ? { external_userid: person.externalUserId } : {}),
  }
}

/** @see developer.work.weixin.qq.com/document/path/95833 */
function readPrivate({ core, body }: ApiCall<WecomApp>) {
  const ticket = core.world.corp.privateTickets.get(text(body, 'user_ticket'))
  if (!ticket || ticket.expiresAt <= core.clock.now().getTime()) refuse(40058, 'invalid user_ticket')
  const person = core.world.person(ticket.personId)
  return {
    userid: person.wecomUserId,
    gender: '0',
    avatar: '',
    qr_code: '',
    mobile: person.mobile ?? '',
    email: person.email ?? '',
    biz_mail: '',
    address: '',
  }
}

/** The same ticket until it ends. */
function pageTicket(core: Core, key: string, perHour: number) {
  if (core.limits.has('ticketFrequency') && !core.limits.take(`ticket|${key}`, perHour, HOUR))
    refuse(45009, 'api freq out of limit')
  const { pageTickets } = core.world.corp
  const now = core.clock.now().getTime()
  let known = pageTickets.get(key)
  if (!known || known.expiresAt <= now) {
    known = { ticket: core.ids.letters(86), expiresAt: now + PAGE_TICKET_SECONDS * 1000 }
    pageTickets.set(key, known)
  }
  return { ticket: known.ticket, expires_in: Math.ceil((known.expiresAt - now) / 1000) }
}

export const wecomLogin: ApiTable<WecomApp> = {
  '/cgi-bin/auth/getuserinfo': get(identify),
  '/cgi-bin/auth/getuserdetail': post(readPrivate),
  '/cgi-bin/get_jsapi_ticket': get(({ core, subject }) =>
    pageTicket(core, subject.corpId, CORP_TICKETS_PER_HOUR),
  ),
  '/cgi-bin/ticket/get': get(({ core, subject, query }) => {
    if (query.type !== 'agent_config') refuse(40058, 'invalid parameter: type')
    return pageTicket(core, `${subject.corpId}|${subject.agentId}`, APP_TICKETS_PER_HOUR)
  }),
}
