import type { DueDelivery } from '../../../db/queries/cascade.ts'
import type { StepTo } from './rules.ts'

/** Somebody who is asked about one delivery. */
export interface Ask {
  personId: number
  delivery: DueDelivery
  /** `owner` is reminded of their own group, the others are asked to see to somebody else's. */
  as: StepTo
}

export interface AskFacts {
  /** Who answers for a unit, or for the next above it where nobody does (专人, else those who run it). */
  answerersOf(unitId: number): readonly number[]
  /** The path of the unit that sent the notice: nobody above it is asked. */
  noticeUnitPath: string
  authorId: number
  /** Has an account that can be written to. */
  canReach(personId: number): boolean
  /** Was asked about this very delivery before. */
  wasAsked(personId: number): boolean
}

/**
 * Whom a step of the escalation asks about a group without the notice (催办): the owner; those who answer for its unit;
 * those of the unit above. Where nobody of a step has an account, the next is asked at once: waiting would reach nobody.
 * Where the unit above has been asked before its turn, the next above it is, up to the unit that sent the notice and its
 * author: a unit with nobody but the owner would otherwise have one chance less. Nobody is asked twice to see to the same
 * group, nor to see to what is theirs to relay.
 */
export function whomToAsk(delivery: DueDelivery, facts: AskFacts): Ask[] {
  const { ownerId, route, status } = delivery
  const others = (as: StepTo, personIds: readonly number[]) =>
    [...new Set(personIds)]
      .filter(personId => personId !== ownerId && facts.canReach(personId) && !facts.wasAsked(personId))
      .map((personId): Ask => ({ personId, delivery, as }))
  const above = () => {
    for (const unitId of unitsAbove(delivery.unitPath, facts.noticeUnitPath)) {
      const asks = others('unit-above', facts.answerersOf(unitId))
      if (asks.length > 0) return asks
    }
    return others('unit-above', [facts.authorId])
  }
  const unitOrAbove = () => {
    const own = others('unit', facts.answerersOf(delivery.unitId))
    return own.length > 0 ? own : above()
  }
  if (delivery.to === 'unit-above') return above()
  if (delivery.to === 'unit' || ownerId === null || !facts.canReach(ownerId)) return unitOrAbove()
  // a robot may still post, a task still be made, the request to relay still be on its way
  if (status === 'pending') return []
  const isTheirs = route === 'relay' || route === 'mass' || status === 'unknown'
  return isTheirs ? [{ personId: ownerId, delivery, as: 'owner' }] : []
}

/** The units above one, the nearest first, up to the one that sent the notice. */
export function unitsAbove(unitPath: string, noticeUnitPath: string): number[] {
  const idsOf = (path: string) => path.split('/').filter(Boolean).map(Number)
  return idsOf(unitPath)
    .slice(idsOf(noticeUnitPath).length - 1, -1)
    .reverse()
}

/** What one person is asked in one message. */
export interface Bundle {
  personId: number
  asks: Ask[]
}

/**
 * One message to each person, whatever they are asked and about how many notices; nothing about a notice of which they
 * have had enough messages.
 * @param had how many messages about a notice a person has had, by `noticeId personId`, the request to relay included
 */
export function bundle(
  asks: readonly Ask[],
  had: ReadonlyMap<string, number>,
  maxMessages: number,
): Bundle[] {
  const bundles = new Map<number, Ask[]>()
  for (const ask of asks) {
    if ((had.get(`${ask.delivery.noticeId} ${ask.personId}`) ?? 0) >= maxMessages) continue
    const theirs = bundles.get(ask.personId) ?? []
    theirs.push(ask)
    bundles.set(ask.personId, theirs)
  }
  return [...bundles].map(([personId, own]) => ({ personId, asks: own }))
}
