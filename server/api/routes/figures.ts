import { activitiesAfter, recordsAfter } from '../../../db/queries/api.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { throughToken } from '../../domain/api-tokens/read.ts'
import { collectTrackingSheet } from '../../domain/reports/collect-tracking-sheet.ts'
import { exportTrackingSheet } from '../../domain/reports/export.ts'
import { TRACKING_FIGURES, totals } from '../../domain/reports/tracking-sheet.ts'
import { DomainError } from '../../errors.ts'
import type { Runtime } from '../../runtime.ts'
import { type ApiRoutes, pageOf, type SliceQuery, unitNamed } from '../routes.ts'
import {
  list,
  maybeNumber,
  maybeText,
  month,
  number,
  object,
  ofUnit,
  paged,
  slice,
  text,
  unitFilter,
} from '../schemas.ts'

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const figures = object(
  Object.fromEntries(TRACKING_FIGURES.map(id => [id, { type: 'integer' }])),
  '跟踪摸底表的各列',
)

const sheetQuery = {
  unit: { ...unitFilter, description: '县区单位的编码或编号；令牌就是县区的可以不写' },
  month,
}

interface SheetQuery {
  unit?: string
  month: string
}

/** Nobody is named on a sheet that a program fetches: 填报人 and 联系方式 are left to be filled in by hand. */
const nobody = { name: '', contact: '' }

/** Figures, the tracking sheet as a file, activities and message records. */
export function figureRoutes(api: ApiRoutes): void {
  api.get<SheetQuery>('/figures/tracking-sheet', {
    tag: '数字',
    summary: '跟踪摸底表的数字：一个县区一个月，每个乡镇一行',
    scope: 'figures:read',
    query: sheetQuery,
    required: ['month'],
    answer: {
      schema: object({
        ...ofUnit,
        month: text('月份'),
        rows: list(object({ unitId: maybeNumber('乡镇单位编号'), township: text('乡镇'), figures })),
        sum: figures,
        countyDirectGroups: number('县直属的群'),
        allGroups: number('总计的群'),
      }),
    },
    async handle({ rt, caller, query }) {
      const county = requireCounty(rt, await unitNamed(rt, caller, query.unit))
      const sheet = await collectTrackingSheet(rt, county, query.month, nobody)
      return {
        unitId: county.id,
        unitCode: county.code,
        unitName: county.name,
        month: sheet.month,
        rows: sheet.rows.map(row => ({ ...row, unitId: row.unitId ?? null })),
        countyDirectGroups: sheet.countyDirectGroups,
        ...totals(sheet),
      }
    },
  })

  api.get<SheetQuery>('/forms/tracking-sheet', {
    tag: '数字',
    summary: '跟踪摸底表（XLSX），可以直接打印',
    scope: 'forms:read',
    query: sheetQuery,
    required: ['month'],
    answer: { schema: { content: { [XLSX]: { schema: { type: 'string', format: 'binary' } } } } },
    async handle({ rt, caller, query, reply }) {
      const county = requireCounty(rt, await unitNamed(rt, caller, query.unit))
      const { file, fileName } = await exportTrackingSheet(rt, county, query.month, nobody)
      const { id, layoutVersion } = rt.templates.form('tracking-sheet')
      await appendAudit(rt.db, {
        at: rt.clock.now(),
        actorId: caller.viewer.actor.person.id,
        action: 'sheet.exported',
        subjectKind: 'unit',
        subjectId: county.id,
        details: { form: id, layoutVersion, month: query.month, ...throughToken(caller) },
      })
      return reply
        .type(XLSX)
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`)
        .send(file)
    },
  })

  api.get<SliceQuery & { unit?: string; month?: string }>('/activities', {
    tag: '数字',
    summary: '线下活动',
    scope: 'figures:read',
    query: { ...slice, unit: unitFilter, month },
    answer: {
      schema: paged(
        object({
          id: number('编号'),
          ...ofUnit,
          groupId: maybeNumber('群号'),
          kind: text('类别，跟踪摸底表的一列'),
          heldOn: text('日期'),
          month: text('月份'),
          place: maybeText('地点'),
          heads: maybeNumber('人数'),
        }),
      ),
    },
    async handle({ rt, caller, query }) {
      const { path } = await unitNamed(rt, caller, query.unit)
      const filter = query.month === undefined ? {} : { month: query.month }
      return pageOf(
        query,
        part => activitiesAfter(rt.db, { path, ...part }, filter),
        row => row,
      )
    },
  })

  api.get<SliceQuery & { unit?: string; month: string }>('/message-records', {
    tag: '数字',
    summary: '一个月的消息记录',
    scope: 'figures:read',
    query: { ...slice, unit: unitFilter, month },
    required: ['month'],
    answer: {
      schema: paged(
        object({
          id: number('编号'),
          ...ofUnit,
          groupId: number('群号'),
          month: text('月份'),
          recordedOn: text('日期'),
          category: text('类别'),
          count: number('条数'),
          source: text('notice 通知、forwarded 转给机器人的、counted 群主数的'),
          decidedBy: text('谁定的类别：machine 或 person'),
          excerpt: maybeText('开头几个字，个人信息已打码'),
        }),
      ),
    },
    async handle({ rt, caller, query }) {
      const { path } = await unitNamed(rt, caller, query.unit)
      return pageOf(
        query,
        part => recordsAfter(rt.db, { path, ...part }, query.month),
        row => row,
      )
    },
  })
}

/** @throws DomainError `sheet.none` for a unit that fills in no sheet */
function requireCounty({ templates }: Runtime, unit: UnitRow): UnitRow {
  if (unit.level !== 'county' || unit.programme !== templates.form('tracking-sheet').programme)
    throw new DomainError(
      'sheet.none',
      `跟踪摸底表由县区团委填报，${unit.name}没有这张表。请用 unit 写明县区。`,
    )
  return unit
}
