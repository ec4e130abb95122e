import { countPictures, insertAwaitedPicture, lastRegistered } from '../../../db/queries/record-files.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { recordRules } from '../messages/record-rules.ts'

/** A picture that somebody has sent to the bot, as the platform keeps it for some days (a robot's: for minutes). */
export interface SentPicture {
  channel: string
  mediaId: string | null
  url: string | null
  /** When the platform says that it was sent. */
  at: Date
  /** The update that brought it. */
  updateId: number
}

const MINUTE_MS = 60_000

/**
 * Takes a picture as the proof of the messages that its sender has just counted, or as a photo of the activity that they
 * have just registered, whichever came last. It is fetched from the platform afterwards.
 * @returns what it is kept as; null: nothing was registered within the time, so the picture is about something else
 * @throws DomainError `record_file.many`
 */
export async function awaitPicture(
  rt: DomainRuntime,
  actor: KnownActor,
  picture: SentPicture,
): Promise<'proof' | 'photo' | null> {
  const { minutes, most } = recordRules.pictures
  const since = new Date(picture.at.getTime() - minutes.value * MINUTE_MS)
  const subject = await lastRegistered(rt.db, actor.person.id, since)
  const place = picture.mediaId ?? picture.url
  if (!subject || place === null) return null
  const { createdAt: _createdAt, ...about } = subject
  if ((await countPictures(rt.db, about)) >= most.value)
    throw new DomainError('record_file.many', `已经有 ${most.value} 张了，够了，没有再存。`)
  const now = rt.clock.now()
  await insertAwaitedPicture(rt.db, {
    ...about,
    sentBy: picture.updateId,
    channel: picture.channel,
    placeSealed: rt.vault.seal(place),
    uploadedBy: actor.person.id,
    nextAttemptAt: now,
    createdAt: now,
  })
  return about.kind
}
