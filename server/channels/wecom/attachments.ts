import { given } from './call.ts'
import { checkBytes, checkCount, refuse } from './checks.ts'

/** What goes with the text of a mass message or a welcome. */
export type Attachment =
  | { kind: 'image'; mediaId: string }
  | { kind: 'image'; pictureUrl: string }
  | { kind: 'link'; title: string; url: string; description?: string; pictureUrl?: string }
  | { kind: 'miniprogram'; title: string; pictureMediaId: string; appId: string; page: string }
  | { kind: 'video' | 'file'; mediaId: string }

export interface Bubbles {
  text?: string
  attachments?: Attachment[]
}

const MAX_TEXT_BYTES = 4000
const MAX_ATTACHMENTS = 9

/**
 * The `text` and `attachments` of a request.
 * @throws ChannelError `rejected` when there is nothing to send, or too much
 * @see https://developer.work.weixin.qq.com/document/path/92135
 */
export function bubblesBody({ text = '', attachments = [] }: Bubbles): Record<string, unknown> {
  if (text === '' && attachments.length === 0) refuse('消息是空的')
  if (text !== '') checkBytes('文本', text, MAX_TEXT_BYTES)
  checkCount('附件', attachments, 0, MAX_ATTACHMENTS)
  return {
    ...(text === '' ? {} : { text: { content: text } }),
    ...(attachments.length === 0 ? {} : { attachments: attachments.map(attachmentBody) }),
  }
}

export function attachmentBody(attachment: Attachment): Record<string, unknown> {
  const { kind } = attachment
  return { msgtype: kind, [kind]: partBody(attachment) }
}

function partBody(attachment: Attachment): Record<string, unknown> {
  switch (attachment.kind) {
    case 'image':
      return 'mediaId' in attachment ? { media_id: attachment.mediaId } : { pic_url: attachment.pictureUrl }
    case 'link': {
      const { title, url, description, pictureUrl } = attachment
      checkBytes('链接标题', title, 128)
      checkBytes('链接描述', description ?? '-', 512)
      checkBytes('链接地址', url, 2048)
      return given({ title, url, desc: description, picurl: pictureUrl })
    }
    case 'miniprogram': {
      const { title, pictureMediaId, appId, page } = attachment
      checkBytes('小程序标题', title, 64)
      return { title, pic_media_id: pictureMediaId, appid: appId, page }
    }
    default:
      return { media_id: attachment.mediaId }
  }
}
