import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countTarget, listPlans, listTarget } from '../../db/queries/targets.ts'
import { type UnitRow, unitByCode } from '../../db/queries/units.ts'
import { inspect, monthsOr } from '../../server/domain/targets/inspect.ts'
import { rankUnits } from '../../server/domain/targets/rank.ts'
import { inspectionRules, scopeOfTarget, targets } from '../../server/domain/targets/targets.ts'
import { loadTemplates } from '../../server/templates.ts'
import { fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const insured = `省份,地市,区县,团支部,姓名,手机号,人员类别,服务开始日期,服务结束日期,状态,保险生效日期,保险截止日期,意外伤害保额,重大疾病保额,住院医疗保额,意外医疗保额
陕西省,榆林市,榆阳区,榆阳区第二团支部,乙一,13700000101,全国项目,2026-08-01,2027-07-31,在岗,2026-07-29,2027-08-03,80万,80万,30万,20万
陕西省,榆林市,榆阳区,榆阳区第二团支部,乙二,13700000102,全国项目,2026-08-01,2027-07-31,在岗,2026-07-29,2027-08-02,80万,80万,30万,20万
`

describe('thresholds of the notices, unit by unit', () => {
  let stage: Stage
  const units = new Map<string, UnitRow>()
  const idOf = (name: string) => units.get(name)?.id as number

  beforeAll(async () => {
    stage = await openStage({ start: '2026-10-20T09:00:00+08:00' })
    await fillMatrix(stage)
    await importCsv(stage, 'xibu', insured)
    for (const [programme, code] of [
      ['qingnong', '610800'],
      ['qingnong', '610802'],
      ['qingnong', '610825'],
      ['qingnong', '610802101'],
      ['qingnong', '610802102'],
      ['qingnong', '610825101'],
      ['xibu', '000000'],
    ] as const) {
      const unit = (await unitByCode(stage.rt.db, programme, code)) as UnitRow
      units.set(unit.name, unit)
    }
    const group = (unit: string, kind: string, names: string[], dissolved = 'null') =>
      rows(
        stage,
        `insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at, dissolved_at)
         select 'qingnong', '${kind}', ${idOf(unit)}, name, 'wechat', 500, 10, '2026-09-01', ${dissolved}
         from unnest(array[${names.map(name => `'${name}'`)}]) as name`,
      )
    await group(
      '镇川镇',
      'youth',
      Array.from({ length: 10 }, (_, index) => `镇川团青${index}`),
    )
    await group('镇川镇', 'youth', ['不在了'], `'2026-10-01'`)
    await group('麻黄梁镇', 'youth', ['麻黄梁团青'])
    await group('榆阳区', 'county-cadres', ['青农榆阳'])
    await group('榆阳区', 'county-youth', ['榆阳青年'])
    await group('定边县', 'county-cadres', ['定边青年干部'])
    // 镇川镇 has two cadres: 40 are asked for
    await rows(
      stage,
      `insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
       select id, ${idOf('镇川镇')}, (select min(id) from groups), 'home', 'farming', '2026-09-10'
       from persons order by id limit 8`,
    )
    await rows(
      stage,
      `insert into unit_facts (unit_id, month, branches, cadres, youth, members, created_at)
       values (${idOf('贺圈镇')}, '2026-09', 1, 9, 100, '{"membersHome.farming": 15, "membersAway.other": 10}', now())`,
    )
    await rows(
      stage,
      `insert into unit_plans (unit_id, year, fields, written_by, written_at)
       values (${idOf('榆阳区')}, 2026, '{"townshipYouthGroups": 12, "countyYouthGroups": 1, "villageGroups": 0, "countyCadreGroups": 1, "accountName": "青农榆阳"}',
         (select min(id) from persons), now())`,
    )
  })
  afterAll(() => stage.close())

  const today = '2026-10-20'
  async function measured(id: string, top: string) {
    const target = targets.find(each => each.id === id)
    if (!target) throw new Error(id)
    const scope = scopeOfTarget(target, [units.get(top)?.path as string])
    const measure = target.measure(stage.rt.templates, today)
    const list = await listTarget(stage.rt.db, scope, measure, target.isMost ?? false, {
      limit: 50,
      offset: 0,
    })
    const counts = await countTarget(stage.rt.db, scope, measure, target.isMost ?? false)
    return { rows: list.map(row => [row.unitName, row.actual, row.wanted]), counts }
  }

  test.each([
    [
      'ten 团青 groups a township, the worst first; a group that was dissolved is none',
      'youth-groups',
      '榆林市',
      [
        ['贺圈镇', 0, 10],
        ['麻黄梁镇', 1, 10],
        ['镇川镇', 10, 10],
      ],
      { units: 3, met: 1, unknown: 0 },
    ],
    [
      'twenty youth a cadre: who registered, or what the township said where that is more',
      'youth-a-cadre',
      '榆林市',
      [
        ['麻黄梁镇', 0, 20],
        ['镇川镇', 8, 40],
        ['贺圈镇', 25, 20],
      ],
      { units: 3, met: 1, unknown: 0 },
    ],
    [
      '90 % of the plan (13 groups), or of ten a township where there is none',
      'built',
      '榆林市',
      [
        ['定边县', 0, 9],
        ['榆阳区', 12, 12],
      ],
      { units: 2, met: 1, unknown: 0 },
    ],
    [
      'one 青农 group a county',
      'cadre-groups',
      '榆林市',
      [
        ['榆阳区', 1, 1],
        ['定边县', 1, 1],
      ],
      { units: 2, met: 2, unknown: 0 },
    ],
    [
      'names are 青农XX; units without such groups are not asked',
      'names',
      '榆林市',
      [
        ['定边县', 0, 1],
        ['榆阳区', 1, 1],
      ],
      { units: 2, met: 1, unknown: 0 },
    ],
    [
      'a viewer sees what lies below them',
      'youth-groups',
      '定边县',
      [['贺圈镇', 0, 10]],
      { units: 1, met: 0, unknown: 0 },
    ],
    [
      'insurance where the roster has its days: no data is no fault',
      'insurance',
      '全国',
      [
        ['榆阳区', 1, 2],
        ['定边县', 0, null],
      ],
      { units: 2, met: 0, unknown: 1 },
    ],
    [
      'a branch of at most thirty',
      'branch-size',
      '全国',
      [
        ['榆阳区第一团支部', 3, 30],
        ['榆阳区第二团支部', 2, 30],
        ['定边县第一团支部', 1, 30],
      ],
      { units: 3, met: 3, unknown: 0 },
    ],
    [
      '1+100 is measured by office',
      'contact-branches',
      '全国',
      [
        ['全国', 0, 1],
        ['陕西省', 0, 1],
        ['榆林市', 0, 1],
      ],
      { units: 3, met: 0, unknown: 0 },
    ],
  ])('%s', async (_, target, top, expected, counts) => {
    const found = await measured(target, top)
    expect(found.rows).toEqual(expected)
    expect(found.counts).toEqual(counts)
  })

  test('every target is measured without a fault', async () => {
    for (const { id, programme } of targets)
      expect((await measured(id, programme === 'xibu' ? '全国' : '榆林市')).counts.units, id).toBeGreaterThan(
        0,
      )
  })

  test('the plan sheet stands beside what there is', async () => {
    const plans = await listPlans(
      stage.rt.db,
      {
        programme: 'qingnong',
        paths: [units.get('榆林市')?.path as string],
        unitKinds: ['county-committee'],
      },
      2026,
      inspectionRules.plan.fields,
      { limit: 10, offset: 0 },
    )
    expect(
      plans.map(plan => [plan.unitName, plan.planned.townshipYouthGroups, plan.actual.townshipYouthGroups]),
    ).toEqual([
      ['定边县', null, 0],
      ['榆阳区', 12, 11],
    ])
    expect(plans[1]?.planned.directGroups).toBeNull()
    expect(plans[1]?.actual.countyCadreGroups).toBe(1)
  })

  test('the inspection ranks the counties by its four subjects', async () => {
    const record = (unit: string, month: string, category: string, count: number) =>
      rows(
        stage,
        `insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, created_at)
         values ((select min(id) from groups), ${idOf(unit)}, '${month}', '${month}-05', '${category}', ${count}, 'counted', 'person', now())`,
      )
    await record('镇川镇', '2026-10', '政策法规', 6)
    await record('镇川镇', '2026-09', '致富信息', 4)
    await record('镇川镇', '2026-07', '致富信息', 100)
    await record('贺圈镇', '2026-10', '其他', 30)
    await rows(
      stage,
      `insert into activities (unit_id, kind, held_on, month, heads, status, created_at)
       values (${idOf('贺圈镇')}, 'activities.other', '2026-10-02', '2026-10', 40, 'held', now()),
         (${idOf('镇川镇')}, 'activities.other', '2026-10-02', '2026-10', 40, 'cancelled', now())`,
    )
    const months = monthsOr({}, stage.clock.now())
    expect(months).toEqual({ from: '2026-08', to: '2026-10' })
    const ranked = await inspect(stage.rt, units.get('榆林市') as UnitRow, months)
    expect(
      ranked.map(({ unitName, youthGroups, youth, messages, categories, activities, places, place }) => ({
        unitName,
        youthGroups,
        youth,
        messages,
        categories,
        activities,
        places,
        place,
      })),
    ).toEqual([
      {
        unitName: '榆阳区',
        youthGroups: 12,
        youth: 8,
        messages: 10,
        categories: 2,
        activities: 0,
        places: [1, 2, 1, 2],
        place: 1,
      },
      {
        unitName: '定边县',
        youthGroups: 0,
        youth: 25,
        messages: 30,
        categories: 1,
        activities: 1,
        places: [2, 1, 2, 1],
        place: 1,
      },
    ])
  })
})

test('equal ones share a place, and nobody gains by more than was asked for', () => {
  const unit = (unitId: number, more: object) => ({
    unitId,
    unitName: String(unitId),
    townships: 1,
    youthGroups: 10,
    groups: 10,
    youth: 20,
    cadres: 1 as number | null,
    messages: 50,
    categories: 5,
    activities: 2,
    heads: 0,
    ...more,
  })
  const wanted = {
    groupsATownship: loadTemplates().threshold('qingnong', 'youth-groups-a-township'),
    youthACadre: 20,
  }
  const ranked = rankUnits(
    [
      unit(1, {}),
      unit(2, { youthGroups: 99, youth: 900 }),
      unit(3, { cadres: null, youth: 900 }),
      unit(4, { categories: 4, messages: 900 }),
    ],
    wanted,
    1,
  )
  expect(ranked.map(each => [each.unitId, each.place, each.places])).toEqual([
    [1, 1, [1, 1, 1, 1]],
    [2, 1, [1, 1, 1, 1]],
    [3, 3, [1, 4, 1, 1]],
    [4, 3, [1, 1, 4, 1]],
  ])
})
