import { groupById } from '../../../db/queries/groups.ts'
import { insertOutgoing } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  complainsAboutLine,
  insertSlipStep,
  lockSlip,
  lockSlips,
  mergeable,
  mergedInto,
  type SlipRow,
  stepsOfSlip,
  updateSlip,
} from '../../../db/queries/slips.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { isForActor, officesOf } from './offices.ts'
import { officeFor, type SlipOffice } from './route.ts'
import { slipRules } from './rules.ts'
import { checkSlip } from './send-up.ts'
import { tellOffice, tellReporters } from './tell.ts'
import { dueOf, HOUR_MS, tellFrom } from './timing.ts'

/** At the top its reporter can have a slip looked at anew this often. */
const AGAIN_MS = 7 * 24 * HOUR_MS

const unknown = (id: number) => new DomainError('slip.unknown', `没有编号是 ${id} 的上报，或不归您办。`)

/** Whoever runs the office whose turn it is. Its own reporter does not answer themself. @throws DomainError `slip.unknown` */
async function ofOffice(rt: DomainRuntime, actor: KnownActor, id: number): Promise<SlipRow> {
  const slip = await lockSlip(rt.db, id)
  if (!slip || !isForActor(rt, actor, slip)) throw unknown(id)
  if (slip.status === 'merged')
    throw new DomainError('slip.merged', `上报 ${id} 已并入 ${slip.mergedInto}，请办 ${slip.mergedInto}。`)
  return slip
}

async function ofReporter(rt: DomainRuntime, actor: KnownActor, id: number): Promise<SlipRow> {
  const slip = await lockSlip(rt.db, id)
  if (!slip || slip.reporterId !== actor.person.id)
    throw new DomainError('slip.unknown', `您没有编号是 ${id} 的上报。发送“我的上报”看编号。`)
  return slip
}

export async function note(
  rt: DomainRuntime,
  slip: SlipRow,
  step: { kind: string; actorId: number | null; officeId?: number; text?: string; outgoingId?: number },
): Promise<void> {
  const now = rt.clock.now()
  await insertSlipStep(rt.db, {
    slipId: slip.id,
    kind: step.kind,
    actorId: step.actorId,
    officeId: step.officeId ?? slip.officeId,
    textSealed: step.text === undefined ? null : rt.vault.seal(step.text),
    outgoingId: step.outgoingId ?? null,
    at: now,
  })
  await appendAudit(rt.db, {
    at: now,
    // what a reporter does is theirs, and an anonymous one's name stands in no log
    actorId: step.actorId === slip.reporterId ? null : step.actorId,
    action: `slip.${step.kind}`,
    subjectKind: 'slip',
    subjectId: slip.id,
    details: { officeId: step.officeId ?? slip.officeId },
  })
}

/**
 * An office may write whom to call: a phone stays readable in its answer. Other numbers of persons are masked, and the
 * office is told so before.
 * @throws DomainError as `checkSlip`; `slip.privacy` unless it is sure
 */
async function answerToSend(
  rt: DomainRuntime,
  { slipId, text, isSure }: { slipId: number; text: string; isSure: boolean },
): Promise<string> {
  await checkSlip(rt, text, { of: 'slip-in-hand', slipId })
  if (!isSure && findAlerts(text).some(alert => alert.kind === 'privacy'))
    throw new DomainError(
      'slip.privacy',
      '答复里好像有别人的个人信息，还没有发。请改一改；确实要发，请选“仍然发送”（聊天里回：复 编号 仍然发送 内容），证件号、卡号会打上星号。',
    )
  return maskPersonalData(text, ['mobile'])
}

/**
 * The office answers; the reporter has it at once, and so have those whose slips were merged into it.
 * @param tellGroup the group of the slip is told the answer as well, without who asked
 * @throws DomainError `slip.unknown`, `slip.merged`, `slip.closed`, and as `answerToSend` and `tellGroup`
 */
export function answerSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { slipId: number; text: string; tellGroup: boolean; isSure?: boolean },
): Promise<SlipRow> {
  return inTransaction(rt, async tx => {
    const slip = await ofOffice(tx, actor, input.slipId)
    const text = await answerToSend(tx, { slipId: slip.id, text: input.text, isSure: input.isSure ?? false })
    if (slip.status === 'closed') throw new DomainError('slip.closed', `上报 ${slip.id} 已经办结。`)
    await note(tx, slip, { kind: 'answered', actorId: actor.person.id, text })
    await updateSlip(tx.db, slip.id, {
      status: 'answered',
      dueAt: null,
      firstAnsweredAt: slip.firstAnsweredAt ?? tx.clock.now(),
    })
    await tellReporters(
      tx,
      slip,
      id =>
        `【上报 ${id} 的答复】${slip.officeName}：\n${text}\n——\n解决了请回：结 ${id}；还要补充请回：补 ${id} 内容；不满意、要上一级看请回：升 ${id}`,
    )
    if (input.tellGroup) await tellGroup(tx, actor, slip, text)
    return slip
  })
}

/**
 * Its owner is asked to tell the group, because they see that it has come; its robot where there is no owner
 * (`group-failed.ts` follows what cannot be delivered).
 * @throws DomainError `slip.no_group`
 */
async function tellGroup(rt: DomainRuntime, actor: KnownActor, slip: SlipRow, text: string): Promise<void> {
  const group = slip.groupId === null ? null : await groupById(rt.db, slip.groupId)
  if (!group || group.dissolvedAt) throw new DomainError('slip.no_group', '这个上报没有可以告知的群。')
  if (!slip.groupMayKnow)
    throw new DomainError('slip.no_group', '本人没有同意告诉群里，答复只发给本人；还没有发，请重新答复。')
  const words = `【答复】有同志反映的问题，${slip.officeName}答复：${text}`
  const outgoingId =
    group.ownerId !== null && group.ownerId !== slip.reporterId
      ? await askOwner(rt, group.ownerId, group.name, words)
      : await postByRobot(rt, group, words)
  if (outgoingId === null) throw new DomainError('slip.no_group', `“${group.name}”没有别的同志能转告。`)
  await note(rt, slip, { kind: 'told_group', actorId: actor.person.id, outgoingId })
}

/** @returns the message's number */
export function askOwner(
  rt: DomainRuntime,
  ownerId: number,
  groupName: string,
  words: string,
): Promise<number> {
  return sendToPerson(
    rt,
    ownerId,
    'task',
    words,
    `请把上面这段话转发到“${groupName}”：群里有同志反映过这件事，同意告诉大家。不用回复。`,
  )
}

async function postByRobot(
  rt: DomainRuntime,
  group: { id: number; webhookSealed: string | null },
  words: string,
): Promise<number | null> {
  if (!group.webhookSealed) return null
  const now = rt.clock.now()
  const [id] = await insertOutgoing(rt.db, [
    {
      kind: 'robot',
      groupId: group.id,
      purpose: 'notice',
      textsSealed: rt.vault.seal(JSON.stringify([words])),
      status: 'pending',
      nextAttemptAt: now,
      createdAt: now,
    },
  ])
  return id ?? null
}

/** The office or the reporter ends it. @throws DomainError `slip.unknown`, `slip.not_answered` */
export function closeSlip(rt: DomainRuntime, actor: KnownActor, slipId: number): Promise<SlipRow> {
  return inTransaction(rt, async tx => {
    const found = await lockSlip(tx.db, slipId)
    const isOwn = found?.reporterId === actor.person.id
    const slip = isOwn ? await ofReporter(tx, actor, slipId) : await ofOffice(tx, actor, slipId)
    if (slip.status === 'closed') return slip
    if (!isOwn && slip.status === 'open')
      throw new DomainError('slip.not_answered', `上报 ${slip.id} 还没有答复过，请先答复：复 ${slip.id} 内容`)
    await note(tx, slip, { kind: 'closed', actorId: actor.person.id })
    const ended = { status: 'closed', dueAt: null, endedAt: tx.clock.now() }
    if (isOwn) {
      // a reporter ends their own only
      await passOnLead(tx, slip)
      await updateSlip(tx.db, slip.id, { ...ended, mergedInto: null })
      return slip
    }
    // merged slips end with the one that they are part of
    const parts = await mergedInto(tx.db, slip.id)
    await tellReporters(
      tx,
      slip,
      id => `【上报 ${id}】${slip.officeName}已办结。没有解决的请回：升 ${id}，上一级会看。`,
    )
    for (const each of [slip, ...parts]) await updateSlip(tx.db, each.id, ended)
    return slip
  })
}

/** Its reporter leaves one that stands for others: the oldest of them stands for the rest from now on. */
async function passOnLead(rt: DomainRuntime, slip: SlipRow): Promise<void> {
  const [heir, ...others] = await mergedInto(rt.db, slip.id)
  if (!heir) return
  const isAnswered = slip.status === 'answered'
  await note(rt, heir, { kind: 'leads', actorId: null })
  await updateSlip(rt.db, heir.id, {
    status: isAnswered ? 'answered' : 'open',
    mergedInto: null,
    dueAt: isAnswered ? null : (slip.dueAt ?? dueOf(rt, heir.kind)),
    firstAnsweredAt: slip.firstAnsweredAt,
  })
  for (const each of others) await updateSlip(rt.db, each.id, { mergedInto: heir.id })
  if (!isAnswered) await tellOffice(rt, heir.id, 'leads')
}

/**
 * The reporter adds something: what was answered is open again, also where it is part of another one. An office that has
 * nobody any more loses it to the level above.
 * @returns the slip, and who will see the addition
 * @throws DomainError `slip.unknown`, `slip.closed`, and as `checkSlip`
 */
export function addToSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { slipId: number; text: string },
): Promise<{ slip: SlipRow; officeName: string }> {
  const text = maskPersonalData(input.text)
  return inTransaction(rt, async tx => {
    const slip = await ofReporter(tx, actor, input.slipId)
    await checkSlip(tx, input.text, { of: 'slip-in-hand', slipId: slip.id })
    if (slip.status === 'closed')
      throw new DomainError('slip.closed', `上报 ${slip.id} 已经办结。没有解决请回：升 ${slip.id}`)
    await note(tx, slip, { kind: 'added', actorId: actor.person.id, text })
    const main = slip.mergedInto === null ? slip : ((await lockSlip(tx.db, slip.mergedInto)) as SlipRow)
    if (main.status === 'answered' || main.status === 'closed')
      await updateSlip(tx.db, main.id, { status: 'open', dueAt: dueOf(tx, main.kind), endedAt: null })
    if ((await tellOffice(tx, main.id, 'added', { slipId: slip.id, text })) > 0)
      return { slip, officeName: main.officeName }
    const above = await moveUp(tx, main, null, `${main.officeName}已没有负责同志`)
    return { slip, officeName: above?.name ?? main.officeName }
  })
}

/**
 * A level up: the reporter asks for it (升), or the office passes it on (上交). Where there is no level above, its reporter
 * has it looked at anew, once a week.
 * @returns the office that has it now; `isAnew`: the same as before
 * @throws DomainError `slip.unknown`, `slip.merged`, `slip.closed`, `slip.top`
 */
export function raiseSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  slipId: number,
): Promise<{ office: SlipOffice; isAnew: boolean }> {
  return inTransaction(rt, async tx => {
    const found = await lockSlip(tx.db, slipId)
    const isOwn = found?.reporterId === actor.person.id
    const slip = isOwn ? await ofReporter(tx, actor, slipId) : await ofOffice(tx, actor, slipId)
    if (!isOwn && slip.status === 'closed') throw new DomainError('slip.closed', `上报 ${slip.id} 已经办结。`)
    const above = await moveUp(tx, slip, actor.person.id, `${slip.officeName}转请上级办理`)
    if (above) return { office: above, isAnew: false }
    if (!isOwn) throw new DomainError('slip.top', `${slip.officeName}以上没有登记负责同志，升不上去了。`)
    return { office: await lookAnew(tx, slip), isAnew: true }
  })
}

async function lookAnew(rt: DomainRuntime, slip: SlipRow): Promise<SlipOffice> {
  const now = rt.clock.now()
  const office = (await officesOf(rt, slip)).find(each => each.id === slip.officeId)
  if (!office || office.readers.length === 0)
    throw new DomainError('slip.top', `${slip.officeName}和以上都没有登记负责同志，请直接向团组织反映。`)
  const since = now.getTime() - AGAIN_MS
  const isSoon = (await stepsOfSlip(rt.db, slip.id)).some(
    (step, at, steps) =>
      step.kind === 'raised' &&
      step.officeId === slip.officeId &&
      // not the step that brought it here
      steps[at - 1]?.officeId === slip.officeId &&
      step.at.getTime() > since,
  )
  if (isSoon)
    throw new DomainError('slip.top', `${slip.officeName}已是最高一级，一周内请他们办过一次了，请等一等。`)
  await note(rt, slip, { kind: 'raised', actorId: slip.reporterId })
  await passOnLead(rt, slip)
  await updateSlip(rt.db, slip.id, {
    status: 'open',
    mergedInto: null,
    dueAt: dueOf(rt, slip.kind),
    endedAt: null,
  })
  await tellOffice(rt, slip.id, 'again')
  return office
}

/**
 * @param actorId null: time did it, or there is nobody left
 * @param why for the reporters, when it was not one of them
 * @returns the office that has it now; null: there is none above that has somebody
 */
export async function moveUp(
  rt: DomainRuntime,
  slip: SlipRow,
  actorId: number | null,
  why: string,
): Promise<SlipOffice | null> {
  const above = officeFor(await officesOf(rt, slip), slipRules.offices.levels, slip.officePath)
  if (!above) return null
  const isOwn = actorId === slip.reporterId
  await note(rt, slip, { kind: 'raised', actorId, officeId: above.id })
  const dueAt = dueOf(rt, slip.kind)
  // one of several that were merged leaves them when its own reporter wants more
  if (isOwn) await passOnLead(rt, slip)
  await updateSlip(rt.db, slip.id, {
    officeId: above.id,
    status: 'open',
    mergedInto: isOwn ? null : slip.mergedInto,
    dueAt,
    endedAt: null,
  })
  if (!isOwn)
    for (const each of await mergedInto(rt.db, slip.id)) {
      await note(rt, each, { kind: 'raised', actorId, officeId: above.id })
      await updateSlip(rt.db, each.id, { officeId: above.id })
    }
  await tellOffice(rt, slip.id, 'raised')
  if (!isOwn) {
    const names = above.readers.map(reader => reader.name).join('、')
    await tellReporters(
      rt,
      slip,
      id => `【上报 ${id}】${why}，现在由${above.name}（${names}）办理，${chineseMoment(dueAt)}前答复。`,
      tellFrom(rt, slip),
    )
  }
  return above
}

/**
 * Like slips become one (合并): the others are counted with it, and all reporters get its answers. A complaint about an
 * office does not become part of what that office, or one below it, has had.
 * @returns how many it now stands for
 * @throws DomainError `slip.unknown`, `slip.merge`
 */
export function mergeSlips(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { into: number; from: number[] },
): Promise<number> {
  return inTransaction(rt, async tx => {
    const wanted = [...new Set(input.from)].filter(id => id !== input.into)
    await lockSlips(tx.db, [input.into, ...wanted])
    const slip = await ofOffice(tx, actor, input.into)
    const fitting = await mergeable(tx.db, slip.officeId, wanted)
    const odd = wanted.filter(id => !fitting.includes(id))
    if (wanted.length === 0 || odd.length > 0)
      throw new DomainError('slip.merge', `${odd.join('、') || '这些'}不在您这里待办，不能合并。`)
    for (const id of fitting) await mergeOne(tx, actor, slip, id)
    return 1 + (await mergedInto(tx.db, slip.id)).length
  })
}

async function mergeOne(rt: DomainRuntime, actor: KnownActor, slip: SlipRow, id: number): Promise<void> {
  const other = await ofOffice(rt, actor, id)
  const parts = [other, ...(await mergedInto(rt.db, id))]
  const all = [slip, ...(await mergedInto(rt.db, slip.id)), ...parts]
  const isAboutLine = await complainsAboutLine(
    rt.db,
    all.map(each => each.id),
  )
  if (isAboutLine)
    throw new DomainError(
      'slip.merge',
      `上报 ${id} 不能和 ${slip.id} 合并：其中有对办理过的单位的意见，请分开办。`,
    )
  await note(rt, other, { kind: 'merged', actorId: actor.person.id })
  for (const each of parts)
    await updateSlip(rt.db, each.id, { status: 'merged', mergedInto: slip.id, dueAt: null })
  await sendToPerson(
    rt,
    other.reporterId,
    'decision',
    `【上报 ${id}】有别的同志反映同一件事，${slip.officeName}合并办理，有答复会一并告诉您。`,
  )
}
