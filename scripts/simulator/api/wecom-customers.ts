import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { deliver } from '../delivery.ts'
import { text } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'
import { readBubbles } from './wecom-mass.ts'

/** @see developer.work.weixin.qq.com/document/path/92114 */
function read({ core, query }: ApiCall<WecomApp>) {
  const id = query.external_userid
  const person = id ? core.world.byExternalUserId(id) : undefined
  if (!id || !person) refuse(40096, 'invalid external userid')
  const relations = core.world.relations.get(id) ?? []
  if (relations.length === 0) refuse(84061, 'not external contact')
  return {
    external_contact: {
      external_userid: id,
      name: person.name,
      avatar: '',
      type: 1,
      gender: 0,
      ...(person.unionId === undefined ? {} : { unionid: person.unionId }),
    },
    follow_user: relations.map(relation => ({
      userid: relation.userId,
      remark: person.name,
      description: '',
      createtime: unixSeconds(relation.createdAt),
      tags: [],
      remark_mobiles: [],
      oper_userid: relation.userId,
      add_way: relation.addWay,
      ...(relation.state === undefined ? {} : { state: relation.state }),
    })),
  }
}

/** Within 20 seconds and once. @see developer.work.weixin.qq.com/document/path/92137 */
function welcome({ core, subject, body }: ApiCall<WecomApp>) {
  const code = core.world.welcomeCodes.get(text(body, 'welcome_code'))
  if (!code) refuse(41050, 'invalid or expired welcome_code')
  const contents = readBubbles(core, subject, body)
  if (core.limits.has('welcomeDeadline') && core.clock.now().getTime() > code.expiresAt)
    refuse(41050, 'welcome_code expired')
  if (code.used) refuse(41051, 'welcome message was sent already')
  code.used = true
  for (const content of contents) deliver(core, core.world.person(code.personId), 'wecom', content, 'welcome')
  return {}
}

export const wecomCustomers: ApiTable<WecomApp> = {
  '/cgi-bin/externalcontact/get': get(read),
  '/cgi-bin/externalcontact/send_welcome_msg': post(welcome),
}
