import type { OfficialAccountChannel, WecomChannel } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import type { Runtime } from '../../runtime.ts'
import { type OutgoingFile, readFile } from './content.ts'
import { type Message, placeFor } from './message.ts'

/** The platforms keep what is uploaded for three days. @see https://developer.work.weixin.qq.com/document/path/90253 */
const KEPT_MS = 2 * 86_400_000
/** The platform knows the media id no more. */
const UNKNOWN_MEDIA = 40007

const MEGABYTE = 1024 * 1024
/** @see https://developer.work.weixin.qq.com/document/path/90253 */
const MAX_PICTURE_BYTES = 10 * MEGABYTE
/** @see https://developer.work.weixin.qq.com/document/path/99110 */
const MAX_ROBOT_PICTURE_BYTES = 2 * MEGABYTE

/** A file as a platform has it. */
export type Uploaded = { kind: 'image'; mediaId: string } | { kind: 'file'; mediaId: string }

interface Kept {
  uploaded: Promise<Uploaded | null>
  until: Date
}

/** What this process has uploaded: a picture that goes to ten thousand groups is uploaded once. */
const keptBy = new WeakMap<Runtime['channels'], Map<string, Kept>>()

/**
 * Sends a file that is uploaded before; one that the platform knows no more is uploaded once more.
 * @param send gets null when the platform does not take the file
 */
export async function sendFileToWecom<T>(
  rt: Runtime,
  message: Message,
  wecom: WecomChannel,
  file: OutgoingFile,
  send: (uploaded: Uploaded | null) => Promise<T>,
): Promise<T> {
  const upload = () => uploadToWecom(rt, message, wecom, file)
  const key = file.key === null ? null : `wecom ${file.key}`
  return withUpload(rt, key, upload, send)
}

/** The same for the Official Account, which takes pictures only. */
export async function sendPictureToOfficialAccount<T>(
  rt: Runtime,
  channel: OfficialAccountChannel,
  file: OutgoingFile,
  send: (uploaded: Uploaded | null) => Promise<T>,
): Promise<T> {
  const upload = async (): Promise<Uploaded | null> => {
    const bytes = await file.read()
    if (!isPicture(bytes, MAX_PICTURE_BYTES)) return null
    try {
      const { mediaId } = await channel.uploadMedia('image', { name: file.name, bytes })
      return { kind: 'image', mediaId }
    } catch (error) {
      // an account of this kind cannot: the picture goes as a link
      if (error instanceof ChannelError && error.reason === 'config' && !error.mayBeRepaired) return null
      throw error
    }
  }
  const key = file.key === null ? null : `official-account ${file.key}`
  return withUpload(rt, key, upload, send)
}

async function withUpload<T>(
  rt: Runtime,
  key: string | null,
  upload: () => Promise<Uploaded | null>,
  send: (uploaded: Uploaded | null) => Promise<T>,
): Promise<T> {
  if (key === null) return send(await upload())
  const kept = keptBy.get(rt.channels) ?? new Map<string, Kept>()
  keptBy.set(rt.channels, kept)
  const before = kept.get(key)
  const isFresh = before === undefined || before.until <= rt.clock.now()
  try {
    return await send(await (isFresh ? keep(rt, kept, key, upload) : before.uploaded))
  } catch (error) {
    const isGone = error instanceof ChannelError && error.platformCode === UNKNOWN_MEDIA
    if (!isGone || isFresh) throw error
    return send(await keep(rt, kept, key, upload))
  }
}

function keep(
  rt: Runtime,
  kept: Map<string, Kept>,
  key: string,
  upload: () => Promise<Uploaded | null>,
): Promise<Uploaded | null> {
  const now = rt.clock.now()
  for (const [each, { until }] of kept) if (until <= now) kept.delete(each)
  const uploaded = upload()
  kept.set(key, { uploaded, until: new Date(now.getTime() + KEPT_MS) })
  uploaded.catch(() => {
    if (kept.get(key)?.uploaded === uploaded) kept.delete(key)
  })
  return uploaded
}

async function uploadToWecom(
  rt: Runtime,
  message: Message,
  wecom: WecomChannel,
  file: OutgoingFile,
): Promise<Uploaded | null> {
  const bytes = await readFile(file)
  if (bytes === null) return null
  const kind = file.kind === 'picture' && isPicture(bytes, MAX_PICTURE_BYTES) ? 'image' : 'file'
  await placeFor(rt, message, { to: 'wecom-api', path: '/cgi-bin/media/upload' })
  return { kind, mediaId: await wecom.media.upload(kind, file.name, bytes) }
}

/** Whether a robot takes these bytes as a picture; otherwise they go as a file. */
export function isRobotPicture(file: OutgoingFile, bytes: Buffer): boolean {
  return file.kind === 'picture' && isPicture(bytes, MAX_ROBOT_PICTURE_BYTES)
}

/** JPG or PNG of a size that is taken. */
function isPicture(bytes: Buffer, maxBytes: number): boolean {
  const head = bytes.toString('hex', 0, 4)
  return bytes.length <= maxBytes && (head.startsWith('ffd8ff') || head === '89504e47')
}
