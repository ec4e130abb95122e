import { randomInt } from 'node:crypto'
import type { WecomConfig } from '../../config.ts'
import {
  type CallbackSecrets,
  checkFreshness,
  checkSignature,
  decryptCallback,
  encryptReply,
  parseXml,
  requiredField,
  requiredQuery,
  textReply,
} from '../callback.ts'
import type { GroupReading, WecomChannel } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { callPlatform, type PlatformAnswer, type PlatformCall } from '../http.ts'
import type { ChannelServices } from '../services.ts'
import { readToken, TokenSource } from '../token.ts'
import { wecomCodes } from './codes.ts'
import { readWecomUpdate } from './receive.ts'

/** UTF-8 bytes; longer text is cut without a word. @see https://developer.work.weixin.qq.com/document/path/90236 */
const MAX_TEXT_BYTES = 2048

export function createWecomChannel(config: WecomConfig, services: ChannelServices): WecomChannel {
  const secrets: CallbackSecrets = { token: config.token, aesKey: config.aesKey, receiveId: config.corpId }
  const http = {
    channel: 'wecom' as const,
    baseUrl: config.baseUrl,
    trace: services.trace,
    codes: wecomCodes,
  }
  const tokens = new TokenSource('wecom', services.tokens, services.now, async () => {
    const answer = await callPlatform(http, {
      path: '/cgi-bin/gettoken',
      query: { corpid: config.corpId, corpsecret: config.secret },
      isSafe: true,
    })
    return readToken(answer)
  })
  const call = (request: PlatformCall) =>
    tokens.with(token => callPlatform(http, { ...request, query: { access_token: token, ...request.query } }))

  return {
    name: 'wecom',
    maxTextBytes: MAX_TEXT_BYTES,

    receive({ query, body }, now) {
      const signature = requiredQuery(query, 'msg_signature')
      const timestamp = requiredQuery(query, 'timestamp')
      const nonce = requiredQuery(query, 'nonce')
      checkFreshness(timestamp, now, services.freshnessSeconds)
      const encrypted = query.echostr ?? requiredField(parseXml(body), 'Encrypt')
      checkSignature(signature, [config.token, timestamp, nonce, encrypted])
      const plain = decryptCallback(secrets, encrypted)
      if (query.echostr !== undefined) {
        // messages are signed in the same way: without this, whoever overheard one could have it decrypted
        if (plain.includes('<')) throw new ChannelError('malformed', 'the echo is not an echo')
        return { kind: 'verification', answer: plain }
      }
      return { kind: 'update', update: readWecomUpdate(parseXml(plain), plain), body: plain }
    },

    acknowledge(update, reply, now) {
      if (reply === null) return { contentType: 'text/plain', body: '' }
      const message = textReply(update.address, update.recipient, reply, now)
      return {
        contentType: 'application/xml',
        body: encryptReply(secrets, message, now, String(randomInt(1e9))),
      }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/90236 */
    async sendText(address, content) {
      const answer = await call({
        path: '/cgi-bin/message/send',
        body: { touser: address, msgtype: 'text', agentid: config.agentId, text: { content } },
      })
      if (text(answer.invaliduser) !== '')
        throw new ChannelError('recipient', '对方不在企业微信应用的可见范围内')
      return { platformId: text(answer.msgid) }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/99110 */
    async postToRobot(key, content) {
      await callPlatform(http, {
        path: '/cgi-bin/webhook/send',
        query: { key },
        body: { msgtype: 'text', text: { content } },
      })
      return { platformId: '' }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/90245 */
    async createAppChat({ chatId, name, owner, members }) {
      const answer = await call({
        path: '/cgi-bin/appchat/create',
        body: { chatid: chatId, name, owner, userlist: members },
        isSafe: true,
      })
      return text(answer.chatid) || chatId
    },

    /** @see https://developer.work.weixin.qq.com/document/path/90248 */
    async postToAppChat(chatId, content) {
      const answer = await call({
        path: '/cgi-bin/appchat/send',
        body: { chatid: chatId, msgtype: 'text', text: { content }, safe: 0 },
      })
      return { platformId: text(answer.msgid) }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92122 */
    async readGroup(chatId) {
      const answer = await call({
        path: '/cgi-bin/externalcontact/groupchat/get',
        body: { chat_id: chatId, need_name: 1 },
        isSafe: true,
      })
      return readGroupAnswer(answer.group_chat)
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92229 */
    async createJoinWay(chatId, state) {
      const made = await call({
        path: '/cgi-bin/externalcontact/groupchat/add_join_way',
        body: { scene: 2, auto_create_room: 0, chat_id_list: [chatId], state },
      })
      const configId = text(made.config_id)
      // the older form answers with the id only
      const found =
        made.qr_code === undefined
          ? await call({
              path: '/cgi-bin/externalcontact/groupchat/get_join_way',
              body: { config_id: configId },
              isSafe: true,
            })
          : { join_way: made }
      return { configId, qrCode: text((found.join_way as PlatformAnswer | undefined)?.qr_code) }
    },

    async deleteJoinWay(configId) {
      await call({
        path: '/cgi-bin/externalcontact/groupchat/del_join_way',
        body: { config_id: configId },
        isSafe: true,
      })
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92135 */
    async createMassTask(sender, chatIds, content) {
      const answer = await call({
        path: '/cgi-bin/externalcontact/add_msg_template',
        body: { chat_type: 'group', sender, chat_id_list: chatIds, text: { content } },
      })
      return { platformId: text(answer.msgid) }
    },

    async readMassTask(taskId, sender) {
      const confirmed: { chatId: string; sentAt: Date }[] = []
      let cursor = ''
      do {
        const answer = await call({
          path: '/cgi-bin/externalcontact/get_groupmsg_send_result',
          body: { msgid: taskId, userid: sender, limit: 1000, cursor },
          isSafe: true,
        })
        for (const row of list(answer.send_list))
          if (row.status === 1)
            confirmed.push({ chatId: text(row.chat_id), sentAt: new Date(Number(row.send_time) * 1000) })
        cursor = text(answer.next_cursor)
      } while (cursor !== '')
      return confirmed
    },
  }
}

function readGroupAnswer(value: unknown): GroupReading {
  const group = (value ?? {}) as PlatformAnswer
  return {
    name: text(group.name),
    owner: text(group.owner),
    version: text(group.member_version),
    members: list(group.member_list).map(member => ({
      address: text(member.userid),
      isStaff: member.type === 1,
      unionId: text(member.unionid) || null,
      state: text(member.state) || null,
      nickname: text(member.group_nickname) || text(member.name),
      joinedAt: new Date(Number(member.join_time) * 1000),
    })),
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

function list(value: unknown): PlatformAnswer[] {
  return Array.isArray(value) ? (value as PlatformAnswer[]) : []
}
