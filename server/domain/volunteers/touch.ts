import { appendAudit } from '../../../db/queries/platform.ts'
import { insertTouch, type TouchableFile, touchableFiles, touchesOf } from '../../../db/queries/volunteers.ts'
import { addDays, dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { volunteerOfficesOf } from './offices.ts'
import { volunteerRules } from './rules.ts'

const MOST_NOTE = 500
/** Twins that are listed at most. */
const MOST_TWINS = 6

/** Whom somebody may mean: by a name, by the number of the file, or their own file. */
export type Meant = { name: string } | { fileId: number } | { isOwn: true }

/** The files that somebody may note a touch in and that they may mean; several where names are alike. */
export async function filesMeant(
  rt: DomainRuntime,
  actor: KnownActor,
  meant: Meant,
): Promise<TouchableFile[]> {
  const offices = 'isOwn' in meant ? [] : await volunteerOfficesOf(rt, actor)
  return touchableFiles(
    rt.db,
    {
      personId: actor.person.id,
      officeIds: offices.map(({ university, college }) => (college ?? university).id),
      ...('name' in meant ? { nameKey: nameKey(meant.name) } : {}),
      ...('fileId' in meant ? { fileId: meant.fileId } : {}),
      ...('isOwn' in meant ? { isOwn: true } : {}),
    },
    MOST_TWINS,
  )
}

export interface TouchInput {
  file: Pick<TouchableFile, 'fileId'>
  /** `YYYY-MM-DD`, today or before. */
  on: string
  /** Empty: nothing but that they were in touch. */
  text: string
  /** The update of the chat that said it, which counts once; null: on a page. */
  updateId: number | null
}

/**
 * Notes that somebody was in touch with a volunteer, by their mentor, themself, or an office of theirs. What was said is
 * sealed; no log of who did what is needed beside it, because the note says who wrote it.
 * @throws DomainError `volunteer.unknown`, `touch.day`, `touch.text`
 */
export async function noteTouch(
  rt: DomainRuntime,
  actor: KnownActor,
  { file, on, text, updateId }: TouchInput,
): Promise<{ isNew: boolean }> {
  const today = dayOf(rt.clock.now())
  if (!isTouchDay(on, today))
    throw new DomainError(
      'touch.day',
      `联系的日期要在今天或以前、${volunteerRules.touch.mostDaysAgo.value} 天以内。`,
    )
  if ([...text].length > MOST_NOTE) throw new DomainError('touch.text', `请写在 ${MOST_NOTE} 字以内。`)
  return inTransaction(rt, async tx => {
    const own = await filesMeant(tx, actor, { isOwn: true })
    const isTheirs = own.some(each => each.fileId === file.fileId)
    if (!isTheirs && (await filesMeant(tx, actor, { fileId: file.fileId })).length === 0)
      throw new DomainError('volunteer.unknown', '没有这位志愿者。')
    const isNew = await insertTouch(tx.db, {
      fileId: file.fileId,
      on,
      notedBy: actor.person.id,
      notedAt: tx.clock.now(),
      updateId,
      noteSealed: text === '' ? null : tx.vault.seal(text),
    })
    return { isNew }
  })
}

/** The last touches of a volunteer with what was said, for an office; that it was read is noted where they see it. */
export async function readTouches(
  rt: DomainRuntime,
  actor: KnownActor,
  file: { id: number; unitId: number; personId: number },
  limit: number,
) {
  const touches = (await touchesOf(rt.db, file.id, limit)).map(({ noteSealed, ...touch }) => ({
    ...touch,
    note: noteSealed === null ? '' : rt.vault.open(noteSealed),
  }))
  if (touches.some(touch => touch.note !== '' && touch.notedById !== actor.person.id))
    await appendAudit(rt.db, {
      at: rt.clock.now(),
      actorId: actor.person.id,
      action: 'volunteer.viewed',
      subjectKind: 'person',
      subjectId: file.personId,
      details: { unitId: file.unitId },
    })
  return touches
}

/** Whether a touch of that day can be noted today. */
export function isTouchDay(day: string, today: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  const isReal = Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day
  return isReal && day <= today && day >= addDays(today, -volunteerRules.touch.mostDaysAgo.value)
}
