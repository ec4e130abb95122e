/** The 23 figures of a township, in the printed order; each is a column of templates/forms/tracking-sheet. */
export const TRACKING_FIGURES = [
  'branches',
  'cadres',
  'youth',
  'groups',
  'membersHome.farming',
  'membersHome.wageWork',
  'membersHome.business',
  'membersHome.publicSector',
  'membersHome.other',
  'membersAway.wageWork',
  'membersAway.schooling',
  'membersAway.startup',
  'membersAway.other',
  'messages.policy',
  'messages.income',
  'messages.news',
  'messages.services',
  'messages.other',
  'activities.policyTalks',
  'activities.skillsTraining',
  'activities.cultureSports',
  'activities.matchmaking',
  'activities.other',
] as const

export type TrackingFigure = (typeof TRACKING_FIGURES)[number]
export type TrackingFigures = Record<TrackingFigure, number>

/** One township. Members are persons, counted once in it; a message counts once for every group it was sent in. */
export interface TrackingRow {
  township: string
  /** The unit whose records are behind the figures; absent on a sheet that was not counted from rows. */
  unitId?: number
  figures: TrackingFigures
}

/** 农村共青团微信体系建设工作推进情况跟踪摸底表: what one county fills in for one month. */
export interface TrackingSheet {
  /** With its kind, such as 榆阳区; empty prints the blank of the form. */
  countyName: string
  /** `YYYY-MM` */
  month: string
  /** `YYYY-MM-DD`, 填报时间; empty prints a blank to fill in by hand, as do the next two. */
  filledOn: string
  filledBy: string
  contact: string
  rows: readonly TrackingRow[]
  countyDirectGroups: number
  /** Null on a county's own sheet: only the city knows its number. */
  cityDirectGroups: number | null
  /** How the messages got their category; null leaves the note out. */
  messagesSorted: { byMachine: number; byHand: number } | null
  /** What was put right after the month was closed, in words; left out or null: nothing was. */
  lateChanges?: string | null
}

export interface TrackingTotals {
  /** 合计: every column summed over the townships. */
  sum: TrackingFigures
  /** 总计: the groups of the townships, of the county and, where known, of the city. */
  allGroups: number
}

/**
 * Sums a sheet. A sheet without rows sums to zero.
 *
 * @source 榆林团市委 2014 附件3; that 总计 adds the three numbers of groups is a project assumption.
 */
export function totals(sheet: TrackingSheet): TrackingTotals {
  const sum = noFigures()
  for (const { figures } of sheet.rows) for (const id of TRACKING_FIGURES) sum[id] += figures[id]
  return { sum, allGroups: sum.groups + sheet.countyDirectGroups + (sheet.cityDirectGroups ?? 0) }
}

/** All figures at zero, to count upwards from. */
export function noFigures(): TrackingFigures {
  return Object.fromEntries(TRACKING_FIGURES.map(id => [id, 0])) as TrackingFigures
}
