import { refuse } from './api-error.ts'
import type { Core } from './core.ts'
import { DAY } from './limits.ts'

export type MediaType = 'image' | 'voice' | 'video' | 'file' | 'thumb'

export interface Media {
  id: string
  type: MediaType
  fileName: string
  bytes: Buffer
  createdAt: Date
  /** The corp, account or webhook key that uploaded it: nobody else may use it. */
  owner: string
}

export interface MediaStore {
  put(media: Omit<Media, 'id' | 'createdAt'>): Media
  /** @throws ApiError 40007 for an id that is unknown, older than three days, of another type or another owner's. */
  take(id: unknown, type: MediaType, owner: string): Media
  get(id: string): Media | undefined
}

const MEGABYTE = 1024 * 1024
/** @see developer.work.weixin.qq.com/document/path/90253 */
const LARGEST: Record<MediaType, number> = {
  image: 10 * MEGABYTE,
  voice: 2 * MEGABYTE,
  video: 10 * MEGABYTE,
  file: 20 * MEGABYTE,
  thumb: 64 * 1024,
}

export function createMediaStore(core: Pick<Core, 'clock' | 'ids'>): MediaStore {
  const store = new Map<string, Media>()
  return {
    put(input) {
      const media = { ...input, id: core.ids.letters(44), createdAt: core.clock.now() }
      store.set(media.id, media)
      return media
    },
    take(id, type, owner) {
      const media = typeof id === 'string' ? store.get(id) : undefined
      if (!media || media.type !== type || media.owner !== owner) refuse(40007, 'invalid media_id')
      if (core.clock.now().getTime() - media.createdAt.getTime() > 3 * DAY)
        refuse(40007, 'invalid media_id: expired')
      return media
    },
    get: id => store.get(id),
  }
}

/** Picture bytes begin as a JPG or PNG does. */
export function isPicture(bytes: Buffer): boolean {
  return (
    bytes.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')) ||
    bytes.subarray(0, 4).equals(Buffer.from('89504e47', 'hex'))
  )
}

interface Part {
  fileName: string
  bytes: Buffer
}

/** The part named `media` of a multipart/form-data body. */
function mediaPart(contentType: string, body: Buffer): Part | undefined {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (!boundary) return undefined
  const mark = Buffer.from(`--${boundary}`)
  let from = body.indexOf(mark)
  while (from >= 0) {
    const start = from + mark.length + 2
    const headEnd = body.indexOf('\r\n\r\n', start)
    const next = body.indexOf(mark, start)
    if (headEnd < 0 || next < 0) return undefined
    const head = body.subarray(start, headEnd).toString('utf8')
    const fileName = /filename="([^"]*)"/i.exec(head)?.[1]
    if (/name="media"/i.test(head) && fileName)
      return { fileName, bytes: body.subarray(headEnd + 4, next - 2) }
    from = next
  }
  return undefined
}

/** Reads an upload and checks type and size. */
export function readUpload(
  type: string,
  allowed: MediaType[],
  contentType: string,
  body: Buffer,
): Part & { type: MediaType } {
  const known = allowed.find(name => name === type)
  if (!known) refuse(40004, 'invalid media type')
  const part = mediaPart(contentType, body)
  if (!part) refuse(41005, 'media data missing')
  if (part.bytes.length <= 5) refuse(40006, 'invalid media size: at least 6 bytes')
  if (part.bytes.length > LARGEST[known]) refuse(40006, 'invalid media size: too large')
  if (known === 'image' && !isPicture(part.bytes)) refuse(40005, 'invalid file type: not a JPG or PNG')
  return { type: known, fileName: part.fileName, bytes: part.bytes }
}
