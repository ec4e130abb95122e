import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import type { GroupWelcome } from '../corp.ts'
import { deliver } from '../delivery.ts'
import { byteLength } from '../text.ts'
import { ATTACHMENT_TYPES, readAttachment, readBubbles } from './bubbles.ts'
import { type Body, integer, record, text } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'
import { checkAgent } from './wecom-messages.ts'

/** Within 20 seconds, once, and the first app wins. @see developer.work.weixin.qq.com/document/path/92137 */
function welcome({ core, subject, body }: ApiCall<WecomApp>) {
  const code = core.world.welcomeCodes.get(text(body, 'welcome_code'))
  if (!code) refuse(41050, 'invalid or expired welcome_code')
  const contents = readBubbles(core, subject, body)
  if (core.limits.has('welcomeDeadline') && core.clock.now().getTime() > code.expiresAt)
    refuse(41050, 'welcome_code expired')
  if (code.usedBy === subject.agentId) refuse(41051, 'welcome message was sent already')
  if (code.usedBy !== undefined) refuse(41096, 'another app sent a welcome message')
  code.usedBy = subject.agentId
  for (const content of contents) deliver(core, core.world.person(code.personId), 'wecom', content, 'welcome')
  return {}
}

const MOST_TEMPLATES = 100
const TEMPLATE_BYTES = 3000

/** Text, and at most one other thing. @see developer.work.weixin.qq.com/document/path/92366 */
function readTemplate({ core, subject, body }: ApiCall<WecomApp>): Body {
  const content = text(record(body, 'text'), 'content')
  if (core.limits.has('contentSize') && byteLength(content) > TEMPLATE_BYTES)
    refuse(45002, 'content size out of limit')
  const types = ATTACHMENT_TYPES.filter(type => body[type] !== undefined)
  if (types.length > 1) refuse(40058, 'invalid parameter: more than one attachment')
  for (const type of types) readAttachment(core, subject, type, record(body, type))
  return Object.fromEntries(['text', ...types].map(name => [name, body[name]]))
}

function addTemplate(call: ApiCall<WecomApp>) {
  const { core, subject, body } = call
  if (body.agentid !== undefined) checkAgent(call)
  const template = readTemplate(call)
  const isTold = integer(body, 'notify', 0, 1, 1) === 1
  const { groupWelcomes } = core.world.corp
  if (groupWelcomes.size >= MOST_TEMPLATES) refuse(45009, 'too many group welcome templates')
  const id = `msg${core.ids.letters(32)}`
  groupWelcomes.set(id, { id, agentId: subject.agentId, body: template })
  core.log.add('group_welcome', { id, isTold })
  return { template_id: id }
}

function templateOf({ core, subject, body }: ApiCall<WecomApp>): GroupWelcome {
  const template = core.world.corp.groupWelcomes.get(text(body, 'template_id'))
  if (!template || template.agentId !== subject.agentId) refuse(40058, 'invalid parameter: template_id')
  return template
}

function editTemplate(call: ApiCall<WecomApp>) {
  const template = templateOf(call)
  template.body = readTemplate(call)
  return {}
}

function deleteTemplate(call: ApiCall<WecomApp>) {
  call.core.world.corp.groupWelcomes.delete(templateOf(call).id)
  return {}
}

const TEMPLATE = '/cgi-bin/externalcontact/group_welcome_template'

export const wecomWelcomes: ApiTable<WecomApp> = {
  '/cgi-bin/externalcontact/send_welcome_msg': post(welcome),
  [`${TEMPLATE}/add`]: post(addTemplate),
  [`${TEMPLATE}/edit`]: post(editTemplate),
  [`${TEMPLATE}/get`]: post(call => ({ ...templateOf(call).body })),
  [`${TEMPLATE}/del`]: post(deleteTemplate),
}
