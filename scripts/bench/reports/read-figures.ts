import type { Db } from '../../../db/client.ts'
import { messagesByMonth, recordTotals } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { unitById } from '../../../db/queries/units.ts'
import { addMonths } from '../../../server/clock.ts'
import { officialForms } from '../../../server/domain/forms/index.ts'
import { periodToSend } from '../../../server/domain/forms/periods.ts'
import { rollUp } from '../../../server/domain/months/figures.ts'
import type { Runtime } from '../../../server/runtime.ts'
import { median } from '../statistics.ts'
import { RURAL } from './national-records.ts'
import { rawByChild, rawByMonth, rawTotals } from './raw-statements.ts'

export interface ReadFigure {
  name: string
  unit: string
  /** Milliseconds, the median of the rounds. */
  ms: number
  /** The best single statement over the raw rows; null: the figure is counted from the raw rows as it is. */
  rawMs: number | null
  /** What it may take. */
  limitMs: number
}

const FORM_MS = 1000
const ROLL_UP_MS = 2000

/** Makes every form of the largest unit of each level that has it, and the roll-ups of a month. */
export async function readFigures(rt: Runtime, month: string, rounds: number): Promise<ReadFigure[]> {
  const found: ReadFigure[] = []
  const nobody = { name: '', contact: '' }
  for (const form of officialForms)
    for (const level of form.levels) {
      const unit = await largestUnit(rt.db, form.programme, level)
      if (!unit) continue
      const period = form.rhythm === 'month' ? month : periodToSend(form.rhythm, rt.clock.now())
      const isOfMessages = form.id === 'tracking-sheet'
      found.push({
        name: `${form.name}（${form.programme} ${level}）`,
        unit: unit.name,
        limitMs: FORM_MS,
        ...(await measure(
          rounds,
          () => form.plan(rt, unit, period, nobody, 'masked'),
          isOfMessages ? () => rawByChild(rt.db, unit, month) : null,
        )),
      })
    }
  for (const level of ['county', 'province', 'national']) {
    const unit = await largestUnit(rt.db, RURAL, level)
    if (!unit) throw new Error(`there is no ${level}`)
    const add = async (
      name: string,
      limitMs: number,
      run: () => Promise<unknown>,
      raw: () => Promise<unknown>,
    ) =>
      found.push({
        name: `${name}（${level}）`,
        unit: unit.name,
        limitMs,
        ...(await measure(rounds, run, raw)),
      })
    await add(
      '月度汇总',
      level === 'national' ? ROLL_UP_MS : FORM_MS,
      () => rollUp(rt, unit, month),
      () => rawByChild(rt.db, unit, month),
    )
    await add(
      '近 6 个月条数图',
      FORM_MS,
      () => messagesByMonth(rt.db, unit.path, addMonths(month, -5), month),
      () => rawByMonth(rt.db, unit, addMonths(month, -5), month),
    )
    await add(
      '记录页的合计',
      FORM_MS,
      () =>
        recordTotals(rt.db, {
          reach: { personId: 0, topPaths: [unit.path], rolePaths: [unit.path] },
          month,
          unitPath: unit.path,
        }),
      () => rawTotals(rt.db, unit, month),
    )
  }
  return found
}

/** The unit of a level with most groups below it. */
async function largestUnit(db: Db, programme: string, level: string): Promise<UnitRow | null> {
  const [row] = await db.execute<{ id: string }>(`
    select above.id from groups g join units u on u.id = g.unit_id
    cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as over (id)
    join units above on above.id = over.id
    where u.programme = '${programme}' and above.level = '${level}'
    group by above.id order by count(*) desc, above.id limit 1`)
  return row ? unitById(db, Number(row.id)) : null
}

/** In turn, so that both meet the same machine; the first of each only warms up. */
async function measure(rounds: number, run: () => Promise<unknown>, raw: (() => Promise<unknown>) | null) {
  const times: number[] = []
  const rawTimes: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const own = await timed(run)
    const other = raw ? await timed(raw) : null
    if (round === 0) continue
    times.push(own)
    if (other !== null) rawTimes.push(other)
  }
  return { ms: median(times), rawMs: raw ? median(rawTimes) : null }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
