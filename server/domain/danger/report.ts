import { raiseAlarm } from '../../../db/queries/alarms.ts'
import {
  type DangerCall,
  deleteDangerCall,
  insertDangerCall,
  insertDangerSteps,
  lockDangerCall,
  standingCall,
  stepsOfCall,
  toldOf,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { type ActionCard, settleCards } from '../outgoing/card.ts'
import { sendCard, sendToIdentity } from '../outgoing/enqueue.ts'
import { placesOfCall } from './audience.ts'
import { callsInSilence, dangerRules, firstWords, isSureOfDanger } from './rules.ts'
import { isUnconfirmed, passOnWords, tellAll, tellStage } from './tell.ts'

const MINUTE_MS = 60_000

/** What to answer to words of danger: the numbers to call, and what was done, or is asked. */
export interface DangerReport {
  numbers: string
  /** Who was told; null: nobody yet, they are asked first. */
  done: string | null
  /** The call whose question is open; null: none. */
  askedId: number | null
  /** Whether their silence calls help, as unconfirmed. */
  callsInSilence: boolean
}

/**
 * Somebody has spoken of a person in danger: they get the numbers to call at once, and the owners of their groups and all
 * who run the county hear of it by every account they have. Where it is in doubt who wrote it is asked first (`doubt` of
 * the policy). What the same person says next belongs to it; after it has ended, a false alarm or not, the next is a call
 * of its own.
 */
export async function reportDanger(rt: DomainRuntime, actor: Actor, text: string): Promise<DangerReport> {
  const standing = await standingCallOf(rt, actor)
  const report = { numbers: firstWords(text), askedId: null, callsInSilence: false }
  if (standing && standing.status !== 'asked')
    return { ...report, done: await addWords(rt, standing, text, true) }
  const isSure = isSureOfDanger(text)
  const id = standing?.id ?? (await insertCall(rt, actor, isSure ? 'open' : 'asked'))
  const call = (await lockDangerCall(rt.db, id)) as DangerCall
  await noteSaid(rt, call, text)
  if (isSure) return { ...report, done: await tellFirst(rt, call) }
  const words = await wordsSaid(rt, id)
  const asking = { ...report, done: null, askedId: id, callsInSilence: words.some(callsInSilence) }
  if (!standing) {
    await insertDangerSteps(rt.db, [{ callId: id, kind: 'asked', at: rt.clock.now() }])
    await askByCard(rt, actor, asking)
  }
  return asking
}

/** The question with buttons, for who writes as a member of the corp; everybody has it as text in the answer. */
async function askByCard(rt: DomainRuntime, actor: Actor, report: DangerReport): Promise<void> {
  const isMember = actor.channel === 'wecom' && !/^w[mo]/.test(actor.address)
  if (!isMember || actor.person === null || report.askedId === null) return
  const card: ActionCard = {
    about: { kind: 'danger_call', id: report.askedId },
    title: '有人受伤或有危险吗？',
    description: '急救 120，报警 110，火灾和被困 119',
    rows: [],
    buttons: [
      { text: '有危险，马上通知', command: '有危险', isMain: true },
      { text: '没有危险', command: '没有危险' },
    ],
  }
  await sendCard(rt, actor.person.id, 'danger', card, questionWords(report, 'word'))
}

/** The question to who wrote words of doubt. @param by how it can be answered here */
export function questionWords(report: DangerReport, by: 'number' | 'word' | 'button'): string {
  const { minutes } = dangerRules.doubt
  const how = {
    number: '请回复：1 有危险，马上通知群主和县里；2 没有。',
    word: '请回复：有危险（马上通知群主和县里），或：没有危险。',
    button: '有危险会马上通知群主和县里，请点下面的按钮。',
  }
  return [
    `有人受伤或有危险吗？${how[by]}`,
    report.callsInSilence
      ? `${minutes} 分钟没有回答，会先告诉他们，并说明还没有核实。`
      : '不回答就不通知任何人，您说的也不保存。',
  ].join('\n')
}

/** All of a report in one answer. */
export function reportWords(report: DangerReport, by: 'number' | 'word' = 'number'): string {
  return `${report.numbers}\n${report.done ?? questionWords(report, by)}`
}

/**
 * What somebody answers to the question whether anybody is in danger. With a yes help is called as for words that leave no
 * doubt; with a no nothing is kept of what they wrote. After help was called in their silence a yes confirms it to those
 * who were told, and a no ends it.
 * @returns what to answer; null: nothing was asked of them
 */
export async function answerDanger(rt: DomainRuntime, actor: Actor, isYes: boolean): Promise<string | null> {
  const standing = await standingCallOf(rt, actor)
  const call = standing && (await lockDangerCall(rt.db, standing.id))
  if (!call) return null
  const steps = await stepsOfCall(rt.db, call.id)
  const wasSilent = isUnconfirmed(steps)
  if (call.status !== 'asked' && !wasSilent) return null
  if (!isYes) {
    if (wasSilent) return null
    await settleCards(rt, { kind: 'danger_call', id: call.id }, '已回答：没有危险')
    await deleteDangerCall(rt.db, call.id)
    return '好的，没有通知任何人，刚才说的也不保存。有人受伤、有危险请随时发来。'
  }
  await settleCards(rt, { kind: 'danger_call', id: call.id }, '已回答：有危险')
  await insertDangerSteps(rt.db, [
    { callId: call.id, kind: 'affirmed', personId: call.personId, at: rt.clock.now() },
  ])
  if (wasSilent) {
    await tellAll(rt, call, `【危险 ${call.id}】${call.personName ?? '求助的人'}本人回答：有危险。`)
    return `已告诉刚才通知的同志：有危险。请再说清在哪里、几个人；没有事了请回：平安 ${call.id}`
  }
  return tellFirst(rt, call)
}

/** Somebody says plainly that there is danger, whatever else they wrote: help is called at once. */
export async function callHelp(rt: DomainRuntime, actor: Actor, text: string): Promise<DangerReport> {
  const standing = await standingCallOf(rt, actor)
  const report = { numbers: firstWords(text), askedId: null, callsInSilence: false }
  if (standing) return { ...report, done: await addWords(rt, standing, text, true) }
  const call = (await lockDangerCall(rt.db, await insertCall(rt, actor, 'open'))) as DangerCall
  await noteSaid(rt, call, text)
  return { ...report, done: await tellFirst(rt, call) }
}

/** Nobody has answered in time whether anybody is in danger: help is called as unconfirmed, or all is forgotten. */
export async function endQuestion(rt: DomainRuntime, call: DangerCall): Promise<void> {
  await settleCards(rt, { kind: 'danger_call', id: call.id }, '没有回答')
  if (!(await wordsSaid(rt, call.id)).some(callsInSilence)) return deleteDangerCall(rt.db, call.id)
  await insertDangerSteps(rt.db, [{ callId: call.id, kind: 'silent', at: rt.clock.now() }])
  const done = await tellFirst(rt, call)
  await sendToIdentity(rt, call.identityId, 'danger', `没有等到您的回答。${done}没有危险请回：没有危险`)
}

async function wordsSaid(rt: DomainRuntime, callId: number): Promise<string[]> {
  const steps = await stepsOfCall(rt.db, callId)
  return steps.flatMap(step =>
    step.kind === 'said' && step.textSealed ? [rt.vault.open(step.textSealed)] : [],
  )
}

/**
 * What somebody says after they have called for help, whatever it is: where they are, how it goes on.
 * @returns what to answer; null: no call of theirs stands
 */
export async function followUp(rt: DomainRuntime, actor: Actor, text: string): Promise<string | null> {
  const standing = await standingCallOf(rt, actor)
  // until they have said that somebody is in danger, what they say is heard as usual
  if (!standing || standing.status === 'asked') return null
  const done = await addWords(rt, standing, text, false)
  return `${done}情况紧急请打 110、120、119；没有事了请回：平安 ${standing.id}`
}

/** The call of somebody that has not ended, and in which they said something of late. */
export function standingCallOf(rt: DomainRuntime, actor: Actor): Promise<DangerCall | null> {
  const since = new Date(rt.clock.now().getTime() - dangerRules.sameMinutes.value * MINUTE_MS)
  return standingCall(rt.db, { identityId: actor.identityId, personId: actor.person?.id ?? null }, since)
}

async function insertCall(rt: DomainRuntime, actor: Actor, status: 'asked' | 'open'): Promise<number> {
  const now = rt.clock.now()
  const personId = actor.person?.id ?? null
  const [place] = await placesOfCall(rt, { identityId: actor.identityId, personId })
  return insertDangerCall(rt.db, {
    identityId: actor.identityId,
    personId,
    unitId: place?.unitId ?? null,
    status,
    stage: 'first',
    dueAt: status === 'asked' ? minutesFrom(now, dangerRules.doubt.minutes) : null,
    createdAt: now,
  })
}

/** Help is called: whoever is to hear of it first does. @returns what to tell who called */
async function tellFirst(rt: DomainRuntime, { id, unitId, unitName }: DangerCall): Promise<string> {
  const now = rt.clock.now()
  await updateDangerCall(rt.db, id, {
    status: 'open',
    dueAt: unitId === null ? null : minutesFrom(now, dangerRules.levels.unanswered.minutes),
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'danger.reported',
    subjectKind: 'danger_call',
    subjectId: id,
    details: { unitId },
  })
  const told = await tellStage(rt, (await lockDangerCall(rt.db, id)) as DangerCall, 'first')
  if (!told.some(person => person.isOfficer)) await alarm(rt, unitName, unitId)
  if (told.length === 0) return nobodyWords(unitId)
  const names = [...new Set(told.map(person => person.name))]
  return `已马上告诉${names.slice(0, 4).join('、')}${names.length > 4 ? '等' : ''}（第 ${id} 号）。请再说清在哪里、几个人；没有事了请回：平安 ${id}`
}

/** Words that belong to a call: to those who were told, at most once a minute, so that no other call waits for them. */
async function addWords(
  rt: DomainRuntime,
  { id }: DangerCall,
  text: string,
  isDanger: boolean,
): Promise<string> {
  const now = rt.clock.now()
  const call = (await lockDangerCall(rt.db, id)) as DangerCall
  await noteSaid(rt, call, text)
  if (isDanger && call.status === 'answered')
    await updateDangerCall(rt.db, id, {
      status: 'open',
      dueAt: call.stage === 'confirmed' ? null : minutesFrom(now, dangerRules.levels.unanswered.minutes),
    })
  // somebody may have come within reach since
  if ((await toldOf(rt.db, id)).size === 0)
    return (await tellStage(rt, call, 'first')).length > 0 ? passedWords : nobodyWords(call.unitId)
  return (await passOnWords(rt, call)) ? passedWords : '您说的马上一并转告刚才通知的同志。'
}

const passedWords = '您说的已转告刚才通知的同志。'

function noteSaid(
  rt: DomainRuntime,
  call: { id: number; personId: number | null },
  text: string,
): Promise<void> {
  return insertDangerSteps(rt.db, [
    {
      callId: call.id,
      kind: 'said',
      personId: call.personId,
      textSealed: rt.vault.seal(text),
      at: rt.clock.now(),
    },
  ])
}

function nobodyWords(unitId: number | null): string {
  const why = unitId === null ? '我还不知道您在哪里，没有能通知的人' : '现在没有能通知到的人'
  return `${why}：请直接打上面的电话，并联系身边的人。`
}

/** No officer could be told: who looks after the server must see to it that somebody can be. */
async function alarm(rt: DomainRuntime, unitName: string | null, unitId: number | null): Promise<void> {
  const words =
    unitName === null
      ? '有不知道在哪里的人求助，没有人可以通知，已请本人直接打电话。'
      : `${unitName}有人求助，往上各级没有一个能收到消息的负责同志，已请本人直接打电话。请马上联系当地，并让各级绑定账号。`
  await raiseAlarm(rt.db, `danger:nobody:${unitId ?? 'unplaced'}`, words, rt.clock.now())
}

export function minutesFrom(now: Date, minutes: number): Date {
  return new Date(now.getTime() + minutes * MINUTE_MS)
}
