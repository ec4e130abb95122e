import { contactsWith } from '../../../db/queries/contacts.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { insertSlip, insertSlipStep, officesAbove, placesOf } from '../../../db/queries/slips.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { findAlerts } from '../messages/alerts.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { officeFor, type SlipOffice } from './route.ts'
import { slipKind, slipRules } from './rules.ts'
import { tellContact, tellOffice } from './tell.ts'

export const HOUR_MS = 3_600_000
const MAX_CHARACTERS = 1500

export interface SlipInput {
  kind: string
  /** One of the reporter's own places (`placesOf`). */
  unitId: number
  body: string
  isAnonymous: boolean
  /** A complaint about this office: it goes to one above. */
  aboutId: number | null
  /** 1+100: who keeps contact with the branch is to read it as well. */
  copyToId?: number | null
}

/**
 * The offices from a place upward that could have a slip of this reporter, the nearest first. Those that they run
 * themself are not among them: nobody answers their own.
 */
export async function officesOf(
  rt: DomainRuntime,
  unitId: number,
  reporterId: number,
): Promise<SlipOffice[]> {
  const line = await officesAbove(rt.db, unitId, managingPairs(rt.templates))
  return line.filter(
    office =>
      slipRules.offices.levels.includes(office.level) &&
      !office.readers.some(reader => reader.id === reporterId),
  )
}

/**
 * Who will read a slip from a place: shown to the reporter before it is sent.
 * @throws DomainError `slip.no_office`
 */
export async function readersOf(
  rt: DomainRuntime,
  reporterId: number,
  place: { unitId: number; aboutId: number | null },
): Promise<SlipOffice> {
  const offices = await officesOf(rt, place.unitId, reporterId)
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

/** Who keeps contact with a branch (1+100) and can be addressed as well. */
export async function contactsFor(
  rt: DomainRuntime,
  unitId: number,
): Promise<{ personId: number; personName: string }[]> {
  return (await contactsWith(rt.db, unitId)).map(({ personId, personName }) => ({ personId, personName }))
}

/**
 * What the writer of a text should know before it goes anywhere. Classified content may not be passed on here
 * (中少办发〔2017〕4号 五.1); numbers of persons are masked in what is kept.
 * @returns a warning; null: nothing to say
 * @throws DomainError `slip.empty`, `slip.too_long`, `slip.secret`
 */
export function checkSlip(body: string): string | null {
  if (body.trim() === '') throw new DomainError('slip.empty', '还没有写内容。')
  const length = [...body].length
  if (length > MAX_CHARACTERS)
    throw new DomainError('slip.too_long', `太长了（${length} 字，最多 ${MAX_CHARACTERS} 字），请写要紧的。`)
  const alerts = findAlerts(body)
  const secret = alerts.find(alert => alert.kind === 'secret')
  if (secret)
    throw new DomainError(
      'slip.secret',
      `里面可能有涉密或内部内容（“${placeIn(body, secret)}”附近），不能在微信里传（中少办发〔2017〕4号 五.1），没有保存。请当面或用机要渠道报告。`,
    )
  const privacy = alerts.find(alert => alert.kind === 'privacy')
  return privacy
    ? `提醒：里面有个人信息（“${placeIn(maskPersonalData(body), privacy)}”附近）。证件号、手机号等会打上星号再保存；别人的私事请只写必要的。`
    : null
}

function placeIn(body: string, { index, length }: { index: number; length: number }): string {
  return body.slice(Math.max(0, index - 6), index + Math.min(length, 12) + 6).replace(/\s+/g, ' ')
}

/**
 * Sends a slip up: to the office that the reporter was shown, which has so many hours to answer before it goes a level up.
 * @throws DomainError as `checkSlip` and `readersOf`, `rights.missing` for a place that is not the reporter's
 */
export function sendSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: SlipInput,
): Promise<{ id: number; office: SlipOffice }> {
  checkSlip(input.body)
  const kind = slipKind(input.kind)
  return inTransaction(rt, async tx => {
    const place = (await placesOf(tx.db, actor.person.id)).find(each => each.unitId === input.unitId)
    const unit = await unitById(tx.db, input.unitId)
    if (!place || !unit) throw notAllowed('从这里上报')
    const office = await readersOf(tx, actor.person.id, input)
    const copyToId = input.copyToId ?? null
    if (copyToId !== null && !(await contactsFor(tx, unit.id)).some(each => each.personId === copyToId))
      throw new DomainError('slip.copy', '这位同志不是您支部的联系人，请重新选择。')
    const now = tx.clock.now()
    const id = await insertSlip(tx.db, {
      programme: unit.programme,
      kind: kind.id,
      unitId: unit.id,
      groupId: place.groupId,
      reporterId: actor.person.id,
      isAnonymous: input.isAnonymous,
      bodySealed: tx.vault.seal(maskPersonalData(input.body.trim())),
      officeId: office.id,
      aboutId: input.aboutId,
      copyToId,
      status: 'open',
      dueAt: new Date(now.getTime() + kind.answerHours * HOUR_MS),
      createdAt: now,
    })
    await insertSlipStep(tx.db, {
      slipId: id,
      kind: 'sent',
      actorId: actor.person.id,
      officeId: office.id,
      at: now,
    })
    // who wrote it is in the slip, and in no log of the offices
    await appendAudit(tx.db, {
      at: now,
      actorId: null,
      action: 'slip.sent',
      subjectKind: 'slip',
      subjectId: id,
      details: { kind: kind.id, officeId: office.id },
    })
    await tellOffice(tx, id, office.id, 'new')
    if (copyToId !== null) await tellContact(tx, id, copyToId)
    return { id, office }
  })
}
