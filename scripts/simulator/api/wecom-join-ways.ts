import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { flag, integer, optionalText, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'
import { customerGroup } from './wecom-groups.ts'

interface WayFields {
  scene: number
  remark: string
  autoCreateRoom: number
  roomBaseName: string
  roomBaseId: number
  chatIdList: string[]
  state: string
  markSource: boolean
}

function readWay({ core, subject, body }: ApiCall<WecomApp>): WayFields {
  const chatIdList = textList(body, 'chat_id_list', 5, 41091)
  if (chatIdList.length === 0) refuse(40058, 'invalid parameter: chat_id_list missing')
  for (const id of chatIdList) customerGroup(core, subject, id)
  return {
    scene: integer(body, 'scene', 1, 2),
    remark: optionalText(body, 'remark', { max: 30 }) ?? '',
    autoCreateRoom: integer(body, 'auto_create_room', 0, 1, 1),
    roomBaseName: optionalText(body, 'room_base_name', { max: 40 }) ?? '',
    roomBaseId: integer(body, 'room_base_id', 0, 2_147_483_647, 1),
    chatIdList,
    state: optionalText(body, 'state', { max: 30 }) ?? '',
    markSource: flag(body, 'mark_source', true),
  }
}

const MOST_WAYS = 500_000

/** Contact ways and join ways share one number of the corp. */
export function checkRoomForWays(core: Core): void {
  const { joinWays, corp } = core.world
  if (joinWays.size + corp.contactWays.size >= (core.options.contactWayCap ?? MOST_WAYS))
    refuse(41045, 'too many contact ways')
}

/** @see developer.work.weixin.qq.com/document/path/92229 */
function addWay(call: ApiCall<WecomApp>) {
  const { core, subject } = call
  const fields = readWay(call)
  checkRoomForWays(core)
  const configId = core.ids.letters(32).toLowerCase()
  const qrCode = `${core.url}/qr/${configId}`
  core.world.joinWays.set(configId, { configId, agentId: subject.agentId, qrCode, openedIds: [], ...fields })
  return { config_id: configId, ...(core.options.joinWayAnswersCode === false ? {} : { qr_code: qrCode }) }
}

function wayOf({ core, subject, body }: ApiCall<WecomApp>) {
  const way = core.world.joinWays.get(text(body, 'config_id'))
  // a join way of another app is as good as none
  if (!way || way.agentId !== subject.agentId) refuse(41046, 'invalid config_id')
  return way
}

function readJoinWay(call: ApiCall<WecomApp>) {
  const way = wayOf(call)
  return {
    join_way: {
      config_id: way.configId,
      scene: way.scene,
      remark: way.remark,
      auto_create_room: way.autoCreateRoom,
      room_base_name: way.roomBaseName,
      room_base_id: way.roomBaseId,
      chat_id_list: way.chatIdList,
      qr_code: way.qrCode,
      state: way.state,
      mark_source: way.markSource,
    },
  }
}

/** Overwrites every field: what is left out goes back to its default. */
function updateWay(call: ApiCall<WecomApp>) {
  Object.assign(wayOf(call), readWay(call))
  return {}
}

function deleteWay(call: ApiCall<WecomApp>) {
  call.core.world.joinWays.delete(wayOf(call).configId)
  return {}
}

const GROUP_CHAT = '/cgi-bin/externalcontact/groupchat'

export const wecomJoinWays: ApiTable<WecomApp> = {
  [`${GROUP_CHAT}/add_join_way`]: post(addWay),
  [`${GROUP_CHAT}/get_join_way`]: post(readJoinWay),
  [`${GROUP_CHAT}/update_join_way`]: post(updateWay),
  [`${GROUP_CHAT}/del_join_way`]: post(deleteWay),
}
