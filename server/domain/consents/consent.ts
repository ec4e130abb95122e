import { type ConsentRow, consentsOf, insertConsent, withdrawConsents } from '../../../db/queries/consents.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { eraseUnderConsent } from '../privacy/erase.ts'
import type { ConsentText } from './consent-text.ts'

/** What a person's agreement stands at. */
export interface Consent {
  /** The agreement to the text in force; null: none stands. */
  standing: ConsentRow | null
  history: ConsentRow[]
}

export async function consentOf(rt: DomainRuntime, actor: KnownActor, text: ConsentText): Promise<Consent> {
  const history = await consentsOf(rt.db, actor.person.id, text.purpose)
  const standing = history.find(each => each.withdrawnAt === null && each.textOf === text.day) ?? null
  return { standing, history }
}

/**
 * Notes that a person agrees to a text that they have seen. Said twice it stands once.
 * @param seenDay the day of the text on their page
 * @throws DomainError `consent.outdated` when the text has changed since
 */
export function agree(
  rt: DomainRuntime,
  actor: KnownActor,
  text: ConsentText,
  seenDay: string,
): Promise<void> {
  if (seenDay !== text.day)
    throw new DomainError('consent.outdated', '说明的内容已经更新，请重新看过再决定。')
  return inTransaction(rt, async tx => {
    const { standing } = await consentOf(tx, actor, text)
    if (standing) return
    const now = tx.clock.now()
    // an agreement to an older text ends with this one
    await withdrawConsents(tx.db, actor.person.id, text.purpose, now)
    await insertConsent(tx.db, {
      personId: actor.person.id,
      purpose: text.purpose,
      textOf: text.day,
      agreedAt: now,
    })
    await audit(tx, actor, 'consent.given', { purpose: text.purpose, textOf: text.day })
  })
}

/**
 * Takes an agreement back, and erases what was kept under it (个人信息保护法 第十五条、第四十七条). What was done before stays
 * lawful.
 */
export function withdraw(rt: DomainRuntime, actor: KnownActor, text: ConsentText): Promise<void> {
  return inTransaction(rt, async tx => {
    if (!(await withdrawConsents(tx.db, actor.person.id, text.purpose, tx.clock.now()))) return
    await eraseUnderConsent(tx, actor.person.id)
    await audit(tx, actor, 'consent.withdrawn', { purpose: text.purpose })
  })
}

async function audit(
  rt: DomainRuntime,
  actor: KnownActor,
  action: string,
  details: Record<string, unknown>,
): Promise<void> {
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action,
    subjectKind: 'person',
    subjectId: actor.person.id,
    details,
  })
}
