import { createHash } from 'node:crypto'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  type AwaitedPictureRow,
  deleteAwaitedPicture,
  insertRecordFile,
  postponeAwaitedPicture,
  wasUsedElsewhere,
} from '../../../db/queries/record-files.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { recordRules } from '../messages/record-rules.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { pictureKind, withoutTraces } from '../slips/picture.ts'

const MEGABYTE = 1024 * 1024
/** Then the platform has it no more, or will not give it. */
const MAX_ATTEMPTS = 6
const RETRY_MS = 30_000

/** @returns how many bytes of a picture are taken at most */
export function largestPicture(): number {
  return recordRules.pictures.megabytes.value * MEGABYTE
}

/**
 * Keeps a picture that was fetched, sealed and without what the camera wrote into it. The same one twice for the same
 * thing is kept once; for another thing of the same person it proves nothing, and they are told.
 */
export async function keepPicture(
  rt: DomainRuntime,
  awaited: AwaitedPictureRow,
  bytes: Buffer,
): Promise<void> {
  const kind = pictureKind(bytes)
  if (!kind || bytes.length > largestPicture())
    return giveUpPicture(
      rt,
      awaited,
      `它不是 ${recordRules.pictures.megabytes.value} MB 以内的 JPG、PNG 图片`,
    )
  const clean = withoutTraces(bytes)
  const hash = createHash('sha256').update(clean).digest('hex')
  const row = {
    kind: awaited.kind,
    activityId: awaited.activityId,
    updateId: awaited.updateId,
    name: `${awaited.kind === 'proof' ? '证明' : '照片'}-${awaited.id}.${kind.extension}`,
    mime: kind.mime,
    size: clean.length,
    hash,
    bytesSealed: rt.vault.seal(clean.toString('base64')),
    uploadedBy: awaited.uploadedBy,
  }
  await inTransaction(rt, async tx => {
    if (!(await deleteAwaitedPicture(tx.db, awaited.id))) return
    const now = tx.clock.now()
    if (await wasUsedElsewhere(tx.db, hash, awaited.uploadedBy, awaited)) {
      await sendToPerson(
        tx,
        awaited.uploadedBy,
        'task',
        `您刚才发来的图片以前用过了，没有再存一次。要作${words(awaited)}，请发一张新的。`,
      )
      return
    }
    if (!(await insertRecordFile(tx.db, { ...row, createdAt: now }))) return
    await appendAudit(tx.db, {
      at: now,
      actorId: awaited.uploadedBy,
      action: awaited.kind === 'proof' ? 'record.proved' : 'activity.pictured',
      subjectKind: awaited.kind === 'proof' ? 'update' : 'activity',
      subjectId: awaited.kind === 'proof' ? awaited.updateId : awaited.activityId,
      details: { size: clean.length },
    })
  })
}

/** The platform could not give it now: later again, or given up. */
export async function postponePicture(rt: DomainRuntime, awaited: AwaitedPictureRow): Promise<void> {
  if (awaited.attempts + 1 >= MAX_ATTEMPTS) return giveUpPicture(rt, awaited, '平台没有给出它')
  const wait = RETRY_MS * 2 ** awaited.attempts
  await postponeAwaitedPicture(rt.db, awaited.id, new Date(rt.clock.now().getTime() + wait))
}

/** @param why as the end of a sentence that begins with 没有存下来 */
export async function giveUpPicture(
  rt: DomainRuntime,
  awaited: AwaitedPictureRow,
  why: string,
): Promise<void> {
  await inTransaction(rt, async tx => {
    if (!(await deleteAwaitedPicture(tx.db, awaited.id))) return
    await sendToPerson(
      tx,
      awaited.uploadedBy,
      'task',
      `您发来作${words(awaited)}的图片没有存下来：${why}。${awaited.kind === 'slip' ? '上报不受影响；要补图片，请在网页“我的 → 我的上报”里放上。' : '登记本身不受影响；要补图片，请再登记一次后马上发，或告诉本单位负责的同志。'}`,
    )
  })
}

function words({ kind, slipId }: AwaitedPictureRow): string {
  if (kind === 'slip') return `上报 ${slipId} `
  return kind === 'proof' ? '登记的证明' : '活动的照片'
}
