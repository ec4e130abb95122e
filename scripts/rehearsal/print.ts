import { timeOf } from '../../server/clock.ts'
import type { RehearsalResult } from '../../server/domain/rehearsals/result.ts'
import { spanWords, unreachedWords, weaknessWords } from '../../server/domain/rehearsals/words.ts'

const WIDTH = 50
const LINES = 14

/** What a rehearsal has shown, for a terminal. @param levelName in Chinese, by the level's id */
export function printResult(result: RehearsalResult, levelName: (id: string) => string): string {
  const { groups, reached, groupsInAll, persons, minutesTo, messages, mend, unreached, seconds } = result
  const part = groups < groupsInAll ? `（从 ${groupsInAll} 个群里抽出）` : ''
  const within = (minutes: number | null) => (minutes === null ? '没有达到' : spanWords(minutes))
  const why = Map.groupBy(unreached, each => each.why)
  return [
    `${groups} 个群${part}，${persons} 人；截止时 ${reached} 个群收到（${percent(reached, groups)}）。用时 ${seconds} 秒。没有给任何真人发消息。`,
    `到一半的群：${within(minutesTo.half)}；90%：${within(minutesTo.ninety)}；99%：${within(minutesTo.ninetyNine)}`,
    `每人收到的消息：${messages.map(each => `${each.count} 条 ${each.persons} 人`).join('，')}`,
    ...result.levels.map(each => `${levelName(each.level)}：${each.reached}/${each.groups}`),
    ...curveLines(result),
    ...[...why].map(([reason, all]) => `没有收到：${unreachedWords[reason]}（${all.length} 个群）`),
    ...mend.map(each => `${weaknessWords[each.id].name}：${each.groups} 个群，这次没收到 ${each.dry} 个`),
  ].join('\n')
}

function curveLines({ curve, groups, issuedAt }: RehearsalResult): string[] {
  const last = curve.at(-1)?.[0] ?? 0
  return Array.from({ length: LINES }, (_, at) => {
    const minute = Math.round((last * (at + 1)) / LINES)
    const had = curve.findLast(([each]) => each <= minute)?.[1] ?? 0
    const bar = '█'.repeat(Math.round((had / Math.max(groups, 1)) * WIDTH)).padEnd(WIDTH, '·')
    return `${timeOf(new Date(Date.parse(issuedAt) + minute * 60_000))} ${bar} ${percent(had, groups)}`
  })
}

function percent(part: number, all: number): string {
  return `${((100 * part) / Math.max(all, 1)).toFixed(1)}%`
}
