import { chineseMoment } from '../../clock.ts'
import { TRACKING_FIGURES, type TrackingFigures } from '../reports/tracking-sheet.ts'

/** `2026-10` as 10月. */
export function monthName(month: string): string {
  return `${Number(month.slice(5))}月`
}

/** `2026-11-05` as 11月5日. */
export function dayName(day: string): string {
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`
}

/** Without the minutes of a whole hour: 11月10日 18:00. */
export const momentName = chineseMoment

/** 政策法规 2、致富信息 1（共 3 条）; 没有记录 for none. */
export function countsWords(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  if (some.length === 0) return '没有记录'
  const all = some.reduce((sum, [, count]) => sum + count, 0)
  return `${some.map(([name, count]) => `${name} ${count}`).join('、')}（共 ${all} 条）`
}

/** The sum of the figures of one part of the sheet, such as `messages`. */
export function sumOf(figures: Partial<TrackingFigures>, part: string): number {
  return TRACKING_FIGURES.filter(figure => figure.startsWith(`${part}.`)).reduce(
    (sum, figure) => sum + (figures[figure] ?? 0),
    0,
  )
}

export function membersOf(figures: Partial<TrackingFigures>): number {
  return sumOf(figures, 'membersHome') + sumOf(figures, 'membersAway')
}

/** The figures of a unit in a line, as it is asked to sign them. */
export function figuresWords(figures: TrackingFigures): string {
  return `微信群 ${figures.groups} 个，群内成员 ${membersOf(figures)} 人，发送微信 ${sumOf(figures, 'messages')} 条，线下活动 ${sumOf(figures, 'activities')} 次`
}
