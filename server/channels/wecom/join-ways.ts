import { count, record, text, texts, type WecomCall } from './call.ts'
import { checkCount, checkMostCharacters } from './checks.ts'

/** A way into customer groups (加入群聊方式): a code that lets people into the first group of its list with room. */
export interface JoinWay {
  /** Groups that the code leads to, five at most. */
  chatIds: string[]
  /** Comes back with every member who came this way; at most 30 characters. */
  state: string
  /** `code` is a QR code, `plugin` a button of a mini-program. Default `code`. */
  scene?: 'code' | 'plugin'
  /** At most 30 characters, seen by staff only. */
  remark?: string
  /** Makes another group when all are full, named `name` and a running number from `number`. Default: no. */
  nextRoom?: { name: string; number: number } | null
}

export interface KnownJoinWay extends Required<JoinWay> {
  configId: string
  qrCode: string
}

/** Only ways made by this app are known to it. The corp has 500,000, together with contact ways. */
export interface JoinWays {
  add(way: JoinWay): Promise<{ configId: string; qrCode: string }>
  read(configId: string): Promise<KnownJoinWay>
  /** Overwrites everything: what is left out goes back to its default. */
  update(configId: string, way: JoinWay): Promise<void>
  remove(configId: string): Promise<void>
}

const BASE = '/cgi-bin/externalcontact/groupchat'

/** @see https://developer.work.weixin.qq.com/document/path/92229 */
export function createJoinWays(call: WecomCall): JoinWays {
  async function read(configId: string): Promise<KnownJoinWay> {
    const answer = await call({ path: `${BASE}/get_join_way`, body: { config_id: configId }, isSafe: true })
    const way = record(answer.join_way)
    return {
      configId: text(way.config_id) || configId,
      qrCode: text(way.qr_code),
      chatIds: texts(way.chat_id_list),
      state: text(way.state),
      scene: count(way.scene) === 1 ? 'plugin' : 'code',
      remark: text(way.remark),
      nextRoom:
        count(way.auto_create_room) === 1
          ? { name: text(way.room_base_name), number: count(way.room_base_id) }
          : null,
    }
  }
  return {
    async add(way) {
      const made = await call({ path: `${BASE}/add_join_way`, body: wayBody(way) })
      const configId = text(made.config_id)
      // the older form answers with the id only
      return { configId, qrCode: text(made.qr_code) || (await read(configId)).qrCode }
    },
    read,
    async update(configId, way) {
      const body = { config_id: configId, ...wayBody(way) }
      await call({ path: `${BASE}/update_join_way`, body, isSafe: true })
    },
    async remove(configId) {
      await call({ path: `${BASE}/del_join_way`, body: { config_id: configId }, isSafe: true })
    },
  }
}

function wayBody({ chatIds, state, scene, remark, nextRoom }: JoinWay) {
  checkCount('群', chatIds, 1, 5)
  checkMostCharacters('state', state, 30)
  checkMostCharacters('备注', remark ?? '', 30)
  checkMostCharacters('群名', nextRoom?.name ?? '', 40)
  return {
    scene: scene === 'plugin' ? 1 : 2,
    remark: remark ?? '',
    auto_create_room: nextRoom ? 1 : 0,
    ...(nextRoom ? { room_base_name: nextRoom.name, room_base_id: nextRoom.number } : {}),
    chat_id_list: chatIds,
    state,
  }
}
