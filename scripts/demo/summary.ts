import { countDeliveries } from '../../db/queries/notice-progress.ts'
import { demoFigures } from '../../db/queries/overview.ts'
import { type UnitRow, unitsOfProgramme } from '../../db/queries/units.ts'
import { collectTrackingSheet } from '../../server/domain/reports/collect-tracking-sheet.ts'
import {
  type TrackingFigures,
  type TrackingSheet,
  totals,
} from '../../server/domain/reports/tracking-sheet.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { MONTH } from './stage.ts'

/** What the database says of the month: `summary.json`. */
export interface Summary {
  month: string
  units: number
  groups: Record<string, number>
  persons: { cadresAndVolunteers: number; registeredYouth: number }
  joinRequests: Record<string, number>
  joinedByPass: number
  notices: { id: number; groups: number; posted: number }[]
  messages: Record<string, number>
  activities: number
  tasks: { opened: number; closed: number }
  updates: Record<string, number>
  /** County → the 合计 line and 总计 of its sheet. */
  sheets: Record<string, { sum: TrackingFigures; allGroups: number }>
}

export async function counties(rt: DomainRuntime): Promise<UnitRow[]> {
  return (await unitsOfProgramme(rt.db, 'qingnong')).filter(unit => unit.level === 'county')
}

/** Counts everything anew from the rows. */
export async function summarise(
  rt: DomainRuntime,
): Promise<{ summary: Summary; sheets: Map<string, TrackingSheet> }> {
  const figures = await demoFigures(rt.db)
  const sheets = new Map<string, TrackingSheet>()
  for (const county of await counties(rt))
    sheets.set(county.name, await collectTrackingSheet(rt, county, MONTH, { name: '', contact: '' }))
  const notices = []
  for (const id of figures.noticeIds) {
    const { groups, posted } = await countDeliveries(rt.db, id, '/')
    notices.push({ id, groups, posted })
  }
  const { noticeIds: _ids, ...counts } = figures
  return {
    summary: {
      month: MONTH,
      ...counts,
      notices,
      sheets: Object.fromEntries([...sheets].map(([name, sheet]) => [name, totals(sheet)])),
    },
    sheets,
  }
}
