import { createCipheriv } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { MINUTE } from '../limits.ts'
import type { Robot } from './robot.ts'

const BLOCK = 32
/** @see developer.work.weixin.qq.com/document/path/100719 */
const MEDIA_LIFE = 5 * MINUTE
const LARGEST = 100 * 1024 * 1024

/** Keeps what somebody sent to the robot. @returns the address for the callback, good for five minutes. */
export function keepMedia(core: Core, robot: Robot, bytes: Buffer, fileName: string): string {
  if (bytes.length > LARGEST) throw new Error('the robot takes no file larger than 100 MB')
  const id = core.ids.letters(40)
  robot.media.set(id, { bytes, fileName, expiresAt: core.clock.now().getTime() + MEDIA_LIFE })
  return `${core.url}/aibot-media/${id}?sign=${core.ids.letters(16)}`
}

/** AES-256-CBC with the callback's key, padded to 32 bytes; unlike a message it has no head and no receive id. */
function encryptBytes(aesKey: Buffer, bytes: Buffer): Buffer {
  const pad = BLOCK - (bytes.length % BLOCK)
  const cipher = createCipheriv('aes-256-cbc', aesKey, aesKey.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([cipher.update(bytes), cipher.update(Buffer.alloc(pad, pad)), cipher.final()])
}

/** Serves the media, encrypted. */
export function serveMedia(app: FastifyInstance, core: Core, robot: () => Robot | undefined): void {
  app.get<{ Params: { id: string } }>('/aibot-media/:id', (request, reply) => {
    const owner = robot()
    const media = owner?.media.get(request.params.id)
    if (!owner || !media || media.expiresAt <= core.clock.now().getTime())
      return reply.code(403).type('application/xml').send('<Error><Code>AccessDenied</Code></Error>')
    return reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(media.fileName)}`)
      .send(encryptBytes(owner.key.aesKey, media.bytes))
  })
}
