import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { type MediaType, readUpload } from '../media.ts'
import { stateOf, takeDaily } from './official-state.ts'
import { AnsweredFile, type ApiCall, type ApiTable, get } from './platform.ts'

type Call = ApiCall<OfficialAccount>

const MEDIA_TYPES: MediaType[] = ['image', 'voice', 'video', 'thumb']
const CONTENT_TYPES: Partial<Record<MediaType, string>> = {
  image: 'image/png',
  thumb: 'image/png',
  voice: 'audio/amr',
}

/** For three days. @see developers.weixin.qq.com/doc/service/api/material/temporary/api_uploadtempmedia */
function uploadTemporary(call: Call) {
  const { core, subject, query, raw, contentType } = call
  takeDaily(call, 'media/upload', 5000)
  const { type, fileName, bytes } = readUpload(query.type ?? '', MEDIA_TYPES, contentType, raw)
  const media = core.media.put({ type, fileName, bytes, owner: subject.appId })
  const name = type === 'thumb' ? 'thumb_media_id' : 'media_id'
  return { type, [name]: media.id, created_at: unixSeconds(media.createdAt) }
}

/** Films are answered with an address, all else with the file. @see developers.weixin.qq.com/doc/service/api/material/temporary/api_getmedia */
function download(call: Call) {
  const { core, subject, query } = call
  takeDaily(call, 'media/get', 10_000)
  const media = core.media.get(query.media_id ?? '')
  if (!media || media.owner !== subject.appId) refuse(40007, 'invalid media_id')
  if (media.type === 'video') return { video_url: `${core.url}/media/${media.id}` }
  core.media.take(media.id, media.type, subject.appId)
  return new AnsweredFile(
    media.fileName,
    CONTENT_TYPES[media.type] ?? 'application/octet-stream',
    media.bytes,
  )
}

/** Pictures alone. @see developers.weixin.qq.com/doc/service/api/material/permanent/api_addmaterial */
function uploadLasting(call: Call) {
  const { core, subject, query, raw, contentType } = call
  takeDaily(call, 'material/add_material', 1000)
  const { fileName, bytes } = readUpload(query.type ?? '', ['image'], contentType, raw)
  const media = core.media.put({ type: 'image', fileName, bytes, owner: subject.appId })
  const url = `http://mmbiz.qpic.cn/mmbiz_png/${media.id}/0?wx_fmt=png`
  stateOf(subject).lastingMedia.set(media.id, { url })
  return { media_id: media.id, url }
}

export const officialMedia: ApiTable<OfficialAccount> = {
  '/cgi-bin/media/upload': { method: 'POST', upload: true, run: uploadTemporary },
  '/cgi-bin/media/get': get(download),
  '/cgi-bin/material/add_material': { method: 'POST', upload: true, run: uploadLasting },
}
