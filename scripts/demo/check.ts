import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { TRACKING_FIGURES, type TrackingSheet } from '../../server/domain/reports/tracking-sheet.ts'
import type { Cast } from './cast.ts'
import type { Recount } from './recount.ts'
import type { Summary } from './summary.ts'

/** Where the database and the simulator's log disagree, one line each; empty when every number is the same. */
export function differences(
  cast: Cast,
  summary: Summary,
  sheets: Map<string, TrackingSheet>,
  recounted: Recount,
): string[] {
  const found: string[] = []
  const compare = (what: string, ours: number, theirs: number) => {
    if (ours !== theirs) found.push(`${what}: ${ours} in the database, ${theirs} in the simulator's log`)
  }
  for (const county of cast.counties) {
    const sheet = sheets.get(county.name)
    for (const township of county.townships) {
      const row = sheet?.rows.find(each => each.township === township.name)
      const expected = recounted.townships.get(township.code)
      if (!row || !expected) found.push(`${county.name} ${township.name}: no row`)
      else
        for (const figure of TRACKING_FIGURES)
          compare(`${township.name} ${figure}`, row.figures[figure], expected[figure])
    }
  }
  for (const category of CATEGORIES)
    compare(`messages ${category}`, summary.messages[category] ?? 0, recounted.messages[category])
  compare('registered youth', summary.persons.registeredYouth, recounted.registered)
  compare('activities', summary.activities, recounted.activities)
  compare('joined by pass', summary.joinedByPass, recounted.joinedByPass)
  const { city, county, volunteers } = recounted.noticePosts
  compare(
    'posts of notices',
    summary.notices.reduce((sum, notice) => sum + notice.posted, 0),
    city + county + volunteers,
  )
  return found
}
