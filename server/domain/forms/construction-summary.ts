import { formGroups, groupTotals } from '../../../db/queries/form-figures.ts'
import { dayOf } from '../../clock.ts'
import type { GroupKind, Programme } from '../../templates.ts'
import { buildPlan, chineseDay, labelOf } from './build-plan.ts'
import type { OfficialForm } from './form.ts'
import { standsAt } from './stands-at.ts'
import { officeName } from './unit-order.ts'

const LEVELS = ['province', 'city', 'county'] as const

/**
 * 微信群矩阵建设情况信息汇总表 (中少办发〔2017〕4号 附件2): how many groups the committees of a province lead at each level and how
 * many people are in them, and the groups of the province level one by one.
 *
 * 联系人数 is the sum of the groups' members (ours): the members of an ordinary group cannot be told apart, so somebody in
 * two groups is in both. Groups that schools lead for themselves are of no level that the form has.
 */
export const constructionSummaryForm: OfficialForm = {
  id: 'construction-summary',
  name: '建设情况汇总表',
  programme: 'shaoxiandui',
  levels: ['province'],
  rhythm: 'year',
  async plan(rt, unit, period, filledBy) {
    const now = rt.clock.now()
    const at = standsAt(period, now)
    const programme = rt.templates.programme(unit.programme)
    const [totals, own] = await Promise.all([
      groupTotals(rt.db, unit.path, at),
      formGroups(rt.db, { unitId: unit.id }, at),
    ])

    const layout = rt.templates.freeForm('construction-summary')
    const sheet = buildPlan(layout)
    const width = layout.widths.length
    sheet.head({
      office: officeName(unit.name, '少工委'),
      filledOn: chineseDay(dayOf(now)),
      filledBy: filledBy.name,
      contact: filledBy.contact,
    })
    for (const level of LEVELS) {
      const { groups, people } = totals.get(level) ?? { groups: 0, people: 0 }
      const value = labelOf(layout, level)
        .replace('{groups}', String(groups))
        .replace('{people}', String(people))
      sheet.row([{ value, across: width, align: 'left' }])
    }
    sheet.heading(labelOf(layout, 'groups'))
    sheet.header('groups')
    for (const { id, kind, name, size } of own) {
      const groupKind = rt.templates.groupKind(programme.id, kind)
      sheet.row([
        name,
        { value: whoIsIn(programme, groupKind), across: 2, align: 'left' },
        { value: size, behind: `/console/groups/${id}` },
        groupKind.name === name ? null : groupKind.name,
      ])
    }
    if (own.length === 0) sheet.row([null, { value: null, across: 2 }, null, null])
    sheet.notes({ day: chineseDay(at.day) })
    sheet.stamp()
    return sheet.plan()
  },
}

/** 人员构成: whom the rules of the kind put in the group. */
function whoIsIn(programme: Programme, kind: GroupKind): string {
  return [...new Set(kind.members.map(rule => rule.note ?? roleName(programme, rule.role)))].join('、')
}

function roleName(programme: Programme, roleId: string | undefined): string {
  return programme.roles.find(role => role.id === roleId)?.name ?? ''
}
