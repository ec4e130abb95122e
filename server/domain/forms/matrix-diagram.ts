import type { UnitRow } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { buildPlan, type CellToPlace, chineseDay } from './build-plan.ts'
import {
  collectDiagram,
  type DiagramBand,
  type DiagramGroups,
  type DiagramSize,
  diagramFormId,
} from './diagram.ts'
import { describeDiagram, drawDiagram, missingWords } from './draw-diagram.ts'
import type { FormPicture, OfficialForm } from './form.ts'

/**
 * 微信群矩阵框架图 of each programme (全国项目办发〔2018〕1号 附件1, 中少办发〔2017〕4号 附件1; of the rural matrix: ours), for any
 * unit that has groups. It is a picture; the sheet holds the same as a table.
 */
export const matrixDiagramForms: readonly OfficialForm[] = [
  diagramForm('xibu', ['national', 'province', 'city', 'county', 'branch']),
  diagramForm('shaoxiandui', ['national', 'province', 'city', 'county']),
  diagramForm('qingnong', ['city', 'county', 'township', 'village']),
]

function diagramForm(programme: string, levels: readonly string[]): OfficialForm {
  const id = diagramFormId(programme)
  return {
    id,
    name: '框架图',
    programme,
    levels,
    rhythm: 'month',
    async plan(rt, unit, period, filledBy) {
      const diagram = await collectDiagram(rt, unit, period, 'desk')
      const sheet = buildPlan(rt.templates.freeForm(id))
      sheet.head({
        office: unit.name,
        filledOn: chineseDay(dayOf(rt.clock.now())),
        filledBy: filledBy.name,
        contact: filledBy.contact,
      })
      sheet.header('groups')
      for (const band of diagram.bands) for (const row of rowsOf(band)) sheet.row(row)
      sheet.notes({ day: chineseDay(diagram.day) })
      sheet.stamp()
      return sheet.plan()
    },
    picture: (rt, unit, period, size = 'desk') => pictureOf(rt, unit, period, size),
  }
}

/** The rows of a level: its name before the first, each unit before the first of its own. */
function rowsOf({ name, boxes }: DiagramBand): (CellToPlace | string | number | null)[][] {
  const ofBoxes = boxes.flatMap(box => {
    const kinds =
      box.kinds.length > 0 ? box.kinds.map(kind => cellsOf(kind, box.unitId)) : [['没有群', 0, 0, null]]
    return kinds.map((cells, at) =>
      at > 0 ? cells : [{ value: box.title, down: kinds.length, part: 'rowHead' as const }, ...cells],
    )
  })
  return ofBoxes.map((cells, at) =>
    at > 0 ? cells : [{ value: name, down: ofBoxes.length, part: 'rowHead' as const }, ...cells],
  )
}

/** The diagram of a unit as a picture, with how many required groups are missing. @param period `YYYY-MM` */
export async function pictureOf(
  rt: DomainRuntime,
  unit: UnitRow,
  period: string,
  size: DiagramSize,
): Promise<FormPicture & { missing: number }> {
  const diagram = await collectDiagram(rt, unit, period, size)
  const kinds = diagram.bands.flatMap(band => band.boxes).flatMap(box => box.kinds)
  return {
    ...drawDiagram(diagram, size),
    words: describeDiagram(diagram),
    missing: kinds.reduce((sum, kind) => sum + kind.missing, 0),
  }
}

function cellsOf(kind: DiagramGroups, unitId: number | null): (CellToPlace | string | number | null)[] {
  const behind =
    unitId === null ? undefined : `/console/groups?${new URLSearchParams({ unit: String(unitId) })}`
  return [
    kind.name === null || kind.name === kind.kindName ? kind.kindName : `${kind.kindName}\n${kind.name}`,
    { value: kind.groups, behind: kind.groups > 0 ? behind : undefined },
    kind.people,
    unitId === null ? missingWords(kind, 3) || null : kind.missing > 0 ? '还没有建' : null,
  ]
}
