import type { Channel } from '../channel.ts'
import { textBytes } from '../text.ts'
import { characters, refuseUnless } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import { menuItemId } from './menu-items.ts'
import type { ServiceMessage, ServiceMessages } from './ports.ts'

/** UTF-8 bytes; the platform refuses more with 45002. */
const MAX_TEXT_BYTES = 2048
/** @see https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage.html */
const MAX_TITLE_CHARACTERS = 64
const MAX_DESCRIPTION_BYTES = 512

/** 客服消息. @see https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage.html */
export function createCustomerService(
  client: OfficialAccountClient,
): ServiceMessages & Pick<Channel, 'sendText'> {
  async function sendServiceMessage(address: string, message: ServiceMessage) {
    client.require('customerService')
    await client.call({
      path: '/cgi-bin/message/custom/send',
      body: { touser: address, ...contentOf(message) },
    })
    return { platformId: '' }
  }
  return {
    sendServiceMessage,
    sendText: (address, text) => sendServiceMessage(address, { kind: 'text', text }),
  }
}

function contentOf(message: ServiceMessage): Record<string, unknown> {
  switch (message.kind) {
    case 'text':
      refuseUnless(message.text !== '', '消息没有内容')
      refuseUnless(textBytes(message.text) <= MAX_TEXT_BYTES, `消息超过 ${MAX_TEXT_BYTES} 字节，要先分段`)
      return { msgtype: 'text', text: { content: message.text } }
    case 'image':
    case 'voice':
      return { msgtype: message.kind, [message.kind]: { media_id: message.mediaId } }
    case 'video':
      return {
        msgtype: 'video',
        video: { media_id: message.mediaId, title: message.title, description: message.description },
      }
    case 'news':
      refuseUnless(message.title !== '', '图文消息没有标题')
      refuseUnless(
        characters(message.title) <= MAX_TITLE_CHARACTERS,
        `图文消息的标题超过 ${MAX_TITLE_CHARACTERS} 字`,
      )
      refuseUnless(
        textBytes(message.description) <= MAX_DESCRIPTION_BYTES,
        `图文消息的描述超过 ${MAX_DESCRIPTION_BYTES} 字节`,
      )
      return {
        msgtype: 'news',
        news: {
          articles: [
            {
              title: message.title,
              description: message.description,
              url: message.url,
              ...(message.pictureUrl ? { picurl: message.pictureUrl } : {}),
            },
          ],
        },
      }
    case 'menu':
      refuseUnless(message.items.length > 0, '菜单消息没有选项')
      return {
        msgtype: 'msgmenu',
        msgmenu: {
          head_content: message.head,
          list: message.items.map(item => ({ id: menuItemId(item.command), content: item.text })),
          tail_content: message.tail,
        },
      }
  }
}
