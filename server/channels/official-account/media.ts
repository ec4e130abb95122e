import { fetchPlatformFile, type UploadFile } from '../http.ts'
import { refuseUnless, requiredTextOf, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { Media, MediaFile } from './ports.ts'

const MEGABYTE = 1024 * 1024
/** Largest bytes of an upload. @see https://developers.weixin.qq.com/doc/service/api/material/temporary/api_uploadtempmedia.html */
const MAX_BYTES = { image: 10 * MEGABYTE, voice: 2 * MEGABYTE, video: 10 * MEGABYTE, thumb: 64 * 1024 }
const MAX_FETCHED_BYTES = 20 * MEGABYTE

/** 素材. */
export function createMedia(client: OfficialAccountClient): Media {
  return {
    async uploadMedia(type, file) {
      client.require('media')
      const answer = await client.call({
        path: '/cgi-bin/media/upload',
        query: { type },
        file: formFile(file, MAX_BYTES[type]),
        // one copy more, for three days
        isSafe: true,
      })
      // a thumb comes back under a name of its own
      return { mediaId: textOf(answer, 'media_id') || requiredTextOf(answer, 'thumb_media_id') }
    },

    async uploadLastingImage(file) {
      client.require('media')
      const answer = await client.call({
        path: '/cgi-bin/material/add_material',
        query: { type: 'image' },
        file: formFile(file, MAX_BYTES.image),
      })
      return { mediaId: requiredTextOf(answer, 'media_id'), url: textOf(answer, 'url') }
    },

    async fetchMedia(mediaId) {
      client.require('media')
      const { bytes, contentType } = await client.tokens.with(token =>
        fetchPlatformFile(
          client.http,
          { path: '/cgi-bin/media/get', query: { access_token: token, media_id: mediaId } },
          MAX_FETCHED_BYTES,
        ),
      )
      return { bytes, contentType }
    },
  }
}

function formFile({ name, bytes }: MediaFile, maxBytes: number): UploadFile {
  refuseUnless(bytes.length > 0, '文件是空的')
  refuseUnless(bytes.length <= maxBytes, `文件超过 ${Math.floor(maxBytes / 1024)} KB`)
  return { field: 'media', fileName: name, bytes }
}
