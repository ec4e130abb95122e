import { roleHolders, unitsOfProgramme } from '../../db/queries/units.ts'
import { addMonths, monthOf } from '../clock.ts'
import { sendToPerson } from '../domain/outgoing/enqueue.ts'
import { makeFile } from '../domain/pages/make-page.ts'
import { exportTrackingSheet } from '../domain/reports/export.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** Sends last month's tracking sheet to those who run each county. Returns how many sheets were made. */
export async function sendMonthlyReports(rt: Runtime): Promise<number> {
  const month = addMonths(monthOf(rt.clock.now()), -1)
  let count = 0
  for (const programme of rt.templates.programmes.filter(each => each.messageCategories)) {
    const managing = programme.roles.filter(role => role.manages).map(role => role.id)
    for (const county of (await unitsOfProgramme(rt.db, programme.id)).filter(
      unit => unit.level === 'county',
    )) {
      const holders = new Set(
        (await roleHolders(rt.db, [county.id], managing)).map(holder => holder.personId),
      )
      if (holders.size === 0) continue
      await inTransaction(rt, async tx => {
        const { file, fileName } = await exportTrackingSheet(tx, county, month, { name: '', contact: '' })
        for (const personId of holders) {
          const link = await makeFile(tx, { personId }, fileName, file)
          await sendToPerson(
            tx,
            personId,
            'report',
            `【月报】${county.name} ${month} 跟踪摸底表已生成，请核对：${link}\n要改类别或补登，请群主向机器人登记后发送“月报 ${month}”重新生成。`,
          )
        }
      })
      count++
    }
  }
  return count
}
