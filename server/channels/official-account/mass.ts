import { ChannelError } from '../errors.ts'
import type { PlatformAnswer } from '../http.ts'
import { characters, optionalTextOf, refuseUnless, requiredTextOf, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { MassAudience, MassContent, MassMessages, MassState } from './ports.ts'

/** API群发保护: an administrator has so long to confirm. */
const CONFIRM_MS = 30 * 60_000
const MAX_CLIENT_ID_CHARACTERS = 64
const MIN_LISTED = 2
const MAX_LISTED = 10_000
const KNOWN_CLIENT_ID = 45065

const states: Record<string, MassState> = {
  SEND_SUCCESS: 'sent',
  SEND_FAIL: 'failed',
  DELETE: 'deleted',
}

/** 群发. @see https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendall.html */
export function createMass(client: OfficialAccountClient): MassMessages {
  async function submit(audience: MassAudience, body: Record<string, unknown>): Promise<PlatformAnswer> {
    const isList = audience.to === 'list'
    return client.call({
      path: isList ? '/cgi-bin/message/mass/send' : '/cgi-bin/message/mass/sendall',
      body,
      // the same clientmsgid again sends nothing again
      isSafe: true,
    })
  }

  return {
    async sendMass(audience, content, clientMessageId) {
      client.require(audience.to === 'list' ? 'massToList' : 'mass')
      refuseUnless(
        clientMessageId !== '' && characters(clientMessageId) <= MAX_CLIENT_ID_CHARACTERS,
        `clientmsgid 应为 1 至 ${MAX_CLIENT_ID_CHARACTERS} 个字符`,
      )
      const confirmBefore = new Date(client.services.now().getTime() + CONFIRM_MS)
      const body = { ...recipientsOf(audience), ...contentOf(content), clientmsgid: clientMessageId }
      try {
        const answer = await submit(audience, body)
        return {
          messageId: requiredTextOf(answer, 'msg_id'),
          dataId: optionalTextOf(answer, 'msg_data_id'),
          isRepeat: false,
          confirmBefore,
        }
      } catch (error) {
        if (error instanceof ChannelError && error.platformCode === KNOWN_CLIENT_ID)
          return { messageId: null, dataId: null, isRepeat: true, confirmBefore }
        throw error
      }
    },

    async previewMass(address, content) {
      client.require('mass')
      const answer = await client.call({
        path: '/cgi-bin/message/mass/preview',
        body: { touser: address, ...previewOf(content) },
      })
      return { platformId: textOf(answer, 'msg_id') }
    },

    async readMass({ messageId, confirmBefore }) {
      client.require('mass')
      const answer = await client.call({
        path: '/cgi-bin/message/mass/get',
        body: { msg_id: messageId },
        isSafe: true,
      })
      const status = textOf(answer, 'msg_status')
      if (status === 'SENDING')
        return client.services.now() < confirmBefore ? 'sending_or_awaiting_confirmation' : 'sending'
      return states[status] ?? 'unknown'
    },

    async deleteMass(messageId) {
      client.require('mass')
      refuseUnless(Number.isSafeInteger(Number(messageId)), `没有群发消息 ${messageId}`)
      await client.call({
        path: '/cgi-bin/message/mass/delete',
        body: { msg_id: Number(messageId), article_idx: 0 },
        isSafe: true,
      })
    },
  }
}

function recipientsOf(audience: MassAudience): Record<string, unknown> {
  switch (audience.to) {
    case 'all':
      return { filter: { is_to_all: true } }
    case 'tag':
      return { filter: { is_to_all: false, tag_id: audience.tagId } }
    case 'list': {
      const { addresses } = audience
      refuseUnless(
        addresses.length >= MIN_LISTED && addresses.length <= MAX_LISTED,
        `按名单群发应有 ${MIN_LISTED} 至 ${MAX_LISTED} 人`,
      )
      return { touser: addresses }
    }
  }
}

function contentOf(content: MassContent): Record<string, unknown> {
  switch (content.kind) {
    case 'text':
      refuseUnless(content.text !== '', '群发消息没有内容')
      return { msgtype: 'text', text: { content: content.text } }
    case 'article':
      // an article that the platform takes for somebody else's still goes out, marked as a reprint
      return { msgtype: 'mpnews', mpnews: { media_id: content.mediaId }, send_ignore_reprint: 1 }
    case 'images':
      refuseUnless(content.mediaIds.length > 0, '群发消息没有图片')
      return { msgtype: 'image', images: { media_ids: content.mediaIds } }
    case 'voice':
      return { msgtype: 'voice', voice: { media_id: content.mediaId } }
  }
}

/** A preview shows one picture, under the name that single messages use. */
function previewOf(content: MassContent): Record<string, unknown> {
  if (content.kind !== 'images') return contentOf(content)
  refuseUnless(content.mediaIds.length > 0, '群发消息没有图片')
  return { msgtype: 'image', image: { media_id: content.mediaIds[0] } }
}
