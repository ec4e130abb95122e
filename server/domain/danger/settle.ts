import {
  type DangerCall,
  deleteDangerCall,
  insertDangerSteps,
  lockDangerCall,
  putOffCall,
  stepsOfCall,
  takeDueCalls,
  toldOf,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { Actor, KnownActor } from '../actor.ts'
import { keepFalseDanger } from '../messages/claim-false-alarm.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { isOfficerOf } from './audience.ts'
import { endQuestion, minutesFrom, standingCallOf } from './report.ts'
import { dangerRules } from './rules.ts'
import { passOnWords, tellAll, tellStage } from './tell.ts'

export type DangerWord = 'answered' | 'confirmed' | 'false_alarm' | 'closed'

const ended = ['false_alarm', 'closed']
/** How long a call that could not be handled is left before it is tried again. */
const RETRY_MINUTES = 1

/** Who says a word about a call: who called, an officer who has a say, or an owner who was told. */
type Speaker = 'caller' | 'officer' | 'owner'

/**
 * What somebody who was told of a call says about it; who called may say that all is well, which ends it unless it is
 * confirmed. An owner says only that they come: the call goes up all the same until an officer has a word.
 * @throws DomainError `danger.unknown`, `danger.ended`, `danger.not_officer`
 */
export function settleDanger(
  rt: DomainRuntime,
  actor: Actor,
  { callId, word }: { callId: number; word: DangerWord },
): Promise<{ speaker: Speaker; isEnded: boolean }> {
  return inTransaction(rt, async tx => {
    const call = await lockDangerCall(tx.db, callId)
    const speaker = call && (await speakerIn(tx, call, actor, word))
    if (!call || !speaker)
      throw new DomainError('danger.unknown', `没有编号是 ${callId} 的求助，或没有通知过您。`)
    if (ended.includes(call.status))
      throw new DomainError(
        'danger.ended',
        `${call.id} 号已经结束（${call.status === 'closed' ? '平安' : '误报'}）。再有情况请直接发来。`,
      )
    if (speaker === 'owner' && word !== 'answered')
      throw new DomainError(
        'danger.not_officer',
        `是否属实、是否平安由县级以上负责的同志登记。您去处理请回：到 ${call.id}`,
      )
    // nobody was told of it yet, and nobody will be
    if (call.status === 'asked') {
      await deleteDangerCall(tx.db, call.id)
      return { speaker, isEnded: true }
    }
    const now = tx.clock.now()
    const personId = actor.person?.id ?? null
    const isOnlyNoted = speaker === 'caller' && call.status === 'confirmed'
    await insertDangerSteps(tx.db, [
      { callId: call.id, kind: isOnlyNoted ? 'safe' : word, personId, at: now },
    ])
    if (speaker === 'officer' || (speaker === 'caller' && !isOnlyNoted)) await follow(tx, call, word)
    await appendAudit(tx.db, {
      at: now,
      actorId: personId,
      action: `danger.${word}`,
      subjectKind: 'danger_call',
      subjectId: call.id,
      details: {},
    })
    if (speaker === 'officer' && word === 'false_alarm') await keepFalseWords(tx, actor as KnownActor, call)
    await tellAll(tx, call, sharedWords(call, actor, { speaker, word }), personId === null ? [] : [personId])
    if (speaker !== 'caller')
      await sendToIdentity(tx, call.identityId, 'danger', callerWords[word](actor.person?.name ?? ''))
    return { speaker, isEnded: ended.includes(word) && !isOnlyNoted }
  })
}

/** Who called says that nobody is in danger: their call is over. @returns what to answer; null: none of theirs stands */
export async function endOwnCall(rt: DomainRuntime, actor: Actor): Promise<string | null> {
  const standing = await standingCallOf(rt, actor)
  if (!standing) return null
  const { isEnded } = await settleDanger(rt, actor, { callId: standing.id, word: 'closed' })
  return isEnded
    ? `${standing.id} 号已登记为平安，已告诉刚才通知的同志。`
    : `知道了，已告诉处理的同志。${standing.id} 号核实过，由他们核对后结束。`
}

async function speakerIn(
  rt: DomainRuntime,
  call: DangerCall,
  actor: Actor,
  word: DangerWord,
): Promise<Speaker | null> {
  const isCaller =
    call.identityId === actor.identityId || (actor.person !== null && call.personId === actor.person.id)
  if (isCaller) return ended.includes(word) ? 'caller' : null
  if (!actor.person || !(await toldOf(rt.db, call.id)).has(actor.person.id)) return null
  return (await isOfficerOf(rt, call, actor.person.id)) ? 'officer' : 'owner'
}

/** The first words of a call that was none are learnt from. */
async function keepFalseWords(rt: DomainRuntime, actor: KnownActor, call: DangerCall): Promise<void> {
  const first = (await stepsOfCall(rt.db, call.id)).find(step => step.kind === 'said')
  if (!first?.textSealed) return
  const text = rt.vault.open(first.textSealed)
  await keepFalseDanger(rt, actor, { text, unitId: call.unitId, callerId: call.personId })
}

/** What follows from a word of somebody who has a say. */
async function follow(rt: DomainRuntime, call: DangerCall, word: DangerWord): Promise<void> {
  const now = rt.clock.now()
  if (word === 'confirmed') {
    await tellStage(rt, { ...call, status: 'confirmed' }, 'confirmed')
    return updateDangerCall(rt.db, call.id, { status: 'confirmed', stage: 'confirmed', dueAt: null })
  }
  if (ended.includes(word))
    return updateDangerCall(rt.db, call.id, { status: word, dueAt: null, passOnAt: null, endedAt: now })
  // a word that somebody sees to it holds nobody up who has confirmed it
  if (call.status === 'confirmed') return
  const isToldToAll = call.stage === 'confirmed'
  return updateDangerCall(rt.db, call.id, {
    status: 'answered',
    dueAt: isToldToAll ? null : minutesFrom(now, dangerRules.levels.confirmed.minutes),
  })
}

const wordNames: Record<DangerWord, string> = {
  answered: '我来处理',
  confirmed: '属实',
  false_alarm: '误报',
  closed: '平安',
}

function sharedWords(
  call: DangerCall,
  actor: Actor,
  { speaker, word }: { speaker: Speaker; word: DangerWord },
): string {
  const who =
    speaker === 'caller'
      ? `${call.personName ?? '求助的人'}本人`
      : `${speaker === 'owner' ? '群主' : ''}${actor.person?.name ?? ''}`
  const isOpen = speaker === 'caller' && call.status === 'confirmed'
  return `【危险 ${call.id}】${who}：${wordNames[word]}${isOpen ? `（已核实过，请负责的同志核对后登记：平安 ${call.id}）` : ''}`
}

const callerWords: Record<DangerWord, (name: string) => string> = {
  answered: name => `${name}看到了，正在处理。有变化请接着发来；情况紧急仍请打 110、120、119。`,
  confirmed: name => `${name}已核实并报告上级，请保持手机畅通。`,
  false_alarm: name => `${name}登记为没有危险。不是这样的话请马上再发一次，会重新通知。`,
  closed: name => `${name}登记为已平安。再有情况请随时发来。`,
}

/**
 * Passes on what waits, and tells the next levels of calls that nobody has answered or ended in time. A call that cannot be
 * handled holds up no other.
 * @returns how many calls were handled
 */
export function climbDueCalls(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    let handled = 0
    const now = tx.clock.now()
    for (const id of await takeDueCalls(tx.db, now, 100)) {
      try {
        await inTransaction(tx, within => handleDue(within, id))
        handled += 1
      } catch (error) {
        const name = error instanceof Error ? error.name : typeof error
        tx.log.error({ dangerCallId: id, error: name }, 'a call for help could not be handled')
        await putOffCall(tx.db, id, now, minutesFrom(now, RETRY_MINUTES))
      }
    }
    return handled
  })
}

async function handleDue(rt: DomainRuntime, id: number): Promise<void> {
  const now = rt.clock.now()
  const call = await lockDangerCall(rt.db, id)
  if (!call) return
  if (call.passOnAt !== null && call.passOnAt <= now) await passOnWords(rt, call)
  if (call.dueAt === null || call.dueAt > now) return
  if (call.status === 'asked') await endQuestion(rt, call)
  else await climb(rt, call)
}

async function climb(rt: DomainRuntime, call: DangerCall): Promise<void> {
  const { unanswered, confirmed } = dangerRules.levels
  if (call.stage === 'first') {
    await tellStage(rt, call, 'unanswered')
    await updateDangerCall(rt.db, call.id, {
      stage: 'unanswered',
      dueAt: minutesFrom(rt.clock.now(), confirmed.minutes - unanswered.minutes),
    })
  } else {
    await tellStage(rt, call, 'confirmed')
    await updateDangerCall(rt.db, call.id, { stage: 'confirmed', dueAt: null })
  }
}
