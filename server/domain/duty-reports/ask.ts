import { countyReports, noteRound } from '../../../db/queries/duty-reports.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { dutyReportRules, periodAt, periodWords, roundOn } from './rules.ts'

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

async function toCounties(
  rt: DomainRuntime,
  late: Late,
  period: string,
  dueOn: string,
  step: 'ask' | 'remind',
): Promise<{ personId: number; text: string }[]> {
  const answerers = await answerersFor(
    rt,
    late.map(county => county.unitId),
  )
  const by = `${Number(dueOn.slice(5, 7))}月${Number(dueOn.slice(8))}日`
  return late.flatMap(county =>
    (answerers.get(county.unitId) ?? []).map(personId => ({
      personId,
      text:
        step === 'ask'
          ? `【双月报告】请报送${county.unitName}${periodWords(period)}志愿者在岗情况及重大安全事故（全国项目办发〔2020〕3号 三.7），${by}前。请回复：双月报告（名册的人数已替您算好，核对即可；没有事故也要报）`
          : `【提醒】${county.unitName}${periodWords(period)}的双月报告还没有报，${by}截止。请回复：双月报告`,
    })),
  )
}

async function toLevelsAbove(
  rt: DomainRuntime,
  late: Late,
  period: string,
): Promise<{ personId: number; text: string }[]> {
  const byAbove = Map.groupBy(
    late.filter(county => county.parentId !== null),
    county => county.parentId as number,
  )
  const answerers = await answerersFor(rt, [...byAbove.keys()])
  return [...byAbove].flatMap(([aboveId, counties]) => {
    const names = counties.slice(0, MAX_NAMED).map(county => county.unitName)
    const more = counties.length > names.length ? `等 ${counties.length} 个` : ''
    const text = `【双月报告】${periodWords(period)}的报告已过期限，这些县区还没有报：${names.join('、')}${more}。请催报；汇总请看网页“双月报告”或回复：双月报告`
    return (answerers.get(aboveId) ?? []).map(personId => ({ personId, text }))
  })
}
