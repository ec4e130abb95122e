import {
  type AwaitedPictureRow,
  countAwaitedOfSlip,
  deleteAwaitedPicture,
  insertAwaitedPicture,
  lastRegistered,
} from '../../../db/queries/record-files.ts'
import {
  filesOfSlip,
  insertSlipFile,
  lockSlip,
  type SlipRow,
  slipById,
  slipFile,
  slipsSentSince,
} from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { SlipInView } from '../access/slips.ts'
import type { KnownActor } from '../actor.ts'
import { giveUpPicture } from '../record-files/keep.ts'
import { pictureKind, withoutTraces } from './picture.ts'
import { slipRules } from './rules.ts'
import { tellOffice } from './tell.ts'

const MEGABYTE = 1024 * 1024
const MINUTE_MS = 60_000
/** Of a picture that is put on by the page. */
const MAX_BYTES = 5 * MEGABYTE
const MAX_FILES = 9

/** Adds a picture to one's own slip, without what the camera wrote into it; the office is told. @throws DomainError `slip.picture` */
export async function addPicture(rt: DomainRuntime, slip: SlipInView, bytes: Buffer): Promise<void> {
  if (!pictureKind(bytes) || bytes.length > MAX_BYTES)
    throw new DomainError('slip.picture', '请选一张 5 MB 以内的图片（jpg 或 png）。')
  await inTransaction(rt, async tx => {
    const current = await lockSlip(tx.db, slip.id)
    if (!current || current.status === 'closed')
      throw new DomainError('slip.picture', `上报 ${slip.id} 已经办结，不能再放图片。`)
    const before = await filesOfSlip(tx.db, slip.id)
    if (before.length >= MAX_FILES) throw new DomainError('slip.picture', `最多放 ${MAX_FILES} 张图片。`)
    await insertPicture(tx, slip.id, bytes, before.length + 1)
    await tellOfPictures(tx, current)
  })
}

/** @param bytes of a picture by its first bytes */
async function insertPicture(
  rt: DomainRuntime,
  slipId: number,
  bytes: Buffer,
  number: number,
): Promise<void> {
  const kind = pictureKind(bytes)
  const clean = withoutTraces(bytes)
  await insertSlipFile(rt.db, {
    slipId,
    name: `上报${slipId}-${number}.${kind?.extension}`,
    mime: kind?.mime ?? '',
    size: clean.length,
    bytesSealed: rt.vault.seal(clean.toString('base64')),
    createdAt: rt.clock.now(),
  })
}

async function tellOfPictures(rt: DomainRuntime, slip: SlipRow): Promise<void> {
  const count = (await filesOfSlip(rt.db, slip.id)).length
  await tellOffice(rt, slip.mergedInto ?? slip.id, 'pictured', {
    slipId: slip.id,
    text: `现有 ${count} 张图片，请在网页上看：${rt.publicUrl}/console/slips/${slip.id}`,
  })
}

/** A picture that was sent to the bot while a slip was written, as the platform keeps it. */
export interface HeldPicture {
  channel: string
  /** Media id or address. */
  placeSealed: string
  /** The update that brought it. */
  updateId: number
}

/** Room for one picture more beside so many. */
export const hasRoomBeside = (count: number) => count < MAX_FILES

/** Has pictures fetched that belong to a slip; the same update brings the same picture once. */
export async function awaitPictures(
  rt: DomainRuntime,
  { slipId, reporterId }: { slipId: number; reporterId: number },
  pictures: readonly HeldPicture[],
): Promise<void> {
  const now = rt.clock.now()
  for (const { channel, placeSealed, updateId } of pictures.slice(0, MAX_FILES))
    await insertAwaitedPicture(rt.db, {
      kind: 'slip',
      slipId,
      sentBy: updateId,
      channel,
      placeSealed,
      uploadedBy: reporterId,
      nextAttemptAt: now,
      createdAt: now,
    })
}

/**
 * Takes a picture that somebody sends within minutes of a slip for one of that slip, unless they have registered something
 * else since.
 * @returns the slip's number; null: it is about something else
 * @throws DomainError `slip.picture`
 */
export async function awaitPictureAfterSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  picture: HeldPicture & { at: Date },
): Promise<number | null> {
  const since = new Date(picture.at.getTime() - slipRules.pictures.minutes * MINUTE_MS)
  const [last] = await slipsSentSince(rt.db, actor.person.id, since)
  const slip = last && (await slipById(rt.db, last.id))
  if (!slip || slip.status === 'closed') return null
  if ((await lastRegistered(rt.db, actor.person.id, slip.createdAt)) !== null) return null
  const count = (await filesOfSlip(rt.db, slip.id)).length + (await countAwaitedOfSlip(rt.db, slip.id))
  if (!hasRoomBeside(count)) throw new DomainError('slip.picture', `最多放 ${MAX_FILES} 张图片。`)
  await awaitPictures(rt, { slipId: slip.id, reporterId: actor.person.id }, [picture])
  return slip.id
}

/**
 * Keeps a picture of a slip that was fetched, by its first bytes and without what the camera wrote into it. The office is
 * told once for all that came together.
 */
export async function keepSlipPicture(
  rt: DomainRuntime,
  awaited: AwaitedPictureRow,
  bytes: Buffer,
): Promise<void> {
  if (!pictureKind(bytes) || bytes.length > slipRules.pictures.megabytes * MEGABYTE)
    return giveUpPicture(rt, awaited, `它不是 ${slipRules.pictures.megabytes} MB 以内的 JPG、PNG 图片`)
  await inTransaction(rt, async tx => {
    if (!(await deleteAwaitedPicture(tx.db, awaited.id)) || awaited.slipId === null) return
    const slip = await lockSlip(tx.db, awaited.slipId)
    // ended, or erased, meanwhile
    if (!slip || slip.status === 'closed') return
    const before = await filesOfSlip(tx.db, slip.id)
    if (!hasRoomBeside(before.length)) return
    await insertPicture(tx, slip.id, bytes, before.length + 1)
    if ((await countAwaitedOfSlip(tx.db, slip.id)) === 0) await tellOfPictures(tx, slip)
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
