import { appendAudit } from '../../../db/queries/platform.ts'
import { inspectChildren } from '../../../db/queries/targets.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { rolesMeant } from '../groups/entitlement.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'
import { type RankedUnit, rankUnits } from './rank.ts'
import { inspectionRules } from './targets.ts'

export interface InspectedMonths {
  /** `YYYY-MM`, both included. */
  from: string
  to: string
}

const MOST_MONTHS = 24

/** The months that are asked for, no later than this one; the last few where none are. */
export function monthsOr(
  asked: { from?: string | undefined; to?: string | undefined },
  now: Date,
): InspectedMonths {
  const current = monthOf(now)
  const to = asked.to !== undefined && asked.to < current ? asked.to : current
  const from = asked.from ?? addMonths(to, 1 - inspectionRules.months.value)
  const earliest = addMonths(to, 1 - MOST_MONTHS)
  return { from: from > to ? to : from < earliest ? earliest : from, to }
}

/** How many months a stretch has. */
export function countMonths({ from, to }: InspectedMonths): number {
  const number = (month: string) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5))
  return number(to) - number(from) + 1
}

/** The units just below one, ranked for the inspection (检查验收, 榆林团市委 2014 三.(三)). */
export async function inspect(
  rt: DomainRuntime,
  top: UnitRow,
  months: InspectedMonths,
): Promise<RankedUnit[]> {
  const { programme } = inspectionRules
  const units = await inspectChildren(rt.db, top, {
    ...months,
    townshipKind: 'township-committee',
    youthKinds: inspectionRules.plan.youthKinds,
    cadreRoles: [...rolesMeant(rt.templates.programme(programme), 'cadre')],
  })
  const wanted = {
    groupsATownship: rt.templates.threshold(programme, 'youth-groups-a-township'),
    youthACadre: rt.templates.threshold(programme, 'youth-a-cadre'),
  }
  return rankUnits(units, wanted, countMonths(months))
}

/** The ranked table as a workbook. */
export async function exportInspection(
  rt: DomainRuntime,
  actor: KnownActor,
  top: UnitRow,
  months: InspectedMonths,
): Promise<{ name: string; sheets: StreamedSheet[] }> {
  const ranked = await inspect(rt, top, months)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'inspection.exported',
    subjectKind: 'unit',
    subjectId: top.id,
    details: { ...months },
  })
  return {
    name: `${top.name}检查验收${months.from}至${months.to}.xlsx`,
    sheets: [
      {
        name: '检查验收',
        heads: [
          '名次',
          '单位',
          '乡镇数',
          '团青群',
          '应建',
          '建群名次',
          '联系青年',
          '应联系',
          '联系名次',
          '发送（条）',
          '发了几类',
          '每群每月（条）',
          '发送名次',
          '线下活动（次）',
          '参加（人次）',
          '活动名次',
        ],
        widths: [8, 24, 8, 8, 8, 10, 10, 10, 10, 12, 10, 14, 10, 14, 14, 10],
        rows: [ranked.map(cellsOf)],
      },
      {
        name: '说明',
        heads: ['怎样排'],
        widths: [120],
        rows: [
          [
            [inspectionRules.ranking.note],
            [`${inspectionRules.source}；数据月份 ${months.from} 至 ${months.to}`],
          ],
        ],
      },
    ],
  }
}

function cellsOf(unit: RankedUnit): (string | number | null)[] {
  const [groups, youth, content, activities] = unit.places
  return [
    unit.place,
    unit.unitName,
    unit.townships,
    unit.youthGroups,
    unit.wantedGroups,
    groups,
    unit.youth,
    unit.wantedYouth,
    youth,
    unit.messages,
    unit.categories,
    Math.round(unit.frequency * 10) / 10,
    content,
    unit.activities,
    unit.heads,
    activities,
  ]
}
