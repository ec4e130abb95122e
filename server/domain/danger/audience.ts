import { officesAbove } from '../../../db/queries/answerers.ts'
import {
  accountsOf,
  type DangerCall,
  type DangerPlace,
  type DangerStage,
  ownersOfGroupsOf,
  placeAskedFor,
  placesOfCaller,
} from '../../../db/queries/danger.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managingPairs } from '../groups/managers.ts'
import { dangerRules, namesSomebody } from './rules.ts'

/** Somebody who is told of a call. An owner may say that they come; what it was is an officer's to say. */
export interface Listener {
  id: number
  name: string
  isOfficer: boolean
}

type Office = Awaited<ReturnType<typeof officesAbove>>[number]

/** Where who calls belongs, the likeliest place first. */
export async function placesOfCall(
  rt: DomainRuntime,
  caller: { identityId: number; personId: number | null },
): Promise<DangerPlace[]> {
  if (caller.personId !== null) return placesOfCaller(rt.db, caller.personId, dangerRules.places.value)
  const asked = await placeAskedFor(rt.db, caller.identityId)
  return asked ? [asked] : []
}

/** For each place the offices that have a say, the nearest first: the county's and those above; the branch's is not one. */
async function linesOf(rt: DomainRuntime, call: DangerCall): Promise<Office[][]> {
  const managing = managingPairs(rt.templates)
  const lines: Office[][] = []
  for (const { unitId } of await placesOfCall(rt, call)) {
    const line = await officesAbove(rt.db, unitId, managing)
    const county = line.findIndex(office => dangerRules.levels.first.includes(office.level))
    lines.push(line.slice(Math.max(0, county)))
  }
  return lines
}

/** Whether a person runs one of the offices that have a say in a call. */
export async function isOfficerOf(rt: DomainRuntime, call: DangerCall, personId: number): Promise<boolean> {
  const lines = await linesOf(rt, call)
  return lines.flat().some(office => office.readers.some(reader => reader.id === personId))
}

/**
 * Those whom a stage is for and who have not been told: all who run the nearest office of its levels, or, where nobody of
 * it can be written to, the next above it that has somebody; once it is confirmed or late, all above.
 * @param said what was said so far
 */
export async function audienceOf(
  rt: DomainRuntime,
  call: DangerCall,
  stage: DangerStage,
  { told, said }: { told: ReadonlySet<number>; said: string },
): Promise<Listener[]> {
  const lines = await linesOf(rt, call)
  const owners =
    stage === 'first' && call.personId !== null
      ? (await ownersOfGroupsOf(rt.db, call.personId)).filter(owner => !namesSomebody(said, owner.name))
      : []
  const readers = lines.flatMap(line => line.flatMap(office => office.readers))
  const accounts = await accountsOf(
    rt.db,
    [...readers, ...owners].map(person => person.id),
  )
  const reached = new Set(accounts.map(account => account.personId))
  const isMeant = (id: number) => id !== call.personId && reached.has(id) && !told.has(id)
  const found = new Map<number, Listener>()
  for (const office of lines.flatMap(line => officesFor(line, stage, isMeant)))
    for (const { id, name } of office.readers)
      if (isMeant(id) && !found.has(id)) found.set(id, { id, name: `${office.name}${name}`, isOfficer: true })
  for (const { id } of owners)
    if (isMeant(id) && !found.has(id)) found.set(id, { id, name: '群主', isOfficer: false })
  return [...found.values()]
}

function officesFor(line: Office[], stage: DangerStage, isMeant: (id: number) => boolean): Office[] {
  if (stage === 'confirmed') return line
  const levels = stage === 'first' ? dangerRules.levels.first : dangerRules.levels.unanswered.levels
  const from = line.findIndex(office => levels.includes(office.level))
  const nearest = line
    .slice(Math.max(0, from))
    .find(office => office.readers.some(reader => isMeant(reader.id)))
  return nearest ? [nearest] : []
}
