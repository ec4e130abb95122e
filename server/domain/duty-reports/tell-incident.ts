import { type UnitRow, unitsAbove } from '../../../db/queries/units.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { periodWords } from './rules.ts'

interface Told {
  incidents: number
  /** Numbers are masked already. */
  note: string
}

/**
 * What those above are told of a county's serious incidents; null: nothing that they do not know.
 * @param before what the county's report said until now
 */
export function incidentWords(
  unitName: string,
  period: string,
  said: Told,
  before: Told | null,
  now: Date,
): string | null {
  const was = before?.incidents ?? 0
  if (said.incidents === 0 && was === 0) return null
  if (said.incidents === was && said.note === before?.note) return null
  const where = `${unitName}${chineseMoment(now)}在${periodWords(period)}双月报告里`
  const end = '请马上与当地核实、处置，并按规定上报。全部情况见网页“双月报告”。'
  if (said.incidents === 0)
    return `【重大安全事故更正】${where}把 ${was} 起改成了 0 起。原来报的是：\n${before?.note ?? ''}\n——\n请与当地核实。`
  return was > 0
    ? `【重大安全事故更正】${where}改报 ${said.incidents} 起（原报 ${was} 起）：\n${said.note}\n——\n${end}`
    : `【重大安全事故】${where}报告 ${said.incidents} 起：\n${said.note}\n——\n${end}`
}

/** Tells those who answer for each level above a county, up to the nation; in the caller's transaction. @returns how many */
export async function tellLevelsAbove(
  rt: DomainRuntime,
  unit: UnitRow,
  text: string,
  exceptId: number,
): Promise<number> {
  const above = (await unitsAbove(rt.db, unit.path)).filter(each => each.id !== unit.id)
  const answerers = await answerersFor(
    rt,
    above.map(each => each.id),
  )
  const personIds = new Set([...answerers.values()].flat())
  personIds.delete(exceptId)
  await sendToPersons(
    rt,
    [...personIds].map(personId => ({ personId, text })),
    'escalation',
  )
  return personIds.size
}
