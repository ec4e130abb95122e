import {
  accountsOf,
  type DangerCall,
  type DangerStage,
  insertDangerCall,
  insertDangerSteps,
  lockDangerCall,
  ownersOfGroupsOf,
  standingCall,
  stepsOfCall,
  toldOf,
  unitAskedFor,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { officesAbove, placesOf } from '../../../db/queries/slips.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { answerersFor, managingPairs } from '../groups/managers.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { dangerRules, firstWords } from './rules.ts'

const MINUTE_MS = 60_000
const MAX_SHOWN = 400

/**
 * Somebody has spoken of a person in danger: they get the numbers to call at once, and the owners of their groups and the
 * county's duty contact hear of it by every account they have. What the same person says next belongs to it; after it has
 * ended, a false alarm or not, the next is a call of its own.
 * @returns what to answer
 */
export async function reportDanger(rt: DomainRuntime, actor: Actor, text: string): Promise<string> {
  const now = rt.clock.now()
  const since = new Date(now.getTime() - dangerRules.sameMinutes.value * MINUTE_MS)
  const standing = await standingCall(rt.db, actor.identityId, since)
  const said = { kind: 'said', textSealed: rt.vault.seal(maskPersonalData(text)), at: now }
  if (standing) {
    await insertDangerSteps(rt.db, [{ ...said, callId: standing.id, personId: standing.personId }])
    const told = await toldOf(rt.db, standing.id)
    await tell(rt, standing, [...told], '又说')
    return `${firstWords(text)}\n${told.size > 0 ? '您说的已转告刚才通知的同志。' : noPlaceWords}`
  }
  const unitId = actor.person
    ? ((await placesOf(rt.db, actor.person.id))[0]?.unitId ?? null)
    : await unitAskedFor(rt.db, actor.identityId)
  const id = await insertDangerCall(rt.db, {
    identityId: actor.identityId,
    personId: actor.person?.id ?? null,
    unitId,
    status: 'open',
    stage: 'first',
    dueAt:
      unitId === null ? null : new Date(now.getTime() + dangerRules.levels.unanswered.minutes * MINUTE_MS),
    createdAt: now,
  })
  await insertDangerSteps(rt.db, [{ ...said, callId: id, personId: actor.person?.id ?? null }])
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'danger.reported',
    subjectKind: 'danger_call',
    subjectId: id,
    details: { unitId },
  })
  const call = (await lockDangerCall(rt.db, id)) as DangerCall
  const names = await tellStage(rt, call, 'first')
  return `${firstWords(text)}\n${
    names.length > 0
      ? `已马上告诉${names.slice(0, 4).join('、')}${names.length > 4 ? '等' : ''}（第 ${id} 号）。请再说清在哪里、几个人；没有事了请回：平安 ${id}`
      : noPlaceWords
  }`
}

const noPlaceWords = '我还不知道您在哪里，没有能通知的人：请直接打上面的电话，并联系身边的人。'

/** The persons that a stage is for: owners and the county's duty contact first, then the levels above. */
async function audienceOf(
  rt: DomainRuntime,
  call: DangerCall,
  stage: DangerStage,
): Promise<{ id: number; name: string }[]> {
  if (call.unitId === null) return []
  const offices = await officesAbove(rt.db, call.unitId, managingPairs(rt.templates))
  const { first, unanswered, confirmed } = dangerRules.levels
  const levels = { first, unanswered: unanswered.levels, confirmed: confirmed.levels }[stage]
  const meant = offices.filter(office => levels.includes(office.level) && office.readers.length > 0)
  // a county without anybody must not swallow the call: the next above it is the first
  const nearest =
    stage === 'first' && meant.length === 0 ? offices.find(each => each.readers.length > 0) : null
  const found = nearest ? [nearest] : meant
  const answerers = await answerersFor(
    rt,
    found.map(office => office.id),
  )
  const persons = found.flatMap(office => {
    const duty = answerers.get(office.id) ?? []
    return office.readers
      .filter(reader => duty.includes(reader.id))
      .map(reader => ({ id: reader.id, name: `${office.name}${reader.name}` }))
  })
  const owners =
    stage === 'first' && call.personId !== null ? await ownersOfGroupsOf(rt.db, call.personId) : []
  return [...persons, ...owners.map(id => ({ id, name: '群主' }))]
}

/** Tells those of a stage who have not been told. @returns their names */
export async function tellStage(rt: DomainRuntime, call: DangerCall, stage: DangerStage): Promise<string[]> {
  const told = await toldOf(rt.db, call.id)
  const fresh = (await audienceOf(rt, call, stage)).filter(
    (person, at, all) =>
      person.id !== call.personId &&
      !told.has(person.id) &&
      all.findIndex(each => each.id === person.id) === at,
  )
  await tell(
    rt,
    call,
    fresh.map(person => person.id),
    stage === 'first' ? null : stage === 'unanswered' ? '还没有人应答' : '请知悉、督办',
  )
  return [...new Set(fresh.map(person => person.name))]
}

/** By every account that they have: whichever is looked at first. */
async function tell(
  rt: DomainRuntime,
  call: DangerCall,
  personIds: number[],
  why: string | null,
): Promise<void> {
  const now = rt.clock.now()
  const steps = await stepsOfCall(rt.db, call.id)
  const words = steps
    .filter(step => step.kind === 'said' && step.textSealed !== null)
    .map(step => [...rt.vault.open(step.textSealed as string)].slice(0, MAX_SHOWN).join(''))
  const who = `${call.personName ?? '还没有绑定的微信用户'}${call.unitName ? `（${call.unitName}）` : ''}`
  const text = [
    `【可能有人有危险 ${call.id}${why ? `，${why}` : ''}】${who}${chineseMoment(call.createdAt)}对机器人说：`,
    ...words.slice(-3),
    '——',
    `请马上联系本人和当地，必要时打 110、120、119。我来处理请回：到 ${call.id}；属实请回：属实 ${call.id}；误报请回：误报 ${call.id}；平安了请回：平安 ${call.id}`,
  ].join('\n')
  for (const { identityId } of await accountsOf(rt.db, personIds))
    await sendToIdentity(rt, identityId, 'escalation', text)
  if (why === '又说') return
  await insertDangerSteps(
    rt.db,
    personIds.map(personId => ({ callId: call.id, kind: 'told', personId, at: now })),
  )
}

/** Tells the next levels of calls that nobody has answered in time. In a transaction. */
export async function climb(rt: DomainRuntime, call: DangerCall): Promise<void> {
  const { unanswered, confirmed } = dangerRules.levels
  const now = rt.clock.now()
  if (call.stage === 'first') {
    await tellStage(rt, call, 'unanswered')
    const wait = (confirmed.minutes - unanswered.minutes) * MINUTE_MS
    await updateDangerCall(rt.db, call.id, { stage: 'unanswered', dueAt: new Date(now.getTime() + wait) })
  } else {
    await tellStage(rt, call, 'confirmed')
    await updateDangerCall(rt.db, call.id, { stage: 'confirmed', dueAt: null })
  }
}
