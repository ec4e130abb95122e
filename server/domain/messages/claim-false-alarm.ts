import {
  type AlertAsk,
  type AlertVerdict,
  alertVerdictOf,
  insertAlertVerdict,
  lockAlertVerdict,
  updateAlertVerdict,
} from '../../../db/queries/alert-verdicts.ts'
import { officesAbove } from '../../../db/queries/answerers.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { slipById } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managingRoles, runsVeryUnit } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { isForActor, officesOf, readersOf } from '../slips/offices.ts'
import { soundsLikeSlip } from '../slips/rules.ts'
import {
  type AlertSource,
  alarmHash,
  type ClaimPlace,
  holdsWholeNumbers,
  type StoppedText,
} from './false-alarms.ts'
import { maskPersonalData } from './mask.ts'

/** What somebody was stopped with, as it is kept until they say that it was a false alarm. */
export type Stopped = Pick<StoppedText, 'alert' | 'source' | 'text' | 'place'>

const DAY_MS = 86_400_000
/** Source: project assumption. */
const CLAIMS_PER_DAY = 10
/** What people send up of these kinds is work; of wishes, hardships and complaints no text is kept. */
const WORK_SLIPS = ['information', 'practice', 'incident']

const alertNames: Record<string, string> = {
  secret: '涉密或内部内容',
  privacy: '个人信息',
  safety: '有人有危险',
}
const sourceNames: Record<AlertSource, string> = {
  notice: '通知',
  slip: '上报',
  answer: '对通知的答复',
  danger: '求助',
}

export function alertWords({ alert, source }: { alert: string; source: string }): string {
  return `${sourceNames[source as AlertSource] ?? source}：可能有${alertNames[alert] ?? alert}`
}

interface Deciders {
  unitId: number
  unitName: string
  persons: readonly { id: number; name: string }[]
}

export type ClaimOutcome =
  /** It was theirs to decide: the same text raises the alert no more. */
  { outcome: 'decided' } | { outcome: 'asked'; id: number; unitName: string; names: string[] }

/**
 * Somebody says that a text was stopped in error. For personal data who runs the unit decides that alone; what may be
 * classified is decided by another than its author. What people send up is shown to nobody but those who would read it.
 * @throws DomainError `alarm.whole_numbers`, `alarm.right`, `alarm.many`, `alarm.nobody`
 */
export function claimFalseAlarm(
  rt: DomainRuntime,
  actor: KnownActor,
  stopped: Stopped,
): Promise<ClaimOutcome> {
  if (holdsWholeNumbers(stopped.text))
    throw new DomainError(
      'alarm.whole_numbers',
      '里面有完整的证件号、卡号、密码或验证码，这不会是误报。请去掉后再发。',
    )
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const deciders = await decidersOf(tx, actor, stopped)
    const known = await alertVerdictOf(tx.db, stopped.alert, alarmHash(stopped.text))
    const before = known && (await lockAlertVerdict(tx.db, known.id))
    if (before?.verdict === 'false') return { outcome: 'decided' }
    if (before?.verdict === 'right')
      throw new DomainError('alarm.right', `这段话${before.markedByName ?? ''}看过，不是误报。请改一改再发。`)
    const isOwn = deciders === 'self'
    const claimant = { personId: actor.person.id, source: stopped.source }
    const asking = isOwn ? null : withAsk(before?.asks ?? [], deciders, claimant)
    if (before && asking && !isOwn && !asking.isChanged) return asked(before.id, deciders)
    const count = await countAttempt(tx.db, `false-alarm:${actor.person.id}`, now, DAY_MS)
    if (count > CLAIMS_PER_DAY)
      throw new DomainError('alarm.many', `一天最多说 ${CLAIMS_PER_DAY} 次误报，请改一改再发，或明天再说。`)
    const keepsText = stopped.place?.of !== 'slip' || WORK_SLIPS.includes(stopped.place.slipKind)
    const row = {
      alert: stopped.alert,
      source: stopped.source,
      textHash: alarmHash(stopped.text),
      textSealed: tx.vault.seal(maskPersonalData(stopped.text)),
      keepsText: keepsText && stopped.place?.of !== 'slip-in-hand',
      claimedBy: actor.person.id,
      claimedAt: now,
      ...(asking === null || deciders === 'self'
        ? {
            verdict: 'false',
            unitId: ownUnitOf(tx, actor, stopped.place),
            markedBy: actor.person.id,
            markedAt: now,
          }
        : { verdict: 'asked', unitId: deciders.unitId, asks: asking.asks }),
    }
    // claimed before, by others or elsewhere, and not decided: all of them are waited for, and the first word counts
    if (before) await updateAlertVerdict(tx.db, before.id, asking === null ? row : { asks: asking.asks })
    const id = before?.id ?? (await insertAlertVerdict(tx.db, row))
    if (id === null) throw new DomainError('alarm.many', '刚才已有人说过这是误报，正在请人看。')
    if (asking === null || deciders === 'self') {
      await noteVerdict(tx, actor, id, 'false', stopped)
      if (before) await tellClaimants(tx, actor, before, true)
      return { outcome: 'decided' }
    }
    await sendToPersons(
      tx,
      deciders.persons
        .filter(person => asking.freshIds.includes(person.id))
        .map(person => ({
          personId: person.id,
          text: `【请看是不是误报 ${id}】${stopped.source === 'slip' ? '有同志' : actor.person.name}写的${alertWords(stopped)}，被拦下没有发，本人说是误报。请在网页上看过原话再定：${rt.publicUrl}/console/false-alarms/${id}`,
        })),
      'review',
    )
    return asked(id, deciders)
  })
}

const asked = (id: number, { unitName, persons }: Deciders): ClaimOutcome => ({
  outcome: 'asked',
  id,
  unitName,
  names: persons.map(person => person.name),
})

/** What was asked, with a claim more: nobody is asked twice about one text, and whoever has come into the office is. */
function withAsk(
  asks: readonly AlertAsk[],
  { unitId, persons }: Deciders,
  claimant: AlertAsk['claimants'][number],
): { asks: AlertAsk[]; freshIds: number[]; isChanged: boolean } {
  const before = asks.find(ask => ask.unitId === unitId) ?? { unitId, askedIds: [], claimants: [] }
  const freshIds = persons.map(person => person.id).filter(id => !before.askedIds.includes(id))
  const isNew = !asks.some(ask => ask.claimants.some(each => each.personId === claimant.personId))
  return {
    freshIds,
    isChanged: isNew || freshIds.length > 0,
    asks: [
      ...asks.filter(ask => ask !== before),
      {
        unitId,
        askedIds: [...before.askedIds, ...freshIds],
        claimants: isNew ? [...before.claimants, claimant] : before.claimants,
      },
    ],
  }
}

/** Whose word it takes, before anything is shown to them. @throws DomainError `alarm.nobody` */
export async function decidersOf(
  rt: DomainRuntime,
  actor: KnownActor,
  { alert, source, place }: Pick<Stopped, 'alert' | 'source' | 'place'>,
): Promise<Deciders | 'self'> {
  const nobody = new DomainError('alarm.nobody', '没有能看的同志。请改一改再发，或当面报告。')
  if (place?.of === 'slip') {
    const office = await readersOf(rt, actor.person.id, place)
    return { unitId: office.id, unitName: office.name, persons: office.readers }
  }
  if (place?.of === 'slip-in-hand') {
    const slip = await slipById(rt.db, place.slipId)
    const isConcerned = slip && (slip.reporterId === actor.person.id || isForActor(rt, actor, slip))
    const office = isConcerned
      ? (await officesOf(rt, slip)).find(each => each.id === slip.officeId)
      : undefined
    const persons = office?.readers.filter(reader => reader.id !== actor.person.id) ?? []
    if (!office || persons.length === 0) throw nobody
    return { unitId: office.id, unitName: office.name, persons }
  }
  // a slip is shown to nobody before it is known who would read it
  if (source === 'slip') throw nobody
  const unitId = place?.unitId ?? managingRoles(rt.templates, actor)[0]?.unitId ?? actor.roles[0]?.unitId
  if (unitId === undefined) throw nobody
  const line = await officesAbove(rt.db, unitId, managingPairs(rt.templates))
  if (alert === 'privacy' && ownUnitOf(rt, actor, place) !== null) return 'self'
  for (const { id, name, readers } of line) {
    const persons = readers.filter(reader => reader.manages && reader.id !== actor.person.id)
    if (persons.length > 0) return { unitId: id, unitName: name, persons }
  }
  throw nobody
}

/** The unit in whose name somebody decides by themself; null: none. */
function ownUnitOf(rt: DomainRuntime, actor: KnownActor, place: ClaimPlace | null): number | null {
  const [role] = managingRoles(rt.templates, actor)
  if (place === null) return role?.unitId ?? null
  return place.of === 'unit' && runsVeryUnit(rt.templates, actor, place.unitId) ? place.unitId : null
}

/** Whether somebody may decide a claim. */
export function mayJudge(rt: DomainRuntime, actor: KnownActor, claim: AlertVerdict): boolean {
  return claim.verdict === 'asked' && claimantsFor(rt, actor, claim).length > 0
}

/**
 * Those whose claims somebody was asked to decide, and may: they run the unit still for which they were asked, and it is
 * not their own. Others have written the same words elsewhere; that is not for them to see.
 */
export function claimantsFor(
  rt: DomainRuntime,
  actor: KnownActor,
  claim: AlertVerdict,
): AlertAsk['claimants'] {
  return claim.asks
    .filter(ask => ask.askedIds.includes(actor.person.id) && runsVeryUnit(rt.templates, actor, ask.unitId))
    .flatMap(ask => ask.claimants)
    .filter(each => each.personId !== actor.person.id)
}

/**
 * An officer's verdict on a claim. Of what was stopped rightly no text is kept, nor of wishes, hardships and complaints.
 * @throws DomainError `alarm.unknown`
 */
export function judgeAlarm(
  rt: DomainRuntime,
  actor: KnownActor,
  { claimId, isFalse }: { claimId: number; isFalse: boolean },
): Promise<AlertVerdict> {
  return inTransaction(rt, async tx => {
    const claim = await lockAlertVerdict(tx.db, claimId)
    if (!claim || !mayJudge(tx, actor, claim))
      throw new DomainError('alarm.unknown', `没有编号是 ${claimId}、要您看的误报，或已经有人看过。`)
    const verdict = isFalse ? 'false' : 'right'
    await updateAlertVerdict(tx.db, claimId, {
      verdict,
      markedBy: actor.person.id,
      markedAt: tx.clock.now(),
      ...(isFalse && claim.keepsText ? {} : { textSealed: '' }),
    })
    await noteVerdict(tx, actor, claimId, verdict, claim)
    await tellClaimants(tx, actor, claim, isFalse)
    return claim
  })
}

/** Tells everybody who said that it was a false alarm what was found, each of what they wrote themselves. */
async function tellClaimants(
  rt: DomainRuntime,
  actor: KnownActor,
  claim: AlertVerdict,
  isFalse: boolean,
): Promise<void> {
  const found = isFalse ? '是误报，一样的话不再拦。请再发一次。' : '不是误报，不能这样发。请改一改。'
  await sendToPersons(
    rt,
    claim.asks
      .flatMap(ask => ask.claimants)
      .filter(({ personId }) => personId !== actor.person.id)
      .map(({ personId, source }) => ({
        personId,
        text: `【误报】您写的${alertWords({ alert: claim.alert, source })}，${actor.person.name}看过：${found}`,
      })),
    'decision',
  )
}

async function noteVerdict(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  verdict: string,
  { alert, source }: { alert: string; source: string },
): Promise<void> {
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: verdict === 'false' ? 'alert_verdict.false' : 'alert_verdict.right',
    subjectKind: 'alert_verdict',
    subjectId: id,
    details: { alert, source },
  })
}

/**
 * An officer has closed a call for help as a false alarm: what was said is learnt from, masked. It silences no call. Words
 * of a complaint are not kept.
 */
export async function keepFalseDanger(
  rt: DomainRuntime,
  actor: KnownActor,
  { text, unitId, callerId }: { text: string; unitId: number | null; callerId: number | null },
): Promise<void> {
  const now = rt.clock.now()
  if (soundsLikeSlip(text)) return
  const id = await insertAlertVerdict(rt.db, {
    alert: 'safety',
    source: 'danger',
    textHash: alarmHash(text),
    textSealed: rt.vault.seal(maskPersonalData(text)),
    verdict: 'false',
    unitId,
    claimedBy: callerId,
    claimedAt: now,
    markedBy: actor.person.id,
    markedAt: now,
  })
  if (id !== null) await noteVerdict(rt, actor, id, 'false', { alert: 'safety', source: 'danger' })
}
