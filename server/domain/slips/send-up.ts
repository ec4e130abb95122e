import { appendAudit } from '../../../db/queries/platform.ts'
import {
  insertSlip,
  insertSlipStep,
  lockReporter,
  placesOf,
  slipById,
  slipsSentSince,
} from '../../../db/queries/slips.ts'
import { unitById } from '../../../db/queries/units.ts'
import { dayOf, shanghaiMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import { type ClaimPlace, falseAlarmsFor, noFalseAlarms, StoppedText } from '../messages/false-alarms.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { awaitPictures, type HeldPicture } from './files.ts'
import { contactsFor, markOf, readersOf } from './offices.ts'
import { slipKind, slipRules } from './rules.ts'
import { tellContact, tellOffice } from './tell.ts'
import { dueOf } from './timing.ts'

const MAX_CHARACTERS = 1500
/** Within this time the same words of the same person are one slip, sent twice by a doubled form. */
const SAME_MS = 10 * 60_000

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
  /** The group may be told the answer; never for a complaint. */
  groupMayKnow?: boolean
  /** A practice that is spread bears the reporter's name. */
  isSigned?: boolean
  /** Sent to the bot while it was written. */
  pictures?: readonly HeldPicture[]
  /** The office and readers that the reporter was shown (`markOf`). */
  shown: string
}

/**
 * What the writer of a text should know before it goes anywhere. Classified content may not be passed on here
 * (中少办发〔2017〕4号 五.1); numbers of persons are masked in what is kept.
 * @param place who would say that it is a false alarm; null: it is not known yet who would read it
 * @returns a warning; null: nothing to say
 * @throws DomainError `slip.empty`, `slip.too_long`, `slip.secret`
 */
export async function checkSlip(
  rt: DomainRuntime,
  body: string,
  place: ClaimPlace | null,
): Promise<string | null> {
  if (body.trim() === '') throw new DomainError('slip.empty', '还没有写内容。')
  const length = [...body].length
  if (length > MAX_CHARACTERS)
    throw new DomainError('slip.too_long', `太长了（${length} 字，最多 ${MAX_CHARACTERS} 字），请写要紧的。`)
  const found = findAlerts(body)
  const passed = found.length > 0 ? await falseAlarmsFor(rt, [body]) : noFalseAlarms
  const alerts = found.filter(alert => !passed.cover(alert.kind, body))
  const secret = alerts.find(alert => alert.kind === 'secret')
  if (secret)
    throw new StoppedText(
      'slip.secret',
      `里面可能有涉密或内部内容（“${placeIn(body, secret)}”附近），不能在微信里传（中少办发〔2017〕4号 五.1），没有保存。请当面或用机要渠道报告。`,
      { alert: 'secret', source: 'slip', text: body.trim(), place },
    )
  const privacy = alerts.find(alert => alert.kind === 'privacy')
  return privacy
    ? `提醒：里面有个人信息（“${placeIn(maskPersonalData(body), privacy)}”附近）。证件号、手机号等会打上星号再保存；别人的私事请只写必要的。`
    : null
}

/** Those who would read a slip say whether it was stopped in error. */
export function placeOfSlip({
  kind,
  unitId,
  aboutId,
}: Pick<SlipInput, 'kind' | 'unitId' | 'aboutId'>): ClaimPlace {
  return { of: 'slip', slipKind: kind, unitId, aboutId }
}

function placeIn(body: string, { index, length }: { index: number; length: number }): string {
  return body.slice(Math.max(0, index - 6), index + Math.min(length, 12) + 6).replace(/\s+/g, ' ')
}

/**
 * Sends a slip up: to the office that the reporter was shown, which has so many hours to answer before it goes a level up.
 * The same words sent twice are one slip.
 * @throws DomainError as `checkSlip` and `readersOf`; `rights.missing` for a place that is not the reporter's;
 * `slip.changed` when somebody else would read it than was shown; `slip.many`
 */
export function sendSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: SlipInput,
): Promise<{ id: number; officeName: string }> {
  const kind = slipKind(input.kind)
  const body = maskPersonalData(input.body.trim())
  return inTransaction(rt, async tx => {
    await checkSlip(tx, input.body, placeOfSlip(input))
    const now = tx.clock.now()
    await lockReporter(tx.db, actor.person.id)
    const before = await sameJustSent(tx, actor.person.id, body)
    if (before) return { id: before.id, officeName: before.officeName }
    const place = (await placesOf(tx.db, actor.person.id)).find(each => each.unitId === input.unitId)
    const unit = await unitById(tx.db, input.unitId)
    if (!place || !unit) throw notAllowed('从这里上报')
    const office = await readersOf(tx, actor.person.id, input)
    if (markOf(office) !== input.shown)
      throw new DomainError('slip.changed', '刚才办理的单位或同志有变化，请再看一看谁能看到，然后确认。')
    const copyToId = input.copyToId ?? null
    if (copyToId !== null && !(await contactsFor(tx, input)).some(each => each.personId === copyToId))
      throw new DomainError('slip.copy', '这位同志不是您支部的联系人，请重新选择。')
    const id = await insertSlip(tx.db, {
      programme: unit.programme,
      kind: kind.id,
      unitId: unit.id,
      groupId: place.groupId,
      reporterId: actor.person.id,
      isAnonymous: input.isAnonymous,
      groupMayKnow: input.groupMayKnow === true && place.groupId !== null && kind.id !== 'complaint',
      isSigned: input.isSigned === true && kind.id === 'practice' && !input.isAnonymous,
      bodySealed: tx.vault.seal(body),
      officeId: office.id,
      aboutId: input.aboutId,
      copyToId,
      status: 'open',
      dueAt: dueOf(tx, kind.id),
      createdAt: now,
    })
    await insertSlipStep(tx.db, {
      slipId: id,
      kind: 'sent',
      actorId: actor.person.id,
      officeId: office.id,
      at: now,
    })
    await awaitPictures(tx, { slipId: id, reporterId: actor.person.id }, input.pictures ?? [])
    // who wrote it is in the slip, and in no log of the offices
    await appendAudit(tx.db, {
      at: now,
      actorId: null,
      action: 'slip.sent',
      subjectKind: 'slip',
      subjectId: id,
      details: { kind: kind.id, officeId: office.id },
    })
    await tellOffice(tx, id, 'new')
    if (copyToId !== null) await tellContact(tx, id, copyToId)
    return { id, officeName: office.name }
  })
}

/** The same words of this person of a moment ago; null: none. @throws DomainError `slip.many` */
async function sameJustSent(rt: DomainRuntime, personId: number, body: string) {
  const now = rt.clock.now()
  const sameSince = new Date(now.getTime() - SAME_MS)
  const today = shanghaiMoment(dayOf(now))
  const sent = await slipsSentSince(rt.db, personId, sameSince < today ? sameSince : today)
  const same = sent.find(each => each.createdAt >= sameSince && rt.vault.open(each.bodySealed) === body)
  if (same) return slipById(rt.db, same.id)
  if (sent.filter(each => each.createdAt >= today).length >= slipRules.perDay.value)
    throw new DomainError(
      'slip.many',
      `今天已经上报 ${slipRules.perDay.value} 件，请明天再来；急事请直接打电话，补充请回：补 编号 内容`,
    )
  return null
}
