import type { DownloadedFile } from '../http.ts'
import { text, type WecomCall, type WecomFetch } from './call.ts'
import { refuse } from './checks.ts'

export type MediaKind = 'image' | 'voice' | 'video' | 'file'

/** Temporary media (临时素材): they live three days and serve every app of the corp. */
export interface MediaFiles {
  /** @throws ChannelError `rejected` for a size or form that the platform would not take, before anything is sent */
  upload(kind: MediaKind, fileName: string, bytes: Uint8Array): Promise<string>
  /** A picture under an address that lasts. At most 3000 a month and 1000 a day. */
  uploadPicture(fileName: string, bytes: Uint8Array): Promise<string>
  /** @throws ChannelError `rejected` when it is larger than `maxBytes`, or gone (40007) */
  fetch(mediaId: string, maxBytes: number): Promise<DownloadedFile>
}

const MEGABYTE = 1024 * 1024
/** @see https://developer.work.weixin.qq.com/document/path/90253 */
const MAX_MEGABYTES: Record<MediaKind, number> = { image: 10, voice: 2, video: 10, file: 20 }
const MAX_PICTURE_MEGABYTES = 2
const MIN_BYTES = 6
const FORMS: Partial<Record<MediaKind, { name: string; magic: [offset: number, hex: string][] }>> = {
  image: {
    name: 'JPG 或 PNG',
    magic: [
      [0, 'ffd8ff'],
      [0, '89504e47'],
    ],
  },
  voice: { name: 'AMR', magic: [[0, '2321414d52']] },
  video: { name: 'MP4', magic: [[4, '66747970']] },
}

export function createMedia(call: WecomCall, fetchFile: WecomFetch): MediaFiles {
  return {
    async upload(kind, fileName, bytes) {
      checkMedia(kind, bytes)
      const answer = await call({
        path: '/cgi-bin/media/upload',
        query: { type: kind },
        file: { field: 'media', fileName, bytes },
        isSafe: true,
      })
      return text(answer.media_id)
    },
    /** @see https://developer.work.weixin.qq.com/document/path/90256 */
    async uploadPicture(fileName, bytes) {
      checkMedia('image', bytes, MAX_PICTURE_MEGABYTES)
      const answer = await call({
        path: '/cgi-bin/media/uploadimg',
        file: { field: 'media', fileName, bytes },
      })
      return text(answer.url)
    },
    /** @see https://developer.work.weixin.qq.com/document/path/90254 */
    fetch: (mediaId, maxBytes) =>
      fetchFile({ path: '/cgi-bin/media/get', query: { media_id: mediaId } }, maxBytes),
  }
}

/** @throws ChannelError `rejected` for a size or form that the platform does not take */
export function checkMedia(kind: MediaKind, bytes: Uint8Array, megabytes = MAX_MEGABYTES[kind]): void {
  if (bytes.length < MIN_BYTES) refuse('文件太小，至少 6 字节')
  if (bytes.length > megabytes * MEGABYTE) refuse(`文件太大，最大 ${megabytes} MB`)
  const form = FORMS[kind]
  if (!form) return
  const head = Buffer.from(bytes.subarray(0, 16))
  const fits = form.magic.some(
    ([offset, hex]) => head.toString('hex', offset, offset + hex.length / 2) === hex,
  )
  if (!fits) refuse(`文件不是 ${form.name}`)
}
