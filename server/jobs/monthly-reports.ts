import { describeError } from '../../db/errors.ts'
import { unitsToTell } from '../../db/queries/months.ts'
import { noteReportSent } from '../../db/queries/records.ts'
import { roleHolders, unitById } from '../../db/queries/units.ts'
import { addMonths, monthOf } from '../clock.ts'
import { rollUp } from '../domain/months/figures.ts'
import { monthSpan, signingLevels } from '../domain/months/rules.ts'
import { figuresWords, monthName } from '../domain/months/words.ts'
import { attachFile } from '../domain/outgoing/attach-file.ts'
import { sendWithFiles } from '../domain/outgoing/enqueue.ts'
import { drawPng } from '../domain/pictures/draw-png.ts'
import { drawMonth } from '../domain/pictures/month-pictures.ts'
import { exportTrackingSheet } from '../domain/reports/export.ts'
import { type DomainRuntime, inTransaction, type Runtime } from '../runtime.ts'

/** Who has a sheet of their own; the levels above get the picture and the sums. */
const SHEET_LEVEL = 'county'
const PORTION = 100

/**
 * Sends a month's tracking sheet, with a picture of its messages, to those who run each county, and the picture and the
 * sums to the levels above: once; one that failed is tried again at the next run.
 * @param month last month's when left out
 * @returns how many sheets were made
 */
export async function sendMonthlyReports(
  rt: Runtime,
  signal?: AbortSignal,
  month = addMonths(monthOf(rt.clock.now()), -1),
): Promise<number> {
  const levels = signingLevels.slice(signingLevels.indexOf(SHEET_LEVEL))
  let sheets = 0
  for (const programme of rt.templates.programmes.filter(each => each.messageCategories)) {
    const managing = programme.roles.filter(role => role.manages).map(role => role.id)
    const asked = {
      programme: programme.id,
      month,
      levels,
      managing,
      end: monthSpan(month).end,
      limit: PORTION,
    }
    for (let after = 0; !signal?.aborted; ) {
      const ids = await unitsToTell(rt.db, { ...asked, after })
      for (const unitId of ids)
        try {
          if (await inTransaction(rt, tx => sendReport(tx, unitId, month, managing))) sheets++
        } catch (error) {
          rt.log.error({ unitId, ...describeError(error) }, 'a monthly report could not be made')
        }
      const last = ids.at(-1)
      if (last === undefined) break
      after = last
    }
  }
  return sheets
}

/** @returns whether a sheet went out */
async function sendReport(
  rt: DomainRuntime,
  unitId: number,
  month: string,
  managing: string[],
): Promise<boolean> {
  const unit = await unitById(rt.db, unitId)
  const holders = new Set((await roleHolders(rt.db, [unitId], managing)).map(holder => holder.personId))
  if (!unit || holders.size === 0 || !(await noteReportSent(rt.db, unitId, month, rt.clock.now())))
    return false
  const picture = await drawMonth(rt, unit, month, 'messages')
  const png = { name: `发送微信-${unit.name}-${month}.png`, bytes: await drawPng(picture.svg) }
  const page = `${rt.publicUrl}/console/months/${unit.id}/${month}`
  if (unit.level !== SHEET_LEVEL) {
    const { total } = await rollUp(rt, unit, month)
    await sendTo(
      rt,
      holders,
      `【月报】${unit.name}${monthName(month)}汇总：${figuresWords(total)}。各单位的数：${page}`,
      [png],
    )
    return false
  }
  const { file, fileName } = await exportTrackingSheet(rt, unit, month, { name: '', contact: '' })
  await sendTo(
    rt,
    holders,
    `【月报】${unit.name} ${month} 跟踪摸底表已生成，请核对。各乡镇的数：${page}\n要更正的，请在网页上写明理由改，再发送“月报 ${monthName(month)}”重新生成。`,
    [{ name: fileName, bytes: file }, png],
  )
  return true
}

async function sendTo(
  rt: DomainRuntime,
  persons: Iterable<number>,
  text: string,
  files: { name: string; bytes: Buffer }[],
): Promise<void> {
  for (const personId of persons) {
    const attached = await Promise.all(files.map(({ name, bytes }) => attachFile(rt, personId, name, bytes)))
    await sendWithFiles(rt, { personId }, 'report', { texts: [text], files: attached })
  }
}
