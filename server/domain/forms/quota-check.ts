import { recruitsByPair, rosterOfProvinces } from '../../../db/queries/quota-figures.ts'
import { dayOf } from '../../clock.ts'
import { quotaOf, quotaRules, scopeOf, thresholdsOf } from '../quotas/rules.ts'
import type { OfficialForm } from './form.ts'
import { planQuotaCheck } from './quota-sheet.ts'

/**
 * The roster against 附件1 and 附件2 of 全国项目办发〔2020〕3号, with the ratios and insurance of its 三 as flags. No layout is
 * printed for it; ours ends with both annexes as printed.
 */
export const quotaCheckForm: OfficialForm = {
  id: 'quota-check',
  name: '指标对照',
  programme: quotaRules.programme,
  levels: ['national', 'province'],
  rhythm: 'year',
  async plan(rt, unit, period, filledBy) {
    const year = Number(period)
    const now = rt.clock.now()
    const scope = scopeOf(rt.templates, unit, year, now)
    const [provinces, pairs] = await Promise.all([
      rosterOfProvinces(rt.db, scope),
      recruitsByPair(rt.db, scope),
    ])
    return planQuotaCheck(rt.templates.freeForm('quota-check'), {
      quota: quotaOf(rt.templates, year),
      thresholds: thresholdsOf(rt.templates),
      year,
      unit,
      countedOn: scope.day,
      filledOn: dayOf(now),
      filledBy: filledBy.name,
      provinces,
      pairs,
    })
  },
}
