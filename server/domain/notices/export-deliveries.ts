import type { Route } from '../../../db/queries/cascade.ts'
import { deliveriesOfNotice } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf, timeOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { CellLook, PlannedCell, SheetPlan } from '../reports/sheet-plan.ts'
import { writeWorkbook } from '../reports/write-workbook.ts'
import { routeNames } from './routes.ts'

/** What a delivery has come to, for people. */
export const deliveryWords: Record<string, string> = {
  pending: '等待发出',
  sent: '已交群主',
  posted: '已到群',
  failed: '无法送达',
  unknown: '不确定，请到群里看一眼',
}

const heads = [
  '单位',
  '层级',
  '群号',
  '群名称',
  '群主',
  '送达方式',
  '状态',
  '群主收到时间',
  '到群时间',
] as const
const widths = [24, 8, 8, 28, 12, 16, 20, 18, 18]

/**
 * The groups of a notice within a subtree as an XLSX: all, or those without it. That it was taken away stays in the log.
 * @param viewPath what of it the actor may see
 */
export async function exportDeliveries(
  rt: DomainRuntime,
  actor: KnownActor,
  notice: { id: number; programme: string; viewPath: string },
  which: 'all' | 'dry',
): Promise<{ name: string; file: Buffer }> {
  const rows = await inTransaction(rt, async tx => {
    const found = (await deliveriesOfNotice(tx.db, notice.id, notice.viewPath)).filter(
      row => which === 'all' || row.status !== 'posted',
    )
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'notice.exported',
      subjectKind: 'notice',
      subjectId: notice.id,
      details: { which, rows: found.length },
    })
    return found
  })
  const levels = new Map(rt.templates.programme(notice.programme).levels.map(each => [each.id, each.name]))
  const lines = rows.map(row => [
    row.unitName,
    levels.get(row.level) ?? row.level,
    row.groupId,
    row.groupName,
    row.ownerName ?? '没有群主',
    routeNames[row.route as Route] ?? row.route,
    deliveryWords[row.status] ?? row.status,
    written(row.receivedAt),
    written(row.postedAt),
  ])
  const name = `通知${notice.id}${which === 'dry' ? '未到的群' : '送达明细'}.xlsx`
  return { name, file: await writeWorkbook(planOf(`通知 ${notice.id}`, lines)) }
}

function written(at: string | null): string {
  return at === null ? '' : `${dayOf(new Date(at))} ${timeOf(new Date(at))}`
}

const headLook: CellLook = { sizePt: 11, bold: true, align: 'center', border: true, overflow: 'wrap' }
const cellLook: CellLook = { sizePt: 11, bold: false, align: 'left', border: true, overflow: 'wrap' }

function planOf(name: string, lines: (string | number)[][]): SheetPlan {
  const cells = [[...heads], ...lines].flatMap((line, row) =>
    line.map(
      (value, column): PlannedCell => ({
        top: row + 1,
        left: column + 1,
        bottom: row + 1,
        right: column + 1,
        value,
        look: row === 0 ? headLook : cellLook,
      }),
    ),
  )
  return {
    name,
    page: {
      orientation: 'landscape',
      margins: { top: 1.5, bottom: 1.5, left: 1, right: 1, header: 0.8, footer: 0.8 },
      footer: '第 &P 页，共 &N 页',
      repeatRows: [1, 1],
    },
    fontFamily: '宋体',
    columnWidths: widths,
    rowHeights: [20],
    cells,
  }
}
