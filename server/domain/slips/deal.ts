import { groupById } from '../../../db/queries/groups.ts'
import { insertOutgoing } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  insertSlipStep,
  lockSlip,
  mergeable,
  mergedInto,
  type SlipRow,
  updateSlip,
} from '../../../db/queries/slips.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, runsVeryUnit } from '../actor.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { officeFor } from './route.ts'
import { slipKind, slipRules } from './rules.ts'
import { checkSlip, HOUR_MS, officesOf } from './send-up.ts'
import { tellOffice, tellReporters } from './tell.ts'

const unknown = (id: number) => new DomainError('slip.unknown', `没有编号是 ${id} 的上报，或不归您办。`)

/** Whoever runs the office whose turn it is. Its own reporter does not answer themself. @throws DomainError `slip.unknown` */
async function ofOffice(rt: DomainRuntime, actor: KnownActor, id: number): Promise<SlipRow> {
  const slip = await lockSlip(rt.db, id)
  if (!slip || !runsVeryUnit(rt.templates, actor, slip.officeId) || slip.reporterId === actor.person.id)
    throw unknown(id)
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

async function note(
  rt: DomainRuntime,
  slip: SlipRow,
  step: { kind: string; actorId: number | null; officeId?: number; text?: string },
): Promise<void> {
  const now = rt.clock.now()
  await insertSlipStep(rt.db, {
    slipId: slip.id,
    kind: step.kind,
    actorId: step.actorId,
    officeId: step.officeId ?? slip.officeId,
    textSealed: step.text === undefined ? null : rt.vault.seal(maskPersonalData(step.text)),
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
 * The office answers; the reporter has it at once, and so have those whose slips were merged into it.
 * @param tellGroup the group of the slip is told the answer as well, without who asked
 * @throws DomainError `slip.unknown`, `slip.merged`, and as `checkSlip`
 */
export function answerSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { slipId: number; text: string; tellGroup: boolean },
): Promise<SlipRow> {
  checkSlip(input.text)
  return inTransaction(rt, async tx => {
    const slip = await ofOffice(tx, actor, input.slipId)
    if (slip.status === 'closed') throw new DomainError('slip.closed', `上报 ${slip.id} 已经办结。`)
    await note(tx, slip, { kind: 'answered', actorId: actor.person.id, text: input.text })
    await updateSlip(tx.db, slip.id, {
      status: 'answered',
      dueAt: null,
      firstAnsweredAt: slip.firstAnsweredAt ?? tx.clock.now(),
    })
    await tellReporters(
      tx,
      slip,
      id =>
        `【上报 ${id} 的答复】${slip.officeName}：\n${maskPersonalData(input.text)}\n——\n解决了请回：结 ${id}；还要补充请回：补 ${id} 内容；不满意、要上一级看请回：升 ${id}`,
    )
    if (input.tellGroup) await tellGroup(tx, actor, slip, input.text)
    return slip
  })
}

async function tellGroup(rt: DomainRuntime, actor: KnownActor, slip: SlipRow, text: string): Promise<void> {
  const group = slip.groupId === null ? null : await groupById(rt.db, slip.groupId)
  if (!group || group.dissolvedAt) throw new DomainError('slip.no_group', '这个上报没有可以告知的群。')
  const now = rt.clock.now()
  const words = `【答复】有同志反映的问题，${slip.officeName}答复：${maskPersonalData(text)}`
  if (group.webhookSealed)
    await insertOutgoing(rt.db, [
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
  else if (group.ownerId !== null)
    await sendToPerson(
      rt,
      group.ownerId,
      'task',
      words,
      `请把上面这段话转发到“${group.name}”：群里有同志反映过这件事。不用回复。`,
    )
  else throw new DomainError('slip.no_group', `“${group.name}”没有群主，没有人能转告。`)
  await note(rt, slip, { kind: 'told_group', actorId: actor.person.id })
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
    // merged slips end with the one that they are part of; a reporter ends their own only
    const ended = isOwn ? [slip] : [slip, ...(await mergedInto(tx.db, slip.id))]
    for (const each of ended)
      await updateSlip(tx.db, each.id, { status: 'closed', dueAt: null, endedAt: tx.clock.now() })
    if (!isOwn)
      await tellReporters(
        tx,
        slip,
        id => `【上报 ${id}】${slip.officeName}已办结。没有解决的请回：升 ${id}，上一级会看。`,
      )
    return slip
  })
}

/** The reporter adds something. @throws DomainError `slip.unknown`, and as `checkSlip` */
export function addToSlip(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { slipId: number; text: string },
): Promise<SlipRow> {
  checkSlip(input.text)
  return inTransaction(rt, async tx => {
    const slip = await ofReporter(tx, actor, input.slipId)
    if (slip.status === 'closed')
      throw new DomainError('slip.closed', `上报 ${slip.id} 已经办结。没有解决请回：升 ${slip.id}`)
    await note(tx, slip, { kind: 'added', actorId: actor.person.id, text: input.text })
    const main = slip.mergedInto ?? slip.id
    if (slip.status === 'answered')
      await updateSlip(tx.db, slip.id, { status: 'open', dueAt: dueOf(tx, slip) })
    await tellOffice(tx, main, slip.officeId, 'added')
    return slip
  })
}

const dueOf = (rt: DomainRuntime, slip: SlipRow) =>
  new Date(rt.clock.now().getTime() + slipKind(slip.kind).answerHours * HOUR_MS)

/**
 * A level up: the reporter asks for it (升), the office passes it on (上交), or the time for an answer is over.
 * @throws DomainError `slip.unknown`, `slip.top`
 */
export function raiseSlip(rt: DomainRuntime, actor: KnownActor, slipId: number): Promise<SlipRow> {
  return inTransaction(rt, async tx => {
    const found = await lockSlip(tx.db, slipId)
    const slip =
      found?.reporterId === actor.person.id
        ? await ofReporter(tx, actor, slipId)
        : await ofOffice(tx, actor, slipId)
    if (!(await moveUp(tx, slip, actor.person.id)))
      throw new DomainError('slip.top', `${slip.officeName}以上没有登记负责同志，升不上去了。`)
    return slip
  })
}

/** @param actorId null: its time was over. false: there is no office above that has somebody */
export async function moveUp(rt: DomainRuntime, slip: SlipRow, actorId: number | null): Promise<boolean> {
  const above = officeFor(
    await officesOf(rt, slip.unitId, slip.reporterId),
    slipRules.offices.levels,
    slip.officePath,
  )
  if (!above) return false
  const isOwn = actorId === slip.reporterId
  await note(rt, slip, { kind: 'raised', actorId, officeId: above.id })
  const dueAt = dueOf(rt, slip)
  // one of several that were merged leaves them when its own reporter wants more
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
  await tellOffice(rt, slip.id, above.id, 'raised')
  if (!isOwn) {
    const why = actorId === null ? `${slip.officeName}到时没有答复` : `${slip.officeName}转请上级办理`
    const names = above.readers.map(reader => reader.name).join('、')
    await tellReporters(
      rt,
      slip,
      id => `【上报 ${id}】${why}，现在由${above.name}（${names}）办理，${chineseMoment(dueAt)}前答复。`,
    )
  }
  return true
}

/**
 * Like slips become one (合并): the others are counted with it, and all reporters get its answers.
 * @returns how many it now stands for
 * @throws DomainError `slip.unknown`, `slip.merge`
 */
export function mergeSlips(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { into: number; from: number[] },
): Promise<number> {
  return inTransaction(rt, async tx => {
    const slip = await ofOffice(tx, actor, input.into)
    const wanted = [...new Set(input.from)].filter(id => id !== slip.id)
    const fitting = await mergeable(tx.db, slip.officeId, wanted)
    const odd = wanted.filter(id => !fitting.includes(id))
    if (wanted.length === 0 || odd.length > 0)
      throw new DomainError('slip.merge', `${odd.join('、') || '这些'}不在您这里待办，不能合并。`)
    for (const id of fitting) {
      const other = (await lockSlip(tx.db, id)) as SlipRow
      await note(tx, other, { kind: 'merged', actorId: actor.person.id })
      for (const each of [other, ...(await mergedInto(tx.db, id))])
        await updateSlip(tx.db, each.id, { status: 'merged', mergedInto: slip.id, dueAt: null })
      await sendToPerson(
        tx,
        other.reporterId,
        'decision',
        `【上报 ${id}】有别的同志反映同一件事，${slip.officeName}合并办理，有答复会一并告诉您。`,
      )
    }
    return 1 + (await mergedInto(tx.db, slip.id)).length
  })
}
