import { type AwaitedPictureRow, dueAwaitedPictures } from '../../db/queries/record-files.ts'
import { ChannelError } from '../channels/errors.ts'
import { giveUpPicture, keepPicture, largestPicture, postponePicture } from '../domain/record-files/keep.ts'
import { keepSlipPicture } from '../domain/slips/files.ts'
import type { Runtime } from '../runtime.ts'

/** Pictures in one run: each may hold ten megabytes. */
const AT_ONCE = 20

/**
 * Fetches the pictures that people have sent as proofs and photos, and with slips. Cut off in the middle, the next run fetches them again
 * and keeps them once.
 * @returns how many were looked after
 */
export async function fetchPictures(rt: Runtime): Promise<number> {
  const due = await dueAwaitedPictures(rt.db, rt.clock.now(), AT_ONCE)
  for (const awaited of due) {
    try {
      const bytes = await download(rt, awaited)
      await (awaited.slipId === null ? keepPicture(rt, awaited, bytes) : keepSlipPicture(rt, awaited, bytes))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      if (error.reason === 'rejected') await giveUpPicture(rt, awaited, '图片太大，或者平台已经不再保存它')
      else await postponePicture(rt, awaited)
    }
  }
  return due.length
}

async function download(rt: Runtime, awaited: AwaitedPictureRow): Promise<Buffer> {
  const place = rt.vault.open(awaited.placeSealed)
  const { wecom, officialAccount, aibot } = rt.channels
  if (awaited.channel === 'wecom' && wecom)
    return Buffer.from((await wecom.media.fetch(place, largestPicture())).bytes)
  if (awaited.channel === 'official-account' && officialAccount)
    return Buffer.from((await officialAccount.fetchMedia(place)).bytes)
  if (awaited.channel === 'aibot' && aibot) return aibot.fetchMedia(place, largestPicture())
  throw new ChannelError('config', 'the account that the picture came to is not set up any more')
}
