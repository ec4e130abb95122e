import type { VolunteerRow } from '../../../db/queries/subsidies.ts'
import { subsidyRules } from './rules.ts'

export interface Owed {
  personId: number
  name: string
  place: string
  isOutOfProvince: boolean
  startsOn: string
  identityId: number | null
}

/** Why somebody of the roster is not on the list. */
export type NotOwedReason = 'paid' | 'not_started' | 'not_on_duty' | 'late' | 'no_start'

export const notOwedWords: Readonly<Record<NotOwedReason, string>> = {
  paid: '已经发过，或已在批准的名单里',
  not_started: '服务还没有开始',
  not_on_duty: '不在岗',
  late: '到岗日期晚于服务开始日期，不是按期上岗',
  no_start: '名册里没有服务开始日期',
}

/**
 * Who is owed the subsidy today: whoever took up their first post on time and was never paid. An extension is a later row
 * of the same person and brings nothing new.
 * @param rows all standing rows of the university's volunteers @param today `YYYY-MM-DD`
 * @source 山科大党发〔2021〕52号 四(一).1: 按期上岗; that an extension is not paid again is a project assumption
 */
export function whoIsOwed(
  rows: readonly VolunteerRow[],
  today: string,
): { owed: Owed[]; not: { personId: number; name: string; reason: NotOwedReason }[] } {
  const owed: Owed[] = []
  const not: { personId: number; name: string; reason: NotOwedReason }[] = []
  for (const [personId, own] of Map.groupBy(rows, row => row.personId)) {
    const first = own.toSorted((a, b) =>
      (a.startsOn ?? '9999').localeCompare(b.startsOn ?? '9999'),
    )[0] as VolunteerRow
    const reason = whyNot(first, own, today)
    if (reason !== null) not.push({ personId, name: first.name, reason })
    else
      owed.push({
        personId,
        name: first.name,
        place: first.place,
        isOutOfProvince: first.isOutOfProvince,
        startsOn: first.startsOn as string,
        identityId: first.identityId,
      })
  }
  return { owed, not }
}

function whyNot(first: VolunteerRow, own: readonly VolunteerRow[], today: string): NotOwedReason | null {
  if (own.some(row => row.hasClaim)) return 'paid'
  if (first.startsOn === null) return 'no_start'
  if (first.startsOn > today) return 'not_started'
  // a first term that is over counts through the extension that follows it
  if (!own.some(row => row.status === subsidyRules.owed.status)) return 'not_on_duty'
  const arrived = arrivalIn(first.extra)
  return arrived !== null && arrived > first.startsOn ? 'late' : null
}

/** The day in a column of the roster that says when somebody arrived, as `YYYY-MM-DD`; null: none says it. */
function arrivalIn(extra: Record<string, string>): string | null {
  for (const column of subsidyRules.owed.arrivedColumns) {
    const [, year, month, day] = /(20\d\d)\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})/.exec(extra[column] ?? '') ?? []
    if (year && month && day) return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  }
  return null
}
