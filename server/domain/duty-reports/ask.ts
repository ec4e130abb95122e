import { countyReports, noteRound } from '../../../db/queries/duty-reports.ts'
import { roleHolders } from '../../../db/queries/units.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor, managingPairs } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { dateWords, dutyReportRules, periodAt, periodWords, roundOn } from './rules.ts'

/** More counties than there are. */
const ALL = 10_000
const MAX_NAMED = 20

/**
 * Asks the counties for their two-monthly report on its day, reminds those who have not sent it, and names the late ones
 * to the level above: each once, whenever the job runs. @returns how many persons were written to
 */
export function askForDutyReports(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const step = roundOn(now)
    const { period, dueOn } = periodAt(now)
    if (step === null || !(await noteRound(tx.db, period, step, now))) return 0
    const { unitLevel, programme } = dutyReportRules
    const late = await countyReports(tx.db, '/', period, unitLevel, programme, {
      limit: ALL,
      offset: 0,
      isLateOnly: true,
    })
    const messages =
      step === 'late'
        ? await toLevelsAbove(tx, late, period)
        : await toCounties(tx, late, period, dueOn, step)
    await sendToPersons(tx, messages, step === 'ask' ? 'task' : 'reminder')
    return messages.length
  })
}

type Late = Awaited<ReturnType<typeof countyReports>>
type Messages = { personId: number; text: string }[]

/** One message to each person who answers for a county: with the list, where it is several. */
async function toCounties(
  rt: DomainRuntime,
  late: Late,
  period: string,
  dueOn: string,
  step: 'ask' | 'remind',
): Promise<Messages> {
  const unitIds = late.map(county => county.unitId)
  const roles = managingPairs(rt.templates).filter(pair => pair.programme === dutyReportRules.programme)
  const holders = await roleHolders(
    rt.db,
    unitIds,
    roles.map(pair => pair.role),
  )
  const own = new Set(holders.map(holder => `${holder.personId} ${holder.unitId}`))
  const answered = await countiesByPerson(rt, late, county => county.unitId)
  const by = dateWords(dueOn)
  return [...answered].map(([personId, counties]) => {
    const isForOthers = counties.some(county => !own.has(`${personId} ${county.unitId}`))
    const [first] = counties
    const where = counties.length === 1 ? first?.unitName : ` ${counties.length} 个县区`
    const head =
      step === 'ask'
        ? `【双月报告】请报送${where}${periodWords(period)}志愿者在岗情况及重大安全事故（全国项目办发〔2020〕3号 三.7），${by}前。`
        : `【提醒】${where}${periodWords(period)}的双月报告还没有报，${by}截止。`
    const list = counties.length === 1 ? '' : `${namesOf(counties)}。`
    const why = isForOthers ? '县里还没有能报的同志，所以请您代报。' : ''
    const words = isForOthers || counties.length > 1 ? `双月报告 ${first?.unitName}` : '双月报告'
    const each = counties.length > 1 ? '，一个县一次' : ''
    const how = step === 'ask' ? '（名册上的人数已替您算好，核对即可；没有事故也要报）' : ''
    return { personId, text: `${head}${list}${why}请回复：${words}${each}${how}` }
  })
}

async function toLevelsAbove(rt: DomainRuntime, late: Late, period: string): Promise<Messages> {
  const below = late.filter(county => county.parentId !== null)
  const answered = await countiesByPerson(rt, below, county => county.parentId as number)
  return [...answered].map(([personId, counties]) => ({
    personId,
    text: `【双月报告】${periodWords(period)}的报告已过期限，这些县区还没有报：${namesOf(counties)}。请催一催，也可以代报，请回复：双月报告 ${counties[0]?.unitName}。汇总请看网页“双月报告”或回复：双月报告`,
  }))
}

function namesOf(counties: Late): string {
  const names = counties.slice(0, MAX_NAMED).map(county => county.unitName)
  return `${names.join('、')}${counties.length > names.length ? `等 ${counties.length} 个` : ''}`
}

/** The counties of each person who answers for the unit that `unitOf` names. */
async function countiesByPerson(
  rt: DomainRuntime,
  counties: Late,
  unitOf: (county: Late[number]) => number,
): Promise<Map<number, Late>> {
  const answerers = await answerersFor(rt, counties.map(unitOf))
  const found = new Map<number, Late>()
  for (const county of counties)
    for (const personId of answerers.get(unitOf(county)) ?? []) {
      const list = found.get(personId)
      if (list) list.push(county)
      else found.set(personId, [county])
    }
  return found
}
