import {
  accountsOf,
  type DangerCall,
  type DangerStage,
  type DangerStep,
  insertDangerSteps,
  stepsOfCall,
  toldOf,
  updateDangerCall,
} from '../../../db/queries/danger.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { audienceOf, isOfficerOf, type Listener, placesOfCall } from './audience.ts'
import { maskedPhoneOf } from './phone.ts'
import { dangerRules, namesSomebody } from './rules.ts'

const MAX_SHOWN = 400
const MAX_GROUPS = 3

/** Tells those of a stage who have not been told and who can be written to. @returns who they are */
export async function tellStage(
  rt: DomainRuntime,
  call: DangerCall,
  stage: DangerStage,
): Promise<Listener[]> {
  const now = rt.clock.now()
  const steps = await stepsOfCall(rt.db, call.id)
  const words = saidIn(rt, steps)
  const told = await toldOf(rt.db, call.id)
  const fresh = await audienceOf(rt, call, stage, { told, said: words.join('\n') })
  const shown = words.length > 3 ? [words[0] as string, ...words.slice(-2)] : words
  const head = [
    `【可能有人有危险 ${call.id}${whyWords(call, stage)}】${isUnconfirmed(steps) ? '（没有核实：问了本人有没有危险，没有回答）' : ''}${await whoCalls(rt, call)}${chineseMoment(call.createdAt)}对机器人说：`,
    ...shown,
    '——',
    '请马上联系本人和当地，必要时打 110、120、119。',
  ].join('\n')
  const id = call.id
  const phone = await maskedPhoneOf(rt, call)
  const phoneWords = phone === null ? '' : `本人手机 ${phone}，看全号请回：电话 ${id}（本人会知道谁看过）。`
  for (const isOfficer of [true, false])
    await sendTo(
      rt,
      fresh.filter(person => person.isOfficer === isOfficer).map(person => person.id),
      isOfficer
        ? `${head}${phoneWords}我来处理请回：到 ${id}；属实请回：属实 ${id}；误报请回：误报 ${id}；平安了请回：平安 ${id}`
        : `${head}我来处理请回：到 ${id}（是否属实由负责的同志登记）`,
    )
  await insertDangerSteps(
    rt.db,
    fresh.map(person => ({ callId: id, kind: 'told', personId: person.id, at: now })),
  )
  return fresh
}

/** Whether help was called without a word of who called that somebody is in danger. */
export function isUnconfirmed(steps: readonly DangerStep[]): boolean {
  const silent = steps.findLastIndex(step => step.kind === 'silent')
  return silent >= 0 && !steps.slice(silent).some(step => step.kind === 'affirmed')
}

function whyWords(call: DangerCall, stage: DangerStage): string {
  if (stage === 'first') return ''
  if (call.status === 'answered') return '，有人应答，还没有办完'
  return stage === 'unanswered' ? '，还没有人应答' : '，请知悉、督办'
}

/** Who it is and where they can be asked for. */
async function whoCalls(rt: DomainRuntime, call: DangerCall): Promise<string> {
  const places = await placesOfCall(rt, call)
  const groups = [...new Set(places.flatMap(place => place.groups))].slice(0, MAX_GROUPS)
  const units = places.map(place => place.unitName).join('、')
  const inGroups = `${call.personId === null ? '申请过入群' : '所在群'}：${groups.join('、')}`
  const where = [units, ...(groups.length > 0 ? [inGroups] : [])].filter(part => part !== '')
  return `${call.personName ?? '还没有绑定的微信用户'}${where.length > 0 ? `（${where.join('，')}）` : ''}`
}

/**
 * Passes on what was said since the last time, now or when the time for it has come (`passOn` of the policy).
 * @returns whether it went now
 */
export async function passOnWords(rt: DomainRuntime, call: DangerCall): Promise<boolean> {
  const now = rt.clock.now()
  const steps = await stepsOfCall(rt.db, call.id)
  const passed = steps.findLast(step => step.kind === 'passed')
  const next = passed ? passed.at.getTime() + dangerRules.passOn.seconds * 1000 : now.getTime()
  if (next > now.getTime()) {
    await updateDangerCall(rt.db, call.id, { passOnAt: new Date(next) })
    return false
  }
  // the first words went out with the call itself
  const after = passed?.id ?? steps.find(step => step.kind === 'said')?.id ?? 0
  const words = saidIn(
    rt,
    steps.filter(step => step.id > after),
  )
  if (words.length > 0) {
    const text = `【危险 ${call.id}，又说】${call.personName ?? '求助的人'}：\n${words.slice(-3).join('\n')}`
    await tellAll(rt, call, text, await ownersIn(rt, call, { steps, text: words.join('\n') }))
  }
  await insertDangerSteps(rt.db, [{ callId: call.id, kind: 'passed', at: now }])
  await updateDangerCall(rt.db, call.id, { passOnAt: null })
  return true
}

/** Owners who were told and whom the words are about. */
async function ownersIn(
  rt: DomainRuntime,
  call: DangerCall,
  { steps, text }: { steps: DangerStep[]; text: string },
): Promise<number[]> {
  const found: number[] = []
  for (const { kind, personId, personName } of steps)
    if (kind === 'told' && personId !== null && namesSomebody(text, personName ?? ''))
      if (!(await isOfficerOf(rt, call, personId))) found.push(personId)
  return found
}

/** A short word to all who were told of a call, save some. */
export async function tellAll(
  rt: DomainRuntime,
  call: DangerCall,
  text: string,
  exceptIds: readonly number[] = [],
): Promise<void> {
  const told = await toldOf(rt.db, call.id)
  await sendTo(
    rt,
    [...told].filter(id => !exceptIds.includes(id)),
    text,
  )
}

/** By every account that they have: whichever is looked at first. */
async function sendTo(rt: DomainRuntime, personIds: number[], text: string): Promise<void> {
  for (const { identityId } of await accountsOf(rt.db, personIds))
    await sendToIdentity(rt, identityId, 'danger', text)
}

/** With all numbers in them: whoever is told must be able to ring up at once. */
function saidIn(rt: DomainRuntime, steps: DangerStep[]): string[] {
  return steps
    .filter(step => step.kind === 'said' && step.textSealed !== null)
    .map(step => [...rt.vault.open(step.textSealed as string)].slice(0, MAX_SHOWN).join(''))
}
