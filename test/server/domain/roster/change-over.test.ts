import { afterAll, beforeAll, expect, test } from 'vitest'
import { importUnits } from '../../../../server/domain/units/import-units.ts'
import { importCsv, rows } from '../../../support/matrix.ts'
import { openStage, type Stage } from '../../../support/stage.ts'

// 全国项目办发〔2020〕3号 附件1: 10,303 stay on, 7,311 + 2,376 arrive; here a tenth of them
const STAY = 1030
const ARRIVE = 731
const GRADUATES = 238
/** Of those before, so many have served their time. */
const LEAVE = 900
const MOVED = 40
const BRANCH = 30
const head = '区县,团支部,姓名,手机号,人员类别,服务开始日期,服务结束日期,状态\n'

let stage: Stage
beforeAll(async () => {
  stage = await openStage({ start: '2026-07-01T09:00:00+08:00' })
  await importUnits(stage.rt, 'xibu', [
    { code: '000000', name: '全国', kind: 'national-office', parentCode: null },
    { code: '610000', name: '陕西省', kind: 'province-office', parentCode: '000000' },
    { code: '610800', name: '榆林市', kind: 'city-office', parentCode: '610000' },
    { code: '610802', name: '榆阳区', kind: 'county-office', parentCode: '610800' },
    { code: '610825', name: '定边县', kind: 'county-office', parentCode: '610800' },
  ])
})
afterAll(() => stage.close())

const numerals = '甲乙丙丁戊己庚辛壬癸'
const nameOf = (index: number) => `志${[...String(index)].map(digit => numerals[Number(digit)]).join('')}`

function line(index: number, place: number, category: string, from: string, to: string): string {
  const county = place % 2 === 0 ? '榆阳区' : '定边县'
  const branch = `${county}第${1 + Math.floor(place / BRANCH / 2)}团支部`
  return `${county},${branch},${nameOf(index)},1380${String(1_000_000 + index)},${category},${from},${to},在岗\n`
}

const standing = async () =>
  Object.fromEntries(
    (
      await rows<{ name: string; place: string }>(
        stage,
        `select p.name, u.name as place from roster_entries e join persons p on p.id = e.person_id
         join units u on u.id = e.unit_id where e.gone_import_id is null`,
      )
    ).map(row => [row.name, row.place]),
  )

test('a cohort changes over with one import: who stays, who comes, who leaves and who moves', async () => {
  const before = Array.from({ length: STAY + LEAVE }, (_, index) =>
    line(index, index, '全国项目', '2025-08-01', '2027-07-31'),
  )
  expect(await importCsv(stage, 'xibu', head + before.join(''))).toMatchObject({
    isApplied: true,
    new: STAY + LEAVE,
  })
  const was = await standing()
  stage.clock.advance(40 * 86_400_000)

  const stay = before.slice(0, STAY - MOVED)
  const moved = Array.from({ length: MOVED }, (_, at) => {
    const index = STAY - MOVED + at
    return line(index, index + 1, '全国项目', '2025-08-01', '2027-07-31')
  })
  const arrive = Array.from({ length: ARRIVE + GRADUATES }, (_, at) => {
    const index = STAY + LEAVE + at
    const category = at < ARRIVE ? '全国项目' : '研究生支教团'
    return line(index, STAY + at, category, '2026-08-01', '2027-07-31')
  })
  const file = head + [...stay, ...moved, ...arrive].sort().join('')
  const dry = await importCsv(stage, 'xibu', file, { wholeOf: '000000', isDryRun: true })
  expect(dry).toMatchObject({
    new: ARRIVE + GRADUATES,
    moved: MOVED,
    gone: LEAVE,
    unchanged: STAY - MOVED,
    changed: 0,
    problems: [],
  })
  expect(await standing()).toEqual(was)
  const { isApplied: _dry, ...counts } = dry
  expect(await importCsv(stage, 'xibu', file, { wholeOf: '000000' })).toMatchObject({
    ...counts,
    isApplied: true,
  })

  const is = await standing()
  const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => nameOf(from + at))
  expect(Object.keys(is).sort()).toEqual(
    [...names(0, STAY), ...names(STAY + LEAVE, ARRIVE + GRADUATES)].sort(),
  )
  for (const name of names(0, STAY - MOVED)) expect(is[name]).toBe(was[name])
  for (const name of names(STAY - MOVED, MOVED)) expect(is[name]).not.toBe(was[name])
  // rights are those of the roster, one role for everybody who stands on it
  expect(
    await rows(
      stage,
      'select count(*)::int as roles, count(distinct person_id)::int as persons from roles where ended_at is null',
    ),
  ).toEqual([{ roles: Object.keys(is).length, persons: Object.keys(is).length }])
  expect(
    await rows(
      stage,
      'select new_count, moved_count, gone_count, changed_count from roster_imports order by id desc limit 1',
    ),
  ).toEqual([{ new_count: ARRIVE + GRADUATES, moved_count: MOVED, gone_count: LEAVE, changed_count: 0 }])
  // and nothing of what was read is left lying about
  expect(await rows(stage, "select 1 from pg_tables where schemaname = 'roster_staging'")).toEqual([])
}, 120_000)
