import type { ActivityInUnit } from '../../../db/queries/activities.ts'
import { chineseMoment } from '../../clock.ts'
import type { Templates } from '../../templates.ts'

/** What an activity column of the sheet is called, such as 技能培训; the figure itself where no programme has it. */
export function activityKindName(templates: Templates, figure: string): string {
  for (const { activityCategories } of templates.programmes)
    for (const each of activityCategories ?? []) if (each.figure === figure) return each.name
  return figure
}

/** An announced activity in one line: 技能培训“大棚管理”，9月20日 14:00，村委会. */
export function activityLine(templates: Templates, activity: ActivityInUnit): string {
  const { kind, title, startsAt, place } = activity
  return [
    `${activityKindName(templates, kind)}${title ? `“${title}”` : ''}`,
    ...(startsAt ? [chineseMoment(startsAt)] : []),
    ...(place ? [place] : []),
  ].join('，')
}
