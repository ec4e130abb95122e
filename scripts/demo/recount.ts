import { CATEGORIES, type Category } from '../../server/domain/messages/categories.ts'
import {
  noFigures,
  type TrackingFigure,
  type TrackingFigures,
} from '../../server/domain/reports/tracking-sheet.ts'
import type { Simulator } from '../simulator/index.ts'
import type { Cast } from './cast.ts'
import { notices, posts } from './corpus.ts'
import type { Players } from './people.ts'

/** What the simulator's own log says happened, counted without a look at the server or its database. */
export interface Recount {
  /** Township code → the figures its row must show. */
  townships: Map<string, TrackingFigures>
  /** Posts in all groups of both programmes by category. */
  messages: Record<Category, number>
  registered: number
  activities: number
  /** Who came into a branch's group by a code of their own. */
  joinedByPass: number
  /** Groups by what carries them. */
  groups: Record<string, number>
  /** Requests to be let into an audited group, and what people said to those left to them. */
  requests: { made: number; approvedByPerson: number; rejectedByPerson: number }
  /** Callbacks that the server acknowledged. */
  callbacks: number
  /** Who was removed from a group by its owner. */
  removed: number
  /** Groups into which each notice was posted. */
  noticePosts: { city: number; county: number; volunteers: number }
}

const messageFigure: Record<Category, TrackingFigure> = {
  政策法规: 'messages.policy',
  致富信息: 'messages.income',
  新闻娱乐: 'messages.news',
  便民服务: 'messages.services',
  其他: 'messages.other',
}

const workFigure: Record<string, TrackingFigure> = {
  在乡务农: 'membersHome.farming',
  在乡务工: 'membersHome.wageWork',
  在乡经商: 'membersHome.business',
  在乡行政事业单位: 'membersHome.publicSector',
  在乡其他: 'membersHome.other',
  外出务工: 'membersAway.wageWork',
  外出就学: 'membersAway.schooling',
  外出创业: 'membersAway.startup',
  外出其他: 'membersAway.other',
}

const activityFigure: Record<string, TrackingFigure> = {
  政策宣讲: 'activities.policyTalks',
  技能培训: 'activities.skillsTraining',
  文体娱乐: 'activities.cultureSports',
  婚恋交友: 'activities.matchmaking',
  其他: 'activities.other',
}

/** Counts the log: posts as they stand in the groups, joins, and what people wrote to the bot. */
export function recount(sim: Simulator, cast: Cast, players: Players): Recount {
  const townships = new Map(
    cast.counties.flatMap(county =>
      county.townships.map((each): [string, TrackingFigures] => [each.code, noFigures()]),
    ),
  )
  const townshipOfGroup = new Map<string, string>()
  const townshipOfOwner = new Map<string, string>()
  for (const owner of players.owners) {
    townshipOfOwner.set(owner.person.id, owner.township.code)
    for (const id of owner.groups.keys()) townshipOfGroup.set(id, owner.township.code)
  }
  const result: Recount = {
    townships,
    messages: Object.fromEntries(CATEGORIES.map(name => [name, 0])) as Record<Category, number>,
    registered: 0,
    activities: 0,
    joinedByPass: 0,
    groups: {},
    requests: { made: 0, approvedByPerson: 0, rejectedByPerson: 0 },
    callbacks: 0,
    removed: 0,
    noticePosts: { city: 0, county: 0, volunteers: 0 },
  }
  const count = (township: string | undefined, figure: TrackingFigure | undefined, by = 1) => {
    const row = township === undefined ? undefined : townships.get(township)
    if (row && figure !== undefined) row[figure] += by
  }
  const work = new Map<string, TrackingFigure | undefined>()
  for (const entry of sim.log) {
    const text = String(entry.text ?? '')
    switch (entry.kind) {
      case 'callback':
        if (entry.status === 200) result.callbacks++
        break
      case 'group_leave':
        if (entry.removed === true) result.removed++
        break
      case 'group_created':
        result.groups[String(entry.groupKind)] = (result.groups[String(entry.groupKind)] ?? 0) + 1
        count(townshipOfGroup.get(String(entry.groupId)), 'groups')
        break
      case 'group_post': {
        const category = categoryOf(text)
        result.messages[category]++
        count(townshipOfGroup.get(String(entry.groupId)), messageFigure[category])
        for (const name of ['city', 'county', 'volunteers'] as const)
          if (text.startsWith(notices[name].body)) result.noticePosts[name]++
        break
      }
      case 'group_join': {
        if (entry.state !== undefined) result.joinedByPass++
        const figure = work.get(String(entry.personId))
        if (figure === undefined) break
        result.registered++
        count(townshipOfGroup.get(String(entry.groupId)), figure)
        break
      }
      case 'said': {
        const joining = /^入群 \d+ \S+ (在乡|外出) (\S+)$/.exec(text)
        if (joining) work.set(String(entry.personId), workFigure[`${joining[1]}${joining[2]}`])
        else if (/^入群 \d+ /.test(text)) result.requests.made++
        if (/^同意 \d+$/.test(text)) result.requests.approvedByPerson++
        if (/^拒绝 \d+ /.test(text)) result.requests.rejectedByPerson++
        const activity = /^活动 (\S+) /.exec(text)
        if (activity) {
          result.activities++
          count(townshipOfOwner.get(String(entry.personId)), activityFigure[activity[1] as string])
        }
        const facts = /^填报 团支部 (\d+) 团干部 (\d+) 团员青年 (\d+)$/.exec(text)
        if (facts) {
          const township = townshipOfOwner.get(String(entry.personId))
          count(township, 'branches', Number(facts[1]))
          count(township, 'cadres', Number(facts[2]))
          count(township, 'youth', Number(facts[3]))
        }
        break
      }
    }
  }
  return result
}

/** The category that the author of a post meant: the corpus holds each text once. */
function categoryOf(text: string): Category {
  for (const notice of Object.values(notices)) if (text.startsWith(notice.body)) return notice.category
  for (const category of CATEGORIES) if (posts[category].includes(text)) return category
  throw new Error(`a post that nobody wrote: ${text.slice(0, 40)}`)
}
