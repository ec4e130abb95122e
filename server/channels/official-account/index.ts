import { randomInt } from 'node:crypto'
import type { OfficialAccountConfig } from '../../config.ts'
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
import type { CallbackRequest, OfficialAccountChannel } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { callPlatform, type PlatformCall } from '../http.ts'
import type { ChannelServices } from '../services.ts'
import { readToken, TokenSource } from '../token.ts'
import { officialAccountCodes } from './codes.ts'
import { readOfficialAccountUpdate } from './receive.ts'

/** UTF-8 bytes of one text message. */
const MAX_TEXT_BYTES = 2048

/** What a subscription account (订阅号) cannot do, in words for people. */
const subscriptionLacks = [
  '模板消息：超过 48 小时没有发言的群主，公众号无法主动提醒，请其每天给公众号回一个字，或改用企业微信',
  '带参数二维码：请把群号告诉申请人，由其发送“入群 群号”',
  '网页授权登录：请用机器人发出的一次性链接',
]

export function createOfficialAccountChannel(
  config: OfficialAccountConfig,
  services: ChannelServices,
): OfficialAccountChannel {
  const secrets: CallbackSecrets | null = config.aesKey
    ? { token: config.token, aesKey: config.aesKey, receiveId: config.appId }
    : null
  const http = {
    channel: 'official-account' as const,
    baseUrl: config.baseUrl,
    trace: services.trace,
    codes: officialAccountCodes,
  }
  const tokens = new TokenSource('official-account', services.tokens, services.now, async () => {
    const answer = await callPlatform(http, {
      path: '/cgi-bin/stable_token',
      body: { grant_type: 'client_credential', appid: config.appId, secret: config.secret },
      isSafe: true,
    })
    return readToken(answer)
  })
  const call = (request: PlatformCall) =>
    tokens.with(token => callPlatform(http, { ...request, query: { access_token: token, ...request.query } }))

  /** Plain mode signs the query only; secure mode signs and encrypts the body. */
  function openBody({ query, body }: CallbackRequest, timestamp: string, nonce: string): string {
    if (config.mode === 'plain') {
      checkSignature(requiredQuery(query, 'signature'), [config.token, timestamp, nonce])
      return body
    }
    if (!secrets) throw new ChannelError('signature', 'no key for secure mode')
    const encrypted = requiredField(parseXml(body), 'Encrypt')
    checkSignature(requiredQuery(query, 'msg_signature'), [config.token, timestamp, nonce, encrypted])
    return decryptCallback(secrets, encrypted)
  }

  return {
    name: 'official-account',
    maxTextBytes: MAX_TEXT_BYTES,
    lacks: config.kind === 'subscription' ? subscriptionLacks : [],

    receive(request, now) {
      const timestamp = requiredQuery(request.query, 'timestamp')
      const nonce = requiredQuery(request.query, 'nonce')
      checkFreshness(timestamp, now, services.freshnessSeconds)
      if (request.query.echostr !== undefined) {
        checkSignature(requiredQuery(request.query, 'signature'), [config.token, timestamp, nonce])
        return { kind: 'verification', answer: request.query.echostr }
      }
      const body = openBody(request, timestamp, nonce)
      return { kind: 'update', update: readOfficialAccountUpdate(parseXml(body), body), body }
    },

    acknowledge(update, reply, now) {
      if (reply === null) return { contentType: 'text/plain', body: 'success' }
      const message = textReply(update.address, update.recipient, reply, now)
      const body =
        config.mode === 'plain' || !secrets
          ? message
          : encryptReply(secrets, message, now, String(randomInt(1e9)))
      return { contentType: 'application/xml', body }
    },

    async sendText(address, content) {
      await call({
        path: '/cgi-bin/message/custom/send',
        body: { touser: address, msgtype: 'text', text: { content } },
      })
      return { platformId: '' }
    },

    async sendTemplate(address, { title, time, note }, url) {
      if (config.kind === 'subscription' || !config.noticeTemplate)
        throw new ChannelError(
          'config',
          '公众号不能发模板消息（订阅号，或未设置 OFFICIAL_ACCOUNT_NOTICE_TEMPLATE）',
        )
      const answer = await call({
        path: '/cgi-bin/message/template/send',
        body: {
          touser: address,
          template_id: config.noticeTemplate,
          ...(url ? { url } : {}),
          // keyword fields of the kind `thing` hold 20 characters
          data: {
            thing1: { value: title.slice(0, 20) },
            time2: { value: time },
            thing3: { value: note.slice(0, 20) },
          },
        },
      })
      return { platformId: String(answer.msgid ?? '') }
    },
  }
}
