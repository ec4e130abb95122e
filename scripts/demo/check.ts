import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { TRACKING_FIGURES, type TrackingSheet } from '../../server/domain/reports/tracking-sheet.ts'
import type { Cast, CountyCast } from './cast.ts'
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
  for (const platform of ['wechat', 'customer', 'internal', 'appchat'])
    compare(`groups ${platform}`, summary.groups[platform] ?? 0, recounted.groups[platform] ?? 0)
  const { made, approvedByPerson, rejectedByPerson } = recounted.requests
  const decisions = Object.values(summary.joinRequests).reduce((sum, count) => sum + count, 0)
  compare('join requests', decisions, made)
  compare('approved by a person', summary.joinRequests['approved by a person'] ?? 0, approvedByPerson)
  compare('rejected by a person', summary.joinRequests['rejected by a person'] ?? 0, rejectedByPerson)
  const approved = summary.joinRequests.approved ?? 0
  compare('approved', approved + approvedByPerson, recounted.joinedByPass)
  compare('updates handled', summary.updates.handled ?? 0, recounted.callbacks)
  compare('tasks closed', summary.tasks.closed, recounted.removed)
  compare('tasks opened', summary.tasks.opened, recounted.removed)
  const roster = 2 + 1 + 1 + 1 + cast.counties.reduce((sum, county) => sum + peopleOf(county), 0)
  compare('roster', summary.persons.cadresAndVolunteers, roster)
  // the notices in the order in which the month sends them
  const { volunteers, city, county } = recounted.noticePosts
  for (const [index, posts] of [volunteers, city, county].entries())
    compare(`posts of notice ${index + 1}`, summary.notices[index]?.posted ?? 0, posts)
  return found
}

/** Whom the roster names in a county: two officers, the cadres, the office, the secretary and the volunteers. */
function peopleOf(county: CountyCast): number {
  const cadres = county.townships.reduce((sum, township) => sum + township.cadres.length, 0)
  return 2 + cadres + 1 + 1 + county.volunteers.length
}
