import { officesAbove } from '../../../db/queries/answerers.ts'
import { contactsWith } from '../../../db/queries/contacts.ts'
import type { SlipRow } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, runsVeryUnit } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { officeFor, type SlipOffice } from './route.ts'
import { slipRules } from './rules.ts'

/**
 * The offices from a place upward that could have a slip of this reporter, the nearest first, each with those who can
 * answer there. Offices that the reporter runs are not among them: nobody answers their own. Whoever runs the office that
 * is complained about stands in none of them, also where they have a role in the office above.
 */
export async function officesOf(
  rt: DomainRuntime,
  place: { unitId: number; reporterId: number; aboutId: number | null },
): Promise<SlipOffice[]> {
  const line = await officesAbove(rt.db, place.unitId, managingPairs(rt.templates))
  const about = line.find(office => office.id === place.aboutId)
  const meant = new Set(about?.readers.map(reader => reader.id))
  return line
    .filter(
      office =>
        slipRules.offices.levels.includes(office.level) &&
        !office.readers.some(reader => reader.id === place.reporterId),
    )
    .map(office => ({
      ...office,
      readers: office.readers
        .filter(reader => reader.manages && (office.id === about?.id || !meant.has(reader.id)))
        .map(({ id, name }) => ({ id, name })),
    }))
}

/**
 * Who will read a slip from a place: shown to the reporter before it is sent.
 * @throws DomainError `slip.about`, `slip.no_office`
 */
export async function readersOf(
  rt: DomainRuntime,
  reporterId: number,
  place: { unitId: number; aboutId: number | null },
): Promise<SlipOffice> {
  const offices = await officesOf(rt, { ...place, reporterId })
  const about = offices.find(office => office.id === place.aboutId)
  if (place.aboutId !== null && !about) throw new DomainError('slip.about', '没有这个单位，请重新选择。')
  const office = officeFor(offices, slipRules.offices.levels, about?.path ?? null)
  if (office) return office
  throw new DomainError(
    'slip.no_office',
    about
      ? `${about.name}以上还没有登记负责同志，这里送不到。请直接向上级团组织反映。`
      : '您所在地方以上还没有登记负责同志，这里送不到。请直接向团组织反映。',
  )
}

/** What of an office the reporter was shown, to be held against what it is when they send: its number and its readers'. */
export function markOf(office: SlipOffice): string {
  return [office.id, ...office.readers.map(reader => reader.id).sort((one, other) => one - other)].join('-')
}

/** Who keeps contact with a branch (1+100) and can be addressed as well, but not about an office that they run. */
export async function contactsFor(
  rt: DomainRuntime,
  place: { unitId: number; aboutId: number | null },
): Promise<{ personId: number; personName: string }[]> {
  const found = await contactsWith(rt.db, place.unitId)
  if (found.length === 0) return []
  const line =
    place.aboutId === null ? [] : await officesAbove(rt.db, place.unitId, managingPairs(rt.templates))
  const meant = new Set(line.find(office => office.id === place.aboutId)?.readers.map(reader => reader.id))
  return found
    .filter(each => !meant.has(each.personId))
    .map(({ personId, personName }) => ({ personId, personName }))
}

/** Whether somebody runs the office that a slip complains about: they have no part in it anywhere. */
export function isMeant(rt: DomainRuntime, actor: KnownActor, slip: Pick<SlipRow, 'aboutId'>): boolean {
  return slip.aboutId !== null && runsVeryUnit(rt.templates, actor, slip.aboutId)
}

/** Whether it is for this person to answer: they run the office whose turn it is, and it is not about one of theirs. */
export function isForActor(
  rt: DomainRuntime,
  actor: KnownActor,
  slip: Pick<SlipRow, 'aboutId' | 'officeId' | 'reporterId'>,
): boolean {
  return (
    slip.reporterId !== actor.person.id &&
    runsVeryUnit(rt.templates, actor, slip.officeId) &&
    !isMeant(rt, actor, slip)
  )
}
