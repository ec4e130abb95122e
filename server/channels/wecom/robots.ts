import { createHash } from 'node:crypto'
import type { SendResult } from '../channel.ts'
import { callPlatform, type PlatformHttp } from '../http.ts'
import { given, text } from './call.ts'
import { cardBody, type NoticeCard } from './cards.ts'
import { checkBytes, refuse } from './checks.ts'
import { checkMedia } from './media.ts'
import { type Article, newsBody } from './messages.ts'

export type RobotContent =
  | { kind: 'text'; text: string; mentionUsers?: string[]; mentionMobiles?: string[] }
  /** Colours and `<@userid>`, but no tables. */
  | { kind: 'markdown'; text: string }
  /** Tables and code, but neither colours nor mentions. */
  | { kind: 'markdown_v2'; text: string }
  | { kind: 'image'; bytes: Buffer }
  | { kind: 'news'; articles: Article[] }
  /** By a media id from `upload`; it holds for the same robot only. */
  | { kind: 'file' | 'voice'; mediaId: string }
  | { kind: 'card'; card: NoticeCard }

/** Robots of internal groups by their webhook (消息推送). The key is a secret that lets anybody post. */
export interface RobotMessages {
  /** At most 20 a minute for each robot. @throws ChannelError `recipient` when the robot is gone (93000) */
  post(key: string, content: RobotContent): Promise<SendResult>
  /** @returns a media id that lives three days */
  upload(key: string, kind: 'file' | 'voice', fileName: string, bytes: Uint8Array): Promise<string>
}

/** @see https://developer.work.weixin.qq.com/document/path/99110 */
const MAX_TEXT_BYTES = 2048
const MAX_MARKDOWN_BYTES = 4096
const MAX_PICTURE_BYTES = 2 * 1024 * 1024

export function createRobots(http: PlatformHttp): RobotMessages {
  return {
    async post(key, content) {
      await callPlatform(http, { path: '/cgi-bin/webhook/send', query: { key }, body: robotBody(content) })
      return { platformId: '' }
    },
    async upload(key, kind, fileName, bytes) {
      checkMedia(kind, bytes)
      const answer = await callPlatform(http, {
        path: '/cgi-bin/webhook/upload_media',
        query: { key, type: kind },
        file: { field: 'media', fileName, bytes },
        isSafe: true,
      })
      return text(answer.media_id)
    },
  }
}

function robotBody(content: RobotContent): Record<string, unknown> {
  switch (content.kind) {
    case 'text':
      checkBytes('文本', content.text, MAX_TEXT_BYTES)
      return {
        msgtype: 'text',
        text: given({
          content: content.text,
          mentioned_list: content.mentionUsers,
          mentioned_mobile_list: content.mentionMobiles,
        }),
      }
    case 'markdown':
    case 'markdown_v2':
      checkBytes('文本', content.text, MAX_MARKDOWN_BYTES)
      return { msgtype: content.kind, [content.kind]: { content: content.text } }
    case 'image':
      if (content.bytes.length > MAX_PICTURE_BYTES) refuse('图片最大 2 MB')
      checkMedia('image', content.bytes)
      return {
        msgtype: 'image',
        image: {
          base64: content.bytes.toString('base64'),
          md5: createHash('md5').update(content.bytes).digest('hex'),
        },
      }
    case 'news':
      return { msgtype: 'news', news: newsBody(content.articles) }
    case 'card':
      return { msgtype: 'template_card', template_card: cardBody(content.card) }
    default:
      return { msgtype: content.kind, [content.kind]: { media_id: content.mediaId } }
  }
}
