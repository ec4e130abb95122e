import { describeError } from '../../db/errors.ts'
import { noteReportSent } from '../../db/queries/records.ts'
import { roleHolders, type UnitRow, unitsOfProgramme } from '../../db/queries/units.ts'
import { addMonths, monthOf } from '../clock.ts'
import { sendToPerson } from '../domain/outgoing/enqueue.ts'
import { makeFile } from '../domain/pages/make-page.ts'
import { exportTrackingSheet } from '../domain/reports/export.ts'
import { type DomainRuntime, inTransaction, type Runtime } from '../runtime.ts'

/**
 * Sends last month's tracking sheet to those who run each county, once: a county that has it is passed over, one that
 * failed is tried again at the next run. Returns how many sheets were made.
 */
export async function sendMonthlyReports(rt: Runtime): Promise<number> {
  const month = addMonths(monthOf(rt.clock.now()), -1)
  let count = 0
  for (const programme of rt.templates.programmes.filter(each => each.messageCategories)) {
    const managing = programme.roles.filter(role => role.manages).map(role => role.id)
    for (const county of (await unitsOfProgramme(rt.db, programme.id)).filter(
      unit => unit.level === 'county',
    ))
      try {
        if (await inTransaction(rt, tx => sendReport(tx, county, month, managing))) count++
      } catch (error) {
        rt.log.error({ unitId: county.id, ...describeError(error) }, 'a monthly report could not be made')
      }
  }
  return count
}

async function sendReport(
  rt: DomainRuntime,
  county: UnitRow,
  month: string,
  managing: string[],
): Promise<boolean> {
  const holders = new Set((await roleHolders(rt.db, [county.id], managing)).map(holder => holder.personId))
  if (holders.size === 0 || !(await noteReportSent(rt.db, county.id, month, rt.clock.now()))) return false
  const { file, fileName } = await exportTrackingSheet(rt, county, month, { name: '', contact: '' })
  for (const personId of holders) {
    const link = await makeFile(rt, { personId }, fileName, file)
    await sendToPerson(
      rt,
      personId,
      'report',
      `【月报】${county.name} ${month} 跟踪摸底表已生成，请核对：${link}\n要改类别或补登，请群主向机器人登记后发送“月报 ${month}”重新生成。`,
    )
  }
  return true
}
