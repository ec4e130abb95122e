import { filesOfSlip, insertSlipFile, lockSlip, slipFile } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { SlipInView } from '../access/slips.ts'
import { pictureKind, withoutTraces } from './picture.ts'
import { tellOffice } from './tell.ts'

const MAX_BYTES = 5 * 1024 * 1024
const MAX_FILES = 9

/** Adds a picture to one's own slip, without what the camera wrote into it; the office is told. @throws DomainError `slip.picture` */
export async function addPicture(rt: DomainRuntime, slip: SlipInView, bytes: Buffer): Promise<void> {
  const kind = pictureKind(bytes)
  if (!kind || bytes.length > MAX_BYTES)
    throw new DomainError('slip.picture', '请选一张 5 MB 以内的图片（jpg 或 png）。')
  const clean = withoutTraces(bytes)
  await inTransaction(rt, async tx => {
    const current = await lockSlip(tx.db, slip.id)
    if (!current || current.status === 'closed')
      throw new DomainError('slip.picture', `上报 ${slip.id} 已经办结，不能再放图片。`)
    const before = await filesOfSlip(tx.db, slip.id)
    if (before.length >= MAX_FILES) throw new DomainError('slip.picture', `最多放 ${MAX_FILES} 张图片。`)
    await insertSlipFile(tx.db, {
      slipId: slip.id,
      name: `上报${slip.id}-${before.length + 1}.${kind.extension}`,
      mime: kind.mime,
      size: clean.length,
      bytesSealed: tx.vault.seal(clean.toString('base64')),
      createdAt: tx.clock.now(),
    })
    await tellOffice(tx, current.mergedInto ?? slip.id, 'pictured', {
      slipId: slip.id,
      text: `第 ${before.length + 1} 张图片，请在网页上看`,
    })
  })
}

/** The bytes of a picture of a slip; null: it has none of that number, or none that the viewer may see. */
export async function pictureOf(
  rt: DomainRuntime,
  slip: SlipInView,
  fileId: number,
): Promise<{ mime: string; bytes: Buffer } | null> {
  const file = await slipFile(rt.db, slip.id, fileId)
  if (!file || !seesFile(slip, file)) return null
  return { mime: file.mime, bytes: Buffer.from(rt.vault.open(file.bytesSealed), 'base64') }
}

/** An office that has lost a slip sees the pictures that it had; a contact reads the first text only. */
export function seesFile(slip: Pick<SlipInView, 'as' | 'lost'>, file: { createdAt: Date }): boolean {
  if (slip.as === 'contact') return false
  return slip.lost === null || file.createdAt <= slip.lost.at
}
