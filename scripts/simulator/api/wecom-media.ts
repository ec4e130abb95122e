import { refuse } from '../api-error.ts'
import type { WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { chinaMonth, DAY } from '../limits.ts'
import { type MediaType, readUpload } from '../media.ts'
import { AnsweredFile, type ApiCall, type ApiTable, get } from './platform.ts'

const MEDIA_TYPES: MediaType[] = ['image', 'voice', 'video', 'file']
const PICTURE_BYTES = 2 * 1024 * 1024
const PICTURES_PER_DAY = 1000
const PICTURES_PER_MONTH = 3000
const CONTENT_TYPES: Record<MediaType, string> = {
  image: 'image/png',
  thumb: 'image/png',
  voice: 'audio/amr',
  video: 'video/mp4',
  file: 'application/octet-stream',
}

/** @see developer.work.weixin.qq.com/document/path/90253 */
function upload({ core, subject, query, raw, contentType }: ApiCall<WecomApp>) {
  const { type, fileName, bytes } = readUpload(query.type ?? '', MEDIA_TYPES, contentType, raw)
  const media = core.media.put({ type, fileName, bytes, owner: subject.corpId })
  return { type, media_id: media.id, created_at: String(unixSeconds(media.createdAt)) }
}

/** An address that lasts. @see developer.work.weixin.qq.com/document/path/90256 */
function uploadPicture({ core, subject, raw, contentType }: ApiCall<WecomApp>) {
  const { fileName, bytes } = readUpload('image', ['image'], contentType, raw)
  if (bytes.length > PICTURE_BYTES) refuse(40006, 'invalid media size: too large')
  if (core.limits.has('pictureQuota')) {
    const key = `picture|${subject.corpId}`
    const { month } = chinaMonth(core.clock.now())
    const isFree =
      core.limits.takeToday(key, PICTURES_PER_DAY) &&
      core.limits.take(`${key}|${month}`, PICTURES_PER_MONTH, 31 * DAY)
    if (!isFree) refuse(45009, 'api freq out of limit')
  }
  const media = core.media.put({ type: 'image', fileName, bytes, owner: 'everybody' })
  return { url: `${core.url}/media/${media.id}` }
}

/** @see developer.work.weixin.qq.com/document/path/90254 */
function fetchFile({ core, subject, query }: ApiCall<WecomApp>) {
  const media = core.media.get(query.media_id ?? '')
  const isOld = media && core.clock.now().getTime() - media.createdAt.getTime() > 3 * DAY
  if (!media || isOld || media.owner !== subject.corpId) refuse(40007, 'invalid media_id')
  return new AnsweredFile(media.fileName, CONTENT_TYPES[media.type], media.bytes)
}

export const wecomMedia: ApiTable<WecomApp> = {
  '/cgi-bin/media/upload': { method: 'POST', upload: true, run: upload },
  '/cgi-bin/media/uploadimg': { method: 'POST', upload: true, run: uploadPicture },
  '/cgi-bin/media/get': get(fetchFile),
}
