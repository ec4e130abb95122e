/** The numbers that a county plans for, in the printed order; each is also a label of `templates/forms/plan-sheet`. */
export const PLAN_NUMBERS = [
  'countyYouthGroups',
  'countyCadreGroups',
  'townshipYouthGroups',
  'townshipCadreGroups',
  'directGroups',
  'villageGroups',
] as const
export type PlanNumber = (typeof PLAN_NUMBERS)[number]

/** Whether, and as what, a county means to open a 公共号. */
export const ACCOUNT_KINDS = [
  ['subscription', '订阅号'],
  ['service', '服务号'],
] as const
export type AccountKind = (typeof ACCOUNT_KINDS)[number][0]

export function accountKindWords(kind: string): string {
  return ACCOUNT_KINDS.find(([id]) => id === kind)?.[1] ?? ''
}

/**
 * What a county plans for a year (榆林团市委 2014 附件1): the numbers of groups, as `unit_plans.fields` keeps them, and
 * what is planned of its account. A number that is null was not said.
 */
export interface UnitPlan {
  numbers: Record<PlanNumber, number | null>
  /** `none`: it opens no account; null: not said. */
  account: AccountKind | 'none' | null
  accountName: string
  /** 区县微信负责人 */
  lead: string
  /** 管理员姓名及联系方式 */
  contact: string
}

export const emptyPlan: UnitPlan = {
  numbers: {
    countyYouthGroups: null,
    countyCadreGroups: null,
    townshipYouthGroups: null,
    townshipCadreGroups: null,
    directGroups: null,
    villageGroups: null,
  },
  account: null,
  accountName: '',
  lead: '',
  contact: '',
}
