import {
  type DangerCall,
  insertDangerSteps,
  lockDangerCall,
  takeDueCalls,
  toldOf,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { climb, tellStage } from './report.ts'

export type DangerWord = 'answered' | 'confirmed' | 'false_alarm' | 'closed'

const ended = ['false_alarm', 'closed']

/**
 * What somebody who was told of a call says about it; who called may say that all is well.
 * @throws DomainError `danger.unknown`, `danger.ended`
 */
export function settleDanger(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { callId: number; word: DangerWord },
): Promise<DangerCall> {
  return inTransaction(rt, async tx => {
    const call = await lockDangerCall(tx.db, input.callId)
    const isCaller = call?.personId === actor.person.id
    const mayEnd = isCaller && ended.includes(input.word)
    if (!call || !(mayEnd || (await toldOf(tx.db, call.id)).has(actor.person.id)))
      throw new DomainError('danger.unknown', `没有编号是 ${input.callId} 的求助，或没有通知过您。`)
    if (ended.includes(call.status))
      throw new DomainError(
        'danger.ended',
        `${call.id} 号已经结束（${call.status === 'closed' ? '平安' : '误报'}）。再有情况请直接发来。`,
      )
    const now = tx.clock.now()
    await insertDangerSteps(tx.db, [
      { callId: call.id, kind: input.word, personId: actor.person.id, at: now },
    ])
    // a word that somebody sees to it holds nobody up who has confirmed it
    const status = input.word === 'answered' && call.status === 'confirmed' ? 'confirmed' : input.word
    const isEnd = ended.includes(input.word)
    if (input.word === 'confirmed') {
      await tellStage(tx, call, 'unanswered')
      await tellStage(tx, call, 'confirmed')
    }
    await updateDangerCall(tx.db, call.id, {
      status,
      stage: input.word === 'confirmed' ? 'confirmed' : call.stage,
      dueAt: null,
      ...(isEnd ? { endedAt: now } : {}),
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: `danger.${input.word}`,
      subjectKind: 'danger_call',
      subjectId: call.id,
      details: {},
    })
    if (!isCaller) await tellCaller(tx, actor, call, input.word)
    return { ...call, status }
  })
}

const callerWords: Record<DangerWord, (name: string) => string> = {
  answered: name => `${name}看到了，正在处理。有变化请接着发来；情况紧急仍请打 110、120、119。`,
  confirmed: name => `${name}已核实并报告上级，请保持手机畅通。`,
  false_alarm: name => `${name}登记为没有危险。不是这样的话请马上再发一次，会重新通知。`,
  closed: name => `${name}登记为已平安。再有情况请随时发来。`,
}

async function tellCaller(
  rt: DomainRuntime,
  actor: KnownActor,
  call: DangerCall,
  word: DangerWord,
): Promise<void> {
  await sendToIdentity(rt, call.identityId, 'escalation', callerWords[word](actor.person.name))
}

/** Calls that nobody has answered in time go up. @returns how many */
export function climbDueCalls(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    const ids = await takeDueCalls(tx.db, tx.clock.now(), 100)
    for (const id of ids) {
      const call = await lockDangerCall(tx.db, id)
      if (call) await climb(tx, call)
    }
    return ids.length
  })
}
