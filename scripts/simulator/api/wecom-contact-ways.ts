import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import type { ContactWay } from '../corp.ts'
import { visibleMember } from '../visible.ts'
import { flag, integer, integerList, optionalText, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'
import { checkRoomForWays } from './wecom-join-ways.ts'

const ONE = 1
const MOST_PEOPLE = 100
const TOO_MANY_PEOPLE = 41041

/** @see developer.work.weixin.qq.com/document/path/92228 */
function add({ core, subject, body }: ApiCall<WecomApp>) {
  const type = integer(body, 'type', 1, 2)
  const scene = integer(body, 'scene', 1, 2)
  // for the medical trade only
  if (flag(body, 'is_temp', false)) refuse(40058, 'invalid parameter: is_temp')
  const userIds = textList(body, 'user', MOST_PEOPLE, TOO_MANY_PEOPLE)
  const departments = integerList(body, 'party', MOST_PEOPLE)
  if (userIds.length + departments.length === 0) refuse(40058, 'invalid parameter: user and party are empty')
  if (type === ONE && (userIds.length !== 1 || departments.length > 0))
    refuse(40058, 'invalid parameter: type 1 takes one user')
  for (const id of userIds) visibleMember(core, subject, id, 40003)
  for (const id of departments)
    if (!core.world.corp.departments.has(id)) refuse(60123, 'invalid department id')
  checkRoomForWays(core)
  const configId = core.ids.letters(32).toLowerCase()
  const way: ContactWay = {
    configId,
    agentId: subject.agentId,
    type,
    scene,
    remark: optionalText(body, 'remark', { max: 30 }) ?? '',
    skipVerify: flag(body, 'skip_verify', true),
    state: optionalText(body, 'state', { max: 30 }) ?? '',
    userIds,
    qrCode: `${core.url}/qr/${configId}`,
  }
  core.world.corp.contactWays.set(configId, way)
  return { config_id: configId, qr_code: way.qrCode }
}

function wayOf({ core, subject, body }: ApiCall<WecomApp>): ContactWay {
  const way = core.world.corp.contactWays.get(text(body, 'config_id'))
  if (!way || way.agentId !== subject.agentId) refuse(41044, 'invalid config_id')
  return way
}

function read(call: ApiCall<WecomApp>) {
  const way = wayOf(call)
  return {
    contact_way: {
      config_id: way.configId,
      type: way.type,
      scene: way.scene,
      remark: way.remark,
      skip_verify: way.skipVerify,
      state: way.state,
      qr_code: way.qrCode,
      user: way.userIds,
      party: [],
    },
  }
}

function remove(call: ApiCall<WecomApp>) {
  call.core.world.corp.contactWays.delete(wayOf(call).configId)
  return {}
}

const BASE = '/cgi-bin/externalcontact'

export const wecomContactWays: ApiTable<WecomApp> = {
  [`${BASE}/add_contact_way`]: post(add),
  [`${BASE}/get_contact_way`]: post(read),
  [`${BASE}/del_contact_way`]: post(remove),
}
