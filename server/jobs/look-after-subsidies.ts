import { raiseAlarm } from '../../db/queries/alarms.ts'
import { runsToCompare } from '../../db/queries/subsidies.ts'
import { addDays, dayOf, shanghaiMoment } from '../clock.ts'
import { KEPT_DAYS } from '../domain/subsidies/bill-state.ts'
import { tellOffices } from '../domain/subsidies/tell-offices.ts'
import type { Runtime } from '../runtime.ts'
import { comparePayments } from './compare-payments.ts'

/**
 * Every morning: holds the lists of which a payment has ended since they were last compared against the platform, with an
 * alarm where they differ, and tells the offices what waits. What a missed morning left behind is made up for.
 */
export async function lookAfterSubsidies(rt: Runtime, signal?: AbortSignal): Promise<void> {
  if (rt.channels.wechatPay) await compareEnded(rt, signal)
  await tellOffices(rt)
}

async function compareEnded(rt: Runtime, signal?: AbortSignal): Promise<void> {
  const today = dayOf(rt.clock.now())
  const runs = await runsToCompare(
    rt.db,
    shanghaiMoment(addDays(today, 1 - KEPT_DAYS)),
    shanghaiMoment(today),
  )
  for (const runId of runs) {
    if (signal?.aborted) return
    const { differences } = await comparePayments(rt, runId, null)
    if (differences.length > 0)
      await raiseAlarm(
        rt.db,
        `pay-comparison:${runId}`,
        `补贴名单 ${runId} 和微信支付对账，${differences.length} 笔不一致。请让学校项目办在补贴页面核实，先不要另行付款。`,
        rt.clock.now(),
      )
  }
}
