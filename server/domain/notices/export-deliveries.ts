import type { Route } from '../../../db/queries/cascade.ts'
import {
  countDeliveries,
  type DeliveryShown,
  deliveriesWithReceipts,
  type UnitProgress,
  unitsProgress,
} from '../../../db/queries/notice-progress.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf, timeOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'
import { deliveryWords, proofWords, receiptKinds } from './delivery-words.ts'
import { type CountedNotice, waterlineOf } from './progress.ts'
import { routeNames } from './routes.ts'

/** Deliveries that are read at once. */
const PORTION = 3000

type Cells = (string | number | null)[]

/**
 * The groups of a notice within a subtree as sheets of an XLSX: all with their receipts and the waterlines, or those
 * without it. That it was taken away stays in the log.
 * @param top the part of what the actor may see of it that is wanted
 */
export async function exportDeliveries(
  rt: DomainRuntime,
  actor: KnownActor,
  notice: CountedNotice,
  top: { id: number; name: string; path: string },
  which: 'all' | 'dry',
): Promise<{ name: string; sheets: StreamedSheet[] }> {
  const units = await unitsProgress(rt.db, notice.id, top.path)
  const { groups, posted } = await countDeliveries(rt.db, notice.id, top.path)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'notice.exported',
    subjectKind: 'notice',
    subjectId: notice.id,
    details: {
      which,
      rows: which === 'all' ? units.reduce((sum, unit) => sum + unit.own, 0) : groups - posted,
    },
  })
  const rows = (each: 'all' | 'dry', cells: (row: DeliveryShown) => Cells[]) =>
    rowsOf(rt, notice.id, top.path, units, each, cells)
  const levels = new Map(rt.templates.programme(notice.programme).levels.map(each => [each.id, each.name]))
  const levelOf = ({ level }: { level: string }) => levels.get(level) ?? level
  const detail = (row: DeliveryShown): Cells => [
    row.unitName,
    levelOf(row),
    row.groupId,
    row.groupName,
    row.ownerName ?? '没有群主',
    routeNames[row.route as Route] ?? row.route,
    deliveryWords[row.status] ?? row.status,
    written(row.receipts.find(receipt => receipt.kind === 'received')?.at),
    written(row.receipts.find(receipt => receipt.kind !== 'received')?.at),
  ]
  const dry: StreamedSheet = {
    name: '未到群',
    heads: [...detailHeads.slice(0, -1), '能不能叫到群主', '从何时起'],
    widths: [...detailWidths.slice(0, -1), 22, 18],
    rows: rows('dry', row => [[...detail(row).slice(0, -1), callWords(row), written(row.since)]]),
  }
  if (which === 'dry') return { name: `通知${notice.id}未到的群.xlsx`, sheets: [dry] }
  return {
    name: `通知${notice.id}送达明细.xlsx`,
    sheets: [
      { name: '送达明细', heads: detailHeads, widths: detailWidths, rows: rows('all', row => [detail(row)]) },
      await levelsSheet(rt, notice, top),
      unitsSheet(units, levelOf),
      {
        name: '回执明细',
        heads: ['单位', '群号', '群名称', '回执', '时间', '谁', '凭据'],
        widths: [24, 8, 28, 12, 18, 12, 48],
        rows: rows('all', row =>
          row.receipts.map(receipt => [
            row.unitName,
            row.groupId,
            row.groupName,
            receiptKinds[receipt.kind] ?? receipt.kind,
            written(receipt.at),
            receipt.by ?? '平台',
            proofWords(receipt),
          ]),
        ),
      },
      dry,
    ],
  }
}

const detailHeads = [
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
const detailWidths = [24, 8, 8, 28, 12, 16, 20, 18, 18]

/** The rows of the deliveries, unit by unit in the order of the tree, a portion at a time. */
async function* rowsOf(
  rt: DomainRuntime,
  noticeId: number,
  path: string,
  units: readonly UnitProgress[],
  which: 'all' | 'dry',
  cells: (row: DeliveryShown) => Cells[],
): AsyncGenerator<Cells[]> {
  const now = rt.clock.now()
  let unitIds: number[] = []
  let count = 0
  const flush = async () => {
    const found = await deliveriesWithReceipts(rt.db, noticeId, path, which, {
      now,
      limit: 1_000_000,
      unitIds,
    })
    unitIds = []
    count = 0
    return found.flatMap(cells)
  }
  for (const unit of units) {
    if (unit.own === 0) continue
    unitIds.push(unit.unitId)
    count += unit.own
    if (count >= PORTION) yield await flush()
  }
  if (unitIds.length > 0) yield await flush()
}

async function levelsSheet(
  rt: DomainRuntime,
  notice: CountedNotice,
  top: { id: number; name: string; path: string },
): Promise<StreamedSheet> {
  const { all, levels } = await waterlineOf(rt, notice, top)
  const lines = [...levels, ...(all ? [{ ...all, name: '合计' }] : [])]
  return {
    name: '各级进度',
    heads: [
      '层级',
      '应到群',
      '已送到群主或群',
      '已到群',
      '群主已看到未转',
      '无法送达',
      '打开过（人）',
      '点了已阅读（人）',
      '应答单位',
      '已答单位',
      '过半的群用时（分钟）',
      '最早到群',
      '最近到群',
    ],
    widths: [12, 10, 16, 10, 16, 10, 14, 18, 10, 10, 20, 18, 18],
    rows: [
      lines.map(line => [
        line.name,
        line.groups,
        line.reached,
        line.posted,
        line.received,
        line.failed,
        line.opened,
        line.acknowledged,
        line.asked,
        line.answered,
        line.medianSeconds === null ? null : Math.round(line.medianSeconds / 60),
        written(line.first),
        written(line.last),
      ]),
    ],
  }
}

function unitsSheet(
  units: readonly UnitProgress[],
  levelOf: (unit: { level: string }) => string,
): StreamedSheet {
  return {
    name: '各单位进度',
    heads: [
      '单位',
      '层级',
      '应到群（含下级）',
      '已送到',
      '已到群',
      '无法送达',
      '还差',
      '最早到群',
      '最近到群',
    ],
    widths: [28, 10, 18, 10, 10, 10, 10, 18, 18],
    rows: [
      units.map(unit => [
        unit.name,
        levelOf(unit),
        unit.groups,
        unit.reached,
        unit.posted,
        unit.failed,
        unit.groups - unit.posted,
        written(unit.first),
        written(unit.last),
      ]),
    ],
  }
}

function callWords(row: DeliveryShown): string {
  if (row.ownerName === null) return '没有群主'
  if (row.byWecom) return '企业微信叫得到'
  if (row.byMessage) return '公众号叫得到'
  return row.byTemplate ? '只能发模板消息' : '叫不到'
}

function written(at: Date | null | undefined): string {
  return at ? `${dayOf(at)} ${timeOf(at)}` : ''
}
