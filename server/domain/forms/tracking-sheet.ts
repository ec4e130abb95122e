import type { Templates } from '../../templates.ts'
import { collectTrackingSheet } from '../reports/collect-tracking-sheet.ts'
import { planTrackingSheet } from '../reports/write-form.ts'
import type { OfficialForm } from './form.ts'

/** 农村共青团微信体系建设工作推进情况跟踪摸底表 (榆林团市委 2014 附件3). */
export const trackingSheetForm: OfficialForm = {
  id: 'tracking-sheet',
  name: '跟踪摸底表',
  programme: 'qingnong',
  levels: ['county'],
  rhythm: 'month',
  isOfTheMonth: true,
  async plan(rt, county, month, filledBy) {
    const sheet = await collectTrackingSheet(rt, county, month, filledBy)
    return planTrackingSheet(rt.templates.form('tracking-sheet'), sheet, (unitId, figure) =>
      whatIsBehind(rt.templates, unitId, month, figure),
    )
  },
}

/** The page that lists what a figure counts; null for what a unit says of itself. */
function whatIsBehind(templates: Templates, unitId: number, month: string, figure: string): string | null {
  const query = { unit: String(unitId), month }
  if (figure === 'groups' || figure.startsWith('members'))
    return `/console/groups?${new URLSearchParams(query)}`
  if (figure.startsWith('activities.'))
    return `/console/records?${new URLSearchParams({ ...query, activity: figure })}`
  const category = templates
    .programme('qingnong')
    .messageCategories?.find(each => each.figure === figure)?.name
  return category === undefined ? null : `/console/records?${new URLSearchParams({ ...query, category })}`
}
