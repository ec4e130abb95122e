import { planOf, unitsOfLevelBelow } from '../../../db/queries/unit-plans.ts'
import { dayOf } from '../../clock.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { maskMiddle } from '../roster/text.ts'
import { accountNaming, obeysNaming } from './account-name.ts'
import { buildPlan, chineseDay, labelOf } from './build-plan.ts'
import type { OfficialForm } from './form.ts'
import { accountKindWords, type UnitPlan } from './plan-fields.ts'
import { readPlan } from './read-plan.ts'

/** 县乡两级微信体系建设计划表 (榆林团市委 2014 附件1): the twelve printed fields of a county's year. */
export const planSheetForm: OfficialForm = {
  id: 'plan-sheet',
  name: '建设计划表',
  programme: 'qingnong',
  levels: ['county'],
  rhythm: 'year',
  async plan(rt, county, year, filledBy, numbers) {
    const [row, townships] = await Promise.all([
      planOf(rt.db, county.id, Number(year)),
      unitsOfLevelBelow(rt.db, county.path, 'township'),
    ])
    const plan = readPlan(rt, row)
    const layout = rt.templates.freeForm('plan-sheet')
    const sheet = buildPlan(layout)
    sheet.head({
      countyName: county.name,
      filledOn: chineseDay(dayOf(rt.clock.now())),
      filledBy: filledBy.name,
      contact: filledBy.contact,
    })
    const values: Record<string, string | number | null> = {
      countyName: county.name,
      account: accountWords(plan),
      accountName: plan.accountName || null,
      lead: plan.lead || null,
      contact: (numbers === 'whole' ? plan.contact : maskNumbers(plan.contact)) || null,
      townships,
      ...plan.numbers,
    }
    for (const name of Object.keys(layout.labels))
      sheet.row([
        { value: labelOf(layout, name), across: 2, align: 'left', part: 'rowHead' },
        {
          value: values[name] ?? null,
          across: 2,
          behind: name === 'townships' && townships > 0 ? `/console/units/${county.id}` : undefined,
        },
      ])
    const isBad = plan.accountName !== '' && !obeysNaming(rt.templates, county.programme, plan.accountName)
    sheet.notes({
      year,
      badName: isBad ? plan.accountName : null,
      example: accountNaming(rt.templates, county.programme)?.example ?? null,
    })
    sheet.stamp()
    return sheet.plan()
  },
  fillIn: (county, year) => ({ path: `/console/plans/${county.id}/${year}`, words: '填写计划' }),
}

function accountWords({ account }: UnitPlan): string | null {
  if (account === null) return null
  return account === 'none' ? '否' : `是（${accountKindWords(account)}）`
}

/** A contact in free words: phone numbers of any writing, and every other long number. */
function maskNumbers(text: string): string {
  return maskPersonalData(text).replace(/\d{7,}/g, digits => maskMiddle(digits, 3, 2))
}
