import {
  type AnswerTally,
  answersOfUnits,
  answerTallies,
  type UnitAnswer,
  unitNames,
} from '../../../db/queries/notice-answers.ts'
import type { NoticeAsk } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf, timeOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'

/** Units that are read at once. */
const PORTION = 5000

/**
 * The answers of a subtree as sheets of an XLSX: every unit, and the sums of the units right below. That they were taken
 * away stays in the log.
 */
export async function exportAnswers(
  rt: DomainRuntime,
  actor: KnownActor,
  notice: { id: number; programme: string; ask: NoticeAsk | null },
  top: { id: number; name: string; path: string },
): Promise<{ name: string; sheets: StreamedSheet[] }> {
  const { ask } = notice
  const tallies = ask ? await answerTallies(rt.db, notice.id, top.path, ask.choices?.length ?? 0) : []
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'notice_answers.exported',
    subjectKind: 'notice',
    subjectId: notice.id,
    details: { rows: tallies.find(tally => tally.of.kind === 'all')?.units ?? 0 },
  })
  const names = await unitNames(
    rt.db,
    tallies.flatMap(({ of }) => (of.kind === 'child' && of.unitId !== null ? [of.unitId] : [])),
  )
  const levels = new Map(rt.templates.programme(notice.programme).levels.map(each => [each.id, each.name]))
  const nameOf = ({ of }: AnswerTally): string => {
    if (of.kind === 'all') return '合计'
    if (of.kind === 'level') return `${levels.get(of.level) ?? of.level}（本级合计）`
    return of.unitId === null ? `${top.name}本级` : (names.get(of.unitId) ?? '')
  }
  const order = { child: 0, level: 1, all: 2 }
  const answers: StreamedSheet = {
    name: '各单位答复',
    heads: ['单位', '层级', `答复${ask?.measure ? `（${ask.measure}）` : ''}`, '谁答的', '时间', '改过几次'],
    widths: [28, 10, 40, 12, 18, 10],
    rows: ask ? unitRows(rt, notice.id, top.path, levels) : [],
  }
  const sums: StreamedSheet = {
    name: '逐级合计',
    heads: [
      '单位（含下级）',
      '应答单位',
      '已答单位',
      ...(ask?.kind === 'number' ? [`合计${ask.measure ? `（${ask.measure}）` : ''}`] : []),
      ...(ask?.kind === 'choice' ? (ask.choices ?? []) : []),
    ],
    widths: [28, 10, 10, ...Array<number>(Math.max(1, ask?.choices?.length ?? 1)).fill(14)],
    rows: [
      tallies
        .sort((a, b) => order[a.of.kind] - order[b.of.kind])
        .map(tally => [
          nameOf(tally),
          tally.units,
          tally.answered,
          ...(ask?.kind === 'number' ? [tally.sum] : []),
          ...(ask?.kind === 'choice' ? tally.chosen : []),
        ]),
    ],
  }
  return { name: `通知${notice.id}答复.xlsx`, sheets: [answers, sums] }
}

async function* unitRows(
  rt: DomainRuntime,
  noticeId: number,
  path: string,
  levels: ReadonlyMap<string, string>,
): AsyncGenerator<(string | number | null)[][]> {
  for (let after = ''; ; ) {
    const units = await answersOfUnits(rt.db, noticeId, path, 'all', { limit: PORTION, after })
    yield units.map(unit => [unit.unitName, levels.get(unit.level) ?? unit.level, ...answerCells(rt, unit)])
    const last = units.at(-1)
    if (!last || units.length < PORTION) return
    after = last.path
  }
}

function answerCells(rt: DomainRuntime, { answer }: UnitAnswer): (string | number | null)[] {
  if (!answer) return ['没有答', null, null, null]
  const text = rt.vault.open(answer.sealed)
  const isNumber = answer.amount !== null && String(answer.amount) === text
  return [
    isNumber ? answer.amount : text,
    answer.by,
    `${dayOf(answer.at)} ${timeOf(answer.at)}`,
    answer.before,
  ]
}
