import { raiseAlarm } from '../../../db/queries/alarms.ts'
import {
  type DangerCall,
  insertDangerCall,
  insertDangerSteps,
  lockDangerCall,
  standingCall,
  toldOf,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { placesOfCall } from './audience.ts'
import { dangerRules, firstWords } from './rules.ts'
import { passOnWords, tellStage } from './tell.ts'

const MINUTE_MS = 60_000

/**
 * Somebody has spoken of a person in danger: they get the numbers to call at once, and the owners of their groups and all
 * who run the county hear of it by every account they have. What the same person says next belongs to it; after it has
 * ended, a false alarm or not, the next is a call of its own.
 * @returns what to answer
 */
export async function reportDanger(rt: DomainRuntime, actor: Actor, text: string): Promise<string> {
  const standing = await standingCallOf(rt, actor)
  const done = standing ? await addWords(rt, standing, text, true) : await openCall(rt, actor, text)
  return `${firstWords(text)}\n${done}`
}

/**
 * What somebody says after they have called for help, whatever it is: where they are, how it goes on.
 * @returns what to answer; null: no call of theirs stands
 */
export async function followUp(rt: DomainRuntime, actor: Actor, text: string): Promise<string | null> {
  const standing = await standingCallOf(rt, actor)
  if (!standing) return null
  const done = await addWords(rt, standing, text, false)
  return `${done}情况紧急请打 110、120、119；没有事了请回：平安 ${standing.id}`
}

function standingCallOf(rt: DomainRuntime, actor: Actor): Promise<DangerCall | null> {
  const since = new Date(rt.clock.now().getTime() - dangerRules.sameMinutes.value * MINUTE_MS)
  return standingCall(rt.db, { identityId: actor.identityId, personId: actor.person?.id ?? null }, since)
}

async function openCall(rt: DomainRuntime, actor: Actor, text: string): Promise<string> {
  const now = rt.clock.now()
  const personId = actor.person?.id ?? null
  const [place] = await placesOfCall(rt, { identityId: actor.identityId, personId })
  const unitId = place?.unitId ?? null
  const id = await insertDangerCall(rt.db, {
    identityId: actor.identityId,
    personId,
    unitId,
    status: 'open',
    stage: 'first',
    dueAt: unitId === null ? null : minutesFrom(now, dangerRules.levels.unanswered.minutes),
    createdAt: now,
  })
  await noteSaid(rt, { id, personId }, text)
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'danger.reported',
    subjectKind: 'danger_call',
    subjectId: id,
    details: { unitId },
  })
  const told = await tellStage(rt, (await lockDangerCall(rt.db, id)) as DangerCall, 'first')
  if (!told.some(person => person.isOfficer)) await alarm(rt, place?.unitName ?? null, unitId)
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
