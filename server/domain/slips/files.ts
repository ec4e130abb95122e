import { filesOfSlip, insertSlipFile, slipFile } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { SlipInView } from '../access/slips.ts'

const MAX_BYTES = 5 * 1024 * 1024
const MAX_FILES = 9

/** What a picture is by its first bytes; null: none that is taken here. */
function pictureKind(bytes: Uint8Array): { mime: string; extension: string } | null {
  const starts = (...head: number[]) => head.every((byte, at) => bytes[at] === byte)
  if (starts(0xff, 0xd8, 0xff)) return { mime: 'image/jpeg', extension: 'jpg' }
  if (starts(0x89, 0x50, 0x4e, 0x47)) return { mime: 'image/png', extension: 'png' }
  return null
}

/** Adds a picture to one's own slip. @throws DomainError `slip.picture` */
export async function addPicture(rt: DomainRuntime, slip: SlipInView, bytes: Buffer): Promise<void> {
  const kind = pictureKind(bytes)
  if (!kind || bytes.length > MAX_BYTES)
    throw new DomainError('slip.picture', '请选一张 5 MB 以内的图片（jpg 或 png）。')
  const before = await filesOfSlip(rt.db, slip.id)
  if (before.length >= MAX_FILES) throw new DomainError('slip.picture', `最多放 ${MAX_FILES} 张图片。`)
  await insertSlipFile(rt.db, {
    slipId: slip.id,
    name: `上报${slip.id}-${before.length + 1}.${kind.extension}`,
    mime: kind.mime,
    size: bytes.length,
    bytesSealed: rt.vault.seal(bytes.toString('base64')),
    createdAt: rt.clock.now(),
  })
}

/** The bytes of a picture of a slip; null: it has none of that number. */
export async function pictureOf(
  rt: DomainRuntime,
  slip: SlipInView,
  fileId: number,
): Promise<{ mime: string; bytes: Buffer } | null> {
  const file = await slipFile(rt.db, slip.id, fileId)
  return file && { mime: file.mime, bytes: Buffer.from(rt.vault.open(file.bytesSealed), 'base64') }
}
