import { randomInt } from 'node:crypto'
import { type ActivityInUnit, activityById, insertAnnounced } from '../../../db/queries/activities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { recordRules } from '../messages/record-rules.ts'
import { checkOutgoingSafety } from '../notices/check.ts'

export interface AnnouncedInput {
  unitId: number
  groupId: number | null
  /** A figure of the tracking sheet, such as `activities.skillsTraining`. */
  kind: string
  title: string
  startsAt: Date
  place: string
  updateId: number
}

const DAY_MS = 86_400_000
/** Told from a group's number by its letter, and read out over a hall: without I and O. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
/** Among a quarter of a million codes a free one is found at once; more digits where it is not. */
const CODE_DIGITS = [4, 4, 4, 6, 6, 8]

/** Whether a text is a check-in code, whatever its letter's case. */
export function isCheckInCode(text: string): boolean {
  return /^[A-HJ-NP-Z]\d{4,8}$/i.test(text.trim())
}

/**
 * Announces an activity that people can sign up for. It counts in no sheet before it was held (`confirmHeld`).
 * @throws DomainError `activity.day` for a moment that is over or too far away, `activity.title`, and as `checkSafety`
 */
export async function announceActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  input: AnnouncedInput,
): Promise<ActivityInUnit> {
  const now = rt.clock.now()
  const { mostDaysAhead } = recordRules.activities
  if (input.startsAt <= now)
    throw new DomainError('activity.day', '这个时间已经过了。办过的活动请用“活动”登记；预告请写以后的时间。')
  if (input.startsAt.getTime() - now.getTime() > mostDaysAhead.value * DAY_MS)
    throw new DomainError('activity.day', `最多提前 ${mostDaysAhead.value} 天预告，请核对日期。`)
  if (input.title.trim() === '') throw new DomainError('activity.title', '请写上活动内容，如：大棚管理。')
  const day = dayOf(input.startsAt)
  return inTransaction(rt, async tx => {
    // it stands on a page and goes out with every reminder
    await checkOutgoingSafety(tx, { body: `${input.title}，${input.place}` })
    for (const digits of CODE_DIGITS) {
      const id = await insertAnnounced(tx.db, {
        ...input,
        status: 'announced',
        heldOn: day,
        month: day.slice(0, 7),
        heads: null,
        checkInCode: newCode(digits),
        reportedBy: actor.person.id,
        createdAt: now,
      })
      if (id === null) continue
      await appendAudit(tx.db, {
        at: now,
        actorId: actor.person.id,
        action: 'activity.announced',
        subjectKind: 'activity',
        subjectId: id,
        details: { kind: input.kind, day },
      })
      return (await activityById(tx.db, id)) as ActivityInUnit
    }
    throw new Error('no free check-in code was found')
  })
}

function newCode(digits: number): string {
  const letter = LETTERS[randomInt(LETTERS.length)] as string
  return `${letter}${String(randomInt(10 ** digits)).padStart(digits, '0')}`
}
