import { type FormGroup, formGroups, formHolders, formUnits } from '../../../db/queries/form-figures.ts'
import { dayOf } from '../../clock.ts'
import type { SheetPlan } from '../reports/sheet-plan.ts'
import { buildPlan, chineseDay, labelOf } from './build-plan.ts'
import type { OfficialForm } from './form.ts'
import { phoneOn, wechatOn } from './people.ts'
import { standsAt } from './stands-at.ts'
import { inOrder, officeName } from './unit-order.ts'

const PROVINCE = 'province-office'
/** The printed rows of the second table, by kind of group. */
const GROUP_KINDS = ['province-work', 'city-work', 'branch', 'graduate-teaching'] as const
/** Which units lead them. */
const UNIT_KINDS = [PROVINCE, 'city-office', 'county-office', 'volunteer-branch']

/**
 * 西部计划微信群矩阵建立情况汇总表 (全国项目办发〔2018〕1号 附件3): whom a province sends to the national group (its persons in
 * charge, 二.1), and the groups of its three levels with their owners.
 */
export const matrixSummaryForm: OfficialForm = {
  id: 'matrix-summary',
  name: '群矩阵汇总表',
  programme: 'xibu',
  levels: ['province'],
  rhythm: 'year',
  async plan(rt, unit, period, filledBy, numbers) {
    const now = rt.clock.now()
    const at = standsAt(period, now)
    const [units, sent, groups] = await Promise.all([
      formUnits(rt.db, unit.path, UNIT_KINDS),
      formHolders(rt.db, unit.path, { kind: PROVINCE, roles: ['in-charge'] }, at),
      formGroups(rt.db, { path: unit.path, kinds: GROUP_KINDS }, at),
    ])
    const inCharge = rt.templates.role(unit.programme, 'in-charge').name

    const layout = rt.templates.freeForm('matrix-summary')
    const sheet = buildPlan(layout)
    sheet.head({
      office: officeName(unit.name, '项目办'),
      filledOn: chineseDay(dayOf(now)),
      filledBy: filledBy.name,
      contact: filledBy.contact,
    })
    sheet.heading(labelOf(layout, 'members'))
    sheet.header('members')
    for (const { name, title, wechatSealed, phoneSealed } of sent)
      sheet.row([
        name,
        title ?? inCharge,
        { value: wechatOn(rt, wechatSealed, numbers), across: 2 },
        phoneOn(rt, phoneSealed, numbers),
      ])
    if (sent.length === 0) sheet.row([null, null, { value: null, across: 2 }, null])

    sheet.heading(labelOf(layout, 'managers'))
    sheet.header('managers')
    const groupsOf = groupsInOrder(
      groups,
      inOrder(units).map(each => each.id),
    )
    for (const kind of GROUP_KINDS) {
      const found = groupsOf(kind)
      const label = {
        value: labelOf(layout, kind),
        down: Math.max(1, found.length),
        part: 'rowHead' as const,
      }
      for (const [index, group] of found.entries())
        sheet.row([
          ...(index === 0 ? [label] : []),
          group.name,
          { value: group.size, behind: `/console/groups/${group.id}` },
          group.ownerName,
          phoneOn(rt, group.ownerPhoneSealed, numbers),
        ])
      if (found.length === 0) sheet.row([label, null, null, null, null])
    }
    sheet.notes({ day: chineseDay(at.day), groups: String(groups.length) })
    sheet.stamp()
    return repeatLastHeader(sheet.plan())
  },
}

/** The groups of a kind, in the order of the units that lead them. */
function groupsInOrder(
  groups: readonly FormGroup[],
  unitIds: readonly number[],
): (kind: string) => readonly FormGroup[] {
  const place = new Map(unitIds.map((id, index) => [id, index]))
  const ofKind = Map.groupBy(
    [...groups].sort((a, b) => (place.get(a.unitId) ?? 0) - (place.get(b.unitId) ?? 0) || a.id - b.id),
    group => group.kind,
  )
  return kind => ofKind.get(kind) ?? []
}

/** The second table is the long one: its header is what the next pages need. */
function repeatLastHeader(plan: SheetPlan): SheetPlan {
  const last = Math.max(...plan.cells.filter(cell => cell.part === 'columnHead').map(cell => cell.top))
  return { ...plan, page: { ...plan.page, repeatRows: [last, last] } }
}
